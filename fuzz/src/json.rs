//! Any bytes as an answer of CDMS: records, pages and refusals are read without a panic, and what is read can be sent and
//! stored and comes back as it was.

use std::sync::LazyLock;

use cdms_odata::crm2011::json::{JsonPage, ReadError, Shape, read_page, read_record, write_record};
use cdms_odata::crm2011::read_refusal;
use cdms_odata::{Attributes, Kind};

/// An attribute of each kind by the kind's name, in the order of names.
static ALL: LazyLock<Vec<(&'static str, Kind)>> = LazyLock::new(|| {
    let mut all: Vec<_> = Kind::ALL.into_iter().map(|kind| (kind.name(), kind)).collect();
    all.sort_unstable();
    all
});

/// Reads an answer in every way.
pub fn run(data: &[u8]) {
    _ = read_refusal(400, data);
    let singles = ALL.iter().map(std::slice::from_ref);
    for shape in singles.chain([ALL.as_slice(), &[]]) {
        match read_record(data, shape) {
            Ok(record) => comes_back(&record, shape),
            Err(fault) => tells_no_value(&fault),
        }
        if let Ok(JsonPage { records, .. }) = read_page(data, shape) {
            for record in records {
                match record {
                    Ok(record) => comes_back(&record, shape),
                    Err(fault) => tells_no_value(&fault),
                }
            }
        }
    }
}

fn comes_back(record: &Attributes, shape: &Shape) {
    assert_eq!(record.len(), shape.len(), "an attribute that was asked for is not there");
    let values = shape.iter().filter_map(|(name, kind)| Some((*name, *kind, record.get(name)?)));
    let body = write_record(values).expect("what was read can be sent");
    let answer = format!("{{\"d\":{}}}", String::from_utf8_lossy(&body));
    assert_eq!(read_record(answer.as_bytes(), shape).as_ref(), Ok(record), "{answer}");
    let stored = serde_json::to_string(record).expect("what was read can be stored");
    assert_eq!(serde_json::from_str::<Attributes>(&stored).ok().as_ref(), Some(record), "{stored}");
}

/// The text of a fault goes to logs, so it has nothing of what CDMS said.
fn tells_no_value(fault: &ReadError) {
    if let ReadError::Value { attribute, kind, form, .. } = fault {
        assert_eq!(
            fault.to_string(),
            format!("the attribute `{attribute}` must be of kind {kind}, CDMS returned {form}")
        );
    }
}
