//! An older program next to a step that it cannot live with: it finishes what it began, and begins nothing more.

use std::time::Duration;

use datahub_runtime::migration::{Migration, MigrationError, MigrationEvent};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation};
use datahub_runtime::{OperationId, Value, Verdict};
use example_domain::Organisation;
use uuid::Uuid;

use crate::stage::{Heard, check, contract, kit, run, says, settings};

/// A hub of an older program, and the organisation in CDMS that it has read.
pub(crate) async fn older(kit: &Kit) -> (Hub, Id<Organisation>, Synced<Organisation>) {
    let hub = kit.hub(example_domain::models()).program("older").connect().await.unwrap();
    let account: Uuid = kit.simulator.seed("Account", [("Name", Value::text("Acme"))]);
    let id = Id::from(account);
    let organisation = Organisation::get(&hub, id).await.unwrap();
    (hub, id, organisation)
}

/// A step that older programs of organisations cannot live with.
fn step() -> Vec<Migration> {
    vec![contract("1_contract", "organisations", 1, &["ALTER TABLE organisations ADD COLUMN added TEXT"])]
}

/// Makes an update of the older program whose answer is lost.
pub(crate) async fn lose(kit: &Kit, hub: &Hub, organisation: &mut Synced<Organisation>) -> OperationId {
    kit.advance(Duration::from_secs(60));
    organisation.name = "Acme Foods".into();
    kit.simulator.fault(FaultRule::new(Fault::DropAfterCommit).on(Operation::Update).times(1));
    let error = organisation.save(hub).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsettled);
    error.operation_id().unwrap()
}

#[tokio::test]
async fn an_older_program_begins_nothing_more_and_says_why() {
    let kit = kit();
    let (hub, id, mut organisation) = older(&kit).await;
    let token = organisation.version_token();
    run(&kit, &step()).contract().await.unwrap();
    let requests = kit.simulator.requests().len();
    organisation.name = "Acme Ltd".into();
    let copy = organisation.clone();
    let refusals = [
        ("get", Organisation::get(&hub, id).await.map(drop).unwrap_err()),
        ("or_local", Organisation::get(&hub, id).or_local().await.map(drop).unwrap_err()),
        ("local", Organisation::get(&hub, id).freshness(Freshness::LocalOnly).await.map(drop).unwrap_err()),
        ("save", organisation.save(&hub).await.map(drop).unwrap_err()),
        (
            "create",
            Organisation::create(&hub, Organisation::named("Beta")).await.map(drop).map_err(Error::from).unwrap_err(),
        ),
        ("delete", copy.delete(&hub).await.map_err(Error::from).unwrap_err()),
        ("edit", Organisation::edit(&hub, id, token).await.map(drop).unwrap_err()),
        ("pull", hub.pull::<Organisation>().await.map(drop).unwrap_err()),
        ("erase", Organisation::erase(&hub, id, "asked for").await.map(drop).unwrap_err()),
    ];
    for (operation, error) in refusals {
        assert_eq!(error.kind(), ErrorKind::Outdated, "{operation}: {error}");
        let text = error.to_string();
        for part in ["too old for table organisations", "epoch 0", "to 1", "start the version of the program"] {
            assert!(text.contains(part), "{operation}: {text:?} does not say {part:?}");
        }
    }
    assert_eq!(kit.simulator.requests().len(), requests, "nothing was sent");
    assert_eq!(Organisation::history(&hub, id).await.unwrap().len(), 1, "the history can still be read");
    let again = kit.hub(example_domain::models()).connect().await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Outdated, "{again}");
}

#[tokio::test]
async fn a_run_waits_for_the_open_writes_of_older_programs_which_are_finished() {
    let kit = kit();
    let (hub, id, mut organisation) = older(&kit).await;
    let operation = lose(&kit, &hub, &mut organisation).await;
    let heard = Heard::default();
    let running = tokio::spawn(heard.by(run(&kit, &step())).contract().into_future());
    heard.until(|event| matches!(event, MigrationEvent::WaitingForWrites { open: 1, .. })).await;
    // The epoch is raised already: nothing more is begun, and what was begun is finished.
    assert_eq!(Organisation::get(&hub, id).await.unwrap_err().kind(), ErrorKind::Outdated);
    kit.advance(Duration::from_secs(240 + 330 + 1));
    let report = hub.settle().await.unwrap();
    assert_eq!(report.settled, [(operation, Verdict::Applied)], "{report:?}");
    running.await.unwrap().unwrap();
    assert!(kit.rows_of("organisations")[0].contains("Acme Foods"));
}

#[tokio::test]
async fn a_run_that_waited_in_vain_leaves_older_programs_as_they_were() {
    let kit = kit();
    let (hub, id, mut organisation) = older(&kit).await;
    let operation = lose(&kit, &hub, &mut organisation).await;
    let refused = run(&kit, &step()).contract().patience(Duration::from_millis(300)).await;
    let parts = ["1_contract was not executed", "writes of older programs are still open", "by older"];
    let error = says(refused, &parts);
    let MigrationError::OpenWrites { writes, .. } = error else { panic!("{error:?}") };
    assert_eq!((writes.len(), &writes[0].operation), (1, &operation.to_string()));
    assert_eq!((settings(&kit, "epoch").len(), settings(&kit, "migrati").len()), (0, 0));
    kit.advance(Duration::from_secs(240 + 330 + 1));
    assert_eq!(hub.settle().await.unwrap().settled.len(), 1);
    assert_eq!(Organisation::get(&hub, id).await.unwrap().name, "Acme Foods");
}

