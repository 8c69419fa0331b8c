//! Everything in a value that CDMS would not accept by the contract, for a form that shows a message beside each field.

use std::fmt;

use cdms_odata::{Attributes, Value};
use datahub_model::conversion::{self, Row};
use datahub_model::{Fault, Write};

use crate::model::row_of;
use crate::{CdmsSynced, Synced, Writable};

/// A field whose value cannot be written, and why; see [`Writable::faults`].
///
/// [`Display`](fmt::Display) shows only the reason, which names neither the field nor the value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FieldFault {
    /// The field's path, with a dot before a group's member: `registered_address.town`.
    pub field: &'static str,
    /// What is wrong with its value.
    pub fault: Fault,
}

impl fmt::Display for FieldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.fault.reason())
    }
}

impl<T: CdmsSynced> Synced<T> {
    /// The changed fields that a [`save`](Synced::save) would refuse as [`Invalid`](crate::ErrorKind::Invalid), each with
    /// the reason. A field that is as it was loaded has no fault, whatever its value.
    ///
    /// Asks neither CDMS nor the database.
    pub fn faults(&self) -> Vec<FieldFault>
    where
        T: Writable,
    {
        let base = self.base();
        of_row::<T>(row_of(&**self), &base.snapshot.seen, |at, value| {
            T::DESCRIPTOR.columns[at].write() == Write::Always && base.row.values[at] != *value
        })
    }
}

/// The faults of a new value.
pub(crate) fn of_new<T: CdmsSynced>(value: &T) -> Vec<FieldFault> {
    of_row::<T>(row_of(value), &Attributes::new(), |at, value| {
        let column = &T::DESCRIPTOR.columns[at];
        let default = conversion::default_of(column).ok().flatten();
        column.write() != Write::Never && default.as_ref() != Some(value)
    })
}

/// The faults of the values of a row that would be sent.
fn of_row<T: CdmsSynced>(
    row: Result<Row, Fault>,
    seen: &Attributes,
    is_sent: impl Fn(usize, &Value) -> bool,
) -> Vec<FieldFault> {
    let columns = T::DESCRIPTOR.columns;
    let row = match row {
        Ok(row) => row,
        // A type has refused its own value, so the others are not known.
        Err(fault) => {
            let field = columns.iter().find(|column| fault.place() == Some(column.field));
            return vec![FieldFault { field: field.map_or("", |column| column.field), fault }];
        }
    };
    let sent = row.iter().enumerate().filter(|(at, value)| is_sent(*at, value));
    let faults = sent.filter_map(|(at, value)| {
        let fault = conversion::encode(T::DESCRIPTOR, &columns[at], value, seen).err()?;
        Some(FieldFault { field: columns[at].field, fault })
    });
    faults.collect()
}
