//! Lists: selection, pages, and the small part of `$filter` that is simulated.

use std::collections::BTreeSet;

use cdms_odata::metadata::{EdmType, EntityType};
use cdms_odata::{Attributes, Value};
use uuid::Uuid;

use super::World;
use crate::refusal::Refusal;

/// The system query options of a request, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Query {
    pub(crate) selection: Option<Selection>,
    filter: Option<(String, Value)>,
    top: Option<usize>,
    skip: usize,
    /// The last id of the previous page.
    after: Option<Uuid>,
    /// The number of previous pages.
    page: u32,
}

/// The parts of a record to show: indexes into its entity's properties and navigation properties.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Selection {
    pub(crate) properties: BTreeSet<usize>,
    pub(crate) navigation: BTreeSet<usize>,
}

/// One page of a list.
pub(crate) struct Listing {
    pub(crate) ids: Vec<Uuid>,
    /// The query string of the next page.
    pub(crate) next: Option<String>,
}

impl Query {
    /// Parses the options of a list, or with `single` the options of one record.
    pub(crate) fn parse(
        world: &World,
        entity: &EntityType,
        pairs: &[(String, String)],
        single: bool,
    ) -> Result<Self, Refusal> {
        let mut query = Query::default();
        for (position, (name, value)) in pairs.iter().enumerate() {
            if pairs[..position].iter().any(|(earlier, _)| earlier == name) {
                return Err(Refusal::bad_request(format!("The query parameter '{name}' is specified more than once.")));
            }
            match name.as_str() {
                "$select" => query.selection = Some(select(world, entity, value)?),
                "$filter" | "$top" | "$skip" | "$skiptoken" | "$orderby" if single => {
                    return Err(Refusal::bad_request(format!(
                        "The query parameter '{name}' cannot be applied to one record."
                    )));
                }
                "$filter" => query.filter = Some(filter(world, entity, value)?),
                "$top" => query.top = Some(number(name, value)?),
                "$skip" => query.skip = number(name, value)?,
                "$skiptoken" => (query.page, query.after) = skiptoken(entity, value)?,
                "$orderby" | "$expand" => return Err(Refusal::not_simulated(name)),
                _ => return Err(Refusal::unsupported_option(name)),
            }
        }
        Ok(query)
    }

    /// The page that the query requests; `pairs` are its options as they were sent.
    pub(crate) fn page(&self, world: &World, entity: &EntityType, pairs: &[(String, String)]) -> Listing {
        let matching = world.all(entity).filter(|(_, record)| self.matches(record)).map(|(id, _)| id);
        let from = matching.filter(|id| self.after.is_none_or(|after| *id > after));
        let rest: Vec<Uuid> = from.skip(self.skip).collect();
        let wanted = self.top.unwrap_or(usize::MAX);
        let size = world.switches.page_size.min(wanted);
        let ids: Vec<Uuid> = rest.iter().copied().take(size).collect();
        let more = rest.len().min(wanted) > ids.len();
        let next = (more && !ids.is_empty()).then(|| self.next(entity, pairs, &ids));
        Listing { ids, next }
    }

    fn matches(&self, record: &Attributes) -> bool {
        self.filter.as_ref().is_none_or(|(name, wanted)| match (record.get(name), wanted) {
            // Text is compared without case and trailing spaces (docs/protocol.md, 3.1).
            (Some(Value::Text(text)), Value::Text(wanted)) => {
                text.trim_end().to_lowercase() == wanted.trim_end().to_lowercase()
            }
            (value, wanted) => value.unwrap_or(&Value::Null) == wanted,
        })
    }

    fn next(&self, entity: &EntityType, pairs: &[(String, String)], ids: &[Uuid]) -> String {
        let mut parts = Vec::new();
        for (name, value) in pairs {
            match name.as_str() {
                "$skip" | "$skiptoken" | "$top" => {}
                _ => parts.push(format!("{name}={}", encoded(value))),
            }
        }
        if let Some(top) = self.top {
            parts.push(format!("$top={}", top - ids.len()));
        }
        let guid = |id: &Uuid| format!("%7B{}%7D", id.to_string().to_uppercase());
        let (first, last) = (&ids[0], &ids[ids.len() - 1]);
        let key = entity.key.to_lowercase();
        parts.push(format!("$skiptoken={},'{key}','{}','{}'", self.page.saturating_add(1), guid(last), guid(first)));
        parts.join("&")
    }
}

fn select(world: &World, entity: &EntityType, value: &str) -> Result<Selection, Refusal> {
    let mut selection = Selection::default();
    for name in value.split(',').map(str::trim) {
        if name == "*" {
            selection.properties.extend(0..entity.properties.len());
        } else if let Some(at) = entity.properties.iter().position(|property| property.name == name) {
            selection.properties.insert(at);
        } else if let Some(at) = entity.navigation.iter().position(|navigation| navigation.name == name) {
            selection.navigation.insert(at);
        } else {
            return Err(Refusal::unknown_in_query(name, &world.type_name(entity)));
        }
    }
    Ok(selection)
}

/// Equality with a text or a GUID; the full language will be added with the hub's queries.
fn filter(world: &World, entity: &EntityType, value: &str) -> Result<(String, Value), Refusal> {
    let not_simulated = || Refusal::not_simulated("A $filter other than one equality with a text or a guid");
    let (name, literal) = value.trim().split_once(" eq ").ok_or_else(not_simulated)?;
    if !name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_') {
        return Err(not_simulated());
    }
    let unknown = || Refusal::unknown_in_query(name, &world.type_name(entity));
    let property = entity.property(name).ok_or_else(unknown)?;
    let literal = literal.trim();
    let (is_guid, quoted) = match literal.strip_prefix("guid") {
        Some(rest) => (true, rest),
        None => (false, literal),
    };
    let inner = quoted.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).ok_or_else(not_simulated)?;
    let text = inner.replace("''", "'");
    if inner.replace("''", "").contains('\'') {
        return Err(not_simulated());
    }
    let literal_edm = if is_guid { EdmType::Guid } else { EdmType::String };
    if property.edm != literal_edm {
        let (left, right, position) = (property.edm.name(), literal_edm.name(), name.len() + 1);
        return Err(Refusal::bad_request(format!(
            "Operator 'eq' incompatible with operand types '{left}' and '{right}' at position {position}."
        )));
    }
    let value =
        if is_guid { Value::Guid(text.parse().map_err(|_| Refusal::malformed_key())?) } else { Value::text(text) };
    Ok((name.to_owned(), value))
}

fn number(name: &str, value: &str) -> Result<usize, Refusal> {
    value.parse().map_err(|_| Refusal::bad_request(format!("Incorrect format for {name} argument '{value}'.")))
}

fn skiptoken(entity: &EntityType, value: &str) -> Result<(u32, Option<Uuid>), Refusal> {
    let malformed = || Refusal::bad_request("Bad Request - Error in query syntax.");
    let parts: Vec<_> = value.split(',').collect();
    let [page, key, last, _first] = parts[..] else { return Err(malformed()) };
    let unquoted = |part: &str| part.trim_matches('\'').trim_matches(['{', '}']).to_owned();
    if unquoted(key) != entity.key.to_lowercase() {
        return Err(malformed());
    }
    let last = unquoted(last).parse().map_err(|_| malformed())?;
    Ok((page.parse().map_err(|_| malformed())?, Some(last)))
}

fn encoded(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
        .replace("%2C", ",")
        .replace("%27", "'")
}
