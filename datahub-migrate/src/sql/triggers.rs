//! Triggers that last from the first part of a plan to the last, and keep columns filled meanwhile.

use datahub_model::schema::{Database, SchemaHash, SnapshotColumn, quoted};

use super::{in_dollars, short};
use crate::conversion;

/// The name of a trigger, and of its function in PostgreSQL. Its hash keeps `a.b_c` and `a_b.c` apart.
fn name(verb: &str, table: &str, column: &str, event: &str) -> String {
    let event = if event.is_empty() { String::new() } else { format!("_{event}") };
    let hash = SchemaHash::of(&format!("{table}.{column}")).to_string();
    short(&format!("datahub_{verb}_{table}_{column}{event}_{hash:.8}"))
}

/// Fills a column of new rows that lack it; SQLite.
pub(super) fn fill(table: &str, key: &str, column: &str, value: &str) -> String {
    let trigger = quoted(&name("fill", table, column, ""));
    let (table, key, column) = (quoted(table), quoted(key), quoted(column));
    format!(
        "CREATE TRIGGER {trigger} AFTER INSERT ON {table} WHEN NEW.{column} IS NULL\n\
         BEGIN UPDATE {table} SET {column} = {value} WHERE {key} = NEW.{key}; END"
    )
}

pub(super) fn stop_filling(table: &str, column: &str) -> String {
    format!("DROP TRIGGER {}", quoted(&name("fill", table, column, "")))
}

/// Keeps two columns equal, whichever of them a program writes. If a statement changes both, the former one counts.
pub(super) fn keep_equal(database: Database, table: &str, key: &str, from: &str, to: &str) -> Vec<String> {
    let trigger = |event| quoted(&name("equal", table, to, event));
    let (a, b, on, key) = (quoted(from), quoted(to), quoted(table), quoted(key));
    match database {
        Database::Sqlite => vec![
            format!(
                "CREATE TRIGGER {} AFTER INSERT ON {on} WHEN NEW.{a} IS NOT NEW.{b}\n\
                 BEGIN UPDATE {on} SET {a} = coalesce(NEW.{a}, NEW.{b}), {b} = coalesce(NEW.{a}, NEW.{b}) \
                 WHERE {key} = NEW.{key}; END",
                trigger("insert")
            ),
            format!(
                "CREATE TRIGGER {} AFTER UPDATE OF {a} ON {on} WHEN NEW.{a} IS NOT OLD.{a} AND NEW.{b} IS NOT NEW.{a}\n\
                 BEGIN UPDATE {on} SET {b} = NEW.{a} WHERE {key} = NEW.{key}; END",
                trigger("former")
            ),
            format!(
                "CREATE TRIGGER {} AFTER UPDATE OF {b} ON {on}\n\
                 WHEN NEW.{b} IS NOT OLD.{b} AND NEW.{a} IS OLD.{a} AND NEW.{a} IS NOT NEW.{b}\n\
                 BEGIN UPDATE {on} SET {a} = NEW.{b} WHERE {key} = NEW.{key}; END",
                trigger("new")
            ),
        ],
        Database::Postgres => with_function(
            &trigger(""),
            &on,
            "INSERT OR UPDATE",
            &format!(
                "    IF TG_OP = 'INSERT' THEN
        NEW.{b} := coalesce(NEW.{a}, NEW.{b});
        NEW.{a} := NEW.{b};
    ELSIF NEW.{a} IS DISTINCT FROM OLD.{a} THEN
        NEW.{b} := NEW.{a};
    ELSIF NEW.{b} IS DISTINCT FROM OLD.{b} THEN
        NEW.{a} := NEW.{b};
    END IF;
"
            ),
        ),
    }
}

pub(super) fn stop_keeping_equal(database: Database, table: &str, to: &str) -> Vec<String> {
    let trigger = |event| quoted(&name("equal", table, to, event));
    match database {
        Database::Sqlite => ["insert", "former", "new"].map(|event| format!("DROP TRIGGER {}", trigger(event))).into(),
        Database::Postgres => without_function(&trigger(""), &quoted(table)),
    }
}

/// Fills a column with the converted values of another one, whenever a program writes that; PostgreSQL.
pub(super) fn follow(database: Database, table: &str, from: &SnapshotColumn, to: &SnapshotColumn) -> Vec<String> {
    let Some(converted) = conversion::sql(database, from, to, &format!("NEW.{}", quoted(&from.name))) else {
        return Vec::new();
    };
    let value = match converted.fits {
        Some(fits) => format!("CASE WHEN {fits} THEN {} END", converted.value),
        None => converted.value,
    };
    let body = format!("    NEW.{} := {value};\n", quoted(&to.name));
    let trigger = quoted(&name("follow", table, &to.name, ""));
    with_function(&trigger, &quoted(table), "INSERT OR UPDATE", &body)
}

pub(super) fn stop_following(table: &str, began: &str, to: &str) -> Vec<String> {
    without_function(&quoted(&name("follow", began, to, "")), &quoted(table))
}

/// Drops the triggers that an unfinished plan may have left for a column, in a table that may have been renamed since.
pub fn drop_triggers(database: Database, began: &str, table: &str, column: &str) -> Vec<String> {
    match database {
        Database::Sqlite => [("fill", ""), ("equal", "insert"), ("equal", "former"), ("equal", "new")]
            .map(|(verb, event)| format!("DROP TRIGGER IF EXISTS {}", quoted(&name(verb, began, column, event))))
            .into(),
        Database::Postgres => {
            let names = ["equal", "follow"].map(|verb| quoted(&name(verb, began, column, "")));
            let dropped = names.iter().flat_map(|name| {
                let of_trigger = format!("DROP TRIGGER IF EXISTS {name} ON {}", quoted(table));
                [of_trigger, format!("DROP FUNCTION IF EXISTS {name}()")]
            });
            dropped.collect()
        }
    }
}

/// A trigger of PostgreSQL with a function of the same name.
fn with_function(name: &str, on: &str, events: &str, body: &str) -> Vec<String> {
    let body = in_dollars(&format!("\nBEGIN\n{body}    RETURN NEW;\nEND "));
    vec![
        format!("CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS {body}"),
        format!("CREATE TRIGGER {name} BEFORE {events} ON {on}\nFOR EACH ROW EXECUTE FUNCTION {name}()"),
    ]
}

fn without_function(name: &str, on: &str) -> Vec<String> {
    vec![
        format!("DROP TRIGGER {name} ON {on}"),
        format!("-- only the trigger called it\n-- squawk-ignore ban-drop-function\nDROP FUNCTION {name}()"),
    ]
}
