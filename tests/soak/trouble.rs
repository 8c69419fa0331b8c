//! What the soak's CDMS is made to do: a tenth of its calls and more meet a fault, and at times it cannot be reached.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use datahub_runtime::Value;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation};
use fastrand::Rng;

use crate::people::People;
use crate::traffic::Traffic;

/// How many faults are ordered at a time beside those that are due.
const FAULTS: usize = 24;

/// One round of everybody who makes trouble.
const ROUND: Duration = Duration::from_millis(5);

/// For how long CDMS is away.
const AWAY: Duration = Duration::from_millis(30);

/// Which requests a kind of fault can meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Anything,
    Reads,
    Writes,
    Creates,
    Updates,
    Lists,
    /// It is for other tests.
    Nowhere,
}

/// Where a fault belongs. A new one has no place yet, so this does not compile; [`kinds`] needs it too.
fn place(fault: &Fault) -> Place {
    match fault {
        Fault::Latency(_)
        | Fault::DropBeforeCommit
        | Fault::DropAfterCommit
        | Fault::Truncate
        | Fault::Unauthorized
        | Fault::RedirectToLogin
        | Fault::RedirectTo(_)
        | Fault::LoginForm
        | Fault::Html(_)
        | Fault::Refuse { .. }
        | Fault::NoPrivilege
        | Fault::NotJson => Place::Anything,
        Fault::CommitLate | Fault::FailAfterCommit { .. } | Fault::Deadlock | Fault::PlugIn(_) => Place::Writes,
        Fault::FreezeModifiedOn | Fault::Adjust(_) => Place::Updates,
        Fault::OtherId => Place::Creates,
        Fault::Corrupt { .. } => Place::Reads,
        Fault::HostileNext(_) => Place::Lists,
        Fault::Panic | Fault::Hold(..) => Place::Nowhere,
    }
}

/// One fault of each kind that has a place in the soak.
fn kinds(rng: &mut Rng) -> Vec<Fault> {
    let refusals = [(-2_147_220_970, "An unexpected error occurred."), (-2_147_204_783, "SQL timeout expired.")];
    let (code, message) = refusals[rng.usize(..refusals.len())];
    let failures = [(-2_147_220_970, "An unexpected error occurred."), (-2_147_204_784, "Generic SQL error.")];
    let (failure, failed) = failures[rng.usize(..failures.len())];
    vec![
        Fault::Latency(rng.u64(1..300)),
        Fault::DropBeforeCommit,
        Fault::DropAfterCommit,
        Fault::CommitLate,
        Fault::Truncate,
        Fault::Unauthorized,
        Fault::RedirectToLogin,
        Fault::RedirectTo("https://elsewhere.example/".into()),
        Fault::LoginForm,
        Fault::Html(502),
        Fault::Refuse { status: 500, code, message: message.into() },
        Fault::FailAfterCommit { code: failure, message: failed.into() },
        Fault::Deadlock,
        Fault::PlugIn("not today".into()),
        Fault::NoPrivilege,
        Fault::NotJson,
        Fault::FreezeModifiedOn,
        Fault::OtherId,
        Fault::Adjust([("Description", Value::text("adjusted"))].into()),
        Fault::Corrupt { attribute: "CreditLimit".into(), json: "\"much\"".into() },
        Fault::HostileNext("http://elsewhere.example/XRMServices/2011/OrganizationData.svc/AccountSet".into()),
    ]
}

/// What the trouble came to.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) traffic: Traffic,
    pub(crate) deeds: crate::people::Deeds,
    /// How often CDMS could not be reached.
    pub(crate) away: u64,
    /// The kinds that met no request.
    pub(crate) never_met: Vec<&'static str>,
}

