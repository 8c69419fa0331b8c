//! Values that cannot be converted, and the messages that say so.

use cdms_odata::{Attributes, Facts, Kind, Reference, Value};
use datahub_model::conversion::{check_constants, classed, decode, encode, encode_new};
use datahub_model::{Attribute, Class, Constant, Fault, ModelDescriptor};

use crate::model::{FULL, column, full, row, stating};
use crate::{ID, facts};

#[track_caller]
fn not_read(model: &ModelDescriptor, attribute: &'static str, value: Value, words: &str) {
    let mut record = full();
    record.insert(attribute, value);
    assert_eq!(decode(model, ID, &facts(), &record).unwrap_err().to_string(), words);
}

#[track_caller]
fn not_sent(model: &ModelDescriptor, field: &str, value: &Value, words: &str) {
    assert_eq!(encode(model, column(model, field), value, &full()).unwrap_err().to_string(), words);
}

#[test]
fn of_a_read() {
    not_read(&FULL, "Name", Value::Null, "`Name`: is null in CDMS, but the contract requires a value");
    not_read(&FULL, "Count", Value::text("x"), r#"`Count`: expected integer, found text (value: "x")"#);
    not_read(
        &FULL,
        "Token",
        Value::Integer(1),
        "`Token`: expected guid, found integer (value: integer of class secret, hidden)",
    );
    not_read(
        &FULL,
        "Budget",
        Value::Decimal("0.123".parse().unwrap()),
        "`Budget`: has more than 2 decimal places; raise `scale` in the contract (value: 0.123)",
    );
    not_read(
        &FULL,
        "Amount",
        Value::Money("0.00001".parse().unwrap()),
        "`Amount`: has more than 4 decimal places; round it in CDMS, or read it as text with \
         `with = \"module\", sql_type = \"string\"` (value: 0.00001)",
    );
    not_read(&FULL, "Given", Value::text("none"), "`full`: the conversion returned null, but the field cannot be null");
    // A joined value is as sensitive as the most sensitive of its parts.
    not_read(&FULL, "Given", Value::text("bad"), "`full`: is no name (value: text of class personal, hidden)");
    not_read(
        &FULL,
        "Given",
        Value::text("number"),
        "`full`: expected string, found integer (value: integer of class personal, hidden)",
    );
    let unknown = Attributes::from([("Name", Value::text("Acme"))]);
    let fault = decode(&FULL, ID, &facts(), &unknown).unwrap_err();
    assert_eq!(fault.to_string(), "`Amount`: was never read from CDMS; read the record once");
    assert_eq!((fault.place(), fault.reason()), (Some("Amount"), "was never read from CDMS; read the record once"));
}

#[test]
fn of_a_field_that_cannot_be_null() {
    let mut columns = FULL.columns.to_vec();
    columns.iter_mut().for_each(|column| column.nullable = false);
    let strict = ModelDescriptor { columns: columns.leak(), ..FULL };
    not_read(&strict, "Count", Value::Null, "`Count`: is null in CDMS, but the field cannot be null");
}

#[test]
fn of_the_models_types() {
    not_read(&FULL, "Count", Value::Integer(13), "`count`: is unlucky (value: 13)");
    let mut named = full();
    named.insert("Given", Value::text("Un"));
    named.insert("Surname", Value::text("Lucky"));
    let fault = decode(&FULL, ID, &facts(), &named).unwrap_err();
    assert_eq!(fault.to_string(), "`full`: is unlucky (value: text of class personal, hidden)");
}

#[test]
fn of_a_type_that_knows_no_classes() {
    let message = |place: &'static str| {
        let fault = Fault::new("is unlucky").at(place).value(&Value::Integer(13));
        classed(&FULL, fault).to_string()
    };
    assert_eq!(message("count"), "`count`: is unlucky (value: 13)");
    assert_eq!(message("full"), "`full`: is unlucky (value: integer of class personal, hidden)");
    assert_eq!(message("token"), "`token`: is unlucky (value: integer of class secret, hidden)");
    assert_eq!(
        message("note"),
        "`note`: is unlucky (value: integer of class personal, hidden)",
        "its class is not stated"
    );
    assert_eq!(message("elsewhere"), "`elsewhere`: is unlucky (value: integer of class personal, hidden)");
}

#[test]
fn of_what_cdms_follows() {
    let mut columns = FULL.columns.to_vec();
    columns.iter_mut().filter(|column| column.field == "modified_by").for_each(|column| column.nullable = false);
    let strict = ModelDescriptor { columns: columns.leak(), ..FULL };
    assert!(decode(&strict, ID, &facts(), &full()).is_ok());
    let no_user = Facts { modified_by: None, ..facts() };
    assert!(decode(&FULL, ID, &no_user, &full()).is_ok());
    let fault = decode(&strict, ID, &no_user, &full()).unwrap_err();
    assert_eq!(fault.to_string(), "`modified_by`: is null in CDMS, but the field cannot be null; make it an `Option`");
}

