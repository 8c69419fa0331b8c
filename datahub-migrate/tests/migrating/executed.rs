//! What the random pairs do not try: what a team has put on its tables itself, values that do not fit, rows of the engine's
//! tables, and programs of two versions.

use datahub_migrate::{Answers, Part, PartKind, Plan, Snapshot, plan};
use datahub_model::schema::Database;
use datahub_model::schema::engine::{REVISION, added_since};

use crate::database::{Real, all};
use crate::described::{answers, planned, schema};

/// A database with a schema.
fn created(database: Database, text: &str) -> Real {
    let mut real = Real::new(database);
    real.migrate(&plan(&Snapshot::default(), &schema(text), &Answers::default()).unwrap());
    real
}

fn part(plan: &Plan, database: Database, kind: PartKind) -> Part {
    plan.parts(database).swap_remove(kind as usize)
}

fn expand(real: &mut Real, plan: &Plan) {
    for kind in [PartKind::Expand, PartKind::Fill] {
        real.execute(&part(plan, real.database(), kind)).unwrap();
    }
}

/// A key as SQL.
fn key(database: Database, number: u8) -> String {
    match database {
        Database::Sqlite => format!("X'{number:032x}'"),
        Database::Postgres => format!("'00000000-0000-0000-0000-{number:012x}'"),
    }
}

fn values(real: &mut Real, table: &str, columns: &str) -> Vec<String> {
    let sql = format!("SELECT {columns} AS value FROM {table} ORDER BY 1");
    real.values(&sql).into_iter().map(|value| value.unwrap_or_else(|| "null".to_owned())).collect()
}

#[test]
fn what_a_team_has_put_on_its_tables_survives() {
    for database in all() {
        let mut real = created(database, "a: id key, name string, fax string <Fax>, size integer <Size>\nb: id key");
        let one = key(database, 1);
        real.run(&format!("INSERT INTO a (id, name, fax, size) VALUES ({one}, 'Ada', '1', 7)"));
        real.run(
            "CREATE INDEX a_by_name ON a (name);
             CREATE VIEW named AS SELECT id, name FROM a;
             CREATE TABLE notes (note TEXT)",
        );
        match database {
            Database::Sqlite => real.run(
                "CREATE TABLE child (a BLOB REFERENCES a (id) ON DELETE CASCADE);
                 CREATE TRIGGER a_noted AFTER UPDATE OF name ON a BEGIN INSERT INTO notes VALUES (NEW.name); END",
            ),
            Database::Postgres => real.run(
                "CREATE TABLE child (a UUID REFERENCES a (id) ON DELETE CASCADE);
                 CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN INSERT INTO notes VALUES (NEW.name); RETURN NEW; END $$;
                 CREATE TRIGGER a_noted AFTER UPDATE OF name ON a FOR EACH ROW EXECUTE FUNCTION noted()",
            ),
        }
        real.run(&format!("INSERT INTO child VALUES ({one})"));
        let to = "c was a: a_id key, name string?, telefax string <Fax> was fax, size bigint <Size>\nb: id key";
        real.migrate(
            &planned("a: id key, name string, fax string <Fax>, size integer <Size>\nb: id key", to, "").unwrap(),
        );
        assert_eq!(values(&mut real, "c", "name || ' ' || telefax || ' ' || size"), ["Ada 1 7"]);
        assert_eq!(values(&mut real, "named", "name"), ["Ada"]);
        assert_eq!(real.count("SELECT 1 FROM child"), 1);
        real.run("UPDATE c SET name = 'Grace'");
        assert_eq!(values(&mut real, "notes", "note"), ["Grace"]);
        let kept = real.shape().into_iter().filter(|line| line.contains("a_by_name")).count();
        assert_eq!(kept, 1);
        real.run("DELETE FROM c");
        assert_eq!(real.count("SELECT 1 FROM child"), 0, "the reference is kept");
    }
}

#[test]
fn a_value_that_does_not_fit_stops_the_switch_and_nothing_is_lost() {
    for database in all() {
        let (before, after) = ("a: id key, size bigint <Size>", "a: id key, size integer <Size>");
        let mut real = created(database, before);
        let (one, two) = (key(database, 1), key(database, 2));
        real.run(&format!("INSERT INTO a (id, size) VALUES ({one}, 7), ({two}, 3000000000)"));
        let plan = planned(before, after, "").unwrap();
        expand(&mut real, &plan);
        let switch = part(&plan, database, PartKind::Switch);
        assert_eq!(real.execute(&switch).unwrap_err(), "every value of a.size can be converted to integer");
        assert_eq!(values(&mut real, "a", "size"), ["7", "3000000000"]);
        real.run(&format!("UPDATE a SET size = 8 WHERE id = {two}"));
        for kind in [PartKind::Switch, PartKind::Validate, PartKind::Contract] {
            real.execute(&part(&plan, database, kind)).unwrap();
        }
        assert_eq!(values(&mut real, "a", "size"), ["7", "8"]);
    }
}

