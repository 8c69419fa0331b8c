//! `capture = "contract"`: what the contract declares is kept with every record, whether a field uses it or not.

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation};
use datahub_runtime::{EntryKind, Finding, Value};

use crate::history::mark;
use crate::scene::{NEW_NAME, Scene, failed, found, history_of};

/// A firm with one field, and one with more of the same contract.
mod firms {
    use chrono::{DateTime, Utc};
    use datahub_runtime::prelude::*;

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "captured/account.toml", table = "firms", diesel(table = false))]
    pub(super) struct Narrow {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: String,
    }

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "captured/account.toml", table = "firms", diesel(table = false))]
    pub(super) struct Wide {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: String,
        #[cdms("Fax")]
        pub(super) fax: Option<String>,
        #[cdms("NumberOfEmployees", default = 0)]
        pub(super) employees: i32,
        #[cdms("optevia_LastVerified")]
        pub(super) verified: Option<DateTime<Utc>>,
    }
}

use firms::{Narrow, Wide};

const WIDENED: [&str; 3] = [
    "ALTER TABLE firms ADD COLUMN fax TEXT",
    "ALTER TABLE firms ADD COLUMN employees INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE firms ADD COLUMN verified ",
];

async fn narrow(scene: &Scene) -> Hub {
    scene.kit.hub(models![Narrow]).program("narrow").connect().await.unwrap()
}

async fn wide(scene: &Scene) -> Hub {
    let verified = format!("{}{}", WIDENED[2], scene.on("BIGINT", "TIMESTAMP WITH TIME ZONE"));
    [WIDENED[0], WIDENED[1], &verified].into_iter().for_each(|statement| scene.sql(statement));
    scene.kit.hub(models![Wide]).program("wide").connect().await.unwrap()
}

