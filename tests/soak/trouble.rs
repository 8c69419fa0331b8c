//! What the soak's CDMS is made to do: a tenth of its calls and more meet a fault, and people change its records.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use datahub_runtime::Value;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation};
use fastrand::Rng;
use uuid::Uuid;

/// So many faults are ordered at a time, among so many requests of each kind.
const FAULTS: u64 = 24;
const AMONG: u32 = 60;

/// Makes trouble until it is told to stop; says how many edits people made.
pub(crate) fn make(kit: &Kit, accounts: &[Uuid], seed: u64, stop: &AtomicBool, edits: &AtomicU64) {
    let mut rng = Rng::with_seed(seed);
    let mut met_before = 0;
    order(kit, &mut rng);
    let mut round = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(5));
        round += 1;
        let met: u64 = kit.simulator.faults_hit().values().sum();
        if met - met_before >= FAULTS / 2 {
            met_before = met;
            kit.simulator.clear_faults();
            order(kit, &mut rng);
        }
        if round.is_multiple_of(4) {
            let account = accounts[rng.usize(..accounts.len())];
            let edit = edits.fetch_add(1, Ordering::Relaxed);
            let (attribute, value) = match rng.u32(..3) {
                0 => ("Name", format!("Name {edit}")),
                1 => ("EMailAddress1", format!("{edit}@example.org")),
                _ => ("WebSiteURL", format!("https://person{edit}.example")),
            };
            kit.simulator.edit("Account", account, [(attribute, Value::text(value))]);
        }
        if round.is_multiple_of(40) {
            // Sooner than the execution limit, which the hub counts on.
            kit.simulator.commit_late();
        }
        if round.is_multiple_of(400) {
            kit.simulator.expire_sessions();
        }
    }
    kit.simulator.clear_faults();
    kit.simulator.commit_late();
}

fn order(kit: &Kit, rng: &mut Rng) {
    for _ in 0..FAULTS {
        let operation = match rng.u32(..10) {
            0..4 => Operation::Read,
            4..8 => Operation::Update,
            8 => Operation::Create,
            _ => Operation::Delete,
        };
        let fault = fault(rng, operation);
        kit.simulator.fault(FaultRule::new(fault).on(operation).after(rng.u32(..AMONG)).times(1));
    }
}

/// A fault of any kind that the simulator knows and that fits the request.
fn fault(rng: &mut Rng, operation: Operation) -> Fault {
    let is_write = operation != Operation::Read;
    loop {
        return match rng.u32(..19) {
            0 => Fault::Latency(rng.u64(1..300)),
            1 => Fault::DropBeforeCommit,
            2 => Fault::DropAfterCommit,
            3 if is_write => Fault::CommitLate,
            4 => Fault::Truncate,
            5 => Fault::Unauthorized,
            6 => Fault::RedirectToLogin,
            7 => Fault::RedirectTo("elsewhere.example".into()),
            8 => Fault::LoginForm,
            9 => Fault::Html(502),
            10 => Fault::Refuse { status: 500, code: -2_147_220_970, message: "An unexpected error occurred.".into() },
            11 => Fault::Refuse { status: 500, code: -2_147_204_783, message: "SQL timeout expired.".into() },
            12 if is_write => Fault::Deadlock,
            13 if is_write => Fault::PlugIn("not today".into()),
            14 => Fault::NoPrivilege,
            15 => Fault::NotJson,
            16 if operation == Operation::Update => Fault::FreezeModifiedOn,
            17 if operation == Operation::Update => Fault::Adjust([("Description", Value::text("adjusted"))].into()),
            18 if !is_write => Fault::Corrupt { attribute: "CreditLimit".into(), json: "\"much\"".into() },
            _ => continue,
        };
    }
}

/// A flag that ends the trouble when whoever holds it is gone.
pub(crate) struct StopOnDrop(pub(crate) Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
