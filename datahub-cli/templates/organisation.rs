//! Organisations: the accounts of CDMS.

use datahub_runtime::prelude::*;

/// An organisation that we work with.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
pub struct Organisation {
    #[cdms(key)]
    pub id: Id<Organisation>,
    #[cdms("Name")]
    pub name: String,
    #[cdms("AccountNumber")]
    pub number: Option<String>,
    #[cdms("WebSiteURL")]
    pub website: Option<String>,
    #[cdms("StateCode")]
    pub state: State,
}

/// Whether an organisation is still active.
#[derive(Clone, Copy, Debug, PartialEq, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "StateCode")]
pub enum State {
    Active,
    Inactive,
}
