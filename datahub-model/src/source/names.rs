//! What can be the name of a column or a table.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The longest name that both databases keep whole, in bytes.
pub(super) const NAME_MAX: usize = 63;

/// Why a name cannot be a column's or a table's; `None` when it can. Who writes models for entities asks before it names
/// them; the validator asks again.
pub fn name_fault(name: &str) -> Option<String> {
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
    if name.starts_with("sqlite_") {
        return Some("begins with `sqlite_`, which SQLite keeps for itself".to_owned());
    }
    if name.bytes().all(|letter| letter == b'_') {
        return Some("has nothing but underscores".to_owned());
    }
    RESERVED.contains(name).then(|| "is a reserved word of SQL or Rust".to_owned())
}

/// The help line with a name near to one that cannot be, where there is one.
pub(super) fn mended(name: &str) -> Option<String> {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
    let mended: String = name.chars().map(letter).collect();
    name_fault(&mended).is_none().then(|| format!("write `{mended}`"))
}

/// Why a name cannot be that of a column of Diesel's `table!`, which has things of these names beside the columns.
pub(super) fn fault_beside_diesel(name: &str, table: &str) -> Option<String> {
    if name == table {
        return Some("is the name of its table, and Diesel has both in one place".to_owned());
    }
    DIESEL.contains(&name).then(|| "is a name of Diesel's own in every table".to_owned())
}

/// What Diesel's `table!` has in a table's module beside the columns, or means something else by: a column is a type there.
const DIESEL: [&str; 7] = ["all_columns", "bool", "columns", "diesel", "dsl", "star", "str"];

/// Reserved words of PostgreSQL, SQLite and Rust: as names they need quotes, or cannot be told from syntax at all.
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
