//! A lease on work that one program at a time does. It is a row and not a lock of the session, so that it works behind a
//! pooler and ends by itself when its program is killed.

use std::sync::Arc;
use std::time::Duration;

use cdms_odata::Instant;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::connection::Connection;
use super::failure::Trouble;
use super::settings;
use super::statement::Statement;

/// A holder's claim to a lease.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    /// The setting that holds the lease.
    setting: Arc<str>,
    holder: Uuid,
    who: String,
    pub(crate) lasts: Duration,
}

/// What an attempt to take the lease found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Taking {
    /// It was free, or this holder had it already.
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
    /// The claim of a new holder.
    pub(crate) fn new(setting: impl Into<Arc<str>>, program: &str, lasts: Duration) -> Self {
        let who = format!("{program} (process {})", std::process::id());
        Lease { setting: setting.into(), holder: Uuid::new_v4(), who, lasts }
    }

    /// The same claim, which lasts for another time once it is taken or renewed.
    pub(crate) fn lasting(&self, lasts: Duration) -> Self {
        Lease { lasts, ..self.clone() }
    }

    /// Takes the lease, if no other holder has it.
    pub(crate) fn take(&self, connection: &mut Connection) -> Result<Taking, Trouble> {
        connection.write(|connection| {
            let found = settings::get(connection, &self.setting)?;
            let now = connection.now()?;
            let held = found.as_deref().map(|text| self.read(text)).transpose()?;
            let others = held.filter(|held| held.holder != self.holder);
            if let Some(held) = others.as_ref().filter(|held| held.until_ms > now.0) {
                return Ok(Taking::Held(held.who.clone(), left(held, now)));
            }
            let ours = self.text(now)?;
            let statement = match &found {
                None => Statement::new(
                    "INSERT INTO datahub_settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                    [(&*self.setting).into(), ours.as_str().into()],
                ),
                Some(found) => Statement::new(
                    "UPDATE datahub_settings SET value = ? WHERE name = ? AND value = ?",
                    [ours.as_str().into(), (&*self.setting).into(), found.as_str().into()],
                ),
            };
            // Otherwise another program was faster.
            if connection.execute(&statement)? != 1 {
                return Ok(Taking::Held("another program".to_owned(), self.lasts));
            }
            Ok(others.map_or(Taking::Taken, |held| Taking::TakenOver(held.who)))
        })
    }

    /// Renews the lease, and returns whether this holder still has it. Within a transaction, no other one can take it
    /// before the transaction ends.
    pub(crate) fn renew(&self, connection: &mut Connection) -> Result<bool, Trouble> {
        let now = connection.now()?;
        let sql = "UPDATE datahub_settings SET value = ? WHERE name = ? AND value <> replace(value, ?, '')";
        let values = [self.text(now)?.into(), (&*self.setting).into(), self.ours().into()];
        Ok(connection.execute(&Statement::new(sql, values))? == 1)
    }

    /// Gives the lease back.
    pub(crate) fn release(&self, connection: &mut Connection) -> Result<(), Trouble> {
        let sql = "DELETE FROM datahub_settings WHERE name = ? AND value <> replace(value, ?, '')";
        connection.send(Statement::new(sql, [(&*self.setting).into(), self.ours().into()]))
    }

    /// What is part of a lease of this holder only.
    fn ours(&self) -> String {
        format!("\"holder\":\"{}\"", self.holder)
    }

    fn text(&self, now: Instant) -> Result<String, Trouble> {
        let lasts = i64::try_from(self.lasts.as_millis()).unwrap_or(i64::MAX);
        let held = Held { holder: self.holder, who: self.who.clone(), until_ms: now.plus_ms(lasts).0 };
        serde_json::to_string(&held).map_err(|error| Trouble::Other(error.to_string()))
    }

    fn read(&self, text: &str) -> Result<Held, Trouble> {
        read(&self.setting, text)
    }
}

/// The program that has the lease of this setting or was killed with it.
pub(crate) fn holder(connection: &mut Connection, setting: &str) -> Result<Option<String>, Trouble> {
    let Some(text) = settings::get(connection, setting)? else { return Ok(None) };
    Ok(Some(read(setting, &text)?.who))
}

fn read(setting: &str, text: &str) -> Result<Held, Trouble> {
    serde_json::from_str(text).map_err(|error| Trouble::Corrupt(format!("invalid setting {setting}: {error}")))
}

fn left(held: &Held, now: Instant) -> Duration {
    Duration::from_millis(u64::try_from(held.until_ms.saturating_sub(now.0)).unwrap_or(0))
}
