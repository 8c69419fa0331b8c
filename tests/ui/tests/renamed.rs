//! The derives in a crate that has the runtime under another name: `crate = ::renamed_runtime` is all they lean on.

#![allow(dead_code, reason = "most fields are there to be derived, not to be read")]
#![allow(unused_extern_crates, reason = "one of them is there so that it is not used")]

// The usual name is another crate's here, so that an expansion which used it would not compile.
extern crate core as datahub_runtime;
extern crate datahub_runtime as renamed_runtime;

use renamed_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror", crate = ::renamed_runtime)]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Name")]
    name: String,
    #[cdms("Alias", default)]
    alias: String,
    #[cdms("IndustryCode")]
    industry: Option<Industry>,
    #[cdms("Town", with = "shouted", sql_type = "string")]
    town: String,
    #[cdms("Parent")]
    parent: Option<Id<Organisation>>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "firms", mode = "mirror", crate = ::renamed_runtime)]
struct Firm {
    #[cdms(key)]
    id: Id<Firm>,
    #[cdms(flatten = "address")]
    address: Address,
}

#[derive(Clone, CdmsFields)]
#[cdms(crate = ::renamed_runtime)]
struct Address {
    street: Option<String>,
    #[cdms(default)]
    town: String,
}

#[derive(Clone, Copy, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "IndustryCode", crate = ::renamed_runtime)]
enum Industry {
    #[cdms(other)]
    Any(i32),
}

mod shouted {
    use renamed_runtime::{Attributes, Fault};

    pub(super) fn decode(_: &Attributes) -> Result<String, Fault> {
        Ok(String::new())
    }

    pub(super) fn encode(_: &String, _: &Attributes) -> Result<Attributes, Fault> {
        Ok(Attributes::new())
    }
}

#[test]
fn models_are_derived_under_the_other_name() {
    assert_eq!(Organisation::DESCRIPTOR.columns.len(), 6);
    assert_eq!(Firm::DESCRIPTOR.columns.len(), 3);
}
