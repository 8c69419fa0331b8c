//! Names and texts that would be more than that in a statement: in a file they are refused, and in SQL they stay what they are.

use datahub_migrate::{Answers, Plan, Snapshot, plan};
use datahub_model::schema::{ColumnSource, Database, SnapshotColumn, SnapshotIndex, SnapshotTable};

use crate::database::{Real, all};

/// What an attacker would like to have executed.
const DEED: &str = "DROP TABLE victim; --";

/// The names of tables and columns, which a program of one's own might plan with.
fn names() -> Vec<String> {
    let mut names = vec![format!("a\"'`]);$$;$body$;*/\\ {DEED}"), format!("a\n; {DEED}")];
    names.extend(["select", "a.b", "Ünïcode \u{202e}", "-- ?1 $1\u{1}"].map(str::to_owned));
    names.push("x".repeat(63));
    names
}

fn column(name: &str, kind: &str, source: ColumnSource) -> SnapshotColumn {
    let (name, field) = (name.to_owned(), name.to_owned());
    let kind = kind.parse().unwrap();
    SnapshotColumn { name, field, kind, scale: None, nullable: false, default: None, was: None, source }
}

/// A schema with one table of this name, a column of this name and an index.
fn schema(name: &str, kind: &str) -> Snapshot {
    let attribute = ColumnSource::Attributes(vec![name.to_owned()]);
    let columns = vec![column("id", "guid", ColumnSource::Key), column(name, kind, attribute)];
    let indexes =
        vec![SnapshotIndex { name: format!("i{name}").chars().take(60).collect(), columns: vec![name.to_owned()] }];
    let (model, entity) = (name.to_owned(), name.to_owned());
    let table = SnapshotTable { model, entity, was: None, epoch: 0, columns, indexes };
    Snapshot { engine: 6, tables: [(name.to_owned(), table)].into(), ..Snapshot::default() }
}

/// Executes every part of a plan.
fn migrate(real: &mut Real, plan: &Plan) {
    for part in plan.parts(real.database()) {
        real.execute(&part).unwrap();
    }
}

fn victim(real: &mut Real) {
    real.run("CREATE TABLE victim (a INTEGER); INSERT INTO victim VALUES (1)");
}

#[test]
fn names_in_statements_stay_names() {
    for database in all() {
        let mut real = Real::new(database);
        for name in names() {
            real.empty();
            victim(&mut real);
            let first = schema(&name, "integer");
            migrate(&mut real, &plan(&Snapshot::default(), &first, &Answers::default()).unwrap());
            let table = name.replace('"', "\"\"");
            assert_eq!(real.count(&format!("SELECT \"{table}\" FROM \"{table}\"")), 0, "{name:?}");
            // Another kind, so that values are copied, triggers are made and columns change places; and a filled column.
            let mut second = schema(&name, "bigint");
            let filled = format!("b{name}").chars().take(60).collect::<String>();
            second.tables.get_mut(&name).unwrap().columns.push(column(&filled, "integer", ColumnSource::Local));
            migrate(&mut real, &plan(&first, &second, &Answers::default()).unwrap());
            let filled = filled.replace('"', "\"\"");
            assert_eq!(real.count(&format!("SELECT \"{filled}\" FROM \"{table}\"")), 0, "{name:?}");
            // A rename of both.
            let mut third = schema("renamed", "bigint");
            let renamed = third.tables.get_mut("renamed").unwrap();
            renamed.was = Some(name.clone());
            renamed.columns[1].was = Some(name.clone());
            renamed.columns.push(column("filled", "integer", ColumnSource::Local));
            renamed.columns[2].was = Some(format!("b{name}").chars().take(60).collect());
            migrate(&mut real, &plan(&second, &third, &Answers::default()).unwrap());
            assert_eq!(real.count("SELECT renamed, filled FROM renamed"), 0, "{name:?}");
            assert_eq!(real.count("SELECT a FROM victim"), 1, "{name:?}");
        }
    }
}

#[test]
fn texts_in_statements_stay_texts() {
    for database in all() {
        let mut real = Real::new(database);
        for text in names().into_iter().filter(|text| !format!("{text:?}").contains("\\u{")) {
            real.empty();
            victim(&mut real);
            let before = schema("notes", "integer");
            migrate(&mut real, &plan(&Snapshot::default(), &before, &Answers::default()).unwrap());
            let key = match database {
                Database::Sqlite => "X'00000000000000000000000000000001'",
                Database::Postgres => "'00000000-0000-0000-0000-000000000001'",
            };
            real.run(&format!("INSERT INTO notes (id, notes) VALUES ({key}, 1)"));
            let mut after = before.clone();
            let mut note = column("note", "string", ColumnSource::Local);
            // As Rust writes a text; one with other escapes is no default of a column.
            note.default = Some(format!("{text:?}"));
            let table = after.tables.get_mut("notes").unwrap();
            (table.model, table.entity) = (text.clone(), text.clone());
            table.columns.push(note);
            let plan = plan(&before, &after, &Answers::default());
            migrate(&mut real, &plan.unwrap());
            assert_eq!(real.values("SELECT note AS value FROM notes"), [Some(text.clone())], "{text:?}");
            assert_eq!(real.count("SELECT a FROM victim"), 1, "{text:?}");
        }
    }
}

#[test]
fn a_file_with_names_that_no_model_has_is_refused() {
    let file = |table: &str, column: &str, index: &str, renamed: &str| {
        format!(
            "engine = 6\n[tables.{table}]\nmodel = \"M\"\nentity = \"E\"\ncolumns = [\n\
             {{ name = \"id\", field = \"id\", kind = \"guid\", source = \"key\" }},\n\
             {{ name = {column}, field = \"f\", kind = \"string\", source = \"local\" }},\n]\n\
             indexes = [{{ name = {index}, columns = [{column}] }}]\n[log]\nrenamed = [{{ table = {renamed}, to = \"a\" }}]\n"
        )
    };
    Snapshot::parse(&file("a", "\"b\"", "\"i\"", "\"c\"")).unwrap();
    let quoted = |name: &str| {
        let escaped: String = name.chars().map(|letter| format!("\\U{:08X}", u32::from(letter))).collect();
        format!("\"{escaped}\"")
    };
    let long = "x".repeat(64);
    let hostile = names().into_iter().filter(|name| name != "select" && name.len() != 63);
    for name in hostile.chain([long, String::new(), "A".to_owned(), "a\0".to_owned()]) {
        let name = quoted(&name);
        for text in [
            file(&name, "\"b\"", "\"i\"", "\"c\""),
            file("a", &name, "\"i\"", "\"c\""),
            file("a", "\"b\"", &name, "\"c\""),
            file("a", "\"b\"", "\"i\"", &name),
        ] {
            let error = Snapshot::parse(&text).unwrap_err().to_string();
            assert!(error.contains("invalid") && error.contains("version control"), "{error} in {text}");
            assert!(!error.contains(|letter: char| letter.is_control()), "{error:?}");
        }
    }
    // A word that is reserved only today may have been a name before.
    Snapshot::parse(&file("select", "\"user\"", "\"i\"", "\"c\"")).unwrap();
}
