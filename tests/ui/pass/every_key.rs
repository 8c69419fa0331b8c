//! Every key of models, fields, groups and choices, on every kind.

use chrono::{DateTime, NaiveDate, Utc};
use datahub_runtime::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::minimal_country::Country;

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "organisations", mode = "sync")]
#[cdms(only = "StateCode/Value eq 0 and not (Alias eq null)")]
pub(crate) struct Organisation {
    #[cdms(key, column = "organisation_id")]
    pub(crate) id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms(attribute = "Alias", default = "none", column = "short_name")]
    alias: String,
    #[cdms("Token", create_only)]
    token: Option<Uuid>,
    #[cdms("Employees", default)]
    employees: i32,
    #[cdms("Views")]
    views: Option<i64>,
    #[cdms("Score")]
    score: Option<Decimal>,
    #[cdms("Area", default = 0.5)]
    area: f64,
    #[cdms("CreditLimit", default = Decimal::ONE_HUNDRED)]
    credit_limit: Decimal,
    #[cdms("Verified", default = false)]
    verified: bool,
    #[cdms("LastCall")]
    last_call: Option<DateTime<Utc>>,
    #[cdms("Founded")]
    founded: std::option::Option<NaiveDate>,
    #[cdms("IndustryCode")]
    industry: Option<Industry>,
    #[cdms("StateCode", read_only)]
    state: State,
    #[cdms("StatusCode")]
    reason: Option<i32>,
    #[cdms("Country")]
    country: Option<Id<Country>>,
    #[cdms("Owner")]
    owner: Option<Id<Organisation>>,
    #[cdms("Rating", read_only)]
    rating: Option<i32>,
    #[cdms(attributes("AreaCode", "PhoneNumber"), with = "phone", sql_type = "string")]
    phone: Option<String>,
    #[cdms(flatten = "address")]
    home: Address,
    #[cdms(flatten = "billing", prefix = "bill_")]
    billing: Address,
    #[cdms("Name", with = "self::length", sql_type = "integer", read_only)]
    length: i32,
    #[cdms(modified)]
    modified: DateTime<Utc>,
    #[cdms(created)]
    created: Option<DateTime<Utc>>,
    #[cdms(modified_by)]
    modified_by: Option<Uuid>,
    #[cdms(local, sql_type = "string")]
    r#mut_note: String,
    #[cdms(local, sql_type = "date", column = "reviewed_on")]
    reviewed: Option<NaiveDate>,
}

#[derive(Clone, Debug, Default, PartialEq, CdmsFields)]
#[cdms(crate = ::datahub_runtime)]
pub(crate) struct Address {
    pub(crate) street: Option<String>,
    #[cdms("town", default = "nowhere")]
    pub(crate) city: String,
}

#[derive(Clone, Copy, Debug, PartialEq, CdmsChoice)]
#[cdms(mapping = "every.toml", attribute = "IndustryCode", crate = ::datahub_runtime)]
pub(crate) enum Industry {
    FineArts,
    #[cdms("accounting")]
    Bookkeeping,
    #[cdms(other)]
    Other(i32),
}

#[derive(Clone, Copy, Debug, PartialEq, CdmsChoice)]
#[cdms(mapping = "every.toml", attribute = "StateCode")]
pub(crate) enum State {
    Active,
    Inactive,
}

mod phone {
    use datahub_runtime::{Attributes, Fault, Value};

    pub(super) fn decode(attributes: &Attributes) -> Result<Option<String>, Fault> {
        match attributes.get("PhoneNumber") {
            Some(Value::Text(number)) => Ok(Some(number.clone())),
            _ => Ok(None),
        }
    }

    pub(super) fn encode(phone: &Option<String>, _: &Attributes) -> Result<Attributes, Fault> {
        Ok(Attributes::from([("PhoneNumber", Value::text(phone.as_deref().unwrap_or_default()))]))
    }
}

mod length {
    use datahub_runtime::{Attributes, Fault, Value};

    pub(super) fn decode(attributes: &Attributes) -> Result<i32, Fault> {
        match attributes.get("Name") {
            Some(Value::Text(name)) => Ok(i32::try_from(name.len()).unwrap_or(i32::MAX)),
            _ => Ok(0),
        }
    }

    pub(super) fn encode(_: &i32, _: &Attributes) -> Result<Attributes, Fault> {
        Ok(Attributes::new())
    }
}

#[test]
fn every_column_looks_for_its_attribute_where_it_is() {
    let descriptor = Organisation::DESCRIPTOR;
    let mut places = Vec::new();
    for column in descriptor.columns {
        if let datahub_runtime::__v1::Source::Attribute { attribute, near, .. } = column.source {
            assert_eq!(descriptor.attributes[near].name, attribute, "{}", column.field);
            places.push(near);
        }
    }
    assert!(!places.is_sorted(), "the fields are in another order than the names of their attributes");
}

#[test]
fn columns_follow_the_annotations() {
    let columns: Vec<_> = Organisation::DESCRIPTOR.columns.iter().map(|column| column.name).collect();
    assert_eq!(
        columns,
        [
            "organisation_id",
            "name",
            "short_name",
            "token",
            "employees",
            "views",
            "score",
            "area",
            "credit_limit",
            "verified",
            "last_call",
            "founded",
            "industry",
            "state",
            "reason",
            "country",
            "owner",
            "rating",
            "phone",
            "home_street",
            "home_town",
            "bill_street",
            "bill_town",
            "length",
            "modified",
            "created",
            "modified_by",
            "mut_note",
            "reviewed_on"
        ]
    );
    assert!(Organisation::DESCRIPTOR.only.is_some());
    assert_eq!(Organisation::DESCRIPTOR.constants.len(), 1);
}

