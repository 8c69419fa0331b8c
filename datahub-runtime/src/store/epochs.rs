//! Tables' epochs: a program that is older than a migration it cannot live with begins nothing any more.
//!
//! A migration that an older program cannot live with raises its table's epoch before it changes the table, and waits
//! for the writes that are open by then. A program of an older epoch may finish those, and begins no other operation.

use std::collections::BTreeMap;

use datahub_model::ModelDescriptor;
use datahub_protocol::MappingTag;

use super::connection::Connection;
use super::failure::Trouble;
use super::settings;
use super::statement::{ColumnType, Datum, Statement};
use crate::health::OutdatedModel;

/// The prefix of the settings with the oldest epoch that may use a table.
const SETTING: &str = "epoch:";

/// Selects the oldest epoch that may use a table; its value is [`setting_of`] the model.
macro_rules! oldest_epoch {
    () => {
        "(SELECT value FROM datahub_settings WHERE name = ?)"
    };
}

pub(crate) use oldest_epoch;

/// What an operation does when it looks at the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It begins, so the program must not be too old.
    Begins,
    /// It finishes a write that was begun before the epoch was raised.
    Finishes,
}

impl Stage {
    /// Rejects a beginning operation of a program that is older than the oldest epoch found.
    pub(super) fn check(self, model: &ModelDescriptor, oldest: Option<&str>) -> Result<(), Trouble> {
        match self {
            Stage::Finishes => Ok(()),
            Stage::Begins => check(model, oldest),
        }
    }
}

/// The setting's name for a table.
pub(crate) fn setting(table: &str) -> String {
    format!("{SETTING}{table}")
}

/// The setting of a model's table, as a value to bind.
pub(super) fn setting_of(model: &ModelDescriptor) -> Datum {
    setting(model.table).into()
}

/// Whether a program with this model may finish a write. If it is older than its table's oldest epoch, then only the
/// writes of its own mapping: the table changes once those are finished.
pub(crate) fn may_finish(model: &ModelDescriptor, mapping: MappingTag, oldest: Option<&str>) -> bool {
    mapping == model.mapping_id.0 || check(model, oldest).is_ok()
}

/// Rejects a model that is older than its table's oldest epoch.
pub(super) fn check(model: &ModelDescriptor, oldest: Option<&str>) -> Result<(), Trouble> {
    let is_outdated = u64::from(model.epoch) < number(model.table, oldest)?;
    if is_outdated { Err(outdated(model, oldest.unwrap_or_default())) } else { Ok(()) }
}

/// The models that are older than their tables' oldest epochs, which are given by setting.
pub(super) fn outdated_of(
    models: &[&'static ModelDescriptor],
    oldest: &BTreeMap<String, String>,
) -> Result<Vec<OutdatedModel>, Trouble> {
    let mut outdated = Vec::new();
    for ModelDescriptor { name, table, epoch, .. } in models {
        let oldest = number(table, oldest.get(&setting(table)).map(String::as_str))?;
        if u64::from(*epoch) < oldest {
            outdated.push(OutdatedModel { model: name, table, epoch: *epoch, oldest });
        }
    }
    Ok(outdated)
}

/// Rejects a program with a model that is older than its table's oldest epoch.
pub(super) fn check_all(connection: &mut Connection, models: &[&'static ModelDescriptor]) -> Result<(), Trouble> {
    let oldest = all(connection)?;
    models.iter().try_for_each(|model| check(model, oldest.get(model.table).map(String::as_str)))
}

/// The oldest epoch that may use a model's table.
pub(super) fn oldest(connection: &mut Connection, model: &ModelDescriptor) -> Result<u64, Trouble> {
    number(model.table, settings::get(connection, &setting(model.table))?.as_deref())
}

/// Why a statement about a model's table failed: if the program has become too old, then that is the cause, whatever
/// the database said. Must not be called in a failed transaction.
pub(super) fn cause(connection: &mut Connection, model: &'static ModelDescriptor, trouble: Trouble) -> Trouble {
    if !matches!(trouble, Trouble::Schema(_) | Trouble::Refused(_) | Trouble::Other(_)) {
        return trouble;
    }
    let oldest = settings::get(connection, &setting(model.table));
    match oldest.and_then(|oldest| check(model, oldest.as_deref())) {
        Err(outdated @ Trouble::Outdated(_)) => outdated,
        _ => trouble,
    }
}

/// The oldest epochs of all tables that have one, by table.
fn all(connection: &mut Connection) -> Result<BTreeMap<String, String>, Trouble> {
    let sql = "SELECT name, value FROM datahub_settings WHERE name LIKE 'epoch:%'";
    let rows = connection.query(&Statement::new(sql, []), &[ColumnType::Text; 2])?;
    let table = |name: String| name.strip_prefix(SETTING).map_or_else(|| name.clone(), str::to_owned);
    rows.into_iter().map(|mut row| Ok((table(row.text()?), row.text()?))).collect()
}

/// An epoch as it is stored; 0 for a table that has none.
pub(crate) fn number(table: &str, stored: Option<&str>) -> Result<u64, Trouble> {
    let Some(stored) = stored else { return Ok(0) };
    stored.parse().map_err(|_| Trouble::Corrupt(format!("invalid setting {SETTING}{table}: {stored:?}")))
}

fn outdated(model: &ModelDescriptor, oldest: &str) -> Trouble {
    let ModelDescriptor { name, table, epoch, .. } = model;
    Trouble::Outdated(format!(
        "this program is too old for table {table} of model {name}: it was built for epoch {epoch}, and a migration has \
         raised the table's epoch to {oldest}"
    ))
}
