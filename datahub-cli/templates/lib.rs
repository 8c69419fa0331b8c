//! The models that are kept in step with CDMS.

mod organisation;

pub use organisation::{Organisation, State};

use datahub_runtime::{Models, models};

/// Every model of this program.
pub fn models() -> Models {
    models![Organisation]
}

/// Random records go through each mapping, and nothing may be lost but what the mapping declares.
#[cfg(test)]
mod mappings {
    datahub_runtime::mapping_tests!(super::Organisation);
}

/// The `datahub` command reads the models as they are compiled.
#[cfg(test)]
mod source {
    datahub_runtime::source_test!(super::models());
}
