//! What a migration changes: from two schemas to a plan, its SQL and its summary, and the format of a folder of
//! migrations. Text comes in and data goes out; the caller reads and writes the files.
//!
//! The files are described for their users in `docs/migrations.md`.
//!
//! ```
//! use datahub_migrate::{Answers, Snapshot, plan};
//!
//! let before = Snapshot::default();
//! let after = Snapshot { engine: 6, ..Snapshot::default() };
//! let plan = plan(&before, &after, &Answers::default()).expect("nothing is asked or lost");
//! assert_eq!(plan.changes.engine, Some(0));
//! ```

mod change;
mod conversion;
mod files;
mod folder;
mod metadata;
mod plan;
mod sql;
mod statements;
mod step;
mod summary;

pub use change::{Changes, ColumnChange, IndexChange, KeptTable, TableChange};
pub use conversion::Conversion;
pub use datahub_model::schema::{SchemaHash, Snapshot};
pub use files::{Files, PlannedFolder, folder_of, note_replaced};
pub use folder::{FoundFolder, Migration, UnreadableMigration, order};
pub use metadata::{Check, Metadata, Phase};
pub use plan::{Answers, Loss, LossKind, Part, PartKind, Plan, Question, Undecided, plan};
pub use sql::{drop_triggers, spare_name, up};
pub use statements::statements;
pub use step::Step;
pub use summary::Summary;