#[test]
fn an_older_and_a_newer_program_see_each_others_values_during_a_rename() {
    for database in all() {
        let (before, after) = ("a: id key, fax string <Fax>", "a: id key, telefax string <Fax> was fax");
        let mut real = created(database, before);
        let keys: Vec<_> = (1..=3).map(|number| key(database, number)).collect();
        real.run(&format!("INSERT INTO a (id, fax) VALUES ({}, 'one')", keys[0]));
        let plan = planned(before, after, "").unwrap();
        expand(&mut real, &plan);
        let both = |real: &mut Real| values(real, "a", "coalesce(fax, '-') || ' ' || coalesce(telefax, '-')");
        assert_eq!(both(&mut real), ["one one"]);
        // As the engine writes: with a conflict on the key.
        let upsert = |column: &str, key: &str, value: &str| {
            format!(
                "INSERT INTO a (id, {column}) VALUES ({key}, {value}) \
                 ON CONFLICT (id) DO UPDATE SET {column} = excluded.{column}"
            )
        };
        real.run(&upsert("fax", &keys[1], "'old'"));
        real.run(&upsert("telefax", &keys[2], "'new'"));
        assert_eq!(both(&mut real), ["new new", "old old", "one one"]);
        real.run(&upsert("telefax", &keys[0], "'changed'"));
        real.run(&upsert("fax", &keys[2], "'too'"));
        assert_eq!(both(&mut real), ["changed changed", "old old", "too too"]);
        real.run(&format!("UPDATE a SET telefax = NULL WHERE id = {}", keys[0]));
        assert_eq!(both(&mut real)[0], "- -");
        let validate = part(&plan, database, PartKind::Validate);
        let contract = part(&plan, database, PartKind::Contract);
        let refused = real.execute(&validate).and_then(|()| real.execute(&contract)).unwrap_err();
        assert_eq!(refused, "every row of a has a value in telefax");
        real.run("UPDATE a SET fax = 'one' WHERE fax IS NULL");
        real.execute(&validate).and_then(|()| real.execute(&contract)).unwrap();
        assert_eq!(values(&mut real, "a", "telefax"), ["old", "one", "too"]);
    }
}

#[test]
fn the_engines_rows_and_the_history_follow_a_renamed_table() {
    for database in all() {
        let mut real = created(database, "people: id key, name string");
        let (one, at) = (key(database, 1), if database == Database::Sqlite { "0" } else { "now()" });
        real.run(&format!(
            "INSERT INTO datahub_records (model, id, modified, seen, mapping_id, version, state) \
             VALUES ('people', {one}, {at}, '{{}}', 1, 1, 'row');
             INSERT INTO datahub_history (entity, id, model, version, at, actor, program, origin, kind, changes, constants, \
             local, mapping_id) VALUES ('Person', {one}, 'people', 1, {at}, 'ada', 'web', 'hub', 'create', '[]', '{{}}', '[]', 1);
             INSERT INTO datahub_watermarks (model, mapping_id, run, pages, records, stored_at) \
             VALUES ('people', 1, {one}, 1, 1, {at});
             INSERT INTO datahub_pulls (model, scope, run, attributes, pages, records, stored_at) \
             VALUES ('people', 'all', {one}, '[]', 1, 1, {at})"
        ));
        real.migrate(&planned("people: id key, name string", "contacts was people: id key, name string", "").unwrap());
        for table in ["datahub_records", "datahub_history", "datahub_watermarks", "datahub_pulls"] {
            assert_eq!(values(&mut real, table, "model"), ["contacts"], "{table}");
        }
        let epochs =
            values(&mut real, "datahub_settings", "CASE WHEN name LIKE 'epoch:%' THEN name || ' ' || value END");
        let epochs: Vec<_> = epochs.into_iter().filter(|line| line != "null").collect();
        assert_eq!(epochs, ["epoch:contacts 1", "epoch:people 1"]);
        let changed = real.try_run("UPDATE datahub_history SET actor = 'eve'");
        assert!(changed.unwrap_err().contains("append-only"), "the history is protected again");
    }
}

#[test]
fn a_dropped_table_leaves_its_history_and_no_other_traces() {
    for database in all() {
        let mut real = created(database, "a: id key\nb: id key, text string local");
        let (one, at) = (key(database, 1), if database == Database::Sqlite { "0" } else { "now()" });
        real.run(&format!(
            "INSERT INTO datahub_records (model, id, modified, seen, mapping_id, version, state) \
             VALUES ('b', {one}, {at}, '{{}}', 1, 1, 'row'), ('a', {one}, {at}, '{{}}', 1, 1, 'row')"
        ));
        let dropped = planned("a: id key\nb: id key, text string local", "a: id key", "b").unwrap();
        let contract = part(&dropped, database, PartKind::Contract);
        if database == Database::Sqlite {
            real.run("CREATE TABLE child (b BLOB REFERENCES b (id) ON DELETE CASCADE)");
            assert_eq!(real.execute(&contract).unwrap_err(), "no other table has a foreign key to b");
            real.run("DROP TABLE child");
        }
        real.execute(&contract).unwrap();
        assert_eq!(values(&mut real, "datahub_records", "model"), ["a"]);
        assert_eq!(real.count("SELECT 1 FROM datahub_settings WHERE name LIKE 'column:b.%'"), 0);
        assert_eq!(real.count("SELECT 1 FROM datahub_settings WHERE name = 'epoch:b' AND value = '1'"), 1);
    }
}

