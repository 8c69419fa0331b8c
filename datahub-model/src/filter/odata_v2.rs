//! The filter language of CRM 2011's OData v2: how it refers to an attribute's value, and how it writes a literal.
//!
//! `only` is written in this language too, so this file contains both directions.

use cdms_odata::{Instant, Kind};
use chrono::SecondsFormat;
use uuid::Uuid;

use super::{Filter, Matching, Operand, PrintError, Syntax};
use crate::Literal;

/// CRM 2011's filter language: `StateCode/Value eq 0 and ModifiedOn ge datetime'2011-11-14T16:43:08Z'`.
#[derive(Clone, Copy, Debug)]
pub struct ODataV2;

impl Syntax for ODataV2 {
    fn operand(&self, attribute: &str, kind: Kind) -> Option<String> {
        Some(match member(kind)? {
            "" => attribute.to_owned(),
            member => format!("{attribute}/{member}"),
        })
    }

    fn literal(&self, kind: Kind, literal: &Literal) -> Option<String> {
        Some(match (kind, literal) {
            (_, Literal::Null) => "null".to_owned(),
            (Kind::String, Literal::Text(text)) => format!("'{}'", text.replace('\'', "''")),
            (Kind::Integer, Literal::Integer(number)) => number.to_string(),
            (Kind::Choice | Kind::State | Kind::Status, Literal::Choice(number)) => number.to_string(),
            (Kind::Boolean, Literal::Boolean(value)) => value.to_string(),
            (Kind::Guid, Literal::Guid(id)) | (Kind::Lookup, Literal::Lookup(_, id)) => {
                format!("guid'{}'", Uuid::from_u128(*id))
            }
            (Kind::DateTime | Kind::Date, Literal::Instant(ms)) => {
                format!("datetime'{}'", Instant(*ms).to_utc()?.to_rfc3339_opts(SecondsFormat::AutoSi, true))
            }
            _ => return None,
        })
    }

    fn matching(&self, operand: &str, matching: Matching, text: &str) -> String {
        match matching {
            Matching::Contains => format!("substringof({text},{operand})"),
            Matching::StartsWith => format!("startswith({operand},{text})"),
            Matching::EndsWith => format!("endswith({operand},{text})"),
        }
    }

    /// CRM 2011 evaluates a filter on the root entity, or on one expanded entity. What `not` means for a record that
    /// has no related one is not known, so it cannot be asked.
    fn check(&self, filter: &Filter) -> Result<(), PrintError> {
        check_relations(filter, false)?;
        let navigations = filter.navigations();
        match navigations.as_slice() {
            [] => Ok(()),
            [_] if is_about_root(filter) => Err(PrintError::MixedEntities),
            [_] => Ok(()),
            _ => Err(PrintError::SeveralRelations),
        }
    }
}

/// Refuses a related condition that is negated or within another one.
fn check_relations(filter: &Filter, is_within: bool) -> Result<(), PrintError> {
    match filter {
        Filter::Compare { .. } | Filter::Text { .. } | Filter::Part { .. } => Ok(()),
        Filter::All(parts) | Filter::Any(parts) => parts.iter().try_for_each(|part| check_relations(part, is_within)),
        Filter::Not(part) if part.navigations().is_empty() => Ok(()),
        Filter::Not(_) => Err(PrintError::NegatedRelation),
        Filter::Related { .. } if is_within => Err(PrintError::SeveralRelations),
        Filter::Related { filter, .. } => check_relations(filter, true),
    }
}

/// Whether any comparison is about the root entity.
fn is_about_root(filter: &Filter) -> bool {
    match filter {
        Filter::Compare { .. } | Filter::Text { .. } | Filter::Part { .. } => true,
        Filter::All(parts) | Filter::Any(parts) => parts.iter().any(is_about_root),
        Filter::Not(part) => is_about_root(part),
        Filter::Related { .. } => false,
    }
}

/// The member of an attribute's value that is compared, empty if it is the value itself; `None` if attributes of the
/// kind cannot be compared.
pub(super) fn member(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Choice | Kind::State | Kind::Status => Some("Value"),
        Kind::Lookup => Some("Id"),
        // How CRM 2011 writes such literals is not known for certain (docs/protocol.md, 3.1).
        Kind::Decimal | Kind::Money | Kind::Double | Kind::BigInt => None,
        Kind::String | Kind::Integer | Kind::Boolean | Kind::DateTime | Kind::Date | Kind::Guid => Some(""),
    }
}

