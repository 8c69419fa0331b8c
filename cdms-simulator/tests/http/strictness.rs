//! What the service does not support, or the simulator does not support yet, is refused and never ignored.

use serde_json::json;

use crate::scene::{ACCOUNT, Cdms, account, named, reply};

#[tokio::test]
async fn options_that_the_service_does_not_support_are_refused() {
    let cdms = Cdms::start();
    for (path, option) in [
        ("AccountSet?$inlinecount=allpages", "$inlinecount"),
        ("AccountSet?$count=true", "$count"),
        ("AccountSet/$count", "$count"),
        ("AccountSet?$format=json", "$format"),
        ("AccountSet?$Select=Name", "$Select"),
        ("AccountSet?select=Name", "select"),
        ("AccountSet?$top=1&x=1", "x"),
        ("?$select=Name", "$select"),
        ("$metadata?x=1", "x"),
    ] {
        let text = format!("'{option}' is not supported");
        cdms.get(path).await.refused(400, "", &text);
    }
}

#[tokio::test]
async fn options_that_the_simulator_does_not_know_yet_say_so() {
    let cdms = Cdms::start();
    cdms.get("$batch").await.refused(400, "", "not simulated yet");
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    cdms.get(&format!("{}/Name", account(ACCOUNT))).await.refused(400, "", "not simulated yet");
    let deep = json!({"Name": "x", "contact_customer_accounts": [{"LastName": "y"}]});
    cdms.create("AccountSet", deep).await.refused(400, "", "not simulated yet");
    assert_eq!(cdms.simulator.log(), []);
}

#[tokio::test]
async fn a_filter_that_compares_unlike_types_is_refused() {
    let cdms = Cdms::start();
    let text = "Operator 'eq' incompatible with operand types 'Edm.Guid' and 'Edm.String' at position 10.";
    cdms.get("AccountSet?$filter=AccountId%20eq%20'x'").await.refused(400, "", text);
    let text = "Operator 'eq' incompatible with operand types 'Edm.String' and 'Edm.Guid' at position 5.";
    cdms.get(&format!("AccountSet?$filter=Name%20eq%20guid'{ACCOUNT}'")).await.refused(400, "", text);
}

#[tokio::test]
async fn options_out_of_place_twice_or_malformed_are_refused() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    for (path, text) in [
        ("AccountSet?$top=1&$top=2", "more than once"),
        ("AccountSet?$top=-1", "Incorrect format for $top"),
        ("AccountSet?$skip=x", "Incorrect format for $skip"),
        ("AccountSet?$skiptoken=1,'contactid','%7B0%7D','%7B0%7D'", "syntax"),
        ("AccountSet?$skiptoken=1", "syntax"),
        ("AccountSet?$select=Name%FF", "syntax"),
    ] {
        cdms.get(path).await.refused(400, "", text);
    }
    for option in ["$top=1", "$skip=0", "$filter=Name%20eq%20'Acme'"] {
        cdms.get(&format!("{}?{option}", account(ACCOUNT))).await.refused(400, "", "cannot be applied to one record");
    }
}

#[tokio::test]
async fn writes_take_no_options() {
    let cdms = Cdms::start();
    cdms.simulator.seed("Account", named(ACCOUNT, "Acme"));
    let record = format!("{}?$select=Name", account(ACCOUNT));
    cdms.create("AccountSet?$select=Name", json!({})).await.refused(400, "", "'$select' is not supported");
    cdms.merge(&record, json!({"Name": "x"})).await.refused(400, "", "'$select' is not supported");
    cdms.delete(&record).await.refused(400, "", "'$select' is not supported");
    assert_eq!(cdms.simulator.log(), []);
}

#[tokio::test]
async fn outside_the_service_there_is_nothing() {
    let cdms = Cdms::start();
    for path in ["/", "/ORG", "/_control/log", "/ORG/XRMServices/2011/Organization.svc"] {
        let request = cdms.plain("GET", &format!("http://{}{path}", cdms.host()));
        assert_eq!(reply(request).await.status, 404, "{path}");
    }
}
