//! Copies of rows, of what was seen, and of entries of the history, made by SQL whatever columns the tables have.

use uuid::Uuid;

use crate::places::Place;

/// How many rows a transaction copies at most.
const BATCH: u64 = 100_000;

/// The tables of rows and of what was seen, the hub's and the floor's.
const TABLES: [[&str; 2]; 2] = [["organisations", "datahub_records"], ["bare_organisations", "bare_records"]];

/// Adds this number of rows to the hub's tables and the floor's, as copies of the rows of these records.
pub(crate) async fn rows(place: &Place, of: &[Uuid], more: u64) {
    for tables in TABLES {
        let is_hub = tables[0] == TABLES[0][0];
        let mut left = more;
        while left > 0 {
            let count = left.min(BATCH);
            left -= count;
            copy(place, is_hub, tables, of, count).await;
        }
        if !place.kind.is_sqlite() {
            // As the server does by itself after a while.
            place.run(is_hub, &format!("ANALYZE {}, {}", tables[0], tables[1])).await;
        }
    }
}

async fn copy(place: &Place, is_hub: bool, [rows, records]: [&str; 2], of: &[Uuid], count: u64) {
    let is_sqlite = place.kind.is_sqlite();
    let (numbers, new_id) = if is_sqlite {
        (
            "WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < {count}) ",
            "randomblob(16)",
        )
    } else {
        ("WITH number(n) AS (SELECT generate_series(0, {count} - 1)) ", "gen_random_uuid()")
    };
    let numbers = numbers.replace("{count}", &count.to_string());
    let originals: Vec<_> =
        of.iter().enumerate().map(|(at, id)| format!("({at}, {})", literal(*id, is_sqlite))).collect();
    let mut sql = format!(
        "BEGIN; CREATE TEMP TABLE originals (at integer PRIMARY KEY, id {id_type}); INSERT INTO originals VALUES {}; \
         CREATE TEMP TABLE copies AS {numbers} SELECT {new_id} AS copy, originals.id AS original FROM number \
         JOIN originals ON originals.at = number.n % {};",
        originals.join(", "),
        of.len(),
        id_type = if is_sqlite { "blob" } else { "uuid" },
    );
    for table in [rows, records] {
        let columns = place.columns(is_hub, table, &["id"]).await;
        let from: Vec<_> = columns.iter().map(|column| format!("original.{column}")).collect();
        sql.push_str(&format!(
            "INSERT INTO {table} (id, {}) SELECT copies.copy, {} FROM copies JOIN {table} AS original \
             ON original.id = copies.original ORDER BY copies.copy;",
            columns.join(", "),
            from.join(", ")
        ));
    }
    sql.push_str("DROP TABLE copies; DROP TABLE originals; COMMIT;");
    place.run(is_hub, &sql).await;
}

/// Adds this number of entries to the histories of a record of the hub's and of one of the floor's, as copies of the newest,
/// each with a value of its own.
pub(crate) async fn entries(place: &Place, of_hub: Uuid, of_floor: Uuid, more: u64) {
    let is_sqlite = place.kind.is_sqlite();
    let (hub_id, floor_id) = (literal(of_hub, is_sqlite), literal(of_floor, is_sqlite));
    let numbers = if is_sqlite {
        format!("WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {more}) ")
    } else {
        format!("WITH number(n) AS (SELECT generate_series(1, {more})) ")
    };
    let text = if is_sqlite { "printf('%08d', n)" } else { "lpad(n::text, 8, '0')" };
    // Versions of these entries are those before the next.
    let versions = if is_sqlite {
        format!("UPDATE datahub_sequence SET value = value + {more};")
    } else {
        format!("SELECT setval('datahub_versions', nextval('datahub_versions') + {more});")
    };
    let columns = place.columns(true, "datahub_history", &["sequence", "version", "changes"]).await.join(", ");
    let sql = format!(
        "BEGIN; {versions} INSERT INTO datahub_history (version, changes, {columns}) {numbers} \
         SELECT version + n, replace(changes, 'change 00000001', 'change ' || {text}), {columns} FROM number, \
         (SELECT * FROM datahub_history WHERE id = {hub_id} ORDER BY sequence DESC LIMIT 1) AS newest; COMMIT;"
    );
    place.run(true, &sql).await;
    let sql = format!(
        "BEGIN; INSERT INTO bare_history (id, at, actor, kind, operation, changes) {numbers} \
         SELECT id, at, actor, kind, operation, replace(changes, 'change 00000001', 'change ' || {text}) FROM number, \
         (SELECT * FROM bare_history WHERE id = {floor_id} ORDER BY sequence DESC LIMIT 1) AS newest; COMMIT;"
    );
    place.run(false, &sql).await;
    if !is_sqlite {
        place.run(true, "ANALYZE datahub_history, bare_history").await;
    }
}

/// A record's id in SQL.
fn literal(id: Uuid, is_sqlite: bool) -> String {
    if is_sqlite { format!("x'{}'", id.simple()) } else { format!("'{id}'::uuid") }
}
