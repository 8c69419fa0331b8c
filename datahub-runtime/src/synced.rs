//! A model together with the state in which it was loaded, so that its changes can be computed.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::sync::Arc;

use cdms_odata::Value;
use datahub_model::Fault;
use datahub_model::conversion::Row;
use datahub_protocol::{Snapshot, Version};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::engine::call::Costed;
use crate::engine::known_row::KnownRow;
use crate::engine::local_fields::LocalFields;
use crate::freshness::Checked;
use crate::id::beginning;
use crate::model::{model_of, row_of};
use crate::saved::Saved;
use crate::{CdmsSynced, Cost, Error, ErrorKind, Id};

/// A model as it was loaded, which can be changed and saved. It derefs to the model and serializes like the model.
#[derive(Clone)]
pub struct Synced<T> {
    value: T,
    /// The state against which the caller's changes are computed.
    base: Base,
    checked: Checked,
    /// The result of the write that made this value.
    saved: Saved,
    cost: Cost,
}

/// What a caller loaded.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    pub(crate) id: Uuid,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) row: KnownRow,
}

impl Base {
    /// The base with which the protocol merges the caller's changes.
    pub(crate) fn to_merge(&self) -> datahub_protocol::Base {
        datahub_protocol::Base { seen: self.snapshot.seen.clone(), values: Arc::clone(&self.row.values) }
    }
}

impl<T: CdmsSynced> Synced<T> {
    pub(crate) fn new(row: KnownRow, snapshot: impl Into<Arc<Snapshot>>, checked: Checked) -> Result<Self, Fault> {
        let value: T = model_of(&row.values)?;
        let base = Base { id: value.id().guid(), snapshot: snapshot.into(), row };
        Ok(Synced { value, base, checked, saved: Saved::default(), cost: Cost::default() })
    }

    /// The same value, as the result of a write.
    pub(crate) fn with_saved(mut self, saved: Saved) -> Self {
        self.saved = saved;
        self
    }

    /// The result of the save or create that made this value: which values CDMS has changed, and which of CDMS's values
    /// were overwritten. Empty for a value that was read.
    pub fn saved(&self) -> &Saved {
        &self.saved
    }

    /// What the operation cost that made this value: the read, or the last save or create. A read that joined the check of
    /// another caller paid nothing but time.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// The fields that this row lacks, because their attributes were mapped after it was stored and CDMS was not asked
    /// since. They hold null, their default, or the kind's zero value (`0`, `false`, an empty text). A save does not
    /// send them unless they are changed. The next read that asks CDMS fills them.
    pub fn incomplete(&self) -> impl Iterator<Item = &'static str> {
        self.base.row.incomplete.iter().map(|position| T::DESCRIPTOR.columns[*position].field)
    }

    /// The positions of the incomplete fields that still hold their placeholders.
    pub(crate) fn untouched(&self, row: &[Value]) -> Vec<usize> {
        let KnownRow { values, incomplete } = &self.base.row;
        incomplete.iter().copied().filter(|position| row[*position] == values[*position]).collect()
    }

    /// The record's id, as it was loaded.
    pub fn id(&self) -> Id<T> {
        self.base.id.into()
    }

    /// How and when the value was checked against CDMS.
    pub fn checked(&self) -> Checked {
        self.checked
    }

    /// The token of this version of the record, for a form that is saved in a later request; see
    /// [`Writable::edit`](crate::Writable::edit).
    pub fn version_token(&self) -> VersionToken {
        VersionToken { version: self.base.snapshot.version, id: self.base.id }
    }

    /// The model alone.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The record's id, which the caller must not change.
    pub(crate) fn unchanged_id(&self) -> Result<Id<T>, Error> {
        if self.value.id() == self.id() {
            return Ok(self.id());
        }
        Err(Error::new(ErrorKind::Invalid, format!("the id of the value was changed to {}", self.value.id()))
            .advise("an id cannot be changed; load the other record and change that, or create a new one")
            .of_record(T::DESCRIPTOR, self.base.id))
    }

    pub(crate) fn base(&self) -> &Base {
        &self.base
    }

    /// The local fields as the caller loaded them.
    pub(crate) fn known_locals(&self) -> LocalFields {
        LocalFields::of_row(T::DESCRIPTOR, &self.base.row.values)
    }

    /// The current values, and the local ones among them that the caller changed.
    pub(crate) fn changes(&self) -> Result<(Row, LocalFields), Error> {
        let row = row_of(&self.value).map_err(|fault| invalid::<T>(self.id(), fault))?;
        let changed = LocalFields::changed(T::DESCRIPTOR, &self.base.row.values, &row);
        Ok((row, changed))
    }
}

/// The error of an invalid value from the caller.
pub(crate) fn invalid<T: CdmsSynced>(id: Id<T>, fault: Fault) -> Error {
    Error::new(ErrorKind::Invalid, format!("the value cannot be written: {fault}")).of_record(T::DESCRIPTOR, id.guid())
}

impl<T> Costed for Synced<T> {
    fn set_cost(&mut self, cost: Cost) {
        self.cost = cost;
    }
}

impl<T> Deref for Synced<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Synced<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Synced<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Synced").field("value", &self.value).field("checked", &self.checked).finish_non_exhaustive()
    }
}

impl<T: Serialize> Serialize for Synced<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

/// The token of one version of one record. It prints and parses as text without spaces, so it can be used in URLs and
/// forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VersionToken {
    pub(crate) version: Version,
    pub(crate) id: Uuid,
}

/// A text that is not a version token.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid version token {0:?}; take it from `version_token()` when the form is loaded")]
pub struct InvalidToken(String);

/// `main` prints an error that it returns in this form, so it is in words.
impl fmt::Debug for InvalidToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for VersionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.version.0, self.id.simple())
    }
}

impl FromStr for VersionToken {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let parts = text.split_once('-').and_then(|(version, id)| {
            Some(VersionToken { version: Version(version.parse().ok()?), id: Uuid::try_parse(id).ok()? })
        });
        parts.ok_or_else(|| InvalidToken(beginning(text)))
    }
}

impl Serialize for VersionToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VersionToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
