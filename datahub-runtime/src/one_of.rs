//! References to records of one of several models.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use cdms_odata::{Kind, Reference, Value};
use datahub_model::Fault;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::{FieldType, Id, Model};

/// The id of a record of one of the models in the tuple `M`, such as `OneOf<(Organisation, Contact)>`: the value of a
/// lookup with several targets.
///
/// Its column is text, because it stores the model too: `#[cdms("CustomerId", sql_type = "string")]`. It prints as the
/// model's logical name in CDMS and the GUID. A reference to a record of another model reads as `None` in an
/// `Option<OneOf<…>>`, and stays in CDMS as long as the field is not changed.
///
/// ```
/// # use datahub_runtime::{Id, Model, OneOf};
/// # struct Organisation; struct Contact;
/// # impl Model for Organisation { const LOGICAL: &'static str = "account"; }
/// # impl Model for Contact { const LOGICAL: &'static str = "contact"; }
/// type Customer = OneOf<(Organisation, Contact)>;
///
/// let id = Id::<Contact>::new();
/// let customer = Customer::new(id);
/// assert_eq!(customer.id::<Contact>(), Some(id));
/// assert_eq!(customer.id::<Organisation>(), None);
/// ```
pub struct OneOf<M> {
    logical_name: &'static str,
    guid: Uuid,
    models: PhantomData<fn() -> M>,
}

/// The models that a reference may point to: a tuple of two to six.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tuple of two to six models [lookup-target]",
    label = "the models that a reference may point to",
    note = "write `OneOf<(One, Other)>`; a reference to a single model is `Id<One>`"
)]
pub trait Targets: 'static {
    /// Their logical names in CDMS.
    const LOGICAL: &'static [&'static str];
}

/// The model `T` is among the targets, at the place `At`, which the compiler finds.
#[diagnostic::on_unimplemented(
    message = "`{T}` is not one of the models in `{Self}` [lookup-target]",
    label = "a reference of this type cannot point to it",
    note = "add the model to the tuple of the field's type, if the contract's `target` includes it"
)]
pub trait PointsTo<T, At> {}

/// A place in a tuple of models.
#[derive(Clone, Copy, Debug)]
pub enum At<const PLACE: usize> {}

macro_rules! targets {
    (@tuple ($($models:ident)+)) => {
        impl<$($models: Model),+> Targets for ($($models,)+) {
            // The name of a model with faults may be unknown; an empty name has no consequences.
            const LOGICAL: &'static [&'static str] = &[$($models::LOGICAL),+];
        }
    };
    (@place ($($models:ident)+) $model:ident $place:literal) => {
        impl<$($models: Model),+> PointsTo<$model, At<$place>> for ($($models,)+) {}
    };
    ($models:tt $($model:ident $place:literal)+) => {
        targets!(@tuple $models);
        $(targets!(@place $models $model $place);)+
    };
}

targets!((A B) A 0 B 1);
targets!((A B C) A 0 B 1 C 2);
targets!((A B C D) A 0 B 1 C 2 D 3);
targets!((A B C D E) A 0 B 1 C 2 D 3 E 4);
targets!((A B C D E F) A 0 B 1 C 2 D 3 E 4 F 5);

impl<M: Targets> OneOf<M> {
    /// A reference to this record.
    pub fn new<T: Model, Place>(id: Id<T>) -> Self
    where
        M: PointsTo<T, Place>,
    {
        OneOf { logical_name: T::LOGICAL, guid: id.guid(), models: PhantomData }
    }

    /// The record's id, if the record may belong to this model. If two models share an entity, it may belong to either.
    pub fn id<T: Model>(&self) -> Option<Id<T>> {
        (self.logical_name == T::LOGICAL).then(|| self.guid.into())
    }

    fn of(reference: &Reference) -> Result<Self, Fault> {
        let known = M::LOGICAL.iter().find(|known| **known == reference.logical_name);
        let logical_name = known.copied().ok_or_else(|| {
            Fault::new(format!("points to {}, expected {}", reference.logical_name, M::LOGICAL.join(" or ")))
        })?;
        Ok(OneOf { logical_name, guid: reference.id, models: PhantomData })
    }
}

impl<M> OneOf<M> {
    /// The GUID itself.
    pub fn guid(&self) -> Uuid {
        self.guid
    }

    /// The logical name in CDMS of the model that the reference points to.
    pub fn logical_name(&self) -> &'static str {
        self.logical_name
    }

    fn reference(&self) -> Reference {
        Reference { logical_name: self.logical_name.into(), id: self.guid }
    }
}

impl<M: Targets> FieldType for OneOf<M> {
    const KINDS: &'static [Kind] = &[Kind::String];
    const TARGETS: &'static [&'static str] = M::LOGICAL;

    fn from_value(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::Text(text) => OneOf::of(&text.parse().map_err(|error| Fault::new(format!("{error}")))?),
            Value::Null => Err(Fault::new("expected a reference, found null; make the field an Option")),
            other => Err(Fault::new(format!("expected a reference, found a {}", other.form()))),
        }
    }

    fn to_value(&self) -> Value {
        Value::text(self.reference().to_string())
    }
}

impl<M> fmt::Display for OneOf<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reference().fmt(f)
    }
}

impl<M> fmt::Debug for OneOf<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OneOf({self})")
    }
}

// Implemented by hand, because a derive would require the same of `M`.
impl<M> Clone for OneOf<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for OneOf<M> {}

impl<M> PartialEq for OneOf<M> {
    fn eq(&self, other: &Self) -> bool {
        (self.logical_name, self.guid) == (other.logical_name, other.guid)
    }
}

impl<M> Eq for OneOf<M> {}

impl<M> Hash for OneOf<M> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.logical_name, self.guid).hash(state);
    }
}

impl<M> Serialize for OneOf<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, M: Targets> Deserialize<'de> for OneOf<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let reference = text.parse().map_err(serde::de::Error::custom)?;
        OneOf::of(&reference).map_err(serde::de::Error::custom)
    }
}
