//! Modules that are not there, or whose functions are not what a `with` needs.

use datahub_runtime::prelude::*;

mod shouting {
    use datahub_runtime::{Attributes, Fault};

    pub fn decode(_: &Attributes) -> String {
        String::new()
    }

    pub fn encode(_: &String, _: &Attributes) -> Result<Attributes, Fault> {
        Ok(Attributes::new())
    }
}

mod counting {
    use datahub_runtime::{Attributes, Fault};

    pub fn decode(_: Attributes) -> Result<i32, Fault> {
        Ok(0)
    }

    pub fn encode(_: &String, _: &Attributes) -> Attributes {
        Attributes::new()
    }
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Name", with = "whispering", sql_type = "string")]
    name: String,
    #[cdms("Alias", with = "shouting", sql_type = "string")]
    alias: String,
    #[cdms("Town", with = "counting", sql_type = "integer")]
    town: i32,
}

fn main() {}
