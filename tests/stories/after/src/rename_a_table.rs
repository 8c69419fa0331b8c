//! What may be sold.

use datahub_runtime::prelude::*;
use rust_decimal::Decimal;

/// Something that may be sold.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "opportunity.toml", table = "opportunities", was = "deals")]
pub struct Opportunity {
    #[cdms(key)]
    pub id: Id<Opportunity>,
    #[cdms("Name")]
    pub name: String,
    #[cdms("EstimatedValue")]
    pub value: Option<Decimal>,
    #[cdms(local, sql_type = "string")]
    pub notes: Option<String>,
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Opportunity]
}
