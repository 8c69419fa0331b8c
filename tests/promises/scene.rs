//! The stage of every test: a CDMS with one organisation, a hub on a SQLite file, and eyes on both.

use std::future::IntoFuture;
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{
    CommitEntry, Expiry, Fault, FaultRule, Gate, Operation, RequestEntry, SimulatorBuilder, Stage,
};
use datahub_runtime::testing::{FormLogin, Kit};
use datahub_runtime::{
    Attributes, Cost, EntryKind, Finding, HubBuilder, Instant, QuarantineEntry, SettlingReport, Value, WriteKind,
};
use example_domain::{Contact, Organisation};
use uuid::Uuid;

/// The name of the CDMS user that the hub logs in as.
pub(crate) const OUR_USER: &str = "CDMS\\datahub";

/// A write that is certainly over: its lease of 240 s and the quiet period of 330 s.
pub(crate) const PAST_QUIET: Duration = Duration::from_secs(240 + 330 + 1);

/// A CDMS with the organisation `Acme`, and a hub that has met CDMS but not the organisation.
pub(crate) struct Scene {
    pub(crate) kit: Kit,
    pub(crate) hub: Hub,
    pub(crate) account: Uuid,
}

impl Scene {
    pub(crate) async fn new() -> Scene {
        Scene::with(|cdms| cdms, |hub| hub).await
    }

    pub(crate) async fn with(
        cdms: impl FnOnce(SimulatorBuilder) -> SimulatorBuilder,
        hub: impl FnOnce(HubBuilder) -> HubBuilder,
    ) -> Scene {
        let kit = Kit::with(example_domain::METADATA, cdms);
        let builder = hub(kit.hub(example_domain::models()));
        Scene::with_kit(kit, builder).await
    }

    /// A scene whose CDMS asks for a login and answers as given when a session is over.
    pub(crate) async fn with_login(expiry: Expiry) -> Scene {
        let kit = Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", expiry));
        let builder = kit.hub_with(example_domain::models(), FormLogin::new("hub", "secret"));
        Scene::with_kit(kit, builder).await
    }

    /// A scene on this kit and hub.
    pub(crate) async fn with_kit(kit: Kit, hub: HubBuilder) -> Scene {
        let account = kit.simulator.seed("Account", acme());
        let hub = hub.program("tests").connect().await.unwrap();
        // First contact is not part of what operations cost.
        let missing = Organisation::get(&hub, Id::new()).await.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        Scene { kit, hub, account }
    }

    /// A scene whose hub has read the organisation.
    pub(crate) async fn read() -> (Scene, Synced<Organisation>) {
        let scene = Scene::new().await;
        let org = scene.get().await.unwrap();
        (scene, org)
    }

    pub(crate) fn id(&self) -> Id<Organisation> {
        self.account.into()
    }

    pub(crate) async fn get(&self) -> Result<Synced<Organisation>, Error> {
        Organisation::get(&self.hub, self.id()).await
    }

    /// The row, without asking CDMS.
    pub(crate) async fn row(&self) -> Result<Synced<Organisation>, Error> {
        Organisation::get(&self.hub, self.id()).freshness(Freshness::LocalOnly).await
    }

    /// Another program on the same database and CDMS.
    pub(crate) async fn another_program(&self) -> Hub {
        self.program(|hub| hub).await
    }

    pub(crate) async fn program(&self, configure: impl FnOnce(HubBuilder) -> HubBuilder) -> Hub {
        configure(self.kit.hub(example_domain::models()).program("another")).connect().await.unwrap()
    }

    /// The organisation in CDMS.
    pub(crate) fn record(&self) -> Attributes {
        self.kit.simulator.record("Account", self.account).expect("the organisation is in CDMS")
    }

    /// A new organisation in CDMS that fits no model, because it has no name.
    pub(crate) fn unfit(&self) -> Uuid {
        self.kit.simulator.seed("Account", [("Name", Value::Null)])
    }

    /// A person in CDMS changes the organisation a minute later.
    pub(crate) fn person_edits(&self, attribute: &'static str, value: Value) {
        self.minute();
        self.kit.simulator.edit("Account", self.account, [(attribute, value)]);
    }

    pub(crate) fn minute(&self) {
        self.kit.advance(Duration::from_secs(60));
    }

    pub(crate) fn fault(&self, operation: Operation, fault: Fault) {
        self.kit.simulator.fault(FaultRule::new(fault).on(operation).times(1));
    }

    /// Holds this kind of write.
    pub(crate) fn hold(&self, write: Write, stage: Stage) -> Gate {
        self.kit.simulator.hold(stage, |hold| FaultRule::new(hold).on(write.operation()))
    }

    /// What the hub's operations cost while this future ran.
    pub(crate) async fn cost_of<F: IntoFuture>(&self, operation: F) -> (F::Output, Cost) {
        let before = self.hub.cost();
        let output = operation.await;
        (output, self.hub.cost() - before)
    }

