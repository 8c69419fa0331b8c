//! The outcome table: what comes back from a write, and what the hub makes of it, for each kind of write.
//!
//! Whatever comes back, the row is as it was before unless the write is known to be in CDMS.

use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Expiry, Fault, FaultRule, Operation, Stage};
use datahub_runtime::{Attributes, EntryKind, Finding, Note, Origin, Value, Verdict};
use example_domain::{Contact, Organisation};

use crate::scene::{PAST_QUIET, Scene, Write, acme, ada, failed, found, says};

#[tokio::test]
async fn applied() {
    for write in Write::ALL {
        let scene = Scene::new().await;
        let attempt = write.prepare(&scene).await;
        attempt.run(&scene).await.unwrap();
        assert!(attempt.is_in_cdms(&scene), "{write:?}");
        assert_eq!(scene.open_intents(), 0, "{write:?}");
        let commits = scene.commits();
        assert_eq!(commits.len(), 1, "{write:?}");
        let operation = commits[0].operation.as_deref().expect("the operation is named in a header").parse().unwrap();
        let known = scene.hub.operation(operation).await.unwrap();
        assert_eq!((known.write, known.verdict), (write.kind(), Some(Verdict::Applied)));
    }
}

#[tokio::test]
async fn refusals_in_cdms_json() {
    let refusals = [
        Fault::Refuse { status: 400, code: 0, message: "The property 'Nonsense' does not exist.".into() },
        Fault::NoPrivilege,
        Fault::Refuse { status: 404, code: 0, message: "Resource not found for the segment 'X'.".into() },
        Fault::Refuse { status: 409, code: 0, message: "Conflict.".into() },
        Fault::PlugIn("No biscuits on Mondays.".into()),
        Fault::Refuse { status: 500, code: -2_147_220_960, message: "SecLib::AccessCheckEx failed.".into() },
        Fault::Refuse { status: 500, code: -2_147_204_303, message: "A validation error occurred.".into() },
        Fault::Refuse { status: 500, code: -2_147_204_326, message: "The value is out of range.".into() },
        Fault::Refuse { status: 500, code: -2_147_220_989, message: "An argument is invalid.".into() },
        Fault::Refuse { status: 500, code: -2_147_187_704, message: "3 is not a valid status code.".into() },
    ];
    for write in Write::ALL {
        for refusal in &refusals {
            let scene = Scene::new().await;
            let attempt = write.prepare(&scene).await;
            let rows = scene.rows();
            scene.fault(write.operation(), refusal.clone());
            let error = failed(attempt.run(&scene).await, ErrorKind::Rejected);
            says(&error, &[attempt.model(), &attempt.id().to_string(), "nothing changed on either side"]);
            if let Fault::Refuse { status, message, .. } = refusal {
                says(&error, &[&status.to_string(), message]);
            }
            assert_eq!(scene.rows(), rows, "{write:?} {refusal:?}");
            assert_eq!(scene.commits(), [], "{write:?} {refusal:?}");
            assert_eq!(scene.open_intents(), 0, "{write:?} {refusal:?}");
            // Nothing is in the way of trying again.
            attempt.run(&scene).await.unwrap();
            assert!(attempt.is_in_cdms(&scene));
        }
    }
}

#[tokio::test]
async fn gone_of_an_update_makes_a_tombstone() {
    let scene = Scene::new().await;
    let attempt = Write::Update.prepare(&scene).await;
    let gate = scene.hold(Write::Update, Stage::BeforeCommit);
    let (updated, ()) = tokio::join!(attempt.run(&scene), async {
        gate.arrived(1).await;
        scene.kit.simulator.remove("Account", scene.account);
        gate.open();
    });
    failed(updated, ErrorKind::Gone);
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Gone]);
    assert_eq!(scene.open_intents(), 0);
}

