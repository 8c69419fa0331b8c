//! Asking CDMS for records of a model: filter, order and limit go to CDMS, and each record is compared and stored as by a
//! read.

mod cursor;
mod explain;
mod found;
mod listing;
mod local;
mod many;
mod reader;
mod related;
mod request;
mod stream;

use std::marker::PhantomData;
use std::sync::Arc;

use datahub_model::condition::Condition as Untyped;

pub use cursor::{Cursor, InvalidCursor};
pub use explain::Explanation;
pub use found::{Found, LeftOut, Side};
pub use many::{GetMany, Many};
pub use related::{LoadRelated, Referring, Related};
pub(crate) use related::{referring, target};
pub use stream::Records;

use listing::{Listing, MetPage, Wish};
use local::LocalPage;
use reader::Pace;
use request::{FieldOrder, Query};

use super::is_detached;
use crate::engine::call::Call;
use crate::query::{Condition, Order};
use crate::{CdmsSynced, Error, ErrorKind, Freshness, Hub, Synced};

/// The number of records on a page of CDMS's, as it is configured by default.
const PAGE_SIZE: usize = 50;

/// How many requests a query may send unless the caller says otherwise.
const REQUESTS_MAX: u32 = 50;

/// A query of a model's records in CDMS; see [`CdmsSynced::find`]. A clone asks the same, for example for the number of
/// records beside a page of them.
#[derive(Clone, Debug)]
#[must_use = "a query does nothing until one of its ends is awaited, such as `load`"]
pub struct Find<T> {
    hub: Hub,
    condition: Option<Condition<T>>,
    order: Vec<FieldOrder>,
    limit: Option<u32>,
    after: Option<Cursor>,
    requests_max: u32,
    freshness: Freshness,
    or_local: bool,
    model: PhantomData<fn() -> T>,
}

impl<T: CdmsSynced> Find<T> {
    #[track_caller]
    pub(crate) fn new(hub: &Hub) -> Self {
        Find {
            hub: hub.called(),
            condition: None,
            order: Vec::new(),
            limit: None,
            after: None,
            requests_max: REQUESTS_MAX,
            freshness: Freshness::Always,
            or_local: false,
            model: PhantomData,
        }
    }

    /// Only records that satisfy this condition. Called again, both conditions must hold.
    pub fn filter(mut self, condition: Condition<T>) -> Self {
        self.condition = Some(match self.condition.take() {
            Some(first) => first.and(condition),
            None => condition,
        });
        self
    }

    /// Orders the records by this field. Called again, records that are equal so far are ordered by that field. In the end
    /// they are ordered by key, which is also the order if this is not called.
    pub fn order_by(mut self, order: Order<T>) -> Self {
        self.order.push(FieldOrder { field: order.path(), is_descending: order.is_descending() });
        self
    }

    /// At most this many records. [`Found::next`] says where to continue.
    pub fn limit(mut self, records: u32) -> Self {
        self.limit = Some(records);
        self
    }

    /// Continues where a page of the same query ended.
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// How many requests the query may send for pages. Default: 50, which is 2,500 records. If it needs more, it fails
    /// with [`ErrorKind::TooExpensive`]; nothing is cut off silently.
    pub fn max_requests(mut self, requests: u32) -> Self {
        self.requests_max = requests;
        self
    }

    /// Whether CDMS is asked. [`Freshness::Always`], the default, asks it; [`Freshness::LocalOnly`] asks the hub's rows
    /// alone, for any condition and any order that they have. For rows of some age, call
    /// [`ensure_fresh`](Hub::ensure_fresh) first: an age of a list would say nothing about the records that are missing
    /// from it.
    pub fn freshness(mut self, freshness: Freshness) -> Self {
        self.freshness = freshness;
        self
    }

    /// Answers from the hub's rows if CDMS cannot be reached. [`Found::side`] then says so, and [`Synced::checked`] of each
    /// that it was not checked. What CDMS cannot evaluate is refused all the same, because an answer must not depend on
    /// whether CDMS is there.
    pub fn or_local(mut self) -> Self {
        self.or_local = true;
        self
    }

