//! Statements about the engine's tables.

use datahub_model::schema::Database;
use datahub_model::schema::engine::{
    CARRIED_SETTING, IN_BATCHES, REVISION, REVISION_SETTING, TABLES, VERSION, VERSION_SETTING, added_since, rules,
};

use super::text;

/// The engine's tables that refer to rows by the name of their table, each with the column by which its rows of one table
/// are told apart.
const BY_MODEL: [(&str, &str); 7] = [
    ("datahub_records", "id"),
    ("datahub_intents", "operation"),
    ("datahub_watermarks", "model"),
    ("datahub_pulls", "scope"),
    ("datahub_swept", "id"),
    ("datahub_quarantine", "id"),
    ("datahub_history", "sequence"),
];

/// Creates the engine's tables, or adds what tables of a revision lack.
pub(super) fn tables(database: Database, from: i64) -> Vec<String> {
    let mut statements: Vec<_> = TABLES.iter().map(|table| database.create_table_in_lines(table)).collect();
    if from > 0 {
        statements.extend(added_since(from).map(|(table, column)| {
            let add = database.add_column(table, column);
            // A program may have added it.
            if database == Database::Postgres { add.replace("ADD COLUMN ", "ADD COLUMN IF NOT EXISTS ") } else { add }
        }));
    }
    let indexes = TABLES.iter().flat_map(|table| table.indexes.iter().map(|index| database.create_index(table, index)));
    statements.extend(indexes);
    statements.push(rules(database).trim().trim_end_matches(';').to_owned());
    let version = "INSERT INTO datahub_settings (name, value) VALUES";
    statements.push(format!("{version} ({}, {}) ON CONFLICT (name) DO NOTHING", text(VERSION_SETTING), text(VERSION)));
    statements.push(raise(REVISION_SETTING, REVISION));
    statements
}

/// Stores a setting.
pub(super) fn put(name: &str, value: &str) -> String {
    format!(
        "INSERT INTO datahub_settings (name, value) VALUES ({}, {}) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        text(name),
        text(value)
    )
}

/// Raises a number in the settings, and never lowers it.
fn raise(name: &str, value: i64) -> String {
    let number = |value: &str| format!("CAST({value} AS INTEGER)");
    format!(
        "{} WHERE {} < {}",
        put(name, &value.to_string()),
        number("datahub_settings.value"),
        number("excluded.value")
    )
}

pub(super) fn raise_epoch(table: &str, epoch: u32) -> String {
    raise(&format!("epoch:{table}"), i64::from(epoch))
}

/// Gives what the engine keeps of a table's rows another table's name. The comments tell the run to make batches, and to
/// let these statements alone change the history.
pub(super) fn carry_over(from: &str, to: &str) -> Vec<String> {
    let (old, new) = (text(from), text(to));
    let rename = |(table, key): &(&str, &str)| {
        format!("{IN_BATCHES}{key}\nUPDATE {table} SET model = {new} WHERE model = {old}")
    };
    [put(&carried(from), to)].into_iter().chain(BY_MODEL.iter().map(rename)).collect()
}

/// The setting that names what a table is being renamed to.
fn carried(from: &str) -> String {
    format!("{CARRIED_SETTING}{from}")
}

/// Ends that what the engine keeps of a table's rows has two names.
pub(super) fn end_carrying(tables: [&str; 2]) -> String {
    let [one, other] = tables.map(|table| text(&carried(table)));
    format!("DELETE FROM datahub_settings WHERE name IN ({one}, {other})")
}

/// Gives the notes about a table's columns the table's new name.
pub(super) fn rename_notes(from: &str, to: &str) -> String {
    let prefix = format!("column:{from}.");
    format!(
        "UPDATE datahub_settings SET name = {} || substr(name, {}) WHERE substr(name, 1, {}) = {}",
        text(&format!("column:{to}.")),
        prefix.len() + 1,
        prefix.len(),
        text(&prefix)
    )
}

/// Removes what the engine keeps of a dropped table's rows, besides their history and closed writes.
pub(super) fn forget_model(name: &str) -> Vec<String> {
    let model = text(name);
    let of_model = ["datahub_records", "datahub_watermarks", "datahub_pulls", "datahub_swept", "datahub_quarantine"];
    let mut statements: Vec<_> =
        of_model.iter().map(|table| format!("DELETE FROM {table} WHERE model = {model}")).collect();
    let prefix = format!("column:{name}.");
    statements.push(format!(
        "DELETE FROM datahub_settings WHERE substr(name, 1, {}) = {}",
        prefix.len(),
        text(&prefix)
    ));
    statements
}
