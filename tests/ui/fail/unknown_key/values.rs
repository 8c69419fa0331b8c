//! Known keys with values that they cannot have.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror", crate = "datahub_runtime")]
#[cdms(diesel(table = true))]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms(attributes(key), with = "joined", sql_type = "string")]
    address: String,
    #[cdms(attributes("Town", 7), with = "joined", sql_type = "string")]
    town: String,
}

#[derive(Clone, CdmsFields)]
struct Address(Option<String>, Option<String>);

#[derive(Clone, CdmsFields)]
#[cdms(crate = 7)]
struct Naming {
    name: Option<String>,
}

mod joined {
    use datahub_runtime::{Attributes, Fault};

    pub(crate) fn decode(_: &Attributes) -> Result<String, Fault> {
        Ok(String::new())
    }

    pub(crate) fn encode(_: &str, _: &Attributes) -> Result<Attributes, Fault> {
        Ok(Attributes::new())
    }
}

fn main() {}
