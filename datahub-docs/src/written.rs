//! Pieces of Rust as they are written: types, and code that stands in a module.

/// A type whose tokens are separated by spaces, as people write it: `Option < Id < Sector > >` is `Option<Id<Sector>>`.
pub(crate) fn tidy(spelled: &str) -> String {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut text = String::new();
    for token in spelled.split(' ') {
        let (before, next) = (text.chars().next_back(), token.chars().next());
        if before == Some(',') || (before.is_some_and(is_word) && next.is_some_and(is_word)) {
            text.push(' ');
        }
        text += token;
    }
    text
}

/// Code without the indentation of the module that it stands in; its first line begins at the item itself.
pub(crate) fn outdented(code: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let rest = code.lines().skip(1).filter(|line| !line.trim().is_empty());
    let common = rest.map(indent).min().unwrap_or(0);
    let lines =
        code.lines().enumerate().map(|(at, line)| if at == 0 { line } else { line.get(common..).unwrap_or_default() });
    lines.collect::<Vec<_>>().join("\n")
}

/// The names in a type as it is written: `Option<Id<crate::Sector>>` has `Option`, `Id`, `crate` and `Sector`.
pub(crate) fn type_names(written: &str) -> Vec<&str> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    written.split(|letter| !is_part(letter)).filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_written_as_people_write_it() {
        assert_eq!(tidy("Option < Id < crate :: Sector > >"), "Option<Id<crate::Sector>>");
        assert_eq!(tidy("OneOf <(Account , Contact)>"), "OneOf<(Account, Contact)>");
        assert_eq!(tidy("Box < dyn Send >"), "Box<dyn Send>");
    }

    #[test]
    fn code_of_a_module_begins_at_the_margin() {
        assert_eq!(
            outdented("/// A.\n    struct A {\n        b: i32,\n\n    }"),
            "/// A.\nstruct A {\n    b: i32,\n\n}"
        );
        assert_eq!(outdented("struct A;"), "struct A;");
    }
}
