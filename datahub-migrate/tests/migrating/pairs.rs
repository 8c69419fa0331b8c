//! Random pairs of schemas: migrating from one to the other gives the schema that creating the second would, an older and a
//! newer program can work on the database in between, and no column that stays loses a value.

use std::collections::BTreeMap;

use datahub_migrate::{Answers, ColumnChange, Phase, Plan, Snapshot, TableChange, Undecided, plan};
use datahub_model::schema::{ColumnSource, Database, SnapshotColumn, SnapshotTable};
use fastrand::Rng;

use crate::database::Real;
use crate::random::{Changed, World};
use crate::values::{self, Expected, Val};

/// The values of rows, by key and column; a column that is missing is null.
type Rows = BTreeMap<u128, BTreeMap<String, Val>>;

/// What the tests know of the rows of each table.
type Known = BTreeMap<String, Rows>;

#[test]
fn random_pairs_of_schemas_migrate_on_sqlite() {
    run(Database::Sqlite, 1500);
}

#[test]
fn random_pairs_of_schemas_migrate_on_postgres() {
    if crate::database::all().contains(&Database::Postgres) {
        run(Database::Postgres, 100);
    }
}

/// Each seed migrates a schema twice.
fn run(database: Database, seeds: u64) {
    let variable = |name: &str| std::env::var(name).ok().and_then(|value| value.parse().ok());
    let first = variable("DATAHUB_SEED").unwrap_or_else(|| fastrand::u64(..1 << 40));
    let seeds = if variable("DATAHUB_SEED").is_some() { 1 } else { variable("DATAHUB_SEEDS").unwrap_or(seeds) };
    let (mut real, mut anew) = (Real::new(database), Real::new(database));
    let (mut migrated, mut refused) = (0, 0);
    for seed in first..first + seeds {
        real.empty();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case(&mut real, &mut anew, seed)));
        let outcome = outcome.unwrap_or_else(|_| panic!("replay with DATAHUB_SEED={seed}"));
        migrated += outcome.migrated;
        refused += outcome.refused;
    }
    println!("{database:?}, seeds from {first}: {migrated} migrations, {refused} refused a value");
    assert!(seeds == 1 || migrated > seeds, "most seeds migrate twice");
}

#[derive(Default)]
struct Outcome {
    migrated: u64,
    refused: u64,
}

fn case(real: &mut Real, anew: &mut Real, seed: u64) -> Outcome {
    let (mut rng, mut outcome) = (Rng::with_seed(seed), Outcome::default());
    let mut choices = Rng::with_seed(rng.u64(..));
    let mut world = World::new(&mut rng);
    let first = plan(&Snapshot::default(), &world.snapshot(), &Answers::default()).unwrap();
    real.migrate(&first);
    let (mut before, mut known) = (first.target, Known::new());
    for _ in 0..2 {
        for (name, table) in &before.tables {
            let rows = known.entry(name.clone()).or_default();
            for _ in 0..choices.usize(1..4) {
                insert(real, &mut choices, name, table, rows);
            }
        }
        let changed = world.change();
        let (needed, answers) = (world.snapshot(), agreed(&before, &world.snapshot(), &changed));
        let planned = plan(&before, &needed, &answers).unwrap();
        // What is written is what the next plan reads.
        assert_eq!(Snapshot::parse(&planned.target.print()).unwrap(), planned.target);
        if !migrate(real, &planned, (&before, &planned.target), &changed, &mut known, &mut choices) {
            outcome.refused += 1;
            break;
        }
        outcome.migrated += 1;
        anew.empty();
        anew.migrate(&plan(&Snapshot::default(), &planned.target, &Answers::default()).unwrap());
        assert_eq!(real.shape(), anew.shape(), "from {before:#?}\nto {needed:#?}");
        before = planned.target;
    }
    outcome
}

/// Answers with consent to everything that is lost, after it is checked that nothing is asked that is known.
fn agreed(before: &Snapshot, needed: &Snapshot, changed: &Changed) -> Answers {
    let mut answers = changed.answers.clone();
    for _ in 0..2 {
        let Err(Undecided { questions, losses, unused, faults }) = plan(before, needed, &answers) else {
            return answers;
        };
        assert_eq!((unused, faults), (Vec::new(), Vec::new()));
        let stays = |name: &str| {
            let of_column = name.split_once('.').map(|(table, column)| (table.to_owned(), column.to_owned()));
            of_column.map_or_else(|| changed.tables.contains_key(name), |column| changed.columns.contains_key(&column))
        };
        for question in questions {
            assert!(!stays(&question.name()), "{question:?}");
            answers.drop.insert(question.name());
        }
        answers.drop.extend(losses.into_iter().map(|loss| loss.name));
    }
    answers
}

