//! Advisers and their teams: CDMS's users and business units.

use datahub_runtime::prelude::*;

/// A person who advises organisations: a user of CDMS.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "systemuser.toml", table = "advisers")]
pub struct Adviser {
    #[cdms(key)]
    pub id: Id<Adviser>,
    #[cdms("FirstName")]
    pub first_name: Option<String>,
    #[cdms("LastName")]
    pub last_name: Option<String>,
    #[cdms("DomainName")]
    pub login: Option<String>,
    #[cdms("InternalEMailAddress")]
    pub email: Option<String>,
    #[cdms("BusinessUnitId")]
    pub team: Option<Id<Team>>,
}

/// A team of advisers: a business unit of CDMS.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "businessunit.toml", table = "teams")]
pub struct Team {
    #[cdms(key)]
    pub id: Id<Team>,
    #[cdms("Name")]
    pub name: String,
}
