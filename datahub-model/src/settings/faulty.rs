//! A `datahub.toml` that is no TOML, and the backslash in double quotes that often is why.

use super::secrets::without_text;
use crate::diagnostic::{Code, Diagnostic, Spot};

/// What to do about a backslash in double quotes, as in the names of Windows users.
pub(super) const BACKSLASH: &str =
    "in double quotes a backslash begins an escape; use single quotes: `user = 'EXAMPLE\\datahub'`";

/// The fault of a text that is no TOML, with the help for its place or else this one. Nothing of the text is repeated: any part
/// of it may be a secret.
pub fn faulty_toml(text: &str, error: &toml::de::Error, help: &str) -> Diagnostic<Spot> {
    let offset = error.span().map_or(0, |span| span.start);
    let message = error.message().replace('\n', ", ");
    let help = if is_escape(text, offset) { BACKSLASH } else { help };
    Diagnostic::of(Code::FaultyToml, without_text(Spot::at(text, offset)), message).cure(help)
}

/// Whether the place is in an escape: after a backslash, and perhaps after a letter and hexadecimal digits.
fn is_escape(text: &str, offset: usize) -> bool {
    let before = text.get(..offset).unwrap_or_default();
    let before = before.trim_end_matches(|letter: char| letter.is_ascii_hexdigit());
    before.strip_suffix(['x', 'u', 'U']).unwrap_or(before).ends_with('\\')
        || text.get(offset..).is_some_and(|rest| rest.starts_with('\\'))
}
