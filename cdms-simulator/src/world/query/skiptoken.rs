//! `$skiptoken`: where a list continues. It holds the values that the last record has in the list's order, so that a page begins
//! behind them whatever has changed since (docs/protocol.md, 3.2).

use cdms_odata::Attributes;
use cdms_odata::metadata::EntityType;
use percent_encoding::utf8_percent_encode;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::literal::{Comparable, Finite, decimal, guid, instant, written};
use super::order::{Order, Position};
use super::place::Place;
use super::text::Collation;
use super::{ENCODED, Query};
use crate::refusal::Refusal;

/// Where a list continues.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Continuation {
    /// The number of pages before.
    pub(super) pages: u32,
    /// The place of the last record.
    pub(super) after: Position,
}

/// The token of the page behind these records, encoded.
pub(super) fn write(query: &Query, entity: &EntityType, last: (Uuid, &Attributes), first: Uuid) -> String {
    let collation = query.comparing.collation;
    let pages = query.at.as_ref().map_or(0, |at| at.pages).saturating_add(1);
    let mut parts = vec![pages.to_string()];
    for column in &query.order.0 {
        parts.push(format!("'{}'", column.place.name.to_lowercase()));
        parts.push(match value(&column.place, last.1, collation) {
            Some(text) => format!("'{}'", utf8_percent_encode(&text.replace('\'', "''"), ENCODED)),
            None => "null".to_owned(),
        });
    }
    let guid = |id: Uuid| format!("'%7B{}%7D'", id.to_string().to_uppercase());
    parts.extend([format!("'{}'", entity.key.to_lowercase()), guid(last.0), guid(first)]);
    parts.join(",")
}

/// A record's value, as a token holds it.
fn value(place: &Place, record: &Attributes, collation: Collation) -> Option<String> {
    Some(match place.of(record, collation) {
        Comparable::Null => return None,
        Comparable::Boolean(value) => value.to_string(),
        Comparable::Number(number) => number.normalize().to_string(),
        Comparable::Double(number) => number.get().to_string(),
        Comparable::Instant(ms) => written(ms).unwrap_or_else(|| ms.to_string()),
        Comparable::Text(folded) => place.text(record).map_or(folded, str::to_owned),
        Comparable::Guid(id) => id.to_string(),
    })
}

/// Reads a token of a list in this order.
pub(super) fn read(
    entity: &EntityType,
    order: &Order,
    collation: Collation,
    text: &str,
) -> Result<Continuation, Refusal> {
    read_parts(entity, order, collation, text)
        .ok_or_else(|| Refusal::bad_request("Bad Request - Error in query syntax."))
}

fn read_parts(entity: &EntityType, order: &Order, collation: Collation, text: &str) -> Option<Continuation> {
    let mut parts = parts(text)?.into_iter();
    let mut next = || parts.next();
    let Part::Plain(pages) = next()? else { return None };
    let mut values = Vec::new();
    for column in &order.0 {
        if next()? != Part::Quoted(column.place.name.to_lowercase()) {
            return None;
        }
        let value = match next()? {
            Part::Plain(null) if null == "null" => Comparable::Null,
            Part::Plain(_) => return None,
            Part::Quoted(text) => parsed(&column.place, &text, collation)?,
        };
        values.push(column.directed(value));
    }
    if next()? != Part::Quoted(entity.key.to_lowercase()) {
        return None;
    }
    let mut id = || match next()? {
        Part::Quoted(text) => guid(text.strip_prefix('{')?.strip_suffix('}')?),
        Part::Plain(_) => None,
    };
    let (last, _first) = (id()?, id()?);
    if next().is_some() {
        return None;
    }
    Some(Continuation { pages: pages.parse().ok()?, after: Position { values, id: last } })
}

fn parsed(place: &Place, text: &str, collation: Collation) -> Option<Comparable> {
    Some(match place.type_name() {
        "Edm.Boolean" => Comparable::Boolean(text.parse().ok()?),
        "Edm.Int32" | "Edm.Int64" => Comparable::Number(Decimal::from(text.parse::<i64>().ok()?)),
        "Edm.Decimal" => Comparable::Number(decimal(text)?),
        "Edm.Double" => Comparable::Double(Finite::new(text.parse().ok()?)?),
        "Edm.DateTime" => Comparable::Instant(instant(text).or_else(|| text.parse().ok())?),
        "Edm.Guid" => Comparable::Guid(guid(text)?),
        _ => Comparable::Text(collation.key(text)),
    })
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Plain(String),
    Quoted(String),
}

/// The parts between the commas; a quote in a quoted part is doubled.
fn parts(text: &str) -> Option<Vec<Part>> {
    let (mut parts, mut rest) = (Vec::new(), text);
    loop {
        let Some(mut quoted) = rest.strip_prefix('\'') else {
            let (part, further) = rest.split_once(',').map_or((rest, None), |(part, rest)| (part, Some(rest)));
            parts.push(Part::Plain(part.to_owned()));
            match further {
                Some(further) => rest = further,
                None => return Some(parts),
            }
            continue;
        };
        let mut part = String::new();
        loop {
            let (before, after) = quoted.split_once('\'')?;
            part.push_str(before);
            quoted = after;
            match quoted.strip_prefix('\'') {
                Some(after) => {
                    part.push('\'');
                    quoted = after;
                }
                None => break,
            }
        }
        parts.push(Part::Quoted(part));
        match quoted.strip_prefix(',') {
            Some(further) => rest = further,
            None if quoted.is_empty() => return Some(parts),
            None => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_token_may_contain_what_is_between_them() {
        let quoted = |text: &str| Part::Quoted(text.to_owned());
        assert_eq!(
            parts("1,'a','it''s, ''','',null"),
            Some(vec![
                Part::Plain("1".to_owned()),
                quoted("a"),
                quoted("it's, '"),
                quoted(""),
                Part::Plain("null".to_owned())
            ])
        );
        for malformed in ["'a", "'a'b", "'a''", "1,'"] {
            assert_eq!(parts(malformed), None, "{malformed}");
        }
    }
}