    /// The writes that CDMS committed.
    pub(crate) fn commits(&self) -> Vec<CommitEntry> {
        self.kit.simulator.log()
    }

    /// The requests with this method that CDMS got.
    pub(crate) fn requests(&self, method: &str) -> Vec<RequestEntry> {
        self.kit.simulator.requests().into_iter().filter(|request| request.method == method).collect()
    }

    /// How often the hub logged in.
    pub(crate) fn logins(&self) -> usize {
        self.requests("POST").iter().filter(|request| request.target.ends_with("/login")).count()
    }

    /// How many writes are open in the database.
    pub(crate) fn open_intents(&self) -> usize {
        self.dump("datahub_intents").iter().filter(|intent| intent.contains(" verdict=NULL")).count()
    }

    /// CDMS's time of the organisation's last change, as the hub has it.
    pub(crate) fn modified(&self) -> String {
        let record = self.dump("datahub_records").remove(0);
        let modified = record.split("modified=").nth(1).and_then(|rest| rest.split(" created=").next());
        modified.expect("its time").to_owned()
    }

    /// The kinds of the organisation's history.
    pub(crate) async fn history(&self) -> Vec<EntryKind> {
        history_of(&self.hub, self.id()).await
    }

    pub(crate) async fn settle(&self) -> SettlingReport {
        self.hub.settle().await.unwrap()
    }

    pub(crate) async fn quarantine(&self) -> Vec<QuarantineEntry> {
        self.hub.quarantine(100).await.unwrap()
    }

    /// Both of the hub's tables that hold records, every row and column of them as text.
    pub(crate) fn rows(&self) -> Vec<String> {
        ["organisations", "contacts", "datahub_records"].into_iter().flat_map(|table| self.dump(table)).collect()
    }

    /// The same without the records' versions, which also move where CDMS has changed and the rows stay as they were.
    pub(crate) fn rows_but_for_versions(&self) -> Vec<String> {
        let version = |word: &&str| !word.starts_with("version=") && !word.starts_with("outdated_at=");
        self.rows().iter().map(|row| row.split(' ').filter(version).collect::<Vec<_>>().join(" ")).collect()
    }

    /// Every row of a table as text, in the order of its columns.
    pub(crate) fn dump(&self, table: &str) -> Vec<String> {
        self.kit.rows_of(table)
    }

    /// Writes to the database behind the hub's back.
    pub(crate) fn sql(&self, statements: &str) {
        self.kit.run_sql(statements).unwrap();
    }

    /// Asserts that no program holds a lock or a transaction open: that would keep this one out for ever.
    pub(crate) fn nobody_holds_a_transaction(&self) {
        self.sql(self.on(
            "BEGIN IMMEDIATE; COMMIT",
            "SET lock_timeout = '60s'; BEGIN; \
             LOCK TABLE organisations, contacts, datahub_records, datahub_intents, datahub_history; COMMIT",
        ));
    }

    /// All bytes of a SQLite file and its log, as text; none on a server.
    pub(crate) fn files(&self) -> String {
        let url = self.kit.database();
        let Some(path) = url.strip_prefix("sqlite://") else { return String::new() };
        let bytes = ["", "-wal"].map(|end| std::fs::read(format!("{path}{end}")).unwrap_or_default());
        bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
    }

    /// What differs between the databases.
    pub(crate) fn on<T>(&self, sqlite: T, postgres: T) -> T {
        if self.kit.is_on_postgres() { postgres } else { sqlite }
    }
}

/// What is known of the organisation in CDMS when nothing has happened yet.
pub(crate) fn acme() -> [(&'static str, Value); 6] {
    [
        ("Name", Value::text("Acme")),
        ("optevia_TownCity", Value::text("Leeds")),
        ("optevia_CountryCode", Value::text("+44")),
        ("optevia_AreaCode", Value::text("113")),
        ("optevia_TelephoneNumber", Value::text("4960000")),
        ("CreditLimit", Value::Money("5000".parse().unwrap())),
    ]
}

pub(crate) async fn history_of<T: CdmsSynced>(hub: &Hub, id: Id<T>) -> Vec<EntryKind> {
    T::history(hub, id).await.unwrap().iter().map(|entry| entry.kind).collect()
}

/// What a read found and did.
#[track_caller]
pub(crate) fn found<T: CdmsSynced>(value: &Synced<T>) -> Finding {
    match value.checked() {
        Checked::At { found, .. } => found,
        other => panic!("not checked by a read: {other:?}"),
    }
}

/// The error of a result, which must be of this kind.
#[track_caller]
pub(crate) fn failed<T>(result: Result<T, impl Into<Error>>, kind: ErrorKind) -> Error {
    match result {
        Ok(_) => panic!("expected {kind:?}, but it worked"),
        Err(error) => {
            let error = error.into();
            assert_eq!(error.kind(), kind, "{error}");
            error
        }
    }
}

/// Asserts that an error's text says all of this.
#[track_caller]
pub(crate) fn says(error: &Error, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{text:?} does not say {part:?}");
    }
}