#[tokio::test]
async fn the_code_of_gone_with_the_record_still_there_is_a_refusal() {
    // A lookup to a record that is not there is refused with the same code.
    let scene = Scene::new().await;
    let attempt = Write::Update.prepare(&scene).await;
    let rows = scene.rows();
    let missing = Fault::Refuse { status: 404, code: -2_147_220_969, message: "optevia_sector Does Not Exist".into() };
    scene.fault(Write::Update.operation(), missing);
    let error = failed(attempt.run(&scene).await, ErrorKind::Rejected);
    says(&error, &["optevia_sector Does Not Exist"]);
    assert_eq!(scene.rows(), rows);
    assert_eq!(scene.history().await, [EntryKind::FirstSeen]);
    assert_eq!(scene.open_intents(), 0);
}

#[tokio::test]
async fn gone_of_a_create_is_a_refusal() {
    let scene = Scene::new().await;
    let attempt = Write::Create.prepare(&scene).await;
    let missing = Fault::Refuse { status: 404, code: -2_147_220_969, message: "account Does Not Exist".into() };
    scene.fault(Write::Create.operation(), missing);
    says(&failed(attempt.run(&scene).await, ErrorKind::Rejected), &["account Does Not Exist"]);
    assert_eq!(scene.open_intents(), 0);
}

#[tokio::test]
async fn gone_of_a_delete_is_done() {
    let scene = Scene::new().await;
    let attempt = Write::Delete.prepare(&scene).await;
    let gate = scene.hold(Write::Delete, Stage::BeforeCommit);
    let (deleted, ()) = tokio::join!(attempt.run(&scene), async {
        gate.arrived(1).await;
        scene.kit.simulator.remove("Account", scene.account);
        gate.open();
    });
    deleted.unwrap();
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Gone], "it was not our delete");
    assert_eq!(scene.open_intents(), 0);
}

#[tokio::test]
async fn a_delete_that_a_plug_in_refuses_with_the_code_of_gone_is_a_refusal() {
    let scene = Scene::new().await;
    let attempt = Write::Delete.prepare(&scene).await;
    let rows = scene.rows();
    let missing = Fault::Refuse { status: 404, code: -2_147_220_969, message: "optevia_sector Does Not Exist".into() };
    scene.fault(Write::Delete.operation(), missing);
    let (deleted, cost) = scene.cost_of(attempt.run(&scene)).await;
    says(&failed(deleted, ErrorKind::Rejected), &["optevia_sector Does Not Exist"]);
    assert_eq!(cost.requests, 3, "one more to look at the record itself");
    assert_eq!(scene.rows(), rows);
    assert_eq!(scene.history().await, [EntryKind::FirstSeen]);
    assert_eq!(scene.open_intents(), 0);
}

#[tokio::test]
async fn a_duplicate_key_is_never_an_update() {
    let scene = Scene::new().await;
    let attempt = Write::Create.prepare(&scene).await;
    let taken = [("ContactId", Value::Guid(attempt.id())), ("LastName", Value::text("Byron"))];
    scene.kit.simulator.seed("Contact", taken);
    let before = scene.kit.simulator.record("Contact", attempt.id());
    failed(attempt.run(&scene).await, ErrorKind::AlreadyExists);
    assert_eq!(scene.kit.simulator.record("Contact", attempt.id()), before);
    assert_eq!(scene.dump("contacts"), [""; 0]);
    assert_eq!(scene.open_intents(), 0);
    // In the hub already: CDMS is not asked.
    let byron = Contact::get(&scene.hub, attempt.id().into()).await.unwrap();
    let (again, cost) = scene.cost_of(Contact::create(&scene.hub, byron.into_inner())).await;
    failed(again, ErrorKind::AlreadyExists);
    assert_eq!((cost.requests, cost.transactions), (0, 0));
}

#[tokio::test]
async fn a_deadlock_is_retried_under_the_same_intent() {
    for write in Write::ALL {
        let scene = Scene::new().await;
        let attempt = write.prepare(&scene).await;
        scene.kit.simulator.fault(FaultRule::new(Fault::Deadlock).on(write.operation()).times(2));
        attempt.run(&scene).await.unwrap();
        let sent = scene.requests(write.method());
        assert_eq!(sent.len(), 3, "{write:?}");
        assert!(sent.iter().all(|request| request.operation.is_some() && request.operation == sent[0].operation));
        assert_eq!(scene.commits().len(), 1, "{write:?}");
    }
}

