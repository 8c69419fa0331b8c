//! Names for people and for Rust, made of CDMS's: words, without the prefix of the publisher that added them.

use std::collections::HashMap;

/// The words of a name, in lowercase.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Words(Vec<String>);

impl Words {
    /// The words of a name of CDMS, whose prefix is left out. If the label has the same letters, its blanks show where the
    /// words of `optevia_servicedelivery` begin.
    pub(crate) fn of(name: &str, label: Option<&str>) -> Self {
        Words::whole(without_prefix(name), label)
    }

    /// The words of a name, with its prefix.
    pub(crate) fn whole(name: &str, label: Option<&str>) -> Self {
        let letters =
            |text: &str| text.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>().to_lowercase();
        match label {
            Some(label) if letters(label) == letters(name) && label.contains(' ') => Words(words(label)),
            _ => Words(words(name)),
        }
    }

    /// Without a last word that only repeats what kind of value it is, such as the `id` of a lookup.
    pub(crate) fn without_last(mut self, last: &str) -> Self {
        if self.0.len() > 1 && self.0.last().is_some_and(|word| word == last) {
            self.0.pop();
        }
        self
    }

    /// `town_city`.
    pub(crate) fn snake(&self) -> String {
        let name = self.0.join("_");
        if name.starts_with(|letter: char| letter.is_ascii_digit()) { format!("n{name}") } else { name }
    }

    /// `TownCity`.
    pub(crate) fn pascal(&self) -> String {
        let name: String = self.0.iter().map(|word| capitalised(word)).collect();
        if name.starts_with(|letter: char| letter.is_ascii_digit()) { format!("N{name}") } else { name }
    }

    /// `town_cities`.
    pub(crate) fn plural(&self) -> String {
        let mut words = self.0.clone();
        if let Some(last) = words.last_mut() {
            *last = plural(last);
        }
        Words(words).snake()
    }
}

/// Whether a text can be a name of CDMS. Names become names of files, keys and annotations, so that no other text may pass.
pub(crate) fn is_name(text: &str) -> bool {
    datahub_model::source::cdms_name_fault(text).is_none()
}