fn insert(real: &mut Real, rng: &mut Rng, name: &str, table: &SnapshotTable, rows: &mut Rows) -> u128 {
    let key = rng.u128(..);
    let values = table.columns.iter().filter_map(|column| {
        let value = if column.source == ColumnSource::Key { Val::Guid(key) } else { values::random(rng, column) };
        (!column.nullable || rng.bool()).then(|| (column.name.clone(), value))
    });
    let values: BTreeMap<_, _> = values.collect();
    let database = real.database();
    let columns: Vec<_> = values.keys().map(String::as_str).collect();
    let literals: Vec<_> = values.values().map(|value| values::sql(database, Some(value))).collect();
    real.run(&format!("INSERT INTO {name} ({}) VALUES ({})", columns.join(", "), literals.join(", ")));
    rows.insert(key, values);
    key
}

/// Executes a plan and follows what must become of each value. `false` if a value could not be converted, as was foreseen.
fn migrate(
    real: &mut Real,
    planned: &Plan,
    (before, after): (&Snapshot, &Snapshot),
    changed: &Changed,
    known: &mut Known,
    rng: &mut Rng,
) -> bool {
    let is_unfit = foreseen_unfit(before, after, changed, known);
    let parts = planned.parts(real.database());
    let (expand, contract): (Vec<_>, Vec<_>) = parts.iter().partition(|part| part.kind.phase() == Phase::Expand);
    for part in expand {
        real.execute(part).unwrap();
    }
    let is_switched = |name: &str| {
        planned.changes.tables.iter().any(|change| match change {
            TableChange::Kept(table) => table.from == name && table.is_switched(),
            TableChange::Dropped { name: dropped, .. } => dropped == name,
            TableChange::New { .. } => false,
        })
    };
    // An older and a newer program, each with its own idea of the table.
    let mut newer = Known::new();
    for (former, name) in changed.tables.iter().filter(|(former, _)| !is_switched(former)) {
        let (old, new) = (&before.tables[former], &after.tables[name]);
        let rows = known.get_mut(former).unwrap();
        insert(real, rng, former, old, rows);
        update(real, rng, former, old, rows);
        let fresh = newer.entry(name.clone()).or_default();
        insert(real, rng, name, new, fresh);
        update(real, rng, name, new, fresh);
    }
    let mut expected = follow(before, after, changed, known);
    for (name, rows) in newer {
        expected.entry(name).or_default().extend(rows);
    }
    for part in contract {
        // What the runtime's backfill, or a person, does before the last part.
        for change in &planned.changes.tables {
            let TableChange::Kept(table) = change else { continue };
            if matches!(part.kind, datahub_migrate::PartKind::Validate | datahub_migrate::PartKind::Contract) {
                complete(real, rng, &table.to, &table.columns, expected.entry(table.to.clone()).or_default());
            }
        }
        if let Err(refused) = real.execute(part) {
            assert!(is_unfit && refused.contains("can be converted"), "{refused}");
            return false;
        }
    }
    assert!(!is_unfit, "a value that cannot be converted was not refused");
    for (name, table) in &after.tables {
        let rows = expected.entry(name.clone()).or_default();
        assert_eq!(real.count(&format!("SELECT 1 FROM {name}")), rows.len() as u64, "rows of {name}");
        for (key, values) in rows {
            check(real, name, table, *key, values);
        }
    }
    *known = expected;
    true
}

/// Changes some columns of a row.
fn update(real: &mut Real, rng: &mut Rng, name: &str, table: &SnapshotTable, rows: &mut Rows) {
    let database = real.database();
    let keys: Vec<_> = rows.keys().copied().collect();
    let key = keys[rng.usize(..keys.len())];
    let row = rows.get_mut(&key).unwrap();
    for column in table.columns.iter().filter(|column| column.source != ColumnSource::Key) {
        let value = (!column.nullable || rng.bool()).then(|| values::random(rng, column));
        let (literal, id) = (values::sql(database, value.as_ref()), values::sql(database, Some(&Val::Guid(key))));
        let at = &table.key().name;
        real.run(&format!("UPDATE {name} SET {} = {literal} WHERE {at} = {id}", column.name));
        match value {
            Some(value) => row.insert(column.name.clone(), value),
            None => row.remove(&column.name),
        };
    }
}

