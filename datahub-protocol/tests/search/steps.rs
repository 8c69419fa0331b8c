//! The steps that can happen next in a world.

use datahub_protocol::{LeaseState, OperationId};

use crate::cdms::Edit;
use crate::machine::Act;
use crate::part::Part;
use crate::world::{Process, World};

/// A step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// A process gets what it requested.
    Go(usize),
    /// Its request fails without effect.
    FetchFails(usize),
    Refused(usize),
    LostBefore(usize),
    LostAfter(usize),
    Late(usize),
    /// An SQL error from a collision, or another error that proves nothing; whether the write was carried out.
    Deadlock(usize, bool),
    Ends(usize, bool),
    SessionEnds(usize),
    LoginFails(usize),
    /// The database does not answer; whether it has stored the transaction.
    CommitUnanswered(usize, bool),
    /// The program sleeps until its lease is over; whether it starts sleeping between its lease check and sending.
    Sleeps(usize, bool),
    /// A late write is carried out, or never will be.
    LateApplies(usize),
    LateDies(usize),
    Person(Edit),
    Crash(u8),
    /// Time passes for an intent.
    LeaseEnds(usize),
    QuietEnds(usize),
    Settling(u8, OperationId),
}

impl World {
    /// Every step that can happen now.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let budgets = &*self.budgets;
        let mut may = |budget: u8, step: Step| {
            if budget > 0 {
                steps.push(step);
            }
        };
        for (at, process) in self.processes.iter().enumerate() {
            match &process.act {
                Act::Over(_) => continue,
                Act::Lock => {
                    let taken = self.processes.iter().any(|other| other.program == process.program && other.holds_lock);
                    may(u8::from(!taken), Step::Go(at));
                    continue;
                }
                Act::Load | Act::Pause => may(1, Step::Go(at)),
                Act::Login => {
                    may(1, Step::Go(at));
                    may(1, Step::LoginFails(at));
                }
                Act::Commit(_) => {
                    may(1, Step::Go(at));
                    may(budgets.outages, Step::CommitUnanswered(at, false));
                    may(budgets.outages, Step::CommitUnanswered(at, true));
                }
                Act::Fetch => {
                    may(1, Step::Go(at));
                    may(budgets.losses, Step::FetchFails(at));
                }
                Act::Send { .. } => {
                    may(1, Step::Go(at));
                    if self.may_send(process) {
                        may(budgets.refusals, Step::Refused(at));
                        may(budgets.losses, Step::LostBefore(at));
                        may(budgets.losses, Step::LostAfter(at));
                        may(budgets.lates, Step::Late(at));
                        for is_carried_out in [false, true] {
                            may(budgets.deadlocks, Step::Deadlock(at, is_carried_out));
                            may(budgets.ends, Step::Ends(at, is_carried_out));
                        }
                        may(budgets.logins, Step::SessionEnds(at));
                    }
                }
            }
            if self.is_leased(process) {
                may(budgets.pauses, Step::Sleeps(at, false));
                may(budgets.pauses * u8::from(matches!(process.act, Act::Send { .. })), Step::Sleeps(at, true));
            }
        }
        for at in 0..self.cdms.late.len() {
            may(1, Step::LateApplies(at));
            may(1, Step::LateDies(at));
        }
        // What people do and which programs crash matters only while something is under way.
        if self.processes.iter().any(|process| !process.is_over()) && self.cdms.record.is_some() {
            may(budgets.edits, Step::Person(Edit::Types { tick: true }));
            may(budgets.edits, Step::Person(Edit::Types { tick: false }));
            may(budgets.put_backs, Step::Person(Edit::PutsBack));
            may(budgets.removals, Step::Person(Edit::Removes));
        }
        for program in [1, 2] {
            // A crash of a reader affects nothing.
            let works = |process: &Part<Process>| process.program == program && process.what != "read";
            if self.processes.iter().any(|process| works(process) && !process.is_over()) {
                may(budgets.crashes, Step::Crash(program));
            }
        }
        for (at, opened) in self.store.intents.iter().enumerate() {
            let operation = opened.intent.operation;
            let writer = self.processes.iter().find(|process| process.operation == Some(operation));
            match opened.lease {
                LeaseState::Active { .. } if writer.is_none_or(|writer| writer.is_over()) => {
                    may(1, Step::LeaseEnds(at));
                }
                // CDMS's execution limit ends before the quiet period does.
                LeaseState::Quiet { .. } if self.cdms.late.iter().any(|(late, ..)| *late == operation) => {
                    may(budgets.too_lates, Step::QuietEnds(at));
                }
                LeaseState::Quiet { .. } => may(1, Step::QuietEnds(at)),
                _ => {}
            }
            if opened.verdict.is_none() {
                let other = writer.map_or(1, |writer| 3 - writer.program);
                let early = matches!(opened.lease, LeaseState::Active { .. }) && budgets.too_early == 0;
                may(if early { 0 } else { budgets.settlings }, Step::Settling(other, operation));
            }
        }
        steps
    }

    /// Describes a step in words.
    pub(crate) fn describe(&self, step: Step) -> String {
        let name = |at: usize| {
            let process = &self.processes[at];
            format!("the {} {at} of program {}", process.what, process.program)
        };
        match step {
            Step::Go(at) => format!("{} goes on: {}", name(at), word(&self.processes[at].act)),
            Step::Settling(program, operation) => format!("program {program} settles {operation}"),
            other => format!("{other:?}"),
        }
    }
}

fn word(act: &Act) -> &'static str {
    match act {
        Act::Over(_) => "over",
        Act::Lock => "lock",
        Act::Load => "load",
        Act::Fetch => "fetch",
        Act::Commit(_) => "commit",
        Act::Send { .. } => "send",
        Act::Login => "log in",
        Act::Pause => "pause",
    }
}
