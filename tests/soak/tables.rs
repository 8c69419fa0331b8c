//! The hub's own tables as the soak's checker reads them: past the hub, whose word is what is checked.

use std::collections::HashMap;

use chrono::{DateTime, TimeZone as _, Utc};
use datahub_runtime::testing::Kit;
use datahub_runtime::{Attributes, Verdict, WriteKind};
use serde::Deserialize;
use uuid::Uuid;

/// A write as its intent tells of it.
#[derive(Debug)]
pub(crate) struct Intent {
    pub(crate) operation: Uuid,
    pub(crate) record: Uuid,
    pub(crate) actor: String,
    pub(crate) stated: Stated,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) opened: DateTime<Utc>,
    /// When its writer gave it up, or would have had to.
    pub(crate) lease_until: DateTime<Utc>,
    pub(crate) closed: Option<DateTime<Utc>>,
}

/// The part of an intent that tells what may be sent, and what was there before.
#[derive(Debug, Deserialize)]
pub(crate) struct Stated {
    pub(crate) write: WriteKind,
    pub(crate) patch: Attributes,
    pub(crate) constants: Attributes,
    pub(crate) pre_image: Attributes,
}

/// What the engine keeps of a record.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) entity: &'static str,
    pub(crate) id: Uuid,
    pub(crate) modified: DateTime<Utc>,
    pub(crate) seen: Attributes,
    pub(crate) is_row: bool,
}

/// Every intent; what is unreadable, in words.
pub(crate) fn intents(kit: &Kit) -> (Vec<Intent>, Vec<String>) {
    read(kit, "datahub_intents", |row| {
        Some(Intent {
            operation: guid(row.get("operation")?.as_deref()?)?,
            record: guid(row.get("id")?.as_deref()?)?,
            actor: row.get("actor")?.clone()?,
            stated: serde_json::from_str(row.get("body")?.as_deref()?).ok()?,
            verdict: match row.get("verdict")? {
                Some(verdict) => Some(serde_json::from_str(verdict).ok()?),
                None => None,
            },
            opened: instant(row.get("opened_at")?.as_deref()?)?,
            lease_until: instant(row.get("lease_until")?.as_deref()?)?,
            closed: match row.get("closed_at")? {
                Some(closed) => Some(instant(closed)?),
                None => None,
            },
        })
    })
}

/// What is kept of accounts and contacts; what is unreadable, in words.
pub(crate) fn records(kit: &Kit) -> (Vec<Kept>, Vec<String>) {
    let lists = kit.rows_of("datahub_settings");
    let lists: HashMap<_, _> = lists.iter().filter_map(|row| list(&columns(row)?)).collect();
    read(kit, "datahub_records", |row| {
        Some(Kept {
            entity: match row.get("model")?.as_deref()? {
                "organisations" => "Account",
                "contacts" => "Contact",
                _ => return None,
            },
            id: guid(row.get("id")?.as_deref()?)?,
            modified: instant(row.get("modified")?.as_deref()?)?,
            seen: seen(row.get("seen")?.as_deref()?, &lists)?,
            is_row: row.get("state")?.as_deref()? == "row",
        })
    })
}

/// A list of names that short forms refer to, by its key.
fn list(setting: &Row<'_>) -> Option<(String, Vec<String>)> {
    let key = setting.get("name")?.as_deref()?.strip_prefix("names:")?;
    Some((key.to_owned(), serde_json::from_str(setting.get("value")?.as_deref()?).ok()?))
}