#[test]
fn choices_take_their_options_and_the_rest() {
    use datahub_runtime::{FieldType, Value};
    let read = |number| Industry::from_value(&Value::Choice(number)).unwrap();
    assert_eq!([read(1), read(3), read(7)], [Industry::Bookkeeping, Industry::FineArts, Industry::Other(7)]);
    assert_eq!(Industry::Other(7).to_value(), Value::Choice(7));
    assert_eq!(State::Inactive.to_value(), Value::Choice(1));
    assert!(State::from_value(&Value::Choice(2)).is_err(), "an option that no variant takes is a fault");
}

#[test]
fn models_of_a_program_are_listed_once() {
    assert_eq!(models![Organisation, Country].iter().len(), 2);
}

/// `Street` with its blanks dropped: a newtype that loses something of what CDMS has.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trimmed(String);

impl datahub_runtime::FieldType for Trimmed {
    const KINDS: &'static [datahub_runtime::Kind] = String::KINDS;

    fn from_value(value: &datahub_runtime::Value) -> Result<Self, datahub_runtime::Fault> {
        String::from_value(value).map(|text| Trimmed(text.trim().to_owned()))
    }

    fn to_value(&self) -> datahub_runtime::Value {
        datahub_runtime::Value::text(self.0.as_str())
    }
}

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "lossy")]
pub(crate) struct Lossy {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("BillingStreet", default = Trimmed("here".to_owned()))]
    billing: Trimmed,
    #[cdms(flatten = "flags")]
    flags: Flags,
    #[cdms("StateCode", read_only)]
    state: State,
}

#[derive(Clone, Debug, PartialEq, CdmsFields)]
pub(crate) struct Flags {
    #[cdms(default = true)]
    verified: bool,
    street: Option<Trimmed>,
}

mod declared_loss {
    datahub_runtime::mapping_tests!(super::Organisation, super::Country);
}

/// A loss that no annotation declares is told, and harms nothing else.
#[test]
fn a_loss_that_is_not_declared_is_told() {
    use datahub_runtime::testing;
    testing::written_reads_back::<Lossy>();
    testing::unchanged_makes_no_patch::<Lossy>();
    testing::untouched_is_not_sent::<Lossy>();
    let told = std::panic::catch_unwind(testing::attributes_survive::<Lossy>).unwrap_err();
    let told = told.downcast_ref::<String>().unwrap();
    assert!(told.contains("` returns it as") && told.contains("DATAHUB_SEED="), "{told}");
}

/// What is only read may lose something too.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "seen", mode = "mirror")]
pub(crate) struct Finding {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("BillingStreet")]
    billing: Option<Trimmed>,
}

/// A join that can be read and never written.
pub(crate) mod forgetful {
    use datahub_runtime::{Attributes, Fault};

    pub(crate) fn decode(parts: &Attributes) -> Result<Option<String>, Fault> {
        Ok(parts.get("AreaCode").map(ToString::to_string))
    }

    pub(crate) fn encode(_: &Option<String>, _: &Attributes) -> Result<Attributes, Fault> {
        Err(Fault::new("cannot be taken apart"))
    }
}

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "unwritable")]
pub(crate) struct Unwritable {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("StateCode", read_only)]
    state: State,
    #[cdms(attributes("AreaCode", "PhoneNumber"), with = "forgetful", sql_type = "string")]
    phone: Option<String>,
}

#[test]
fn what_is_only_read_and_what_can_never_be_written_are_told() {
    use datahub_runtime::testing;
    let told = |test: fn()| *std::panic::catch_unwind(test).unwrap_err().downcast::<String>().unwrap();
    let lost = told(testing::attributes_survive::<Finding>);
    assert!(lost.contains("`billing` returns it as"), "{lost}");
    let never = told(testing::written_reads_back::<Unwritable>);
    assert!(never.contains("`phone` cannot be written: all") && never.contains("cannot be taken apart"), "{never}");
}

/// A type that says that it keeps all of a value, and drops its blanks or, where it is personal, refuses most of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Boasting<const REFUSES: bool>(String);

impl<const REFUSES: bool> datahub_runtime::FieldType for Boasting<REFUSES> {
    const KINDS: &'static [datahub_runtime::Kind] = String::KINDS;
    const KEEPS_ALL: bool = true;

    fn from_value(value: &datahub_runtime::Value) -> Result<Self, datahub_runtime::Fault> {
        match String::from_value(value)? {
            text if REFUSES && text.len() > 1 => Err(datahub_runtime::Fault::new("is too long for it").value(value)),
            text => Ok(Boasting(text.trim().to_owned())),
        }
    }

    fn to_value(&self) -> datahub_runtime::Value {
        datahub_runtime::Value::text(self.0.as_str())
    }
}

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "dropping")]
pub(crate) struct Dropping {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("BillingStreet")]
    billing: Option<Boasting<false>>,
}

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "refusing")]
pub(crate) struct Refusing {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("Alias")]
    alias: Option<Boasting<true>>,
}

#[test]
fn a_type_that_does_not_keep_all_as_it_says_is_found_out() {
    use datahub_runtime::testing;
    let told = std::panic::catch_unwind(testing::unchanged_makes_no_patch::<Dropping>).unwrap_err();
    let told = told.downcast_ref::<String>().unwrap();
    assert!(
        told.contains("the type of `billing` declares that it keeps all values (`KEEPS_ALL`), but changes"),
        "{told}"
    );
    let told = std::panic::catch_unwind(testing::unchanged_makes_no_patch::<Refusing>).unwrap_err();
    let told = told.downcast_ref::<String>().unwrap();
    assert!(told.contains("`KEEPS_ALL`") && told.contains("(value: text of class personal, hidden)"), "{told}");
}
