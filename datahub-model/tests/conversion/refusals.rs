//! What does not convert, and the words that say so.

use cdms_odata::{Attributes, Instant, Kind, Reference, Value};
use datahub_model::conversion::{RecordFacts, check_constants, classed, decode, encode, encode_new};
use datahub_model::{Attribute, Class, Fault, ModelDescriptor};

use crate::model::{FULL, column, full, row, stating, with_zone};
use crate::{ID, facts};

#[track_caller]
fn not_read(model: &ModelDescriptor, attribute: &'static str, value: Value, words: &str) {
    let mut record = full();
    record.insert(attribute, value);
    assert_eq!(decode(model, &facts(), &record).unwrap_err().to_string(), words);
}

#[track_caller]
fn not_sent(model: &ModelDescriptor, field: &str, value: &Value, words: &str) {
    assert_eq!(encode(model, column(model, field), value, &full()).unwrap_err().to_string(), words);
}

#[test]
fn of_a_read() {
    not_read(&FULL, "Name", Value::Null, "`Name`: is null in CDMS, but the contract says it is required");
    not_read(&FULL, "Count", Value::text("x"), r#"`Count`: holds text, not integer (value: "x")"#);
    not_read(
        &FULL,
        "Token",
        Value::Integer(1),
        "`Token`: holds integer, not guid (value: integer of class secret, hidden)",
    );
    not_read(&FULL, "Born", Value::Instant(Instant(i64::MAX)), "`Born`: is outside the calendar");
    // The last hours of the calendar are beyond it east of Greenwich, and the first ones west of it.
    for (zone, instant) in [
        ("Europe/Oslo", chrono::DateTime::<chrono::Utc>::MAX_UTC),
        ("America/Lima", chrono::DateTime::<chrono::Utc>::MIN_UTC),
    ] {
        let end = Value::Instant(Instant(instant.timestamp_millis()));
        not_read(&with_zone(zone), "Born", end, "`Born`: is outside the calendar");
    }
    not_read(
        &FULL,
        "Budget",
        Value::Decimal("0.123".parse().unwrap()),
        "`Budget`: has more than 2 digits after the point; round it, or raise `scale` in the contract (value: 0.123)",
    );
    not_read(
        &FULL,
        "Amount",
        Value::Money("0.00001".parse().unwrap()),
        "`Amount`: has more than 4 digits after the point; round it, or raise `scale` in the contract (value: 0.00001)",
    );
    not_read(&FULL, "Given", Value::text("none"), "`full`: came out null, but the field cannot be");
    // A joined value is as sensitive as the most sensitive of its parts.
    not_read(&FULL, "Given", Value::text("bad"), "`full`: is no name (value: text of class personal, hidden)");
    not_read(
        &FULL,
        "Given",
        Value::text("number"),
        "`full`: holds integer, not string (value: integer of class personal, hidden)",
    );
    let unknown = Attributes::from([("Name", Value::text("Acme"))]);
    let fault = decode(&FULL, &facts(), &unknown).unwrap_err();
    assert_eq!(fault.to_string(), "`Amount`: was never read from CDMS; read the record once");
    assert_eq!((fault.place(), fault.reason()), (Some("Amount"), "was never read from CDMS; read the record once"));
}

#[test]
fn of_a_field_that_cannot_be_null() {
    let mut columns = FULL.columns.to_vec();
    columns.iter_mut().for_each(|column| column.nullable = false);
    let strict = ModelDescriptor { columns: columns.leak(), ..FULL };
    not_read(&strict, "Count", Value::Null, "`Count`: is null in CDMS, but the field cannot be");
}

#[test]
fn of_the_models_types() {
    not_read(&FULL, "Count", Value::Integer(13), "`count`: is unlucky (value: 13)");
    let mut named = full();
    named.insert("Given", Value::text("Un"));
    named.insert("Surname", Value::text("Lucky"));
    let fault = decode(&FULL, &facts(), &named).unwrap_err();
    assert_eq!(fault.to_string(), "`full`: is unlucky (value: text of class personal, hidden)");
}

#[test]
fn of_a_type_that_knows_no_classes() {
    let told = |place: &'static str| {
        let fault = Fault::new("is unlucky").at(place).value(&Value::Integer(13));
        classed(&FULL, fault).to_string()
    };
    assert_eq!(told("count"), "`count`: is unlucky (value: 13)");
    assert_eq!(told("full"), "`full`: is unlucky (value: integer of class personal, hidden)");
    assert_eq!(told("token"), "`token`: is unlucky (value: integer of class secret, hidden)");
    assert_eq!(
        told("note"),
        "`note`: is unlucky (value: integer of class personal, hidden)",
        "nothing says what it is"
    );
    assert_eq!(told("elsewhere"), "`elsewhere`: is unlucky (value: integer of class personal, hidden)");
}