/// A label on one line, without letters that would change how a comment reads.
pub(crate) fn in_a_comment(label: &str) -> String {
    let words = label.split_whitespace().map(plain);
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A text without letters that a terminal or an editor obeys: they would change how the text around it reads.
pub(crate) fn plain(text: &str) -> String {
    let is_plain = |letter: &char| {
        !letter.is_control()
            && !matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(is_plain).collect()
}

/// What a document says, as a message shows it: on one line, and not longer than a message should be.
pub(crate) fn in_a_message(said: &str) -> String {
    const LETTERS_MAX: usize = 500;
    let line = in_a_comment(said);
    match line.char_indices().nth(LETTERS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A name without the prefix of the publisher that added it: `TownCity` of `optevia_TownCity`.
pub(crate) fn without_prefix(name: &str) -> &str {
    match name.split_once('_') {
        Some((prefix, rest)) if is_prefix(prefix) && rest.starts_with(|letter: char| letter.is_ascii_alphabetic()) => {
            rest
        }
        _ => name,
    }
}

/// Publishers' prefixes have two to eight lowercase letters and digits.
fn is_prefix(text: &str) -> bool {
    (2..=8).contains(&text.len())
        && text.starts_with(|letter: char| letter.is_ascii_lowercase())
        && text.bytes().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
}

/// The words of a text: between letters that are none, and where capitals begin.
fn words(text: &str) -> Vec<String> {
    // One word each, whatever their capitals say.
    let text = text.replace("EMail", "Email").replace("eMail", "email").replace("WebSite", "Website");
    let mut words: Vec<String> = Vec::new();
    for part in text.split(|letter: char| !letter.is_alphanumeric()).filter(|part| !part.is_empty()) {
        let letters: Vec<char> = part.chars().collect();
        let mut word = String::new();
        for (at, letter) in letters.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| letters.get(at));
            let after = letters.get(at + 1);
            let after_small = before.is_some_and(|before| !before.is_uppercase());
            let ends_capitals =
                before.is_some_and(|before| before.is_uppercase()) && after.is_some_and(|after| after.is_lowercase());
            if letter.is_uppercase() && (after_small || ends_capitals) {
                words.push(std::mem::take(&mut word));
            }
            word.extend(letter.to_lowercase());
        }
        words.push(word);
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A text's words as one name: the option `Non-Profit` is `non_profit`. Empty if the text has no letter or digit.
pub(crate) fn option_name(label: &str) -> String {
    let lower = label.to_lowercase();
    let parts = lower.split(|letter: char| !letter.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("_")
}

/// Whether a label has nothing that its option's name does not show, so that it need not be stated.
pub(crate) fn is_shown_by(name: &str, label: &str) -> bool {
    let plain = label.chars().all(|letter| letter.is_alphanumeric() || letter == ' ' || letter == '-');
    plain && option_name(label) == name
}

/// A name of an option in words: `sole_trader` is `Sole trader`.
pub(crate) fn in_words(name: &str) -> String {
    capitalised(&name.replace('_', " "))
}

/// The name of a variant for an option, and whether the derive finds the option by it. The name is empty if the option has
/// nothing that can be in an identifier of Rust, as `½` has not.
pub(crate) fn variant(option: &str) -> (String, bool) {
    let pascal = Words(option.split('_').filter(|word| !word.is_empty()).map(str::to_owned).collect()).pascal();
    let pascal: String = pascal.chars().filter(|letter| unicode_ident::is_xid_continue(*letter)).collect();
    let is_start = pascal.chars().next().is_none_or(unicode_ident::is_xid_start);
    let pascal = if is_start { pascal } else { format!("N{pascal}") };
    let pascal = if pascal == "Self" { "SelfOption".to_owned() } else { pascal };
    let mut snake = String::new();
    for (at, letter) in pascal.char_indices() {
        if letter.is_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    let is_found = snake == option;
    (pascal, is_found)
}

/// Shortest names that differ: each candidate has a short and a long form, and the long one is used where the short one is
/// not the only of its spelling.
pub(crate) fn distinct(candidates: &[(String, String)]) -> Vec<String> {
    let mut short: HashMap<&str, usize> = HashMap::new();
    for (name, _) in candidates {
        *short.entry(name).or_default() += 1;
    }
    let mut names: Vec<String> = Vec::new();
    for (name, long) in candidates {
        let is_clear = short.get(name.as_str()) == Some(&1);
        let wanted = if is_clear { name } else { long };
        let mut chosen = wanted.clone();
        let mut number = 2;
        // The long form of one may be the short form of another.
        while names.contains(&chosen) || (!is_clear && short.get(chosen.as_str()) == Some(&1)) {
            chosen = format!("{wanted}_{number}");
            number += 1;
        }
        names.push(chosen);
    }
    names
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

fn plural(word: &str) -> String {
    let before_y = word.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    match before_y {
        Some(stem) if !stem.is_empty() => format!("{stem}ies"),
        _ if word.ends_with("ss") || word.ends_with(['x', 'z']) || word.ends_with("ch") || word.ends_with("sh") => {
            format!("{word}es")
        }
        _ if word.ends_with("us") => format!("{word}es"),
        _ if word.ends_with('s') => word.to_owned(),
        _ => format!("{word}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_cdms_become_words() {
        for (name, snake) in [
            ("optevia_TownCity", "town_city"),
            ("EMailAddress1", "email_address1"),
            ("WebSiteURL", "website_url"),
            ("optevia_OG_TELEPHONE_ID", "og_telephone_id"),
            ("Address1_Line1", "address1_line1"),
            ("UTCConversionTimeZoneCode", "utc_conversion_time_zone_code"),
            ("optevia_PAFOverride", "paf_override"),
            ("a_Name", "a_name"),
            ("new_2ndName", "new_2nd_name"),
        ] {
            assert_eq!(Words::of(name, None).snake(), snake, "{name}");
        }
    }

    #[test]
    fn a_label_of_the_same_letters_shows_where_words_begin() {
        let name = "optevia_servicedeliverystatus";
        assert_eq!(Words::of(name, Some("Service Delivery Status")).pascal(), "ServiceDeliveryStatus");
        assert_eq!(Words::of(name, Some("Status of a service")).pascal(), "Servicedeliverystatus");
        assert_eq!(Words::of("optevia_country", None).plural(), "countries");
        assert_eq!(Words::of("Address", None).plural(), "addresses");
        assert_eq!(Words::of("SystemUser", None).plural(), "system_users");
    }

    #[test]
    fn options_have_names_and_variants() {
        assert_eq!(option_name("Non-Profit (R&D)"), "non_profit_r_d");
        assert!(is_shown_by("non_profit", "Non-Profit") && !is_shown_by("r_d", "R&D"));
        assert_eq!(variant("sole_trader"), ("SoleTrader".to_owned(), true));
        assert_eq!(variant("1_to_10"), ("N1To10".to_owned(), false));
        assert_eq!(variant("self"), ("SelfOption".to_owned(), false));
        assert_eq!(variant("женщина"), ("Женщина".to_owned(), true));
        // Digits of other kinds are letters or digits, but not of an identifier.
        assert_eq!(variant("m²"), ("M".to_owned(), false));
        assert_eq!(variant("²1"), ("N1".to_owned(), false));
        assert_eq!(variant("½_①"), (String::new(), false));
    }

    #[test]
    fn names_that_would_be_the_same_keep_their_prefixes() {
        let both = |short: &str, long: &str| (short.to_owned(), long.to_owned());
        let names = distinct(&[
            both("interaction", "detica_interaction"),
            both("interaction", "optevia_interaction"),
            both("sector", "optevia_sector"),
        ]);
        assert_eq!(names, ["detica_interaction", "optevia_interaction", "sector"]);
        let names = distinct(&[both("a", "b"), both("a", "b"), both("b_2", "x")]);
        assert_eq!(names, ["b", "b_3", "b_2"]);
    }
}