#[test]
fn of_a_write() {
    not_sent(&FULL, "name", &Value::Null, "`Name`: is required by the contract and cannot be cleared");
    let too_long = "`Name`: has 7 characters, 2 more than the 5 that CDMS accepts; shorten it";
    // CDMS counts UTF-16 units: a clef is two.
    not_sent(&FULL, "name", &Value::text("Acmes𝄞"), too_long);
    assert!(encode(&FULL, column(&FULL, "name"), &Value::text("Acm𝄞"), &full()).is_ok());
    for number in [f64::NAN, f64::INFINITY] {
        let words = format!("`Ratio`: must be a finite number (value: {number})");
        not_sent(&FULL, "ratio", &Value::Double(number), &words);
    }
    not_sent(
        &FULL,
        "state",
        &Value::Choice(2),
        "`State`: unknown option; expected one of open = 0, closed = 1 (value: 2)",
    );
    let any = stating(Attribute::new("State", Kind::State));
    assert!(encode(&any, column(&any, "state"), &Value::Choice(2), &full()).is_ok());
    let contact = Value::Lookup(Reference { logical_name: "contact".into(), id: ID });
    not_sent(&FULL, "owner", &contact, "`Owner`: expected a reference to account or team, found contact");
    not_sent(&FULL, "count", &Value::Boolean(true), "`Count`: expected integer, found boolean (value: true)");
    not_sent(
        &FULL,
        "budget",
        &Value::Decimal("0.123".parse().unwrap()),
        "`Budget`: has more than 2 decimal places; round it, or raise `scale` in the contract if CDMS \
         keeps more (value: 0.123)",
    );
    let seven = stating(Attribute::new("Budget", Kind::Decimal));
    assert!(encode(&seven, column(&seven, "budget"), &Value::Decimal("0.1234567".parse().unwrap()), &full()).is_ok());
    assert!(encode(&seven, column(&seven, "budget"), &Value::Decimal("0.12345678".parse().unwrap()), &full()).is_err());
    not_sent(&FULL, "full", &Value::text("Ola"), "`full`: needs a blank (value: text of class personal, hidden)");
    not_sent(
        &FULL,
        "full",
        &Value::text("other x"),
        "`full`: its `with` module set `Count`, which is not one of its attributes",
    );
    let mars = stating(Attribute::new("Born", Kind::Date).zone("Mars/Olympus"));
    let day = Value::Date("2016-06-15".parse().unwrap());
    not_sent(&mars, "born", &day, "`Born`: unknown time zone \"Mars/Olympus\"");
}

/// Constants are checked with the actor's name filled in.
#[test]
fn of_a_constant() {
    let short = stating(Attribute::new("Editor", Kind::String).max_length(9));
    check_constants(&short, "kari").unwrap();
    let fault = check_constants(&short, "karin").unwrap_err();
    assert_eq!(fault.to_string(), "`Editor`: has 10 characters, 1 more than the 9 that CDMS accepts; shorten it");
    check_constants(&FULL, &"kari".repeat(1000)).unwrap();
    let twice = ModelDescriptor { constants: &[("Editor", Constant::Text("{actor}{actor}"))], ..short };
    check_constants(&twice, "kari").unwrap();
    let fault = check_constants(&twice, "karin").unwrap_err();
    assert!(fault.to_string().contains("has 10 characters"), "{fault}");
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
    // Required, but neither a field nor a constant sets it.
    let unfilled = ModelDescriptor { constants: &FULL.constants[1..], ..FULL };
    assert_eq!(
        encode_new(&unfilled, &row()).unwrap_err().to_string(),
        "`Channel`: is required by the contract, but the new record has no value for it"
    );
    let secret = stating(Attribute::new("Name", Kind::String).class(Class::Secret).max_length(1));
    let fault = encode_new(&secret, &row()).unwrap_err();
    assert_eq!(fault.to_string(), "`Name`: has 4 characters, 3 more than the 1 that CDMS accepts; shorten it");
}

