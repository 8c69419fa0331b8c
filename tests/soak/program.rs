//! A program of the soak: four clients that read, write and delete at random, list, pull, watch, sweep and have rows
//! revalidated, and say what each operation came to.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::FormLogin;
use datahub_runtime::{OnConflict, OperationId, VersionToken, WatchEvent};
use example_domain::{Contact, Organisation};
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use tokio::sync::RwLock;
use uuid::Uuid;

/// What a program is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) database: String,
    pub(crate) cdms: String,
    pub(crate) number: u64,
    pub(crate) seed: u64,
    pub(crate) operations: u64,
    pub(crate) accounts: Vec<Uuid>,
    /// The ids of contacts that every program creates, changes and deletes.
    pub(crate) contacts: Vec<Uuid>,
}

/// What one operation came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) kind: Kind,
    pub(crate) id: Uuid,
    /// For whom it was done: no other operation has the same, so that intents and history tell which is whose.
    pub(crate) actor: String,
    /// `Ok`, or the kind of error.
    pub(crate) outcome: String,
    pub(crate) operation: Option<OperationId>,
    /// The versions of the rows that it returned.
    pub(crate) shown: Vec<VersionToken>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Kind {
    Read,
    Update,
    Create,
    Delete,
    /// Of what the hub has, without asking CDMS.
    Look,
    /// A read that takes a row of some age at once, which is then checked in the background.
    Revalidate,
    /// The answer to a query.
    List,
    /// A first load that is restarted, or what has changed.
    Pull,
    Sweep,
    /// A watch, until it tells something.
    Watch,
}

impl Kind {
    /// Whether it is a write of one record.
    pub(crate) const fn writes(self) -> bool {
        matches!(self, Kind::Update | Kind::Create | Kind::Delete)
    }
}

/// The user and password that the soak's CDMS knows.
pub(crate) const LOGIN: (&str, &str) = ("hub", "secret");

/// How many clients a program has.
const CLIENTS: u64 = 4;

/// The variable that tells a process that it is a program of the soak.
pub(crate) const ORDER: &str = "DATAHUB_SOAK_PROGRAM";

/// How long one request may take; leases last four times as long.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(2);

/// How long CDMS may go on executing a request.
pub(crate) const EXECUTION_LIMIT: Duration = Duration::from_secs(1);

/// A row that was checked within a minute is returned at once and checked again.
const AT_ONCE: Freshness =
    Freshness::StaleWhileRevalidate { fresh_for: Duration::ZERO, at_most: Duration::from_secs(60) };

/// How long a client waits after CDMS was away, at first and at most. A login that failed stands for ten seconds.
const AWAY: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));

pub(crate) fn run(order: Order) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(work(order));
    ExitCode::SUCCESS
}

