//! Remarks.
use datahub_runtime::prelude::*;
/// What people remark on places, in the hub alone.
#[derive(Clone, Debug, CdmsSynced)]
#[cdms(table = "remarks", mode = "detached")]
pub struct Remark {
    #[cdms(key)]
    pub id: Id<Remark>,
}
