//! Models that CDMS is not asked about: cut over from one that was in sync, or never in CDMS at all.

use chrono::{DateTime, Utc};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{EntryKind, Instant, Note, Origin, Resolution, Value};

use crate::dropped::polled;
use crate::scene::{acme, says};

/// The model as long as CDMS has the say.
mod before {
    use datahub_runtime::prelude::*;

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "companies", diesel(table = false))]
    pub(crate) struct Company {
        #[cdms(key)]
        pub(crate) id: Id<Self>,
        #[cdms("Name")]
        pub(crate) name: String,
        #[cdms("WebSiteURL")]
        pub(crate) website: Option<String>,
        #[cdms("StateCode", read_only)]
        pub(crate) state: i32,
        #[cdms(local, sql_type = "string")]
        pub(crate) notes: Option<String>,
        #[cdms(modified)]
        pub(crate) modified: chrono::DateTime<chrono::Utc>,
    }
}

/// The model after the cut: what CDMS would not let be written is the team's own now.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "companies", mode = "detached", diesel(table = false))]
struct Company {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("WebSiteURL")]
    website: Option<String>,
    #[cdms("optevia_Alias", default)]
    alias: String,
    #[cdms("StateCode")]
    state: i32,
    #[cdms(local, sql_type = "string")]
    notes: Option<String>,
    #[cdms(modified)]
    modified: DateTime<Utc>,
}

/// A model that gets another attribute with the cut.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "shops", diesel(table = false))]
struct Shop {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
}

/// The same after the cut.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "shops", mode = "detached", diesel(table = false))]
struct DetachedShop {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("WebSiteURL", read_only)]
    website: Option<String>,
}

#[tokio::test]
async fn a_save_still_says_which_fields_were_never_read() {
    let kit = Kit::new(example_domain::METADATA);
    let id = kit.simulator.seed("Account", acme());
    let before = kit.hub(models![Shop]).connect().await.unwrap();
    Shop::get(&before, id.into()).await.unwrap();
    kit.run_sql("ALTER TABLE shops ADD COLUMN website TEXT").unwrap();
    let after = kit.hub(models![DetachedShop]).connect().await.unwrap();
    let incomplete = |shop: &Synced<DetachedShop>| shop.incomplete().collect::<Vec<_>>();
    let mut shop = DetachedShop::get(&after, id.into()).await.unwrap();
    assert_eq!(incomplete(&shop), ["website"]);
    shop.name = "Acme Shops".into();
    shop.save(&after).await.unwrap();
    assert_eq!(incomplete(&shop), ["website"]);
}

/// A model that CDMS has nothing of.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(table = "reminders", mode = "detached", diesel(table = false))]
struct Reminder {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms(local, sql_type = "lookup")]
    company: Id<Company>,
    #[cdms(local, sql_type = "datetime")]
    due: DateTime<Utc>,
    #[cdms(local, sql_type = "string")]
    text: String,
    #[cdms(created)]
    created: DateTime<Utc>,
}

/// A company that was read in sync, with notes of the hub's own, and a hub after the cut. CDMS has another website.
async fn cut_over() -> (Kit, Hub, Id<Company>) {
    let kit = Kit::new(example_domain::METADATA);
    let id = kit.simulator.seed("Account", acme());
    let in_sync = kit.hub(models![before::Company]).program("before").connect().await.unwrap();
    let mut company = before::Company::get(&in_sync, id.into()).await.unwrap();
    company.notes = Some("ours".into());
    company.save(&in_sync).await.unwrap();
    in_sync.shutdown(std::time::Duration::from_secs(5)).await;
    kit.simulator.edit("Account", id, [("WebSiteURL", Value::text("https://cdms.example"))]);
    kit.advance(std::time::Duration::from_secs(60));
    kit.run_sql("ALTER TABLE companies ADD COLUMN alias TEXT NOT NULL DEFAULT ''").unwrap();
    let hub = kit.hub(models![Company, Reminder]).program("after").connect().await.unwrap();
    (kit, hub, id.into())
}

fn now(kit: &Kit) -> DateTime<Utc> {
    Instant(kit.simulator.clock().now_ms()).to_utc().unwrap()
}

