//! Plans and their SQL: what is asked and lost, the SQL of every kind of change, and its execution on real databases, also
//! for random pairs of schemas.
#![cfg(test)]

mod database;
mod deciding;
mod described;
mod executed;
mod golden;
mod hostile;
mod pairs;
mod random;
mod values;
