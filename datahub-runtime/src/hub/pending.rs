//! What pending migrations mean for a program that connects: which it needs first, and when they can be run.

use crate::migration::{Migration, Migrations, Phase};
use crate::store::{Pending, Store};
use crate::{Error, ErrorKind};

/// Refuses a database on which migrations are pending that this program needs; otherwise returns what waits until
/// older programs are gone.
pub(super) async fn refuse_pending(store: &Store, migrations: &Migrations) -> Result<Pending, Error> {
    let (due, waiting) = store.pending(migrations).await?;
    let message = match &due[..] {
        [] => return refuse_behind(&waiting),
        [one] => format!("the migration {} is pending", one.name),
        [first, .., last] => {
            format!("{} migrations are pending, from {} to {}", due.len(), first.name, last.name)
        }
    };
    Err(Error::new(ErrorKind::Misconfigured, message).advise(
        "run `datahub migrate run` as a database user that may change tables, or call `migrate()` on the hub's builder \
         before `connect()`",
    ))
}

/// What to do about migrations that wait until older programs are gone.
const WHEN_GONE: &str = "when the older programs are gone, run `datahub migrate run --contract` as a database user that \
                         may change tables, or call `migrate().contract()` on the hub's builder before `connect()`";

/// Refuses a database on which this program needs a migration that is behind one that older programs cannot live with.
fn refuse_behind(waiting: &[Migration]) -> Result<Pending, Error> {
    let Some(first) = waiting.first() else { return Ok(Pending::Nothing) };
    let Some(needed) = waiting.iter().find(|migration| migration.phase == Phase::Expand) else {
        return Ok(Pending::Waiting(first.name.to_string()));
    };
    let message = format!(
        "the migration {} is pending behind {}, which older programs cannot live with",
        needed.name, first.name
    );
    Err(Error::new(ErrorKind::Misconfigured, message).advise(WHEN_GONE))
}
