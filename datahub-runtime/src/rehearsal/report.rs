//! What a rehearsal found: for each model, and for each of its fields.

use std::collections::BTreeMap;

use datahub_model::Class;
use serde::Serialize;
use uuid::Uuid;

/// What a rehearsal found. It serializes as JSON for other tools; [`to_markdown`](RehearsalReport::to_markdown) is for
/// people.
///
/// Values of class `personal` or `secret` appear only as their form. Ids of records are shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RehearsalReport {
    /// The models, in the order in which they were listed.
    pub models: Vec<ModelRehearsal>,
}

/// What a rehearsal found of one model.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ModelRehearsal {
    /// The struct's name.
    pub model: String,
    /// Its table.
    pub table: String,
    /// The entity in CDMS.
    pub entity: String,
    /// The mapping that was rehearsed.
    pub mapping_id: String,
    /// The rows that were tried.
    pub rows: u64,
    /// Rows of which an attribute was never read, or not since the record was found changed: a backfill reads these first.
    pub incomplete: u64,
    /// Rows that the mapping cannot convert or store and that are not in quarantine now.
    pub quarantined: u64,
    /// Rows that the mapping cannot convert or store either, but whose record is in quarantine already.
    pub already_quarantined: u64,
    /// Rows whose record does not satisfy the model's `only`, so that they would leave the table.
    pub not_of_model: u64,
    /// Why rows would go to quarantine, the most frequent reason first.
    pub refusals: Vec<Refusal>,
    /// The fields with values from CDMS, in the order of the struct.
    pub fields: Vec<FieldRehearsal>,
    /// What the save of an unchanged value would send, by attribute, with the number of rows. It should be empty.
    pub untouched_save: BTreeMap<String, u64>,
    /// What could not be compared, and why.
    pub not_compared: Vec<String>,
}

/// A reason why rows would go to quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Refusal {
    /// The reason, with its field or attribute.
    pub reason: String,
    /// The number of rows.
    pub rows: u64,
    /// Some of their records.
    pub records: Vec<Uuid>,
}

/// What a rehearsal found of one field with values from CDMS.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FieldRehearsal {
    /// The field's path.
    pub field: String,
    /// Its column.
    pub column: String,
    /// The kind of its values.
    pub kind: String,
    /// How sensitive its values are.
    pub class: Class,
    /// The column of the table that it was compared with: its own, or the one that it was renamed from. `None` if there is
    /// none, as for a new field.
    pub compared_with: Option<String>,
    /// Rows in which the table has the same value.
    pub equal: u64,
    /// Rows in which the table has another value.
    pub changed: u64,
    /// Of a field that is not compared: rows in which it has a value.
    pub filled: u64,
    /// Rows in which an attribute of the field was never read, so that its value is not known without CDMS.
    pub unknown: u64,
    /// Rows whose value cannot be converted or stored.
    pub refused: u64,
    /// Rows of which a write of the field would send another value than CDMS has, although no annotation declares it.
    pub lossy: u64,
    /// The same, declared by a `default`, a `with` module, or a reference to one of several models.
    pub declared_loss: u64,
    /// Rows whose value CDMS would not accept if it were written.
    pub unwritable: u64,
    /// Some of the changed values.
    pub changes: Vec<Sample>,
    /// Some of the values that would be lost without being declared, as CDMS has them and as they would be sent.
    pub losses: Vec<Sample>,
}

/// A value before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sample {
    /// The record.
    pub record: Uuid,
    /// The value before; only its form if its class is not public.
    pub before: String,
    /// The value after; only its form if its class is not public.
    pub after: String,
}

impl ModelRehearsal {
    /// The rows in which a field has another value than the table, summed over the fields.
    pub fn changed(&self) -> u64 {
        self.fields.iter().map(|field| field.changed).sum()
    }

    /// The rows of which a field would lose something without declaring it, summed over the fields.
    pub fn lossy(&self) -> u64 {
        self.fields.iter().map(|field| field.lossy).sum()
    }

    /// The attributes that saves of unchanged values would send, summed over the rows.
    pub fn sent_untouched(&self) -> u64 {
        self.untouched_save.values().sum()
    }
}
