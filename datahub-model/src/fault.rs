//! The reason why a value cannot be converted, worded so that the reader can act on it.

use std::borrow::Cow;
use std::fmt;

use cdms_odata::Value;

use crate::{Attribute, Class};

/// A value that does not fit its attribute, field or column.
///
/// The message shows the value only if the attribute's class is public.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    reason: Cow<'static, str>,
    place: Option<Cow<'static, str>>,
    value: Option<Value>,
    class: Class,
}

impl Fault {
    /// A fault with the given reason, which says what is wrong and what would be right.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Fault { reason: reason.into(), place: None, value: None, class: Class::Public }
    }

    /// Sets the attribute or field at fault, unless a more precise place is already set.
    #[must_use]
    pub fn at(mut self, place: impl Into<Cow<'static, str>>) -> Self {
        self.place.get_or_insert(place.into());
        self
    }

    /// Sets the attribute at fault, and treats the value according to the attribute's class.
    #[must_use]
    pub fn of(mut self, attribute: &Attribute) -> Self {
        self.class = attribute.class;
        self.at(attribute.name)
    }

    /// Sets the value at fault.
    #[must_use]
    pub fn value(mut self, value: &Value) -> Self {
        self.value.get_or_insert_with(|| value.clone());
        self
    }

    /// Treats the value as one of the given class.
    #[must_use]
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// Treats the value as one of the given class, unless its class is already stricter.
    #[must_use]
    pub fn at_least(mut self, class: Class) -> Self {
        self.class = self.class.max(class);
        self
    }

    /// The attribute or field at fault, if known.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// The reason, without place and value.
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
