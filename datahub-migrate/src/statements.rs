//! The statements of an SQL text, for what must be executed one by one.

/// The statements of an SQL text in their order, without the semicolons, and without what contains only comments.
///
/// Semicolons count that are outside of quoted text and names, of comments, of PostgreSQL's dollar quotes, and of the
/// body of an SQLite trigger (between `BEGIN` and `END` of a statement that begins with `CREATE TRIGGER`).
pub fn statements(sql: &str) -> Vec<&str> {
    let bytes = sql.as_bytes();
    let (mut found, mut start, mut at, mut words) = (Vec::new(), 0, 0, Words::default());
    while at < bytes.len() {
        let rest = &sql[at..];
        at += match bytes[at] {
            quote @ (b'\'' | b'"') => {
                words.any();
                quoted(rest, char::from(quote))
            }
            b'-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            b'/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            b'$' => {
                words.any();
                dollar_quoted(rest)
            }
            b';' if !words.in_trigger() => {
                if words.are_some() {
                    found.push(sql[start..at].trim());
                }
                (start, words) = (at + 1, Words::default());
                1
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
                let word = &rest[..end.unwrap_or(rest.len())];
                words.word(word);
                word.len()
            }
            byte if byte.is_ascii_whitespace() => 1,
            _ => {
                words.any();
                rest.chars().next().map_or(1, char::len_utf8)
            }
        };
    }
    if words.are_some() {
        found.push(sql[start..].trim());
    }
    found
}

/// What is known of the statement so far.
#[derive(Default)]
struct Words {
    count: usize,
    /// Whether it begins with `CREATE`, and has `TRIGGER` among its first words.
    creates: bool,
    trigger: bool,
    /// The depth of `BEGIN` and `CASE`, which end with `END`.
    depth: usize,
}

impl Words {
    fn any(&mut self) {
        self.count += 1;
    }

    fn word(&mut self, word: &str) {
        self.count += 1;
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        if self.count == 1 {
            self.creates = is("create");
        } else if self.count <= 3 && self.creates && is("trigger") {
            self.trigger = true;
        }
        if self.trigger && (is("begin") || (self.depth > 0 && is("case"))) {
            self.depth += 1;
        } else if is("end") {
            self.depth = self.depth.saturating_sub(1);
        }
    }

    fn are_some(&self) -> bool {
        self.count > 0
    }

    fn in_trigger(&self) -> bool {
        self.depth > 0
    }
}

/// The length of quoted text, in which a doubled quote stands for the quote.
fn quoted(text: &str, quote: char) -> usize {
    let mut from = 1;
    while let Some(end) = text[from..].find(quote) {
        let after = from + end + 1;
        if !text[after..].starts_with(quote) {
            return after;
        }
        from = after + 1;
    }
    text.len()
}

/// The length of text in dollar quotes, such as `$$ … $$` or `$body$ … $body$`; 1 if it is another dollar.
fn dollar_quoted(text: &str) -> usize {
    let Some(end) = text[1..].find('$') else { return 1 };
    let tag = &text[..end + 2];
    if !tag[1..=end].chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
        return 1;
    }
    text[tag.len()..].find(tag).map_or(text.len(), |close| tag.len() + close + tag.len())
}

#[cfg(test)]
mod tests {
    use super::statements;

    #[test]
    fn statements_end_at_semicolons_outside_of_quotes_and_comments() {
        let sql = "-- first; not a statement\nSELECT ';', \"a;\"\"b\", 'it''s;';\n/* ; */ SELECT 2 ; ;; -- end;\n";
        let expected = ["-- first; not a statement\nSELECT ';', \"a;\"\"b\", 'it''s;'", "/* ; */ SELECT 2"];
        assert_eq!(statements(sql), expected);
        assert_eq!(statements("SELECT 1"), ["SELECT 1"]);
        assert_eq!(statements(" -- nothing\n"), [""; 0]);
    }

    #[test]
    fn a_body_in_dollar_quotes_is_one_statement() {
        let sql =
            "DO $$ BEGIN UPDATE t SET a = 1; END $$;\nCREATE FUNCTION f() AS $f$ x; $$ y; $f$ LANGUAGE sql;SELECT $1;";
        assert_eq!(statements(sql).len(), 3, "{:?}", statements(sql));
    }

    #[test]
    fn a_trigger_of_sqlite_is_one_statement() {
        let sql =
            "CREATE TRIGGER t AFTER UPDATE ON x BEGIN UPDATE x SET a = CASE WHEN 1 THEN 2 ELSE 3 END; SELECT 1; END;
                   CREATE TABLE y (begin INTEGER); SELECT 1;";
        assert_eq!(statements(sql).len(), 3, "{:?}", statements(sql));
    }

    #[test]
    fn a_transaction_is_several_statements() {
        assert_eq!(statements("BEGIN; SELECT 1; COMMIT;"), ["BEGIN", "SELECT 1", "COMMIT"]);
    }
}
