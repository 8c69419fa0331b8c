//! One exchange over HTTP: what is to be sent, and what came back.

use ::url::Url;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Method, StatusCode};

/// A request, ready to be sent within a session.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpRequest {
    /// What it is about, for logs: the name of a set.
    pub about: &'static str,
    /// The method.
    pub method: Method,
    /// The address.
    pub url: String,
    /// The headers of the dialect; a session adds its own.
    pub headers: HeaderMap,
    /// The body.
    pub body: Option<Vec<u8>>,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpAnswer {
    /// The address that answered.
    pub url: Url,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpAnswer {
    /// The host to which a redirect leads.
    pub fn redirect_host(&self) -> Option<String> {
        let location = self.headers.get(LOCATION)?.to_str().ok()?;
        self.url.join(location).ok()?.host_str().map(str::to_owned)
    }

    /// The page for people that it carries in place of data.
    pub fn page(&self) -> Option<String> {
        let kind = self.headers.get(CONTENT_TYPE)?.to_str().ok()?.to_ascii_lowercase();
        let is_html = kind.starts_with("text/html") || kind.starts_with("application/xhtml");
        is_html.then(|| String::from_utf8_lossy(&self.body).into_owned())
    }

    /// What it carries, in words for a message, where that is nothing that was asked for.
    pub fn in_words(&self) -> String {
        if let Some(host) = self.redirect_host() {
            return format!("a redirect to {host}");
        }
        if self.page().is_some() {
            return "an HTML page".to_owned();
        }
        if self.body.is_empty() {
            "nothing".to_owned()
        } else {
            format!("{} bytes that are no record", self.body.len())
        }
    }
}
