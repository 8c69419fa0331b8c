//! Models where an expansion has it hard: in a function's body, in a private module, under lints that a strict team
//! denies, with raw identifiers, and beside items whose names an expansion might want for itself.

/// What a strict team denies; `forbid` where rustc lets a derive live with it at all.
#[forbid(unsafe_code)]
#[deny(
    warnings,
    unused,
    nonstandard_style,
    rust_2018_idioms,
    keyword_idents,
    let_underscore,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    unused_results,
    trivial_casts,
    trivial_numeric_casts,
    single_use_lifetimes,
    unused_lifetimes,
    unused_import_braces,
    explicit_outlives_requirements,
    meta_variable_misuse,
    variant_size_differences,
    missing_copy_implementations,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::unwrap_used,
    clippy::panic,
    clippy::absolute_paths,
    clippy::missing_docs_in_private_items,
    clippy::default_trait_access
)]
#[allow(clippy::redundant_pub_crate, reason = "it contradicts `unreachable_pub`")]
pub(crate) mod denied {
    use datahub_runtime::prelude::*;

    /// A firm, as Rust's own words name it.
    #[derive(Clone, Debug, CdmsSynced)]
    #[cdms(mapping = "every.toml", table = "denied", diesel(insertable, changeset))]
    pub(crate) struct Firm {
        /// The id.
        #[cdms(key)]
        pub(crate) id: Id<Self>,
        /// What it is called.
        #[cdms("Name", column = "kind")]
        pub(crate) r#type: String,
        /// What else it is called.
        #[cdms("Alias", default, column = "matched")]
        pub(crate) r#match: String,
        /// Where it is.
        #[cdms(flatten = "address")]
        pub(crate) r#where: Place,
        /// Whether it lives.
        #[cdms("StateCode", read_only)]
        pub(crate) state: r#State,
        /// How it is called on the phone.
        #[cdms(attributes("AreaCode", "PhoneNumber"), with = "r#loop", sql_type = "string", column = "phone")]
        pub(crate) r#loop: Option<String>,
    }

    /// A place.
    #[derive(Clone, Debug, CdmsFields)]
    pub(crate) struct Place {
        /// The street.
        #[cdms("street")]
        pub(crate) r#struct: Option<String>,
        /// The town.
        #[cdms(default = "nowhere")]
        pub(crate) town: String,
    }

    /// Whether a firm lives.
    #[derive(Clone, Copy, Debug, PartialEq, CdmsChoice)]
    #[cdms(mapping = "every.toml", attribute = "StateCode")]
    pub(crate) enum State {
        /// It does.
        Active,
        /// It does not.
        r#Inactive,
    }

    /// Joins a number.
    #[allow(clippy::unnecessary_wraps, clippy::ref_option, reason = "a `with` module's functions are of this form")]
    pub(crate) mod r#loop {
        use datahub_runtime::{Attributes, Fault, Value};

        /// The number.
        pub(crate) fn decode(attributes: &Attributes) -> Result<Option<String>, Fault> {
            match attributes.get("PhoneNumber") {
                Some(Value::Text(number)) => Ok(Some(number.clone())),
                _ => Ok(None),
            }
        }

        /// Its parts.
        pub(crate) fn encode(phone: &Option<String>, _: &Attributes) -> Result<Attributes, Fault> {
            Ok(Attributes::from([("PhoneNumber", Value::text(phone.as_deref().unwrap_or_default()))]))
        }
    }
}

#[test]
fn raw_identifiers_are_columns_without_their_mark() {
    use datahub_runtime::CdmsSynced;
    let columns = denied::Firm::DESCRIPTOR.columns.iter().map(|column| (column.name, column.field));
    assert_eq!(
        columns.collect::<Vec<_>>(),
        [
            ("id", "id"),
            ("kind", "type"),
            ("matched", "match"),
            ("where_street", "where.street"),
            ("where_town", "where.town"),
            ("state", "state"),
            ("phone", "loop"),
        ]
    );
}

mod hidden {
    mod deeper {
        use datahub_runtime::prelude::*;

