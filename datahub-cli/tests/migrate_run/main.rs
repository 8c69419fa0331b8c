//! Transcripts of `datahub migrate run`, `status` and `revert`, on both databases: a folder is a case, with the commands
//! and what they say. `SNAPSHOTS=overwrite` renews the transcripts.
#![cfg(test)]

mod harness;
#[path = "../../../tests/on_postgres.rs"]
mod on_postgres;

use snapbox::assert::DEFAULT_ACTION_ENV;
use snapbox::{Assert, Data, Redactions};

#[test]
fn all_of_it_holds_on_postgresql() {
    on_postgres::run_again().unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn commands_say_what_the_transcripts_say() {
    let mut redactions = Redactions::new();
    for (name, pattern) in [
        ("[TIME]", r"\b\d+(\.\d+)? (ms|s)\b"),
        ("[MS]", r"_ms.:(?<redacted>\d+)"),
        ("[DATE]", r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?"),
    ] {
        redactions.insert(name, regex::Regex::new(pattern).unwrap()).unwrap();
    }
    let assert = Assert::new().action_env(DEFAULT_ACTION_ENV).redact_with(redactions);
    for case in harness::cases() {
        // Where PostgreSQL says something else, it has a transcript of its own.
        let of_server = case.join("transcript_postgres.txt");
        let is_on_server = std::env::var_os(on_postgres::SERVER_OF_KITS).is_some() && of_server.is_file();
        let expected = Data::read_from(&if is_on_server { of_server } else { case.join("transcript.txt") }, None);
        assert.eq(harness::transcript(&case), expected);
    }
}
