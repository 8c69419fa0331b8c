//! Edits of a contract's text that leave everything else as it is written: order, blanks, comments.

use toml_edit::{DocumentMut, InlineTable, Item, TableLike, Value as Toml};

use super::table;
use crate::base;
use crate::contract::{OPEN, Written, inline, origins, written as written_facts};
use crate::facts::{Facts, Key};

/// What a contract says under a key of an attribute.
pub(super) fn written(attribute: &dyn TableLike, key: Key) -> Written {
    match attribute.get(key.name()) {
        None => Written::Absent,
        Some(item) if item.as_str() == Some(OPEN) => Written::Open,
        // What is not a value of the key is reported by the parser of contracts; here it is only not CDMS's.
        Some(item) => base::value(key, item).map_or(Written::Is(crate::facts::Value::Names(Vec::new())), Written::Is),
    }
}

/// The targets that a contract states of a lookup; none if it does not know them yet.
pub(super) fn targets(document: &DocumentMut, attribute: &str) -> Vec<String> {
    let stated = document.get("attributes").and_then(|table| table.get(attribute)).and_then(Item::as_table_like);
    match stated.map(|attribute| written(attribute, Key::Target)) {
        Some(Written::Is(crate::facts::Value::Names(targets))) => targets,
        _ => Vec::new(),
    }
}

/// Sets or removes a key of a table, inline or not.
pub(super) fn put(table: &mut Item, key: &str, value: Option<Toml>) {
    let Some(value) = value else {
        match table {
            Item::Value(Toml::InlineTable(inline)) => remove_inline(inline, key),
            table => _ = table.as_table_like_mut().and_then(|table| table.remove(key)),
        }
        return;
    };
    match table {
        Item::Value(Toml::InlineTable(inline)) => put_inline(inline, key, value),
        table => {
            let Some(table) = table.as_table_like_mut() else { return };
            match table.get_mut(key) {
                Some(Item::Value(old)) => replace(old, value),
                _ => _ = table.insert(key, Item::Value(value)),
            }
        }
    }
}

/// Replaces a value, and keeps the blanks and comments around it.
fn replace(old: &mut Toml, value: Toml) {
    let decor = old.decor().clone();
    *old = value;
    *old.decor_mut() = decor;
}

/// Sets a key without the comment that the value may have, which would hide what comes after it.
fn put_inline(table: &mut InlineTable, key: &str, value: Toml) {
    if let Some(old) = table.get_mut(key) {
        return replace(old, value);
    }
    // The blank before the closing brace belongs to the last value.
    let last = table.iter_mut().last().map(|(_, last)| {
        let suffix = last.decor().suffix().and_then(|suffix| suffix.as_str()).unwrap_or(" ").to_owned();
        last.decor_mut().set_suffix("");
        suffix
    });
    let value = value.decorated(" ", last.as_deref().unwrap_or(" "));
    table.insert(key, value);
    if let Some(mut key) = table.key_mut(key) {
        key.leaf_decor_mut().set_prefix(" ");
        key.leaf_decor_mut().set_suffix(" ");
    }
}

fn remove_inline(table: &mut InlineTable, key: &str) {
    let is_last = table.iter().last().is_some_and(|(last, _)| last == key);
    let removed = table.remove(key);
    if let (true, Some(removed), Some((_, last))) = (is_last, removed, table.iter_mut().last()) {
        let suffix = removed.decor().suffix().and_then(|suffix| suffix.as_str()).unwrap_or(" ").to_owned();
        last.decor_mut().set_suffix(suffix);
    }
}

/// Sets a name at the top, before the first table.
pub(super) fn put_name(document: &mut DocumentMut, name: &str, value: &str) {
    match document.get_mut(name) {
        Some(Item::Value(old)) => replace(old, value.into()),
        _ => document[name] = toml_edit::value(value),
    }
}

/// Whether a table of the contract has an entry.
pub(super) fn mentions(document: &DocumentMut, table: &str, name: &str) -> bool {
    document.get(table).and_then(Item::as_table_like).is_some_and(|table| table.contains_key(name))
}

/// Whether a group or a constant names an attribute.
pub(super) fn is_used(document: &DocumentMut, attribute: &str) -> bool {
    fn names(item: &Item, attribute: &str) -> bool {
        match item.as_table_like() {
            Some(table) => table.iter().any(|(_, item)| names(item, attribute)),
            None => item.as_str() == Some(attribute),
        }
    }
    mentions(document, "constants", attribute) || document.get("groups").is_some_and(|groups| names(groups, attribute))
}

