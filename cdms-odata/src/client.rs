//! The wire as a client sees it: JSON verbose form, URLs and error codes.

pub mod json;
mod refusal;
mod url;

pub use refusal::{Meaning, Refusal};
pub use url::{MAX_URI, RootError, Selected, ServiceRoot};
