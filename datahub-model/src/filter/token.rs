//! The words of a filter: names, literals, operators and punctuation, each with its place in the text.

use super::ParseError;

/// A word of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// The word. A string is in single quotes, whichever it had, and has its quotes undoubled; a prefix such as `guid`
    /// belongs to it.
    pub(crate) text: String,
    /// Where it begins, in characters from 0.
    pub(crate) at: usize,
}

impl Token {
    /// The content of a string without a prefix.
    pub(crate) fn quoted(&self) -> Option<&str> {
        self.quoted_after("")
    }

    /// The content of a string with a prefix, such as `guid'…'`.
    pub(crate) fn quoted_after(&self, prefix: &str) -> Option<&str> {
        self.text.strip_prefix(prefix)?.strip_prefix('\'')?.strip_suffix('\'')
    }
}

/// Splits a text into its words.
///
/// # Errors
///
/// A string has no closing quote; with the place where it begins.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, (usize, ParseError)> {
    let mut tokens = Vec::new();
    let mut letters = text.chars().enumerate().peekable();
    let mut word = Token { text: String::new(), at: 0 };
    let mut end = |word: &mut Token| {
        if !word.text.is_empty() {
            tokens.push(std::mem::replace(word, Token { text: String::new(), at: 0 }));
        }
    };
    while let Some((at, letter)) = letters.next() {
        let is_symbol = |letter: char| matches!(letter, '=' | '<' | '>' | '!');
        // The words of one group run on; `Count>=1` has three.
        let runs_on = match letter {
            '\'' | '"' => !word.text.ends_with(is_symbol),
            '(' | ')' | ',' => false,
            letter => word.text.is_empty() || word.text.ends_with(is_symbol) == is_symbol(letter),
        };
        if !runs_on || letter.is_whitespace() {
            end(&mut word);
        }
        if letter.is_whitespace() {
            continue;
        }
        if word.text.is_empty() {
            word.at = at;
        }
        match letter {
            quote @ ('\'' | '"') => {
                word.text.push('\'');
                loop {
                    match letters.next() {
                        None => return Err((word.at, ParseError::OpenText)),
                        Some((_, letter)) if letter != quote => word.text.push(letter),
                        Some(_) if letters.next_if(|(_, next)| *next == quote).is_some() => word.text.push(quote),
                        Some(_) => break,
                    }
                }
                word.text.push('\'');
                end(&mut word);
            }
            '(' | ')' | ',' => {
                word.text.push(letter);
                end(&mut word);
            }
            letter => word.text.push(letter),
        }
    }
    end(&mut word);
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[test]
    fn words_end_at_spaces_symbols_and_punctuation() {
        for (text, words) in [
            ("", vec![]),
            ("Name eq 'it''s (not) so'", vec!["Name", "eq", "'it's (not) so'"]),
            ("a>=1 and(b!=\"x\"\"'y\")", vec!["a", ">=", "1", "and", "(", "b", "!=", "'x\"'y'", ")"]),
            ("f(x,'y')=''", vec!["f", "(", "x", ",", "'y'", ")", "=", "''"]),
            ("a eq guid'7'or b<-1.5", vec!["a", "eq", "guid'7'", "or", "b", "<", "-1.5"]),
            ("x==2026-01-01T10:00:00+01:00", vec!["x", "==", "2026-01-01T10:00:00+01:00"]),
        ] {
            let found: Vec<_> = tokens(text).unwrap().into_iter().map(|token| token.text).collect();
            assert_eq!(found, words, "{text}");
        }
    }

    #[test]
    fn places_are_counted_in_characters() {
        let places: Vec<_> = tokens("é = 'ü'  and(b").unwrap().into_iter().map(|token| token.at).collect();
        assert_eq!(places, [0, 2, 4, 9, 12, 13]);
        assert_eq!(tokens("é = 'ü").unwrap_err().0, 4);
    }
}
