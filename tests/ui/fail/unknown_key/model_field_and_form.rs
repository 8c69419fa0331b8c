//! Keys that do not exist, keys of another place, and keys in another form.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", tabel = "organisations", mode("mirror"), "Account")]
struct Organisation {
    #[cdms(key = "AccountId")]
    id: Id<Organisation>,
    #[cdms("Name", colum = "title")]
    name: String,
    #[cdms("Alias", table = "aliases", crate = ::datahub_runtime)]
    alias: Option<String>,
    #[cdms("Town", column = 3)]
    town: Option<String>,
    #[cdms("Street" "Town")]
    street: Option<String>,
    #[cdms]
    nothing: Option<String>,
    #[cdms("WebSiteURL", column = "site", column = "web")]
    website: Option<String>,
}

fn main() {}
