//! The lease of a run: one program at a time runs migrations. It is a row and not a lock of the session, so that it
//! works behind a pooler and ends by itself when its program is killed.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use cdms_odata::Instant;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::store::settings;
use crate::store::{Location, PlainConnection as Connection, PlainTrouble as Trouble, Statement};

/// The setting that holds the lease.
const SETTING: &str = "migrating";

/// A run's claim to the lease.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    holder: Uuid,
    who: String,
    lasts: Duration,
}

/// What an attempt to take the lease found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taking {
    /// It was free.
    Taken,
    /// It was left behind by this program, which was killed.
    TakenOver(String),
    /// Another program has it, for this long at most unless it renews it.
    Held(String, Duration),
}

/// The lease as it is stored.
#[derive(Serialize, Deserialize)]
struct Held {
    holder: Uuid,
    who: String,
    /// The end of the lease by the database's clock, in milliseconds since 1970.
    until_ms: i64,
}

impl Lease {
    pub(super) fn new(program: &str, lasts: Duration) -> Self {
        let who = format!("{program} (process {})", std::process::id());
        Lease { holder: Uuid::new_v4(), who, lasts }
    }

    /// Takes the lease, if no program has it.
    pub(super) fn take(&self, connection: &mut Connection) -> Result<Taking, Trouble> {
        connection.write(|connection| {
            let found = settings::get(connection, SETTING)?;
            let now = connection.now()?;
            let held = found.as_deref().map(read).transpose()?;
            if let Some(held) = held.as_ref().filter(|held| held.until_ms > now.0) {
                return Ok(Taking::Held(held.who.clone(), left(held, now)));
            }
            let ours = self.text(now)?;
            let statement = match &found {
                None => Statement::new(
                    "INSERT INTO datahub_settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                    [SETTING.into(), ours.as_str().into()],
                ),
                Some(found) => Statement::new(
                    "UPDATE datahub_settings SET value = ? WHERE name = ? AND value = ?",
                    [ours.as_str().into(), SETTING.into(), found.as_str().into()],
                ),
            };
            // Otherwise another program was faster.
            if connection.execute(&statement)? != 1 {
                return Ok(Taking::Held("another program".to_owned(), self.lasts));
            }
            Ok(held.map_or(Taking::Taken, |held| Taking::TakenOver(held.who)))
        })
    }

    /// Renews the lease, and returns whether this run still has it. Within a transaction, no other run can take it
    /// before the transaction ends.
    pub(super) fn renew(&self, connection: &mut Connection) -> Result<bool, Trouble> {
        let now = connection.now()?;
        let sql = "UPDATE datahub_settings SET value = ? WHERE name = ? AND value LIKE ?";
        let ours = format!("%\"holder\":\"{}\"%", self.holder);
        let values = [self.text(now)?.into(), SETTING.into(), ours.into()];
        Ok(connection.execute(&Statement::new(sql, values))? == 1)
    }

    /// Gives the lease back.
    pub(super) fn release(&self, connection: &mut Connection) -> Result<(), Trouble> {
        let sql = "DELETE FROM datahub_settings WHERE name = ? AND value LIKE ?";
        let ours = format!("%\"holder\":\"{}\"%", self.holder);
        connection.execute(&Statement::new(sql, [SETTING.into(), ours.into()])).map(drop)
    }

    fn text(&self, now: Instant) -> Result<String, Trouble> {
        let lasts = i64::try_from(self.lasts.as_millis()).unwrap_or(i64::MAX);
        let held = Held { holder: self.holder, who: self.who.clone(), until_ms: now.plus_ms(lasts).0 };
        serde_json::to_string(&held).map_err(|error| Trouble::Other(error.to_string()))
    }

    /// Renews the lease from a thread of its own while a long statement runs, where the database allows that: a SQLite
    /// file cannot be written meanwhile, by any other run either.
    pub(super) fn keep(&self, location: &Location) -> Result<Keeper, Trouble> {
        if location.has_one_writer() { Ok(Keeper(None)) } else { self.keep_while_reading(location) }
    }

    /// Renews the lease from a thread of its own while a long statement only reads.
    pub(super) fn keep_while_reading(&self, location: &Location) -> Result<Keeper, Trouble> {
        let (end, ended) = channel::<()>();
        let (lease, location) = (self.clone(), location.clone());
        let thread = std::thread::Builder::new().name("datahub-lease".to_owned()).spawn(move || {
            let mut connection = None;
            while ended.recv_timeout(lease.lasts / 3) == Err(RecvTimeoutError::Timeout) {
                let renewed = match &mut connection {
                    None => Connection::of_migration(&location).map(|opened| {
                        let renewed = lease.renew(connection.insert(opened));
                        renewed.is_ok()
                    }),
                    Some(connection) => Ok(lease.renew(connection).is_ok()),
                };
                // The run notices by itself if the lease is lost.
                if !renewed.unwrap_or(false) {
                    connection = None;
                }
            }
        });
        let thread = thread.map_err(|error| Trouble::Unavailable(format!("a thread could not be started: {error}")))?;
        Ok(Keeper(Some((end, thread))))
    }
}

/// Renews a lease until it is dropped.
pub(super) struct Keeper(Option<(Sender<()>, JoinHandle<()>)>);

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.0.take() {
            drop(end);
            // A panic there does not matter any more.
            _ = thread.join();
        }
    }
}

/// The program that has the lease or was killed with it, and how long the lease lasts.
pub(super) fn holder(connection: &mut Connection) -> Result<Option<(String, Duration)>, Trouble> {
    let Some(text) = settings::get(connection, SETTING)? else { return Ok(None) };
    let (held, now) = (read(&text)?, connection.now()?);
    let left = left(&held, now);
    Ok(Some((held.who, left)))
}

fn read(text: &str) -> Result<Held, Trouble> {
    serde_json::from_str(text).map_err(|error| Trouble::Corrupt(format!("invalid setting {SETTING}: {error}")))
}

fn left(held: &Held, now: Instant) -> Duration {
    Duration::from_millis(u64::try_from(held.until_ms.saturating_sub(now.0)).unwrap_or(0))
}
