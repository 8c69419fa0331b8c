//! Suppliers, and customers.

use datahub_runtime::prelude::*;

/// A company that we buy from.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "partner.toml", table = "suppliers", only = "new_kind/Value eq 1")]
pub struct Supplier {
    #[cdms(key)]
    pub id: Id<Supplier>,
    #[cdms("new_name")]
    pub name: String,
    #[cdms("new_kind")]
    pub kind: PartnerKind,
    #[cdms("new_city")]
    pub town: Option<String>,
    #[cdms(local, sql_type = "string")]
    pub notes: Option<String>,
}

/// A company that we sell to.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "partner.toml", table = "customers", only = "new_kind/Value eq 2")]
pub struct Customer {
    #[cdms(key)]
    pub id: Id<Customer>,
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
    models![Supplier, Customer]
}