#[tokio::test]
async fn after_the_cut_the_hub_alone_is_asked_and_written() {
    let (kit, hub, id) = cut_over().await;
    let (requests, before) = (kit.simulator.requests_met(), kit.simulator.record("Account", id.guid()));
    let mut company = Company::get(&hub, id).await.unwrap();
    assert_eq!(company.checked(), Checked::Detached);
    assert!(company.checked().is_fresh());
    assert_eq!((company.website.as_deref(), company.notes.as_deref()), (None, Some("ours")), "as it was at the cut");

    let earlier = company.version_token();
    (company.name, company.state, company.notes) = ("Acme Foods".into(), 1, Some("theirs".into()));
    let cost = hub.cost();
    company.save(&hub).await.unwrap();
    let cost = hub.cost() - cost;
    assert_eq!((cost.requests, cost.transactions), (0, 1));
    assert_eq!(company.modified, now(&kit), "changed by the hub's own clock");
    let read = Company::get(&hub, id).await.unwrap();
    assert_eq!(*read, *company);

    let again = Company::edit(&hub, id, earlier).await.unwrap();
    assert_eq!((again.name.as_str(), again.state, again.notes.as_deref()), ("Acme", 0, Some("ours")));
    let history = Company::history(&hub, id).await.unwrap();
    let last = history.last().unwrap();
    assert_eq!((last.kind, last.origin), (EntryKind::Updated, Origin::Hub));
    let changed: Vec<_> = last.changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(changed, ["name", "state", "notes"]);
    assert_eq!(kit.simulator.requests_met(), requests, "CDMS was asked nothing");
    assert_eq!(kit.simulator.record("Account", id.guid()), before, "and has what it had");
}

#[tokio::test]
async fn two_writers_are_merged_by_field_and_the_past_is_kept() {
    let (kit, hub, id) = cut_over().await;
    let mut one = Company::get(&hub, id).await.unwrap();
    let mut other = one.clone();
    let begin = now(&kit);
    kit.advance(std::time::Duration::from_secs(60));
    (one.name, one.alias, one.notes) = ("Acme Foods".into(), "AF".into(), Some("one's".into()));
    one.save(&hub).await.unwrap();

    (other.name, other.website) = ("Acme Drinks".into(), Some("https://acme.example".into()));
    other.notes = Some("other's".into());
    let refused = other.save(&hub).on_conflict(OnConflict::Reject).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    says(&refused, &["name, notes"]);
    other.save(&hub).await.unwrap();
    assert_eq!((other.name.as_str(), other.alias.as_str()), ("Acme Drinks", "AF"), "the last writer wins a field");
    let history = Company::history(&hub, id).await.unwrap();
    let overwritten = history.last().unwrap().changes.iter().find(|change| change.note == Note::Conflict).unwrap();
    assert_eq!(overwritten.from, Some(Value::text("Acme Foods")));

    let then = Company::as_of(&hub, id, begin).await.unwrap().unwrap();
    assert_eq!((then.name.as_str(), then.alias.as_str()), ("Acme", ""));
    let version = history.iter().rev().nth(2).unwrap().version;
    let reverted = Company::revert(&hub, id, version).await.unwrap();
    assert_eq!((reverted.name.as_str(), reverted.website.as_deref(), reverted.alias.as_str()), ("Acme", None, ""));
    let unchanged = hub.cost();
    Company::get(&hub, id).await.unwrap().save(&hub).await.unwrap();
    assert_eq!((hub.cost() - unchanged).transactions, 0, "no change is no write");
}

