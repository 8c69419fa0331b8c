//! The simulated CDMS, as a process of its own: this program again, under another name.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdin, Command, Stdio};

use cdms_odata::metadata::Metadata;
use datahub_runtime::testing::simulator::Simulator;
use datahub_runtime::{Reference, Value};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::organisations;

/// A running CDMS. Dropping it ends the process.
pub(crate) struct Cdms {
    process: Child,
    /// The process ends when this is closed, also if this program is killed.
    input: Option<ChildStdin>,
    /// The organisation's address.
    pub(crate) root: String,
    http: reqwest::Client,
}

/// A request that CDMS received.
#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    method: String,
    /// Path and query.
    pub(crate) target: String,
    /// In microseconds since it started.
    arrived_us: u64,
}

impl Request {
    /// The method and the address, without the id of a record.
    fn without_id(&self) -> String {
        const BEFORE: &str = "(guid'";
        let target = match self.target.split_once(BEFORE) {
            Some((set, rest)) => format!("{set}{}", rest.trim_start_matches(|letter| letter != ')')),
            None => self.target.clone(),
        };
        format!("{} {target}", self.method)
    }
}

/// The id of the organisation of a number; ids are spread like random ones.
pub(crate) fn id(number: u64) -> Uuid {
    Uuid::from_u128((u128::from(number) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835))
}

/// The simulator's role: adds organisations, prints its address, and serves until its input is closed.
pub(crate) fn serve(arguments: &[String]) {
    let records: u64 = arguments[0].parse().unwrap();
    let metadata = Metadata::parse(example_domain::METADATA).unwrap();
    let simulator = Simulator::builder().metadata(metadata).control(true).log_limit(64).start().unwrap();
    for number in 0..records {
        let mut attributes: Vec<_> = organisations::attributes(number).into();
        attributes.push(("AccountId", Value::Guid(id(number))));
        attributes.extend(further(number));
        simulator.seed("Account", attributes.into_iter().collect::<datahub_runtime::Attributes>());
    }
    println!("{}", simulator.root());
    _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// What an organisation has besides: an address in full, references, and a description of a few lines. A quarter of it
/// has no value.
fn further(number: u64) -> impl Iterator<Item = (&'static str, Value)> {
    let refer = move |logical_name: &'static str, of: u64| {
        // The kinds of reference data have few records, and organisations have many.
        Value::Lookup(Reference { logical_name: logical_name.into(), id: id(1_000_000 + number % of) })
    };
    let description = format!(
        "A company that does business with government, with {} people in {} places.\r\nIts board has asked for a review of \
         its exports. The last meeting was in spring, and the next one is to be arranged.",
        number % 5_000,
        number % 40
    );
    let further = [
        ("Description", Value::text(description)),
        ("optevia_Address2", Value::text(format!("Unit {}", number % 60))),
        ("optevia_Address3", Value::text("Northern Business Park")),
        ("optevia_StateCounty", Value::text("West Yorkshire")),
        ("optevia_Country", refer("optevia_country", 200)),
        ("optevia_UKRegion", refer("optevia_ukregion", 12)),
        ("optevia_BusinessType", refer("optevia_businesstype", 20)),
        ("optevia_Sector", refer("optevia_sector", 100)),
        ("optevia_EmployeeRange", refer("optevia_employeerange", 8)),
        ("optevia_TurnoverRange", refer("optevia_turnoverrange", 8)),
    ];
    further.into_iter().enumerate().filter(move |(at, _)| (number + *at as u64) % 4 != 3).map(|(_, value)| value)
}

impl Cdms {
    /// Starts a CDMS with the first organisations.
    pub(crate) fn start(records: u64) -> Self {
        let program = std::env::current_exe().unwrap();
        let mut command = Command::new(program);
        command.args(["cdms", &records.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut root = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut root).unwrap();
        let input = process.stdin.take();
        Cdms { process, input, root: root.trim().to_owned(), http: crate::bare::client() }
    }

    /// From now on it answers after this time.
    pub(crate) async fn answer_after(&self, ms: u64) {
        self.control("DELETE", "faults", None).await;
        if ms > 0 {
            self.control("POST", "faults", Some(json!({ "fault": { "latency": ms } }))).await;
        }
    }

    /// The newest requests, in the order in which they ended.
    pub(crate) async fn requests(&self) -> Vec<Request> {
        let requests: Vec<Request> = serde_json::from_slice(&self.control("GET", "requests", None).await).unwrap();
        requests.into_iter().filter(|request| request.target.contains("Set")).collect()
    }

    /// When the newest request arrived.
    pub(crate) async fn newest(&self) -> u64 {
        self.requests().await.iter().map(|request| request.arrived_us).max().unwrap_or_default()
    }

    /// The requests that arrived after one, without ids.
    pub(crate) async fn requests_since(&self, arrived_us: u64) -> Vec<String> {
        let requests = self.requests().await;
        requests.iter().filter(|request| request.arrived_us > arrived_us).map(Request::without_id).collect()
    }

    async fn control(&self, method: &str, resource: &str, body: Option<serde_json::Value>) -> Vec<u8> {
        let url = format!("{}/_control/{resource}", self.origin());
        let request = self.http.request(method.parse().unwrap(), url);
        let request = request.body(body.map_or_else(String::new, |body| body.to_string()));
        request.send().await.unwrap().error_for_status().unwrap().bytes().await.unwrap().into()
    }

    /// The part of the address before the path.
    pub(crate) fn origin(&self) -> &str {
        let host = self.root.find("://").map_or(0, |scheme| scheme + 3);
        let end = self.root[host..].find('/').map_or(self.root.len(), |path| host + path);
        &self.root[..end]
    }
}

impl Drop for Cdms {
    fn drop(&mut self) {
        drop(self.input.take());
        _ = self.process.wait();
    }
}
