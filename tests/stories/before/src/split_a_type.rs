//! Suppliers and customers.

use datahub_runtime::prelude::*;

/// A company that we buy from or sell to.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "partner.toml", table = "partners")]
pub struct Partner {
    #[cdms(key)]
    pub id: Id<Partner>,
    #[cdms("new_name")]
    pub name: String,
    #[cdms("new_kind")]
    pub kind: PartnerKind,
    #[cdms("new_city")]
    pub town: Option<String>,
    #[cdms(local, sql_type = "string")]
    pub notes: Option<String>,
}

/// What a partner does with us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, CdmsChoice)]
#[cdms(mapping = "partner.toml", attribute = "new_kind")]
pub enum PartnerKind {
    Supplier,
    Customer,
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Partner]
}
