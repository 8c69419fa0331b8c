//! Every machine answered in every way: what it does then is kept in `snapshots/`, one text for each scenario.
//!
//! A scenario gives each action the answers it can get, the ordinary one first. The walk follows the ordinary answers
//! and, at each step, shows what becomes of the operation if one answer is another: a line `answer → action`, what
//! follows indented. A change of the protocol shows as a change of these texts, to be read before it is accepted.

#[expect(dead_code, reason = "the simulation needs more of it")]
#[path = "../simulation/mapping.rs"]
mod mapping;
mod records;
mod scenarios;
mod show;
mod walk;
