//! The history of a model that was remodelled: it says what was, in the words of its day, and what fits is given back.

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, Operation};
use datahub_runtime::{EntryKind, HistoryEntry, Instant, Resolution, Value};

use crate::history::mark;
use crate::scene::{PAST_QUIET, Scene, failed, says};

/// A firm before and after it lost fields, renamed one and retyped others.
mod then {
    use datahub_runtime::prelude::*;

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", diesel(table = false))]
    pub(super) struct Firm {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: String,
        #[cdms("WebSiteURL")]
        pub(super) website: Option<String>,
        #[cdms("IndustryCode")]
        pub(super) industry: Option<i32>,
        #[cdms(local, sql_type = "string")]
        pub(super) notes: Option<String>,
        #[cdms(local, sql_type = "string")]
        pub(super) place: Option<String>,
        #[cdms(local, sql_type = "string")]
        pub(super) nickname: Option<String>,
        #[cdms(local, sql_type = "string")]
        pub(super) floor: Option<String>,
    }
}

mod now {
    use datahub_runtime::prelude::*;

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", diesel(table = false))]
    pub(super) struct Firm {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name", was = "name")]
        pub(super) title: String,
        #[cdms("IndustryCode")]
        pub(super) industry: Option<Industry>,
        #[cdms(local, sql_type = "string", column = "notes")]
        pub(super) remarks: Option<String>,
        #[cdms(local, sql_type = "string", was = "place")]
        pub(super) site: Option<String>,
        #[cdms(local, sql_type = "integer")]
        pub(super) floor: Option<i32>,
    }

    #[derive(Clone, Copy, Debug, PartialEq, CdmsChoice)]
    #[cdms(mapping = "account.toml", attribute = "IndustryCode")]
    pub(super) enum Industry {
        Agriculture,
        #[cdms(other)]
        Other(i32),
    }
}

/// A firm whose number is stored alike and means something else, and one whose table has another name.
mod misread {
    use datahub_runtime::prelude::*;

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "counted_firms", diesel(table = false))]
    pub(super) struct Counted {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: String,
        #[cdms(local, sql_type = "bigint")]
        pub(super) budget: Option<i64>,
    }

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "counted_firms", diesel(table = false))]
    pub(super) struct Paid {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: String,
        #[cdms(local, sql_type = "money")]
        pub(super) budget: Option<rust_decimal::Decimal>,
    }

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms_counted", diesel(table = false))]
    pub(super) struct Renamed {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: String,
        #[cdms(local, sql_type = "bigint")]
        pub(super) budget: Option<i64>,
    }
}

/// The same table for the firm of now.
const REMODELLED: [&str; 6] = [
    "ALTER TABLE firms RENAME COLUMN name TO title",
    "ALTER TABLE firms DROP COLUMN website",
    "ALTER TABLE firms RENAME COLUMN place TO site",
    "ALTER TABLE firms DROP COLUMN nickname",
    "ALTER TABLE firms DROP COLUMN floor",
    "ALTER TABLE firms ADD COLUMN floor INTEGER",
];

fn changes_of(entry: &HistoryEntry) -> Vec<(&str, Option<Value>, Option<Value>)> {
    entry.changes.iter().map(|change| (change.field.as_str(), change.from.clone(), change.to.clone())).collect()
}

#[tokio::test]
async fn renamed_fields_keep_their_past() {
    let scene = Scene::new().await;
    let hub = scene.kit.hub(models![then::Firm]).program("then").connect().await.unwrap();
    let mut firm = then::Firm::get(&hub, scene.account.into()).await.unwrap();
    (firm.notes, firm.place) = (Some("call them".into()), Some("Leeds".into()));
    firm.save(&hub).await.unwrap();
    let version = then::Firm::history(&hub, scene.account.into()).await.unwrap().pop().unwrap().version;
    let time = mark(&scene);
    (firm.name, firm.notes, firm.place) = ("Acme Foods".into(), None, None);
    firm.save(&hub).await.unwrap();
    REMODELLED.iter().for_each(|statement| scene.sql(statement));

    let hub = scene.kit.hub(models![now::Firm]).program("now").connect().await.unwrap();
    let past = now::Firm::as_of(&hub, scene.account.into(), time).await.unwrap().unwrap();
    let seen = (past.title.as_str(), past.remarks.as_deref(), past.site.as_deref());
    assert_eq!(seen, ("Acme", Some("call them"), Some("Leeds")));
    let back = now::Firm::revert(&hub, scene.account.into(), version).await.unwrap();
    let back = (back.title.as_str(), back.remarks.as_deref(), back.site.as_deref());
    assert_eq!(back, ("Acme", Some("call them"), Some("Leeds")));
}

