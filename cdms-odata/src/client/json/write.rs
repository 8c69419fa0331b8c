//! Request bodies, written straight to their bytes.

use super::value::Written;
use crate::{Kind, Value};

/// A value that cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the attribute `{attribute}` is of kind {kind} and cannot be sent as {form}")]
pub struct WriteError {
    /// The attribute.
    pub attribute: String,
    /// Its kind.
    pub kind: Kind,
    /// The form of the value given.
    pub form: &'static str,
}

/// Writes a request body, its attributes in the order given. A null is written as its kind needs it: complex kinds with all
/// their members null.
///
/// # Errors
///
/// A value whose form is not that of the attribute's kind.
pub fn write_record<'v>(values: impl IntoIterator<Item = (&'v str, Kind, &'v Value)>) -> Result<Vec<u8>, WriteError> {
    let mut body = vec![b'{'];
    for (name, kind, value) in values {
        if body.len() > 1 {
            body.push(b',');
        }
        // Into memory everything is written but what has no such form.
        let refused = |_| WriteError { attribute: name.to_owned(), kind, form: value.form() };
        serde_json::to_writer(&mut body, name).map_err(refused)?;
        body.push(b':');
        serde_json::to_writer(&mut body, &Written { kind, value }).map_err(refused)?;
    }
    body.push(b'}');
    Ok(body)
}
