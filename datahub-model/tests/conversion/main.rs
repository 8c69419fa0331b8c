//! Conversion from raw attributes to a row and back, form by form, and the message of every rejection.
#![allow(clippy::unwrap_used, reason = "functions next to the tests unwrap values that the tests made")]

mod dates;
mod model;
mod refusals;

use cdms_odata::{Attributes, Facts, Instant, Kind, Reference, Value};
use datahub_model::conversion::{
    DECIMAL_SCALE, decode, encode, encode_new, encode_whole, fit, fit_column, initial, scaled,
};
use datahub_model::{
    Column, Comparison, Constant, EngineAttribute, Fault, Filter, Literal, MaybeStatic, Mode, ModelDescriptor, Source,
    Write,
};
use model::{FULL, column, full, row};
use rust_decimal::Decimal;
use uuid::Uuid;

pub(crate) const ID: Uuid = Uuid::from_u128(7);
pub(crate) const USER: Uuid = Uuid::from_u128(8);

pub(crate) fn facts() -> Facts {
    Facts { modified: Instant(20), created: Some(Instant(10)), modified_by: Some(USER) }
}

#[test]
fn a_record_becomes_a_row_and_goes_back() {
    let decoded = decode(&FULL, ID, &facts(), &full()).unwrap();
    assert_eq!(decoded, row());
    for (position, column) in FULL.columns.iter().enumerate() {
        let sent = encode(&FULL, column, &decoded[position], &full()).unwrap();
        let expected: Attributes =
            column.attributes().iter().map(|name| (*name, full().get(name).unwrap().clone())).collect();
        assert_eq!(sent, expected, "{}", column.field);
    }
}

#[test]
fn what_the_engine_does_not_know_is_null() {
    let nothing = Facts { created: None, modified_by: None, ..facts() };
    let decoded = decode(&FULL, ID, &nothing, &full()).unwrap();
    for name in ["created", "modified_by"] {
        assert_eq!(decoded[FULL.columns.iter().position(|column| column.name == name).unwrap()], Value::Null);
    }
}

#[test]
fn nulls_are_null_or_their_defaults() {
    let mut nulls = full();
    for attribute in FULL.attributes.iter().filter(|attribute| !attribute.required) {
        nulls.insert(attribute.name, Value::Null);
    }
    let decoded = decode(&FULL, ID, &facts(), &nulls).unwrap();
    for (column, value) in FULL.columns.iter().zip(decoded) {
        match column.field {
            "rank" => assert_eq!(value, Value::Integer(3), "the default replaces the null"),
            "amount" => assert_eq!(value, Value::Money(Decimal::ONE), "a default is converted to the form of its kind"),
            "id" | "name" | "number" | "modified" | "created" | "modified_by" | "full" => assert!(!value.is_null()),
            _ => assert_eq!(value, Value::Null, "{}", column.field),
        }
    }
}

#[test]
fn a_row_holds_what_the_model_keeps() {
    let mut parts = full();
    parts.insert("Opened", Value::Instant(Instant(1_999)));
    let at = FULL.columns.iter().position(|column| column.field == "opened").unwrap();
    assert_eq!(
        decode(&FULL, ID, &facts(), &parts).unwrap()[at],
        Value::Instant(Instant(1_000)),
        "CDMS keeps whole seconds"
    );
    let mut record = full();
    record.insert("Count", Value::Integer(16));
    assert_eq!(decode(&FULL, ID, &facts(), &record).unwrap()[5], Value::Integer(17));
}

#[test]
fn a_create_leaves_out_defaults_for_null_in_any_form() {
    let mut one = row();
    one[2] = Value::Money(Decimal::ONE);
    assert!(!encode_new(&FULL, &one).unwrap().contains("Amount"));
}

#[test]
fn a_lookup_to_another_entity_reads_as_null_where_the_field_is_the_id_of_one_model() {
    let mut other = full();
    other.insert("Owner", Value::Lookup(Reference { logical_name: "team".into(), id: ID }));
    let at = FULL.columns.iter().position(|column| column.field == "owner").unwrap();
    assert_eq!(decode(&FULL, ID, &facts(), &other).unwrap()[at], Value::Null);
    assert_eq!(decode(&FULL, ID, &facts(), &full()).unwrap()[at], full().get("Owner").unwrap().clone());
}

