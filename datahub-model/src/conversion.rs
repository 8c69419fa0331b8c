//! From raw attributes to a row's values and back, by what the descriptor says.

mod beginning;
mod decode;
mod encode;
pub(crate) mod midnight;
mod value;

use cdms_odata::Value;

pub use beginning::{beginning, initial};
pub use decode::{decode, decode_field, decode_known};
pub use encode::{check_constants, encode, encode_new, encode_whole};
pub use value::{
    DECIMAL_SCALE, calendar_date, fit, fit_column, for_the_wire, midnight_of, scale_max, scaled, with_calendar_dates,
    with_midnights,
};

use crate::{Attribute, Class, Column, Fault, ModelDescriptor, Source};

/// One value per column, in the descriptor's order.
pub type Row = Vec<Value>;

/// The value that stands for a null of the column's attribute, in the form of its kind; `None` where none does.
///
/// # Errors
///
/// The default's form does not fit the kind, which the derive's checks rule out.
pub fn default_of(column: &Column) -> Result<Option<Value>, Fault> {
    match column.source {
        Source::Attribute { default: Some(default), .. } => {
            fit_column(column, default()).map(Some).map_err(|fault| fault.at(column.field))
        }
        _ => Ok(None),
    }
}

/// What the contract states on an attribute, with its place among the model's.
fn stated_at(model: &ModelDescriptor, name: &'static str) -> Result<(usize, &'static Attribute), Fault> {
    let place = model.place_of(name).ok_or_else(|| {
        Fault::new(format!("is not in the descriptor of {}; this is a bug of the derive", model.name)).at(name)
    })?;
    Ok((place, &model.attributes[place]))
}

/// Like [`stated_at`], and quicker where the attribute is at this place.
fn stated_near(
    model: &ModelDescriptor,
    place: usize,
    name: &'static str,
) -> Result<(usize, &'static Attribute), Fault> {
    match model.attributes.get(place) {
        // Where the compiler keeps both names as one text, which it mostly does, they need not be read.
        Some(known) if std::ptr::eq(known.name, name) || known.name == name => Ok((place, known)),
        _ => stated_at(model, name),
    }
}

/// A fault of a field's type, which knows no classes: its value is shown only if that of every attribute behind the field
/// may be. Where it is not known which field it is, no value is shown.
#[must_use]
pub fn classed(model: &ModelDescriptor, fault: Fault) -> Fault {
    let column = model.columns.iter().find(|column| fault.place() == Some(column.field));
    let class = column.map_or(Class::Personal, |column| class_of(model, column));
    fault.at_least(class)
}

/// The strictest class among a column's attributes; of one of the hub's own what the field says.
pub fn class_of(model: &ModelDescriptor, column: &Column) -> Class {
    if column.is_local() { column.local_class() } else { most_sensitive(model, column.attributes()) }
}

fn most_sensitive(model: &ModelDescriptor, names: &[&str]) -> Class {
    let classes = names.iter().filter_map(|name| model.attribute(name)).map(|attribute| attribute.class);
    classes.max().unwrap_or_default()
}
