//! A person who works in CDMS: a plain HTTP client that knows nothing of the hub.

use uuid::Uuid;

/// Sends OData requests as any client would.
pub(crate) struct Person {
    service_root: String,
    http: reqwest::Client,
}

impl Person {
    /// A person at this service.
    pub(crate) fn at(service_root: String) -> Self {
        Person { service_root, http: reqwest::Client::new() }
    }

    /// Changes a record with a MERGE.
    pub(crate) async fn merge(&self, set: &str, id: Uuid, body: &'static str) -> Result<(), reqwest::Error> {
        let url = format!("{}/{set}(guid'{id}')", self.service_root);
        let request =
            self.http.post(url).header("X-HTTP-Method", "MERGE").header("Accept", "application/json").body(body);
        request.send().await?.error_for_status().map(drop)
    }
}
