//! Bills.

use datahub_runtime::prelude::*;
use rust_decimal::Decimal;

/// A bill.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "invoice.toml", table = "invoices")]
pub struct Invoice {
    #[cdms(key)]
    pub id: Id<Invoice>,
    #[cdms("Name")]
    pub name: String,
    #[cdms("new_Discount")]
    pub discount: Option<Decimal>,
    #[cdms(local, sql_type = "string")]
    pub notes: Option<String>,
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Invoice]
}
