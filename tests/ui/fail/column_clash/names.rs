//! Columns of one name, and names that no column can have.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsFields)]
struct Address {
    street: Option<String>,
    town: Option<String>,
    country: Option<Id<Country>>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "select", mode = "mirror")]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "datahub_organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Name", column = "alias")]
    name: String,
    #[cdms("Alias")]
    alias: Option<String>,
    #[cdms(flatten = "address")]
    home: Address,
    #[cdms(local, sql_type = "string")]
    home_town: String,
    #[cdms("WebSiteURL")]
    r#type: Option<String>,
    #[cdms("Rating", column = "Rating")]
    rating: Option<i32>,
}

fn main() {}
