//! What goes over the wire: measured while it happens, because the whole of it does not fit into memory.

use std::collections::{HashMap, VecDeque};

use datahub_runtime::testing::simulator::{RequestEntry, Simulator};
use uuid::Uuid;

/// What was seen of the requests so far.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) requests: u64,
    /// The requests that met at least one fault.
    pub(crate) faulted: u64,
    /// Microseconds between the arrival of a write's own GET and of its MERGE, in which an edit of the same attribute is
    /// overwritten unseen.
    pub(crate) windows_us: Vec<u64>,
    /// MERGEs before which their program had not read the record.
    pub(crate) without_get: u64,
    /// Writes of one record that were under way at the same time.
    pub(crate) overlaps: Vec<Overlap>,
    /// Writes that are for no record.
    pub(crate) strange: Vec<String>,
    /// When the connection of a write ended that CDMS was to carry out later, by CDMS's clock.
    pub(crate) put_off: HashMap<String, i64>,
    /// The creates that were to get another id, with the status of the answer; none where there was no answer.
    pub(crate) other_ids: HashMap<String, Option<u16>>,
    /// The last answered GETs of a record by a program: arrival and end.
    gets: HashMap<String, VecDeque<(u64, u64)>>,
    /// The last write of a record that ended, and when.
    writes: HashMap<Uuid, (u64, String)>,
}

/// Two writes that were under way at the same time.
#[derive(Debug)]
pub(crate) struct Overlap {
    pub(crate) record: Uuid,
    pub(crate) operations: [String; 2],
    pub(crate) us: u64,
}

/// How many GETs of a record are remembered: as many as can end while a MERGE is on its way.
const GETS: usize = 8;

impl Traffic {
    /// Takes what the server has met since.
    pub(crate) fn take(&mut self, cdms: &Simulator) {
        for request in cdms.take_requests() {
            self.meet(&request);
        }
    }

    fn meet(&mut self, request: &RequestEntry) {
        self.requests += 1;
        self.faulted += u64::from(!request.faults.is_empty());
        // The first segment of the path is its program's.
        let path = request.target.split('?').next().unwrap_or_default();
        match request.method.as_str() {
            "GET" if request.status == Some(200) && path.ends_with(')') => {
                let gets = self.gets.entry(path.to_owned()).or_default();
                if gets.len() == GETS {
                    gets.pop_front();
                }
                gets.push_back((request.arrived_us, request.ended_us));
            }
            "MERGE" => {
                let gets = self.gets.get(path).into_iter().flatten();
                // A write sends its MERGE once it has the answer to its GET.
                match gets.filter(|(_, ended)| *ended <= request.arrived_us).map(|(arrived, _)| *arrived).max() {
                    Some(got) => self.windows_us.push(request.arrived_us - got),
                    None => self.without_get += 1,
                }
            }
            "DELETE" => _ = self.gets.remove(path),
            _ => {}
        }
        if let Some(operation) = &request.operation {
            self.write(operation, request, path);
        }
    }

    fn write(&mut self, operation: &str, request: &RequestEntry, path: &str) {
        let has = |name: &str| request.faults.iter().any(|fault| fault == name);
        if has("commit_late") {
            self.put_off.insert(operation.to_owned(), request.ended_ms);
        }
        if has("other_id") {
            self.other_ids.insert(operation.to_owned(), request.status);
        }
        let Some(record) = record_of(request, path) else {
            return self.strange.push(format!("{operation} wrote to no record: {} {path}", request.method));
        };
        let mine = (request.ended_us, operation.to_owned());
        if let Some((ended, other)) = self.writes.insert(record, mine)
            && request.arrived_us < ended
        {
            let operations = [other, operation.to_owned()];
            self.overlaps.push(Overlap { record, operations, us: ended - request.arrived_us });
        }
    }
}

/// The record that a write is for: the path names it, or a create's body.
fn record_of(request: &RequestEntry, path: &str) -> Option<Uuid> {
    match path.rsplit_once("guid") {
        // The quotes may be sent as they are or encoded.
        Some((_, key)) => {
            let key = key.trim_start_matches("%27").trim_matches(|sign| !char::is_ascii_hexdigit(&sign));
            key.get(..36)?.parse().ok()
        }
        None => {
            let body: serde_json::Value = serde_json::from_str(&request.body).ok()?;
            let set = path.rsplit('/').next()?.trim_end_matches("Set");
            body[format!("{set}Id")].as_str()?.parse().ok()
        }
    }
}
