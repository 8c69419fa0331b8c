//! The bracket that is still open at a place in a TOML file.

/// The innermost bracket that the text opens and does not close, and where it stands.
pub(super) fn bracket(text: &str) -> Option<(usize, char)> {
    let mut open = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let at = text.len() - rest.len();
        match letter {
            '{' | '[' => open.push((at, letter)),
            '}' | ']' => _ = open.pop(),
            _ => {}
        }
        rest = &rest[skipped(rest, letter)..];
    }
    open.pop()
}

/// The number of bytes of a letter, or of the whole string or comment that it begins.
fn skipped(rest: &str, letter: char) -> usize {
    let line = rest.find('\n').unwrap_or(rest.len());
    match letter {
        '#' => line,
        '"' | '\'' => {
            let is_long = rest.chars().take(3).filter(|begins| *begins == letter).count() == 3;
            let (quotes, end) = if is_long { (3, rest.len()) } else { (1, line) };
            string_end(&rest[..end], quotes, letter).unwrap_or(end)
        }
        letter => letter.len_utf8(),
    }
}

/// The end of a string that begins with this number of quotes; `None` if it does not end.
fn string_end(text: &str, quotes: usize, quote: char) -> Option<usize> {
    let mut at = quotes;
    while let Some(letter) = text[at..].chars().next() {
        if text[at..].chars().take_while(|letter| *letter == quote).count() >= quotes {
            return Some(at + quotes);
        }
        at += letter.len_utf8();
        if letter == '\\' && quote == '"' {
            at += text[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::bracket;

    #[test]
    fn the_innermost_open_bracket_is_found() {
        for (text, expected) in [
            ("[a]\nb = { c = 1 }\n", None),
            ("[a]\nb = { c = 1\n", Some((8, '{'))),
            ("b = { c = [1, 2\n", Some((10, '['))),
            ("b = \"{\" # {\n", None),
            ("b = '{' \nc = '''\n{'''\nd = \"\"\"{ \\\" \n\"\"\"\n", None),
            ("b = \"\\\"{\"", None),
            ("b = \"{\nc = {", Some((11, '{'))),
            ("Größe = \"é{é\"\nb = [", Some((22, '['))),
            ("}]\"", None),
        ] {
            assert_eq!(bracket(text), expected, "{text}");
        }
    }
}