#[test]
fn a_captured_attribute_is_read_and_is_no_part_of_the_mapping() {
    let names =
        |attributes: &[datahub_model::Attribute]| attributes.iter().map(|attribute| attribute.name).collect::<Vec<_>>();
    let [narrow, wide] = [Narrow::DESCRIPTOR, Wide::DESCRIPTOR];
    assert_eq!(names(narrow.attributes), ["Name"]);
    let others = ["CreditLimit", "Fax", "NumberOfEmployees", "StateCode", "WebSiteURL", "optevia_LastVerified"];
    assert_eq!(names(narrow.captured), others);
    assert_eq!(names(wide.captured), ["CreditLimit", "StateCode", "WebSiteURL"]);
    let sorted = |model: &datahub_model::ModelDescriptor| {
        let mut all: Vec<_> = model.read_attributes().map(|attribute| attribute.name).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(sorted(narrow), sorted(wide));
}

#[tokio::test]
async fn a_new_field_fills_itself_without_a_request() {
    let scene = Scene::new().await;
    let known = [("Fax", Value::text("113")), ("NumberOfEmployees", Value::Integer(7))];
    scene.kit.simulator.edit("Account", scene.account, known);
    for number in 0..59 {
        let known = [("Name", Value::text(format!("Firm {number}"))), ("NumberOfEmployees", Value::Integer(number))];
        scene.kit.simulator.seed("Account", known);
    }
    let old = narrow(&scene).await;
    assert!(old.pull::<Narrow>().await.unwrap().complete);
    let hub = wide(&scene).await;
    let before = hub.cost();
    let report = hub.backfill::<Wide>().await.unwrap();
    assert_eq!((report.complete, report.from_seen, (hub.cost() - before).requests), (true, 60, 0), "{report:?}");
    assert_eq!(scene.dump("firms").iter().filter(|row| row.replace('\'', "").contains("employees=0 ")).count(), 1);
    let firm = Wide::get(&hub, scene.account.into()).freshness(Freshness::LocalOnly).await.unwrap();
    assert_eq!((firm.fax.as_deref(), firm.employees, firm.incomplete().count()), (Some("113"), 7, 0));
    assert_eq!(found(&Wide::get(&hub, scene.account.into()).await.unwrap()), Finding::InSync);
    // Neither program has the other complete its rows again: the older one reads as much.
    assert_eq!(found(&Narrow::get(&old, scene.account.into()).await.unwrap()), Finding::InSync);
    scene.kit.simulator.edit("Account", scene.account, [("Fax", Value::text("114"))]);
    Narrow::get(&old, scene.account.into()).await.unwrap();
    let report = hub.backfill::<Wide>().await.unwrap();
    assert_eq!((report.complete, report.from_seen), (true, 1), "{report:?}");
    assert_eq!(scene.dump("firms").iter().filter(|row| row.contains("fax='114'")).count(), 1);
}

#[tokio::test]
async fn a_pull_goes_on_where_the_program_before_the_new_field_stopped() {
    let scene = Scene::new().await;
    for number in 0..119 {
        let known = [("Name", Value::text(format!("Firm {number}"))), ("Fax", Value::text("113"))];
        scene.kit.simulator.seed("Account", known);
    }
    let old = narrow(&scene).await;
    assert_eq!(old.pull::<Narrow>().max_pages(2).await.unwrap().first_seen, 100);
    let hub = wide(&scene).await;
    let report = hub.pull::<Wide>().await.unwrap();
    assert_eq!((report.resumed, report.complete, report.records), (true, true, 20), "{report:?}");
    assert_eq!(report.completed_from_seen, 100);
    assert!(hub.completeness::<Wide>().await.unwrap().is_complete());
    assert!(scene.dump("firms").iter().filter(|row| row.contains("fax='113'")).count() >= 119);
}

#[tokio::test]
async fn what_is_captured_is_never_sent_and_never_in_conflict() {
    let scene = Scene::new().await;
    scene.kit.simulator.edit("Account", scene.account, [("Fax", Value::text("113"))]);
    let hub = narrow(&scene).await;
    let mut firm = Narrow::get(&hub, scene.account.into()).await.unwrap();
    scene.person_edits("Fax", Value::text("114"));
    firm.name = NEW_NAME.into();
    firm.save(&hub).on_conflict(OnConflict::Reject).await.unwrap();
    assert!(firm.saved().overwritten.is_empty());
    assert_eq!(scene.commits().pop().unwrap().sent, ["Name"]);
    assert_eq!(scene.record().get("Fax"), Some(&Value::text("114")));
    let version = Narrow::history(&hub, scene.account.into()).await.unwrap()[0].version;
    Narrow::revert(&hub, scene.account.into(), version).await.unwrap();
    assert_eq!(scene.commits().pop().unwrap().sent, ["Name"]);
    let new = Narrow { id: Id::new(), name: "New".into() };
    Narrow::create(&hub, new).await.unwrap();
    let sent = scene.commits().pop().unwrap().sent;
    assert!(sent.iter().all(|name| ["AccountId", "Name"].contains(&name.as_str())), "{sent:?}");
}

#[tokio::test]
async fn the_past_of_a_captured_attribute_is_the_past_of_the_field_that_takes_it() {
    let scene = Scene::new().await;
    scene.kit.simulator.edit("Account", scene.account, [("Fax", Value::text("113"))]);
    let hub = narrow(&scene).await;
    Narrow::get(&hub, scene.account.into()).await.unwrap();
    let then = mark(&scene);
    scene.person_edits("Fax", Value::text("114"));
    assert_eq!(found(&Narrow::get(&hub, scene.account.into()).await.unwrap()), Finding::Refreshed);
    let history = Narrow::history(&hub, scene.account.into()).await.unwrap();
    let change = &history.last().unwrap().changes[0];
    assert_eq!((change.field.as_str(), change.to.clone()), ("Fax", Some(Value::text("114"))));
    // It is personal by its contract, although no field has it.
    let shown = history.last().unwrap().to_string();
    let exported = serde_json::to_string(history.last().unwrap()).unwrap();
    assert!(!shown.contains("114") && !exported.contains("114"), "{shown}\n{exported}");

    let hub = wide(&scene).await;
    let past = Wide::as_of(&hub, scene.account.into(), then).await.unwrap().unwrap();
    assert_eq!(past.fax.as_deref(), Some("113"));
    assert_eq!(Wide::get(&hub, scene.account.into()).await.unwrap().fax.as_deref(), Some("114"));
}

#[tokio::test]
async fn a_captured_value_that_cannot_be_read_keeps_no_record_out() {
    let scene = Scene::new().await;
    scene.kit.simulator.edit("Account", scene.account, [("NumberOfEmployees", Value::Integer(7))]);
    let hub = narrow(&scene).await;
    // First contact is a list as well.
    failed(Narrow::get(&hub, Id::new()).await, ErrorKind::NotFound);
    let odd = || Fault::Corrupt { attribute: "NumberOfEmployees".into(), json: "\"seven\"".into() };
    // So is the question for the newest change.
    scene.kit.simulator.fault(FaultRule::new(odd()).on(Operation::List).after(1).times(1));
    let report = hub.pull::<Narrow>().await.unwrap();
    assert_eq!((report.first_seen, report.quarantined), (1, 0), "{report:?}");
    scene.fault(Operation::Read, odd());
    assert_eq!(found(&Narrow::get(&hub, scene.account.into()).await.unwrap()), Finding::InSync);
    // A program with the field reads it itself; a value that it needs and that has another kind is a fault.
    let wide = wide(&scene).await;
    let report = wide.backfill::<Wide>().await.unwrap();
    assert_eq!((report.complete, report.from_seen, report.read), (true, 0, 1), "{report:?}");
    scene.minute();
    scene.kit.simulator.edit("Account", scene.account, [("Name", Value::text(NEW_NAME))]);
    scene.fault(Operation::Read, odd());
    let error = Wide::get(&wide, scene.account.into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Quarantined);
    // The older one loses only that value with the newer record, so it completes no row from what it has of before.
    scene.fault(Operation::Read, odd());
    assert_eq!(found(&Narrow::get(&hub, scene.account.into()).await.unwrap()), Finding::Refreshed);
    assert_eq!(wide.completeness::<Wide>().await.unwrap().incomplete, 1);
    let report = wide.backfill::<Wide>().from_seen_only().await.unwrap();
    assert_eq!((report.from_seen, report.left), (0, 1), "{report:?}");
    assert!(wide.backfill::<Wide>().await.unwrap().complete || scene.quarantine().await.len() == 1);
}

#[tokio::test]
async fn turning_it_on_changes_no_row_until_it_is_read() {
    let scene = Scene::new().await;
    let hub = narrow(&scene).await;
    Narrow::get(&hub, scene.account.into()).await.unwrap();
    // As a program without it left the row.
    let kept = || {
        let seen = |row: String| Some(row.split_once("seen=")?.1.split_once(" mapping_id=")?.0.to_owned());
        scene.dump("datahub_records").into_iter().find_map(seen).unwrap()
    };
    let before = kept();
    let lists = scene.dump("datahub_settings");
    assert!(lists.iter().any(|list| list.contains("names:") && list.contains("NumberOfEmployees")), "{lists:?}");
    scene.sql("UPDATE datahub_records SET seen = '{\"Name\":\"Acme\"}'");
    let firm = Narrow::get(&hub, scene.account.into()).freshness(Freshness::LocalOnly).await.unwrap();
    assert_eq!(firm.incomplete().count(), 0, "no field waits for it");
    assert!(hub.completeness::<Narrow>().await.unwrap().is_complete());
    assert_eq!(found(&Narrow::get(&hub, scene.account.into()).await.unwrap()), Finding::Filled);
    assert_eq!(kept(), before);
    assert_eq!(history_of::<Narrow>(&hub, scene.account.into()).await, [EntryKind::FirstSeen]);
}
