//! What the engine keeps of a renamed table's rows is carried over to the new name: in batches, and while programs of other
//! tables go on.

use std::time::Duration;

use datahub_runtime::Verdict;
use datahub_runtime::migration::{Migration, MigrationEvent};

use crate::locks::hold;
use crate::older_programs::{lose, older};
use crate::stage::{Heard, add_history, carried, contract, kit, names, run, says};

/// The history of renamed organisations is rewritten while another table's program is about to commit an entry.
#[tokio::test]
async fn others_write_their_history_meanwhile() {
    let kit = kit();
    kit.hub(example_domain::models()).connect().await.unwrap();
    add_history(&kit, "organisations", 6_000);
    // A file has one writer, which would wait for the batch that is under way.
    let other = kit.is_on_postgres().then(|| {
        hold(
            &kit,
            "INSERT INTO datahub_history (entity, id, model, version, at, actor, program, origin, kind, changes, constants, \
             local, mapping_id) VALUES ('Contact', gen_random_uuid(), 'contacts', 1, now(), 'ada', 'web', 'hub', 'create', \
             '[]', '{}', '[]', 1)",
        )
    });
    let report = run(&kit, &carried()).contract().lock_timeout(Duration::from_millis(100), 2).await.unwrap();
    drop(other);
    let applied = &report.applied[0];
    assert_eq!(names(&report), ["20260101000000_carry"]);
    assert!(applied.longest_lock < applied.statements[1].took, "no lock was held for both batches: {applied:?}");
    let history = kit.rows_of("datahub_history");
    assert_eq!(history.iter().filter(|row| row.contains("model='firms'")).count(), 6_000);
}

#[tokio::test]
async fn what_an_older_program_finishes_meanwhile_is_carried_over_too() {
    let kit = kit();
    let (hub, _, mut organisation) = older(&kit).await;
    let operation = lose(&kit, &hub, &mut organisation).await;
    let heard = Heard::default();
    let running = tokio::spawn(heard.by(run(&kit, &carried())).contract().into_future());
    heard.until(|event| matches!(event, MigrationEvent::WaitingForWrites { open: 1, .. })).await;
    kit.advance(Duration::from_secs(240 + 330 + 1));
    let report = hub.settle().await.unwrap();
    assert_eq!(report.settled, [(operation, Verdict::Applied)], "{report:?}");
    running.await.unwrap().unwrap();
    let history = kit.rows_of("datahub_history");
    assert_eq!(history.len(), 2, "{history:?}");
    for row in history.iter().chain(&kit.rows_of("datahub_records")) {
        assert!(row.contains("model='firms'"), "{row}");
    }
}

#[tokio::test]
async fn a_migration_changes_nothing_of_the_history_but_the_name() {
    let kit = kit();
    kit.hub(example_domain::models()).connect().await.unwrap();
    add_history(&kit, "organisations", 1);
    for in_transaction in [false, true] {
        let sql = "-- in batches by sequence\nUPDATE datahub_history SET actor = 'eve' WHERE model = 'organisations'";
        let forged = Migration { in_transaction, ..contract("1_forge", "organisations", 1, &[sql]) };
        says(run(&kit, &[forged]).contract().await, &["1_forge failed", "append-only", "changes nothing else"]);
        assert!(kit.rows_of("datahub_history")[0].contains("actor='ada'"));
    }
    let sql = "-- in batches by sequence\nDELETE FROM datahub_history WHERE model = 'organisations'";
    let wrong = Migration { in_transaction: false, ..contract("1_delete", "organisations", 1, &[sql]) };
    says(run(&kit, &[wrong]).contract().await, &["must have the form `UPDATE table SET … WHERE condition`"]);
}