#[tokio::test]
async fn deadlocks_without_end_are_a_refusal() {
    for write in Write::ALL {
        let scene = Scene::new().await;
        let attempt = write.prepare(&scene).await;
        let rows = scene.rows();
        scene.kit.simulator.fault(FaultRule::new(Fault::Deadlock).on(write.operation()));
        let error = failed(attempt.run(&scene).await, ErrorKind::Rejected);
        says(&error, &["try again"]);
        assert_eq!(scene.requests(write.method()).len(), 4, "{write:?}: bounded");
        assert_eq!((scene.rows(), scene.open_intents()), (rows, 0), "{write:?}");
    }
}

#[tokio::test]
async fn nothing_is_sent_when_the_lease_is_too_short() {
    for write in Write::ALL {
        let scene = Scene::new().await;
        let attempt = write.prepare(&scene).await;
        let rows = scene.rows();
        // The program is stopped between two sends for longer than its lease.
        scene.kit.simulator.fault(FaultRule::new(Fault::Deadlock).on(write.operation()));
        let gate = scene.hold(write, Stage::BeforeCommit);
        let (result, ()) = tokio::join!(attempt.run(&scene), async {
            gate.arrived(1).await;
            scene.kit.advance(Duration::from_secs(200));
            gate.open();
        });
        failed(result, ErrorKind::Rejected);
        assert_eq!(scene.requests(write.method()).len(), 1, "{write:?}");
        assert_eq!((scene.rows(), scene.open_intents()), (rows, 0), "{write:?}");
    }
}

