//! What the simulator promises over HTTP, one module for each promise.
#![allow(clippy::unwrap_used, reason = "functions next to the tests unwrap values that the tests wrote")]

mod addresses;
mod control;
mod create;
mod domain;
mod effects;
mod errors;
mod expand;
mod faults_in_answers;
mod faults_in_place_of_answers;
mod faults_on_the_wire;
mod filter;
mod fixtures;
mod gates;
mod going_away;
mod harness;
mod list;
mod log;
mod login;
mod login_adfs;
mod login_oauth;
mod merge;
mod metadata;
mod order;
mod random_queries;
mod read;
mod scene;
mod strictness;
mod switches;
mod users;
mod work;
