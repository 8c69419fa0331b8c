//! How the database compares text (docs/protocol.md, 3.1).

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Which differences between texts count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Collation {
    /// Whether accents count. Case never does.
    pub(crate) accents: bool,
    /// Whether `%`, `_` and `[…]` in the text of a function stand for other text, as in SQL's `LIKE`.
    pub(crate) wildcards: bool,
}

/// Where a function finds its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matching {
    Anywhere,
    AtStart,
    AtEnd,
}

impl Collation {
    /// A form in which texts are equal if the database takes them for equal. Trailing blanks do not count.
    pub(super) fn key(self, text: &str) -> String {
        self.folded(text.trim_end_matches(' '))
    }

    /// The same with trailing blanks, which count for functions.
    pub(super) fn folded(self, text: &str) -> String {
        let small = |char: char| char.to_lowercase();
        let folded: String = if self.accents {
            text.nfc().flat_map(small).collect()
        } else {
            text.nfkd().filter(|char| !is_combining_mark(*char)).flat_map(small).collect()
        };
        folded.replace('ß', "ss")
    }

    /// Whether a folded text has the folded part at a place.
    pub(super) fn has(self, text: &str, matching: Matching, part: &str) -> bool {
        if !self.wildcards {
            return match matching {
                Matching::Anywhere => text.contains(part),
                Matching::AtStart => text.starts_with(part),
                Matching::AtEnd => text.ends_with(part),
            };
        }
        let any = |at: bool| at.then_some(Wild::Any);
        let before = any(matching != Matching::AtStart);
        let after = any(matching != Matching::AtEnd);
        let pattern: Vec<_> = before.into_iter().chain(wild(part)).chain(after).collect();
        is_like(&text.chars().collect::<Vec<_>>(), &pattern)
    }
}

/// A part of a pattern of SQL's `LIKE`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wild {
    /// `%`: any number of characters.
    Any,
    /// `_`: one character.
    One,
    /// `[…]`: one of these ranges of characters, or with `true` none of them.
    Of(Vec<(char, char)>, bool),
    /// This character.
    Char(char),
}

fn wild(pattern: &str) -> Vec<Wild> {
    let chars: Vec<char> = pattern.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(char) = chars.get(at) {
        let end = || chars[at..].iter().position(|char| *char == ']').map(|length| at + length);
        match (char, end()) {
            ('%', _) => found.push(Wild::Any),
            ('_', _) => found.push(Wild::One),
            ('[', Some(end)) => {
                found.push(set(&chars[at + 1..end]));
                at = end;
            }
            _ => found.push(Wild::Char(*char)),
        }
        at += 1;
    }
    found
}

fn set(chars: &[char]) -> Wild {
    let (inverted, mut chars) = match chars {
        ['^', rest @ ..] => (true, rest),
        all => (false, all),
    };
    let mut ranges = Vec::new();
    loop {
        chars = match chars {
            [first, '-', last, rest @ ..] => {
                ranges.push((*first, *last));
                rest
            }
            [one, rest @ ..] => {
                ranges.push((*one, *one));
                rest
            }
            [] => return Wild::Of(ranges, inverted),
        };
    }
}

/// Whether the whole text fits the pattern. Goes back to the last `%` alone, so the time is bounded by the product of lengths.
fn is_like(text: &[char], pattern: &[Wild]) -> bool {
    let fits = |char: char, wild: &Wild| match wild {
        Wild::Any => false,
        Wild::One => true,
        Wild::Of(ranges, inverted) => ranges.iter().any(|(from, to)| (*from..=*to).contains(&char)) != *inverted,
        Wild::Char(wanted) => char == *wanted,
    };
    let (mut at, mut next, mut last_any) = (0, 0, None);
    while at < text.len() {
        match pattern.get(next) {
            Some(Wild::Any) => {
                last_any = Some((next, at));
                next += 1;
            }
            Some(wild) if fits(text[at], wild) => {
                at += 1;
                next += 1;
            }
            _ => {
                let Some((any, from)) = last_any else { return false };
                last_any = Some((any, from + 1));
                (at, next) = (from + 1, any + 1);
            }
        }
    }
    pattern[next..].iter().all(|wild| *wild == Wild::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Collation = Collation { accents: false, wildcards: false };

    #[test]
    fn case_accents_and_trailing_blanks_do_not_count() {
        for (one, other) in [("ACME", "acme  "), ("Café", "cafe"), ("Cafe\u{301}", "CAFÉ"), ("Straße", "STRASSE")] {
            assert_eq!(USUAL.key(one), USUAL.key(other), "{one} {other}");
        }
        for (one, other) in [("Acme", " Acme"), ("a", "b"), ("ab", "a b"), ("a\u{1}", "a")] {
            assert_ne!(USUAL.key(one), USUAL.key(other), "{one} {other}");
        }
        let strict = Collation { accents: true, ..USUAL };
        assert_ne!(strict.key("Café"), strict.key("Cafe"));
        assert_eq!(strict.key("Cafe\u{301}"), strict.key("CAFÉ"));
    }

    #[test]
    fn a_part_is_found_as_it_is() {
        for (text, matching, part, found) in [
            ("a_c", Matching::Anywhere, "_", true),
            ("abc", Matching::Anywhere, "_", false),
            ("100%", Matching::AtEnd, "%", true),
            ("abc", Matching::AtStart, "ab", true),
            ("abc", Matching::AtStart, "bc", false),
            ("abc", Matching::AtEnd, "bc", true),
            ("abc", Matching::Anywhere, "", true),
        ] {
            assert_eq!(USUAL.has(text, matching, part), found, "{text} {matching:?} {part}");
        }
    }

    #[test]
    fn wildcards_stand_for_other_text_where_the_switch_says_so() {
        let wild = Collation { wildcards: true, ..USUAL };
        for (text, matching, part, found) in [
            ("abc", Matching::Anywhere, "a_c", true),
            ("abc", Matching::AtStart, "_c", false),
            ("abxc", Matching::AtEnd, "b%c", true),
            ("abcb", Matching::AtEnd, "cb", true),
            ("a[c", Matching::Anywhere, "[", true),
            ("b", Matching::AtStart, "[a-c]", true),
            ("d", Matching::Anywhere, "[a-c]", false),
            ("d", Matching::Anywhere, "[^a-c]", true),
            ("", Matching::Anywhere, "%", true),
            ("", Matching::Anywhere, "_", false),
            ("aaaaaaaaaaaaaaaaaaaab", Matching::AtStart, "a%a%a%a%a%c", false),
        ] {
            assert_eq!(wild.has(text, matching, part), found, "{text} {matching:?} {part}");
        }
    }
}
