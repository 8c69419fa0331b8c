//! Random conditions over random records: what a condition means on a row, its filter says of the record.

use cdms_odata::{Attributes, Facts, Instant, Kind, Reference, Value};
use chrono::{Datelike, Days, NaiveDate};
use datahub_model::condition::{Condition, RelatedModel, Wanted};
use datahub_model::conversion::{Row, decode, midnight_of, with_calendar_dates};
use datahub_model::filter::{CalendarPart, Matching, ODataV2, Operand};
use datahub_model::{Attribute, Column, Comparison, Filter, Literal, ModelDescriptor};
use fastrand::Rng;
use uuid::Uuid;

use crate::model::{FIRM, SECTOR, decimal};

/// Texts that are read alike, and such that mean something in an address, in SQL or in a filter.
const TEXTS: [&str; 16] = [
    "",
    "Acme",
    "acme  ",
    "ACME Ltd",
    "it's",
    "''",
    "\"x\" y",
    "100% & + _ # ?",
    "a/b(c),d",
    "Ünïcode",
    "日本",
    "  ",
    "none",
    "NONE",
    "null",
    "or 1 eq 1",
];

struct World {
    random: Rng,
}

impl World {
    fn text(&mut self) -> String {
        let text = TEXTS[self.random.usize(..TEXTS.len())];
        let letters: Vec<char> = text.chars().collect();
        match self.random.u8(..4) {
            0 if !letters.is_empty() => letters[self.random.usize(..letters.len())..].iter().collect(),
            _ => text.to_owned(),
        }
    }

    fn date(&mut self) -> NaiveDate {
        let first = NaiveDate::from_ymd_opt(2023, 12, 30).unwrap();
        match self.random.u8(..12) {
            0 => NaiveDate::from_ymd_opt(1753, 1, 1).unwrap(),
            1 => NaiveDate::from_ymd_opt(9999, 12, 31).unwrap(),
            // Days on which clocks change.
            2 => NaiveDate::from_ymd_opt(2024, 3, 31).unwrap(),
            3 => NaiveDate::from_ymd_opt(2024, 11, 3).unwrap(),
            _ => first + Days::new(self.random.u64(..5)),
        }
    }

    fn instant(&mut self) -> Instant {
        let date = self.date().and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp_millis();
        let latest = 253_402_300_799_000;
        Instant((date + i64::from(self.random.i32(0..4)) * 1000).min(latest))
    }

    fn id(&mut self) -> Uuid {
        Uuid::from_u128(self.random.u128(1..4))
    }

    /// A value of an attribute, which may be null if its contract allows it.
    fn raw(&mut self, attribute: &Attribute) -> Value {
        if !attribute.required && self.random.u8(..4) == 0 {
            return Value::Null;
        }
        match attribute.kind {
            Kind::String => match (self.text(), attribute.required) {
                (text, true) if text.is_empty() => Value::text("Acme"),
                (text, _) => Value::text(text),
            },
            Kind::Integer => Value::Integer(self.random.i32(1..5)),
            Kind::BigInt => Value::BigInt(self.random.i64(1..5)),
            Kind::Decimal => Value::Decimal(decimal(["1", "1.5", "-2"][self.random.usize(..3)])),
            Kind::Money => Value::Money(decimal(["1", "1.50", "-2"][self.random.usize(..3)])),
            Kind::Double => Value::Double([1.0, 1.5, -2e30][self.random.usize(..2)]),
            Kind::Boolean => Value::Boolean(self.random.bool()),
            Kind::DateTime => Value::Instant(self.instant()),
            // As CDMS has it: an instant that is not exactly a midnight.
            Kind::Date => {
                // The first and the last day are not wholly within CDMS's times.
                let date = self.date();
                let date = if date.year() == 1753 { date + Days::new(2) } else { date };
                let date = if date.year() == 9999 { date - Days::new(2) } else { date };
                let midnight = midnight_of(attribute, date).unwrap();
                Value::Instant(midnight.plus_ms(i64::from(self.random.i32(-11..11)) * 3_600_000))
            }
            Kind::Guid => Value::Guid(self.id()),
            Kind::Choice => Value::Choice([1, 3][self.random.usize(..2)]),
            Kind::State | Kind::Status => Value::Choice(self.random.i32(0..2)),
            Kind::Lookup => {
                let logical_name = attribute.targets[self.random.usize(..attribute.targets.len())].into();
                Value::Lookup(Reference { logical_name, id: self.id() })
            }
        }
    }

