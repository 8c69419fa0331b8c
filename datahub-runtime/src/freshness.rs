//! How strictly a read checks with CDMS, and how it did.

use std::time::Duration;

use chrono::{DateTime, Utc};
use datahub_protocol::{Finding, OperationId};

/// How strictly a read is checked against CDMS.
///
/// The ages are those of this program's own checks, which it remembers in memory: another program's check of the same
/// row does not count, and neither does one from before a restart. A write counts as a check once its result was read
/// back. For [whole models](crate::Hub::ensure_fresh), the ages are those of the last pull of any program on the database.
///
/// ```no_run
/// # use std::time::Duration;
/// # use datahub_runtime::prelude::*;
/// # #[derive(Clone, CdmsSynced)]
/// # #[cdms(mapping = "account.toml", table = "organisations")]
/// # struct Organisation {
/// #     #[cdms(key)]
/// #     id: Id<Organisation>,
/// #     #[cdms("Name")]
/// #     name: String,
/// # }
/// # async fn show(hub: &Hub, id: Id<Organisation>) -> Result<(), Error> {
/// // No request if this program has checked the record within the last half minute.
/// let half_a_minute = Freshness::MaxAge(Duration::from_secs(30));
/// let organisation = Organisation::get(hub, id).freshness(half_a_minute).await?;
///
/// // After half a minute the row is still returned at once, and checked in the background for the next reader; after
/// // ten minutes the reader waits for the check.
/// let at_once = Freshness::StaleWhileRevalidate {
///     fresh_for: Duration::from_secs(30),
///     at_most: Duration::from_secs(600),
/// };
/// let organisation = Organisation::get(hub, id).freshness(at_once).await?;
/// if let Checked::Stale { time, .. } = organisation.checked() {
///     println!("{} (as of {time})", organisation.name);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Freshness {
    /// CDMS is asked every time: the promise.
    #[default]
    Always,
    /// CDMS is not asked if this program has checked the record within this time. One statement, and no request.
    MaxAge(Duration),
    /// Like [`MaxAge`](Freshness::MaxAge) with `fresh_for`. If the last check is older than that, but not older than
    /// `at_most`, the row is also returned at once, and checked in the background: one check at a time for each record,
    /// and a limited number for the program, so that checks never pile up. After `at_most`, CDMS is asked.
    StaleWhileRevalidate {
        /// Up to this age the row is returned without a check.
        fresh_for: Duration,
        /// Up to this age the row is returned at once, and checked in the background. Less than `fresh_for` counts as
        /// `fresh_for`.
        at_most: Duration,
    },
    /// CDMS is not asked; the hub's row is returned as it is.
    LocalOnly,
}

/// How a value was checked against CDMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checked {
    /// CDMS was asked at this time (taken before the request was sent), and the hub matches CDMS as of then.
    At {
        /// When.
        time: DateTime<Utc>,
        /// What the check found and did.
        found: Finding,
    },
    /// CDMS was not asked: this program had checked the record at this time, within the age that the read allowed. The
    /// hub's row is at least as new as that.
    Within {
        /// When the request of that check was sent.
        time: DateTime<Utc>,
        /// The age that the read allowed.
        max_age: Duration,
    },
    /// The row was returned before it was checked: this program had last checked the record at this time, within the age
    /// that the read allowed for that. It is checked in the background, unless too many others are.
    Stale {
        /// When the request of the last check was sent.
        time: DateTime<Utc>,
        /// The age that the read allowed.
        at_most: Duration,
    },
    /// The hub wrote it, and CDMS's answer is included.
    Written {
        /// When the write was begun.
        time: DateTime<Utc>,
    },
    /// The hub wrote it and CDMS applied it, but the record could not be read back; the next read completes the row.
    NotReadBack {
        /// When the write was begun.
        time: DateTime<Utc>,
    },
    /// A write of the record is in progress; this is the row before it.
    Pending {
        /// The write.
        operation: OperationId,
    },
    /// The model is detached: CDMS is not asked, and the hub's row is authoritative.
    Detached,
    /// CDMS was not asked or did not answer; this is the hub's row.
    NotChecked {
        /// When this program last checked the record, if it did.
        since: Option<DateTime<Utc>>,
    },
}

impl Checked {
    /// Whether the value is authoritative: CDMS itself confirmed it, by this read or within the age that the read allowed
    /// ([`Within`](Checked::Within)), or the model is detached. A [`Stale`](Checked::Stale) value is not.
    pub fn is_fresh(self) -> bool {
        matches!(self, Checked::At { .. } | Checked::Within { .. } | Checked::Written { .. } | Checked::Detached)
    }
}