#[tokio::test]
async fn a_write_that_was_open_while_a_field_was_renamed_keeps_its_value() {
    let scene = Scene::new().await;
    let hub = scene.kit.hub(models![then::Firm]).program("then").connect().await.unwrap();
    let mut firm = then::Firm::get(&hub, scene.account.into()).await.unwrap();
    (firm.name, firm.notes, firm.place) = ("Acme Foods".into(), Some("call them".into()), Some("Leeds".into()));
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    failed(firm.save(&hub).await, ErrorKind::Unsettled);
    let new = |id| then::Firm { id, place: Some("York".into()), ..then::Firm::draft().unwrap() };
    let [settled, late] = [Id::new(), Id::new()];
    for (id, fault) in [(settled, Fault::DropAfterCommit), (late, Fault::DropBeforeCommit)] {
        scene.fault(Operation::Create, fault);
        failed(then::Firm::create(&hub, then::Firm { name: "New".into(), ..new(id) }).await, ErrorKind::Unsettled);
    }
    hub.shutdown(std::time::Duration::from_secs(60)).await;
    REMODELLED.iter().for_each(|statement| scene.sql(statement));

    let hub = scene.kit.hub(models![now::Firm]).program("now").connect().await.unwrap();
    scene.kit.advance(PAST_QUIET);
    let report = hub.settle().await.unwrap();
    assert_eq!((report.settled.len(), report.left_to_others.len()), (3, 0), "{report:?}");
    let local = async |id: Id<now::Firm>| now::Firm::get(&hub, id).freshness(Freshness::LocalOnly).await.unwrap();
    let firm = local(scene.account.into()).await;
    assert_eq!((firm.title.as_str(), firm.remarks.as_deref()), ("Acme Foods", Some("call them")));
    assert_eq!(firm.site.as_deref(), Some("Leeds"));
    assert_eq!(local(settled.guid().into()).await.site.as_deref(), Some("York"));
    // One that is found not applied and shows up after all.
    scene.kit.simulator.seed("Account", [("AccountId", Value::Guid(late.guid())), ("Name", Value::text("New"))]);
    let firm = now::Firm::get(&hub, late.guid().into()).await.unwrap();
    assert_eq!((firm.title.as_str(), firm.site.as_deref()), ("New", Some("York")));
}

#[tokio::test]
async fn the_history_outlives_fields_that_were_lost_renamed_or_retyped() {
    let scene = Scene::new().await;
    let hub = scene.kit.hub(models![then::Firm]).program("then").connect().await.unwrap();
    let mut firm = then::Firm::get(&hub, scene.account.into()).await.unwrap();
    (firm.name, firm.website, firm.industry) = ("Acme Foods".into(), Some("https://acme.example".into()), Some(2));
    (firm.nickname, firm.floor) = (Some("the mill".into()), Some("third".into()));
    firm.save(&hub).await.unwrap();
    let with_text = mark(&scene);
    (firm.name, firm.floor) = ("Acme Bakery".into(), None);
    firm.save(&hub).await.unwrap();
    let without_text = mark(&scene);
    hub.shutdown(std::time::Duration::from_secs(60)).await;
    REMODELLED.iter().for_each(|statement| scene.sql(statement));

    let hub = scene.kit.hub(models![now::Firm]).program("now").connect().await.unwrap();
    let mut firm = now::Firm::get(&hub, scene.account.into()).await.unwrap();
    assert_eq!((firm.title.as_str(), firm.industry), ("Acme Bakery", Some(now::Industry::Agriculture)));
    (firm.title, firm.industry, firm.floor) = ("Acme Mills".into(), None, Some(3));
    firm.save(&hub).await.unwrap();

    // In the words of its day: lost fields too, under the names that they had.
    let history = now::Firm::history(&hub, scene.account.into()).await.unwrap();
    let kinds: Vec<_> = history.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::FirstSeen, EntryKind::Updated, EntryKind::Updated, EntryKind::Updated]);
    let text = |text: &str| Some(Value::text(text));
    let first = changes_of(&history[1]);
    for expected in [
        ("name", text("Acme"), text("Acme Foods")),
        ("website", Some(Value::Null), text("https://acme.example")),
        ("industry", Some(Value::Null), Some(Value::Choice(2))),
        ("nickname", Some(Value::Null), text("the mill")),
        ("floor", Some(Value::Null), text("third")),
    ] {
        assert!(first.contains(&expected), "{expected:?} is not among {first:?}");
    }
    assert!(changes_of(&history[3]).contains(&("title", text("Acme Bakery"), text("Acme Mills"))), "{}", history[3]);

    // What fits the firm of now is given back, and what does not is refused, with its reason.
    let past = now::Firm::as_of(&hub, scene.account.into(), without_text).await.unwrap().unwrap();
    assert_eq!((past.title.as_str(), past.industry), ("Acme Bakery", Some(now::Industry::Agriculture)));
    let unfit = failed(now::Firm::as_of(&hub, scene.account.into(), with_text).await, ErrorKind::Quarantined);
    says(&unfit, &["Firm", "floor"]);

    let back = now::Firm::revert(&hub, scene.account.into(), history[2].version).await.unwrap();
    assert_eq!(
        (back.title.as_str(), back.industry, back.floor),
        ("Acme Bakery", Some(now::Industry::Agriculture), None)
    );
    let website = scene.record().get("WebSiteURL").cloned();
    assert_eq!(website, text("https://acme.example"), "a field that the firm of now lacks is left alone");
}

