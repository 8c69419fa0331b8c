//! One exchange over HTTP: the request and the response.

use ::url::Url;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Method, StatusCode};

/// A request, without what a session adds to it.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpRequest {
    /// The resource that it addresses, for logs: the name of a set.
    pub about: &'static str,
    /// The method.
    pub method: Method,
    /// The address.
    pub url: String,
    /// The headers that the dialect needs.
    pub headers: HeaderMap,
    /// The body.
    pub body: Option<Vec<u8>>,
}

/// A complete response.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpResponse {
    /// The address that responded.
    pub url: Url,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The host that a redirect leads to.
    pub fn redirect_host(&self) -> Option<String> {
        let location = self.headers.get(LOCATION)?.to_str().ok()?;
        self.url.join(location).ok()?.host_str().map(str::to_owned)
    }

    /// The HTML page in the body, if it is one.
    pub fn page(&self) -> Option<String> {
        let kind = self.headers.get(CONTENT_TYPE)?.to_str().ok()?.to_ascii_lowercase();
        let is_html = kind.starts_with("text/html") || kind.starts_with("application/xhtml");
        is_html.then(|| String::from_utf8_lossy(&self.body).into_owned())
    }

    /// What the response carries instead of data, in words for a message.
    pub fn in_words(&self) -> String {
        if let Some(host) = self.redirect_host() {
            return format!("a redirect to {host}");
        }
        if self.page().is_some() {
            return "an HTML page".to_owned();
        }
        if self.body.is_empty() {
            "an empty body".to_owned()
        } else {
            format!("{} bytes that are not a record", self.body.len())
        }
    }
}
