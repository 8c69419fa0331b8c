//! The traits that derived models implement.

use cdms_odata::Value;
use datahub_model::conversion::Row;
use datahub_model::{Fault, ModelDescriptor};

use crate::{Id, RowReader, RowWriter};

/// The name of a model's entity, by which references find it.
///
/// A trait of its own, so that models can refer to each other in a circle.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a synced model",
    label = "not a synced model",
    note = "add #[derive(CdmsSynced)] to it"
)]
pub trait Model: Sized + 'static {
    /// The entity's lowercase logical name, for example `account`.
    const LOGICAL: &'static str;
}

/// A struct whose rows follow the records of a CDMS entity; derived by `#[derive(CdmsSynced)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a synced model",
    label = "not a synced model",
    note = "add #[derive(CdmsSynced)] to it"
)]
pub trait CdmsSynced: Model + Clone + Send + Sync {
    /// The mapping.
    const DESCRIPTOR: &'static ModelDescriptor;

    /// The record's id.
    fn id(&self) -> Id<Self>;

    /// The model of a row.
    ///
    /// # Errors
    ///
    /// A value does not fit its field.
    fn from_row(row: &RowReader<'_>) -> Result<Self, Fault>;

    /// Writes the model into a row.
    fn to_row(&self, row: &mut RowWriter<'_>);
}

/// A model that is written to CDMS: one with `mode = "sync"`, the default.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a mirror of CDMS and is never written",
    label = "has `mode = \"mirror\"`",
    note = "remove `mode = \"mirror\"` from its #[cdms(…)] to write it"
)]
pub trait Writable: CdmsSynced {}

/// The model of a row's values.
pub(crate) fn model_of<T: CdmsSynced>(values: &[Value]) -> Result<T, Fault> {
    T::from_row(&RowReader::new(T::DESCRIPTOR.columns, values))
}

/// The values of a model's row.
pub(crate) fn row_of<T: CdmsSynced>(model: &T) -> Result<Row, Fault> {
    let columns = T::DESCRIPTOR.columns;
    let mut values = vec![Value::Null; columns.len()];
    let mut writer = RowWriter::new(columns, &mut values);
    model.to_row(&mut writer);
    writer.finish()?;
    Ok(values)
}
