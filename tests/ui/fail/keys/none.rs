//! A model without a key.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries")]
struct Country {
    #[cdms("Name")]
    name: String,
}

fn main() {}
