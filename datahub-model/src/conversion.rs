//! Conversion from raw attributes to a row's values and back, as the descriptor specifies.

mod beginning;
mod decode;
mod encode;
pub(crate) mod midnight;
mod value;

use cdms_odata::Value;

pub use beginning::{beginning, initial};
pub use decode::{decode, decode_field, decode_known};
pub use encode::{check_constants, encode, encode_new, encode_whole};
#[cfg(feature = "source")]
pub use midnight::midnight_in;
pub use value::{
    DECIMAL_SCALE, calendar_date, fit, fit_column, for_the_wire, midnight_of, scale_max, scaled, with_calendar_dates,
    with_midnights,
};

use crate::{Attribute, Class, Column, Fault, ModelDescriptor, Source};

/// One value per column, in the descriptor's order.
pub type Row = Vec<Value>;

/// The value that replaces a null of the column's attribute, in the form of its kind; `None` if the column has no
/// default.
///
/// # Errors
///
/// The default does not have the form of the column's kind, which the derive's checks rule out.
pub fn default_of(column: &Column) -> Result<Option<Value>, Fault> {
    match column.source {
        Source::Attribute { default: Some(default), .. } => {
            fit_column(column, default()).map(Some).map_err(|fault| fault.at(column.field))
        }
        _ => Ok(None),
    }
}

/// An attribute's contract, and its position in the model's attributes.
fn stated_at(model: &ModelDescriptor, name: &'static str) -> Result<(usize, &'static Attribute), Fault> {
    let place = model.place_of(name).ok_or_else(|| {
        Fault::new(format!("is not in the descriptor of {}; this is a bug in the derive", model.name)).at(name)
    })?;
    Ok((place, &model.attributes[place]))
}

/// Like [`stated_at`], but faster if the attribute is at the given position.
fn stated_near(
    model: &ModelDescriptor,
    place: usize,
    name: &'static str,
) -> Result<(usize, &'static Attribute), Fault> {
    match model.attributes.get(place) {
        // The compiler usually merges equal strings. Comparing pointers then avoids comparing the names.
        Some(known) if std::ptr::eq(known.name, name) || known.name == name => Ok((place, known)),
        _ => stated_at(model, name),
    }
}

/// Sets the class of a fault that a field's type reported, since types know no classes: the value is shown only if the
/// values of all attributes behind the field may be shown. If the field is unknown, the value is hidden.
#[must_use]
pub fn classed(model: &ModelDescriptor, fault: Fault) -> Fault {
    let column = model.columns.iter().find(|column| fault.place() == Some(column.field));
    let class = column.map_or(Class::Personal, |column| class_of(model, column));
    fault.at_least(class)
}

/// The strictest class of a column's attributes; for a local column, the class of the field.
pub fn class_of(model: &ModelDescriptor, column: &Column) -> Class {
    if column.is_local() { column.local_class() } else { most_sensitive(model, column.attributes()) }
}

fn most_sensitive(model: &ModelDescriptor, names: &[&str]) -> Class {
    let classes = names.iter().filter_map(|name| model.attribute(name)).map(|attribute| attribute.class);
    classes.max().unwrap_or_default()
}
