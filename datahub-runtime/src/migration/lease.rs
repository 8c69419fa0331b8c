//! The lease of a run: one program at a time runs migrations.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::store::{Lease, Location, PlainConnection as Connection, PlainTrouble as Trouble};

/// The setting that holds the lease.
pub(super) const SETTING: &str = "migrating";

/// A run's claim to the lease.
pub(super) fn lease_of(program: &str, lasts: Duration) -> Lease {
    Lease::new(SETTING, program, lasts)
}

/// Renews the lease from a thread of its own while a long statement runs, where the database allows that: a SQLite file
/// cannot be written meanwhile, by any other run either.
pub(super) fn keep(lease: &Lease, location: &Location) -> Result<Keeper, Trouble> {
    if location.has_one_writer() { Ok(Keeper(None)) } else { keep_while_reading(lease, location) }
}

/// Renews the lease from a thread of its own while a long statement only reads.
pub(super) fn keep_while_reading(lease: &Lease, location: &Location) -> Result<Keeper, Trouble> {
    let (end, ended) = channel::<()>();
    let (lease, location) = (lease.clone(), location.clone());
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
