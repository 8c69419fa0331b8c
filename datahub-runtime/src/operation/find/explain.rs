//! What a query would do, without doing it.

use std::fmt;

use super::PAGE_SIZE;
use super::listing::top;
use super::local::rows_of;
use super::request::{Asked, Query};
use crate::Error;
use crate::engine::Engine;
use crate::engine::call::Costed;

/// What a query would ask of CDMS; see [`Find::explain`](crate::Find::explain). It prints as a few lines of text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The model.
    pub model: &'static str,
    /// The address of the first request, exactly as it would be sent; `None` if nothing would be sent.
    pub request: Option<String>,
    /// The filter in it, not encoded for an address.
    pub filter: Option<String>,
    /// Why CDMS cannot answer the query, with the way that does; `None` if it can.
    pub refused: Option<String>,
    /// About how many requests would be sent: no more than this by the limit, or for the rows that the hub has now.
    pub requests: u64,
}

impl Costed for Explanation {}

/// What the query would do.
pub(super) async fn explain(engine: &Engine, query: &Query, limit: Option<u32>) -> Result<Explanation, Error> {
    let nothing = Explanation { model: query.model.name, request: None, filter: None, refused: None, requests: 0 };
    let mut list = match query.asked() {
        Err(why) => return Ok(Explanation { refused: Some(why.to_string()), ..nothing }),
        Ok(Asked::Nothing) => return Ok(nothing),
        Ok(Asked::List(list)) => list,
    };
    list.query.top = top(&list, limit, 0, true);
    let client = engine.client()?;
    let request = match client.address(&client.shape(query.model), &list.query) {
        Ok(address) => address,
        Err(error) => return Ok(Explanation { refused: Some(query.too_long(&error).to_string()), ..nothing }),
    };
    let rows = match rows_of(engine, query) {
        Ok(rows) => engine.store.count_rows(rows).await?,
        // The hub does not have the model of a related record, so all rows count.
        Err(_) => engine.store.completeness(query.model).await?.0,
    };
    let rows = u64::try_from(rows).unwrap_or_default().max(1);
    let records = limit.filter(|_| !list.has_others).map_or(rows, |limit| rows.min(u64::from(limit)).max(1));
    let requests = records.div_ceil(PAGE_SIZE as u64);
    Ok(Explanation { request: Some(request), filter: list.query.filter, requests, ..nothing })
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explanation { model, request, filter, refused, requests } = self;
        match (refused, request) {
            (Some(reason), _) => write!(f, "CDMS cannot be asked for these records of {model}: {reason}"),
            (None, None) => write!(f, "no {model} can satisfy the condition, so nothing is asked"),
            (None, Some(request)) => {
                writeln!(f, "GET {request}")?;
                if let Some(filter) = filter {
                    writeln!(f, "filter: {filter}")?;
                }
                let plural = if *requests == 1 { "" } else { "s" };
                write!(f, "about {requests} request{plural}, judged by the hub's rows")
            }
        }
    }
}