async fn work(order: Order) {
    let begun = Arc::new(AtomicU64::new(0));
    let program = Arc::new(Program { hub: RwLock::new((0, connect(&order).await)), order });
    let clients = (0..CLIENTS).map(|client| {
        let rng = Rng::with_seed(program.order.seed ^ (program.order.number * 1_000 + client));
        let client = Client { program: Arc::clone(&program), client, rng, contacts: Vec::new(), acts: 0 };
        tokio::spawn(client.live(Arc::clone(&begun)))
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("a client does not panic");
    }
    program.hub.read().await.1.shutdown(Duration::from_secs(30)).await;
}

async fn connect(order: &Order) -> Hub {
    let hub = Hub::builder()
        // A tenth of all calls meets a fault, so that a login fails far more often than ever outside.
        .login_pause(Duration::from_millis(20))
        .database(&order.database)
        .cdms(&order.cdms, FormLogin::new(LOGIN.0, LOGIN.1))
        .models(example_domain::models())
        .program(format!("program {}", order.number))
        .time_limit(TIME_LIMIT)
        .execution_limit(EXECUTION_LIMIT)
        .connections(4);
    hub.connect().await.expect("the stage is set")
}

struct Program {
    order: Order,
    /// The hub and how many there were before it. Whoever works holds it for reading.
    hub: RwLock<(u64, Hub)>,
}

impl Program {
    /// Connects again, as a client must after CDMS did not keep an id, unless another client has done so.
    async fn reconnect(&self, after: u64) {
        let mut hub = self.hub.write().await;
        if hub.0 == after {
            hub.1.shutdown(Duration::from_secs(30)).await;
            *hub = (after + 1, connect(&self.order).await);
        }
    }
}

struct Client {
    program: Arc<Program>,
    client: u64,
    rng: Rng,
    contacts: Vec<Uuid>,
    acts: u64,
}

#[allow(clippy::print_stdout, reason = "its lines are how it reports")]
fn say(report: &Report) {
    let line = serde_json::to_string(report).expect("a report is JSON");
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").expect("who started it listens");
}

/// What a client is about to do.
struct Act {
    hub: Hub,
    actor: String,
}

impl Act {
    fn report(self, kind: Kind, id: Uuid, result: Result<(), Error>) -> Report {
        let (outcome, operation) = match result {
            Ok(()) => ("Ok".to_owned(), None),
            Err(error) => (format!("{:?}", error.kind()), error.operation_id()),
        };
        Report { kind, id, actor: self.actor, outcome, operation, shown: Vec::new() }
    }

    /// The report of an operation that returns rows.
    fn shows(self, kind: Kind, id: Uuid, result: Result<Vec<VersionToken>, Error>) -> Report {
        let (shown, result) = match result {
            Ok(shown) => (shown, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        Report { shown, ..self.report(kind, id, result) }
    }
}

impl Client {
    async fn live(mut self, begun: Arc<AtomicU64>) {
        let mut pause = AWAY.0;
        while begun.fetch_add(1, Ordering::Relaxed) < self.program.order.operations {
            self.acts += 1;
            let actor = format!("p{}c{}n{}", self.program.order.number, self.client, self.acts);
            let program = Arc::clone(&self.program);
            let guard = program.hub.read().await;
            let generation = guard.0;
            let report = self.operate(Act { hub: guard.1.acting_as(actor.as_str()), actor }).await;
            drop(guard);
            say(&report);
            if report.kind == Kind::Create && report.outcome == "Misconfigured" {
                program.reconnect(generation).await;
            }
            if report.outcome == "Unavailable" {
                // A caller does the same whose CDMS is away.
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(AWAY.1);
            } else {
                pause = AWAY.0;
            }
        }
    }

    async fn operate(&mut self, act: Act) -> Report {
        let order = &self.program.order;
        let account = order.accounts[self.rng.usize(..order.accounts.len())];
        let shared = order.contacts[self.rng.usize(..order.contacts.len())];
        match self.rng.u32(..300) {
            0..84 => {
                let read = Organisation::get(&act.hub, account.into()).await;
                act.shows(Kind::Read, account, read.map(|org| vec![org.version_token()]))
            }
            84..105 => {
                let read = Contact::get(&act.hub, shared.into()).await;
                act.shows(Kind::Read, shared, read.map(|contact| vec![contact.version_token()]))
            }
            105..114 => {
                let read = Organisation::get(&act.hub, account.into()).freshness(AT_ONCE).await;
                act.shows(Kind::Revalidate, account, read.map(|org| vec![org.version_token()]))
            }
            114..122 => self.list(act).await,
            122..133 => {
                let look = Organisation::history(&act.hub, account.into()).limit(20).await.map(drop);
                act.report(Kind::Look, account, look)
            }
            133..139 => match self.rng.u32(..8) {
                0 => {
                    let swept = act.hub.sweep::<Organisation>().await.map(drop);
                    act.report(Kind::Sweep, Uuid::nil(), swept)
                }
                1 => watch(act).await,
                kind => {
                    let pull = match kind {
                        2 => act.hub.pull::<Organisation>().restart().await.map(drop),
                        3 | 4 => {
                            act.hub.ensure_fresh(models![Organisation], Freshness::Always).or_load().await.map(drop)
                        }
                        _ => act.hub.pull::<Organisation>().await.map(drop),
                    };
                    act.report(Kind::Pull, Uuid::nil(), pull)
                }
            },
            139..228 => self.update_account(act, account).await,
            228..246 => self.update_contact(act, shared).await,
            246..276 => {
                let report = create(act, Uuid::new_v4(), account).await;
                if report.outcome == "Ok" {
                    self.contacts.push(report.id);
                }
                report
            }
            276..285 => create(act, shared, account).await,
            285..291 => delete(act, shared).await,
            _ => match self.contacts.pop() {
                None => self.update_account(act, account).await,
                Some(id) => {
                    let report = delete(act, id).await;
                    if report.outcome != "Ok" {
                        self.contacts.insert(0, id);
                    }
                    report
                }
            },
        }
    }

    /// Asks for some accounts in some order, or for the accounts with a name that people give.
    async fn list(&mut self, act: Act) -> Report {
        let f = Organisation::FIELDS;
        let query = Organisation::find(&act.hub).limit(1 + self.rng.u32(..12));
        let query = match self.rng.u32(..3) {
            0 => query.order_by(f.name.desc()),
            1 => query.filter(f.name.starts_with("Name ")),
            _ => query,
        };
        let found = query.load().await;
        let shown = found.map(|found| found.records.iter().map(Synced::version_token).collect());
        act.shows(Kind::List, Uuid::nil(), shown)
    }

    async fn update_account(&mut self, act: Act, id: Uuid) -> Report {
        let loaded = Organisation::get(&act.hub, id.into()).freshness(Freshness::LocalOnly).await;
        let mut org = match loaded {
            Ok(org) => org,
            Err(error) => return act.report(Kind::Look, id, Err(error)),
        };
        org.website = Some(format!("https://{}.example", act.actor));
        if self.rng.u8(..) < 80 {
            org.email = Some(format!("{}@example.org", act.actor));
        }
        let saved = org.save(&act.hub).on_conflict(self.policy()).await.map(drop);
        act.report(Kind::Update, id, saved)
    }

    async fn update_contact(&mut self, act: Act, id: Uuid) -> Report {
        let loaded = Contact::get(&act.hub, id.into()).freshness(Freshness::LocalOnly).await;
        let mut contact = match loaded {
            Ok(contact) => contact,
            Err(error) => return act.report(Kind::Look, id, Err(error)),
        };
        contact.job_title = Some(format!("Title of {}", act.actor));
        let saved = contact.save(&act.hub).on_conflict(self.policy()).await.map(drop);
        act.report(Kind::Update, id, saved)
    }

    fn policy(&mut self) -> OnConflict {
        if self.rng.u8(..) < 50 { OnConflict::Reject } else { OnConflict::LastWriterWins }
    }
}

/// Watches until something is told, and no longer than a pull takes.
async fn watch(act: Act) -> Report {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let watch = act.hub.watch(models![Organisation], Duration::from_secs(1)).on_event(move |event| {
        // After the first, nobody listens.
        _ = tell.send(event.clone());
    });
    let watch = match watch.await {
        Ok(watch) => watch,
        Err(error) => return act.report(Kind::Watch, Uuid::nil(), Err(error)),
    };
    let event = tokio::time::timeout(TIME_LIMIT, told.recv()).await;
    watch.stop().await;
    let (result, word) = match event {
        Ok(Some(WatchEvent::PullFailed { error, .. } | WatchEvent::CdmsAway { error })) => (Err(error), None),
        Ok(Some(WatchEvent::LeftToOthers { .. })) => (Ok(()), Some("LeftToOthers")),
        Ok(Some(_)) => (Ok(()), None),
        Err(_) | Ok(None) => (Ok(()), Some("Nothing")),
    };
    let report = act.report(Kind::Watch, Uuid::nil(), result);
    Report { outcome: word.map_or(report.outcome, str::to_owned), ..report }
}

async fn create(act: Act, id: Uuid, account: Uuid) -> Report {
    let named = Contact { id: id.into(), organisation: Some(account.into()), ..Contact::named("Lovelace") };
    let contact = Contact { job_title: Some(format!("Title of {}", act.actor)), ..named };
    let created = Contact::create(&act.hub, contact).await.map(drop).map_err(Error::from);
    act.report(Kind::Create, id, created)
}

async fn delete(act: Act, id: Uuid) -> Report {
    let contact = Contact::get(&act.hub, id.into()).freshness(Freshness::LocalOnly).await;
    let deleted = match contact {
        Ok(contact) => contact.delete(&act.hub).await.map(drop).map_err(Error::from),
        Err(error) => return act.report(Kind::Look, id, Err(error)),
    };
    act.report(Kind::Delete, id, deleted)
}
