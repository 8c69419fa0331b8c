//! The answer to a query in bounded memory: one page after the other.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::{BoxStream, Stream, StreamExt as _, unfold};
use uuid::Uuid;

use super::found::synced;
use super::listing::{Listing, MetPage, Wish};
use super::local;
use super::reader::Met;
use crate::engine::call::Call;
use crate::{CdmsSynced, Error, Hub, Synced};

/// The records of a query, read page by page while they are taken; see [`Find::stream`](crate::Find::stream).
///
/// It is a [`Stream`], and has a [`next`](Records::next) of its own.
#[must_use = "a stream does nothing until its records are taken"]
pub struct Records<T> {
    records: BoxStream<'static, Result<Synced<T>, Error>>,
}

/// How many rows of the hub's are loaded at once.
const ROWS: u32 = 200;

/// How far a stream is.
enum Progress<T> {
    Begins(Hub, Wish, Result<bool, Error>),
    ReadsRows(Hub, Box<Wish>, VecDeque<Result<Synced<T>, Error>>),
    Reads(Hub, Box<Listing>, VecDeque<Result<Synced<T>, Error>>),
    IsOver,
}

impl<T: CdmsSynced> Records<T> {
    pub(super) fn new(hub: Hub, wish: Wish, is_local: Result<bool, Error>) -> Self {
        let records = unfold(Progress::Begins(hub, wish, is_local), |progress| async move {
            match advance(progress).await {
                Ok(next) => next,
                // Nothing follows an error of the whole list.
                Err(error) => Some((Err(error), Progress::IsOver)),
            }
        });
        Records { records: records.fuse().boxed() }
    }

    /// The next record; `None` after the last one. Reads the next page if the last one was taken.
    ///
    /// Dropping the future is harmless, and the next call continues.
    ///
    /// # Errors
    ///
    /// Those of [`Find::load`](crate::Find::load). An error with a [`record_id`](Error::record_id) is about that record
    /// alone, and the next call returns the record behind it; after any other, the stream is over.
    pub async fn next(&mut self) -> Result<Option<Synced<T>>, Error> {
        self.records.next().await.transpose()
    }
}

type Item<T> = Result<Synced<T>, Error>;

async fn advance<T: CdmsSynced>(progress: Progress<T>) -> Result<Option<(Item<T>, Progress<T>)>, Error> {
    let (hub, mut listing, mut records) = match progress {
        Progress::IsOver => return Ok(None),
        Progress::Reads(hub, listing, records) => (hub, listing, records),
        Progress::ReadsRows(hub, wish, records) => return rows(hub, wish, records).await,
        Progress::Begins(hub, wish, is_local) => {
            if is_local? {
                let wish = Wish { looks_further: true, ..wish };
                return rows(hub, Box::new(wish), VecDeque::new()).await;
            }
            let call = Call::new(&hub, "stream", T::DESCRIPTOR.name);
            let begun = call.run(async { Ok::<_, Error>(Listing::begin(wish).await?.map(Box::new)) }).await?;
            let Some(listing) = begun else { return Ok(None) };
            (hub, listing, VecDeque::new())
        }
    };
    loop {
        if let Some(record) = records.pop_front() {
            return Ok(Some((record, Progress::Reads(hub, listing, records))));
        }
        if listing.is_over {
            return Ok(None);
        }
        let call = Call::new(&hub, "stream", T::DESCRIPTOR.name);
        let met = call.run(page(&mut listing, T::DESCRIPTOR.name)).await?;
        records.extend(met.into_iter().filter_map(|(id, met)| synced(id.into(), met)));
    }
}

/// Reads the next page. A record without an id has no place among the records, so it goes to the log.
async fn page(listing: &mut Listing, model: &'static str) -> Result<Vec<(Uuid, Met)>, Error> {
    let MetPage { met, without_id } = listing.page().await?;
    if without_id > 0 {
        tracing::warn!(model, without_id, "CDMS has listed records without a readable id");
    }
    Ok(met)
}

/// The next of the hub's rows. A wish for none is the end.
async fn rows<T: CdmsSynced>(
    hub: Hub,
    mut wish: Box<Wish>,
    mut records: VecDeque<Item<T>>,
) -> Result<Option<(Item<T>, Progress<T>)>, Error> {
    loop {
        if let Some(record) = records.pop_front() {
            return Ok(Some((record, Progress::ReadsRows(hub, wish, records))));
        }
        if wish.limit == Some(0) {
            return Ok(None);
        }
        let limit = wish.limit.unwrap_or(u32::MAX);
        wish.limit = Some(limit.min(ROWS));
        let call = Call::new(&hub, "stream", T::DESCRIPTOR.name);
        let page = call.run(async { local::load(&wish).await.map(Box::new) }).await?;
        wish.limit = Some(if page.next.is_some() { limit - limit.min(ROWS) } else { 0 });
        wish.after = page.next;
        records.extend(page.met.into_iter().filter_map(|(id, met)| synced(id.into(), met)));
    }
}

impl<T> Stream for Records<T> {
    type Item = Result<Synced<T>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.records.poll_next_unpin(context)
    }
}

impl<T> fmt::Debug for Records<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").finish_non_exhaustive()
    }
}