    /// The condition of a model of sectors, of any form that can be written.
    fn only(&mut self, depth: u8) -> Filter {
        let operators = [
            Comparison::Equal,
            Comparison::NotEqual,
            Comparison::Less,
            Comparison::LessOrEqual,
            Comparison::Greater,
            Comparison::GreaterOrEqual,
        ];
        let operator = operators[self.random.usize(..operators.len())];
        let equality = operators[self.random.usize(..2)];
        let text = || ["Acme", "ltd", "it's", ""].map(|text| Literal::Text(text.into()));
        if depth > 0 && self.random.u8(..3) > 0 {
            let parts: Vec<_> = (0..self.random.usize(1..4)).map(|_| self.only(depth - 1)).collect();
            return match self.random.u8(..3) {
                0 => Filter::All(parts.into()),
                1 => Filter::Any(parts.into()),
                _ => Filter::Not(self.only(depth - 1).into()),
            };
        }
        match self.random.u8(..7) {
            0 => Filter::compare("Code", operator, Literal::Integer(self.random.i32(1..5))),
            1 => Filter::compare("Region", equality, text()[self.random.usize(..4)].clone()),
            2 => Filter::compare("Title", equality, text()[self.random.usize(..4)].clone()),
            3 => Filter::compare(["Code", "Region", "Opened"][self.random.usize(..3)], equality, Literal::Null),
            4 => Filter::compare("Opened", operator, Literal::Date(self.date().num_days_from_ce())),
            5 => Filter::compare("SectorId", equality, Literal::Guid(self.id().as_u128())),
            _ => {
                let matching = [Matching::Contains, Matching::StartsWith, Matching::EndsWith][self.random.usize(..3)];
                let text = ["acme", "LTD", "%", ""][self.random.usize(..4)];
                Filter::Text { attribute: "Region".into(), matching, text: text.into() }
            }
        }
    }

    /// A record as CDMS has it, with its key and the engine's attributes.
    fn record(&mut self, model: &ModelDescriptor) -> Attributes {
        let mut record: Attributes = model.attributes.iter().map(|known| (known.name, self.raw(known))).collect();
        record.insert(model.entity.key, Value::Guid(self.id()));
        record.insert("ModifiedOn", Value::Instant(self.instant()));
        let created = if self.random.bool() { Value::Instant(self.instant()) } else { Value::Null };
        record.insert("CreatedOn", created);
        let user = Reference { logical_name: "systemuser".into(), id: self.id() };
        record.insert("ModifiedBy", if self.random.bool() { Value::Lookup(user) } else { Value::Null });
        record
    }

    fn operator(&mut self, has_order: bool) -> Comparison {
        Comparison::ALL[self.random.usize(..if has_order { 6 } else { 2 })]
    }

    /// A condition of some depth.
    fn condition(&mut self, model: &'static ModelDescriptor, depth: u8) -> Condition {
        match self.random.u8(..if depth == 0 { 6 } else { 10 }) {
            6 => Condition::Not(Box::new(self.condition(model, depth - 1))),
            sort @ 7.. => {
                let parts = (0..self.random.usize(2..4)).map(|_| self.condition(model, depth - 1)).collect();
                if sort == 7 { Condition::Any(parts) } else { Condition::All(parts) }
            }
            _ => self.comparison(model),
        }
    }

