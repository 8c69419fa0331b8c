//! Models in a module without any prelude: an expansion finds each of its words by itself.

#![no_implicit_prelude]

/// All three derives, with every key that leads to code of their own.
#[::core::prelude::v1::derive(::core::clone::Clone, ::datahub_runtime::CdmsSynced)]
#[cdms(mapping = "every.toml", table = "bare", diesel(insertable, changeset), only = "Verified eq true")]
struct Bare {
    #[cdms(key)]
    id: ::datahub_runtime::Id<Self>,
    #[cdms("Name")]
    name: ::std::string::String,
    #[cdms("Alias", default = "none")]
    alias: ::std::string::String,
    #[cdms("Employees", default)]
    employees: i32,
    #[cdms("Verified", default = 1 < 2)]
    verified: bool,
    #[cdms("StateCode", read_only)]
    state: State,
    #[cdms("Country")]
    country: ::core::option::Option<::datahub_runtime::Id<super::minimal_country::Country>>,
    #[cdms("Owner", sql_type = "string")]
    owner: ::core::option::Option<::datahub_runtime::OneOf<(Bare, Bare)>>,
    #[cdms(attributes("AreaCode", "PhoneNumber"), with = "phone", sql_type = "string")]
    phone: ::core::option::Option<::std::string::String>,
    #[cdms(flatten = "address")]
    address: Place,
    #[cdms(local, sql_type = "string", default = "new")]
    note: ::std::string::String,
    #[cdms(modified)]
    modified: ::core::option::Option<::chrono::DateTime<::chrono::Utc>>,
}

#[::core::prelude::v1::derive(::core::clone::Clone, ::datahub_runtime::CdmsFields)]
struct Place {
    street: ::core::option::Option<::std::string::String>,
    #[cdms(default = "nowhere")]
    town: ::std::string::String,
}

#[::core::prelude::v1::derive(::core::clone::Clone, ::core::marker::Copy, ::datahub_runtime::CdmsChoice)]
#[cdms(mapping = "every.toml", attribute = "StateCode")]
enum State {
    Active,
    #[cdms(other)]
    Rest(i32),
}

mod phone {
    use ::datahub_runtime::{Attributes, Fault};

    pub(super) fn decode(
        _: &Attributes,
    ) -> ::core::result::Result<::core::option::Option<::std::string::String>, Fault> {
        ::core::result::Result::Ok(::core::option::Option::None)
    }

    pub(super) fn encode(
        _: &::core::option::Option<::std::string::String>,
        _: &Attributes,
    ) -> ::core::result::Result<Attributes, Fault> {
        ::core::result::Result::Ok(Attributes::new())
    }
}

#[::core::prelude::v1::test]
fn they_are_models_like_any_other() {
    let columns = <Bare as ::datahub_runtime::CdmsSynced>::DESCRIPTOR.columns;
    ::core::assert_eq!(columns.len(), 13);
    let listed = ::datahub_runtime::models![Bare, super::minimal_country::Country];
    ::core::assert_eq!(::core::iter::ExactSizeIterator::len(&listed.iter()), 2);
}

#[::core::prelude::v1::test]
fn their_table_is_diesels() {
    let query = ::diesel::QueryDsl::select(bare::table, bare::name);
    let text = ::std::string::ToString::to_string(&::diesel::debug_query::<::diesel::sqlite::Sqlite, _>(&query));
    ::core::assert!(text.starts_with("SELECT `bare`.`name`"), "{}", text);
}

/// A mirror, so that what is written is its own.
#[::core::prelude::v1::derive(::core::clone::Clone, ::datahub_runtime::CdmsSynced)]
#[cdms(mapping = "country.toml", table = "bare_countries")]
struct Country {
    #[cdms(key)]
    id: ::datahub_runtime::Id<Country>,
    #[cdms("Name")]
    name: ::std::string::String,
}

mod mappings {
    ::datahub_runtime::mapping_tests!(super::Country);
}
