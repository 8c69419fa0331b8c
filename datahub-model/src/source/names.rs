//! What can be the name of a column or a table.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::diagnostic::Cure;

/// The longest name that neither database truncates, in bytes.
pub(super) const NAME_MAX: usize = 63;

/// Why a name cannot be the name of a column or a table; `None` if it can. A generator of models calls this before it chooses
/// a name, and the validator calls it again.
pub fn name_fault(name: &str) -> Option<String> {
    if name.len() > NAME_MAX {
        return Some(format!("has {} bytes, more than PostgreSQL's {NAME_MAX}", name.len()));
    }
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|letter| letter.is_ascii_lowercase() || letter == '_');
    if !first || !letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_') {
        return Some(
            "must consist of lowercase letters, digits and underscores, and not begin with a digit".to_owned(),
        );
    }
    if name.starts_with("datahub_") {
        return Some("begins with `datahub_`, which is reserved for the engine".to_owned());
    }
    if name.starts_with("sqlite_") {
        return Some("begins with `sqlite_`, which is reserved for SQLite".to_owned());
    }
    if name.bytes().all(|letter| letter == b'_') {
        return Some("consists of underscores only".to_owned());
    }
    RESERVED.contains(name).then(|| "is a reserved word of SQL or Rust".to_owned())
}

/// The cure with a valid name that is similar to an invalid one, if there is one. It is certain if only the case differs;
/// what another character stands for, a person must decide.
pub(super) fn corrected(name: &str) -> Option<Cure> {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
    let corrected: String = name.chars().map(letter).collect();
    name_fault(&corrected).is_none().then(|| {
        if name.to_ascii_lowercase() == corrected {
            Cure::correcting(format!("write `{corrected}`"), name, corrected)
        } else {
            format!("write `{corrected}`, or choose another name").into()
        }
    })
}

/// Why a name cannot be the name of a column of a table, with or without Diesel; `None` if it can.
pub fn column_fault(name: &str, table: &str) -> Option<String> {
    name_fault(name).or_else(|| fault_beside_diesel(name, table))
}

/// Why a name cannot be the name of a column in Diesel's `table!`, which defines other items next to the columns.
pub(super) fn fault_beside_diesel(name: &str, table: &str) -> Option<String> {
    if name == table {
        return Some("is also the name of its table, and Diesel puts both into one module".to_owned());
    }
    DIESEL.contains(&name).then(|| "is a name that Diesel defines in every table".to_owned())
}

/// Names that Diesel's `table!` defines in a table's module, or that already mean something there: a column becomes a type.
const DIESEL: [&str; 7] = ["all_columns", "bool", "columns", "diesel", "dsl", "star", "str"];

/// Reserved words of PostgreSQL, SQLite and Rust: as names they need quotes, or cannot be used at all.
static RESERVED: LazyLock<HashSet<&str>> = LazyLock::new(|| RESERVED_WORDS.split_whitespace().collect());

const RESERVED_WORDS: &str = "
    abstract add all alter analyse analyze and any array as asc asymmetric async authorization autoincrement await
    become between binary both box break by case cast check collate collation column commit concurrently const
    constraint continue crate create cross current_catalog current_date current_role current_schema
    current_time current_timestamp current_user default deferrable delete desc distinct do drop dyn else end
    enum escape except exists extern false fetch final fn for foreign freeze from full gen grant group having
    if ilike impl in index initially inner insert intersect into is isnull join lateral leading left let like
    limit localtime localtimestamp loop macro match mod move mut natural not nothing notnull null offset on only or
    order outer overlaps override placing primary priv pub ref references return returning right select self
    session_user set similar some static struct super symmetric system_user table tablesample then to trailing trait
    transaction true try type typeof union unique unsafe unsized update use user using values variadic verbose
    virtual when where while window with yield
    ctid cmax cmin oid rowid tableoid xmax xmin
";
