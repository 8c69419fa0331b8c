//! What login pages say: forms, cookies, and the pages of AD FS.
//!
//! **Invariant: this crate opens no socket and sends no secret.** It reads what servers send, which may be anything; what is
//! sent where is decided in `datahub-runtime`.

pub mod adfs;
mod cookies;
mod document;
mod form;

pub use cookies::{CookieFault, Cookies, Live};
pub use document::{Document, DocumentFault};
pub use form::{Field, FieldKind, Form};
