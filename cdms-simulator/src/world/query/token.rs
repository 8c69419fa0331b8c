//! The words of `$filter`: names, literals, operators, each with its place.

use crate::refusal::Refusal;

/// A word and the index of its first character.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) word: Word,
    pub(super) at: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    /// A name or an operator.
    Name(String),
    /// A text with its quotes removed.
    Text(String),
    /// A literal that names its type: `guid'…'` is `guid` and what is quoted.
    Typed(String, String),
    /// A number, as written.
    Number(String),
    Open,
    Close,
    Comma,
    Slash,
    Minus,
}

/// Splits a condition into its words.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    let chars: Vec<char> = text.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(char) = chars.get(at).copied() {
        let start = at;
        let word = match char {
            ' ' | '\t' => {
                at += 1;
                continue;
            }
            '(' => Word::Open,
            ')' => Word::Close,
            ',' => Word::Comma,
            '/' => Word::Slash,
            '\'' => {
                let text;
                (text, at) = quoted(&chars, at)?;
                found.push(Token { word: Word::Text(text), at: start });
                continue;
            }
            '-' if !chars.get(at + 1).is_some_and(char::is_ascii_digit) => Word::Minus,
            '-' | '0'..='9' => {
                at = number_end(&chars, at + 1);
                found.push(Token { word: Word::Number(chars[start..at].iter().collect()), at: start });
                continue;
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                at = end_of(&chars, at, |char| char.is_ascii_alphanumeric() || char == '_');
                let name: String = chars[start..at].iter().collect();
                let word = if chars.get(at) == Some(&'\'') {
                    let text;
                    (text, at) = quoted(&chars, at)?;
                    Word::Typed(name, text)
                } else {
                    Word::Name(name)
                };
                found.push(Token { word, at: start });
                continue;
            }
            _ => return Err(Refusal::syntax(at)),
        };
        found.push(Token { word, at: start });
        at += 1;
    }
    Ok(found)
}

/// The text between a quote and the next single one, and the index behind it.
fn quoted(chars: &[char], start: usize) -> Result<(String, usize), Refusal> {
    let (mut text, mut at) = (String::new(), start + 1);
    loop {
        match (chars.get(at), chars.get(at + 1)) {
            (Some('\''), Some('\'')) => {
                text.push('\'');
                at += 2;
            }
            (Some('\''), _) => return Ok((text, at + 1)),
            (Some(char), _) => {
                text.push(*char);
                at += 1;
            }
            (None, _) => return Err(Refusal::bad_request(format!("Unterminated string literal at position {start}."))),
        }
    }
}

/// The index behind a number with fraction, exponent and the letter of its type.
fn number_end(chars: &[char], at: usize) -> usize {
    let digits = |at| end_of(chars, at, |char: char| char.is_ascii_digit());
    let mut at = digits(at);
    if chars.get(at) == Some(&'.') && chars.get(at + 1).is_some_and(char::is_ascii_digit) {
        at = digits(at + 1);
    }
    if matches!(chars.get(at), Some('e' | 'E')) {
        let sign = usize::from(matches!(chars.get(at + 1), Some('+' | '-')));
        if chars.get(at + 1 + sign).is_some_and(char::is_ascii_digit) {
            at = digits(at + 1 + sign);
        }
    }
    end_of(chars, at, |char| char.is_ascii_alphanumeric() || char == '_')
}

fn end_of(chars: &[char], at: usize, belongs: impl Fn(char) -> bool) -> usize {
    chars[at..].iter().position(|char| !belongs(*char)).map_or(chars.len(), |length| at + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_split_into_its_words() {
        let words = |text| tokens(text).unwrap().into_iter().map(|token| (token.word, token.at)).collect::<Vec<_>>();
        let name = |name: &str| Word::Name(name.to_owned());
        let number = |text: &str| Word::Number(text.to_owned());
        assert_eq!(
            words("not (a/Value eq -1.5e+3M)"),
            [
                (name("not"), 0),
                (Word::Open, 4),
                (name("a"), 5),
                (Word::Slash, 6),
                (name("Value"), 7),
                (name("eq"), 13),
                (number("-1.5e+3M"), 16),
                (Word::Close, 24),
            ]
        );
        assert_eq!(words("'it''s,(é'"), [(Word::Text("it's,(é".to_owned()), 0)]);
        assert_eq!(words("guid'x''y'"), [(Word::Typed("guid".to_owned(), "x'y".to_owned()), 0)]);
        assert_eq!(words("5- 1"), [(number("5"), 0), (Word::Minus, 1), (number("1"), 3)]);
    }

    #[test]
    fn what_is_not_a_word_is_refused_at_its_place() {
        for (text, refused) in [
            ("a ; b", "Syntax error at position 2."),
            ("é", "Syntax error at position 0."),
            ("a\u{1}", "Syntax error at position 1."),
            ("a eq 'x", "Unterminated string literal at position 5."),
            ("a eq '''", "Unterminated string literal at position 5."),
        ] {
            assert_eq!(tokens(text).unwrap_err(), Refusal::bad_request(refused), "{text}");
        }
    }
}