    /// Loads the records.
    ///
    /// ```no_run
    /// # use datahub_runtime::prelude::*;
    /// # #[derive(Clone, CdmsSynced)]
    /// # #[cdms(mapping = "account.toml", table = "organisations")]
    /// # struct Organisation {
    /// #     #[cdms(key)]
    /// #     id: Id<Organisation>,
    /// #     #[cdms("Name")]
    /// #     name: String,
    /// # }
    /// # async fn list(hub: &Hub, cursor: Option<&str>) -> Result<(), Box<dyn std::error::Error>> {
    /// let f = Organisation::FIELDS;
    /// let mut query = Organisation::find(hub).filter(f.name.contains("Acme")).order_by(f.name.asc()).limit(20);
    /// if let Some(cursor) = cursor {
    ///     query = query.after(cursor.parse()?);
    /// }
    /// let page = query.load().await?;
    /// for organisation in &page {
    ///     println!("{}", organisation.name);
    /// }
    /// if let Some(next) = &page.next {
    ///     println!("/organisations?after={next}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Dropping the future stops it between two steps; what was stored of a page is stored whole.
    ///
    /// # Errors
    ///
    /// `Invalid` before the first request if CDMS cannot evaluate the query, or if the cursor belongs to another one;
    /// `TooExpensive`; `Unavailable` and the other [`ErrorKind`]s of reading. Errors of single records are in
    /// [`Found::left_out`].
    pub fn load(self) -> impl Future<Output = Result<Found<T>, Error>> + Send + 'static {
        self.call("find").run(self.loaded(true))
    }

    /// Loads the first record, if there is one.
    ///
    /// Dropping the future is harmless.
    ///
    /// # Errors
    ///
    /// As [`load`](Find::load), and why the first record cannot be returned.
    pub fn first(self) -> impl Future<Output = Result<Option<Synced<T>>, Error>> + Send + 'static {
        let call = self.call("first");
        call.run(async { Ok(self.limit(1).loaded(false).await?.complete()?.into_iter().next()) })
    }

    /// Loads the only record.
    ///
    /// Dropping the future is harmless.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none, `Invalid` if there is more than one; otherwise as [`first`](Find::first).
    pub fn one(self) -> impl Future<Output = Result<Synced<T>, Error>> + Send + 'static {
        let (call, model) = (self.call("one"), T::DESCRIPTOR.name);
        call.run(async move {
            let found = self.limit(2).loaded(false).await?;
            if found.records.len() + found.left_out.len() > 1 {
                let message = format!("expected one {model}, found at least two");
                return Err(Error::new(ErrorKind::Invalid, message)
                    .advise("narrow the condition, or use `first` with an order"));
            }
            let only = found.complete()?.pop();
            only.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("expected one {model}, found none")))
        })
    }

    /// Whether there is a record. Reads its key alone, and stores nothing: one request, and no statement.
    ///
    /// Dropping the future is harmless.
    ///
    /// # Errors
    ///
    /// As [`load`](Find::load).
    pub fn exists(self) -> impl Future<Output = Result<bool, Error>> + Send + 'static {
        let call = self.call("exists");
        call.run(async move { self.limit(1).counted().await.map(|count| count > 0) })
    }

    /// How many records there are. CRM 2011 cannot count, so their keys are read page by page, and nothing is stored: one
    /// request for 50 records. The hub's rows can be counted with one statement, after `ensure_fresh`.
    ///
    /// With [`Freshness::LocalOnly`] the rows are counted, with one statement.
    ///
    /// A limit counts: at most so many. Dropping the future is harmless.
    ///
    /// # Errors
    ///
    /// As [`load`](Find::load).
    pub fn count(self) -> impl Future<Output = Result<u64, Error>> + Send + 'static {
        let call = self.call("count");
        call.run(self.counted())
    }

    /// The records one after the other, in bounded memory: the next page is read when the last one was taken. There is no
    /// limit of requests, and people who wait for something keep their share of the connections.
    ///
    /// ```no_run
    /// # use datahub_runtime::prelude::*;
    /// # #[derive(Clone, CdmsSynced)]
    /// # #[cdms(mapping = "account.toml", table = "organisations")]
    /// # struct Organisation {
    /// #     #[cdms(key)]
    /// #     id: Id<Organisation>,
    /// #     #[cdms("Name")]
    /// #     name: String,
    /// # }
    /// # async fn export(hub: &Hub) -> Result<(), Error> {
    /// let mut all = Organisation::find(hub).order_by(Organisation::FIELDS.name.asc()).stream();
    /// loop {
    ///     match all.next().await {
    ///         Ok(Some(organisation)) => println!("{}", organisation.name),
    ///         Ok(None) => break,
    ///         Err(error) if error.record_id().is_some() => eprintln!("{error}"), // about this record alone
    ///         Err(error) => return Err(error),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// If records change meanwhile, one that moves within the order can be missed or be met twice. Records that CDMS lists
    /// without a readable id are only logged. [`or_local`](Find::or_local) does nothing here: a stream that has begun in
    /// CDMS cannot go on among the hub's rows.
    pub fn stream(self) -> Records<T> {
        let wish = Wish { requests_max: u32::MAX, ..self.wish(false, Pace::Background) };
        Records::new(self.hub.clone(), wish, self.is_local())
    }

    /// What the query would ask of CDMS: the exact first request, an estimate of the number of requests, and why CDMS cannot
    /// answer it, if so. Sends nothing. A cursor and a freshness make no difference.
    ///
    /// Dropping the future is harmless.
    ///
    /// # Errors
    ///
    /// `Store` when the database cannot be read, `Misconfigured` when the hub has no CDMS.
    pub fn explain(self) -> impl Future<Output = Result<Explanation, Error>> + Send + 'static {
        let call = self.call("explain");
        call.run(async move { explain::explain(&self.hub.engine, &self.query(), self.limit).await })
    }

    fn call(&self, kind: &'static str) -> Call {
        Call::new(&self.hub, kind, T::DESCRIPTOR.name)
    }

    fn query(&self) -> Query {
        let condition = self.condition.as_ref().map(|condition| condition.untyped().clone());
        let condition = condition.unwrap_or(Untyped::All(Vec::new()));
        Query { model: T::DESCRIPTOR, condition, order: self.order.clone() }
    }

    fn wish(&self, looks_further: bool, pace: Pace) -> Wish {
        Wish {
            engine: Arc::clone(&self.hub.engine),
            query: self.query(),
            limit: self.limit,
            after: self.after.clone(),
            requests_max: self.requests_max,
            looks_further,
            pace,
        }
    }

    /// Whether the hub's rows are asked from the beginning.
    fn is_local(&self) -> Result<bool, Error> {
        if is_detached::<T>() {
            return Ok(true);
        }
        match self.freshness {
            Freshness::LocalOnly => Ok(true),
            // The page before was the hub's, because CDMS could not be reached.
            Freshness::Always => Ok(self.or_local && self.after.as_ref().is_some_and(Cursor::is_in_hub)),
            Freshness::MaxAge(_) | Freshness::StaleWhileRevalidate { .. } => {
                let message = "a list has no age: records that are missing from it could have been there";
                Err(Error::new(ErrorKind::Invalid, message).advise(format!(
                    "bring the model up to date with `hub.ensure_fresh(models![{}], Freshness::MaxAge(…)).await?`, and \
                     then use `Freshness::LocalOnly`",
                    T::DESCRIPTOR.name
                )))
            }
        }
    }

    /// Whether the hub's rows answer instead of CDMS, which failed with this error.
    fn falls_back(&self, error: &Error) -> bool {
        self.or_local && self.after.is_none() && error.is_without_cdms()
    }

    async fn loaded(self, looks_further: bool) -> Result<Found<T>, Error> {
        let wish = || self.wish(looks_further, Pace::AtOnce);
        if self.is_local()? {
            return local(&wish()).await;
        }
        match in_cdms(wish()).await {
            Err(error) if self.falls_back(&error) => local(&wish()).await,
            Err(error) if !self.or_local && error.is_without_cdms() => {
                Err(error.advise_too("or call `or_local()` to get the hub's rows"))
            }
            found => found,
        }
    }

    async fn counted(self) -> Result<u64, Error> {
        let wish = || self.wish(false, Pace::AtOnce);
        if self.is_local()? {
            return local::count(&wish()).await;
        }
        match wish().count().await {
            Err(error) if self.falls_back(&error) => local::count(&wish()).await,
            counted => counted,
        }
    }
}

async fn in_cdms<T: CdmsSynced>(wish: Wish) -> Result<Found<T>, Error> {
    let mut found = Found::of(Side::Cdms);
    let Some(mut listing) = Listing::begin(wish).await? else { return Ok(found) };
    while !listing.is_over {
        let MetPage { met, without_id } = listing.page().await?;
        found.without_id += without_id;
        met.into_iter().for_each(|(id, met)| found.add(id.into(), met));
    }
    found.next = listing.next;
    Ok(found)
}

async fn local<T: CdmsSynced>(wish: &Wish) -> Result<Found<T>, Error> {
    let LocalPage { met, next } = local::load(wish).await?;
    let mut found = Found::of(Side::Hub);
    met.into_iter().for_each(|(id, met)| found.add(id.into(), met));
    found.next = next.filter(|_| wish.looks_further);
    Ok(found)
}
