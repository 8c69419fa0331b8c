//! Organisations: CDMS accounts.

use chrono::{DateTime, Utc};
use datahub_runtime::prelude::*;
use rust_decimal::Decimal;

use super::{Address, BusinessType, EmployeeRange, Phone, Sector, TurnoverRange, UkRegion, phone};

/// A company that does business with government.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations")]
pub struct Organisation {
    #[cdms(key)]
    pub id: Id<Organisation>,
    #[cdms("Name")]
    pub name: String,
    #[cdms("optevia_Alias", default)]
    pub alias: String,
    #[cdms("optevia_CompaniesHouseNumber")]
    pub company_number: Option<String>,
    #[cdms("Description", default)]
    pub description: String,
    #[cdms("WebSiteURL")]
    pub website: Option<String>,
    #[cdms("optevia_ukorganisation", default = false)]
    pub uk_organisation: bool,
    #[cdms(flatten = "address")]
    pub registered_address: Address,
    #[cdms("optevia_UKRegion")]
    pub uk_region: Option<Id<UkRegion>>,
    #[cdms("optevia_BusinessType")]
    pub business_type: Option<Id<BusinessType>>,
    #[cdms("optevia_Sector")]
    pub sector: Option<Id<Sector>>,
    #[cdms("optevia_EmployeeRange")]
    pub employee_range: Option<Id<EmployeeRange>>,
    #[cdms("optevia_TurnoverRange")]
    pub turnover_range: Option<Id<TurnoverRange>>,
    #[cdms(
        attributes("optevia_CountryCode", "optevia_AreaCode", "optevia_TelephoneNumber"),
        with = "phone",
        sql_type = "string"
    )]
    pub phone: Option<Phone>,
    #[cdms("EMailAddress1")]
    pub email: Option<String>,
    #[cdms("CreditLimit")]
    pub credit_limit: Option<Decimal>,
    #[cdms("ParentAccountId")]
    pub parent: Option<Id<Organisation>>,
    #[cdms("StateCode", read_only)]
    pub state: OrganisationState,
    #[cdms(created)]
    pub created: Option<DateTime<Utc>>,
    #[cdms(local, sql_type = "boolean")]
    pub archived: bool,
    #[cdms(local, sql_type = "string")]
    pub archived_reason: Option<String>,
}

/// Whether CDMS still uses an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "StateCode")]
pub enum OrganisationState {
    Active,
    Inactive,
}

impl Organisation {
    /// An organisation of which only the name is known.
    pub fn named(name: impl Into<String>) -> Self {
        Organisation {
            id: Id::new(),
            name: name.into(),
            alias: String::new(),
            company_number: None,
            description: String::new(),
            website: None,
            uk_organisation: false,
            registered_address: Address::default(),
            uk_region: None,
            business_type: None,
            sector: None,
            employee_range: None,
            turnover_range: None,
            phone: None,
            email: None,
            credit_limit: None,
            parent: None,
            state: OrganisationState::Active,
            created: None,
            archived: false,
            archived_reason: None,
        }
    }
}
