//! One thing that a migration does in a database.

use datahub_model::schema::{SnapshotColumn, SnapshotIndex, SnapshotTable};

/// One thing that a migration does in a database. Tables and columns are named as they are called at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Creates the engine's tables, or adds what tables of an older revision lack; 0 if they do not exist.
    EngineTables {
        /// The revision before.
        from: i64,
    },
    /// Creates a table. Its indexes are steps of their own.
    CreateTable {
        /// Its name.
        name: String,
        /// Its columns.
        table: SnapshotTable,
        /// Whether an existing table of this name is taken as it is.
        adopts: bool,
    },
    /// Adds a column, nullable.
    AddColumn {
        /// The table.
        table: String,
        /// The column.
        column: SnapshotColumn,
    },
    /// Adds a column, nullable, and gives it a value in existing rows and in those that older programs add.
    AddFilledColumn {
        /// The table.
        table: String,
        /// The table's key column.
        key: String,
        /// The column.
        column: SnapshotColumn,
        /// The value, as SQL.
        value: String,
    },
    /// Ends that rows that lack a column's value get one.
    StopFilling {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// Lets a column be null.
    AllowNull {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// Keeps two columns equal, whichever of them a program writes.
    KeepEqual {
        /// The table.
        table: String,
        /// The table's key column.
        key: String,
        /// The column with the values.
        from: String,
        /// The column that gets them.
        to: String,
    },
    /// Ends that two columns are kept equal.
    StopKeepingEqual {
        /// The table.
        table: String,
        /// The column that got the values.
        to: String,
    },
    /// Fills a column with converted values of another one, and keeps doing so; PostgreSQL.
    FollowConverted {
        /// The table.
        table: String,
        /// The column with the values.
        from: SnapshotColumn,
        /// The column that gets them.
        to: SnapshotColumn,
    },
    /// Ends that a column is filled with converted values.
    StopFollowing {
        /// The table.
        table: String,
        /// The table's name when this began.
        began: String,
        /// The column that got the values.
        to: String,
    },
    /// Fills a column of existing rows with the values of another one, converted if necessary; in batches if it is executed
    /// outside of a transaction.
    Copy {
        /// The table.
        table: String,
        /// The table's key column.
        key: String,
        /// The column with the values.
        from: SnapshotColumn,
        /// The column that gets them.
        to: SnapshotColumn,
    },
    /// Fills a column where it is null; in batches if it is executed outside of a transaction.
    FillNull {
        /// The table.
        table: String,
        /// The table's key column.
        key: String,
        /// The column.
        column: String,
        /// The value, as SQL.
        value: String,
    },
    /// Makes sure that a column has no null, without a long lock; PostgreSQL.
    ProveNotNull {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// Forbids null in a column.
    ForbidNull {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// Creates an index.
    CreateIndex {
        /// The table.
        table: String,
        /// The index.
        index: SnapshotIndex,
        /// Whether an existing index of this name is taken as it is.
        adopts: bool,
    },
    /// Drops an index.
    DropIndex {
        /// The index.
        name: String,
    },
    /// Gives an index another name.
    RenameIndex {
        /// The table.
        table: String,
        /// Its name before.
        from: String,
        /// What it must be.
        to: SnapshotIndex,
    },
    /// Gives a column another name.
    RenameColumn {
        /// The table.
        table: String,
        /// Its name before.
        from: String,
        /// Its name after.
        to: String,
    },
    /// Drops a column.
    DropColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// Gives what the engine keeps of a table's rows the name that the table gets; in batches if it is executed outside of
    /// a transaction. No program may work on the table meanwhile.
    CarryOver {
        /// The table's name before.
        from: String,
        /// Its name after.
        to: String,
    },
    /// Ends that what the engine keeps of a table's rows was carried over, if the table gets no other name after all.
    EndCarrying {
        /// The table's name before.
        from: String,
        /// Its name after.
        to: String,
    },
    /// Gives a table another name, also in the notes about its columns.
    RenameTable {
        /// Its name before.
        from: String,
        /// Its name after.
        to: String,
    },
    /// Drops a table, and what the engine keeps of its rows besides their history.
    DropTable {
        /// Its name.
        name: String,
    },
    /// Notes the meaning of a column.
    Note {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What is noted.
        meaning: String,
    },
    /// Removes the note about a column.
    Forget {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// Raises the epoch of a table, so that older programs refuse.
    RaiseEpoch {
        /// The table.
        table: String,
        /// The epoch.
        epoch: u32,
    },
}

impl Step {
    /// Whether it changes this table.
    pub(crate) fn is_about(&self, name: &str) -> bool {
        match self {
            Step::EngineTables { .. } | Step::DropIndex { .. } => false,
            Step::CreateTable { name: table, .. } | Step::DropTable { name: table } => table == name,
            Step::CarryOver { from, to } | Step::EndCarrying { from, to } | Step::RenameTable { from, to } => {
                from == name || to == name
            }
            Step::AddColumn { table, .. }
            | Step::AddFilledColumn { table, .. }
            | Step::StopFilling { table, .. }
            | Step::AllowNull { table, .. }
            | Step::KeepEqual { table, .. }
            | Step::StopKeepingEqual { table, .. }
            | Step::FollowConverted { table, .. }
            | Step::StopFollowing { table, .. }
            | Step::Copy { table, .. }
            | Step::FillNull { table, .. }
            | Step::ProveNotNull { table, .. }
            | Step::ForbidNull { table, .. }
            | Step::CreateIndex { table, .. }
            | Step::RenameIndex { table, .. }
            | Step::RenameColumn { table, .. }
            | Step::DropColumn { table, .. }
            | Step::Note { table, .. }
            | Step::Forget { table, .. }
            | Step::RaiseEpoch { table, .. } => table == name,
        }
    }
}
