//! What to run if a database's tables are not what a program's models need.

use datahub_model::ModelDescriptor;

/// What is known of the migrations that are pending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pending {
    /// Nothing: the program was given none.
    Unknown,
    /// The first of those that are pending, all of which wait until older programs are gone.
    Waiting(String),
    /// There are none.
    Nothing,
}

/// What a table lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap<'g> {
    /// It does not exist.
    Table,
    /// It does not exist, but a table with this name has its columns and its records.
    Renamed(&'g str),
    /// It is another one than the model needs.
    Columns,
}

impl Pending {
    /// What to do about a gap. The epoch is the oldest one that may use the model's table in the database.
    pub(super) fn cure(&self, model: &ModelDescriptor, gap: Gap<'_>, epoch: u64) -> String {
        let ModelDescriptor { name, .. } = model;
        let is_behind = u64::from(model.epoch) > epoch;
        match (self, gap) {
            (Pending::Waiting(first), _) => format!(
                "{first} is pending: when the older programs are gone, run `datahub migrate run --contract` as a database \
                 user that may change tables, or call `migrate().contract()` on the hub's builder before `connect()`"
            ),
            (Pending::Nothing, Gap::Renamed(former)) => format!(
                "no migration is pending: if it belongs to this model, write `was = \"{former}\"`, plan its new name with \
                 `datahub migrate new` and run `datahub migrate run --contract`, or restore `table = \"{former}\"`; \
                 otherwise its local fields and history are left behind"
            ),
            (Pending::Nothing, Gap::Table | Gap::Columns) => format!(
                "no migration is pending: plan one for model {name} with `datahub migrate new`, then run `datahub migrate \
                 run`"
            ),
            // The program was built with a step that older programs cannot live with, and that has not begun.
            (Pending::Unknown, _) if is_behind => {
                "this program needs a migration that older programs cannot live with: run `datahub migrate run` and, when \
                 the older programs are gone, `datahub migrate run --contract`"
                    .to_owned()
            }
            // It has begun, and the table gets its name by its end.
            (Pending::Unknown, Gap::Table | Gap::Renamed(_)) if model.epoch > 0 => {
                "a run of migrations has begun to make it and is not finished: run `datahub migrate run --contract`"
                    .to_owned()
            }
            (Pending::Unknown, Gap::Renamed(former)) => format!(
                "if it belongs to this model, restore `table = \"{former}\"`, otherwise its local fields and history are \
                 left behind; if you want both tables, create the new one with a migration"
            ),
            (Pending::Unknown, Gap::Table) => {
                "create it with `datahub migrate run`, after `datahub migrate new` if no migration does so yet; to try \
                 things out, call create_tables() on the hub's builder"
                    .to_owned()
            }
            (Pending::Unknown, Gap::Columns) => format!(
                "run the pending migrations with `datahub migrate run`, or plan one for model {name} with `datahub migrate \
                 new`"
            ),
        }
    }
}
