//! A module where the names that an expansion could lean on mean something else.

#![allow(dead_code, non_camel_case_types, reason = "they only stand in the way")]

type Result = ();
struct Some;
struct Value;
struct Kind;
mod core {}
mod std {}
mod private {}

#[derive(Clone, datahub_runtime::CdmsSynced)]
#[cdms(mapping = "account.toml", table = "companies", mode = "mirror")]
pub(crate) struct Company {
    #[cdms(key)]
    pub(crate) id: datahub_runtime::Id<Company>,
    #[cdms("Alias", default = "none")]
    pub(crate) row: String,
    #[cdms("Parent")]
    pub(crate) parent: Option<datahub_runtime::Id<Company>>,
}

#[test]
fn the_expansion_leans_on_none_of_them() {
    use datahub_runtime::CdmsSynced;
    assert_eq!(Company::DESCRIPTOR.columns[1].name, "row");
}

/// Methods of one's own that are called like those of a value that the hub has read.
mod repository {
    use datahub_runtime::prelude::*;

    #[derive(Clone, CdmsSynced)]
    #[cdms(mapping = "country.toml", table = "kept_countries", diesel(table = false))]
    struct KeptCountry {
        #[cdms(key)]
        id: Id<KeptCountry>,
        #[cdms("Name")]
        name: String,
    }

    trait Repository: Sized {
        fn save(&self) -> &'static str {
            "saved elsewhere"
        }

        fn delete(self) -> &'static str {
            "deleted elsewhere"
        }
    }

    impl Repository for KeptCountry {}

    #[test]
    fn are_found_first() {
        let country = KeptCountry { name: "Wales".to_owned(), ..KeptCountry::draft().unwrap() };
        assert_eq!((country.save(), country.delete()), ("saved elsewhere", "deleted elsewhere"));
    }
}
