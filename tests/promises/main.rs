//! What the hub promises, shown through its public interface: a real SQLite file, and a simulated CDMS over real HTTP.
//!
//! A file is a promise. `scene` sets the stage.

mod failures;
mod outcome_table;
mod read_table;
mod scene;
mod settling_table;
mod writes;
