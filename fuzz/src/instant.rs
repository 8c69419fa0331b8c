//! CDMS's form of a time both ways: any text is read or refused, and every instant comes back as it was.

use cdms_odata::crm2011::json::{read_record, write_record};
use cdms_odata::{Attributes, Instant, Kind, Value};
use serde_json::Value as Json;

/// Takes the bytes for the text of a time, and their first eight for an instant.
pub fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        read(&serde_json::json!({ "d": { "A": text } }));
    }
    if let Some(ms) = data.first_chunk().map(|bytes| i64::from_be_bytes(*bytes)) {
        there_and_back(Instant(ms));
    }
}

fn read(answer: &Json) {
    for kind in [Kind::DateTime, Kind::Date] {
        let Ok(attributes) = read_record(answer.to_string().as_bytes(), &[("A", kind)]) else { continue };
        match attributes.get("A") {
            Some(Value::Instant(instant)) => there_and_back(*instant),
            other => panic!("{answer} was read as {other:?}"),
        }
    }
}

fn there_and_back(instant: Instant) {
    let value = Value::Instant(instant);
    for kind in [Kind::DateTime, Kind::Date] {
        let body = write_record([("A", kind, &value)]).expect("an instant can be sent");
        let answer = format!("{{\"d\":{}}}", String::from_utf8_lossy(&body));
        let read = read_record(answer.as_bytes(), &[("A", kind)]);
        assert_eq!(read, Ok(Attributes::from([("A", value.clone())])), "{answer}");
    }
    let stored = serde_json::to_string(&value).expect("an instant can be stored");
    assert_eq!(serde_json::from_str::<Value>(&stored).ok(), Some(value), "{stored}");
    // A time that is shown can be understood again, as far as the calendar goes.
    let shown = instant.to_string();
    if let Some(time) = instant.to_utc().filter(|_| !shown.starts_with(['+', '-'])) {
        let understood = chrono::DateTime::parse_from_rfc3339(&shown).map(|time| time.timestamp_millis());
        assert_eq!(understood, Ok(instant.0), "{shown}, {time}");
    }
}