/// A firm of which more was mapped since.
mod wider {
    use datahub_runtime::prelude::*;

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", diesel(table = false))]
    pub(super) struct Firm {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: String,
        #[cdms("WebSiteURL")]
        pub(super) website: Option<String>,
        #[cdms("optevia_ukorganisation", default = false)]
        pub(super) uk: bool,
    }
}

/// A firm with a field that has no value to begin with.
mod classified {
    use datahub_runtime::prelude::*;

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", diesel(table = false))]
    pub(super) struct Firm {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: String,
        #[cdms("WebSiteURL")]
        pub(super) website: Option<String>,
        #[cdms("StateCode", read_only)]
        pub(super) state: i32,
        #[cdms(local, sql_type = "string")]
        pub(super) notes: Option<String>,
    }
}

#[tokio::test]
async fn a_push_after_a_restore_leaves_alone_what_the_row_never_had() {
    let scene = Scene::new().await;
    let hub = scene.kit.hub(models![narrow::Firm]).program("narrow").connect().await.unwrap();
    scene.person_edits("WebSiteURL", Value::text("https://acme.example"));
    narrow::Firm::get(&hub, scene.account.into()).await.unwrap();
    hub.shutdown(std::time::Duration::from_secs(60)).await;
    scene.sql("ALTER TABLE firms ADD COLUMN name TEXT NOT NULL DEFAULT ''");
    scene.sql("ALTER TABLE firms ADD COLUMN uk BOOLEAN NOT NULL DEFAULT FALSE");
    // CDMS is put back to what it was an hour ago.
    let then = now_ms(&scene) - 3_600_000;
    let old = [("ModifiedOn", Value::Instant(Instant(then))), ("WebSiteURL", Value::Null)];
    scene.kit.simulator.overwrite("Account", scene.account, old);

    let hub = scene.kit.hub(models![wider::Firm]).program("wider").connect().await.unwrap();
    let report = wider::Firm::resolve_all(&hub, Resolution::PushHub).await.unwrap();
    assert_eq!(report.resolved, [scene.account.into()], "{report:?}");
    let pushed = scene.commits().pop().unwrap();
    assert_eq!(pushed.sent, ["WebSiteURL", "optevia_PAFOverride"], "and no name of nothing");
    let firm = wider::Firm::get(&hub, scene.account.into()).await.unwrap();
    assert_eq!((firm.name.as_str(), firm.website.as_deref()), ("Acme", Some("https://acme.example")));
}