/// What was seen of a record: by name, or in short as the key of a list of names, its values, and the others by name.
fn seen(stored: &str, lists: &HashMap<String, Vec<String>>) -> Option<Attributes> {
    if stored.starts_with('{') {
        return serde_json::from_str(stored).ok();
    }
    let short: Vec<serde_json::Value> = serde_json::from_str(stored).ok()?;
    let (key, values) = short.split_first()?;
    let names = lists.get(key.as_str()?)?;
    let (listed, others) = values.split_at_checked(names.len())?;
    let mut seen: Attributes = match others {
        [] => Attributes::new(),
        [others] => serde_json::from_value(others.clone()).ok()?,
        _ => return None,
    };
    for (name, value) in names.iter().zip(listed).filter(|(_, value)| !value.is_array()) {
        seen.insert(name.clone(), serde_json::from_value(value.clone()).ok()?);
    }
    Some(seen)
}

/// The records that wait in quarantine as orphans: the create, the id that was chosen and the one CDMS gave.
pub(crate) fn orphans(kit: &Kit) -> (Vec<(Uuid, Uuid, Uuid)>, Vec<String>) {
    let (all, unreadable) = read(kit, "datahub_quarantine", |row| {
        let orphan_of = match row.get("orphan_of")? {
            None => return Some(None),
            Some(chosen) => guid(chosen)?,
        };
        let operation = guid(row.get("operation")?.as_deref()?)?;
        Some(Some((operation, orphan_of, guid(row.get("id")?.as_deref()?)?)))
    });
    (all.into_iter().flatten().collect(), unreadable)
}

/// The records that wait in quarantine, each with its reason.
pub(crate) fn quarantined(kit: &Kit) -> (Vec<Uuid>, Vec<String>) {
    read(kit, "datahub_quarantine", |row| guid(row.get("id")?.as_deref()?))
}

type Row<'t> = HashMap<&'t str, Option<String>>;

fn read<T>(kit: &Kit, table: &str, take: impl Fn(&Row<'_>) -> Option<T>) -> (Vec<T>, Vec<String>) {
    let mut unreadable = Vec::new();
    let mut all = Vec::new();
    for row in kit.rows_of(table) {
        match columns(&row).and_then(|columns| take(&columns)) {
            Some(taken) => all.push(taken),
            None => unreadable.push(format!("a row of {table} cannot be read: {row}")),
        }
    }
    (all, unreadable)
}

/// The columns of a row that a kit shows: names and values quoted as in SQL, one after the other.
pub(crate) fn columns(row: &str) -> Option<Row<'_>> {
    let mut columns = Row::new();
    let mut rest = row;
    while let Some((name, after)) = rest.split_once('=') {
        let (value, left) = value(after)?;
        columns.insert(name.trim_start(), value);
        rest = left;
    }
    rest.trim().is_empty().then_some(columns)
}

/// The value at the beginning of a text, and what follows it.
fn value(text: &str) -> Option<(Option<String>, &str)> {
    let text = text.trim_start();
    let (is_escaped, quoted) = match (text.strip_prefix("E'"), text.strip_prefix("X'"), text.strip_prefix('\'')) {
        (Some(rest), ..) => (true, rest),
        (_, Some(rest), _) | (.., Some(rest)) => (false, rest),
        (None, None, None) => {
            let (plain, rest) = text.split_once(' ').unwrap_or((text, ""));
            return Some(((plain != "NULL").then(|| plain.to_owned()), rest));
        }
    };
    let mut value = String::new();
    let mut signs = quoted.char_indices().peekable();
    while let Some((at, sign)) = signs.next() {
        let is_doubled = signs.peek().is_some_and(|(_, next)| *next == sign);
        match sign {
            '\'' if !is_doubled => return Some((Some(value), &quoted[at + 1..])),
            '\'' => _ = signs.next(),
            '\\' if is_escaped && is_doubled => _ = signs.next(),
            _ => {}
        }
        value.push(sign);
    }
    None
}

fn guid(text: &str) -> Option<Uuid> {
    text.parse().ok()
}

/// An instant as a database shows it: microseconds on SQLite, a text with an offset on PostgreSQL.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    match text.parse() {
        Ok(us) => Utc.timestamp_micros(us).single(),
        Err(_) => DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z").ok().map(|instant| instant.to_utc()),
    }
}