#[tokio::test]
async fn a_record_that_cdms_never_saw_lives_and_ends_in_the_hub() {
    let (kit, hub, company) = cut_over().await;
    let requests = kit.simulator.requests_met();
    let due = "2017-01-01T09:00:00Z".parse().unwrap();
    let reminder = Reminder { id: Id::new(), company, due, text: "call".into(), created: due };
    let missing = Reminder::get(&hub, reminder.id).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let mut made = Reminder::create(&hub, reminder.clone()).await.unwrap();
    assert_eq!(made.created, now(&kit));
    let again = Reminder::create(&hub, reminder.clone()).await.unwrap_err();
    assert_eq!(again.error().kind(), ErrorKind::AlreadyExists);
    made.text = "call again".into();
    made.save(&hub).await.unwrap();
    let read = Reminder::get(&hub, reminder.id).await.unwrap();
    assert_eq!(*read, Reminder { text: "call again".into(), created: made.created, ..reminder.clone() });

    let stale = read.clone();
    read.delete(&hub).await.unwrap();
    assert_eq!(Reminder::get(&hub, reminder.id).await.unwrap_err().kind(), ErrorKind::Gone);
    assert_eq!(stale.delete(&hub).await.unwrap_err().error().kind(), ErrorKind::Gone);
    let kinds: Vec<_> = Reminder::history(&hub, reminder.id).await.unwrap().iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Created, EntryKind::LocalChanged, EntryKind::Deleted]);
    let revived = Reminder::create(&hub, reminder.clone()).await.unwrap();
    assert_eq!(revived.text, "call");
    assert_eq!(kit.simulator.requests_met(), requests, "CDMS was asked nothing");

    let mut new = Company::get(&hub, company).await.unwrap().into_inner();
    (new.id, new.state, new.alias) = (Id::new(), 1, String::new());
    let made = Company::create(&hub, new.clone()).await.unwrap();
    assert_eq!((made.state, made.modified), (1, now(&kit)), "what CDMS would have set is the caller's");
    assert_eq!(kit.simulator.record("Account", new.id.guid()), None);
}

#[tokio::test]
async fn many_records_and_those_that_they_refer_to_are_rows() {
    let (kit, hub, company) = cut_over().await;
    let requests = kit.simulator.requests_met();
    let mut ids = Vec::new();
    for text in ["call", "write"] {
        let due = now(&kit);
        let reminder = Reminder { id: Id::new(), company, due, text: text.into(), created: due };
        ids.push(Reminder::create(&hub, reminder).await.unwrap().id());
    }
    let none = Id::new();
    let many = Reminder::get_many(&hub, [ids[1], none, ids[0]]).confirm().await.unwrap();
    assert_eq!(many.records.iter().map(Synced::id).collect::<Vec<_>>(), [ids[1], ids[0]]);
    assert_eq!((many.missing.as_slice(), many.records[0].checked()), ([none].as_slice(), Checked::Detached));
    let companies = Company::get_many(&hub, [company]).await.unwrap();
    assert_eq!(companies.records[0].name, "Acme");
    let related = Reminder::load_related(&hub, &many.records, Reminder::FIELDS.company).await.unwrap();
    assert_eq!(related.get(company).map(|company| company.name.as_str()), Some("Acme"));
    let referring = Company::load_referring(&hub, &companies.records, Reminder::FIELDS.company).await.unwrap();
    assert_eq!(referring.of(company).len(), 2);
    assert_eq!(kit.simulator.requests_met(), requests, "CDMS was asked nothing");
}

#[tokio::test]
async fn what_has_to_do_with_cdms_alone_is_refused() {
    let (_kit, hub, id) = cut_over().await;
    let pull = hub.pull::<Company>().await.unwrap_err();
    let resolve = Company::resolve(&hub, id, Resolution::TakeCdms).await.unwrap_err();
    let all = Company::resolve_all(&hub, Resolution::TakeCdms).await.unwrap_err();
    for (error, what) in [(pull, "pull"), (resolve, "resolve"), (all, "resolve")] {
        assert_eq!(error.kind(), ErrorKind::Invalid);
        says(&error, &["Company is detached from CDMS", what, "mode"]);
    }
}

#[tokio::test]
async fn what_the_contract_does_not_take_is_refused_still() {
    let (_kit, hub, id) = cut_over().await;
    let mut company = Company::get(&hub, id).await.unwrap();
    company.alias = "x".repeat(161);
    let error = company.save(&hub).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    says(&error, &["optevia_Alias", "161 characters"]);
}

