//! What a migration changes: from two schemas to a plan, its SQL and its summary, and the format of a folder of
//! migrations. Text comes in and data goes out; the caller reads and writes the files.
//!
//! The files are described for their users in `docs/migrations.md`.

mod folder;
mod metadata;
mod statements;

pub use datahub_model::schema::{SchemaHash, Snapshot};
pub use folder::{FoundFolder, Migration, UnreadableMigration, order};
pub use metadata::{Check, Metadata, Phase};
pub use statements::statements;
