//! What the server does besides what is requested: times, users, full names; and edits by people.

use cdms_odata::{Instant, Value};
use serde_json::json;

use crate::scene::{ACCOUNT, Cdms, NOON_MS, OTHER, account, key, lookup, named};

fn second(ms: i64) -> Value {
    Value::Instant(Instant(ms / 1000 * 1000))
}

#[tokio::test]
async fn every_write_moves_the_time_of_change_by_the_clock_in_whole_seconds() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    cdms.simulator.clock().advance_ms(876);
    cdms.merge(&account(ACCOUNT), json!({"Name": "Same second"})).await.done();
    assert_eq!(cdms.held("Account", ACCOUNT, "ModifiedOn"), second(NOON_MS), "two edits in one second look like one");
    cdms.simulator.clock().advance_ms(1);
    cdms.merge(&account(ACCOUNT), json!({})).await.done();
    assert_eq!(cdms.held("Account", ACCOUNT, "ModifiedOn"), second(NOON_MS + 877), "even if nothing changed");
    assert_eq!(cdms.held("Account", ACCOUNT, "CreatedOn"), second(NOON_MS));
}

#[tokio::test]
async fn a_skewed_clock_stamps_what_it_shows() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    cdms.simulator.clock().advance_ms(-3_600_000);
    cdms.merge(&account(ACCOUNT), json!({"Name": "Earlier"})).await.done();
    assert_eq!(cdms.held("Account", ACCOUNT, "ModifiedOn"), second(NOON_MS - 3_600_000));
    cdms.simulator.clock().set_ms(i64::MIN);
    cdms.merge(&account(ACCOUNT), json!({"Name": "At the end of time"})).await.done();
}

#[tokio::test]
async fn a_contact_has_its_full_name() {
    let cdms = Cdms::start();
    let body =
        json!({"ContactId": OTHER.to_string(), "FirstName": "Ada", "LastName": "Lovelace", "FullName": "Nobody"});
    assert_eq!(cdms.create("ContactSet", body).await.d(201)["FullName"], "Ada Lovelace");
    cdms.merge(&key("ContactSet", OTHER), json!({"FirstName": null})).await.done();
    assert_eq!(cdms.held("Contact", OTHER, "FullName"), Value::text("Lovelace"));
    cdms.merge(&key("ContactSet", OTHER), json!({"LastName": ""})).await.done();
    assert_eq!(cdms.held("Contact", OTHER, "FullName"), Value::Null);
}

#[tokio::test]
async fn a_person_edits_under_their_own_name_and_may_change_state_and_owner() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    cdms.simulator.clock().advance_ms(9_000);
    let owner = lookup("systemuser", OTHER);
    let edit = [("Name", Value::text("By hand")), ("StateCode", Value::Choice(1)), ("OwnerId", owner.clone())];
    cdms.simulator.edit("Account", ACCOUNT, edit);
    let record = cdms.get(&account(ACCOUNT)).await.d(200);
    assert_eq!(record["Name"], "By hand");
    assert_eq!(record["StateCode"]["Value"], 1);
    assert_eq!(record["ModifiedBy"]["Name"], "Ada Lovelace");
    assert_eq!(cdms.held("Account", ACCOUNT, "OwnerId"), owner);
    assert_eq!(cdms.held("Account", ACCOUNT, "ModifiedOn"), second(NOON_MS + 9_000));
    assert!(cdms.simulator.edit_if_there("Account", ACCOUNT, [("Name", Value::text("Again"))]));
    assert_eq!(cdms.held("Account", ACCOUNT, "Name"), Value::text("Again"));
    cdms.simulator.remove("Account", ACCOUNT);
    cdms.get(&account(ACCOUNT)).await.refused(404, "-2147220969", "Does Not Exist");
    assert!(!cdms.simulator.edit_if_there("Account", ACCOUNT, [("Name", Value::text("Too late"))]));
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let removed = [(); 2].map(|()| cdms.simulator.remove_if_there("Account", ACCOUNT));
    assert_eq!(removed, [true, false]);
}

#[test]
fn a_scene_that_names_what_is_not_there_fails_at_once() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let mistakes: [(&str, &dyn Fn()); 4] = [
        ("'Nmae'", &|| _ = cdms.simulator.seed("Account", [("Nmae", Value::text("x"))])),
        ("'Nmae'", &|| cdms.simulator.edit("Account", ACCOUNT, [("Nmae", Value::text("x"))])),
        ("'AcountSet'", &|| _ = cdms.simulator.seed("Acount", [("Name", Value::text("x"))])),
        ("Does Not Exist", &|| cdms.simulator.remove("Account", OTHER)),
    ];
    for (named, mistake) in mistakes {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(mistake)).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.contains(named), "{text} does not say: {named}");
    }
    assert_eq!(cdms.simulator.log(), []);
}

#[tokio::test]
async fn a_scene_may_state_what_no_client_can() {
    let cdms = Cdms::start();
    let past = Value::Instant(Instant(0));
    cdms.simulator.seed("Account", [("AccountId", Value::Guid(ACCOUNT)), ("CreatedOn", past.clone())]);
    assert_eq!(cdms.held("Account", ACCOUNT, "CreatedOn"), past);
    cdms.simulator.overwrite("Account", ACCOUNT, [("ModifiedOn", past.clone()), ("StateCode", Value::Choice(1))]);
    let record = cdms.get(&account(ACCOUNT)).await.d(200);
    assert_eq!((record["ModifiedOn"].as_str(), &record["StateCode"]["Value"]), (Some("/Date(0)/"), &json!(1)));
    assert_eq!(cdms.held("Account", ACCOUNT, "CreatedOn"), past, "the rest stays");
    assert_eq!(cdms.simulator.log(), [], "a scene is not a commit");
}
