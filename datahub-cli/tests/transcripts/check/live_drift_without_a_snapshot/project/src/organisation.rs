//! Organisations.

use datahub_runtime::prelude::*;

use crate::country::Country;

/// Where an organisation is.
#[derive(Clone, Debug, CdmsFields)]
pub struct Address {
    pub street: Option<String>,
    pub town: Option<String>,
}

#[derive(Clone, Copy, Debug, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "IndustryCode")]
pub enum Industry {
    Accounting,
    #[cdms(other)]
    Other(i32),
}

#[derive(Clone, Debug, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations")]
pub struct Organisation {
    #[cdms(key)]
    pub id: Id<Organisation>,
    #[cdms("Name")]
    pub name: String,
    #[cdms("WebSiteURL")]
    pub website: Option<String>,
    #[cdms("NumberOfEmployees")]
    pub employees: Option<i32>,
    #[cdms("IndustryCode")]
    pub industry: Option<Industry>,
    #[cdms("Country")]
    pub country: Option<Id<Country>>,
    #[cdms(flatten = "address")]
    pub address: Address,
}
