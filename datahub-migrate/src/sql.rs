//! Steps as SQL, and the whole `up.sql` of a part.

mod batches;
mod engine;
mod literal;
mod triggers;

use datahub_model::schema::{Contents, Database, Owner, PrimaryKey, Table, TableColumn, quoted};
use datahub_model::schema::{SchemaHash, SnapshotColumn, SnapshotIndex, SnapshotTable};

use crate::conversion;
use crate::plan::{Part, PartKind};
use crate::step::Step;

pub(crate) use literal::{initial, text};
pub use triggers::drop_triggers;

/// The longest name that PostgreSQL keeps whole, in bytes.
const NAME_MAX: usize = 63;

/// The name of a column that takes another one's place later.
pub fn spare_name(column: &str) -> String {
    short(&format!("{column}__next"))
}

/// A name that no database cuts off: if it is too long, a hash replaces its end.
fn short(name: &str) -> String {
    if name.len() <= NAME_MAX {
        return name.to_owned();
    }
    // Names are ASCII, as the validator makes sure.
    let kept: String = name.chars().take(NAME_MAX - 17).collect();
    format!("{kept}_{}", SchemaHash::of(name))
}

/// A text in PostgreSQL's dollar quotes, with a tag that the text does not contain.
fn in_dollars(text: &str) -> String {
    let numbered = (1_u32..).map(|number| format!("$body{number}$"));
    let mut tags = ["$$".to_owned(), "$body$".to_owned()].into_iter().chain(numbered);
    // A text contains finitely many tags.
    let tag = tags.find(|tag| !text.contains(tag.as_str())).unwrap_or_default();
    format!("{tag}{text}{tag}")
}

/// The text of a part's `up.sql`.
pub fn up(part: &Part, database: Database) -> String {
    let in_transaction = part.kind.in_transaction(database);
    let mut statements: Vec<String> = Vec::new();
    if database == Database::Postgres && !part.steps.is_empty() {
        // So that a statement that waits for a lock does not make everyone else wait behind it. It is tried again.
        let set = if in_transaction { "SET LOCAL" } else { "SET" };
        let allowed = if part.kind == PartKind::Expand || part.kind == PartKind::Contract { "1min" } else { "1h" };
        statements.push(format!("{set} lock_timeout = '3s'"));
        statements.push(format!("{set} statement_timeout = '{allowed}'"));
    }
    statements.extend(part.steps.iter().flat_map(|step| step.sql(database, in_transaction)));
    if part.steps.is_empty() {
        return "-- This database has nothing to do here.\nSELECT 1;\n".to_owned();
    }
    if !in_transaction && database == Database::Postgres {
        statements.push("RESET lock_timeout".to_owned());
        statements.push("RESET statement_timeout".to_owned());
    }
    statements.into_iter().map(|statement| statement + ";\n").collect()
}

