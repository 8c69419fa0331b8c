//! An attribute that the contract does not have.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Name")]
    name: String,
    #[cdms("WebSiteUrl")]
    website: Option<String>,
    #[cdms("Turnover")]
    turnover: Option<String>,
    #[cdms("Fax")]
    fax: Option<String>,
}

fn main() {}