#[test]
fn of_what_cdms_follows() {
    let mut columns = FULL.columns.to_vec();
    columns.iter_mut().filter(|column| column.field == "modified_by").for_each(|column| column.nullable = false);
    let strict = ModelDescriptor { columns: columns.leak(), ..FULL };
    assert!(decode(&strict, &facts(), &full()).is_ok());
    let by_nobody = RecordFacts { modified_by: None, ..facts() };
    assert!(decode(&FULL, &by_nobody, &full()).is_ok());
    let fault = decode(&strict, &by_nobody, &full()).unwrap_err();
    assert_eq!(fault.to_string(), "`modified_by`: is null in CDMS, but the field cannot be; make it an Option");
}

#[test]
fn of_a_write() {
    not_sent(&FULL, "name", &Value::Null, "`Name`: is required by the contract and cannot be cleared");
    let too_long = "`Name`: has 7 characters, 2 more than the 5 that CDMS takes; shorten it";
    // CDMS counts UTF-16 units: a clef is two.
    not_sent(&FULL, "name", &Value::text("Acmes𝄞"), too_long);
    assert!(encode(&FULL, column(&FULL, "name"), &Value::text("Acm𝄞"), &full()).is_ok());
    for number in [f64::NAN, f64::INFINITY] {
        let words = format!("`Ratio`: is no finite number, and CDMS takes no other (value: {number})");
        not_sent(&FULL, "ratio", &Value::Double(number), &words);
    }
    not_sent(
        &FULL,
        "state",
        &Value::Choice(2),
        "`State`: has no option with this value; the contract knows open = 0, closed = 1 (value: 2)",
    );
    let any = stating(Attribute::new("State", Kind::State));
    assert!(encode(&any, column(&any, "state"), &Value::Choice(2), &full()).is_ok());
    let contact = Value::Lookup(Reference { logical_name: "contact".into(), id: ID });
    not_sent(&FULL, "owner", &contact, "`Owner`: may point to account or team, not to contact");
    not_sent(&FULL, "count", &Value::Boolean(true), "`Count`: holds boolean, not integer (value: true)");
    not_sent(
        &FULL,
        "budget",
        &Value::Decimal("0.123".parse().unwrap()),
        "`Budget`: has more than 2 digits after the point; round it, or raise `scale` in the contract (value: 0.123)",
    );
    let seven = stating(Attribute::new("Budget", Kind::Decimal));
    assert!(encode(&seven, column(&seven, "budget"), &Value::Decimal("0.1234567".parse().unwrap()), &full()).is_ok());
    assert!(encode(&seven, column(&seven, "budget"), &Value::Decimal("0.12345678".parse().unwrap()), &full()).is_err());
    not_sent(&FULL, "full", &Value::text("Ola"), "`full`: needs a blank (value: text of class personal, hidden)");
    not_sent(
        &FULL,
        "full",
        &Value::text("other x"),
        "`full`: its `with` module set `Count`, which is not among its attributes",
    );
    let mars = stating(Attribute::new("Born", Kind::Date).zone("Mars/Olympus"));
    let day = Value::Date("2016-06-15".parse().unwrap());
    not_sent(&mars, "born", &day, "`Born`: has the zone \"Mars/Olympus\", which no time zone is called");
}

/// What would be sent with the write is measured with the actor's name in it.
#[test]
fn of_a_constant() {
    let short = stating(Attribute::new("Editor", Kind::String).max_length(9));
    check_constants(&short, "kari").unwrap();
    let fault = check_constants(&short, "karin").unwrap_err();
    assert_eq!(fault.to_string(), "`Editor`: has 10 characters, 1 more than the 9 that CDMS takes; shorten it");
    check_constants(&FULL, &"kari".repeat(1000)).unwrap();
}

#[test]
fn of_a_create() {
    let without = |field: &str, model: &ModelDescriptor| {
        let position = model.columns.iter().position(|column| column.field == field).unwrap();
        let mut row = row();
        row[position] = Value::Null;
        encode_new(model, &row)
    };
    let strict = stating(Attribute::new("Flag", Kind::Boolean).required());
    assert!(without("count", &strict).is_ok());
    let fault = without("flag", &strict).unwrap_err();
    assert_eq!(fault.to_string(), "`Flag`: is required by the contract and cannot be cleared");
    // Required, without a field, and no constant.
    let unfilled = ModelDescriptor { constants: &FULL.constants[1..], ..FULL };
    assert_eq!(
        encode_new(&unfilled, &row()).unwrap_err().to_string(),
        "`Channel`: is required by the contract, but the new record has no value for it"
    );
    let secret = stating(Attribute::new("Name", Kind::String).class(Class::Secret).max_length(1));
    let fault = encode_new(&secret, &row()).unwrap_err();
    assert_eq!(fault.to_string(), "`Name`: has 4 characters, 3 more than the 1 that CDMS takes; shorten it");
}