#[tokio::test]
async fn a_run_that_lost_its_lease_leaves_the_epochs_to_the_one_that_took_over() {
    let kit = kit();
    let (hub, _, mut organisation) = older(&kit).await;
    lose(&kit, &hub, &mut organisation).await;
    let heard = Heard::default();
    let running = tokio::spawn(heard.by(run(&kit, &step())).contract().into_future());
    heard.until(|event| matches!(event, MigrationEvent::WaitingForWrites { .. })).await;
    kit.run_sql(
        "UPDATE datahub_settings SET value = '{\"holder\":\"00000000-0000-0000-0000-000000000001\",\
         \"who\":\"other\",\"until_ms\":9999999999999}' WHERE name = 'migrating'",
    )
    .unwrap();
    assert_eq!(running.await.unwrap().unwrap_err(), MigrationError::TakenOver);
    assert_eq!(settings(&kit, "name='epoch:organisations'").len(), 1, "the other run may rely on it");
}

#[tokio::test]
async fn a_step_that_fails_leaves_older_programs_as_they_were_if_it_changed_nothing() {
    let kit = kit();
    let (hub, id, _) = older(&kit).await;
    let wrong = |in_transaction| {
        let statements = ["ALTER TABLE organisations ADD COLUMN added TEXT", "nonsense"];
        Migration { in_transaction, ..contract("1_contract", "organisations", 1, &statements) }
    };
    let refused = run(&kit, &[wrong(true)]).contract().await;
    let error = says(refused, &["1_contract failed in statement 2", "nothing of it was changed"]);
    assert!(!error.to_string().contains("older programs refuse"), "{error}");
    assert_eq!((settings(&kit, "epoch").len(), settings(&kit, "migrati").len()), (0, 0));
    Organisation::get(&hub, id).await.unwrap();

    // Statement by statement, some of it stays.
    let refused = run(&kit, &[wrong(false)]).contract().await;
    says(refused, &["1_contract failed in statement 2", "older programs refuse to work on organisations"]);
    assert_eq!(settings(&kit, "name='epoch:organisations'").len(), 1);
    assert_eq!(Organisation::get(&hub, id).await.unwrap_err().kind(), ErrorKind::Outdated);
    // Another text does not make it a migration that was never begun.
    let statements = ["SELECT 1"];
    let checks = vec![check("no organisation exists", "SELECT id FROM organisations")].into();
    let edited = Migration { in_transaction: false, checks, ..contract("1_contract", "organisations", 1, &statements) };
    says(run(&kit, &[edited]).contract().await, &["not true yet: no organisation exists"]);
    assert_eq!(settings(&kit, "name='epoch:organisations'").len(), 1, "the table is changed");
}

#[tokio::test]
async fn an_older_program_that_completes_rows_says_why_it_cannot_go_on() {
    let kit = kit();
    let (hub, ..) = older(&kit).await;
    // As if another mapping had stored it.
    kit.run_sql("UPDATE datahub_records SET mapping_id = 1").unwrap();
    let statements = ["ALTER TABLE organisations DROP COLUMN name"];
    run(&kit, &[contract("1_contract", "organisations", 1, &statements)]).contract().await.unwrap();
    let error = hub.backfill::<Organisation>().await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Outdated, "{error}");
}

#[tokio::test]
async fn settling_leaves_writes_of_newer_mappings_to_newer_programs() {
    let kit = kit();
    let (hub, _, mut organisation) = older(&kit).await;
    let operation = lose(&kit, &hub, &mut organisation).await;
    // As if a newer program had begun it.
    kit.run_sql("UPDATE datahub_intents SET mapping_id = 1").unwrap();
    kit.run_sql("INSERT INTO datahub_settings (name, value) VALUES ('epoch:organisations', '1')").unwrap();
    kit.advance(Duration::from_secs(240 + 330 + 1));
    let report = hub.settle().await.unwrap();
    assert_eq!((report.left_to_others, report.failed.len()), (vec![operation], 0));
}

/// Under load: every operation of the older program either works or says that the program is too old, and none of them
/// reaches the table after the step.
#[tokio::test]
async fn an_older_program_under_load_is_stopped_cleanly() {
    let kit = kit();
    let (hub, _, _) = older(&kit).await;
    let (done, mut first_ones) = tokio::sync::mpsc::unbounded_channel();
    let working = (0..4).map(|number| {
        let (hub, done) = (hub.clone(), done.clone());
        tokio::spawn(async move {
            let (mut worked, name) = (0, format!("Firm {number}"));
            loop {
                match Organisation::create(&hub, Organisation::named(&name)).await.map_err(Error::from) {
                    Ok(_) => {
                        worked += 1;
                        // The receiver is gone when the migration has ended.
                        _ = done.send(number);
                    }
                    Err(error) if error.kind() == ErrorKind::Outdated => return worked,
                    Err(error) => panic!("{error}"),
                }
            }
        })
    });
    let working: Vec<_> = working.collect();
    // Each of them is at work.
    let mut at_work = std::collections::BTreeSet::new();
    while at_work.len() < 4 {
        at_work.insert(first_ones.recv().await.unwrap());
    }
    let report = run(&kit, &step()).contract().await.unwrap();
    println!("the longest lock was held for {:?}", report.longest_lock());
    let mut worked = 0;
    for work in working {
        worked += work.await.unwrap();
    }
    assert!(worked > 0);
    assert_eq!(kit.rows_of("organisations").len(), worked + 1, "what was begun was finished");
    assert!(kit.rows_of("datahub_intents").iter().all(|intent| !intent.contains(" verdict=NULL")));
}
