//! Diagnostics that only the compiler can find, built while compiling from the same parts as every other; their place is the
//! call in the caller's code.

use datahub_model::diagnostic::{Code, HELP};

use super::text::Text;

/// A diagnostic, which is reported by a constant that cannot be evaluated.
#[derive(Clone, Copy)]
pub(super) struct Diagnostic {
    code: Code,
    message: Text,
    cure: Text,
}

/// A diagnostic that still lacks its cure, and so cannot be reported.
#[derive(Clone, Copy)]
pub(super) struct Uncured {
    code: Code,
    message: Text,
}

/// The longest text with its code and its cure, neither of which is ever cut off.
const WHOLE_MAX: usize = 2 * Text::LENGTH_MAX + 64;

impl Diagnostic {
    /// A diagnostic whose cure is still to be stated.
    pub(super) const fn of(code: Code, message: Text) -> Uncured {
        Uncured { code, message }
    }

    /// The diagnostic with more in its cure.
    pub(super) const fn or(mut self, more: &str) -> Self {
        self.cure = self.cure.and(more);
        self
    }

    /// Ends the evaluation with the whole text, at the place in the caller's code that led here. Nothing else that derived
    /// code calls ends one.
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
    /// States what would be right.
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

    /// A panic without a code and a cure cannot slip in.
    #[test]
    fn nothing_else_ends_a_compilation() {
        for source in [include_str!("asked.rs"), include_str!("checks.rs"), include_str!("text.rs")] {
            for other in ["panic!", "assert!", "unreachable!", "expect(", "unwrap("] {
                let shipped = source.split("#[cfg(test)]").next().unwrap_or_default();
                assert!(!shipped.contains(other), "{other} is a message without code and cure");
            }
        }
    }
}
