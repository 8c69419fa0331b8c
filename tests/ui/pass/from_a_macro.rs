//! Models that a `macro_rules!` makes, whose types and values come in invisible groups.

use datahub_runtime::prelude::*;

macro_rules! reference_data {
    ($name:ident, $mapping:literal, $table:literal, $attribute:literal, $field:ident: $type:ty) => {
        #[derive(Clone, CdmsSynced)]
        #[cdms(mapping = $mapping, table = $table, mode = "mirror")]
        pub(crate) struct $name {
            #[cdms(key)]
            pub(crate) id: Id<$name>,
            #[cdms($attribute)]
            pub(crate) $field: $type,
        }
    };
}

reference_data!(Nation, "country.toml", "nations", "Name", name: String);
reference_data!(Firm, "account.toml", "firms", "Alias", alias: Option<String>);

macro_rules! with_defaults {
    ($model:ident, $group:ident, $table:literal, $diesel:expr, $text:expr, $number:expr) => {
        #[derive(Clone, CdmsSynced)]
        #[cdms(mapping = "account.toml", table = $table, mode = "mirror", diesel(table = $diesel))]
        pub(crate) struct $model {
            #[cdms(key)]
            pub(crate) id: Id<$model>,
            #[cdms("Alias", default = $text)]
            alias: String,
            #[cdms("Employees", default = $number)]
            employees: i32,
            #[cdms(local, sql_type = "string", default = $text)]
            note: String,
            #[cdms(flatten = "address")]
            address: $group,
        }

        #[derive(Clone, CdmsFields)]
        pub(crate) struct $group {
            #[cdms(default = $text)]
            street: String,
            town: Option<String>,
            country: Option<Id<super::minimal_country::Country>>,
        }
    };
}

with_defaults!(Works, WorksAddress, "works", false, "none", 1 + 1);

macro_rules! choice {
    ($name:ident, $mapping:literal, $attribute:expr, $first:ident = $option:literal, $rest:ident($number:ty)) => {
        #[derive(Clone, Copy, CdmsChoice)]
        #[cdms(mapping = $mapping, attribute = $attribute)]
        pub(crate) enum $name {
            #[cdms($option)]
            $first,
            #[cdms(other)]
            $rest($number),
        }
    };
}

choice!(Trade, "account.toml", "IndustryCode", Arts = "fine_arts", Others(i32));

#[test]
fn a_choice_has_the_options_that_were_passed() {
    use datahub_runtime::{FieldType, Value};
    assert_eq!((Trade::Arts.to_value(), Trade::Others(1).to_value()), (Value::Choice(3), Value::Choice(1)));
}

#[test]
fn they_are_models_like_any_other() {
    let nullable = |model: &datahub_runtime::__v1::ModelDescriptor| model.columns[1].nullable;
    assert!(!nullable(Nation::DESCRIPTOR) && nullable(Firm::DESCRIPTOR));
    assert_eq!(models![Nation, Firm].iter().len(), 2);
}

#[test]
fn their_defaults_are_what_was_passed() {
    use super::defaults::default_of;
    use datahub_runtime::Value;
    assert_eq!(default_of(Works::DESCRIPTOR, "alias"), Some(Value::text("none")));
    assert_eq!(default_of(Works::DESCRIPTOR, "employees"), Some(Value::Integer(2)));
    assert_eq!(default_of(Works::DESCRIPTOR, "note"), Some(Value::text("none")));
    assert_eq!(default_of(Works::DESCRIPTOR, "address.street"), Some(Value::text("none")));
}
