//! Every machine, answered in every way. `snapshots/` records what it does, one text for each scenario.
//!
//! A scenario lists the answers that each action can get, the ordinary one first. The walk follows the ordinary answers
//! and, at each step, shows what happens if one answer is another: a line `answer → action`, with what follows
//! indented. A change of the protocol appears as a change of these texts, to be read before it is accepted.

#[expect(dead_code, reason = "the simulation needs more of it")]
#[path = "../simulation/mapping.rs"]
mod mapping;
mod records;
mod scenarios;
mod show;
mod walk;
