//! What can be the name of a column or a table.

/// The longest name that both databases keep whole, in bytes.
pub(super) const NAME_MAX: usize = 63;

/// Why a name cannot be a column's or a table's; `None` when it can.
pub(super) fn fault_of(name: &str) -> Option<String> {
    if name.len() > NAME_MAX {
        return Some(format!("has {} bytes, more than the {NAME_MAX} that PostgreSQL keeps", name.len()));
    }
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|letter| letter.is_ascii_lowercase() || letter == '_');
    if !first || !letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_') {
        return Some("is not made of lowercase letters, digits and underscores".to_owned());
    }
    if name.starts_with("datahub_") {
        return Some("begins with `datahub_`, which is the engine's own prefix".to_owned());
    }
    RESERVED.contains(&name).then(|| "is a reserved word of SQL or Rust".to_owned())
}

/// Reserved words of PostgreSQL, SQLite and Rust that people would otherwise take for names.
const RESERVED: [&str; 77] = [
    "all",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "async",
    "await",
    "between",
    "both",
    "break",
    "by",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "const",
    "constraint",
    "continue",
    "create",
    "crate",
    "current_date",
    "current_user",
    "default",
    "delete",
    "desc",
    "distinct",
    "do",
    "drop",
    "dyn",
    "else",
    "end",
    "enum",
    "except",
    "exists",
    "false",
    "fetch",
    "fn",
    "for",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "impl",
    "in",
    "index",
    "insert",
    "into",
    "is",
    "join",
    "let",
    "limit",
    "loop",
    "match",
    "mod",
    "not",
    "null",
    "offset",
    "on",
    "or",
    "order",
    "primary",
    "references",
    "select",
    "self",
    "set",
    "table",
    "then",
    "to",
    "trait",
    "type",
    "union",
    "unique",
    "use",
    "where",
];