        #[derive(Clone, CdmsSynced)]
        #[cdms(mapping = "country.toml", table = "deep")]
        struct Deep {
            #[cdms(key)]
            id: Id<Self>,
            #[cdms("Name")]
            name: String,
        }

        #[test]
        fn a_private_struct_has_a_private_table() {
            use diesel::prelude::*;
            let query = deep::table.filter(deep::name.eq("x")).select(Deep::as_select());
            let text = diesel::debug_query::<diesel::sqlite::Sqlite, _>(&query).to_string();
            assert!(text.contains("FROM `deep`"), "{text}");
        }
    }
}

/// Names that an expansion could take for the ones it means.
mod taken {
    #![allow(dead_code, non_camel_case_types, non_upper_case_globals, reason = "they only stand in the way")]

    trait CdmsSynced {}
    trait Model {}
    trait FieldType {}
    trait Default {}
    trait From {}
    struct Fault;
    struct RowReader;
    struct Vec;
    struct Id;
    const id: u8 = 0;
    enum Kinds {
        Ok,
        Err,
        None,
    }
    #[allow(unused_imports, reason = "nothing must use them")]
    use Kinds::*;
    fn drop() {}
    static row: u8 = 2;
    static value: u8 = 2;
    static number: u8 = 2;
    static group: u8 = 2;
    static attributes: u8 = 2;
    static columns: u8 = 2;
    static values: u8 = 2;
    static model: u8 = 2;
    static changes: u8 = 2;
    static seen: u8 = 2;
    mod diesel {}
    mod datahub_runtime {}
    #[allow(unused_macros, reason = "nothing must use it")]
    macro_rules! include_bytes {
        () => {};
    }

    #[derive(Clone, ::datahub_runtime::CdmsSynced)]
    #[cdms(mapping = "every.toml", table = "taken", mode = "mirror", diesel(insertable, changeset))]
    struct Taken {
        #[cdms(key)]
        id: ::datahub_runtime::Id<Taken>,
        #[cdms("Name")]
        name: ::std::string::String,
        #[cdms("Alias", default = "none")]
        row: ::std::string::String,
        #[cdms("StateCode")]
        state: Any,
        #[cdms(flatten = "address")]
        values: Values,
    }

    #[derive(Clone, ::datahub_runtime::CdmsFields)]
    struct Values {
        street: Option<::std::string::String>,
        #[cdms(default = "none")]
        town: ::std::string::String,
    }

    #[derive(Clone, Copy, ::datahub_runtime::CdmsChoice)]
    #[cdms(mapping = "every.toml", attribute = "StateCode")]
    enum Any {
        #[cdms(other)]
        Value(i32),
    }

    #[test]
    fn none_of_them_is_taken() {
        assert_eq!(<Taken as ::datahub_runtime::CdmsSynced>::DESCRIPTOR.columns.len(), 6);
    }
}

#[test]
fn a_model_in_a_functions_body() {
    use datahub_runtime::prelude::*;
    use diesel::prelude::*;

    #[derive(Clone, CdmsSynced)]
    #[cdms(mapping = "every.toml", table = "inside", mode = "mirror")]
    struct Inside {
        #[cdms(key)]
        id: Id<Inside>,
        #[cdms("Name")]
        name: String,
        #[cdms(flatten = "address")]
        address: Place,
        #[cdms("StateCode")]
        state: State,
    }

    #[derive(Clone, CdmsFields)]
    struct Place {
        street: Option<String>,
        town: Option<String>,
    }

    #[derive(Clone, Copy, CdmsChoice)]
    #[cdms(mapping = "every.toml", attribute = "StateCode")]
    enum State {
        Active,
        Inactive,
    }

    let query = inside::table.select(Inside::as_select());
    let text = diesel::debug_query::<diesel::sqlite::Sqlite, _>(&query).to_string();
    assert!(text.starts_with("SELECT `inside`.`id`, `inside`.`name`, `inside`.`address_street`"), "{text}");
    assert_eq!(models![Inside].iter().len(), 1);
}