#[test]
fn a_create_sends_the_values_that_exist() {
    let body = encode_new(&FULL, &row()).unwrap();
    let names: Vec<_> = body.names().map(AsRef::as_ref).collect();
    // Neither attributes that are never sent, nor the key, nor defaults that replace a null. The required constant
    // comes from elsewhere.
    let expected = [
        "Amount", "Born", "Budget", "Count", "Flag", "Given", "Name", "Opened", "Owner", "Ratio", "State", "Surname",
        "Token", "Views",
    ];
    assert_eq!(names, expected);
    let default_rank: Vec<_> = row()
        .into_iter()
        .zip(FULL.columns)
        .map(|(value, column)| if column.field == "rank" { Value::Integer(4) } else { value })
        .collect();
    assert_eq!(encode_new(&FULL, &default_rank).unwrap().get("Rank"), Some(&Value::Integer(4)));
}

#[test]
fn a_record_that_cdms_never_sees_has_every_attribute() {
    let detached = ModelDescriptor { mode: Mode::Detached, ..FULL };
    let whole = encode_whole(&detached, &row()).unwrap();
    let names = FULL.columns.iter().flat_map(|column| column.attributes());
    let expected =
        names.map(|name| (*name, if *name == "Rank" { Value::Null } else { full().get(name).unwrap().clone() }));
    assert_eq!(
        whole,
        expected.collect(),
        "all except a default that replaces a null, and including those that are never sent"
    );
    assert_eq!(decode(&detached, ID, &facts(), &whole).unwrap(), row());
    let mut unset = row();
    unset[4] = Value::Null;
    let name = FULL.columns[4].attributes()[0];
    assert_eq!(encode_whole(&detached, &unset).unwrap().get(name), Some(&Value::Null));
}

#[test]
fn what_was_mapped_after_the_cut_is_null() {
    let at = FULL.columns.iter().position(|column| column.field == "born").unwrap();
    let mut known = full();
    known.retain(|name, _| name != "Born");
    let detached = ModelDescriptor { mode: Mode::Detached, ..FULL };
    assert_eq!(decode(&detached, ID, &facts(), &known).unwrap()[at], Value::Null);
    let fault = decode(&FULL, ID, &facts(), &known).unwrap_err();
    assert!(fault.to_string().contains("was never read from CDMS"), "{fault}");
}

/// A local column's value comes from the hub and is not passed through its type.
#[test]
fn a_local_column_is_null_or_has_its_default() {
    let local = Column::new("local", Kind::Integer, Source::Local).through(Some(|_| Err(Fault::new("asked"))));
    for (column, expected) in [(local, Value::Null), (local.beginning(|| Value::Integer(2)), Value::Integer(2))] {
        let columns = vec![Column::new("id", Kind::Guid, Source::Key), column].leak();
        let model = ModelDescriptor { columns, constants: &[], only: None, ..FULL };
        assert_eq!(decode(&model, ID, &facts(), &full()).unwrap(), [Value::Guid(ID), expected]);
    }
}

/// CDMS keeps whole seconds (docs/protocol.md, 2.2), so nothing finer is sent or kept in a row. The hub's own times are
/// not truncated.
#[test]
fn times_are_cut_to_seconds_towards_the_past() {
    let opened = column(&FULL, "opened");
    let local = Column { source: Source::Local, ..*opened };
    for (given, kept) in [(1999, 1000), (1000, 1000), (0, 0), (-1, -1000), (-1000, -1000), (-1001, -2000)] {
        let given = Value::Instant(Instant(given));
        let kept = Value::Instant(Instant(kept));
        let sent = encode(&FULL, opened, &given, &Attributes::new()).unwrap();
        assert_eq!(sent.get("Opened"), Some(&kept));
        assert_eq!(fit_column(opened, given.clone()).unwrap(), kept);
        assert_eq!(fit_column(&local, given.clone()).unwrap(), given);
    }
}

