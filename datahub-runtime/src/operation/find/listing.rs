//! The answer to a query, page by page: from where, how far, and where it continues.

use std::collections::HashSet;
use std::sync::Arc;

use uuid::Uuid;

use super::cursor::{Cursor, LAST_MAX, Place};
use super::reader::{FetchedPage, Met, Pace, Reader};
use super::request::{Asked, AskedList, Query};
use crate::cdms::RecordShape;
use crate::engine::Engine;
use crate::engine::budget::admit;
use crate::{Error, ErrorKind};

/// What is asked, and how much of the answer is wanted.
pub(super) struct Wish {
    pub(super) engine: Arc<Engine>,
    pub(super) query: Query,
    pub(super) limit: Option<u32>,
    pub(super) after: Option<Cursor>,
    /// How many pages may be read.
    pub(super) requests_max: u32,
    /// Whether it matters if there are more than the limit.
    pub(super) looks_further: bool,
    pub(super) pace: Pace,
}

/// The answer to a query, as far as it was read.
pub(super) struct Listing {
    wish: Wish,
    reader: Reader,
    top: Option<u32>,
    /// The records that were met.
    seen: HashSet<Uuid>,
    /// How many records CDMS has listed.
    listed: usize,
    /// How many of them belong to the answer.
    taken: usize,
    /// Where the next page begins.
    place: Place,
    /// Whether everything that is wanted was read.
    pub(super) is_over: bool,
    /// Where to continue after that.
    pub(super) next: Option<Cursor>,
}

/// Records of a page that belong to the answer.
pub(super) struct MetPage {
    pub(super) met: Vec<(Uuid, Met)>,
    pub(super) without_id: u64,
}

impl Wish {
    /// The list that answers the query; `None` if it is known to be empty.
    fn list(&self) -> Result<Option<(AskedList, Arc<RecordShape>)>, Error> {
        let (engine, model) = (&self.engine, self.query.model);
        engine.admit(model)?;
        let shape = engine.client()?.shape(model);
        match self.query.asked_of_cdms(engine, &shape)? {
            Asked::List(list) if self.limit != Some(0) => Ok(Some((list, shape))),
            Asked::List(_) | Asked::Nothing => Ok(None),
        }
    }

    fn place(&self) -> Result<Place, Error> {
        let after = self.after.clone();
        Ok(after.map(|cursor| cursor.place_in(&self.query)).transpose()?.unwrap_or_default())
    }

    /// The list from a place on, once CDMS was contacted.
    async fn reader(&self, shape: Arc<RecordShape>, list: AskedList, place: &Place) -> Result<Reader, Error> {
        let (engine, query) = (&self.engine, &self.query);
        let client = engine.client()?;
        let at = place.page.as_ref().map(|position| client.at_position(&shape, &list.query, position));
        let at = at.transpose().map_err(|error| query.too_long(&error))?;
        admit()?;
        engine.contact().await?;
        Ok(Reader::new(engine, query.model, shape, list, at, self.pace))
    }

    /// The next page, if the query may still ask for it.
    async fn page(&self, reader: &mut Reader, listed: usize) -> Result<FetchedPage, Error> {
        if reader.pages < self.requests_max {
            return reader.fetch().await;
        }
        let (max, model) = (self.requests_max, self.query.model);
        let plural = if max == 1 { "" } else { "s" };
        let message = format!(
            "the query needs more than {max} request{plural}: CDMS has listed {listed} records of {}, and there are more",
            model.name
        );
        Err(Error::new(ErrorKind::TooExpensive, message).advise(format!(
            "narrow the condition, set a `limit`, or raise `max_requests`; or {}",
            self.query.condition.instead(model)
        )))
    }

    /// Counts the records of the answer, and stores nothing.
    pub(super) async fn count(self) -> Result<u64, Error> {
        let place = self.place()?;
        let Some((mut list, _)) = self.list()? else { return Ok(0) };
        list.query.top = top(&list, self.limit, place.passed, false);
        let keys = self.query.keys(&list);
        let mut reader = self.reader(keys, list, &place).await?;
        let (mut seen, mut listed, mut place) = (HashSet::new(), 0, place);
        loop {
            let page = self.page(&mut reader, listed).await?;
            listed += page.records.len();
            let begin = begin(&page, &std::mem::take(&mut place));
            let asked_for = page.records[begin..].iter().filter(|(_, record)| reader.is_asked_for(record));
            seen.extend(asked_for.map(|(id, _)| *id));
            let count = u64::try_from(seen.len()).unwrap_or(u64::MAX);
            match self.limit.map(u64::from).filter(|most| count >= *most) {
                Some(most) => return Ok(most),
                None if reader.is_over => return Ok(count),
                None => {}
            }
        }
    }
}