    fn comparison(&mut self, model: &'static ModelDescriptor) -> Condition {
        let columns: Vec<&Column> =
            model.columns.iter().filter(|known| !["note", "phone"].contains(&known.name)).collect();
        let column = columns[self.random.usize(..columns.len())];
        let field = column.field;
        let part = CalendarPart::ALL[self.random.usize(..5)];
        match column.kind {
            Kind::String if field != "boss" && self.random.bool() => {
                let matching = Matching::ALL[self.random.usize(..3)];
                return Condition::Text { field: field.into(), matching, text: self.text() };
            }
            Kind::DateTime | Kind::Date
                if self.random.bool() && (column.kind == Kind::DateTime || part.is_of_dates()) =>
            {
                let values = [2023, 2024, 1753, 9999, 0, 1, 12, 31, 20_000];
                let (operator, value) = (self.operator(true), values[self.random.usize(..values.len())]);
                return Condition::Part { field: field.into(), part, operator, value };
            }
            _ => {}
        }
        let has_order = field != "boss"
            && !matches!(column.kind, Kind::Boolean | Kind::Guid | Kind::Lookup | Kind::State | Kind::Choice);
        let operator = self.operator(has_order);
        let attribute = Attribute { kind: column.kind, targets: &["systemuser"], ..Attribute::new("", column.kind) };
        // CDMS cannot be asked whether a reference that reads as null is one.
        let can_be_null = !has_order && column.nullable && field != "owner" || column.kind == Kind::String;
        let value = match (column.kind, self.raw(&attribute)) {
            (_, Value::Null) if !can_be_null => Value::Null,
            (Kind::Date, _) => Value::Date(self.date()),
            (Kind::DateTime, Value::Instant(instant)) => {
                Value::Instant(instant.plus_ms([0, 0, 500, -1][self.random.usize(..4)]))
            }
            (Kind::String, _) if field == "boss" => {
                let logical_name = ["contact", "systemuser"][self.random.usize(..2)].into();
                Value::text(Reference { logical_name, id: self.id() }.to_string())
            }
            (Kind::Lookup, _) if field != "owner" => {
                Value::Lookup(Reference { logical_name: "sector".into(), id: self.id() })
            }
            (_, value) => value,
        };
        let value = match value {
            Value::Null if field == "owner" => {
                Value::Lookup(Reference { logical_name: "systemuser".into(), id: self.id() })
            }
            // Outside the range is refused, which other tests show.
            Value::Instant(instant) if value.check_domain().is_err() => Value::Instant(instant.plus_ms(1000)),
            value => value,
        };
        Condition::compare(field, operator, value)
    }
}

/// The row of a record.
fn row(model: &ModelDescriptor, record: &Attributes) -> Row {
    let Some(Value::Guid(id)) = record.get(model.entity.key) else { panic!("a record has a key") };
    let Some(Value::Instant(modified)) = record.get("ModifiedOn") else { panic!("a record has a time") };
    let created = match record.get("CreatedOn") {
        Some(Value::Instant(created)) => Some(*created),
        _ => None,
    };
    let modified_by = match record.get("ModifiedBy") {
        Some(Value::Lookup(user)) => Some(user.id),
        _ => None,
    };
    let mut attributes: Attributes =
        model.attributes.iter().map(|known| (known.name, record.get(known.name).unwrap().clone())).collect();
    with_calendar_dates(model, &mut attributes);
    decode(model, *id, &Facts { modified: *modified, created, modified_by }, &attributes).unwrap()
}

/// The record with calendar dates, as the hub keeps it, and what is known of its sector.
fn kept(record: &Attributes, sector: Option<&Attributes>) -> Attributes {
    let mut kept = record.clone();
    with_calendar_dates(&FIRM, &mut kept);
    for (name, value) in sector.into_iter().flat_map(Attributes::iter) {
        let mut one = Attributes::from([("Opened", value.clone())]);
        if name == "Opened" {
            with_calendar_dates(&SECTOR, &mut one);
        }
        let value = one.get("Opened").unwrap().clone();
        kept.insert(format!("sector_account/{name}"), value);
    }
    kept
}

