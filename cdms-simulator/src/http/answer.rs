//! Answers: status, headers and body.

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use hyper::header::HeaderValue;

use super::{Body, Broken};
use crate::json::{Shown, text};
use crate::refusal::Refusal;

/// An answer that is not sent yet.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn empty(status: u16) -> Self {
        Answer { status, headers: Vec::new(), body: String::new() }
    }

    pub(crate) fn json(status: u16, body: String) -> Self {
        let headers = vec![("content-type", "application/json;charset=utf-8".to_owned())];
        Answer { status, headers, body }
    }

    pub(crate) fn text(status: u16, text: &str) -> Self {
        Answer { status, headers: vec![("content-type", "text/plain".to_owned())], body: text.to_owned() }
    }

    pub(crate) fn html(status: u16, page: &str) -> Self {
        Answer { status, headers: vec![("content-type", "text/html; charset=utf-8".to_owned())], body: page.to_owned() }
    }

    pub(crate) fn xml(body: String) -> Self {
        Answer { status: 200, headers: vec![("content-type", "application/xml;charset=utf-8".to_owned())], body }
    }

    pub(crate) fn refusal(refusal: &Refusal) -> Self {
        Answer::json(refusal.status, refusal.body())
    }

    /// `{"d": …}`.
    pub(crate) fn d(status: u16, d: Shown<'_>) -> Self {
        Answer::json(status, text(&Shown::Object(vec![("d", d)])))
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let body = Full::new(Bytes::from(self.body.clone())).map_err(Broken::from).boxed();
        self.response(body)
    }

    /// The first half of the answer, then the end of the connection.
    pub(crate) fn into_broken_response(self) -> Response<Body> {
        let half = self.body.as_bytes()[..self.body.len() / 2].to_vec();
        let frames = stream::unfold(Some(half), |half| async {
            match half {
                Some(half) => Some((Ok(Frame::data(Bytes::from(half))), None)),
                None => {
                    // Without a pause, nothing would be sent before the connection ends.
                    tokio::task::yield_now().await;
                    Some((Err(Broken), None))
                }
            }
        });
        let length = self.body.len().to_string();
        self.with_header("content-length", length).response(StreamBody::new(frames).boxed())
    }

    fn response(&self, body: Body) -> Response<Body> {
        let mut response = Response::new(body);
        // Every status in this crate is a valid HTTP status.
        *response.status_mut() = hyper::StatusCode::from_u16(self.status).unwrap_or(hyper::StatusCode::IM_A_TEAPOT);
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::try_from(value.as_str()) {
                response.headers_mut().append(*name, value);
            }
        }
        response
    }
}
