//! The program that is stopped: it carries out one operation, hangs at the point that it is told, and does what it hears.
//!
//! It speaks in lines. `at POINT`: it hangs there. `passed POINT`: where it was told to hang nowhere. `done OUTCOME`: the
//! operation is over. It hears `go`, `clock MS` (so much time has passed), and `drop` (the caller no longer waits for the operation).

use std::io::Write as _;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use datahub_runtime::crash_points::observe;
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{Clock as _, Instant, ManualClock, Settling};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;

use crate::scenario::{Records, Scenario};

/// What the victim is to do, and where it hangs.
#[derive(Serialize, Deserialize)]
pub(crate) struct Order {
    database: String,
    cdms: String,
    now: Instant,
    scenario: Scenario,
    records: Records,
    /// The point at which it hangs, the first time that it comes there.
    point: Option<String>,
}

/// The variable that tells a process that it is the victim.
const ORDER: &str = "DATAHUB_TESTS_VICTIM";

/// A victim, as who started it sees it.
pub(crate) struct Victim {
    child: Child,
    hears: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
    /// The name of its connections on a database server.
    pub(crate) application: String,
}

impl Victim {
    pub(crate) fn start(kit: &Kit, scenario: Scenario, records: Records, point: Option<&str>) -> std::io::Result<Self> {
        let application = format!("victim-{}", uuid::Uuid::new_v4().simple());
        let mut database = kit.database();
        if kit.is_on_postgres() {
            database.push_str(&format!("&application_name={application}"));
        }
        let order = Order {
            database,
            cdms: kit.simulator.root(),
            now: kit.clock.now(),
            scenario,
            records,
            point: point.map(str::to_owned),
        };
        let mut child = Command::new(std::env::current_exe()?)
            .env(ORDER, serde_json::to_string(&order)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (hears, says) = (child.stdin.take(), child.stdout.take());
        let (Some(hears), Some(says)) = (hears, says) else { unreachable!("both are piped") };
        Ok(Victim { child, hears, says: BufReader::new(says).lines(), application })
    }

    /// The rest of its next line that begins with this word; other lines are skipped.
    pub(crate) async fn heard(&mut self, word: &str) -> Result<String, String> {
        loop {
            let line = self.says.next_line().await.map_err(|error| error.to_string())?;
            let line = line.ok_or_else(|| format!("the victim ended before it said {word:?}"))?;
            match line.strip_prefix(word) {
                Some(rest) => return Ok(rest.trim_start().to_owned()),
                None if line.starts_with("done") => return Err(format!("it never came there; it is {line}")),
                None => {}
            }
        }
    }

    /// All points that it passes, to its end.
    pub(crate) async fn passes(&mut self) -> Result<Vec<String>, String> {
        let mut points = Vec::new();
        while let Some(line) = self.says.next_line().await.map_err(|error| error.to_string())? {
            match line.strip_prefix("passed ") {
                Some(point) => points.push(point.to_owned()),
                None => break,
            }
        }
        Ok(points)
    }

    /// The next point that it passes; it must be told to hang nowhere.
    pub(crate) async fn passed(&mut self) -> Result<String, String> {
        self.heard("passed").await
    }

    /// The most memory that it has used, in KiB, where the system says so.
    pub(crate) fn peak_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        peak.trim().strip_suffix("kB")?.trim().parse().ok()
    }

    pub(crate) async fn tell(&mut self, what: &str) -> std::io::Result<()> {
        self.hears.write_all(format!("{what}\n").as_bytes()).await?;
        self.hears.flush().await
    }

    /// Sends its process a signal: `STOP` stops it, with all its threads and sockets, and `CONT` lets it go on.
    pub(crate) async fn signal(&self, signal: &str) -> std::io::Result<()> {
        let process = self.child.id().expect("it is alive").to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &process]).status().await?;
        if !sent.success() {
            return Err(std::io::Error::other(format!("the victim cannot be sent SIG{signal}: {sent}")));
        }
        Ok(())
    }

    pub(crate) async fn kill(mut self) -> std::io::Result<()> {
        self.child.kill().await
    }
}

impl Order {
    pub(crate) fn from_environment() -> Option<Self> {
        let order = std::env::var(ORDER).ok()?;
        Some(serde_json::from_str(&order).expect("an order that this program wrote"))
    }
}

#[allow(clippy::print_stdout, reason = "its lines are how it speaks")]
fn say(what: &str) {
    println!("{what}");
    std::io::stdout().flush().expect("who started it listens");
}

pub(crate) fn run(order: Order) -> ExitCode {
    let (gate, closed) = watch::channel(false);
    let point = order.point.clone();
    let arrived = std::sync::atomic::AtomicBool::new(false);
    observe(move |passed| match &point {
        None => {
            say(&format!("passed {passed}"));
            None
        }
        Some(point) if point == passed && !arrived.swap(true, std::sync::atomic::Ordering::SeqCst) => {
            say(&format!("at {passed}"));
            Some(closed.clone())
        }
        Some(_) => None,
    })
    .expect("the only observer");
    // A point may hang a thread, and the others must go on.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    runtime.expect("a runtime").block_on(live(order, gate));
    ExitCode::SUCCESS
}

async fn live(order: Order, gate: watch::Sender<bool>) {
    let clock = ManualClock::at(order.now);
    let hub = Hub::builder()
        .database(&order.database)
        .cdms(&order.cdms, Anonymous)
        .models(example_domain::models())
        .clock(clock.clone())
        .settling(Settling::OnRequest)
        .connections(2)
        .program("victim")
        .connect()
        .await
        .expect("the stage is set");
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut operation = Some(Box::pin(order.scenario.carry_out(&hub, order.records)));
    let mut outcome = None;
    while outcome.is_none() {
        let running = async {
            match &mut operation {
                Some(operation) => operation.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            result = running => {
                outcome = Some(result.map_or_else(|error| format!("{:?}", error.kind()), |()| "Ok".to_owned()));
            }
            line = lines.next_line() => match line.expect("who started it speaks in lines").as_deref() {
                Some("go") => _ = gate.send(true),
                Some("drop") => {
                    operation = None;
                    _ = gate.send(true);
                    outcome = Some("Dropped".to_owned());
                }
                Some(line) => {
                    let ms = line.strip_prefix("clock ").and_then(|ms| ms.parse().ok());
                    clock.advance(Duration::from_millis(ms.unwrap_or_else(|| panic!("it does not know {line:?}"))));
                }
                None => return,
            },
        }
    }
    drop(operation);
    hub.shutdown(Duration::from_secs(60)).await;
    say(&format!("done {}", outcome.unwrap_or_default()));
}
