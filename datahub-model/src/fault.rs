//! Why a value could not be converted, said so that a person can act on it.

use std::borrow::Cow;
use std::fmt;

use cdms_odata::Value;

use crate::{Attribute, Class};

/// A value that does not fit its attribute, its field or its column.
///
/// Its text shows the value only where the attribute's class is public.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    reason: Cow<'static, str>,
    place: Option<Cow<'static, str>>,
    value: Option<Value>,
    class: Class,
}

impl Fault {
    /// A fault with a reason in words: what is wrong and what would be right.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Fault { reason: reason.into(), place: None, value: None, class: Class::Public }
    }

    /// Names the attribute or field at fault, unless a more exact place was named before.
    #[must_use]
    pub fn at(mut self, place: impl Into<Cow<'static, str>>) -> Self {
        self.place.get_or_insert(place.into());
        self
    }

    /// Names the attribute at fault and treats the value by its class.
    #[must_use]
    pub fn of(mut self, attribute: &Attribute) -> Self {
        self.class = attribute.class;
        self.at(attribute.name)
    }

    /// Adds the value at fault.
    #[must_use]
    pub fn value(mut self, value: &Value) -> Self {
        self.value.get_or_insert_with(|| value.clone());
        self
    }

    /// Hides the value, because it belongs to an attribute of this class.
    #[must_use]
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// Hides the value as one of this class, unless it is of a stricter one already.
    #[must_use]
    pub fn at_least(mut self, class: Class) -> Self {
        self.class = self.class.max(class);
        self
    }

    /// The attribute or field at fault, where known.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// What is wrong, without place and value.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "`{place}`: ")?;
        }
        f.write_str(&self.reason)?;
        match (&self.value, self.class) {
            (Some(value), Class::Public) => write!(f, " (value: {value})"),
            (Some(value), Class::Personal) => write!(f, " (value: {} of class personal, hidden)", value.form()),
            (Some(value), Class::Secret) => write!(f, " (value: {} of class secret, hidden)", value.form()),
            (None, _) => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}
