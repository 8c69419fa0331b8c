//! What servers say where they ask for a login: forms, cookies, the pages of AD FS, and the messages of NTLM.
//!
//! **Invariant: this crate opens no socket and sends no secret.** It reads what servers send, which may be anything; what is
//! sent where is decided in `datahub-runtime`.

pub mod adfs;
mod cookies;
mod document;
mod form;
#[cfg(feature = "ntlm")]
pub mod ntlm;

pub use cookies::{CookieFault, Cookies, Live};
pub use document::{Document, DocumentFault};
pub use form::{Field, FieldKind, Form};
