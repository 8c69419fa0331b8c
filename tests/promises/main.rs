//! What the hub promises, shown through its public interface: a real SQLite file, and a simulated CDMS over real HTTP.
//!
//! A file is a promise. `scene` sets the stage, `meddler` stands between the hub and CDMS.
#![allow(clippy::unwrap_used, reason = "functions beside the tests unwrap what the tests made themselves")]

mod failures;
mod hostile_answers;
mod logins;
mod meddler;
mod outcome_table;
mod read_table;
mod scene;
mod settling_table;
mod spans;
mod writes;
