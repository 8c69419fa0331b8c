//! The application, served over HTTP with a simulated CDMS, and what a test reads of its pages.

use std::collections::HashMap;
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use example_crm::{App, demo, router};
use example_domain::{Contact, Organisation, Sector};
use reqwest::header::{COOKIE, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};
use tokio::net::TcpListener;

/// The seed of the records; printed, because which of them a test meets follows from it.
const SEED: u64 = 19;

pub(crate) struct Served {
    pub(crate) kit: Kit,
    pub(crate) address: String,
    client: Client,
}

/// A page, or the address that a form leads to.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) html: String,
    pub(crate) location: String,
}

impl Served {
    /// The application with this number of organisations, all of which the hub has loaded.
    pub(crate) async fn with(organisations: usize) -> Self {
        println!("records from seed {SEED}");
        let kit = Kit::on_sqlite(example_domain::METADATA);
        demo::fill(&kit.simulator, organisations, SEED);
        let hub = kit.hub(example_domain::models()).program("crm").connect().await.unwrap();
        let all = models![Sector, Organisation, Contact];
        hub.ensure_fresh(all, Freshness::Always).or_load().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let app = router(App { hub, database: kit.database() });
        tokio::spawn(async move { axum::serve(listener, app).await });
        let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Served { kit, address, client }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.client.get(format!("{}{path}", self.address))).await
    }

    /// Sends a form as this user.
    pub(crate) async fn post(&self, user: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        answer(self.form(path, form).header(COOKIE, format!("user={user}"))).await
    }

    pub(crate) fn form(&self, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.client.post(format!("{}{path}", self.address)).body(body);
        request.header("content-type", "application/x-www-form-urlencoded")
    }

    /// The page of the first organisation of the list.
    pub(crate) async fn first(&self) -> String {
        let list = self.get("/organisations").await;
        list.links("organisations").into_iter().next().unwrap()
    }

    /// Everything that CDMS lists at this address, page by page: a plain count needs nothing of ours.
    pub(crate) async fn in_cdms(&self, query: &str) -> Vec<serde_json::Value> {
        let mut next = Some(format!("{}/{query}", self.kit.simulator.service_root()));
        let mut records = Vec::new();
        while let Some(address) = next {
            let text = self.client.get(address).header("accept", "application/json").send().await.unwrap();
            let page: serde_json::Value = serde_json::from_str(&text.text().await.unwrap()).unwrap();
            records.extend(page["d"]["results"].as_array().unwrap().iter().cloned());
            next = page["d"]["__next"].as_str().map(str::to_owned);
        }
        records
    }

    /// Lets both sides' clocks go on.
    pub(crate) fn wait(&self, seconds: u64) {
        self.kit.advance(Duration::from_secs(seconds));
    }
}

pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let location = response.headers().get(LOCATION).map_or("", |location| location.to_str().unwrap()).to_owned();
    Answer { status: StatusCode::as_u16(&response.status()), location, html: response.text().await.unwrap() }
}

impl Answer {
    /// The texts of a table's cells, row by row, without its head; none if it only says that there are none.
    pub(crate) fn table(&self, id: &str) -> Vec<Vec<String>> {
        let body = self.body_of(id);
        let rows = body.split("<tr>").skip(1).filter(|row| !row.contains(" colspan="));
        let cells = |row: &str| {
            let row = row.replace("<th", "<td");
            row.split("<td").skip(1).map(|cell| text(cell.split_once('>').map_or("", |(_, rest)| rest))).collect()
        };
        rows.map(cells).collect()
    }

    /// The addresses of a table's links.
    pub(crate) fn links(&self, id: &str) -> Vec<String> {
        let body = self.body_of(id);
        body.split("href=\"").skip(1).map(|rest| unescaped(rest.split('"').next().unwrap())).collect()
    }

    /// The address of the next page of a list.
    pub(crate) fn next(&self) -> Option<String> {
        let (_, link) = self.html.split_once("<a id=\"next\"")?;
        Some(unescaped(link.split_once("href=\"")?.1.split('"').next()?))
    }

    fn body_of(&self, id: &str) -> &str {
        let table = self.html.split_once(&format!("<table id=\"{id}\"")).map(|(_, rest)| rest);
        let table = table.unwrap_or_else(|| panic!("no table {id} in {}", self.html));
        table.split("<tbody>").nth(1).unwrap().split("</tbody>").next().unwrap()
    }

    /// The values of the inputs of a form, hidden ones too.
    pub(crate) fn inputs(&self) -> HashMap<String, String> {
        let attribute = |tag: &str, name: &str| {
            let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
            Some(unescaped(rest.split('"').next()?))
        };
        let tags = self.html.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap());
        tags.filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?))).collect()
    }

    /// The text of the element with this id, up to the end of its line or element.
    pub(crate) fn part(&self, id: &str) -> Option<String> {
        let (_, rest) = self.html.split_once(&format!("id=\"{id}\""))?;
        let (_, rest) = rest.split_once('>')?;
        Some(text(
            ["</p>", "</dd>", "</div>", "</span>"]
                .iter()
                .filter_map(|end| rest.find(end))
                .min()
                .map_or(rest, |end| &rest[..end]),
        ))
    }

    /// Whether it says that CDMS is away.
    pub(crate) fn is_away(&self) -> bool {
        self.html.contains("id=\"away\"")
    }
}

/// The text in a piece of HTML.
fn text(html: &str) -> String {
    let mut parts = html.split('<');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push(' ');
        text.push_str(part.split_once('>').map_or("", |(_, rest)| rest));
    }
    unescaped(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn unescaped(text: &str) -> String {
    text.replace("&#38;", "&").replace("&#39;", "'").replace("&#34;", "\"").replace("&#60;", "<").replace("&#62;", ">")
}