#[tokio::test]
async fn the_hubs_own_fields_of_an_incomplete_row_are_saved_while_cdms_is_away() {
    let scene = Scene::new().await;
    let hub = scene.kit.hub(models![narrow::Firm]).program("narrow").connect().await.unwrap();
    narrow::Firm::get(&hub, scene.account.into()).await.unwrap();
    hub.shutdown(std::time::Duration::from_secs(60)).await;
    scene.sql("ALTER TABLE firms ADD COLUMN name TEXT NOT NULL DEFAULT ''");
    scene.sql("ALTER TABLE firms ADD COLUMN state INTEGER NOT NULL DEFAULT 0");
    scene.sql("ALTER TABLE firms ADD COLUMN notes TEXT");
    let hub = scene.kit.hub(models![classified::Firm]).program("classified").connect().await.unwrap();
    scene.kit.simulator.go_away();
    let mut firm = classified::Firm::get(&hub, scene.account.into()).or_local().await.unwrap();
    assert_eq!(firm.incomplete().collect::<Vec<_>>(), ["name", "state"], "an option stands in for the state");
    firm.notes = Some("call them".into());
    firm.save(&hub).await.unwrap();
    let again = classified::Firm::get(&hub, scene.account.into()).freshness(Freshness::LocalOnly).await.unwrap();
    assert_eq!(again.notes.as_deref(), Some("call them"));
}

fn now_ms(scene: &Scene) -> i64 {
    crate::scene::now(scene).0
}

/// A firm of which little is mapped.
mod narrow {
    use datahub_runtime::prelude::*;

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", mode = "mirror", diesel(table = false))]
    pub(super) struct Firm {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("WebSiteURL")]
        pub(super) website: Option<String>,
    }
}

#[tokio::test]
async fn a_row_that_lacks_new_fields_is_given_while_cdms_is_away_and_says_so() {
    let scene = Scene::new().await;
    let hub = scene.kit.hub(models![narrow::Firm]).program("narrow").connect().await.unwrap();
    narrow::Firm::get(&hub, scene.account.into()).await.unwrap();
    hub.shutdown(std::time::Duration::from_secs(60)).await;
    scene.sql("ALTER TABLE firms ADD COLUMN name TEXT NOT NULL DEFAULT ''");
    scene.sql("ALTER TABLE firms ADD COLUMN uk BOOLEAN NOT NULL DEFAULT FALSE");

    let hub = scene.kit.hub(models![wider::Firm]).program("wider").connect().await.unwrap();
    scene.kit.simulator.go_away();
    let mut firm = wider::Firm::get(&hub, scene.account.into()).or_local().await.unwrap();
    assert_eq!(firm.incomplete().collect::<Vec<_>>(), ["name", "uk"]);
    assert_eq!((firm.name.as_str(), firm.website.as_deref(), firm.uk), ("", None, false));
    assert!(matches!(firm.checked(), Checked::NotChecked { .. }), "{:?}", firm.checked());
    let local = wider::Firm::get(&hub, scene.account.into()).freshness(Freshness::LocalOnly).await.unwrap();
    assert_eq!(local.incomplete().count(), 2);

    // What stands in for a value is not sent; what the caller made of it is.
    scene.kit.simulator.come_back();
    (firm.website, firm.uk) = (Some("https://acme.example".into()), true);
    firm.save(&hub).await.unwrap();
    assert_eq!(scene.commits()[0].sent, ["WebSiteURL", "optevia_PAFOverride", "optevia_ukorganisation"]);
    assert_eq!((firm.name.as_str(), firm.uk, firm.incomplete().count()), ("Acme", true, 0));
}

#[tokio::test]
async fn a_column_that_means_something_else_and_a_table_left_behind_are_told() {
    let scene = Scene::new().await;
    let hub = scene.kit.hub(models![misread::Counted]).connect().await.unwrap();
    let mut firm = misread::Counted::get(&hub, scene.account.into()).await.unwrap();
    firm.budget = Some(123_400);
    firm.save(&hub).await.unwrap();
    let paid = failed(scene.kit.hub(models![misread::Paid]).connect().await, ErrorKind::Store);
    says(&paid, &["counted_firms.budget", "bigint", "money", "UPDATE datahub_settings"]);
    let renamed = failed(scene.kit.hub(models![misread::Renamed]).connect().await, ErrorKind::Store);
    says(&renamed, &["no table firms_counted", "table counted_firms", "local fields"]);
    assert!(scene.kit.hub(models![misread::Counted]).connect().await.is_ok());
}