/// Makes trouble until it is told to stop.
pub(crate) fn make(kit: &Kit, mut people: People, seed: u64, stop: &AtomicBool) -> Trouble {
    let mut rng = Rng::with_seed(seed);
    let mut traffic = Traffic::default();
    let (mut met_before, mut round, mut away) = (0, 0_u64, 0);
    order(kit, &mut rng);
    while !stop.load(Ordering::Relaxed) {
        // How often trouble changes.
        std::thread::sleep(ROUND);
        round += 1;
        let met: u64 = kit.simulator.faults_hit().values().sum();
        if met - met_before >= FAULTS as u64 / 2 {
            met_before = met;
            kit.simulator.clear_faults();
            order(kit, &mut rng);
        }
        people.act(kit, round);
        if round.is_multiple_of(40) {
            // Sooner than the execution limit, which the hub counts on.
            kit.simulator.commit_late();
        }
        if round.is_multiple_of(400) {
            kit.simulator.expire_sessions();
        }
        if round % 40_000 == 300 {
            fail_a_login(kit);
        }
        if round % 400 == 250 {
            kit.simulator.go_away();
            // As long as CDMS is away.
            std::thread::sleep(AWAY);
            kit.simulator.come_back();
            away += 1;
        }
        traffic.take(&kit.simulator);
    }
    kit.simulator.clear_faults();
    kit.simulator.commit_late();
    let hits = kit.simulator.faults_hit();
    let names = kinds(&mut rng).iter().map(Fault::name).collect::<BTreeSet<_>>();
    let never_met = names.into_iter().filter(|name| !hits.contains_key(*name)).collect();
    Trouble { traffic, deeds: people.deeds, away, never_met }
}

/// Orders faults: those that no program has met yet for the next requests that they fit, and others at random.
fn order(kit: &Kit, rng: &mut Rng) {
    let hits = kit.simulator.faults_hit();
    let due: Vec<_> = kinds(rng).into_iter().filter(|fault| !hits.contains_key(fault.name())).collect();
    for fault in due {
        let operation = operation(rng, &fault);
        kit.simulator.fault(rule(fault, operation).after(rng.u32(..3)).times(1));
    }
    for _ in 0..FAULTS {
        let mut kinds = kinds(rng);
        let fault = kinds.swap_remove(rng.usize(..kinds.len()));
        // After it the program has to connect again.
        if matches!(fault, Fault::OtherId) && rng.u32(..8) != 0 {
            continue;
        }
        let operation = operation(rng, &fault);
        // About as often as such requests are made.
        let among = match operation {
            Operation::Read => 50,
            Operation::Update => 40,
            Operation::Create => 12,
            Operation::Delete => 6,
            Operation::List => 8,
            Operation::Other => 2,
        };
        kit.simulator.fault(rule(fault, operation).after(rng.u32(..among)).times(1));
    }
    kit.simulator.fault(FaultRule::new(Fault::Latency(rng.u64(1..100))).on(Operation::Other).times(1));
}

/// Ends all sessions and has the next login fail, after which its program does not try again for ten seconds.
fn fail_a_login(kit: &Kit) {
    kit.simulator.fault(FaultRule::new(Fault::Html(503)).on(Operation::Other).times(1));
    kit.simulator.expire_sessions();
}

fn rule(fault: Fault, operation: Operation) -> FaultRule {
    let rule = FaultRule::new(fault).on(operation);
    // The list by which a hub finds out which organisation it is is not that of a pull.
    if operation == Operation::List { rule.entity("Account") } else { rule }
}

/// A request that a fault can meet, as often as such requests matter.
fn operation(rng: &mut Rng, fault: &Fault) -> Operation {
    use Operation::{Create, Delete, List, Read, Update};
    let of: &[Operation] = match place(fault) {
        Place::Anything => &[Read, Read, Read, Read, Update, Update, Update, Create, Delete, List],
        Place::Reads => &[Read],
        Place::Writes => &[Update, Update, Update, Create, Delete],
        Place::Creates => &[Create],
        Place::Updates => &[Update],
        Place::Lists => &[List],
        Place::Nowhere => unreachable!("no fault is ordered that has no place"),
    };
    of[rng.usize(..of.len())]
}

/// A flag that ends the trouble when whoever holds it is gone.
pub(crate) struct StopOnDrop(pub(crate) Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
