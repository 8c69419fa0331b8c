//! Models beside items that are called like Rust's own types, traits, variants and macros.

#![allow(dead_code, non_camel_case_types, reason = "they only stand in the way")]
#![allow(unused_macros, reason = "nothing must use them")]

/// Items that take the names of primitives and of the prelude, all of them for a unit struct or a trait.
macro_rules! taken {
    (types: $($name:ident)*; traits: $($of:ident)*; macros: $($word:ident)*;) => {
        $(struct $name;)*
        $(trait $of {})*
        $(macro_rules! $word { ($d:tt) => { compile_error!("taken") }; })*
    };
}

taken! {
    types: bool char str u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64
        Vec String Box Option Some None Result Ok Err ToString
        Kind Value Fault Field Key Group Column Attribute Source Mode Entity Literal Condition MappingId BindValue StoredValue;
    traits: Clone Copy Send Sync Sized Debug Default From Into TryFrom TryInto Iterator IntoIterator Fn FnOnce FnMut
        Deref AsRef PartialEq Eq CdmsSynced CdmsFields FieldType Model Writable;
    macros: concat env include_bytes option_env unreachable vec panic;
}
mod core {}
mod std {}
mod alloc {}
mod diesel {}
mod datahub_runtime {}
mod __v2 {}

#[derive(::core::clone::Clone, ::datahub_runtime::CdmsSynced)]
#[cdms(mapping = "every.toml", table = "beset", diesel(insertable, changeset), only = "Verified eq true")]
struct Beset {
    #[cdms(key)]
    id: ::datahub_runtime::Id<Beset>,
    #[cdms("Name")]
    name: ::std::string::String,
    #[cdms("Alias", default = "none")]
    alias: ::std::string::String,
    #[cdms("Employees", default)]
    employees: ::core::primitive::i32,
    #[cdms("StateCode", read_only)]
    state: State,
    #[cdms("Owner", sql_type = "string")]
    owner: ::core::option::Option<::datahub_runtime::OneOf<(Beset, Beset)>>,
    #[cdms(flatten = "address")]
    address: Place,
    #[cdms(local, sql_type = "boolean", default)]
    noted: ::core::primitive::bool,
}

#[derive(::core::clone::Clone, ::datahub_runtime::CdmsFields)]
struct Place {
    street: ::core::option::Option<::std::string::String>,
    #[cdms(default)]
    town: ::std::string::String,
}

#[derive(::core::clone::Clone, ::core::marker::Copy, ::datahub_runtime::CdmsChoice)]
#[cdms(mapping = "every.toml", attribute = "StateCode")]
enum State {
    Active,
    Inactive,
}

#[derive(::core::clone::Clone, ::core::marker::Copy, ::datahub_runtime::CdmsChoice)]
#[cdms(mapping = "every.toml", attribute = "IndustryCode")]
enum Industry {
    Accounting,
    #[cdms(other)]
    Rest(::core::primitive::i32),
}

#[test]
fn none_of_them_is_taken() {
    assert_eq!(<Beset as ::datahub_runtime::CdmsSynced>::DESCRIPTOR.columns.len(), 9);
    let value = ::datahub_runtime::FieldType::to_value(&Industry::Rest(7));
    assert!(matches!(value, ::datahub_runtime::Value::Choice(7)));
    assert_eq!(::datahub_runtime::models![Beset, super::minimal_country::Country].iter().len(), 2);
}

#[test]
fn nor_in_a_functions_body() {
    taken! {
        types: bool str u8 i32 Vec String Box Option Some None Result Ok Err;
        traits: Clone Default From Into Iterator;
        macros: concat env include_bytes option_env;
    }

    #[derive(::core::clone::Clone, ::datahub_runtime::CdmsSynced)]
    #[cdms(mapping = "every.toml", table = "inner_beset", mode = "mirror")]
    struct Inner {
        #[cdms(key)]
        id: ::datahub_runtime::Id<Inner>,
        #[cdms("Alias", default = "none", read_only)]
        alias: ::std::string::String,
        #[cdms("Employees")]
        employees: ::core::option::Option<::core::primitive::i32>,
        #[cdms("StateCode")]
        state: State,
        #[cdms(flatten = "address")]
        address: Place,
    }

    #[derive(::core::clone::Clone, ::datahub_runtime::CdmsFields)]
    struct Place {
        #[cdms(default = "none")]
        street: ::std::string::String,
        town: ::core::option::Option<::std::string::String>,
    }

    #[derive(::core::clone::Clone, ::core::marker::Copy, ::datahub_runtime::CdmsChoice)]
    #[cdms(mapping = "every.toml", attribute = "StateCode")]
    enum State {
        #[cdms(other)]
        Any(::core::primitive::i32),
    }

    assert_eq!(<Inner as ::datahub_runtime::CdmsSynced>::DESCRIPTOR.columns.len(), 6);
}

mod mappings {
    struct i32;
    struct str;
    struct Ok;
    struct Result;
    ::datahub_runtime::mapping_tests!(super::super::minimal_country::Country);
}
