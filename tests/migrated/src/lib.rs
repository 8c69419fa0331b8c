//! A program whose migrations were planned from its model.

use datahub_runtime::migration::Migrations;
use datahub_runtime::prelude::*;

/// A firm.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "firm.toml", table = "firms", diesel(table = false))]
pub struct Firm {
    /// Its id.
    #[cdms(key)]
    pub id: Id<Firm>,
    /// Its name.
    #[cdms("Name")]
    pub name: String,
    /// Its fax, which was added later and belongs to the hub alone.
    #[cdms(local, sql_type = "string")]
    pub fax: String,
}

/// The program's migrations.
pub const MIGRATIONS: Migrations = datahub_runtime::migrations!();