/// What SQL says of a filter, where a comparison with null is neither true nor false.
fn in_sql(filter: &Filter, record: &Attributes, within: &str) -> Option<bool> {
    let value = |attribute: &str| record.get(&format!("{within}{attribute}")).cloned().unwrap_or_default();
    let known = |attribute: &str, alone: Filter| {
        let value = value(attribute);
        (!value.is_null()).then(|| alone.holds(&[(attribute.to_owned(), value)].into_iter().collect()))
    };
    match filter {
        Filter::Compare { attribute, operator, value: Literal::Null } => match operator {
            Comparison::Equal => Some(value(attribute).is_null()),
            Comparison::NotEqual => Some(!value(attribute).is_null()),
            _ => panic!("null has no order: {filter}"),
        },
        Filter::Compare { attribute, .. } | Filter::Text { attribute, .. } | Filter::Part { attribute, .. } => {
            known(attribute, filter.clone())
        }
        Filter::Not(part) => in_sql(part, record, within).map(|holds| !holds),
        Filter::All(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| in_sql(part, record, within)).collect();
            if parts.contains(&Some(false)) {
                Some(false)
            } else if parts.contains(&None) {
                None
            } else {
                Some(true)
            }
        }
        Filter::Any(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| in_sql(part, record, within)).collect();
            if parts.contains(&Some(true)) {
                Some(true)
            } else if parts.contains(&None) {
                None
            } else {
                Some(false)
            }
        }
        // Without a record, all of its attributes are null.
        Filter::Related { navigation, filter, .. } => in_sql(filter, record, &format!("{}/", &**navigation)),
    }
}

/// What CRM 2011's language says of an attribute; a date is an instant there.
fn on_the_wire(name: &str) -> Option<Operand<'static>> {
    let target = |target| Operand::of(Kind::Lookup).pointing_to(Some(target));
    match name {
        "AccountId" => Some(Operand::of(Kind::Guid)),
        "ModifiedOn" | "CreatedOn" => Some(Operand::of(Kind::DateTime)),
        "ModifiedBy" | "Owner" => Some(target("systemuser")),
        "Boss" => None,
        name => FIRM.attribute(name).map(|known| match known.kind {
            Kind::Date => Operand::of(Kind::DateTime),
            _ => Operand::from(known),
        }),
    }
}

/// What CRM 2011's language says of a sector's attribute.
fn on_the_wire_of_sectors(name: &str) -> Option<Operand<'static>> {
    match name {
        "SectorId" => Some(Operand::of(Kind::Guid)),
        "Opened" => Some(Operand::of(Kind::DateTime)),
        name => SECTOR.attribute(name).map(Operand::from),
    }
}

/// Random conditions and records from a seed, which is printed if they disagree.
fn with_a_seed(mut run: impl FnMut(&mut World)) {
    let seed = std::env::var("DATAHUB_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    let mut world = World { random: Rng::with_seed(seed) };
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (0..1000).for_each(|_| run(&mut world))));
    outcome.unwrap_or_else(|_| panic!("replay with DATAHUB_SEED={seed}"));
}

#[test]
fn a_condition_is_read_as_it_is_printed() {
    with_a_seed(|world| {
        let mut condition = world.condition(&FIRM, 4);
        if world.random.bool() {
            let related = Box::new(world.condition(&SECTOR, 2));
            condition = condition.and(Condition::Related {
                field: "sector".into(),
                model: RelatedModel(&SECTOR),
                condition: related,
            });
        }
        let text = condition.to_string();
        assert_eq!(Condition::parse(&text, &FIRM, &[&FIRM, &SECTOR]), Ok(condition), "{text}");
    });
}

#[test]
fn a_filter_holds_for_the_records_whose_rows_satisfy_the_condition() {
    let (mut holding, mut printed) = (0, 0);
    with_a_seed(|world| {
        let condition = world.condition(&FIRM, 3);
        let filter = condition.lower(&FIRM).unwrap();
        // Where the language has no literal of a kind, or no function for a part.
        let wanted = condition.wanted(&FIRM, &ODataV2).ok();
        let asked = match &wanted {
            Some(Wanted::Where(wanted)) => Filter::parse(&wanted.filter, on_the_wire).ok(),
            _ => None,
        };
        for _ in 0..20 {
            let record = world.record(&FIRM);
            let holds = condition.holds(&FIRM, &row(&FIRM, &record), &|_, _| None).unwrap();
            let kept = kept(&record, None);
            assert_eq!(filter.holds(&kept), holds, "{condition}\n{filter}\n{record:?}");
            assert_eq!(in_sql(&filter, &kept, "") == Some(true), holds, "in SQL: {condition}\n{filter}\n{record:?}");
            match &wanted {
                Some(Wanted::Everything) => assert!(holds, "{condition}"),
                Some(Wanted::Nothing) => assert!(!holds, "{condition}"),
                _ => {}
            }
            if let Some(asked) = &asked {
                assert_eq!(asked.holds(&record), holds, "as printed: {condition}\n{asked}\n{record:?}");
                assert_eq!(in_sql(asked, &record, "") == Some(true), holds, "as printed, in SQL: {condition}\n{asked}");
            }
            holding += usize::from(holds);
            printed += usize::from(asked.is_some());
        }
    });
    assert!((4_000..16_000).contains(&holding), "{holding} of 20,000 held");
    assert!(printed > 5_000, "{printed} of 20,000 were asked");
}

