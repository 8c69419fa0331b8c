//! Where diagnostics are collected, so that none is lost before it is reported.

use super::Diagnostic;

/// The diagnostics that have been found so far.
///
/// A check never owns one: [`collect`](Diagnostics::collect) lends it for as long as the check takes. So it cannot be
/// dropped with diagnostics in it, and they come out together with what the check has made.
///
/// ```
/// use datahub_model::diagnostic::{Code, Diagnostic, Diagnostics};
///
/// let collected = Diagnostics::<usize>::collect(|diagnostics| {
///     diagnostics.push(Diagnostic::of(Code::NoKey, 3_usize, "M has no key").cure("add one"));
///     "as much as is known"
/// });
/// let found = collected.into_result().unwrap_err();
/// assert_eq!(found[0].text(None), "M has no key [no-key]\nhelp: add one");
/// ```
///
/// What does not say what would be right is no diagnostic yet:
///
/// ```compile_fail
/// use datahub_model::diagnostic::{Code, Diagnostic, Diagnostics};
///
/// let collected = Diagnostics::<usize>::collect(|diagnostics| {
///     diagnostics.push(Diagnostic::of(Code::NoKey, 3_usize, "M has no key"));
/// });
/// ```
#[derive(Debug)]
pub struct Diagnostics<P> {
    list: Vec<Diagnostic<P>>,
}

impl<P> Diagnostics<P> {
    /// Runs a check, and collects what it finds.
    pub fn collect<T>(check: impl FnOnce(&mut Self) -> T) -> Collected<T, P> {
        let mut diagnostics = Diagnostics { list: Vec::new() };
        let made = check(&mut diagnostics);
        Collected { made, found: diagnostics.list }
    }

    /// Adds a diagnostic.
    pub fn push(&mut self, diagnostic: Diagnostic<P>) {
        self.list.push(diagnostic);
    }

    /// Adds diagnostics that were collected elsewhere.
    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic<P>>) {
        self.list.extend(diagnostics);
    }

    /// The number found so far.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// Whether none has been found so far.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Sorts them by their places; those of one place keep their order.
    pub fn sort(&mut self)
    where
        P: Ord,
    {
        self.list.sort_by(|one, other| one.place.cmp(&other.place));
    }
}

/// What a check has made, and the diagnostics that it has found. One does not come out without the other.
#[must_use = "diagnostics that are not reported are lost"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected<T, P> {
    made: T,
    found: Vec<Diagnostic<P>>,
}

impl<T, P> Collected<T, P> {
    /// What was made, if nothing was found.
    ///
    /// # Errors
    ///
    /// The diagnostics that were found.
    pub fn into_result(self) -> Result<T, Vec<Diagnostic<P>>> {
        if self.found.is_empty() { Ok(self.made) } else { Err(self.found) }
    }

    /// What was made, whatever was found, and the diagnostics.
    pub fn into_parts(self) -> (T, Vec<Diagnostic<P>>) {
        (self.made, self.found)
    }
}