#[test]
fn a_value_takes_the_form_of_its_kind() {
    let one = Decimal::ONE;
    for kind in [Kind::Choice, Kind::State, Kind::Status] {
        assert_eq!(fit(kind, Value::Integer(5)).unwrap(), Value::Choice(5));
        assert_eq!(fit(kind, Value::Choice(5)).unwrap(), Value::Choice(5));
    }
    assert_eq!(fit(Kind::Money, Value::Decimal(one)).unwrap(), Value::Money(one));
    assert_eq!(fit(Kind::Decimal, Value::Money(one)).unwrap(), Value::Decimal(one));
    for kind in Kind::ALL {
        assert_eq!(fit(kind, Value::Null).unwrap(), Value::Null);
    }
    let fault = fit(Kind::Integer, Value::text("x")).unwrap_err();
    assert_eq!(fault.to_string(), r#"expected integer, found text (value: "x")"#);
    assert!(fit(Kind::Date, Value::Instant(Instant(1))).is_err());
    assert!(fit(Kind::DateTime, Value::Date("2016-06-15".parse().unwrap())).is_err());
}

#[test]
fn a_local_column_begins_with_its_zero() {
    let zeros = [
        (Kind::Integer, Value::Integer(0)),
        (Kind::BigInt, Value::BigInt(0)),
        (Kind::Decimal, Value::Decimal(Decimal::ZERO)),
        (Kind::Money, Value::Money(Decimal::ZERO)),
        (Kind::Double, Value::Double(0.0)),
        (Kind::Boolean, Value::Boolean(false)),
        (Kind::String, Value::Null),
    ];
    for (kind, zero) in zeros {
        let column = Column::new("x", kind, Source::Local);
        assert_eq!(initial(&column), zero, "{kind}");
        assert_eq!(initial(&column.nullable()), Value::Null, "{kind}");
    }
}

#[test]
fn decimals_scale_exactly_or_not_at_all() {
    let number = |text: &str| text.parse::<Decimal>().unwrap();
    assert_eq!(scaled(number("1.50"), 2), Some(150));
    assert_eq!(scaled(number("-1.5"), 4), Some(-15_000));
    assert_eq!(scaled(number("7"), 0), Some(7));
    assert_eq!(scaled(number("1.5"), 0), None);
    assert_eq!(scaled(number("1.500"), 1), Some(15));
    // CDMS's largest decimals, with the maximum number of decimal places of a column.
    assert_eq!(scaled(number("100000000000.0000000"), DECIMAL_SCALE), Some(1_000_000_000_000_000_000));
    assert_eq!(scaled(number("-99999999999.9999999"), DECIMAL_SCALE), Some(-999_999_999_999_999_999));
    assert_eq!(scaled(number("922337203685477.5807"), 4), Some(i64::MAX));
    assert_eq!(scaled(number("922337203685477.5808"), 4), None);
    assert_eq!(scaled(Decimal::MAX, 28), None);
}

#[test]
fn a_column_knows_when_it_is_sent() {
    let plain = Source::attribute("A");
    let joined = Source::Joined {
        attributes: &["A", "B"],
        decode: |_| Ok(Value::Null),
        encode: |_, _| Ok(Attributes::new()),
        write: Write::Always,
    };
    let sent = |source: Source| Column::new("a", Kind::String, source).write();
    for write in [Write::Always, Write::CreateOnly, Write::Never] {
        assert_eq!(sent(plain.written(write)), write);
        assert_eq!(sent(joined.written(write)), write);
    }
    for source in [Source::Key, Source::Local, Source::Engine(EngineAttribute::Modified)] {
        let source = source.written(Write::Always).or(|| Value::Null).pointing_to(&["account"]);
        let column = Column::new("a", Kind::String, source);
        assert_eq!((column.write(), column.attributes().len()), (Write::Never, 0));
        assert_eq!(column.is_local(), matches!(source, Source::Local));
    }
    assert_eq!(Column::new("a", Kind::String, joined).attributes(), ["A", "B"]);
}

#[test]
fn fields_that_share_an_attribute_are_created_into_each_other() {
    /// Puts a letter at a position in the text.
    fn put(value: &Value, seen: &Attributes, place: usize) -> Result<Attributes, Fault> {
        let Value::Text(letter) = value else { return Ok(Attributes::new()) };
        let mut text = match seen.get("Given") {
            Some(Value::Text(text)) => text.clone(),
            _ => "__".to_owned(),
        };
        text.replace_range(place..=place, letter);
        Ok(Attributes::from([("Given", Value::text(text))]))
    }
    const LETTERS: &[&str] = &["Given"];
    const LETTER: fn(&Attributes) -> Result<Value, Fault> = |_| Ok(Value::Null);
    let letter = |name, encode| {
        let source = Source::Joined { attributes: LETTERS, decode: LETTER, encode, write: Write::Always };
        Column::new(name, Kind::String, source)
    };
    let columns = [
        letter("first", |value, seen| put(value, seen, 0)),
        letter("second", |value, seen| put(value, seen, 1)),
        Column::new("name", Kind::String, Source::attribute("Name")),
    ];
    let model = ModelDescriptor { columns: columns.to_vec().leak(), ..FULL };
    let body = encode_new(&model, &[Value::text("A"), Value::text("B"), Value::text("Acme")]).unwrap();
    assert_eq!(body, Attributes::from([("Given", Value::text("AB")), ("Name", Value::text("Acme"))]));
}

#[test]
fn a_reference_to_one_of_several_is_held_as_text() {
    let holder = Column::new("holder", Kind::String, Source::attribute("Owner")).nullable();
    let model = ModelDescriptor { columns: vec![holder].leak(), ..FULL };
    let id = Uuid::from_u128(7);
    let mut record = full();
    record.insert("Owner", Value::Lookup(Reference { logical_name: "team".into(), id }));
    assert_eq!(decode(&model, ID, &facts(), &record).unwrap(), [Value::text(format!("team {id}"))]);
}

#[test]
fn a_reference_held_as_text_is_sent_as_the_lookup_that_it_says() {
    let column = Column::new("holder", Kind::String, Source::attribute("Owner")).nullable();
    let sent = |text: &str| encode(&FULL, &column, &Value::text(text), &Attributes::new());
    let id = Uuid::from_u128(7);
    let team = Value::Lookup(Reference { logical_name: "team".into(), id });
    assert_eq!(sent(&format!("team {id}")), Ok(Attributes::from([("Owner", team)])));
    assert_eq!(sent(""), Ok(Attributes::from([("Owner", Value::Null)])));
    for (text, reason) in [
        ("team", "must be a logical name and a GUID"),
        ("team 7", "must be a logical name and a GUID"),
        (&*format!(" {id}"), "must be a logical name and a GUID"),
    ] {
        assert!(sent(text).unwrap_err().to_string().contains(reason), "{text:?}");
    }
    assert!(
        sent(&format!("contact {id}"))
            .unwrap_err()
            .to_string()
            .contains("expected a reference to account or team, found contact")
    );
}

#[test]
fn constants_carry_the_actor() {
    let constants = FULL.constant_values("kari");
    let expected = [("Channel", Value::Choice(4)), ("Editor", Value::text("hub: kari"))];
    assert_eq!(constants, Attributes::from(expected));
    let twice = ModelDescriptor { constants: &[("Editor", Constant::Text("{actor}, for {actor}{actor}"))], ..FULL };
    assert_eq!(twice.constant_values("kari"), Attributes::from([("Editor", Value::text("kari, for karikari"))]));
    // The actor's name is not expanded again.
    assert_eq!(twice.constant_values("{actor}").get("Editor"), Some(&Value::text("{actor}, for {actor}{actor}")));
}

#[test]
fn a_descriptor_finds_its_attributes_and_key() {
    assert_eq!(FULL.attribute("Name").map(|attribute| attribute.max_length), Some(Some(5)));
    assert_eq!(FULL.attribute("name"), None);
    assert_eq!(FULL.key_column(), 0);
    let mut columns = FULL.columns.to_vec();
    columns.swap(0, 1);
    assert_eq!(ModelDescriptor { columns: columns.leak(), ..FULL }.key_column(), 1);
    assert_eq!(FULL.mapping_id.to_string(), "00000000000000ff");
    assert_eq!(format!("{:?}", FULL.mapping_id), "MappingId(00000000000000ff)");
    assert!(FULL.includes(&full()));
    assert!(!FULL.includes(&Attributes::from([("Name", Value::text("none"))])));
}

#[test]
fn conditions_compare_within_a_form() {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let holds = |value: &Value, operator, literal: &Literal| {
        let filter = Filter::compare("A", operator, literal.clone());
        filter.holds(&Attributes::from([("A", value.clone())]))
    };
    let forms = [
        (Literal::text("a"), Literal::text("B"), Literal::text("c  ")),
        (Literal::Integer(1), Literal::Integer(2), Literal::Integer(3)),
        (Literal::Choice(1), Literal::Choice(2), Literal::Choice(3)),
        (Literal::BigInt(1), Literal::BigInt(2), Literal::BigInt(3)),
        (Literal::Decimal(15, 1), Literal::Decimal(2, 0), Literal::Decimal(25, 1)),
        (Literal::Money(15, 1), Literal::Money(2, 0), Literal::Money(25, 1)),
        (Literal::Double(0.5), Literal::Double(0.6), Literal::Double(0.7)),
        (Literal::Instant(-1), Literal::Instant(0), Literal::Instant(1)),
        (Literal::Guid(1), Literal::Guid(2), Literal::Guid(3)),
    ];
    for (low, middle, high) in forms {
        let value = middle.value();
        let found = |operator| [&low, &middle, &high].map(|literal| holds(&value, operator, literal));
        assert_eq!(found(Equal), [false, true, false], "{value}");
        assert_eq!(found(NotEqual), [true, false, true], "{value}");
        assert_eq!(found(Greater), [true, false, false], "{value}");
        assert_eq!(found(GreaterOrEqual), [true, true, false], "{value}");
        assert_eq!(found(Less), [false, false, true], "{value}");
        assert_eq!(found(LessOrEqual), [false, true, true], "{value}");
    }
    assert!(holds(&Value::Boolean(true), Greater, &Literal::Boolean(false)));
    // Lookups can only be equal or not equal. Values of different forms never match.
    let lookup = Literal::Lookup("account".into(), 1);
    assert!(holds(&lookup.value(), Equal, &lookup));
    assert!(holds(&lookup.value(), NotEqual, &Literal::Lookup("contact".into(), 1)));
    assert!(!holds(&lookup.value(), LessOrEqual, &Literal::Lookup("account".into(), 2)));
    assert!(holds(&Value::Integer(1), NotEqual, &Literal::Choice(1)));
    assert!(!holds(&Value::Integer(1), GreaterOrEqual, &Literal::Choice(1)));
    assert!(holds(&Value::Null, Equal, &Literal::Null));
}

#[test]
fn conditions_join() {
    use MaybeStatic::Static;
    const ONE: Filter = Filter::compare("A", Comparison::Equal, Literal::Integer(1));
    const TWO: Filter = Filter::compare("B", Comparison::Equal, Literal::Integer(2));
    const BOTH: Filter = Filter::All(Static(&[ONE, TWO]));
    const EITHER: Filter = Filter::Any(Static(&[ONE, TWO]));
    const NOT_BOTH: Filter = Filter::Not(Static(&BOTH));
    for (a, b, both, either) in [(1, 2, true, true), (1, 3, false, true), (0, 2, false, true), (0, 0, false, false)] {
        let values = Attributes::from([("A", Value::Integer(a)), ("B", Value::Integer(b))]);
        let held = [BOTH, EITHER, NOT_BOTH].map(|condition| condition.holds(&values));
        assert_eq!(held, [both, either, !both], "{a} {b}");
    }
}

#[test]
fn attributes_are_found_with_what_is_stated_on_them() {
    let none = ModelDescriptor { attributes: &[], ..FULL };
    let given = Attributes::from(["A", "Amount", "Bx", "Count", "Views", "Zz"].map(|name| (name, Value::Null)));
    let named = |model: &ModelDescriptor| {
        let stated = model.stated(&given).map(|(name, stated, _)| (name.to_owned(), stated.map(|stated| stated.name)));
        stated.filter_map(|(name, stated)| stated.map(|stated| (name, stated))).collect::<Vec<_>>()
    };
    assert_eq!(named(&FULL), ["Amount", "Count", "Views"].map(|name| (name.to_owned(), name)));
    assert_eq!((named(&none), none.stated(&given).count()), (Vec::new(), 6));
}
