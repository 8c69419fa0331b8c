//! Records of `Account` in CDMS. `datahub import` wrote this first model; it is yours to change.

use datahub_runtime::prelude::*;

use crate::system_user::SystemUser;
use crate::team::Team;

/// A record of `Account`.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "accounts", mode = "mirror")]
pub struct Account {
    #[cdms(key)]
    pub id: Id<Account>,
    #[cdms(flatten = "address1")]
    pub address1: AccountAddress,
    #[cdms(flatten = "address2")]
    pub address2: AccountAddress,
    #[cdms("Name")]
    pub name: Option<String>,
    #[cdms("OwnerId", sql_type = "string", create_only)]
    pub owner: Option<OneOf<(SystemUser, Team)>>,
    #[cdms("StateCode", read_only)]
    pub state: Option<i32>,
    // Not mapped yet:
    // `ParentAccountId` its `target` is not known yet
}

/// Attributes that form one value.
#[derive(Clone, Debug, PartialEq, CdmsFields)]
pub struct AccountAddress {
    pub city: Option<String>,
    pub latitude: Option<f64>,
    pub line1: Option<String>,
}
