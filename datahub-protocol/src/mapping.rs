//! What the protocol requires of a mapping: pure conversions by field.

use std::fmt::Debug;
use std::sync::Arc;

use cdms_odata::{Attributes, Facts, Value};

/// A stable id of a mapping; different mappings have different ids.
pub type MappingTag = u64;

/// A model's values of a record, one per field: decoded once and shared by all users.
pub type Values = Arc<[Value]>;

/// A model's mapping as the protocol sees it. A *field* is the unit of merge and conflict, and is identified by its
/// position.
pub trait Mapping {
    /// Why a value does not convert.
    type Fault: Clone + Debug + PartialEq;

    /// The mapping's id.
    fn tag(&self) -> MappingTag;

    /// Whether the mapping reads this attribute.
    fn knows(&self, attribute: &str) -> bool;

    /// Whether a field or the condition needs this attribute. What is read and kept without need is known, but not needed.
    fn needs(&self, attribute: &str) -> bool {
        self.knows(attribute)
    }

    /// Whether these attributes include all that the mapping needs. A row that was stored before some of them were
    /// mapped lacks those.
    fn is_covered_by(&self, _attributes: &Attributes) -> bool {
        true
    }

    /// Whether a record with these attributes belongs to the model.
    fn includes(&self, attributes: &Attributes) -> bool;

    /// The model's values of a record, one per field. A machine decodes each record that it receives once.
    ///
    /// # Errors
    ///
    /// If a value does not convert.
    fn decode(&self, facts: &Facts, attributes: &Attributes) -> Result<Values, Self::Fault>;

    /// The value of a field that [has attributes](Mapping::attributes_of), as [`decode`](Mapping::decode) returns it.
    ///
    /// # Errors
    ///
    /// If a value does not convert.
    fn decode_field(&self, field: usize, attributes: &Attributes) -> Result<Value, Self::Fault>;

    /// The fields that an update may send.
    fn updatable(&self) -> Vec<usize>;

    /// The fields that a create may send: those that an update may send, and those that never change after creation.
    fn creatable(&self) -> Vec<usize> {
        self.updatable()
    }

    /// The attributes that carry a field's value, given the attributes last seen.
    ///
    /// # Errors
    ///
    /// If CDMS would not accept the value.
    fn encode(&self, field: usize, value: &Value, seen: &Attributes) -> Result<Attributes, Self::Fault>;

    /// The attributes behind a field.
    fn attributes_of(&self, field: usize) -> Vec<&str>;

    /// Whether other fields own parts of the field's attributes, which an update does not send. If so, the field is put
    /// back by its value and not by the raw form of the whole attributes.
    fn is_part(&self, _field: usize) -> bool {
        false
    }

    /// The attributes that a create sends for a model's values, without key and constants.
    ///
    /// # Errors
    ///
    /// If CDMS would not accept a value, or a required value is missing.
    fn encode_new(&self, values: &[Value]) -> Result<Attributes, Self::Fault>;

    /// Checks that a create that sends these attributes, including constants, can produce a record of the model. An
    /// attribute that is not sent may take any value.
    ///
    /// # Errors
    ///
    /// If what is sent contradicts `only`.
    fn admits(&self, _sent: &Attributes) -> Result<(), Self::Fault> {
        Ok(())
    }

    /// The fault of a record that a rule of the database forbids, for this reason.
    fn forbidden(&self, reason: &str) -> Self::Fault;

    /// The attributes that every create and update also sends.
    fn constants(&self) -> Attributes;
}
