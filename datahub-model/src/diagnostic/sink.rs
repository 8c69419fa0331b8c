//! Collects diagnostics, so that none is lost before it is reported.

use super::Diagnostic;

/// The diagnostics found so far.
///
/// A check never owns one: [`collect`](Diagnostics::collect) lends it while the check runs. So it cannot be dropped with
/// diagnostics in it, and they are returned together with the result of the check.
///
/// ```
/// use datahub_model::diagnostic::{Code, Diagnostic, Diagnostics};
///
/// let collected = Diagnostics::<usize>::collect(|diagnostics| {
///     diagnostics.push(Diagnostic::of(Code::NoKey, 3_usize, "`M` has no key").cure("add one"));
///     "as much as is known"
/// });
/// let found = collected.into_result().unwrap_err();
/// assert_eq!(found[0].text(None), "`M` has no key [no-key]\nhelp: add one");
/// ```
///
/// A message without a cure is not a diagnostic, and cannot be added:
///
/// ```compile_fail
/// use datahub_model::diagnostic::{Code, Diagnostic, Diagnostics};
///
/// let collected = Diagnostics::<usize>::collect(|diagnostics| {
///     diagnostics.push(Diagnostic::of(Code::NoKey, 3_usize, "`M` has no key"));
/// });
/// ```
#[derive(Debug)]
pub struct Diagnostics<P> {
    list: Vec<Diagnostic<P>>,
}

impl<P> Diagnostics<P> {
    /// Runs a check, and collects its diagnostics.
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

    /// The number of diagnostics found so far.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// Whether no diagnostic was found so far.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Sorts the diagnostics by their places; those of the same place keep their order.
    pub fn sort(&mut self)
    where
        P: Ord,
    {
        self.list.sort_by(|one, other| one.place.cmp(&other.place));
    }
}

/// The result of a check and its diagnostics, which can only be taken together.
#[must_use = "diagnostics that are not reported are lost"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected<T, P> {
    made: T,
    found: Vec<Diagnostic<P>>,
}

impl<T, P> Collected<T, P> {
    /// The result, if there are no diagnostics.
    ///
    /// # Errors
    ///
    /// The diagnostics, if there are any.
    pub fn into_result(self) -> Result<T, Vec<Diagnostic<P>>> {
        if self.found.is_empty() { Ok(self.made) } else { Err(self.found) }
    }

    /// The result and the diagnostics.
    pub fn into_parts(self) -> (T, Vec<Diagnostic<P>>) {
        (self.made, self.found)
    }
}
