//! What running migrations promises, shown on a real SQLite file and on PostgreSQL: each migration once, whoever else
//! runs them and whenever the program is killed, and no older program disturbed before its time.
//!
//! `stage` has a database and short migrations, `victim` is a run in a process of its own.
#![allow(clippy::unwrap_used, reason = "functions beside the tests unwrap what the tests made themselves")]

mod carried;
mod connecting;
mod killed;
mod locks;
mod older_programs;
#[path = "../on_postgres.rs"]
mod on_postgres;
mod running;
mod several_runs;
mod stage;
mod way_back;

#[test]
fn all_of_it_holds_on_postgresql() {
    on_postgres::run_again().unwrap_or_else(|told| panic!("{told}"));
}