#[tokio::test]
async fn connection_refused() {
    for write in Write::ALL {
        let scene = Scene::new().await;
        let attempt = write.prepare(&scene).await;
        let rows = scene.rows();
        scene.kit.simulator.go_away();
        // The connection that was open is given up by a read. A create that took it would not know whether it arrived.
        let away = Organisation::get(&scene.hub, Id::new()).await.unwrap_err();
        assert_eq!(away.kind(), ErrorKind::Unavailable);
        let error = failed(attempt.run(&scene).await, ErrorKind::Unavailable);
        says(&error, &[attempt.model(), &attempt.id().to_string(), "try again later"]);
        assert_eq!((scene.rows(), scene.open_intents()), (rows, 0), "{write:?}");
        scene.kit.simulator.come_back();
        attempt.run(&scene).await.unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_told_is_unsettled_until_settled() {
    let unknown = [
        Fault::DropBeforeCommit,
        Fault::DropAfterCommit,
        Fault::Truncate,
        Fault::CommitLate,
        Fault::Html(200),
        Fault::NotJson,
        Fault::Html(404),
        Fault::Html(500),
        Fault::Html(502),
        Fault::Html(503),
        Fault::Html(504),
        Fault::Html(405),
        Fault::Refuse { status: 500, code: -2_147_204_783, message: "SQL timeout".into() },
        Fault::FailAfterCommit { code: -2_147_204_783, message: "SQL timeout".into() },
        Fault::Refuse { status: 503, code: -2_147_220_891, message: "busy".into() },
    ];
    for write in Write::ALL {
        for fault in &unknown {
            let what = format!("{write:?} {fault:?}");
            let scene = Scene::new().await;
            let attempt = write.prepare(&scene).await;
            let rows = scene.rows();
            scene.fault(write.operation(), fault.clone());
            let error = failed(attempt.run(&scene).await, ErrorKind::Unsettled);
            let operation = error.operation_id().expect("an operation");
            says(&error, &[attempt.model(), &attempt.id().to_string(), "do not repeat it", &operation.to_string()]);
            if matches!(fault, Fault::Html(_)) {
                says(&error, &["an HTML page"]);
            }
            assert!(!error.is_in_cdms(), "{what}");
            assert_eq!(scene.rows(), rows, "{what}");
            assert_eq!(scene.open_intents(), 1, "{what}");
            assert_eq!(scene.hub.operation(operation).await.unwrap().verdict, None, "{what}");
            // Until it is settled nothing else is written.
            let busy = failed(attempt.run(&scene).await, ErrorKind::Busy);
            assert_eq!(busy.operation_id(), Some(operation), "{what}");
            assert!(busy.retry_after().is_some(), "{what}");
            assert_eq!(scene.requests(write.method()).len(), 1, "{what}");

            let is_in_cdms = attempt.is_in_cdms(&scene);
            scene.kit.advance(PAST_QUIET);
            let report = scene.settle().await;
            let expected = if is_in_cdms { Verdict::Applied } else { Verdict::NotApplied };
            assert_eq!(report.settled, [(operation, expected.clone())], "{what}");
            assert_eq!(scene.hub.operation(operation).await.unwrap().verdict, Some(expected), "{what}");
            if !is_in_cdms {
                assert_eq!(scene.rows(), rows, "{what}");
            }
            attempt.agrees(&scene).await;
        }
    }
}

#[tokio::test]
async fn a_time_out_is_unsettled() {
    for write in Write::ALL {
        let scene = Scene::with(|cdms| cdms, |hub| hub.time_limit(Duration::from_millis(300))).await;
        let attempt = write.prepare(&scene).await;
        let rows = scene.rows();
        let gate = scene.hold(write, Stage::AfterCommit);
        failed(attempt.run(&scene).await, ErrorKind::Unsettled);
        assert_eq!((scene.rows(), scene.open_intents()), (rows, 1), "{write:?}");
        gate.open();
    }
}

#[tokio::test]
async fn a_lost_session_is_one_login_and_one_repetition() {
    for (sign, expiry) in [
        (Fault::Unauthorized, Expiry::Unauthorized),
        (Fault::RedirectToLogin, Expiry::Redirect),
        (Fault::LoginForm, Expiry::LoginForm),
    ] {
        for write in Write::ALL {
            let scene = Scene::with_login(expiry).await;
            let attempt = write.prepare(&scene).await;
            let logins = scene.logins();
            scene.fault(write.operation(), sign.clone());
            attempt.run(&scene).await.unwrap();
            assert_eq!(scene.logins() - logins, 1, "{write:?} {sign:?}");
            let sent = scene.requests(write.method());
            let sent: Vec<_> = sent.iter().filter(|request| request.operation.is_some()).collect();
            assert_eq!(sent.len(), 2, "{write:?} {sign:?}");
            assert_eq!(sent[0].operation, sent[1].operation, "under the same intent");
            assert_eq!(scene.commits().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_had_again_is_a_refusal() {
    for write in Write::ALL {
        let scene = Scene::with_login(Expiry::Unauthorized).await;
        let attempt = write.prepare(&scene).await;
        let (rows, logins) = (scene.rows(), scene.logins());
        // Whatever session the login gives, CDMS takes none.
        scene.kit.simulator.fault(FaultRule::new(Fault::Unauthorized).on(write.operation()));
        let error = failed(attempt.run(&scene).await, ErrorKind::Unavailable);
        says(&error, &["login", "nothing changed on either side"]);
        assert_eq!(scene.logins() - logins, 1, "{write:?}: one login, not a storm");
        assert_eq!((scene.rows(), scene.open_intents()), (rows, 0), "{write:?}");
        assert_eq!(scene.commits(), []);
    }
}

#[tokio::test]
async fn a_redirect_to_a_stranger_is_not_followed() {
    for write in Write::ALL {
        let scene = Scene::new().await;
        let attempt = write.prepare(&scene).await;
        let rows = scene.rows();
        let elsewhere = format!("{}/elsewhere", scene.kit.simulator.root());
        scene.fault(write.operation(), Fault::RedirectTo(elsewhere));
        failed(attempt.run(&scene).await, ErrorKind::Unsettled);
        assert_eq!(scene.rows(), rows);
        let strayed = scene.kit.simulator.requests().into_iter().any(|request| request.target.contains("elsewhere"));
        assert!(!strayed, "{write:?}");
    }
}

#[tokio::test]
async fn an_update_that_could_not_be_read_back_is_completed_by_the_next_read() {
    let scene = Scene::new().await;
    let mut org = scene.get().await.unwrap();
    scene.minute();
    let read_back = FaultRule::new(Fault::DropBeforeCommit).on(datahub_runtime::testing::simulator::Operation::Read);
    scene.kit.simulator.fault(read_back.after(1).times(1));
    let modified = scene.modified();
    org.name = "Acme Foods".into();
    org.save(&scene.hub).await.unwrap();
    assert!(matches!(org.checked(), Checked::NotReadBack { .. }), "{:?}", org.checked());
    assert!(!org.checked().is_fresh());
    assert_eq!(scene.modified(), modified, "CDMS's time is not known, so it is not made up");
    assert_eq!(scene.row().await.unwrap().name, "Acme Foods");
    assert_eq!(scene.open_intents(), 0);
    assert_eq!(found(&scene.get().await.unwrap()), Finding::Filled);
    assert_ne!(scene.modified(), modified);
    assert_eq!(scene.history().await, [EntryKind::FirstSeen, EntryKind::Updated], "told once");
    // The value goes on from there.
    org.name = "Acme Biscuits".into();
    org.save(&scene.hub).await.unwrap();
    assert_eq!(scene.record().get("Name"), Some(&Value::text("Acme Biscuits")));
}

#[tokio::test]
async fn what_cdms_makes_of_a_value_is_returned_and_told() {
    let scene = Scene::new().await;
    let mut org = scene.get().await.unwrap();
    let plug_in = Attributes::from([("Name", Value::text("ACME FOODS")), ("Description", Value::text("upper case"))]);
    scene.fault(Write::Update.operation(), Fault::Adjust(plug_in.clone()));
    org.name = "Acme Foods".into();
    org.save(&scene.hub).await.unwrap();
    assert_eq!((org.name.as_str(), org.description.as_str()), ("ACME FOODS", "upper case"));
    let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
    let [_, ours, theirs] = &history[..] else { panic!("{history:?}") };
    let name = ours.changes.iter().find(|change| change.field == "name").unwrap();
    assert_eq!(name.note, Note::Adjusted { sent: Value::text("Acme Foods") });
    assert_eq!(name.to, Some(Value::text("ACME FOODS")));
    assert_eq!(name.to_string(), "name: \"Acme\" → \"ACME FOODS\"  (changed by CDMS from \"Acme Foods\")");
    assert_eq!((theirs.kind, theirs.origin), (EntryKind::Refreshed, Origin::Cdms), "what we did not send is CDMS's");
    assert_eq!(theirs.changes[0].field, "description");
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);

    scene.fault(Write::Create.operation(), Fault::Adjust(Attributes::from([("JobTitle", Value::text("Countess"))])));
    let contact = Contact::create(&scene.hub, ada(&scene)).await.unwrap();
    assert_eq!(contact.job_title.as_deref(), Some("Countess"));
}

#[tokio::test]
async fn applied_but_not_storable_waits_in_quarantine_and_loses_nothing() {
    // A plug-in's value that the model cannot take, and one that a local rule forbids.
    let unfit = Attributes::from([("StateCode", Value::Choice(7))]);
    let forbidden = Attributes::from([("WebSiteURL", Value::text("https://taken.example"))]);
    for (plug_in, names) in [(unfit, ["StateCode"; 2]), (forbidden, ["organisations.website", "one_website"])] {
        let scene = Scene::new().await;
        let names = scene.on(names[0], names[1]);
        let taken = [("WebSiteURL", Value::text("https://taken.example")), ("Name", Value::text("Other"))];
        let other = scene.kit.simulator.seed("Account", taken);
        Organisation::get(&scene.hub, other.into()).await.unwrap();
        scene.sql("CREATE UNIQUE INDEX one_website ON organisations (website)");
        let mut org = scene.get().await.unwrap();
        let rows = scene.rows_but_for_versions();
        scene.fault(Write::Update.operation(), Fault::Adjust(plug_in));
        org.name = "Acme Foods".into();
        let error = failed(org.save(&scene.hub).await, ErrorKind::Quarantined);
        says(
            &error,
            &["Organisation", &scene.account.to_string(), "CDMS applied the write", "the row stays as it was"],
        );
        assert!(error.is_in_cdms());
        let known = scene.hub.operation(error.operation_id().unwrap()).await.unwrap();
        assert_eq!(known.verdict, Some(Verdict::Applied), "the intent is closed as applied");
        assert_eq!(scene.rows_but_for_versions(), rows);
        let waiting = scene.quarantine().await;
        assert_eq!(waiting[0].id, scene.account);
        assert!(waiting[0].reason.contains(names), "{}", waiting[0].reason);
        let history = Organisation::history(&scene.hub, scene.id()).await.unwrap();
        let sent = history.last().unwrap().changes.iter().find(|change| change.field == "name").unwrap();
        assert_eq!(sent.to, Some(Value::text("Acme Foods")), "what was sent is told all the same");

        // Once it is mended in CDMS, the next read takes it.
        let mended = [("StateCode", Value::Choice(0)), ("WebSiteURL", Value::Null)];
        scene.kit.simulator.overwrite("Account", scene.account, mended);
        assert_eq!(scene.get().await.unwrap().name, "Acme Foods");
        assert_eq!(scene.quarantine().await, []);
    }
}

#[tokio::test]
async fn a_created_record_that_cannot_be_stored_waits_in_quarantine() {
    let scene = Scene::new().await;
    let attempt = Write::Create.prepare(&scene).await;
    scene.fault(Write::Create.operation(), Fault::Adjust(Attributes::from([("LastName", Value::Null)])));
    let error = failed(attempt.run(&scene).await, ErrorKind::Quarantined);
    assert!(error.is_in_cdms());
    assert_eq!(scene.open_intents(), 0);
    assert_eq!(scene.dump("contacts"), [""; 0]);
    let history = Contact::history(&scene.hub, attempt.id().into()).await.unwrap();
    let [created] = &history[..] else { panic!("{history:?}") };
    assert_eq!(created.kind, EntryKind::Created);
    scene.kit.simulator.edit("Contact", attempt.id(), [("LastName", Value::text("Lovelace"))]);
    assert_eq!(Contact::get(&scene.hub, attempt.id().into()).await.unwrap().last_name, "Lovelace");
    assert_eq!(scene.quarantine().await, []);
}

#[tokio::test]
async fn a_record_under_another_id_is_an_orphan_and_stops_creates() {
    let scene = Scene::new().await;
    let attempt = Write::Create.prepare(&scene).await;
    scene.fault(Write::Create.operation(), Fault::OtherId);
    let error = failed(attempt.run(&scene).await, ErrorKind::Misconfigured);
    let orphan = scene.commits()[0].id;
    says(&error, &["Contact", &attempt.id().to_string(), &orphan.to_string(), "creates are stopped"]);
    assert_eq!(scene.dump("contacts"), [""; 0]);
    assert_eq!(scene.open_intents(), 0);
    let waiting = scene.quarantine().await;
    assert_eq!((waiting[0].id, waiting[0].orphan_of), (orphan, Some(attempt.id())));
    assert_eq!(waiting[0].operation, error.operation_id());
    let (again, cost) = scene.cost_of(Contact::create(&scene.hub, ada(&scene))).await;
    says(&failed(again, ErrorKind::Misconfigured), &["creates are stopped"]);
    assert_eq!(cost.requests, 0, "the next create would make another one");
    let verdict = scene.hub.operation(error.operation_id().unwrap()).await.unwrap().verdict;
    assert_eq!(verdict, Some(Verdict::Orphaned { id: orphan }));
}

#[tokio::test]
async fn an_orphan_stops_creates_even_where_nobody_waits_for_it_any_more() {
    let scene = Scene::new().await;
    let attempt = Write::Create.prepare(&scene).await;
    scene.fault(Write::Create.operation(), Fault::OtherId);
    let gate = scene.hold(Write::Create, Stage::AfterCommit);
    tokio::select! {
        biased;
        done = attempt.run(&scene) => panic!("it was to be held: {done:?}"),
        () = gate.arrived(1) => {}
    }
    gate.open();
    // The task goes on by itself; its last step stops creates.
    let mut looks = 0;
    while scene.hub.health().await.creates_stopped.is_none() {
        looks += 1;
        assert!(looks < 100_000, "creates are never stopped");
        tokio::task::yield_now().await;
    }
    says(&failed(Contact::create(&scene.hub, ada(&scene)).await, ErrorKind::Misconfigured), &["creates are stopped"]);
}

#[tokio::test]
async fn a_local_constraint_fails_before_cdms_is_asked_to_write() {
    let scene = Scene::new().await;
    let twin = scene.kit.simulator.seed("Account", acme());
    let mut org = scene.get().await.unwrap();
    let mut other = Organisation::get(&scene.hub, twin.into()).await.unwrap();
    other.website = Some("https://acme.example".into());
    other.save(&scene.hub).await.unwrap();
    scene.sql(
        "CREATE UNIQUE INDEX one_website ON organisations (website);
         CREATE UNIQUE INDEX one_email ON contacts (email);",
    );
    let lovelace = Contact { email: Some("ada@example.com".into()), ..ada(&scene) };
    Contact::create(&scene.hub, lovelace.clone()).await.unwrap();
    let (rows, commits) = (scene.rows(), scene.commits());

    org.website = Some("https://acme.example".into());
    let error = failed(org.save(&scene.hub).await, ErrorKind::Invalid);
    says(
        &error,
        &[
            "Organisation",
            &scene.account.to_string(),
            scene.on("organisations.website", "one_website"),
            "CDMS was not asked to write",
        ],
    );
    let twin = Contact { id: Id::new(), ..lovelace };
    let error = failed(Contact::create(&scene.hub, twin).await, ErrorKind::Invalid);
    says(&error, &["Contact", scene.on("contacts.email", "one_email"), "CDMS was not asked to write"]);
    assert!(!error.to_string().contains("ada@example.com"), "{error}");
    assert_eq!((scene.rows(), scene.open_intents()), (rows.clone(), 0));
    let guid = scene.on("BLOB", "UUID");
    scene.sql(&format!(
        "CREATE TABLE notes (about {guid} NOT NULL REFERENCES organisations (id));
         INSERT INTO notes SELECT id FROM organisations;"
    ));
    let refused = org.delete(&scene.hub).await.unwrap_err();
    assert_eq!(refused.error().kind(), ErrorKind::Invalid);
    says(refused.error(), &["Organisation", &scene.account.to_string(), "foreign key", "CDMS was not asked to write"]);
    let mut org = refused.into_value();
    assert_eq!(scene.commits(), commits);
    assert_eq!((scene.rows(), scene.open_intents()), (rows, 0));
    assert_eq!(org.website.as_deref(), Some("https://acme.example"), "the caller keeps the edit");
    org.website = Some("https://acme-foods.example".into());
    org.save(&scene.hub).await.unwrap();
}

#[tokio::test]
async fn a_record_is_not_made_again_while_cdms_may_still_delete_it() {
    let (scene, org) = Scene::read().await;
    let again = org.clone().into_inner();
    scene.fault(Operation::Delete, Fault::CommitLate);
    let unsettled = failed(org.delete(&scene.hub).await, ErrorKind::Unsettled);
    // A person deletes it meanwhile, so that the hub's delete is found done.
    scene.kit.simulator.remove("Account", scene.account);
    scene.minute();
    assert_eq!(scene.settle().await.settled, [(unsettled.operation_id().unwrap(), Verdict::Applied)]);

    let busy = failed(Organisation::create(&scene.hub, again.clone()).await, ErrorKind::Busy);
    assert_eq!(busy.operation_id(), unsettled.operation_id());
    assert_eq!(busy.retry_after(), Some(Duration::from_secs(330 - 60)), "the rest of the quiet period");
    assert_eq!(scene.kit.simulator.commit_late(), 0, "CDMS finds nothing to delete");
    scene.kit.advance(busy.retry_after().unwrap());
    Organisation::create(&scene.hub, again).await.unwrap();
    assert_eq!(found(&scene.get().await.unwrap()), Finding::InSync);
}

#[tokio::test]
async fn a_record_that_was_deleted_and_is_gone_can_be_made_again_at_once() {
    let (scene, org) = Scene::read().await;
    let again = org.clone().into_inner();
    org.delete(&scene.hub).await.unwrap();
    Organisation::create(&scene.hub, again).await.unwrap();
}
