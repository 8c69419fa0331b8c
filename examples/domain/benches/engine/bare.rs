//! The floor: a program without a hub, which does by hand the least that keeps the hub's promises.
//!
//! - **A read** loads what was seen of the record by one statement, sends the same GET, reads the body into a struct with
//!   `serde_json`, and compares the times of the last change.
//! - **An update** does the same, notes in a transaction of its own that a change will be sent, if no one has changed the
//!   record since and no other change is noted (one statement), sends the change, and reads the record back. A second
//!   transaction stores the row, what was seen, and an entry of the history, and closes the note: four statements.
//! - **A create** and **a delete** are the same with the requests that the hub sends for them.
//! - **A pull** requests page after page and stores each in a transaction with three statements: rows, what was seen, and
//!   entries of the history.
//!
//! Statements are prepared once, and sent one after the other. The transactions are as durable as the hub's. SQLite works
//! on a thread for work that blocks, a transaction at a time, because a program must not wait for a disk where others'
//! requests are answered. What it does
//! not do: it merges nothing, decides nothing about conflicts, checks no value against a contract, tries no row before it
//! sends, recovers from no crash, and serves one model that is written out by hand.

pub(crate) mod record;
mod statements;
pub(crate) mod store;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::flat::Answer;
use record::Record;
use store::Store;

/// A client with no options but those that a measurement on one machine needs.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// A program without a hub.
pub(crate) struct Bare {
    http: reqwest::Client,
    /// The address of the set of organisations.
    set: String,
    /// The query that selects the attributes.
    select: String,
    pub(crate) store: Store,
}

/// A page of a list.
#[derive(Deserialize)]
struct Page {
    results: Vec<Record>,
    #[serde(rename = "__next")]
    next: Option<String>,
}

impl Bare {
    /// A program that reads what the hub's read `target` reads, at an address, and stores at a place.
    pub(crate) fn new(origin: &str, target: &str, store: Store) -> Self {
        let (path, select) = target.split_once('?').unwrap();
        let set = path.split_once('(').map_or(path, |(set, _)| set);
        Bare { http: client(), set: format!("{origin}{set}"), select: select.to_owned(), store }
    }

    fn url(&self, id: Uuid) -> String {
        format!("{}(guid'{id}')", self.set)
    }

    /// Requests a record.
    pub(crate) async fn get(&self, id: Uuid) -> Record {
        let url = format!("{}?{}", self.url(id), self.select);
        let answer = self.http.get(url).header("Accept", "application/json").send().await.unwrap();
        let body = answer.error_for_status().unwrap().bytes().await.unwrap();
        serde_json::from_slice::<Answer<Record>>(&body).unwrap().d
    }

    /// Reads a record that must be in sync, on one of the connections of the store.
    pub(crate) async fn read(&self, id: Uuid, connection: usize) {
        let kept = self.store.find(connection, id).await.unwrap();
        let record = self.get(id).await;
        assert_eq!(record.modified_ms(), kept.modified, "the record has changed");
    }

    /// Reads a record for the first time.
    pub(crate) async fn first(&self, id: Uuid) {
        let record = self.get(id).await;
        self.store.put_page(vec![record]).await;
    }

    /// Changes the description of a record.
    pub(crate) async fn update(&self, id: Uuid, description: &str) {
        let kept = self.store.find(0, id).await.unwrap();
        let before = self.get(id).await;
        assert_eq!(before.modified_ms(), kept.modified, "the record has changed");
        let body = json!({ "Description": description, "optevia_PAFOverride": true }).to_string();
        let operation = Uuid::now_v7();
        assert!(
            self.store.note(operation, id, "update", body.clone(), Some(kept.version)).await,
            "the record is being written"
        );
        let request = self.http.post(self.url(id)).header("X-HTTP-Method", "MERGE");
        self.send(request, operation, Some(body)).await;
        let after = self.get(id).await;
        let changes = json!([{ "Description": [before.description, after.description] }]);
        self.store.store(operation, after, "update", changes).await;
    }

    /// Creates a record.
    pub(crate) async fn create(&self, record: &Record) {
        let (id, body) = (record.id.unwrap(), record.to_create().to_string());
        let operation = Uuid::now_v7();
        assert!(self.store.note(operation, id, "create", body.clone(), None).await, "the record is being written");
        let created = self.send(self.http.post(&self.set), operation, Some(body)).await;
        let created = serde_json::from_slice::<Answer<Record>>(&created).unwrap().d;
        let changes = json!(created);
        self.store.store(operation, created, "create", changes).await;
    }

    /// Deletes a record.
    pub(crate) async fn delete(&self, id: Uuid) {
        let kept = self.store.find(0, id).await.unwrap();
        let last = self.get(id).await;
        assert_eq!(last.modified_ms(), kept.modified, "the record has changed");
        let operation = Uuid::now_v7();
        assert!(
            self.store.note(operation, id, "delete", "{}".to_owned(), Some(kept.version)).await,
            "the record is being written"
        );
        self.send(self.http.delete(self.url(id)), operation, None).await;
        self.store.remove(operation, last).await;
    }

    async fn send(&self, request: reqwest::RequestBuilder, operation: Uuid, body: Option<String>) -> Vec<u8> {
        let request = request.header("Accept", "application/json").header("X-Datahub-Operation", operation.to_string());
        let request = match body {
            Some(body) => request.header("Content-Type", "application/json; charset=utf-8").body(body),
            None => request,
        };
        request.send().await.unwrap().error_for_status().unwrap().bytes().await.unwrap().into()
    }

    /// Pulls page after page from an address, and keeps everything or the rows alone; returns how many records there were.
    pub(crate) async fn pull(&self, first: &str, keeps: Keeps, pages_max: usize) -> usize {
        let (mut next, mut records, mut pages) = (Some(first.to_owned()), 0, 0);
        while let Some(url) = next.filter(|_| pages < pages_max) {
            let answer = self.http.get(url).header("Accept", "application/json").send().await.unwrap();
            let body = answer.error_for_status().unwrap().bytes().await.unwrap();
            let Answer { d: page } = serde_json::from_slice::<Answer<Page>>(&body).unwrap();
            records += page.results.len();
            match keeps {
                Keeps::Everything => self.store.put_page(page.results).await,
                Keeps::Rows => self.store.put_rows(page.results).await,
            }
            (pages, next) = (pages + 1, page.next);
        }
        records
    }
}

/// What a pull stores.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keeps {
    /// Rows, what was seen, and an entry of the history for each.
    Everything,
    /// Rows and nothing else.
    Rows,
}

/// JSON that a body is made of.
pub(crate) type Body = Json;
