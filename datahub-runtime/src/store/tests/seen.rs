//! What was seen of a record, in both stored forms: which one is stored, and that every program reads both.

use datahub_protocol::Stored;

use super::*;
use crate::store::Pending;

/// The short form of an organisation of which only the name has a value; `key` is the list's.
fn in_short(key: &str, name: &str) -> String {
    format!(r#"["{key}",null,null,null,null,null,null,null,"{name}",null,null,null,null,null]"#)
}

impl Bench {
    /// The texts of one column, in their order.
    fn texts(&self, sql: &str) -> Vec<String> {
        let sql = sql.to_owned();
        with_connection(self.url(), move |connection| connection.texts(&sql)).unwrap()
    }

    /// What is stored of the only record's attributes.
    fn stored(&self) -> String {
        self.texts("SELECT seen FROM datahub_records").remove(0)
    }

    /// The key of the only list.
    fn key(&self) -> String {
        self.texts("SELECT substr(name, 7) FROM datahub_settings WHERE name LIKE 'names:%'").remove(0)
    }
}

/// What the store reads of the record, and with how many statements.
async fn seen_by(store: &Store) -> (Attributes, u64) {
    let (found, cost) = metered(load(store)).await;
    let Stored::Row(snapshot) = found.loaded.stored else { panic!("there is a row") };
    (snapshot.seen, cost.statements)
}

#[tokio::test]
async fn a_new_database_keeps_records_in_short_and_its_settings_have_the_names() {
    let (bench, store) = Bench::open().await;
    done(&store, first_sight("Acme")).await;
    let key = bench.key();
    assert_eq!(bench.stored(), in_short(&key, "Acme"));
    let names = bench.texts(&format!("SELECT value FROM datahub_settings WHERE name = 'names:{key}'")).remove(0);
    let names: Vec<String> = serde_json::from_str(&names).unwrap();
    assert_eq!(names, ORGANISATION.attributes.iter().map(|attribute| attribute.name).collect::<Vec<_>>());
    assert_eq!(seen_by(&store).await, (seen("Acme"), 1));
    // The list is that of these names in every database, so old rows stay readable whatever stores them.
    assert_eq!(key, "90af021e");
}

#[tokio::test]
async fn a_program_looks_a_list_up_once_that_another_one_made() {
    let (bench, store) = Bench::open().await;
    done(&store, first_sight("Acme")).await;
    let other = bench.program().await;
    assert_eq!(seen_by(&other).await, (seen("Acme"), 2));
    assert_eq!(seen_by(&other).await, (seen("Acme"), 1));
}

#[tokio::test]
async fn tables_that_older_programs_may_use_keep_records_by_name() {
    let (bench, store) = Bench::open().await;
    let version = done(&store, first_sight("Acme")).await;
    let short = bench.stored();
    bench.sql("UPDATE datahub_settings SET value = '1' WHERE name = 'schema_version'");
    bench.sql("DELETE FROM datahub_settings WHERE name LIKE 'names:%'");
    let program = bench.program().await;
    program.check_schema(&[&ORGANISATION], Pending::Unknown).await.unwrap();
    program.create_tables(&[&ORGANISATION]).await.unwrap();
    let mut job = first_sight("Beta");
    job.commit.guard = at(version);
    let version = done(&program, job).await;
    assert_eq!(bench.stored(), serde_json::to_string(&seen("Beta")).unwrap());
    assert_eq!(bench.count("datahub_settings WHERE name LIKE 'names:%'"), 0);
    assert_eq!(seen_by(&store).await, (seen("Beta"), 1));

    // Once they are gone: what was stored by name stays so until its record changes.
    bench.sql("UPDATE datahub_settings SET value = '2' WHERE name = 'schema_version'");
    let program = bench.program().await;
    program.check_schema(&[&ORGANISATION], Pending::Unknown).await.unwrap();
    assert_eq!(seen_by(&program).await, (seen("Beta"), 1));
    assert_eq!(bench.stored(), serde_json::to_string(&seen("Beta")).unwrap());
    let mut job = first_sight("Acme");
    job.commit.guard = at(version);
    done(&program, job).await;
    assert_eq!(bench.stored(), short);
    assert_eq!(seen_by(&store).await, (seen("Acme"), 1));
}

#[tokio::test]
async fn attributes_of_another_model_and_those_not_known_are_kept() {
    let (bench, store) = Bench::open().await;
    let mut kept = seen("Acme");
    kept.remove("Alias");
    kept.insert("Fax", Value::text("0113"));
    let mut job = first_sight("Acme");
    job.commit.record = RecordChange::Put {
        row: NewRow { seen: kept.clone(), ..row("Acme") },
        values: decode(&ORGANISATION, ID, &row("Acme").facts, &seen("Acme")).unwrap().into(),
    };
    done(&store, job).await;
    let key = bench.key();
    let expected = in_short(&key, "Acme").replacen("null", "[]", 2).replacen("[]", "null", 1);
    assert_eq!(bench.stored(), expected.strip_suffix(']').unwrap().to_owned() + r#",{"Fax":"0113"}]"#);
    assert_eq!(seen_by(&store).await, (kept, 1));
}

#[tokio::test]
async fn a_list_that_is_gone_is_named_and_comes_back_with_its_program() {
    let (bench, store) = Bench::open().await;
    done(&store, first_sight("Acme")).await;
    let key = bench.key();
    bench.sql("DELETE FROM datahub_settings WHERE name LIKE 'names:%'");
    let other = bench.program().await;
    let error = other.load(&ORGANISATION, ID, Stage::Begins).await.unwrap_err().to_string();
    assert!(error.contains(&format!("the setting names:{key} is missing")), "{error}");
    bench.program().await.check_schema(&[&ORGANISATION], Pending::Unknown).await.unwrap();
    assert_eq!(seen_by(&other).await.0, seen("Acme"));
}

#[tokio::test]
async fn a_list_whose_key_other_names_have_is_not_used() {
    let (bench, store) = Bench::open().await;
    let key = bench.key();
    bench.sql(&format!("UPDATE datahub_settings SET value = '[\"Other\"]' WHERE name = 'names:{key}'"));
    let program = bench.program().await;
    program.check_schema(&[&ORGANISATION], Pending::Unknown).await.unwrap();
    done(&program, first_sight("Acme")).await;
    assert_eq!(bench.stored(), serde_json::to_string(&seen("Acme")).unwrap());
    assert_eq!(seen_by(&store).await.0, seen("Acme"));
}

/// The statement of docs/remodelling.md by which a person reads what was seen.
#[tokio::test]
async fn a_person_reads_both_forms_with_the_statement_of_the_documentation() {
    let (bench, store) = Bench::open().await;
    done(&store, first_sight("Acme")).await;
    let mut by_name = first_sight("Beta");
    by_name.id = Uuid::from_u128(0xC);
    done(&store, by_name).await;
    bench.sql(&format!(
        "UPDATE datahub_records SET seen = '{}' WHERE seen LIKE '%Beta%'",
        serde_json::to_string(&seen("Beta")).unwrap()
    ));
    let documented = include_str!("../../../../docs/remodelling.md");
    let database = bench.on_either("SQLite", "PostgreSQL");
    let (_, after) = documented.split_once(&format!("-- {database}\n")).unwrap();
    let (statement, _) = after.split_once("```").unwrap();
    let statement = statement.trim().trim_end_matches(';');
    let read =
        bench.texts(&format!("SELECT name || '=' || value FROM ({statement}) AS found WHERE name = 'Name' ORDER BY 1"));
    assert_eq!(read.len(), 2, "{read:?}");
    assert!(read[0].contains("Acme") && read[1].contains("Beta"), "{read:?}");
    assert_eq!(bench.texts(&format!("SELECT CAST(count(*) AS TEXT) FROM ({statement}) AS found")), ["26"]);
}
