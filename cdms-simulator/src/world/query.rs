//! The queries of lists and records: their options, checked, with a parser and an evaluation of their own.

mod condition;
mod expand;
mod filter;
mod literal;
mod order;
mod page;
mod place;
mod skiptoken;
mod syntax;
mod text;
mod token;

use cdms_odata::metadata::EntityType;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str};

pub(crate) use condition::Comparing;
pub(crate) use expand::{Expansion, Selection};
pub(super) use order::{Order, Position};
pub(crate) use text::Collation;

use filter::Filter;
use skiptoken::Continuation;

use super::World;
use crate::refusal::Refusal;

/// What is encoded in addresses that the server generates.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'(')
    .remove(b')')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b'$')
    .remove(b'\'');

/// The system query options of a request, checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    pub(crate) selection: Option<Selection>,
    pub(crate) expansions: Vec<Expansion>,
    filter: Option<Filter>,
    order: Order,
    top: Option<usize>,
    skip: usize,
    at: Option<Continuation>,
    comparing: Comparing,
}

/// The options of a query string, decoded.
pub(crate) fn pairs(query: &str) -> Result<Vec<(String, String)>, Refusal> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        // Forms and many clients encode a space as a plus; a plus itself is %2B.
        let pair = pair.replace('+', " ");
        let (name, value) = pair.split_once('=').unwrap_or((&pair, ""));
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned);
        Ok((decoded(name)?, decoded(value)?))
    });
    let pairs = pairs.collect::<Result<Vec<_>, std::str::Utf8Error>>();
    pairs.map_err(|_| Refusal::bad_request("Bad Request - Error in query syntax."))
}

impl Query {
    /// Parses the options of a list, or with `single` the options of one record.
    pub(crate) fn parse(
        world: &World,
        entity: &EntityType,
        pairs: &[(String, String)],
        single: bool,
    ) -> Result<Self, Refusal> {
        for (position, (name, _)) in pairs.iter().enumerate() {
            if pairs[..position].iter().any(|(earlier, _)| earlier == name) {
                return Err(Refusal::bad_request(format!("The query parameter '{name}' is specified more than once.")));
            }
            match name.as_str() {
                "$select" | "$expand" => {}
                "$filter" | "$top" | "$skip" | "$skiptoken" | "$orderby" if single => {
                    return Err(Refusal::bad_request(format!(
                        "The query parameter '{name}' cannot be applied to one record."
                    )));
                }
                "$filter" | "$top" | "$skip" | "$skiptoken" | "$orderby" => {}
                _ => return Err(Refusal::unsupported_option(name)),
            }
        }
        let option = |name| pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
        let comparing = world.switches.comparing;
        // The other options depend on what is expanded, and the token on the order.
        let mut expansions = match option("$expand") {
            Some(value) => expand::expand(world, entity, value)?,
            None => Vec::new(),
        };
        let selection = option("$select").map(|value| expand::select(world, entity, &mut expansions, value));
        let filter = option("$filter").map(|value| Filter::parse(world, entity, &expansions, value));
        let order = option("$orderby").map(|value| Order::parse(world, entity, value));
        let (selection, filter) = (selection.transpose()?, filter.transpose()?);
        let order = order.transpose()?.unwrap_or_default();
        let at = option("$skiptoken").map(|value| skiptoken::read(entity, &order, comparing.collation, value));
        Ok(Query {
            selection,
            expansions,
            filter,
            top: option("$top").map(|value| number("$top", value)).transpose()?,
            skip: option("$skip").map_or(Ok(0), |value| number("$skip", value))?,
            at: at.transpose()?,
            order,
            comparing,
        })
    }
}

fn number(name: &str, value: &str) -> Result<usize, Refusal> {
    // A sign is not a digit.
    let number = value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok());
    number.flatten().ok_or_else(|| Refusal::bad_request(format!("Incorrect format for {name} argument '{value}'.")))
}
