//! The log of commits is the authority: it contains every change, in order, and nothing else.

use std::collections::BTreeMap;

use cdms_odata::{Attributes, Value};
use cdms_simulator::CommitKind;
use serde_json::json;
use uuid::Uuid;

use crate::scene::{ACCOUNT, Cdms, NOON_MS, OTHER, account, key, named, reply};

#[tokio::test]
async fn a_commit_says_what_happened_when_by_whom_and_on_whose_behalf() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    cdms.simulator.clock().advance_ms(7_000);
    let merge = cdms.merging(&account(ACCOUNT), json!({"Name": "New", "OwnerId": {"Id": null}}));
    reply(merge.header("x-datahub-operation", "op-7")).await.done();
    cdms.simulator.edit("Account", ACCOUNT, [("DoNotPhone", Value::Boolean(true))]);
    let log = cdms.simulator.log();
    assert_eq!(log.len(), 2);
    let first = &log[0];
    assert_eq!((first.sequence, first.at_ms, first.kind), (1, NOON_MS + 7_000, CommitKind::Update));
    assert_eq!((first.entity.as_str(), first.id), ("Account", ACCOUNT));
    assert_eq!(first.operation.as_deref(), Some("op-7"));
    assert_eq!(first.user, cdms.simulator.service_user());
    assert_eq!(first.sent, ["Name", "OwnerId"], "what was sent, even if it was ignored");
    assert_eq!(first.before.get("Name"), Some(&Value::text("Acme")));
    assert_eq!(first.after.get("Name"), Some(&Value::text("New")));
    assert!(!first.after.contains("OwnerId") && !first.after.contains("StateCode"), "only what changed: {first:?}");
    assert_eq!((log[1].sequence, log[1].operation.as_deref()), (2, None));
    assert_ne!(log[1].user, cdms.simulator.service_user());
    let phone = |of: &Attributes| of.get("DoNotPhone").cloned();
    assert_eq!((phone(&log[1].before), phone(&log[1].after)), (Some(Value::Null), Some(Value::Boolean(true))));
}

#[tokio::test]
async fn replaying_the_log_gives_the_records() {
    let cdms = Cdms::start();
    let (first, second) = (account(ACCOUNT), account(OTHER));
    let body = |id: Uuid, name: &str| json!({"AccountId": id.to_string(), "Name": name, "Address1_City": "Leeds"});
    cdms.create("AccountSet", body(ACCOUNT, "A")).await.d(201);
    cdms.create("AccountSet", body(OTHER, "B")).await.d(201);
    cdms.create("ContactSet", json!({"FirstName": "Ada"})).await.d(201);
    cdms.simulator.clock().advance_ms(3_000);
    cdms.merge(&first, json!({"Name": "A2", "Address1_City": "Hull"})).await.done();
    reply(cdms.ask("PUT", &second).body(r#"{"Name":"B2"}"#)).await.done();
    let Value::Guid(address) = cdms.held("Account", ACCOUNT, "Address1_AddressId") else { panic!("no address") };
    cdms.merge(&key("CustomerAddressSet", address), json!({"City": "Bath"})).await.done();
    cdms.delete(&key("CustomerAddressSet", address)).await.done();
    cdms.delete(&second).await.done();
    cdms.simulator.edit("Account", ACCOUNT, [("StateCode", Value::Choice(1))]);

    let mut replayed: BTreeMap<(String, Uuid), Attributes> = BTreeMap::new();
    for (position, commit) in cdms.simulator.log().into_iter().enumerate() {
        assert_eq!(commit.sequence, position as u64 + 1);
        let place = (commit.entity.clone(), commit.id);
        match commit.kind {
            CommitKind::Create => assert_eq!(replayed.insert(place, commit.after), None),
            CommitKind::Update => {
                let record = replayed.get_mut(&place).unwrap();
                for (name, value) in commit.before.iter() {
                    assert_eq!(
                        record.get(name).unwrap_or(&Value::Null),
                        value,
                        "{name} before commit {}",
                        commit.sequence
                    );
                }
                record.merge(&commit.after);
                // A new record is logged without its nulls.
                record.retain(|_, value| !value.is_null());
            }
            CommitKind::Delete => assert_eq!(replayed.remove(&place), Some(commit.before)),
        }
    }
    assert_eq!(replayed.len(), 3, "an account, its second address, a contact");
    for ((entity, id), record) in replayed {
        let mut kept = cdms.simulator.record(&entity, id).unwrap();
        kept.retain(|_, value| !value.is_null());
        assert_eq!(kept, record, "{entity} {id}");
    }
}

#[tokio::test]
async fn what_was_refused_is_not_in_the_log_but_among_the_requests() {
    let cdms = Cdms::start();
    cdms.create("AccountSet", json!({"Nmae": "x"})).await.refused(400, "", "'Nmae'");
    let delete = cdms.ask("POST", &account(ACCOUNT)).header("x-http-method", "DELETE");
    reply(delete.header("x-datahub-operation", "op-1")).await.refused(404, "-2147220969", "Does Not Exist");
    assert_eq!(cdms.simulator.log(), []);
    let requests = cdms.simulator.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!((requests[0].method.as_str(), requests[0].status), ("POST", Some(400)));
    assert_eq!(requests[0].body, r#"{"Nmae":"x"}"#);
    assert!(requests[0].answered_bytes > 0 && requests[0].faults.is_empty());
    assert_eq!(requests[1].method, "DELETE", "the effective method");
    assert!(requests[1].target.ends_with(&format!("/{}", account(ACCOUNT))), "{:?}", requests[1]);
    assert_eq!(requests[1].operation.as_deref(), Some("op-1"));
}

#[tokio::test]
async fn logs_keep_the_newest_entries_and_count_the_dropped_ones() {
    let cdms = Cdms::with(|builder| builder.log_limit(3));
    for _ in 0..5 {
        cdms.create("ContactSet", json!({"FirstName": "Ada"})).await.d(201);
    }
    let sequences: Vec<_> = cdms.simulator.log().iter().map(|commit| commit.sequence).collect();
    assert_eq!((sequences, cdms.simulator.log_dropped()), (vec![3, 4, 5], 2));
    assert_eq!((cdms.simulator.requests().len(), cdms.simulator.requests_dropped()), (3, 2));
    assert_eq!(cdms.simulator.take_requests().len(), 3);
    cdms.create("ContactSet", json!({"FirstName": "Ada"})).await.d(201);
    assert_eq!(
        (cdms.simulator.requests_dropped(), cdms.simulator.requests_met()),
        (2, 6),
        "taken requests are not dropped"
    );

    let whole = Cdms::with(|builder| builder.log_limit(None));
    whole.create("ContactSet", json!({"FirstName": "Ada"})).await.d(201);
    assert_eq!((whole.simulator.log().len(), whole.simulator.log_dropped()), (1, 0));
}

#[test]
fn a_log_keeps_a_hundred_thousand_entries_by_default() {
    let cdms = Cdms::start();
    for _ in 0..100_001 {
        cdms.simulator.add("SystemUser", Attributes::new());
    }
    assert_eq!((cdms.simulator.log().len(), cdms.simulator.log_dropped()), (100_000, 1));
}
