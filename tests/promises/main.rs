//! What the hub promises, shown through its public interface: a real SQLite file, and a simulated CDMS over real HTTP.
//!
//! A file is a promise. `scene` sets the stage, `meddler` stands between the hub and CDMS.
#![allow(clippy::unwrap_used, reason = "functions beside the tests unwrap what the tests made themselves")]

mod backfill;
mod backfill_beside;
mod budgets;
mod captured;
mod causes;
mod certificates;
mod changes;
mod client_certificates;
mod clocks;
mod conditions;
mod configuration;
mod connection;
mod copies;
mod costs;
mod cursors;
mod dates;
mod decoded_once;
mod detached;
mod domain;
mod drafts;
mod dropped;
mod errors_that_prove_nothing;
mod failures;
mod find;
mod forms;
mod fresh_models;
mod freshness;
mod front;
mod health;
mod health_of_cdms;
mod history;
mod hostile_answers;
mod limits;
mod limits_of_values;
mod local_queries;
mod login_adfs;
mod login_adfs_troubles;
mod login_ntlm;
mod login_ntlm_changes;
mod login_ntlm_connections;
mod login_ntlm_over_tls;
mod login_ntlm_traces;
mod login_oauth;
mod login_oauth_refresh;
mod login_of_ones_own;
mod login_pauses;
mod login_refusals;
mod login_static_headers;
mod login_words;
mod logins;
mod many;
mod many_writes;
mod meddler;
mod odd_lists;
mod older_programs;
#[path = "../on_postgres.rs"]
mod on_postgres;
mod outcome_table;
mod personal;
mod prepared_once;
mod proxies;
mod pull;
mod quarantine;
mod read_table;
mod rehearsal;
mod relations;
mod remodelled;
mod restored;
mod round_trips;
mod row_by_row;
mod scene;
mod sessions;
mod settling_rounds;
mod settling_table;
mod showing_up_late;
mod sizes;
mod spans;
mod stopped_pulls;
mod strangers;
mod sweep;
mod times;
mod tls;
mod two_models;
mod watch;
mod what_a_write_tells;
mod who;
mod without_postgres;
mod writes;

#[test]
fn all_of_it_holds_on_postgresql_for_a_hub_that_can_only_read_and_write_rows() {
    on_postgres::run_again_with_rights_to_rows_only().unwrap_or_else(|told| panic!("{told}"));
}
