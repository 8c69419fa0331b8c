//! What a program without a hub does: it requests pages with `reqwest`, reads them with `serde_json`, and puts the records
//! of each into a table by one statement.

use serde::Deserialize;
use tokio::task::JoinSet;

use crate::flat::{Answer, WireOrganisation};

/// A page of a list.
#[derive(Deserialize)]
pub(crate) struct Page {
    pub(crate) results: Vec<WireOrganisation>,
    #[serde(rename = "__next")]
    pub(crate) next: Option<String>,
}

/// A client without anything of ours.
pub(crate) struct Bare {
    http: reqwest::Client,
}

impl Bare {
    /// A client; a hub must have been connected before, because it chooses the program's TLS.
    pub(crate) fn new() -> Self {
        Bare { http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// Requests a page, and does not read it.
    pub(crate) async fn get(&self, url: &str) -> Vec<u8> {
        body(self.http.clone(), url.to_owned()).await
    }

    /// Requests several pages at once.
    pub(crate) async fn get_all(&self, urls: &[String]) {
        let requests: JoinSet<_> = urls.iter().map(|url| body(self.http.clone(), url.clone())).collect();
        requests.join_all().await;
    }

    /// Requests a page and stores its records; returns how many there were, and where the list goes on.
    pub(crate) async fn store(&self, url: &str, table: &mut Table) -> (usize, Option<String>) {
        let body = self.get(url).await;
        let Answer { d: page } = serde_json::from_slice::<Answer<Page>>(&body).unwrap();
        table.put(&page.results).await;
        (page.results.len(), page.next)
    }
}

async fn body(http: reqwest::Client, url: String) -> Vec<u8> {
    let answer = http.get(url).header("Accept", "application/json").send().await.unwrap();
    answer.error_for_status().unwrap().bytes().await.unwrap().into()
}

/// A value that can be bound on both databases.
trait Bound: rusqlite::ToSql + tokio_postgres::types::ToSql + Sync {}

impl<T: rusqlite::ToSql + tokio_postgres::types::ToSql + Sync> Bound for T {}

/// The columns, the key first.
const COLUMNS: [(&str, &str); 27] = [
    ("id", "uuid"),
    ("name", "text"),
    ("alias", "text"),
    ("company_number", "text"),
    ("description", "text"),
    ("website", "text"),
    ("uk_organisation", "boolean"),
    ("line_1", "text"),
    ("line_2", "text"),
    ("line_3", "text"),
    ("line_4", "text"),
    ("town", "text"),
    ("county", "text"),
    ("postcode", "text"),
    ("country", "uuid"),
    ("uk_region", "uuid"),
    ("business_type", "uuid"),
    ("sector", "uuid"),
    ("employee_range", "uuid"),
    ("turnover_range", "uuid"),
    ("country_code", "text"),
    ("area_code", "text"),
    ("telephone_number", "text"),
    ("email", "text"),
    ("credit_limit", "text"),
    ("parent", "uuid"),
    ("state", "integer"),
];

/// The values of a row; the amount is text, which both databases can store exactly.
fn values<'r>(row: &'r WireOrganisation, credit_limit: &'r Option<String>) -> [&'r dyn Bound; COLUMNS.len()] {
    [
        &row.id,
        &row.name,
        &row.alias,
        &row.company_number,
        &row.description,
        &row.website,
        &row.uk_organisation,
        &row.line_1,
        &row.line_2,
        &row.line_3,
        &row.line_4,
        &row.town,
        &row.county,
        &row.postcode,
        &row.country,
        &row.uk_region,
        &row.business_type,
        &row.sector,
        &row.employee_range,
        &row.turnover_range,
        &row.country_code,
        &row.area_code,
        &row.telephone_number,
        &row.email,
        credit_limit,
        &row.parent,
        &row.state,
    ]
}

/// A table of organisations.
pub(crate) enum Table {
    Sqlite(rusqlite::Connection),
    Postgres {
        client: tokio_postgres::Client,
        /// The statement for a number of rows.
        prepared: Option<(usize, tokio_postgres::Statement)>,
    },
}

impl Table {
    /// A new table at the address of a kit's database; on SQLite, in a file beside it. It is as durable as a hub's.
    pub(crate) async fn create(address: &str) -> Self {
        let columns = COLUMNS.map(|(name, sql_type)| format!("{name} {sql_type}")).join(", ");
        let create = format!("CREATE TABLE {TABLE} ({columns}, PRIMARY KEY (id))");
        if let Some(path) = address.strip_prefix("sqlite://") {
            let connection = rusqlite::Connection::open(format!("{path}.bare")).unwrap();
            connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").unwrap();
            connection.execute_batch(&create).unwrap();
            return Table::Sqlite(connection);
        }
        let (client, connection) = tokio_postgres::connect(address, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&create).await.unwrap();
        Table::Postgres { client, prepared: None }
    }

    /// Puts rows into the table, and replaces those of the same key.
    async fn put(&mut self, rows: &[WireOrganisation]) {
        if rows.is_empty() {
            return;
        }
        let amounts: Vec<_> = rows.iter().map(|row| row.credit_limit.map(|amount| amount.to_string())).collect();
        let bound: Vec<_> = rows.iter().zip(&amounts).flat_map(|(row, amount)| values(row, amount)).collect();
        match self {
            Table::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(&upsert(rows.len(), |_| "?".to_owned())).unwrap();
                let bound = bound.into_iter().map(|value| value as &dyn rusqlite::ToSql);
                statement.execute(rusqlite::params_from_iter(bound)).unwrap();
            }
            Table::Postgres { client, prepared } => {
                let of_length = prepared.take().filter(|(count, _)| *count == rows.len());
                let statement = match of_length {
                    Some((_, statement)) => statement,
                    None => client.prepare(&upsert(rows.len(), |number| format!("${number}"))).await.unwrap(),
                };
                let bound: Vec<_> =
                    bound.into_iter().map(|value| value as &(dyn tokio_postgres::types::ToSql + Sync)).collect();
                client.execute(&statement, &bound).await.unwrap();
                *prepared = Some((rows.len(), statement));
            }
        }
    }
}

/// Its name, which no hub uses.
const TABLE: &str = "bare_organisations";

/// The statement that puts a number of rows.
fn upsert(rows: usize, placeholder: impl Fn(usize) -> String) -> String {
    let names = COLUMNS.map(|(name, _)| name);
    let row = |row: usize| {
        let placeholders: Vec<_> = (1..=names.len()).map(|column| placeholder(row * names.len() + column)).collect();
        format!("({})", placeholders.join(", "))
    };
    let rows: Vec<_> = (0..rows).map(row).collect();
    let replaced = names[1..].iter().map(|name| format!("{name} = excluded.{name}")).collect::<Vec<_>>();
    format!(
        "INSERT INTO {TABLE} ({}) VALUES {} ON CONFLICT (id) DO UPDATE SET {}",
        names.join(", "),
        rows.join(", "),
        replaced.join(", ")
    )
}
