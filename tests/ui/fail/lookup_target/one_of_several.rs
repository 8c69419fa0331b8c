//! A reference to one of several models, one of which the contract's lookup does not point to; a type that holds no
//! reference; a reference to several models of which there is one; and a model that is none of the several.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror")]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Parent", sql_type = "string")]
    parent: Option<OneOf<(Organisation, Country)>>,
    #[cdms("Country", sql_type = "string")]
    country: Option<String>,
    #[cdms(local, sql_type = "string")]
    visited: Option<OneOf<Country>>,
}

fn main() {
    let _ = OneOf::<(Organisation, Organisation)>::new(Id::<Country>::new());
}
