//! What the protocol asks of a mapping: pure conversions, by field.

use std::fmt::Debug;
use std::sync::Arc;

use cdms_odata::{Attributes, Facts, Value};

/// A stable id of a mapping; two mappings that differ have different ones.
pub type MappingTag = u64;

/// A model's values of a record, one per field: decoded once, and shared by whoever needs them.
pub type Values = Arc<[Value]>;

/// A model's mapping as the protocol sees it. A *field* is the unit of merge and of conflict, known by its position.
pub trait Mapping {
    /// Why a value does not convert.
    type Fault: Clone + Debug + PartialEq;

    /// The mapping's id.
    fn tag(&self) -> MappingTag;

    /// Whether the mapping reads this attribute.
    fn knows(&self, attribute: &str) -> bool;

    /// Whether these attributes are all that the mapping reads. A row that was stored before some of them were mapped lacks
    /// those.
    fn is_covered_by(&self, _attributes: &Attributes) -> bool {
        true
    }

    /// Whether a record with these attributes belongs to the model.
    fn includes(&self, attributes: &Attributes) -> bool;

    /// The model's values of a record, one per field. A machine asks for them once for each record that it is given.
    ///
    /// # Errors
    ///
    /// A value that does not convert.
    fn decode(&self, facts: &Facts, attributes: &Attributes) -> Result<Values, Self::Fault>;

    /// The value of one of the fields that [have attributes](Mapping::attributes_of), as [`decode`](Mapping::decode) gives it.
    ///
    /// # Errors
    ///
    /// A value that does not convert.
    fn decode_field(&self, field: usize, attributes: &Attributes) -> Result<Value, Self::Fault>;

    /// The fields that an update may send.
    fn updatable(&self) -> Vec<usize>;

    /// The fields that a create may send: those that an update may, and others that are never changed afterwards.
    fn creatable(&self) -> Vec<usize> {
        self.updatable()
    }

    /// The attributes that carry one field's value, given the attributes as last seen.
    ///
    /// # Errors
    ///
    /// A value that CDMS would not take.
    fn encode(&self, field: usize, value: &Value, seen: &Attributes) -> Result<Attributes, Self::Fault>;

    /// The attributes behind a field.
    fn attributes_of(&self, field: usize) -> Vec<&str>;

    /// Whether parts of the field's attributes belong to other fields, which an update does not send: then it is put back
    /// by its value, and not with the raw form of the whole.
    fn is_part(&self, _field: usize) -> bool {
        false
    }

    /// What a create sends for a model's values, without key and constants.
    ///
    /// # Errors
    ///
    /// A value that CDMS would not take, or a required one that is missing.
    fn encode_new(&self, values: &[Value]) -> Result<Attributes, Self::Fault>;

    /// Checks that a create which sends these attributes, constants included, can make a record of the model: what is not
    /// sent may come out as anything.
    ///
    /// # Errors
    ///
    /// What is sent contradicts the model's condition.
    fn admits(&self, _sent: &Attributes) -> Result<(), Self::Fault> {
        Ok(())
    }

    /// The fault of a record that the database's own rules forbid, for this reason.
    fn forbidden(&self, reason: &str) -> Self::Fault;

    /// What every create and update sends along.
    fn constants(&self) -> Attributes;
}
