//! Texts built at compile time, so that messages of the compiler's checks can contain names.

use super::Kind;

/// A text of at most `MAX` bytes; what exceeds them is cut off.
#[derive(Clone, Copy)]
pub(super) struct Text<const MAX: usize = 1024> {
    bytes: [u8; MAX],
    length: usize,
}

impl Text {
    /// The default of `MAX`.
    pub(super) const LENGTH_MAX: usize = 1024;

    /// A text with this beginning.
    pub(super) const fn new(text: &str) -> Self {
        Text::empty().and(text)
    }
}

impl<const MAX: usize> Text<MAX> {
    pub(super) const fn empty() -> Self {
        Text { bytes: [0; MAX], length: 0 }
    }

    /// The text with another one appended.
    pub(super) const fn and(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut position = 0;
        while position < text.len() && self.length < MAX {
            self.bytes[self.length] = text[position];
            self.length += 1;
            position += 1;
        }
        self
    }

    /// The text with a list appended.
    pub(super) const fn and_list(mut self, texts: &[&str]) -> Self {
        let mut position = 0;
        while position < texts.len() {
            if position > 0 {
                self = self.and(" or ");
            }
            self = self.and("`").and(texts[position]).and("`");
            position += 1;
        }
        self
    }

    /// The text with the names of kinds appended.
    pub(super) const fn and_kinds(mut self, kinds: &[Kind]) -> Self {
        let mut position = 0;
        while position < kinds.len() {
            let between = if position == 0 {
                ""
            } else if position + 1 < kinds.len() {
                ", "
            } else {
                " or "
            };
            self = self.and(between).and(kinds[position].name());
            position += 1;
        }
        self
    }

    pub(super) const fn text(&self) -> &str {
        let bytes = self.bytes.split_at(self.length).0;
        match std::str::from_utf8(bytes) {
            Ok(text) => text,
            // A text that was cut off within a character ends before it.
            Err(error) => match std::str::from_utf8(bytes.split_at(error.valid_up_to()).0) {
                Ok(text) => text,
                Err(_) => "",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Text};

    const LENGTH_MAX: usize = Text::LENGTH_MAX;

    #[test]
    fn a_text_is_put_together_and_never_longer_than_it_may_be() {
        let text = Text::new("points to ").and_list(&["account", "team"]).and(", not to `é`");
        assert_eq!(text.text(), "points to `account` or `team`, not to `é`");
        let kinds = Text::new("holds ").and_kinds(&[Kind::Integer, Kind::Choice, Kind::State]);
        assert_eq!(kinds.text(), "holds integer, choice or state");
        assert_eq!(Text::new(&"a".repeat(2 * LENGTH_MAX)).text().len(), LENGTH_MAX);
        let cut = Text::new("a").and(&"é".repeat(LENGTH_MAX)).and("b");
        assert_eq!(cut.text(), format!("a{}", "é".repeat(LENGTH_MAX / 2 - 1)), "no half of a character");
    }
}
