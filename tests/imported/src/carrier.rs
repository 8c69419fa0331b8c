//! Records of `acme_carrier` in CDMS. `datahub import` wrote this first model; it is yours to change.

use datahub_runtime::prelude::*;

/// A record of `acme_carrier`.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "carrier.toml", table = "carriers", mode = "mirror")]
pub struct Carrier {
    #[cdms(key)]
    pub id: Id<Carrier>,
    #[cdms("acme_name")]
    pub name: Option<String>,
}