#[tokio::test]
async fn what_waits_in_quarantine_at_the_cut_is_not_asked_of_cdms() {
    let kit = Kit::new(example_domain::METADATA);
    let id: Id<before::Company> = kit.simulator.seed("Account", acme()).into();
    let in_sync = kit.hub(models![before::Company]).program("before").connect().await.unwrap();
    before::Company::get(&in_sync, id).await.unwrap();
    before::Company::get(&in_sync, kit.simulator.seed("Account", acme()).into()).await.unwrap();
    kit.advance(std::time::Duration::from_secs(60));
    // A required attribute is null, so the record waits; afterwards a person fixes it.
    kit.simulator.edit("Account", id.guid(), [("Name", Value::Null)]);
    assert_eq!(before::Company::get(&in_sync, id).await.unwrap_err().kind(), ErrorKind::Quarantined);
    kit.simulator.edit("Account", id.guid(), [("Name", Value::text("Not ours any more"))]);
    kit.run_sql("ALTER TABLE companies ADD COLUMN alias TEXT NOT NULL DEFAULT ''").unwrap();
    // And one that CDMS had made under another id than the chosen one.
    kit.run_sql(
        "INSERT INTO datahub_quarantine (entity, id, model, reason, at, operation, orphan_of) \
         SELECT entity, other.id, waiting.model, waiting.reason, at, other.id, waiting.id \
         FROM datahub_quarantine AS waiting, datahub_records AS other WHERE other.id <> waiting.id",
    )
    .unwrap();

    let hub = kit.hub(models![Company]).program("after").connect().await.unwrap();
    let requests = kit.simulator.requests_met();
    let report = hub.retry_quarantined(10).await.unwrap();
    assert_eq!((report.stayed.len(), report.left.len()), (2, 0), "{report:?}");
    for (waiting, error) in &report.stayed {
        assert_eq!((waiting.entity.as_str(), error.kind()), ("Account", ErrorKind::Invalid));
        says(error, &["Company is detached from CDMS"]);
    }
    assert_eq!(kit.simulator.requests_met(), requests, "CDMS was asked nothing");
    assert_eq!(Company::get(&hub, Id::from(id.guid())).await.unwrap().name, "Acme", "the row is the truth");
}

#[tokio::test]
async fn a_write_of_the_hub_alone_can_be_dropped_at_any_await() {
    let (_kit, hub, id) = cut_over().await;
    let mut wanted = vec!["Acme".to_owned()];
    let mut seen = 0;
    for times in 0.. {
        assert!(times < 200, "it does not come to its end");
        let mut company = Company::get(&hub, id).await.unwrap();
        // A write that was dropped may have come to its end or not, and nothing goes back.
        let place = wanted.iter().position(|name| *name == company.name).unwrap_or_else(|| panic!("{}", company.name));
        assert!(place >= seen, "{} after {}", company.name, wanted[seen]);
        seen = place;
        wanted.push(format!("Acme {times}"));
        company.name = format!("Acme {times}");
        if polled(times, async { company.save(&hub).await.unwrap() }).await {
            break;
        }
    }
    assert_eq!(Company::get(&hub, id).await.unwrap().name, *wanted.last().unwrap());
    hub.shutdown(std::time::Duration::from_secs(60)).await;
}

#[tokio::test]
async fn a_hub_whose_models_are_all_detached_needs_no_cdms() {
    let (kit, hub, id) = cut_over().await;
    hub.shutdown(std::time::Duration::from_secs(60)).await;
    let alone = || Hub::builder().database(kit.database()).clock(kit.clock.clone());
    let hub = alone().models(models![Company]).connect().await.unwrap();
    let mut company = Company::get(&hub, id).await.unwrap();
    company.name = "Acme Alone".into();
    company.save(&hub).await.unwrap();
    assert_eq!(Company::get(&hub, id).await.unwrap().name, "Acme Alone");
    hub.settle().await.unwrap();
    let error = hub.retry_login().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
    says(&error, &["has no CDMS", ".cdms("]);
    // One model that is not detached needs it.
    let error = alone().models(models![before::Company]).connect().await.unwrap_err();
    says(&error, &["the hub has no CDMS"]);
}
