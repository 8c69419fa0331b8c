//! The result of a save or a create, besides the value.

use std::fmt;

use cdms_odata::Value;
use datahub_model::conversion::class_of;
use datahub_model::{Class, ModelDescriptor};
use datahub_protocol::WriteOutcome;

/// The result of a save or a create: which fields have another value in CDMS than the one that was sent, and which of
/// CDMS's values were overwritten.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Saved {
    /// The fields that CDMS did not keep as they were sent: it rounded them, a plug-in changed them, or CDMS does not allow
    /// this change. The saved value has CDMS's values.
    pub adjusted: Vec<Adjusted>,
    /// The fields that someone else had also changed since the value was loaded; the history keeps their other values.
    pub overwritten: Vec<&'static str>,
}

/// A field that CDMS returned with another value than the one that was sent.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Adjusted {
    /// The field.
    pub field: &'static str,
    /// The value that was sent, in the form of the field's column.
    pub sent: Value,
    /// The value that CDMS has.
    pub now: Value,
    class: Class,
}

impl Saved {
    pub(crate) fn of(model: &'static ModelDescriptor, written: &WriteOutcome) -> Self {
        let adjusted = written.adjusted.iter().map(|adjusted| {
            let column = &model.columns[adjusted.field];
            let (sent, now) = (adjusted.sent.clone(), adjusted.now.clone());
            Adjusted { field: column.field, sent, now, class: class_of(model, column) }
        });
        Saved {
            adjusted: adjusted.collect(),
            overwritten: written.conflicts.iter().map(|field| model.columns[*field].field).collect(),
        }
    }
}

/// Shows no personal or secret value, because it may end up in logs.
impl fmt::Debug for Adjusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Value| match self.class {
            Class::Public => value.to_string(),
            Class::Personal | Class::Secret => format!("{} (hidden)", value.form()),
        };
        write!(f, "{}: sent {}, now {}", self.field, shown(&self.sent), shown(&self.now))
    }
}
