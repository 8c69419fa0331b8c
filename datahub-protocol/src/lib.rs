//! The sync protocol as a pure state machine: events in, actions out.
//!
//! A [`Machine`] decides one operation on one record. The driver feeds it [`Event`]s, and the machine answers each with
//! the next [`Action`]. It opens no socket, reads no clock and touches no database, so the runtime, a simulation and an
//! exhaustive search can all drive the same code.
//!
//! **Invariant: nothing in this crate can fail, wait or look anything up.** Every decision about a read, an update, a
//! create, a delete or a settlement is made here and nowhere else.

mod action;
mod approach;
mod completion;
mod create;
mod delete;
mod detached;
mod event;
mod evidence;
mod failure;
mod history;
mod intent;
mod listed;
mod mapping;
mod merge;
mod on_conflict;
mod outcome;
pub mod planted;
mod pull;
mod read;
mod reason;
mod send;
mod settle;
mod sight;
mod sweep;
mod update;
mod word;
mod write_outcome;

pub use action::{
    Action, Commit, Guard, IntentChange, Machine, NewRow, QuarantineChange, RecordChange, TombstoneReason, Trial,
};
pub use completion::{from_part, from_seen, lacking};
pub use create::Create;
pub use delete::Delete;
pub use detached::{Detached, DetachedWish};
pub use event::{Committed, Event, Fetched, Loaded, Record, Snapshot, Stored, UnansweredDelete, Version};
pub use failure::Failure;
pub use history::{Change, Entry, EntryKind, Note, Origin};
pub use intent::{Intent, LeaseState, OpenIntent, OperationId, SettledPatch, Verdict, WriteKind};
pub use listed::{Listed, listed, listed_with_values};
pub use mapping::{Mapping, MappingTag, Values};
pub use merge::{Base, Decoded, Merged, merge, put_back};
pub use on_conflict::OnConflict;
pub use outcome::{Answer, Created, LoginFailure, Rejection};
pub use pull::{AfterPage, Changes, ToldTime, overlap_ms, watermark_after_load, watermark_of_load};
pub use read::{Read, Sighting};
pub use reason::Reason;
pub use settle::{Settle, Settled, verdict};
pub use sight::Finding;
pub use sweep::missing_max;
pub use update::Update;
pub use word::UnknownWord;
pub use write_outcome::{Adjusted, Confirmation, WriteOutcome};

/// How many times an operation tries before it gives up as busy, if another operation stores first each time.
pub const ROUNDS_MAX: u8 = 5;

/// How many times in all a write is sent if CDMS refuses it as a deadlock.
pub const DEADLOCK_TRIES_MAX: u8 = 4;
