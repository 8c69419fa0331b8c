//! A program that is killed in mid-write and started again: one test per kind of write and place of death.
//!
//! The victim is this same program in another process, with the same database, CDMS and clock. A gate in CDMS holds its
//! request until it is dead.

#[path = "../on_postgres.rs"]
mod on_postgres;
mod victim;

use std::process::ExitCode;
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{FaultRule, Operation, Stage};
use datahub_runtime::{EntryKind, Seen, Value, Verdict};
use example_domain::{Contact, Organisation};
use libtest_mimic::{Arguments, Failed, Trial};
use uuid::Uuid;

use victim::{NEW_NAME, Order, Write};

fn main() -> ExitCode {
    if let Some(order) = Order::from_environment() {
        return victim::run(&order);
    }
    let mut trials: Vec<_> = Death::ALL.map(|death| Trial::test(death.name, move || survive(death))).into();
    trials.push(Trial::test("all_of_it_holds_on_postgresql", || on_postgres::run_again().map_err(Failed::from)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Where a write is when its program is killed.
#[derive(Clone, Copy)]
struct Death {
    name: &'static str,
    write: Write,
    held: Operation,
    stage: Stage,
    /// How many requests like the held one come first.
    after: u32,
    /// Whether CDMS has the write, which is what settling must find.
    is_in_cdms: bool,
}

impl Death {
    const ALL: [Death; 7] = [
        death("update_before_cdms_has_it", Write::Update, Operation::Update, Stage::BeforeCommit, 0),
        death("update_before_cdms_has_answered", Write::Update, Operation::Update, Stage::AfterCommit, 0),
        death("update_before_it_was_read_back", Write::Update, Operation::Read, Stage::BeforeCommit, 1),
        death("create_before_cdms_has_it", Write::Create, Operation::Create, Stage::BeforeCommit, 0),
        death("create_before_cdms_has_answered", Write::Create, Operation::Create, Stage::AfterCommit, 0),
        death("delete_before_cdms_has_it", Write::Delete, Operation::Delete, Stage::BeforeCommit, 0),
        death("delete_before_cdms_has_answered", Write::Delete, Operation::Delete, Stage::AfterCommit, 0),
    ];
}

const fn death(name: &'static str, write: Write, held: Operation, stage: Stage, after: u32) -> Death {
    // The request that is held is the write itself, unless some come first.
    let is_in_cdms = after > 0 || matches!(stage, Stage::AfterCommit);
    Death { name, write, held, stage, after, is_in_cdms }
}

/// Past the lease of the dead and the quiet period.
const PAST_QUIET: Duration = Duration::from_secs(240 + 330 + 1);

fn survive(death: Death) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let kit = Kit::new(example_domain::METADATA);
        let account = kit.simulator.seed("Account", [("Name", Value::text("Acme"))]);
        let hub = kit.hub(example_domain::models()).connect().await?;
        Organisation::get(&hub, account.into()).await?;
        hub.shutdown(Duration::from_secs(60)).await;
        kit.advance(Duration::from_secs(60));
        let order = Order::new(&kit, death.write, account);

        let gate =
            kit.simulator.hold(death.stage, |hold| FaultRule::new(hold).on(death.held).after(death.after).times(1));
        let mut victim = order.give()?;
        tokio::select! {
            () = gate.arrived(1) => {}
            status = victim.wait() => return Err(format!("the victim ended by itself: {}", status?).into()),
        }
        victim.kill().await?;
        // The server notices that its client is gone; only then the gate is of no use any more.
        let held = |status: Option<u16>| status.is_none();
        while !kit.simulator.requests().iter().any(|request| held(request.status)) {
            tokio::task::yield_now().await;
        }
        gate.open();

        let hub = kit.hub(example_domain::models()).connect().await?;
        let report = hub.settle().await?;
        if report.settled.is_empty() {
            assert_eq!(report.waiting.len(), 1, "the dead one's lease is respected: {report:?}");
            unsettled_meanwhile(&hub, &order).await?;
        }
        kit.advance(PAST_QUIET);
        let report = hub.settle().await?;
        let [(operation, verdict)] = &report.settled[..] else { panic!("{report:?}") };
        assert_eq!(*verdict, if death.is_in_cdms { Verdict::Applied } else { Verdict::NotApplied });
        let commits = kit.simulator.log();
        let by_the_dead = commits.iter().filter(|commit| commit.operation == Some(operation.to_string()));
        assert_eq!(
            by_the_dead.filter(|commit| commit.entity != "CustomerAddress").count(),
            usize::from(death.is_in_cdms)
        );
        both_sides_agree(&kit, &hub, &order).await?;
        order.write.carry_out(&hub, &order).await.or_else(|error| {
            let is_done = matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::Gone);
            if is_done && death.is_in_cdms { Ok(()) } else { Err(error) }
        })?;
        both_sides_agree(&kit, &hub, &order).await?;
        hub.shutdown(Duration::from_secs(60)).await;
        Ok(())
    })
}

/// What a reader and another writer learn before the write is settled.
async fn unsettled_meanwhile(hub: &Hub, order: &Order) -> Result<(), Failed> {
    match order.write {
        Write::Create => {
            let read = Contact::get(hub, order.contact.into()).await.map(drop);
            assert_eq!(read.map_err(|error| error.kind()), Err(ErrorKind::Unsettled));
        }
        Write::Update | Write::Delete => {
            let row = Organisation::get(hub, order.account.into()).await?;
            assert!(matches!(row.checked(), Checked::Pending { .. }), "{:?}", row.checked());
            assert_eq!(row.name, "Acme");
        }
    }
    let busy = order.write.carry_out(hub, order).await;
    assert_eq!(busy.map_err(|error| error.kind()), Err(ErrorKind::Busy));
    Ok(())
}

async fn both_sides_agree(kit: &Kit, hub: &Hub, order: &Order) -> Result<(), Failed> {
    let is_in_cdms = |entity, id: Uuid| kit.simulator.record(entity, id).is_some();
    let (read, is_in_cdms) = match order.write {
        Write::Create => {
            let read = Contact::get(hub, order.contact.into()).await.map(|contact| contact.checked());
            (read, is_in_cdms("Contact", order.contact))
        }
        Write::Update | Write::Delete => {
            let read = Organisation::get(hub, order.account.into()).await.map(|org| {
                let record = kit.simulator.record("Account", order.account).expect("the hub has it");
                assert_eq!(record.get("Name"), Some(&Value::text(org.name.as_str())));
                assert!(["Acme", NEW_NAME].contains(&org.name.as_str()));
                org.checked()
            });
            (read, is_in_cdms("Account", order.account))
        }
    };
    match read {
        Ok(Checked::At { found: Seen::InSync, .. }) => assert!(is_in_cdms),
        Ok(other) => panic!("{other:?}"),
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Gone), "{error}");
            assert!(!is_in_cdms);
        }
    }
    let history = Organisation::history(hub, order.account.into()).await?;
    let ours = history.iter().filter(|entry| matches!(entry.kind, EntryKind::Updated | EntryKind::Deleted)).count();
    assert!(ours <= 2, "nothing is told twice: {history:?}");
    Ok(())
}
