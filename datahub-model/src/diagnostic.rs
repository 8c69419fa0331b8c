//! Diagnostics: what is wrong with a mapping, where, and the cure.
//!
//! Every diagnostic has a code, a place, a message and a cure, no matter what finds it: the parser of a contract, the parser of
//! a struct, the validator, or the compiler, for which the runtime builds the message from the same parts. A diagnostic without
//! a code or a cure cannot be built.

mod code;
mod cure;
mod example;
mod explanation;
mod sink;
mod spot;

pub use code::Code;
pub use cure::{Correction, Cure};
pub use example::Example;
pub use sink::{Collected, Diagnostics};
pub use spot::Spot;

/// Comes before the cure in every message.
pub const HELP: &str = "\nhelp: ";

/// One message. `P` is its place: a token's span in a derive, a [`Spot`] in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic<P> {
    /// The kind of diagnostic.
    pub code: Code,
    /// The place.
    pub place: P,
    /// What is wrong, as one sentence that begins in lower case and has no final period.
    pub message: String,
    /// The cure: what to do.
    pub cure: Cure,
}

/// A diagnostic that is missing its cure, and so cannot be reported: [`cure`](Uncured::cure) completes it.
#[must_use = "a diagnostic without a cure cannot be reported"]
#[derive(Clone, Debug)]
pub struct Uncured<P> {
    code: Code,
    place: P,
    message: String,
}

impl<P> Diagnostic<P> {
    /// A diagnostic without its cure.
    pub fn of(code: Code, place: impl Into<P>, message: impl Into<String>) -> Uncured<P> {
        Uncured { code, place: place.into(), message: message.into() }
    }

    /// The same diagnostic, shown at another place.
    pub fn seen_at<Q>(self, place: impl FnOnce(P) -> Q) -> Diagnostic<Q> {
        let Diagnostic { code, place: own, message, cure } = self;
        Diagnostic { code, place: place(own), message, cure }
    }

    /// The whole text. A drawing of the place, if there is one, comes before the cure; the compiler marks spans itself.
    pub fn text(&self, drawing: Option<&str>) -> String {
        let mut text = self.message.clone();
        text.push_str(self.code.bracketed());
        if let Some(drawing) = drawing {
            text.push('\n');
            text.push_str(drawing);
        }
        text.push_str(HELP);
        text.push_str(&self.cure.text);
        text
    }
}

impl<P> Uncured<P> {
    /// States the cure.
    pub fn cure(self, cure: impl Into<Cure>) -> Diagnostic<P> {
        let Uncured { code, place, message } = self;
        Diagnostic { code, place, message, cure: cure.into() }
    }
}