/// Gives the rows that lack a value of a new column one, as a backfill does.
fn complete(real: &mut Real, rng: &mut Rng, name: &str, columns: &[ColumnChange], rows: &mut Rows) {
    let database = real.database();
    for column in columns {
        let (column, is_empty) = match column {
            ColumnChange::New(column) => (column, true),
            ColumnChange::Kept { from, to, .. } => (to, is_lost(from, to)),
            ColumnChange::Dropped(_) => continue,
        };
        let is_filled = initial(column).is_some() && (column.source == ColumnSource::Local || !is_empty);
        if column.nullable || is_filled {
            continue;
        }
        let value = values::random(rng, column);
        let literal = values::sql(database, Some(&value));
        real.run(&format!("UPDATE {name} SET {0} = {literal} WHERE {0} IS NULL", column.name));
        for row in rows.values_mut() {
            row.entry(column.name.clone()).or_insert_with(|| value.clone());
        }
    }
}

/// What a column gets where it is null, by its default or because it is the hub's own.
fn initial(column: &SnapshotColumn) -> Option<Val> {
    let zero = || match column.kind {
        cdms_odata::Kind::String => Some(Val::Text(String::new())),
        cdms_odata::Kind::Integer | cdms_odata::Kind::BigInt | cdms_odata::Kind::Decimal | cdms_odata::Kind::Money => {
            Some(Val::Int(0))
        }
        cdms_odata::Kind::Double => Some(Val::Double(0.0)),
        cdms_odata::Kind::Boolean => Some(Val::Bool(false)),
        _ => None,
    };
    match column.default.as_deref() {
        Some("\"a 'default'\"") => Some(Val::Text("a 'default'".to_owned())),
        Some("- 7") => Some(Val::Int(-7)),
        Some("true") => Some(Val::Bool(true)),
        Some("of the type") => zero(),
        Some(_) => None,
        None => zero().filter(|_| column.source == ColumnSource::Local),
    }
}

/// The columns that stay, each before and after.
fn staying<'s>(
    (former, old): (&'s str, &'s SnapshotTable),
    new: &'s SnapshotTable,
    changed: &'s Changed,
) -> impl Iterator<Item = (&'s SnapshotColumn, &'s SnapshotColumn)> {
    old.columns.iter().filter_map(move |column| {
        let name = changed.columns.get(&(former.to_owned(), column.name.clone()))?;
        Some((column, new.column(name).unwrap()))
    })
}

/// Whether no value of a column can be converted.
fn is_lost(from: &SnapshotColumn, to: &SnapshotColumn) -> bool {
    let mut rng = Rng::with_seed(0);
    values::converted(from, to, &values::random(&mut rng, from)) == Expected::Lost
}

fn foreseen_unfit(before: &Snapshot, after: &Snapshot, changed: &Changed, known: &Known) -> bool {
    changed.tables.iter().any(|(former, name)| {
        let mut pairs = staying((former, &before.tables[former]), &after.tables[name], changed);
        pairs.any(|(from, to)| {
            let mut values = known[former].values().filter_map(|row| row.get(&from.name));
            values.any(|value| values::converted(from, to, value) == Expected::Unfit)
        })
    })
}

/// What the rows must contain afterwards.
fn follow(before: &Snapshot, after: &Snapshot, changed: &Changed, known: &Known) -> Known {
    let mut expected = Known::new();
    for (former, name) in &changed.tables {
        let (old, new) = (&before.tables[former], &after.tables[name]);
        let rows = known[former].iter().map(|(key, row)| {
            let mut values = BTreeMap::new();
            for (from, to) in staying((former, old), new, changed) {
                let value = row.get(&from.name).map(|value| values::converted(from, to, value));
                if let Some(Expected::Value(value)) = value {
                    values.insert(to.name.clone(), value);
                }
            }
            for column in new.columns.iter().filter(|column| !column.nullable) {
                let mut staying = staying((former, old), new, changed);
                let is_kept = staying.any(|(from, to)| to.name == column.name && !is_lost(from, to));
                // A new attribute's values come from CDMS, and its default stands only for what is null there.
                let value = initial(column).filter(|_| is_kept || column.source == ColumnSource::Local);
                if let Some(value) = value {
                    values.entry(column.name.clone()).or_insert(value);
                }
            }
            (*key, values)
        });
        expected.insert(name.clone(), rows.collect());
    }
    expected
}

fn check(real: &mut Real, name: &str, table: &SnapshotTable, key: u128, values: &BTreeMap<String, Val>) {
    let database = real.database();
    let is = |column: &SnapshotColumn| match column.source {
        ColumnSource::Key => format!("{} = {}", column.name, values::sql(database, Some(&Val::Guid(key)))),
        _ => {
            let value = values::sql(database, values.get(&column.name));
            format!("{} IS NOT DISTINCT FROM {value}", column.name)
        }
    };
    let conditions: Vec<_> = table.columns.iter().map(is).collect();
    let query = format!("SELECT 1 FROM {name} WHERE {}", conditions.join(" AND "));
    assert_eq!(real.count(&query), 1, "{query}");
}
