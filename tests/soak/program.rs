//! A program of the soak: four clients that read, write and delete at random, and say what each operation came to.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::FormLogin;
use datahub_runtime::{OnConflict, OperationId};
use example_domain::{Contact, Organisation};
use fastrand::Rng;
use serde::{Deserialize, Serialize};
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
}

/// What one operation came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) kind: Kind,
    pub(crate) id: Uuid,
    /// The value that an update wrote: no other one has it.
    pub(crate) value: Option<String>,
    /// `Ok`, or the kind of error.
    pub(crate) outcome: String,
    pub(crate) operation: Option<OperationId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Kind {
    Read,
    Update,
    Create,
    Delete,
    Look,
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

pub(crate) fn run(order: Order) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(work(order));
    ExitCode::SUCCESS
}

async fn work(order: Order) {
    let hub = Hub::builder()
        .database(&order.database)
        .cdms(&order.cdms, FormLogin::new(LOGIN.0, LOGIN.1))
        .models(example_domain::models())
        .program(format!("program {}", order.number))
        .time_limit(TIME_LIMIT)
        .execution_limit(EXECUTION_LIMIT)
        .connections(4)
        .connect()
        .await
        .expect("the stage is set");
    let begun = Arc::new(AtomicU64::new(0));
    let order = Arc::new(order);
    let clients = (0..CLIENTS).map(|client| {
        let rng = Rng::with_seed(order.seed ^ (order.number * 1_000 + client));
        let client =
            Client { hub: hub.clone(), order: Arc::clone(&order), client, rng, contacts: Vec::new(), values: 0 };
        tokio::spawn(client.live(Arc::clone(&begun)))
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("a client does not panic");
    }
    hub.shutdown(Duration::from_secs(30)).await;
}

struct Client {
    hub: Hub,
    order: Arc<Order>,
    client: u64,
    rng: Rng,
    contacts: Vec<Uuid>,
    values: u64,
}

#[allow(clippy::print_stdout, reason = "its lines are how it reports")]
fn say(report: &Report) {
    let line = serde_json::to_string(report).expect("a report is JSON");
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").expect("who started it listens");
}

impl Client {
    async fn live(mut self, begun: Arc<AtomicU64>) {
        while begun.fetch_add(1, Ordering::Relaxed) < self.order.operations {
            let report = self.operate().await;
            say(&report);
        }
    }

    async fn operate(&mut self) -> Report {
        let account = self.order.accounts[self.rng.usize(..self.order.accounts.len())];
        match self.rng.u32(..100) {
            0..35 => {
                let read = Organisation::get(&self.hub, account.into()).await.map(drop);
                report(Kind::Read, account, None, read)
            }
            35..45 => {
                let look = Organisation::history(&self.hub, account.into()).limit(20).await.map(drop);
                report(Kind::Look, account, None, look)
            }
            45..82 => self.update(account).await,
            82..94 => {
                let contact = Contact { organisation: Some(account.into()), ..Contact::named("Lovelace") };
                let id = contact.id.guid();
                let created = Contact::create(&self.hub, contact).await.map(drop);
                if created.is_ok() {
                    self.contacts.push(id);
                }
                report(Kind::Create, id, None, created)
            }
            _ => match self.contacts.pop() {
                None => self.update(account).await,
                Some(id) => {
                    let contact = Contact::get(&self.hub, id.into()).freshness(Freshness::LocalOnly).await;
                    let deleted = match contact {
                        Ok(contact) => contact.delete(&self.hub).await.map_err(Error::from),
                        Err(error) => return report(Kind::Look, id, None, Err(error)),
                    };
                    if deleted.is_err() {
                        self.contacts.insert(0, id);
                    }
                    report(Kind::Delete, id, None, deleted)
                }
            },
        }
    }

    async fn update(&mut self, account: Uuid) -> Report {
        let loaded = Organisation::get(&self.hub, account.into()).freshness(Freshness::LocalOnly).await;
        let mut org = match loaded {
            Ok(org) => org,
            Err(error) => return report(Kind::Look, account, None, Err(error)),
        };
        self.values += 1;
        let value = format!("https://p{}c{}n{}.example", self.order.number, self.client, self.values);
        org.website = Some(value.clone());
        let policy = if self.rng.u8(..) < 50 { OnConflict::Reject } else { OnConflict::LastWriterWins };
        let saved = org.save(&self.hub).on_conflict(policy).await;
        report(Kind::Update, account, Some(value), saved)
    }
}

fn report(kind: Kind, id: Uuid, value: Option<String>, result: Result<(), Error>) -> Report {
    let (outcome, operation) = match result {
        Ok(()) => ("Ok".to_owned(), None),
        Err(error) => (format!("{:?}", error.kind()), error.operation_id()),
    };
    Report { kind, id, value, outcome, operation }
}