#[test]
fn a_condition_on_a_related_record_holds_for_those_that_have_one() {
    with_a_seed(|world| {
        let related = world.condition(&SECTOR, 2);
        // A further record, through the sector's group, is compared by its id alone.
        let condition =
            Condition::Related { field: "sector".into(), model: RelatedModel(&SECTOR), condition: Box::new(related) };
        let filter = condition.lower(&FIRM).unwrap();
        for _ in 0..10 {
            let record = world.record(&FIRM);
            let sector = world.record(&SECTOR);
            let has_sector = !record.get("Sector").unwrap().is_null();
            let of_sector = row(&SECTOR, &sector);
            let holds = condition.holds(&FIRM, &row(&FIRM, &record), &|_, _| Some(of_sector.clone())).unwrap();
            let kept = kept(&record, has_sector.then_some(&sector));
            assert_eq!(filter.holds(&kept), holds, "{condition}\n{filter}\n{record:?}\n{sector:?}");
            assert_eq!(in_sql(&filter, &kept, "") == Some(true), holds, "in SQL: {condition}\n{filter}\n{sector:?}");
        }
    });
}

#[test]
fn a_condition_on_a_related_record_holds_for_one_of_its_model() {
    let (mut holding, mut outside, mut printed) = (0, 0, 0);
    with_a_seed(|world| {
        let only: &'static Filter = Box::leak(Box::new(world.only(2)));
        let sectors: &'static ModelDescriptor = Box::leak(Box::new(ModelDescriptor { only: Some(only), ..SECTOR }));
        let related = Box::new(world.condition(&SECTOR, 1));
        let condition = Condition::Related { field: "sector".into(), model: RelatedModel(sectors), condition: related };
        let filter = condition.lower(&FIRM).unwrap();
        // The records of the model itself, as a list asks for them.
        let of_model = match Condition::All(vec![]).wanted(sectors, &ODataV2) {
            Ok(Wanted::Where(wanted)) => Filter::parse(&wanted.filter, on_the_wire_of_sectors).ok(),
            _ => None,
        };
        for _ in 0..10 {
            let (record, sector) = (world.record(&FIRM), world.record(&SECTOR));
            let has_sector = !record.get("Sector").unwrap().is_null();
            let mut in_hub = sector.clone();
            with_calendar_dates(&SECTOR, &mut in_hub);
            let is_of_model = sectors.includes(&in_hub);
            let of_sector = row(&SECTOR, &sector);
            let in_rows = |_: &'static ModelDescriptor, _: &Reference| is_of_model.then(|| of_sector.clone());
            let holds = condition.holds(&FIRM, &row(&FIRM, &record), &in_rows).unwrap();
            let kept = kept(&record, has_sector.then_some(&sector));
            assert_eq!(filter.holds(&kept), holds, "{condition} of {only}\n{filter}\n{record:?}\n{sector:?}");
            assert_eq!(in_sql(&filter, &kept, "") == Some(true), holds, "in SQL: {only}\n{filter}\n{sector:?}");
            if let Some(of_model) = &of_model {
                assert_eq!(in_sql(of_model, &sector, "") == Some(true), is_of_model, "{only}\n{of_model}\n{sector:?}");
                printed += 1;
            }
            holding += usize::from(holds);
            outside += usize::from(!is_of_model);
        }
    });
    assert!(holding > 1_000 && outside > 2_000 && printed > 5_000, "{holding}, {outside}, {printed} of 10,000");
}