/// Values that CDMS cannot hold are rejected in both directions: before they are sent, and when they come from CDMS.
#[test]
fn of_what_cdms_cannot_hold() {
    let number = |text: &str| text.parse::<rust_decimal::Decimal>().unwrap();
    let date = |text: &str| Value::Date(text.parse().unwrap());
    let at = |text: &str| Value::Instant(text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().into());
    let early = "is before 1753-01-01, the first day that CDMS supports";
    let late = "is after 9999-12-31, the last day that CDMS supports";
    let no_xml = "which XML and CDMS do not allow; remove it";
    for (field, value, reason) in [
        ("born", date("1752-12-31"), early.to_owned()),
        ("born", date("0001-01-01"), early.to_owned()),
        // Its midnight in Oslo is an hour before CDMS's range.
        ("born", date("1753-01-01"), early.to_owned()),
        ("born", date("+10000-01-01"), late.to_owned()),
        ("opened", at("1752-12-31T23:59:59Z"), early.to_owned()),
        ("opened", at("+10000-01-01T00:00:00Z"), late.to_owned()),
        ("number", Value::text("a\u{B}b"), format!("contains the character U+000B at position 2, {no_xml}")),
        ("number", Value::text("\0"), format!("contains the character U+0000 at position 1, {no_xml}")),
        ("number", Value::text("ä\u{FFFE}"), format!("contains the character U+FFFE at position 2, {no_xml}")),
        ("number", Value::text("\u{FFFF}"), format!("contains the character U+FFFF at position 1, {no_xml}")),
        ("budget", Value::Decimal(number("100000000000.01")), too_large("decimal", 100_000_000_000)),
        ("budget", Value::Decimal(number("-100000000001")), too_large("decimal", 100_000_000_000)),
        ("ratio", Value::Double(100_000_000_001.0), too_large("double", 100_000_000_000)),
        ("ratio", Value::Double(-1e12), too_large("double", 100_000_000_000)),
        ("amount", Value::Money(number("922337203685477.0001")), too_large("amount of money", 922_337_203_685_477)),
        ("amount", Value::Money(number("-922337203685478")), too_large("amount of money", 922_337_203_685_477)),
    ] {
        let column = column(&FULL, field);
        let fault = encode(&FULL, column, &value, &full()).unwrap_err();
        assert_eq!(fault.reason(), reason, "{field}: {value} is not sent");
        if field == "born" && value == date("1753-01-01") {
            continue;
        }
        let mut record = full();
        record.insert(column.attributes()[0], value.clone());
        let fault = decode(&FULL, ID, &facts(), &record).unwrap_err();
        assert_eq!(fault.reason(), reason, "{field}: {value} is not read");
    }
    for (field, value) in [
        ("born", date("1753-01-02")),
        ("born", date("9999-12-31")),
        ("opened", at("1753-01-01T00:00:00Z")),
        ("opened", at("9999-12-31T23:59:59Z")),
        ("number", Value::text("\t\r\n \u{7F}\u{85}\u{D7FF}\u{E000}\u{FFFD}𝄞")),
        ("budget", Value::Decimal(number("-100000000000.00"))),
        ("ratio", Value::Double(100_000_000_000.0)),
        ("amount", Value::Money(number("-922337203685477"))),
        ("views", Value::BigInt(i64::MIN)),
        ("count", Value::Integer(i32::MIN)),
    ] {
        let column = column(&FULL, field);
        let sent = encode(&FULL, column, &value, &full()).unwrap_or_else(|fault| panic!("{field} {value}: {fault}"));
        let mut record = full();
        record.merge(&sent);
        decode(&FULL, ID, &facts(), &record).unwrap_or_else(|fault| panic!("{field} {value}: {fault}"));
    }
}

fn too_large(kind: &str, max: i64) -> String {
    format!("is beyond ±{max}, the largest {kind} that CDMS supports")
}

/// CDMS would silently round the value. The advice can always be followed.
#[test]
fn of_digits_that_cdms_would_round() {
    let money = |scale| stating(Attribute { scale, ..Attribute::new("Amount", Kind::Money) });
    let double = |scale| stating(Attribute { scale, ..Attribute::new("Ratio", Kind::Double) });
    let amount = |text: &str| Value::Money(text.parse().unwrap());
    let raise = "round it, or raise `scale` in the contract if CDMS keeps more";
    for (model, field, value, expected) in [
        (money(Some(2)), "amount", amount("10.0051"), Some((2, raise))),
        (money(Some(2)), "amount", amount("10.0100"), None),
        (money(Some(4)), "amount", amount("10.00511"), Some((4, "round it"))),
        (money(None), "amount", amount("10.0051"), None),
        (money(None), "amount", amount("10.00511"), Some((4, "round it"))),
        (double(Some(2)), "ratio", Value::Double(0.125), Some((2, raise))),
        (double(Some(2)), "ratio", Value::Double(-1234.5), None),
        (double(Some(5)), "ratio", Value::Double(0.1 + 0.2), Some((5, "round it"))),
        (double(Some(0)), "ratio", Value::Double(1e11), None),
        (double(None), "ratio", Value::Double(0.1 + 0.2), None),
    ] {
        let sent = encode(&model, column(&model, field), &value, &full());
        let expected = expected.map(|(scale, cure)| format!("has more than {scale} decimal places; {cure}"));
        assert_eq!(sent.err().map(|fault| fault.reason().to_owned()), expected, "{value}");
        // CDMS's value is read unchanged if a row can hold it.
        let mut record = full();
        record.insert(column(&model, field).attributes()[0], value.clone());
        let has_room = value != amount("10.00511");
        assert_eq!(decode(&model, ID, &facts(), &record).is_ok(), has_room, "{value}");
    }
}
