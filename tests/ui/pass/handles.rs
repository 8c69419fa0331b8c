//! Handles of fields of every sort: with names that are words of Rust, in groups within groups, of own types, choices,
//! lookups and references to one of several models, and of fields that nothing outside may see.

use chrono::{DateTime, NaiveDate, Utc};
use datahub_runtime::prelude::*;
use datahub_runtime::query::{Condition, Field, Ordered, Textual};
use datahub_runtime::{Fault, FieldType, Kind, Value};
use rust_decimal::Decimal;

/// A text of a type of its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Alias(String);

impl FieldType for Alias {
    const KINDS: &'static [Kind] = String::KINDS;

    fn from_value(value: &Value) -> Result<Self, Fault> {
        String::from_value(value).map(Alias)
    }

    fn to_value(&self) -> Value {
        self.0.to_value()
    }
}

impl Ordered for Alias {}
impl Textual for Alias {}

#[derive(Clone, Copy, Debug, PartialEq, CdmsChoice)]
#[cdms(mapping = "every.toml", attribute = "StateCode")]
pub(crate) enum State {
    Active,
    Inactive,
}

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "handled_countries", mode = "mirror")]
pub(crate) struct Country {
    #[cdms(key)]
    id: Id<Country>,
    #[cdms("Name")]
    name: String,
}

#[derive(Clone, Debug, PartialEq, CdmsFields)]
pub(crate) struct Street {
    #[cdms("street")]
    pub(crate) r#where: Option<String>,
    #[cdms("town")]
    place: Option<String>,
}

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "handled", mode = "mirror")]
pub(crate) struct Handled {
    #[cdms(key)]
    pub(crate) id: Id<Self>,
    #[cdms("Name", column = "kind")]
    pub(crate) r#type: String,
    #[cdms("Alias")]
    alias: Option<Alias>,
    #[cdms("Employees")]
    employees: Option<i32>,
    #[cdms("Views")]
    views: Option<i64>,
    #[cdms("Score")]
    score: Option<Decimal>,
    #[cdms("LastCall")]
    last_call: Option<DateTime<Utc>>,
    #[cdms("Founded")]
    founded: Option<NaiveDate>,
    #[cdms("StateCode")]
    state: State,
    #[cdms("Country")]
    country: Option<Id<Country>>,
    #[cdms("Owner", sql_type = "string")]
    owner: Option<OneOf<(Handled, Adviser)>>,
    #[cdms(flatten = "address", prefix = "home_")]
    home: Street,
    #[cdms(flatten = "billing")]
    billing: Street,
    #[cdms(local, sql_type = "boolean")]
    done: bool,
}

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "user.toml", table = "handled_advisers", mode = "mirror")]
pub(crate) struct Adviser {
    #[cdms(key)]
    id: Id<Adviser>,
}

mod inside {
    use datahub_runtime::prelude::*;

    #[derive(Clone, Debug, PartialEq, CdmsFields)]
    pub(super) struct Area {
        code: Option<String>,
    }

    #[derive(Clone, Debug, PartialEq, CdmsFields)]
    pub(super) struct Phone {
        pub(super) number: Option<String>,
        #[cdms("area", flatten)]
        pub(super) within: Area,
    }

    #[derive(Clone, Debug, PartialEq, CdmsFields)]
    pub(super) struct Place {
        pub(super) town: Option<String>,
    }

    #[derive(Clone, Debug, PartialEq, CdmsFields)]
    pub(super) struct Reach {
        pub(super) street: Option<String>,
        #[cdms(flatten)]
        pub(super) place: Place,
        #[cdms(flatten)]
        pub(super) phone: Phone,
    }

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "nested.toml", table = "handled_sites", mode = "mirror")]
    pub(super) struct Site {
        #[cdms(key)]
        pub(super) id: Id<Site>,
        #[cdms(flatten = "reach")]
        pub(super) reach: Reach,
        #[cdms("LastCall")]
        called: Option<chrono::DateTime<chrono::Utc>>,
    }

    /// What only this module sees has handles here.
    pub(super) fn hidden() -> [String; 2] {
        let f = Site::FIELDS;
        [f.called.is_null().to_string(), f.reach.phone.within.code.eq("020").to_string()]
    }
}

fn text<M>(condition: &Condition<M>) -> String {
    condition.to_string()
}

#[test]
fn a_handle_has_the_name_and_the_type_of_its_field() {
    let f = Handled::FIELDS;
    let id = Id::from(uuid::Uuid::from_u128(7));
    let other = &String::from("b");
    let midnight = DateTime::UNIX_EPOCH;
    let day = NaiveDate::from_ymd_opt(2016, 2, 29).unwrap();
    let conditions = [
        f.id.eq(id),
        f.r#type.contains("it's \"x\""),
        f.r#type.eq(String::from("a")).or(f.r#type.eq(other)),
        f.alias.eq(Alias("z".to_owned())).and(f.alias.starts_with("z")).and(f.alias.ge(Alias("a".to_owned()))),
        f.employees.eq(3).and(f.employees.ne(None)).and(f.employees.is_in([1, 2])),
        f.views.between(1, Some(9)).not(),
        f.score.gt(Decimal::new(15, 1)),
        f.last_call.ge(midnight).and(f.last_call.hour().lt(12)),
        f.founded.eq(day).or(f.founded.year().is_in([2016])).or(f.founded.is_not_null()),
        f.state.eq(State::Inactive),
        f.country.matches(Country::FIELDS.name.eq("Wales")),
        f.owner.eq(OneOf::new(Id::<Adviser>::from(id.guid()))),
        f.home.r#where.eq("a").and(f.billing.place.is_null()),
        f.done.eq(true),
    ];
    let texts: Vec<_> = conditions.iter().map(text).collect();
    assert_eq!(
        texts,
        [
            "id = \"account 00000000-0000-0000-0000-000000000007\"",
            "type contains \"it's \"\"x\"\"\"",
            "type = \"a\" or type = \"b\"",
            "alias = \"z\" and alias starts_with \"z\" and alias >= \"a\"",
            "employees = 3 and employees != null and (employees = 1 or employees = 2)",
            "not (views >= 1 and views <= 9)",
            "score > 1.5",
            "last_call >= 1970-01-01T00:00:00Z and hour(last_call) < 12",
            "founded = 2016-02-29 or (year(founded) = 2016) or founded != null",
            "state = 1",
            "country matches (name = \"Wales\")",
            "owner = \"systemuser 00000000-0000-0000-0000-000000000007\"",
            "home.street = \"a\" and billing.town = null",
            "done = true",
        ]
    );
}

#[test]
fn groups_within_groups_have_handles() {
    let f = inside::Site::FIELDS;
    let paths = [f.reach.street.path(), f.reach.place.town.path(), f.reach.phone.number.path()];
    assert_eq!(paths, ["reach.street", "reach.place.town", "reach.phone.number"]);
    assert_eq!(inside::hidden(), ["called = null", "reach.phone.area.code = \"020\""]);
}

/// A handle is a constant, and no larger than the place of a column.
const ALIAS: Field<Handled, Option<Alias>> = Handled::FIELDS.alias;

#[test]
fn a_handle_costs_nothing() {
    assert_eq!(std::mem::size_of_val(&ALIAS), std::mem::size_of::<usize>());
    assert_eq!(ALIAS.path(), "alias");
}
