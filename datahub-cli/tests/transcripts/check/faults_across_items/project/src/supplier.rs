//! Suppliers.

use datahub_runtime::prelude::*;

use crate::organisation::Industry;

#[derive(Clone, Debug, CdmsSynced)]
#[cdms(mapping = "supplier.toml", table = "countries", mode = "mirror", only = "IndustryCode/Value eq 3")]
pub struct Supplier {
    #[cdms(key)]
    pub id: Id<Supplier>,
    #[cdms("IndustryCode")]
    pub industry: Option<Industry>,
}
