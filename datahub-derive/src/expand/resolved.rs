//! The fields of a model as resolved: all of them, or the fields without faults of a faulty model.

use datahub_model::source::{Contract, ContractAttribute, Faulty, Mapping, ResolvedColumn, ResolvedSource, Shape};
use proc_macro2::Ident;
use syn::ext::IdentExt;

use crate::shown::Words;
use crate::synced::{Model, ModelField};

pub(super) struct Resolved<'m> {
    /// The model's name.
    pub(super) name: &'m Ident,
    pub(super) contract: &'m Contract,
    /// The columns, which shapes name by their positions.
    pub(super) columns: &'m [ResolvedColumn],
    /// The attributes behind them.
    pub(super) attributes: &'m [ContractAttribute],
    /// The fields in the struct's order.
    pub(super) fields: Vec<(&'m ModelField, &'m Shape)>,
}

impl<'m> Resolved<'m> {
    /// All fields of a model.
    pub(super) fn whole(model: &'m Model<'_>, mapping: &'m Mapping) -> Self {
        let Mapping { contract, columns, attributes, fields, .. } = mapping;
        let fields = model.fields.iter().zip(fields.iter().map(|field| &field.shape)).collect();
        Resolved { name: &model.item.ident, contract, columns, attributes, fields }
    }

    /// The fields of a faulty model of which everything is known that the compiler checks.
    pub(super) fn partly(model: &'m Model<'_>, contract: &'m Contract, faulty: &'m Faulty<Words>) -> Self {
        let Faulty { columns, attributes, .. } = faulty;
        let is_sound = |field: &ModelField, shape: &Shape| {
            let is_unconverted = match shape {
                Shape::Column(column) => matches!(columns[*column].source, ResolvedSource::Joined { .. }),
                Shape::Key(_) | Shape::Group { .. } => false,
            };
            !(field.is_faulty || (is_unconverted && field.with.is_none()))
        };
        let fields = model.fields.iter().filter_map(|field| Some((field, shape_of(faulty, field)?)));
        let fields = fields.filter(|(field, shape)| is_sound(field, shape)).collect();
        Resolved { name: &model.item.ident, contract, columns, attributes, fields }
    }

    /// The key's field.
    pub(super) fn key(&self) -> Option<&'m Ident> {
        let mut fields = self.fields.iter();
        fields.find(|(_, shape)| matches!(shape, Shape::Key(_))).map(|(field, _)| &field.ident)
    }
}

/// The shape of a field of a faulty model, if it is known.
pub(super) fn shape_of<'f>(faulty: &'f Faulty<Words>, field: &ModelField) -> Option<&'f Shape> {
    let mut known = faulty.fields.iter();
    known.find(|known| field.ident == known.name || field.ident.unraw() == known.name).map(|known| &known.shape)
}
