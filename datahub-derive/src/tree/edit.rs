//! Edits: corrections of faults as changes of a file's text, which leave everything else of it as it is.

use std::ops::Range;

use datahub_model::diagnostic::Correction;

use super::Fault;

/// A change of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that are replaced.
    pub range: Range<usize>,
    /// What replaces them.
    pub text: String,
}

impl Fault {
    /// The edit of its file's text that corrects it; `None` if that needs a person, or if another word stands at its place
    /// than the one that would be corrected.
    pub fn edit(&self, text: &str) -> Option<Edit> {
        let Correction { found, right } = self.diagnostic.cure.correction.as_deref()?;
        let word = text.get(self.range.clone())?;
        let quoted = |quote| word.strip_prefix(quote)?.strip_suffix(quote);
        let is_quoted = ['"', '\''].into_iter().filter_map(quoted).any(|inside| inside == found);
        let is_plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
        let is_text = |letter: char| is_plain(letter) || matches!(letter, '.' | '/' | '+' | ' ');
        let (before, after) = match word {
            _ if is_quoted && right.chars().all(is_text) => (1, 1),
            bare if bare == found && right.chars().all(is_plain) => (0, 0),
            _ => return None,
        };
        Some(Edit { range: self.range.start + before..self.range.end - after, text: right.clone() })
    }
}

/// A text with edits made in it. Where two overlap, only the first one is made.
pub fn edited(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| edit.range.start);
    let (mut result, mut done) = (String::with_capacity(text.len()), 0);
    for Edit { range, text: replacement } in edits {
        if range.start < done {
            continue;
        }
        result.push_str(&text[done..range.start]);
        result.push_str(&replacement);
        done = range.end;
    }
    result.push_str(&text[done..]);
    result
}

#[cfg(test)]
mod tests {
    use datahub_model::diagnostic::{Code, Cure, Diagnostic};
    use datahub_model::source::Spot;

    use super::*;

    fn fault(range: Range<usize>, found: &str, right: &str) -> Fault {
        let cure = Cure::correcting("correct it", found, right);
        let diagnostic = Diagnostic::of(Code::UnknownKey, Spot::default(), "a message").cure(cure);
        Fault { file: "a".to_owned(), range, diagnostic }
    }

    #[test]
    fn a_word_is_replaced_within_its_quotes() {
        let text = "a = \"é\"  # \u{1f600}\nb = 'é'\n";
        let edit = |range, found| fault(range, found, "ö").edit(text);
        let edits: Vec<_> = [edit(4..8, "é"), edit(0..1, "a"), edit(21..25, "é")].into_iter().flatten().collect();
        assert_eq!(edited(text, edits), "ö = \"ö\"  # \u{1f600}\nb = 'ö'\n");
    }

    #[test]
    fn another_word_than_the_one_at_fault_is_left_alone() {
        let text = "Name = { target = 'acount' }";
        assert_eq!(fault(0..4, "acount", "account").edit(text), None);
        assert_eq!(fault(0..4, "Name", "no key").edit(text), None, "it would need quotes");
        assert_eq!(fault(18..26, "acount", "a'b").edit(text), None, "it would end the string");
        assert_eq!(fault(0..99, "Name", "Nome").edit(text), None);
    }

    #[test]
    fn of_two_edits_of_the_same_bytes_one_is_made() {
        let edit = |range, text: &str| Edit { range, text: text.to_owned() };
        assert_eq!(edited("abc", vec![edit(1..3, "x"), edit(0..2, "y")]), "yc");
    }
}
