//! Diagnostics that only the compiler can find, built at compile time from the same parts as all others. Their place is the call
//! in the caller's code.

use datahub_model::diagnostic::{Code, HELP};

use super::text::Text;

/// A diagnostic, which is reported by a constant whose evaluation panics.
#[derive(Clone, Copy)]
pub(super) struct Diagnostic {
    code: Code,
    message: Text,
    cure: Text,
}

/// A diagnostic that is missing its cure, and so cannot be reported.
#[derive(Clone, Copy)]
pub(super) struct Uncured {
    code: Code,
    message: Text,
}

/// The longest text with its code and its cure, which are never cut off.
const WHOLE_MAX: usize = 2 * Text::LENGTH_MAX + 64;

impl Diagnostic {
    /// A diagnostic without its cure.
    pub(super) const fn of(code: Code, message: Text) -> Uncured {
        Uncured { code, message }
    }

    /// The diagnostic with more text in its cure.
    pub(super) const fn or(mut self, more: &str) -> Self {
        self.cure = self.cure.and(more);
        self
    }

    /// Ends the evaluation with the whole text, at the place of the call in the caller's code. No other function that derived
    /// code calls panics.
    #[track_caller]
    pub(super) const fn report(&self) -> ! {
        panic!("{}", self.whole().text())
    }

    const fn whole(&self) -> Text<WHOLE_MAX> {
        let Diagnostic { code, message, cure } = self;
        Text::empty().and(message.text()).and(code.bracketed()).and(HELP).and(cure.text())
    }
}

impl Uncured {
    /// States the cure.
    pub(super) const fn cure(self, cure: &str) -> Diagnostic {
        let Uncured { code, message } = self;
        Diagnostic { code, message, cure: Text::new(cure) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Diagnostic, HELP, Text};

    #[test]
    fn a_diagnostic_reads_like_those_of_the_validator() {
        let fault =
            Diagnostic::of(Code::WrongType, Text::new("`a` holds no kind")).cure("write `i32`").or(", or `i64`");
        let expected = datahub_model::diagnostic::Diagnostic::<()>::of(Code::WrongType, (), "`a` holds no kind");
        assert_eq!(fault.whole().text(), expected.cure("write `i32`, or `i64`").text(None));
    }

    #[test]
    fn neither_the_code_nor_the_cure_of_a_long_one_is_cut_off() {
        let long = "é".repeat(Text::LENGTH_MAX);
        let code = Code::ALL.iter().copied().max_by_key(|code| code.bracketed().len()).unwrap();
        let fault = Diagnostic::of(code, Text::new(&long)).cure(&long);
        let half = "é".repeat(Text::LENGTH_MAX / 2);
        assert_eq!(fault.whole().text(), format!("{half}{}{HELP}{half}", code.bracketed()));
    }

    /// There is no panic without a code and a cure.
    #[test]
    fn nothing_else_ends_a_compilation() {
        for source in [include_str!("asked.rs"), include_str!("checks.rs"), include_str!("text.rs")] {
            for other in ["panic!", "assert!", "unreachable!", "expect(", "unwrap("] {
                let shipped = source.split("#[cfg(test)]").next().unwrap_or_default();
                assert!(!shipped.contains(other), "{other} is a message without a code and a cure");
            }
        }
    }
}