#[test]
fn many_rows_are_filled_in_batches() {
    for database in all() {
        let (before, after) = ("a: id key, fax string? <Fax>", "a: id key, telefax string? <Fax> was fax");
        let mut real = created(database, before);
        // More than two batches, and keys at both ends.
        real.run(match database {
            Database::Sqlite => {
                "INSERT INTO a (id, fax) WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) \
                 SELECT CASE i WHEN 0 THEN zeroblob(16) ELSE randomblob(16) END, 'fax ' || i FROM n"
            }
            Database::Postgres => {
                "INSERT INTO a (id, fax) SELECT CASE i WHEN 0 THEN '00000000-0000-0000-0000-000000000000' \
                 WHEN 1 THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE gen_random_uuid() END::uuid, 'fax ' || i \
                 FROM generate_series(0, 12000) AS i"
            }
        });
        let plan = planned(before, after, "").unwrap();
        expand(&mut real, &plan);
        assert_eq!(real.count("SELECT 1 FROM a WHERE telefax = fax"), 12001);
    }
}

#[test]
fn an_interrupted_index_is_made_again() {
    if !all().contains(&Database::Postgres) {
        return;
    }
    let mut real = created(Database::Postgres, "a: id key");
    let plan = plan(&schema("a: id key"), &schema("a: id key, owner lookup? <Owner>"), &answers("")).unwrap();
    real.execute(&part(&plan, Database::Postgres, PartKind::Expand)).unwrap();
    // What an interrupted CREATE INDEX CONCURRENTLY leaves: an index of the name that is not valid.
    real.run("CREATE INDEX a_owner_idx ON a (owner)");
    real.run("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'a_owner_idx'::regclass");
    real.execute(&part(&plan, Database::Postgres, PartKind::Fill)).unwrap();
    assert_eq!(real.count("SELECT 1 FROM pg_index WHERE indexrelid = 'a_owner_idx'::regclass AND indisvalid"), 1);
}

#[test]
fn the_engines_tables_of_an_older_revision_get_what_they_lack() {
    let older = REVISION - 1;
    for database in all() {
        let mut real = created(database, "a: id key");
        let newest = real.shape();
        for (table, column) in added_since(older) {
            real.run(&format!("ALTER TABLE {} DROP COLUMN {}", table.name, column.name));
        }
        real.run(&format!("UPDATE datahub_settings SET value = '{older}' WHERE name = 'schema_revision'"));
        assert_ne!(real.shape(), newest);
        let (from, to) =
            (Snapshot { engine: older, ..schema("a: id key") }, Snapshot { engine: REVISION, ..schema("a: id key") });
        real.migrate(&plan(&from, &to, &Answers::default()).unwrap());
        assert_eq!(real.shape(), newest);
    }
}

#[test]
fn the_first_migration_adopts_tables_that_exist() {
    for database in all() {
        let first =
            plan(&Snapshot::default(), &schema("a: id key, owner lookup? <Owner>"), &Answers::default()).unwrap();
        let mut real = Real::new(database);
        real.migrate(&first);
        let shape = real.shape();
        real.run(&format!("INSERT INTO a (id) VALUES ({})", key(database, 1)));
        real.run("DELETE FROM datahub_settings");
        real.migrate(&first);
        assert_eq!(real.shape(), shape);
        assert_eq!(real.count("SELECT 1 FROM a"), 1);
    }
}

#[test]
fn tables_and_columns_with_alike_names_do_not_clash() {
    for database in all() {
        let before = "a: id key, x string <X>, s integer local\na_b: id key, y string <Y>, t integer local";
        let mut real = created(database, before);
        let one = key(database, 1);
        real.run(&format!("INSERT INTO a (id, x, s) VALUES ({one}, 'one', 1)"));
        real.run(&format!("INSERT INTO a_b (id, y, t) VALUES ({one}, 'two', 2)"));
        let after = "a: id key, b_c string <X> was x, s integer local, b_d integer local = 3\n\
                     a_b: id key, c string <Y> was y, t integer local, d integer local = 4";
        real.migrate(&planned(before, after, "").unwrap());
        assert_eq!(values(&mut real, "a", "b_c || b_d"), ["one3"]);
        assert_eq!(values(&mut real, "a_b", "c || d"), ["two4"]);
    }
}

#[test]
fn a_default_may_contain_dollar_quotes() {
    for database in all() {
        let mut real = created(database, "a: id key, fax string? <Fax>");
        real.run(&format!("INSERT INTO a (id) VALUES ({})", key(database, 1)));
        let after = "a: id key, fax string <Fax> = \"1$$2 $body$ 3$\"";
        real.migrate(&planned("a: id key, fax string? <Fax>", after, "").unwrap());
        assert_eq!(values(&mut real, "a", "fax"), ["1$$2 $body$ 3$"]);
    }
}
