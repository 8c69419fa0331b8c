//! The SQL of every kind of change, for each database, as it is written: a snapshot for each change. On PostgreSQL all of it
//! also passes `squawk`, see `cargo xtask ci`.

use datahub_migrate::{Answers, Plan, up};
use datahub_model::schema::{Database, Snapshot};

use crate::described::{planned, schema};

/// Each change: its name, the schema before and after, and the answers.
const CHANGES: [(&str, &str, &str, &str); 25] = [
    ("first", "", "contacts: id key, name string, score decimal3? , company lookup? <Company>", ""),
    ("table_created", "a: id key", "a: id key\nb: id key, at datetime?, on date, owner lookup <Owner>", ""),
    ("table_dropped", "a: id key\nb: id key, text string local", "a: id key", "b"),
    (
        "table_renamed",
        "people: id key, name string, boss lookup? <Boss>",
        "contacts was people: id key, name string, boss lookup? <Boss>",
        "",
    ),
    ("column_added", "a: id key", "a: id key, fax string? <Fax>", ""),
    ("column_added_not_null", "a: id key", "a: id key, fax string <Fax>", ""),
    ("local_column_added", "a: id key", "a: id key, rating integer local = 3, note string local", ""),
    ("local_column_added_without_value", "a: id key", "a: id key, due date local = today ()", ""),
    ("lookup_added", "a: id key", "a: id key, owner lookup? <Owner>", ""),
    ("column_dropped", "a: id key, fax string <Fax>", "a: id key", "a.fax"),
    ("lookup_dropped", "a: id key, owner lookup? <Owner>", "a: id key", "a.owner"),
    ("column_renamed", "a: id key, fax string? <Fax>", "a: id key, telefax string? <Fax> was fax", ""),
    ("column_renamed_not_null", "a: id key, owner lookup <Owner>", "a: id key, boss lookup <Owner> was owner", ""),
    ("key_renamed", "a: id key, owner lookup? <Owner>", "a: a_id key, boss lookup? <Owner> was owner", ""),
    ("null_allowed", "a: id key, fax string <Fax>", "a: id key, fax string? <Fax>", ""),
    ("null_forbidden", "a: id key, fax string? <Fax>", "a: id key, fax string <Fax>", ""),
    ("null_forbidden_with_a_default", "a: id key, fax string? <Fax>", "a: id key, fax string <Fax> = \"none\"", ""),
    ("kind_changed_stored_alike", "a: id key, status integer? <Status>", "a: id key, status choice? <Status>", ""),
    ("guid_becomes_a_lookup", "a: id key, owner guid? <Owner>", "a: id key, owner lookup? <Owner>", ""),
    ("kind_widened", "a: id key, size integer <Size>", "a: id key, size bigint <Size>", ""),
    ("kind_narrowed", "a: id key, size decimal4 <Size>", "a: id key, size decimal2 <Size>", ""),
    ("kind_changed_with_the_name", "a: id key, size string? local", "a: id key, size_in_m integer? local was size", ""),
    ("kind_changed_with_loss", "a: id key, at datetime local = now ()", "a: id key, at integer local", "a.at"),
    ("local_column_shows_an_attribute", "a: id key, size integer? local", "a: id key, size integer? <Size>", "a.size"),
    ("text_becomes_a_guid", "a: id key, owner string? local", "a: id key, owner lookup? local", ""),
];

fn of(before: &str, after: &str, answers: &str) -> Plan {
    let plan = if before.is_empty() {
        datahub_migrate::plan(&Snapshot::default(), &schema(after), &Answers::default())
    } else {
        planned(before, after, answers)
    };
    plan.unwrap_or_else(|undecided| panic!("{after}: {undecided:?}"))
}

fn written(plan: &Plan, database: Database) -> String {
    let mut text = String::new();
    for part in plan.parts(database).iter().filter(|part| !part.is_empty()) {
        let how = if part.kind.in_transaction(database) { "in a transaction" } else { "one by one" };
        text.push_str(&format!("==== {:?}, {how}\n", part.kind));
        for (table, epoch) in &part.epochs {
            text.push_str(&format!("epoch of {table}: {epoch}\n"));
        }
        for check in &part.checks {
            text.push_str(&format!("check that {}:\n{}\n", check.description, check.query));
        }
        text.push_str(&up(part, database));
    }
    text
}

#[test]
fn every_kind_of_change_is_written_as_before() {
    for (name, before, after, answers) in CHANGES {
        let plan = of(before, after, answers);
        let summary = datahub_migrate::Summary::of(&plan).text();
        let (sqlite, postgres) = (written(&plan, Database::Sqlite), written(&plan, Database::Postgres));
        let text =
            format!("{before}\n-> {after}\n\n{summary}\n######## SQLite\n{sqlite}\n######## PostgreSQL\n{postgres}");
        insta::assert_snapshot!(name, text);
    }
}

/// The SQL for PostgreSQL, each part in a file of its own, in the folder that `DATAHUB_SQUAWK` names. The task that checks
/// it with squawk sets the variable.
#[test]
fn the_sql_is_written_for_squawk() {
    let folder = std::env::var_os("DATAHUB_SQUAWK").map(std::path::PathBuf::from);
    let kept = folder.is_some();
    let folder = folder.unwrap_or_else(|| std::env::temp_dir().join(format!("datahub-squawk-{}", std::process::id())));
    std::fs::create_dir_all(&folder).unwrap();
    let mut files = 0;
    for (name, before, after, answers) in CHANGES {
        let plan = of(before, after, answers);
        for part in plan.parts(Database::Postgres).iter().filter(|part| !part.is_empty()) {
            let how = if part.kind.in_transaction(Database::Postgres) { "transaction" } else { "statements" };
            let file = folder.join(format!("{name}.{:?}.{how}.sql", part.kind));
            std::fs::write(file, up(part, Database::Postgres)).unwrap();
            files += 1;
        }
    }
    assert!(files > CHANGES.len(), "{files}");
    if !kept {
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
