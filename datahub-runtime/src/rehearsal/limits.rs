//! What a rehearsal may find before it fails.

use serde::{Deserialize, Serialize};

use super::report::{ModelRehearsal, RehearsalReport};
use crate::{Error, ErrorKind};

/// How much a rehearsal may find of each model before it fails. A limit that is not set allows everything. It can be read
/// from a file of CI's, such as `{"quarantined": 0, "changed": 200}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Limits {
    quarantined: Option<u64>,
    not_of_model: Option<u64>,
    changed: Option<u64>,
    lossy: Option<u64>,
    sent_untouched: Option<u64>,
    incomplete: Option<u64>,
}

impl Limits {
    /// No limit.
    pub fn none() -> Self {
        Limits::default()
    }

    /// No row goes to quarantine or leaves its table, no value is lost without being declared, and the save of an unchanged
    /// value sends nothing. Values may change.
    pub fn strict() -> Self {
        Limits::none().quarantined(0).not_of_model(0).lossy(0).sent_untouched(0)
    }

    /// How many rows may go to quarantine that are not there now.
    #[must_use]
    pub fn quarantined(mut self, rows: u64) -> Self {
        self.quarantined = Some(rows);
        self
    }

    /// How many rows may leave their table because they do not satisfy the model's `only`.
    #[must_use]
    pub fn not_of_model(mut self, rows: u64) -> Self {
        self.not_of_model = Some(rows);
        self
    }

    /// How many values may change, summed over the fields.
    #[must_use]
    pub fn changed(mut self, values: u64) -> Self {
        self.changed = Some(values);
        self
    }

    /// How many values may be lost without being declared, summed over the fields.
    #[must_use]
    pub fn lossy(mut self, values: u64) -> Self {
        self.lossy = Some(values);
        self
    }

    /// How many attributes saves of unchanged values may send, summed over the rows.
    #[must_use]
    pub fn sent_untouched(mut self, attributes: u64) -> Self {
        self.sent_untouched = Some(attributes);
        self
    }

    /// How many rows may lack something that must be read from CDMS first.
    #[must_use]
    pub fn incomplete(mut self, rows: u64) -> Self {
        self.incomplete = Some(rows);
        self
    }

    /// Compares a report with the limits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`] with every limit that a model exceeds.
    pub fn check(&self, report: &RehearsalReport) -> Result<(), Error> {
        let exceeded: Vec<_> = report.models.iter().flat_map(|model| self.exceeded(model)).collect();
        if exceeded.is_empty() {
            return Ok(());
        }
        let message = format!("the rehearsal exceeds its limits: {}", exceeded.join("; "));
        Err(Error::new(ErrorKind::Misconfigured, message).advise(
            "the report says which fields and records; correct the mapping, or raise the limit if this is meant",
        ))
    }

    fn exceeded(&self, found: &ModelRehearsal) -> Vec<String> {
        let limits = [
            (self.quarantined, found.quarantined, "rows would go to quarantine"),
            (self.not_of_model, found.not_of_model, "rows would leave the table"),
            (self.changed, found.changed(), "values would change"),
            (self.lossy, found.lossy(), "values would be lost"),
            (self.sent_untouched, found.sent_untouched(), "attributes would be sent by saves of unchanged values"),
            (self.incomplete, found.incomplete, "rows lack something that must be read from CDMS"),
        ];
        let exceeded = limits.into_iter().filter_map(|(limit, found, what)| Some((limit?, found, what)));
        let exceeded = exceeded.filter(|(limit, found, _)| found > limit);
        exceeded.map(|(limit, count, what)| format!("{}: {count} {what}, the limit is {limit}", found.model)).collect()
    }
}