impl Listing {
    /// Begins to read; `None` if the answer is known to be empty.
    pub(super) async fn begin(wish: Wish) -> Result<Option<Self>, Error> {
        let place = wish.place()?;
        let Some((mut list, shape)) = wish.list()? else { return Ok(None) };
        list.query.top = top(&list, wish.limit, place.passed, wish.looks_further);
        let top = list.query.top;
        let reader = wish.reader(shape, list, &place).await?;
        let (seen, is_over, next) = (HashSet::new(), false, None);
        Ok(Some(Listing { wish, reader, top, seen, listed: 0, taken: 0, place, is_over, next }))
    }

    /// How many pages were read.
    pub(super) fn pages(&self) -> u32 {
        self.reader.pages
    }

    /// Reads the next page, and stores what is wanted of it.
    pub(super) async fn page(&mut self) -> Result<MetPage, Error> {
        let mut page = self.wish.page(&mut self.reader, self.listed).await?;
        let position = self.reader.position_of_page(&page);
        self.listed += page.records.len();
        let begin = begin(&page, &std::mem::take(&mut self.place));
        let end = self.end(&page, begin);
        let is_whole = end == page.records.len();
        let last = page.records[..end].iter().rev().take(LAST_MAX).map(|(id, _)| *id).collect();
        let mut records = page.records.split_off(begin);
        records.truncate(end - begin);
        if self.wish.pace == Pace::Background {
            // Only a record that moves from one page to the next is met twice in a row.
            let known = std::mem::take(&mut self.seen);
            self.seen.extend(records.iter().map(|(id, _)| *id));
            records.retain(|(id, _)| !known.contains(id));
        } else {
            records.retain(|(id, _)| self.seen.insert(*id));
        }
        let met = self.reader.take(&page, records).await?;
        self.taken += met.iter().filter(|(_, met)| !matches!(met, Met::NotOfModel)).count();
        let is_full = self.wish.limit.is_some_and(|limit| self.taken >= limit as usize);
        let is_cut = self.top.is_some_and(|top| self.listed >= top as usize);
        let within = Place { page: position, passed: end, last };
        let next = match (is_whole, self.reader.is_over) {
            (true, false) => Some(Place { page: self.reader.position(), ..Place::default() }),
            (true, true) if is_cut => Some(within),
            (true, true) => None,
            (false, _) => Some(within),
        };
        self.is_over = is_full || self.reader.is_over || !is_whole;
        if self.is_over && self.wish.looks_further {
            self.next = next.map(|place| Cursor::in_cdms(&self.wish.query, place));
        }
        Ok(MetPage { met, without_id: page.without_id })
    }

    /// The end of what is wanted of a page.
    fn end(&self, page: &FetchedPage, begin: usize) -> usize {
        let Some(limit) = self.wish.limit else { return page.records.len() };
        let wanted = (limit as usize).saturating_sub(self.taken);
        let asked_for = page.records.iter().enumerate().skip(begin);
        let asked_for = asked_for.filter(|(_, (_, record))| self.reader.is_asked_for(record)).map(|(at, _)| at);
        match asked_for.take(wanted).enumerate().last() {
            // The records behind the last wanted one are the next page's.
            Some((count, at)) if count + 1 == wanted => at + 1,
            _ => page.records.len(),
        }
    }
}

/// How many records to ask CDMS for: one more than the limit shows whether there are more.
pub(super) fn top(list: &AskedList, limit: Option<u32>, passed: usize, looks_further: bool) -> Option<u32> {
    let limit = limit.filter(|_| !list.has_others)?;
    let passed = u32::try_from(passed).unwrap_or(u32::MAX);
    Some(limit.saturating_add(passed).saturating_add(u32::from(looks_further)))
}

/// Where a page continues after a place in it: after the nearest record before it that is still there, wherever that is
/// now. If none of them is, at least so many have gone, and a record that is met twice is better than one that is missed.
fn begin(page: &FetchedPage, place: &Place) -> usize {
    let at = |last: &Uuid| page.records.iter().position(|(id, _)| id == last);
    let begin = place.last.iter().find_map(at).map_or(place.passed.saturating_sub(place.last.len()), |at| at + 1);
    begin.min(page.records.len())
}
