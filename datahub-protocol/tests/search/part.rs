//! Parts of a world, shared by the states in which they are equal, each with its fingerprint.

use std::fmt::{Debug, Write as _};
use std::hash::{DefaultHasher, Hasher as _};
use std::ops::Deref;
use std::sync::Arc;

/// A part of a world. States that differ elsewhere share it, and its fingerprint is computed once.
#[derive(Clone, Debug)]
pub(crate) struct Part<T> {
    value: Arc<T>,
    print: Option<u128>,
}

impl<T: Clone + Debug> Part<T> {
    pub(crate) fn new(value: T) -> Self {
        Part { value: Arc::new(value), print: None }
    }

    /// The part, to be changed in this state only.
    pub(crate) fn change(&mut self) -> &mut T {
        self.print = None;
        Arc::make_mut(&mut self.value)
    }

    pub(crate) fn print(&mut self, text: &mut String) -> u128 {
        match self.print {
            Some(print) => print,
            None => *self.print.insert(fingerprint(text, &self.value)),
        }
    }
}

impl<T> Deref for Part<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// The 128-bit fingerprint of a value, computed from its complete debug text; `text` is a reusable buffer.
pub(crate) fn fingerprint(text: &mut String, value: &impl Debug) -> u128 {
    text.clear();
    write!(text, "{value:?}").unwrap_or_else(|_| unreachable!("writing to a string cannot fail"));
    let half = |seed: u64| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(seed);
        hasher.write(text.as_bytes());
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}