impl Step {
    /// Its statements in a database, without semicolons at their ends. Outside of a transaction each can be executed again.
    pub fn sql(&self, database: Database, in_transaction: bool) -> Vec<String> {
        let sqlite = database == Database::Sqlite;
        let one = |statement: String| vec![statement];
        let alter = |table: &str, what: String| vec![format!("ALTER TABLE {} {what}", quoted(table))];
        match self {
            Step::EngineTables { from } => engine::tables(database, *from),
            Step::CreateTable { name, table, adopts } => {
                let create = create_table(database, name, table);
                one(if *adopts { create.replacen("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1) } else { create })
            }
            Step::AddColumn { table, column } => one(add_column(database, table, column)),
            Step::AddFilledColumn { table, key, column, value } => {
                let add = add_column(database, table, column);
                if !sqlite {
                    return one(format!("{add} DEFAULT {value}"));
                }
                let mut statements = vec![add, fill(table, &column.name, value)];
                statements.push(triggers::fill(table, key, &column.name, value));
                statements
            }
            Step::StopFilling { table, column } if sqlite => one(triggers::stop_filling(table, column)),
            Step::StopFilling { table, column } => {
                let statement = alter(table, format!("ALTER COLUMN {} DROP DEFAULT", quoted(column)));
                safe(database, "ban-drop-default", "every program that is left sets it", statement)
            }
            Step::AllowNull { table, column } => {
                let statement = alter(table, format!("ALTER COLUMN {} DROP NOT NULL", quoted(column)));
                safe(
                    database,
                    "ban-drop-not-null",
                    "older programs read such a row as a data fault, and no worse",
                    statement,
                )
            }
            Step::ForbidNull { table, column } => {
                let statement = alter(table, format!("ALTER COLUMN {} SET NOT NULL", quoted(column)));
                let reason = "a constraint has proved it, so no row is read";
                let mut statements = safe(database, "adding-not-nullable-field", reason, statement);
                if !sqlite {
                    let statement = alter(table, format!("DROP CONSTRAINT {}", quoted(&rule(table, column))));
                    statements.extend(safe(database, "ban-drop-constraint", "NOT NULL takes its place", statement));
                }
                statements
            }
            Step::ProveNotNull { table, column } => {
                let (rule, column) = (quoted(&rule(table, column)), quoted(column));
                let statement = alter(table, format!("DROP CONSTRAINT IF EXISTS {rule}"));
                let mut statements = safe(database, "ban-drop-constraint", "from an interrupted run", statement);
                let check = format!("ADD CONSTRAINT {rule} CHECK ({column} IS NOT NULL) NOT VALID");
                statements.extend(alter(table, check));
                statements.extend(alter(table, format!("VALIDATE CONSTRAINT {rule}")));
                statements
            }
            Step::KeepEqual { table, key, from, to } => triggers::keep_equal(database, table, key, from, to),
            Step::StopKeepingEqual { table, to } => triggers::stop_keeping_equal(database, table, to),
            Step::FollowConverted { table, from, to } => triggers::follow(database, table, from, to),
            Step::StopFollowing { table, began, to } => triggers::stop_following(table, began, to),
            Step::Copy { table, key, from, to } => {
                let (value, condition) = copied(database, from, to);
                let set = format!("{} = {value}", quoted(&to.name));
                one(if in_transaction {
                    update(table, &set, &condition)
                } else {
                    batches::update(table, key, &set, &condition)
                })
            }
            Step::FillNull { table, key, column, value } => {
                let (set, condition) = (format!("{} = {value}", quoted(column)), format!("{} IS NULL", quoted(column)));
                one(if in_transaction {
                    update(table, &set, &condition)
                } else {
                    batches::update(table, key, &set, &condition)
                })
            }
            Step::CreateIndex { table, index, adopts } => create_index(table, index, in_transaction, *adopts),
            Step::DropIndex { name } if in_transaction => one(format!("DROP INDEX {}", quoted(name))),
            Step::DropIndex { name } => one(format!("DROP INDEX CONCURRENTLY IF EXISTS {}", quoted(name))),
            Step::RenameIndex { table, from, to } if sqlite => {
                let mut statements = vec![format!("DROP INDEX {}", quoted(from))];
                statements.extend(create_index(table, to, true, false));
                statements
            }
            Step::RenameIndex { from, to, .. } => {
                let statement = one(format!("ALTER INDEX {} RENAME TO {}", quoted(from), quoted(&to.name)));
                safe(database, "renaming-object", "no program names it", statement)
            }
            Step::RenameColumn { table, from, to } => {
                let statement = alter(table, format!("RENAME COLUMN {} TO {}", quoted(from), quoted(to)));
                safe(database, "renaming-column", "older programs refuse by now", statement)
            }
            Step::DropColumn { table, column } => {
                let statement = alter(table, format!("DROP COLUMN {}", quoted(column)));
                safe(
                    database,
                    "ban-drop-column",
                    "its values are elsewhere or given up, and older programs refuse by now",
                    statement,
                )
            }
            Step::CarryOver { from, to } => engine::carry_over(from, to),
            Step::EndCarrying { from, to } => vec![engine::end_carrying([from, to])],
            Step::RenameTable { from, to } => {
                let statement = alter(from, format!("RENAME TO {}", quoted(to)));
                let mut statements = safe(database, "renaming-table", "older programs refuse by now", statement);
                statements.push(engine::rename_notes(from, to));
                statements.push(engine::end_carrying([from, to]));
                statements
            }
            Step::DropTable { name } => {
                let statement = vec![format!("DROP TABLE {}", quoted(name))];
                let mut statements =
                    safe(database, "ban-drop-table", "agreed to, and older programs refuse by now", statement);
                statements.extend(engine::forget_model(name));
                statements
            }
            Step::Note { table, column, meaning } => one(engine::put(&format!("column:{table}.{column}"), meaning)),
            Step::Forget { table, column } => {
                let setting = text(&format!("column:{table}.{column}"));
                one(format!("DELETE FROM datahub_settings WHERE name = {setting}"))
            }
            Step::RaiseEpoch { table, epoch } => one(engine::raise_epoch(table, *epoch)),
        }
    }
}

/// The statement with a comment for squawk, which finds it dangerous, and the reason why it is not.
fn safe(database: Database, finding: &str, reason: &str, mut statements: Vec<String>) -> Vec<String> {
    if database == Database::Postgres
        && let Some(first) = statements.first_mut()
    {
        *first = format!("-- {reason}\n-- squawk-ignore {finding}\n{first}");
    }
    statements
}

fn create_table(database: Database, name: &str, table: &SnapshotTable) -> String {
    let columns: Vec<TableColumn<'_>> = table.columns.iter().map(SnapshotColumn::described).collect();
    let key = [table.key().name.as_str()];
    let table = Table {
        owner: Owner::Model,
        name,
        columns: columns.into(),
        key: PrimaryKey::Columns(&key),
        checks: &[],
        indexes: &[],
    };
    database.create_table_in_lines(&table)
}

fn add_column(database: Database, table: &str, column: &SnapshotColumn) -> String {
    let declared = database.declared(Contents::column_type(column.described().contents));
    format!("ALTER TABLE {} ADD COLUMN {} {declared}", quoted(table), quoted(&column.name))
}

fn create_index(
    table: &str,
    SnapshotIndex { name, columns }: &SnapshotIndex,
    in_transaction: bool,
    adopts: bool,
) -> Vec<String> {
    let columns: Vec<_> = columns.iter().map(|column| quoted(column)).collect();
    let (name, on) = (quoted(name), format!("{} ({})", quoted(table), columns.join(", ")));
    if in_transaction {
        let if_missing = if adopts { "IF NOT EXISTS " } else { "" };
        return vec![format!("CREATE INDEX {if_missing}{name} ON {on}")];
    }
    vec![
        // An interrupted run leaves an index that is not valid. Waiting here makes no one else wait.
        "SET lock_timeout = '10min'".to_owned(),
        format!("DROP INDEX CONCURRENTLY IF EXISTS {name}"),
        format!("CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {on}"),
        "SET lock_timeout = '3s'".to_owned(),
    ]
}

/// What a column gets from another one, and for which rows.
fn copied(database: Database, from: &SnapshotColumn, to: &SnapshotColumn) -> (String, String) {
    let (source, target) = (quoted(&from.name), quoted(&to.name));
    match conversion::sql(database, from, to, &source) {
        Some(converted) if converted.value == source => (source.clone(), format!("{target} IS DISTINCT FROM {source}")),
        Some(converted) => {
            let present = format!("{source} IS NOT NULL AND {target} IS NULL");
            let condition = converted.fits.map_or_else(|| present.clone(), |fits| format!("{present} AND {fits}"));
            (converted.value, condition)
        }
        // A plan copies only what can be converted.
        None => ("NULL".to_owned(), "FALSE".to_owned()),
    }
}

fn update(table: &str, set: &str, condition: &str) -> String {
    format!("UPDATE {} SET {set} WHERE {condition}", quoted(table))
}

fn fill(table: &str, column: &str, value: &str) -> String {
    let column = quoted(column);
    update(table, &format!("{column} = {value}"), &format!("{column} IS NULL"))
}

/// The constraint that proves that a column has no null.
fn rule(table: &str, column: &str) -> String {
    short(&format!("{table}_{column}_present"))
}