/// Reads a literal for an attribute; `None` if the text is not a literal of its kind.
pub(super) fn read(operand: Operand<'_>, text: &str) -> Option<Literal> {
    if text == "null" {
        return Some(Literal::Null);
    }
    let quoted = |prefix: &str| text.strip_prefix(prefix)?.strip_prefix('\'')?.strip_suffix('\'');
    let guid = || quoted("guid").and_then(|id| id.parse::<Uuid>().ok()).map(|id| id.as_u128());
    Some(match operand.kind {
        Kind::String => Literal::Text(quoted("")?.to_owned().into()),
        Kind::Integer => Literal::Integer(text.parse().ok()?),
        Kind::Boolean => Literal::Boolean(text.parse().ok()?),
        Kind::Choice | Kind::State | Kind::Status => Literal::Choice(text.parse().ok()?),
        Kind::Guid => Literal::Guid(guid()?),
        Kind::Lookup => Literal::Lookup(operand.target?.to_owned().into(), guid()?),
        Kind::DateTime => {
            let time = chrono::DateTime::parse_from_rfc3339(quoted("datetime")?).ok()?;
            Literal::Instant(time.timestamp_millis())
        }
        Kind::Decimal | Kind::Money | Kind::Double | Kind::BigInt | Kind::Date => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: u128 = 0x6f96_19ff_8b86_d011_b42d_00c0_4fc9_64ff;

    #[test]
    fn what_is_compared_depends_on_the_kind() {
        let operand = |kind| ODataV2.operand("A", kind);
        for kind in [Kind::Choice, Kind::State, Kind::Status] {
            assert_eq!(operand(kind).as_deref(), Some("A/Value"));
        }
        assert_eq!(operand(Kind::Lookup).as_deref(), Some("A/Id"));
        for kind in [Kind::String, Kind::Integer, Kind::Boolean, Kind::DateTime, Kind::Date, Kind::Guid] {
            assert_eq!(operand(kind).as_deref(), Some("A"));
        }
        for kind in [Kind::Decimal, Kind::Money, Kind::Double, Kind::BigInt] {
            assert_eq!(operand(kind), None);
        }
    }

    #[test]
    fn a_literal_is_read_as_it_is_written() {
        let lookup = Literal::Lookup("account".into(), ID);
        for (kind, literal, text) in [
            (Kind::String, Literal::Null, "null"),
            (Kind::String, Literal::text(""), "''"),
            (Kind::Integer, Literal::Integer(-3), "-3"),
            (Kind::Boolean, Literal::Boolean(true), "true"),
            (Kind::Choice, Literal::Choice(4), "4"),
            (Kind::State, Literal::Choice(0), "0"),
            (Kind::Guid, Literal::Guid(ID), "guid'6f9619ff-8b86-d011-b42d-00c04fc964ff'"),
            (Kind::Lookup, lookup, "guid'6f9619ff-8b86-d011-b42d-00c04fc964ff'"),
            (Kind::DateTime, Literal::Instant(1_321_288_988_000), "datetime'2011-11-14T16:43:08Z'"),
            (Kind::DateTime, Literal::Instant(1_321_288_988_120), "datetime'2011-11-14T16:43:08.120Z'"),
        ] {
            assert_eq!(ODataV2.literal(kind, &literal).as_deref(), Some(text));
            assert_eq!(read(Operand::of(kind).pointing_to(Some("account")), text), Some(literal));
        }
        // The parser removes the doubling of quotes before it reads a string.
        assert_eq!(ODataV2.literal(Kind::String, &Literal::text("it's")).as_deref(), Some("'it''s'"));
        assert_eq!(read(Operand::of(Kind::String), "'it's'"), Some(Literal::text("it's")));
    }

    #[test]
    fn a_literal_of_another_kind_is_not_written() {
        assert_eq!(ODataV2.literal(Kind::Choice, &Literal::Integer(1)), None);
        assert_eq!(ODataV2.literal(Kind::Decimal, &Literal::Decimal(15, 1)), None);
        assert_eq!(ODataV2.literal(Kind::DateTime, &Literal::Instant(i64::MAX)), None);
    }
}