/// A contact of the organisation.
pub(crate) fn ada(scene: &Scene) -> Contact {
    Contact { organisation: Some(scene.id()), first_name: Some("Ada Grace".into()), ..Contact::named("Lovelace") }
}

/// The kit's time, this much later.
pub(crate) fn now(scene: &Scene) -> Instant {
    Instant(scene.kit.simulator.clock().now_ms())
}

/// A kind of write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Update,
    Create,
    Delete,
}

/// A write that is ready to be made, any number of times: an update and a delete of the organisation, which has been
/// read, or the create of a contact.
pub(crate) enum Attempt {
    Update(Synced<Organisation>),
    Create(Contact),
    Delete(Synced<Organisation>),
}

/// The name that updates give the organisation.
pub(crate) const NEW_NAME: &str = "Acme Foods";

impl Write {
    pub(crate) const ALL: [Write; 3] = [Write::Update, Write::Create, Write::Delete];

    pub(crate) async fn prepare(self, scene: &Scene) -> Attempt {
        let attempt = match self {
            Write::Update => {
                let mut org = scene.get().await.unwrap();
                org.name = NEW_NAME.into();
                Attempt::Update(org)
            }
            Write::Create => Attempt::Create(ada(scene)),
            Write::Delete => Attempt::Delete(scene.get().await.unwrap()),
        };
        scene.minute();
        attempt
    }

    pub(crate) fn operation(self) -> Operation {
        match self {
            Write::Update => Operation::Update,
            Write::Create => Operation::Create,
            Write::Delete => Operation::Delete,
        }
    }

    pub(crate) fn kind(self) -> WriteKind {
        match self {
            Write::Update => WriteKind::Update,
            Write::Create => WriteKind::Create,
            Write::Delete => WriteKind::Delete,
        }
    }

    pub(crate) fn method(self) -> &'static str {
        match self {
            Write::Update => "MERGE",
            Write::Create => "POST",
            Write::Delete => "DELETE",
        }
    }
}

impl Attempt {
    pub(crate) fn id(&self) -> Uuid {
        match self {
            Attempt::Update(org) | Attempt::Delete(org) => org.id().guid(),
            Attempt::Create(contact) => contact.id.guid(),
        }
    }

    pub(crate) fn model(&self) -> &'static str {
        match self {
            Attempt::Update(_) | Attempt::Delete(_) => "Organisation",
            Attempt::Create(_) => "Contact",
        }
    }

    pub(crate) async fn run(&self, scene: &Scene) -> Result<(), Error> {
        self.run_on(&scene.hub).await
    }

    pub(crate) async fn run_on(&self, hub: &Hub) -> Result<(), Error> {
        match self {
            Attempt::Update(org) => org.clone().save(hub).await.map(drop),
            Attempt::Create(contact) => Contact::create(hub, contact.clone()).await.map(drop).map_err(Error::from),
            Attempt::Delete(org) => org.clone().delete(hub).await.map(drop).map_err(Error::from),
        }
    }

    /// Whether CDMS is as the write wants it.
    pub(crate) fn is_in_cdms(&self, scene: &Scene) -> bool {
        let record = |entity| scene.kit.simulator.record(entity, self.id());
        match self {
            Attempt::Update(_) => {
                record("Account").is_some_and(|record| record.get("Name") == Some(&Value::text(NEW_NAME)))
            }
            Attempt::Create(_) => record("Contact").is_some(),
            Attempt::Delete(_) => record("Account").is_none(),
        }
    }

    /// Asserts that the hub agrees with CDMS, with a check that finds nothing to do.
    pub(crate) async fn agrees(&self, scene: &Scene) {
        let (read, is_in_cdms) = match self {
            Attempt::Update(_) | Attempt::Delete(_) => {
                let record = scene.kit.simulator.record("Account", scene.account);
                let read = scene.get().await;
                if let Ok(org) = &read {
                    assert_eq!(
                        Some(&Value::text(org.name.as_str())),
                        record.as_ref().and_then(|record| record.get("Name"))
                    );
                }
                (read.map(|org| found(&org)), record.is_some())
            }
            Attempt::Create(_) => {
                let read = Contact::get(&scene.hub, self.id().into()).await;
                let record = scene.kit.simulator.record("Contact", self.id());
                (read.map(|contact| found(&contact)), record.is_some())
            }
        };
        match read {
            Ok(found) => {
                assert!(is_in_cdms, "the hub has a record that CDMS does not have");
                assert_eq!(found, Finding::InSync);
            }
            Err(error) => {
                assert!(!is_in_cdms, "CDMS has a record that the hub does not have: {error}");
                assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Gone), "{error}");
            }
        }
    }
}
