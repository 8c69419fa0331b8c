//! Faults that a test plants in the shipped code, to show that the checks catch them.
//!
//! Without the feature `planted` no fault can be planted, and the checks for them cost nothing, because the compiler
//! knows the answer. With it, the environment variable `DATAHUB_PLANTED` names the one fault of the process.

/// Declares the faults with their names and descriptions.
macro_rules! faults {
    ($($(#[doc = $what:literal])+ $fault:ident = $name:literal,)+) => {
        /// A fault that can be planted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Planted {
            $($(#[doc = $what])+ $fault,)+
        }

        impl Planted {
            /// All faults.
            pub const ALL: &[Planted] = &[$(Planted::$fault),+];

            /// Its name, as used in `DATAHUB_PLANTED`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Planted::$fault => $name,)+
                }
            }

            /// What it does, in one sentence.
            pub const fn what(self) -> &'static str {
                match self {
                    $(Planted::$fault => concat!($($what),+),)+
                }
            }
        }
    };
}

faults! {
    /// An update is sent without an intent, and the driver takes it for covered by a lease.
    NoIntent = "no-intent",
    /// An update's intent is committed after it was sent, and the driver takes it for covered by a lease.
    IntentAfterSend = "intent-after-send",
    /// A read compares `modified` alone and not what was seen.
    NoSeen = "no-seen",
    /// An update sends the whole record.
    WholeRecordMerge = "whole-record-merge",
    /// A create whose outcome is unknown is sent again, and the driver gives the record another id then.
    NewIdOnRetry = "new-id-on-retry",
    /// A write that finds no record tells that it is gone, without a look at the record itself.
    UnconfirmedGone = "unconfirmed-gone",
    /// Any 404 of an update or a delete, a page of a proxy among them, is taken for CDMS's word that a record is missing.
    AnyNotFoundIsGone = "any-404-is-gone",
    /// Any 404 of a read is taken for CDMS's word that the record is missing.
    AnyNotFoundReadIsGone = "any-404-read-is-gone",
    /// A row that a list does not show is taken for one whose record is gone.
    AbsenceIsDeletion = "absence-is-deletion",
    /// A quiet period is over at once.
    QuietPeriodZero = "quiet-period-zero",
    /// A write is settled while its writer's lease lasts.
    LeaseIgnored = "lease-ignored",
    /// A write that failed is undone by a second write.
    Compensation = "compensation",
    /// A write whose outcome is unknown is sent again.
    BlindResend = "blind-resend",
    /// A write whose outcome is unknown is called rejected.
    UnknownIsRejected = "unknown-is-rejected",
    /// An error of CDMS's that is in no table is taken for a refusal, without a look at the record.
    EndedIsRejected = "ended-is-rejected",
    /// A write that met a generic SQL error is sent again without a look at the record.
    DeadlockUnlooked = "deadlock-unlooked",
    /// A duplicate key is taken for a create that worked.
    DuplicateIsApplied = "duplicate-is-applied",
    /// An update overwrites without keeping the overwritten value in the history.
    ConflictForgotten = "conflict-forgotten",
    /// A row that is newer than CDMS is overwritten.
    OlderOverwrites = "older-overwrites",
    /// A record that does not satisfy the model's condition ends its row, though the row is newer.
    ConditionBeforeTime = "condition-before-time",
    /// A refresh drops the attributes that this mapping lacks.
    OtherMappingsDropped = "other-mappings-dropped",
    /// An update is settled as applied by a single attribute, whatever the others show.
    AnyEvidenceIsApplied = "any-evidence-is-applied",
    /// A delete keeps no last values in the history.
    DeleteWithoutHistory = "delete-without-history",
    /// The database stores without comparing versions and intents.
    NoCompareAndSet = "no-compare-and-set",
    /// The hub's own clock is stored as a record's time.
    LocalClockStored = "local-clock-stored",
    /// Redirects of data requests are followed.
    RedirectsFollowed = "redirects-followed",
    /// A 403 is taken for a record that is gone.
    ForbiddenIsGone = "forbidden-is-gone",
    /// The organisation is not compared with the database's.
    NoOrganisationCheck = "no-organisation-check",
    /// The history is appended in a transaction of its own after the one that stores the row.
    HistoryOutsideTransaction = "history-outside-transaction",
    /// A connection goes back with its transaction open.
    TransactionLeftOpen = "transaction-left-open",
    /// A write is sent although the lease no longer covers it.
    LeaseUncheckedBeforeSend = "lease-unchecked-before-send",
    /// One record that CDMS cannot give is taken for a CDMS that is away.
    OneFailureIsOutage = "one-failure-is-outage",
    /// A write is settled by the quiet period of the program that settles it.
    QuietPeriodOfReader = "quiet-period-of-reader",
    /// A secret that CDMS has refused is tried again.
    RefusedSecretAgain = "refused-secret-again",
    /// A login that CDMS does not take at all starts no pause.
    LostLoginUnpaused = "lost-login-unpaused",
    /// Rules that the database checks only with the commit are not checked before it.
    DeferredRulesUnchecked = "deferred-rules-unchecked",
    /// A row is completed from values that are older than the record's last change.
    OutdatedCompletes = "outdated-completes",
    /// A row is completed from attributes of a record that has changed since the row was stored.
    PartOfAnotherTime = "part-of-another-time",
    /// A pull resumes where a pull of other attributes stopped.
    PullsShareProgress = "pulls-share-progress",
    /// A word that only a newer program knows makes a row unreadable.
    UnknownWordIsCorrupt = "unknown-word-is-corrupt",
    /// Each caller who meets an open write wakes a whole round of settling.
    BusyWakesAll = "busy-wakes-all",
    /// A program's writes of one record do not wait for each other.
    NoRecordLock = "no-record-lock",
    /// A page of a pull is stored without looking whether its rows are newer.
    PageWithoutGuard = "page-without-guard",
    /// An incremental pull goes on behind the last second of a page, though more records may have changed in it.
    BoundaryTieLost = "boundary-tie-lost",
    /// An incremental pull begins at its watermark, though CDMS commits some changes later than it dates them.
    OverlapForgotten = "overlap-forgotten",
    /// A first load vouches for the newest change that it met.
    NewestMetIsWatermark = "newest-met-is-watermark",
    /// An incremental pull asks only for records of the model, so that those that have left it are not seen.
    ConditionOfChanges = "condition-of-changes",
    /// A check that finds its row changed when it stores, as that of a revalidation does, stores what it has read anyway.
    RevalidationOverNewer = "revalidation-over-newer",
    /// A sweep makes tombstones of the rows that a list does not show.
    SweepUnconfirmed = "sweep-unconfirmed",
    /// A sweep goes on whatever the number of missing rows.
    SweepWithoutBrake = "sweep-without-brake",
    /// A hub on a copy of a database writes to CDMS.
    CopyWrites = "copy-writes",
}

/// Whether this fault is planted in this process.
#[cfg(feature = "planted")]
pub fn planted(fault: Planted) -> bool {
    use std::sync::OnceLock;
    static PLANTED: OnceLock<Option<Planted>> = OnceLock::new();
    let planted = PLANTED.get_or_init(|| {
        let name = std::env::var("DATAHUB_PLANTED").ok().filter(|name| !name.is_empty())?;
        let found = Planted::ALL.iter().find(|fault| fault.name() == name).copied();
        // A misspelt name must not look like a fault that the checks miss.
        Some(found.unwrap_or_else(|| panic!("unknown fault in DATAHUB_PLANTED: {name:?}")))
    });
    *planted == Some(fault)
}

/// Whether this fault is planted: never, without the feature.
#[cfg(not(feature = "planted"))]
pub const fn planted(_: Planted) -> bool {
    false
}
