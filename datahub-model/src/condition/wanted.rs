//! What a list asks of CDMS for a condition.

use super::compared::{attribute, column, has_order};
use super::lower::only_of;
use super::{Condition, NotLowered, RelatedModel, Why};
use crate::filter::{Filter, Operand, Syntax};
use crate::{Attribute, ModelDescriptor};
use cdms_odata::Kind;

/// Which records a list asks CDMS for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All records of the entity, without a filter.
    Everything,
    /// No record can satisfy the condition, so no request is needed.
    Nothing,
    /// Those that satisfy a filter.
    Where(Where),
}

/// A filter of a list, in a dialect's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Where {
    /// Its text, not yet encoded for an address.
    pub filter: String,
    /// The navigation property of the related record that the filter is about, which must be expanded.
    pub expand: Option<String>,
    /// Whether the model's `only` is not part of the filter, because a filter on a related record cannot have it. The
    /// records must then be checked with [`ModelDescriptor::includes`].
    pub leaves_out_only: bool,
}

impl Condition {
    /// What a list of the model's records that satisfy the condition asks CDMS for, including the model's `only`.
    ///
    /// # Errors
    ///
    /// CDMS cannot evaluate the condition. The error says why, and what to write instead.
    pub fn wanted(&self, model: &ModelDescriptor, syntax: &impl Syntax) -> Result<Wanted, NotLowered> {
        let filter = self.lower(model)?;
        let is_related = !filter.navigations().is_empty();
        let filter = match only_of(model) {
            Some(only) if !is_related => Filter::all_of(vec![only, filter]),
            _ => filter,
        };
        if filter.is_never() {
            return Ok(Wanted::Nothing);
        }
        if filter.is_always() {
            return Ok(Wanted::Everything);
        }
        let refused = |why| NotLowered::of(Why::Dialect(why), model, self);
        let text = filter.print(syntax, |name| operand(model, self, name)).map_err(refused)?;
        let expand = filter.navigations().first().map(|navigation| (*navigation).to_owned());
        Ok(Wanted::Where(Where { filter: text, expand, leaves_out_only: is_related && model.only.is_some() }))
    }
}

/// What a printer must know of an attribute of the model, or of a related record's `navigation/Attribute`.
fn operand(model: &ModelDescriptor, condition: &Condition, name: &str) -> Option<Operand<'static>> {
    let Some((navigation, name)) = name.split_once('/') else {
        return known(model, name).as_ref().map(Operand::from);
    };
    let mut found = None;
    condition.each_relation(&mut |field, RelatedModel(other)| {
        let lookup = column(model, field).and_then(|column| attribute(model, column));
        let leads = lookup.is_ok_and(|lookup| lookup.navigations.contains(&(other.entity.logical, navigation)));
        if leads {
            found = found.or(known(other, name).as_ref().map(Operand::from));
        }
    });
    found
}

/// An attribute of a model, its key, or one of the engine's.
fn known(model: &ModelDescriptor, name: &str) -> Option<Attribute> {
    if name == model.entity.key {
        return Some(Attribute::new(model.entity.key, Kind::Guid));
    }
    let columns = || model.columns.iter().filter_map(|column| attribute(model, column).ok());
    model.attribute(name).copied().or_else(|| columns().find(|attribute| attribute.name == name))
}

/// The attribute by which CDMS orders records by a field.
///
/// # Errors
///
/// CDMS cannot order by the field: it is local or joined, or CDMS orders its values by something else, such as labels.
pub fn attribute_of_order(model: &ModelDescriptor, field: &str) -> Result<&'static str, NotLowered> {
    let found = column(model, field).and_then(|column| {
        let attribute = attribute(model, column)?;
        // How CRM 2011 writes an order by the amount of a money attribute is not known for certain.
        if !has_order(attribute.kind) || attribute.kind == Kind::Money {
            return Err(Why::NoOrder { field: column.field, kind: attribute.kind });
        }
        Ok(attribute.name)
    });
    found.map_err(|why| NotLowered::of_order(why, model, field))
}
