//! Random records of every model, over the wire's form to attributes, to the model's row and back.

use cdms_odata::crm2011::json::{read_record, write_record};
use cdms_odata::{Attributes, Facts, Instant, Kind, Value};
use datahub_model::conversion;
use datahub_model::{ModelDescriptor, Source};
use datahub_runtime::Models;
use datahub_runtime::testing::Records;

/// How many records of each model are tried, each of a seed of its own.
const RECORDS: u64 = 25;

/// Tries records of every model, and says how many. A value that is lost without having been declared is told with its
/// model, its attribute and the seed.
pub(crate) fn survive(models: &Models) -> String {
    let mut values = 0;
    for model in models.iter() {
        for seed in 0..RECORDS {
            match survives(model, seed) {
                Ok(tried) => values += tried,
                Err(reason) => panic!("{}, seed {seed}: {reason}", model.name),
            }
        }
    }
    assert!(values > 0, "no value was tried");
    format!("{} models, {RECORDS} records of each: {values} values came back", models.iter().len())
}

fn survives(model: &'static ModelDescriptor, seed: u64) -> Result<usize, String> {
    let mut records = Records::of(model, seed);
    let (id, facts) = (records.id(), Facts { modified: Instant(0), created: None, modified_by: None });
    let mut attributes = records.next().ok_or("there is no record")?;
    over_the_wire(model, &attributes)?;
    conversion::with_calendar_dates(model, &mut attributes);
    let row = conversion::decode(model, id, &facts, &attributes).map_err(|fault| fault.to_string())?;
    let mut values = 0;
    let mut sent = attributes.clone();
    for (column, value) in model.columns.iter().zip(&row) {
        let Source::Attribute { attribute, targets, .. } = column.source else { continue };
        let default = conversion::default_of(column).map_err(|fault| fault.to_string())?;
        let patch = conversion::encode(model, column, value, &attributes).map_err(|fault| fault.to_string())?;
        let (before, after) = (attributes.get(attribute), patch.get(attribute));
        let stands_for_null = before == Some(&Value::Null) && default.is_some_and(|default| default == *value);
        let of_another_model = matches!(
            before, Some(Value::Lookup(reference)) if !targets.is_empty() && !targets.contains(&&*reference.logical_name)
        );
        if before != after && !stands_for_null && !of_another_model {
            return Err(format!("`{attribute}` was {before:?}, and comes back from `{}` as {after:?}", column.field));
        }
        values += 1;
        if !stands_for_null && !of_another_model {
            sent.merge(&patch);
        }
    }
    let again = conversion::decode(model, id, &facts, &sent).map_err(|fault| fault.to_string())?;
    if again != row {
        return Err("what was written reads as another row".to_owned());
    }
    Ok(values)
}

/// What is sent of a record and what CDMS would answer have one form; it reads as what was written.
fn over_the_wire(model: &'static ModelDescriptor, attributes: &Attributes) -> Result<(), String> {
    let shape: Vec<(&'static str, Kind)> = model.attributes.iter().map(|stated| (stated.name, stated.kind)).collect();
    let values = shape.iter().map(|(name, kind)| (*name, *kind, attributes.get(name).unwrap_or(&Value::Null)));
    let body = write_record(values).map_err(|error| error.to_string())?;
    let answer = [b"{\"d\":", body.as_slice(), b"}"].concat();
    let read = read_record(&answer, &shape).map_err(|error| error.to_string())?;
    if read == *attributes { Ok(()) } else { Err(format!("over the wire {attributes:?} is {read:?}")) }
}
