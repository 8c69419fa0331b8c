//! What we sell.

use datahub_runtime::prelude::*;

/// Something that we sell.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "product.toml", table = "products")]
pub struct Product {
    #[cdms(key)]
    pub id: Id<Product>,
    #[cdms("Name")]
    pub name: String,
    #[cdms(local, sql_type = "string")]
    pub notes: Option<String>,
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Product]
}
