//! The longest lock that a migration may hold: less than it takes to touch all rows.
//!
//! A table of a story has some hundred rows, which a server changes within milliseconds. So that a lock that is held meanwhile
//! cannot be overlooked, each row takes a while here that a migration writes on PostgreSQL. On SQLite a transaction locks the
//! whole database, and rows are changed in it by design; there the limit only finds what is stuck.

use std::sync::LazyLock;
use std::time::Duration;

use datahub_runtime::testing::Kit;
use regex::Regex;

use crate::cast::CROWD;

/// How long a migration needs on PostgreSQL for each row that it writes.
const ROW: Duration = Duration::from_millis(50);

/// How migrations call themselves on PostgreSQL, by which their rows are recognised.
const NAME: &str = "migrating";

/// The limit: half of what it takes to touch all rows, which is 3 s. The longest lock of the recorded stories is a quarter of a
/// second, so that a loaded machine has room.
fn limit() -> Duration {
    ROW * u32::try_from(CROWD).unwrap() / 2
}

/// The address with which a migration is run on the database of a kit, whose rows take their time from now on.
pub(crate) fn slowed(kit: &Kit) -> String {
    let address = kit.database();
    if !kit.is_on_postgres() {
        return address;
    }
    let sql = format!(
        "CREATE OR REPLACE FUNCTION slow_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             PERFORM pg_sleep({seconds}); IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$; \
         DO $$ DECLARE name text; BEGIN \
             FOR name IN SELECT relname FROM pg_class \
                 WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace \
                     AND relname !~ '^(datahub_|__diesel)' \
                     AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = 'slow_row') \
             LOOP \
                 EXECUTE format('CREATE TRIGGER slow_row BEFORE INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW \
                     WHEN (current_setting(''application_name'') = ''{NAME}'') EXECUTE FUNCTION slow_row()', name); \
             END LOOP; \
         END $$",
        seconds = ROW.as_secs_f64()
    );
    kit.run_sql(&sql).unwrap();
    let separator = if address.contains('?') { '&' } else { '?' };
    format!("{address}{separator}application_name={NAME}")
}

/// Asserts that no lock that a run of migrations reports was held for longer than the limit.
#[track_caller]
pub(crate) fn are_short(report: &str) {
    static LOCKS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"longest lock (was held for )?((\d+) min )?(\d+(\.\d+)?) (ms|s)\b").unwrap());
    let mut found = 0;
    for lock in LOCKS.captures_iter(report) {
        let minutes = lock.get(3).map_or(0.0, |minutes| minutes.as_str().parse::<f64>().unwrap());
        let number: f64 = lock[4].parse().unwrap();
        let seconds = 60.0 * minutes + if &lock[6] == "ms" { number / 1_000.0 } else { number };
        assert!(
            Duration::from_secs_f64(seconds) < limit(),
            "a lock was held for {seconds} s, and the limit is {:?}: did a migration touch all rows meanwhile?\n{report}",
            limit()
        );
        found += 1;
    }
    assert_eq!(found, report.matches("longest lock").count(), "a lock is not understood:\n{report}");
}