/// Whether a table of the contract is on one line, where a comment would hide what comes after it.
fn is_inline(document: &DocumentMut, table: &str) -> bool {
    document.get(table).is_some_and(Item::is_inline_table)
}

/// Adds an attribute after those that are there, with a comment where there can be one.
pub(super) fn add_attribute(document: &mut DocumentMut, name: &str, facts: &Facts) {
    let mut value = Toml::from(inline(facts));
    if let Some(comment) = origins(written_facts(facts)) {
        value.decor_mut().set_suffix(format!(" # {comment}"));
    }
    add(document, "attributes", name, value);
}

/// Adds an attribute that a contract cannot state, with the reason.
pub(super) fn add_unmapped(document: &mut DocumentMut, name: &str, reason: &str) {
    add(document, "unmapped", name, reason.into());
}

fn add(document: &mut DocumentMut, to: &str, name: &str, value: Toml) {
    match document.entry(to).or_insert_with(table) {
        Item::Value(Toml::InlineTable(inline)) => put_inline(inline, name, value),
        entries => {
            if let Some(entries) = entries.as_table_like_mut() {
                entries.insert(name, Item::Value(value));
            }
        }
    }
}

/// Removes an entry of a table, and the comment of an import above it.
pub(super) fn remove(document: &mut DocumentMut, from: &str, name: &str) {
    match document.get_mut(from) {
        Some(Item::Value(Toml::InlineTable(inline))) => remove_inline(inline, name),
        table => _ = table.and_then(Item::as_table_like_mut).and_then(|table| table.remove(name)),
    }
}

/// The comment at an attribute, without its mark: behind it, or above the header of its table.
pub(super) fn comment(document: &DocumentMut, attribute: &str) -> Option<String> {
    let item = document.get("attributes")?.get(attribute)?;
    let text = match item {
        Item::Value(value) => value.decor().suffix()?.as_str()?,
        Item::Table(table) => table.decor().prefix()?.as_str()?.lines().rev().find(|line| !line.trim().is_empty())?,
        _ => return None,
    };
    text.trim().strip_prefix('#').map(|comment| comment.trim().to_owned())
}

/// Replaces the comment at an attribute, or adds it, where there can be one.
pub(super) fn set_comment(document: &mut DocumentMut, attribute: &str, comment: Option<&str>) {
    if is_inline(document, "attributes") {
        return;
    }
    let Some(item) = document.get_mut("attributes").and_then(|table| table.get_mut(attribute)) else { return };
    match item {
        Item::Value(value) => {
            value.decor_mut().set_suffix(comment.map_or(String::new(), |comment| format!(" # {comment}")));
        }
        Item::Table(table) => {
            let prefix = table.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or("\n").to_owned();
            let is_ours = |line: &&str| {
                line.trim().strip_prefix('#').is_some_and(|line| crate::contract::is_origins(line.trim()))
            };
            let mut lines: Vec<&str> = prefix.lines().filter(|line| !is_ours(line)).collect();
            let comment = comment.map(|comment| format!("# {comment}"));
            lines.extend(comment.as_deref());
            table.decor_mut().set_prefix(format!("{}\n", lines.join("\n")));
        }
        _ => {}
    }
}

/// Whether a person wrote a comment at an attribute in a table, above it or behind it.
pub(super) fn has_own_comment(document: &DocumentMut, table: &str, attribute: &str) -> bool {
    let is_own = |text: &str| {
        let comments = text.lines().filter_map(|line| line.trim().strip_prefix('#'));
        comments.map(str::trim).any(|comment| !crate::contract::is_origins(comment))
    };
    let attributes = document.get(table).and_then(Item::as_table_like);
    let Some((key, item)) = attributes.and_then(|table| table.get_key_value(attribute)) else { return false };
    let above = key.leaf_decor().prefix().and_then(|prefix| prefix.as_str()).is_some_and(is_own);
    let at = match item {
        Item::Value(value) => value.decor().suffix().and_then(|suffix| suffix.as_str()).is_some_and(is_own),
        Item::Table(table) => table.decor().prefix().and_then(|prefix| prefix.as_str()).is_some_and(is_own),
        _ => false,
    };
    above || at
}
