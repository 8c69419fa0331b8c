//! The Diesel table of a model.

use cdms_odata::Kind;
use datahub_model::conversion::DECIMAL_SCALE;
use datahub_model::source::{Faulty, ResolvedColumn, ResolvedSource, Shape};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};
use syn::Attribute;
use syn::ext::IdentExt;

use super::resolved::{Resolved, shape_of};
use crate::field_type;
use crate::shown::Words;
use crate::synced::{Model, ModelField};

/// A column of the table.
pub(super) struct Column<'m> {
    pub(super) name: &'m str,
    pub(super) is_key: bool,
    kind: Kind,
    /// The digits of a decimal after the point.
    scale: Option<u32>,
    is_nullable: bool,
    field: &'m ModelField,
}

impl<'m> Column<'m> {
    fn of(column: &'m ResolvedColumn, field: &'m ModelField) -> Self {
        let ResolvedColumn { name, kind, scale, nullable, source, .. } = column;
        Column {
            name,
            is_key: *source == ResolvedSource::Key,
            kind: *kind,
            scale: *scale,
            is_nullable: *nullable,
            field,
        }
    }

    /// The columns of all fields.
    pub(super) fn all(resolved: &Resolved<'m>) -> Vec<Self> {
        let fields = resolved.fields.iter();
        fields
            .flat_map(|(field, shape)| at(shape, resolved.columns).iter().map(|column| Column::of(column, field)))
            .collect()
    }

    /// Whether its SQL type is one of the runtime's, which Diesel does not know.
    pub(super) fn is_of_our_type(&self) -> bool {
        match self.kind {
            Kind::Guid | Kind::Lookup | Kind::DateTime | Kind::Money | Kind::Decimal => true,
            Kind::String | Kind::Integer | Kind::BigInt | Kind::Double | Kind::Boolean | Kind::Date => false,
            Kind::Choice | Kind::State | Kind::Status => false,
        }
    }

    /// The columns of a faulty model's fields; for a field that could not be resolved, a guess from its type, so that code that
    /// names the column still compiles.
    pub(super) fn guessed(model: &'m Model<'_>, faulty: &'m Faulty<Words>) -> Vec<Self> {
        let columns = model.fields.iter().flat_map(|field| match shape_of(faulty, field) {
            Some(shape) => at(shape, &faulty.columns).iter().map(|column| Column::of(column, field)).collect(),
            None => {
                let unresolved = faulty.unresolved.iter().filter(|(name, _)| field.ident.unraw() == name);
                let (kind, is_nullable) = (field_type::guessed_kind(&field.ty), field_type::is_option(&field.ty));
                let column = |name| Column { name, is_key: false, kind, scale: None, is_nullable, field };
                unresolved.map(|(_, name)| column(name)).collect::<Vec<_>>()
            }
        });
        columns.collect()
    }
}

/// The columns of a shape.
fn at<'m>(shape: &Shape, columns: &'m [ResolvedColumn]) -> &'m [ResolvedColumn] {
    match shape {
        Shape::Key(at) | Shape::Column(at) => &columns[*at..=*at],
        Shape::Group { first, members } => &columns[*first..first + members.len()],
    }
}

/// `diesel::table!` in a module of its own, so that lints about it stay there; the table has the struct's visibility.
pub(super) fn table(model: &Model<'_>, table: &str, columns: &[Column<'_>]) -> TokenStream {
    let visibility = &model.item.vis;
    let hidden = format_ident!("__datahub_table_{}", table);
    let table = ident(table);
    // A faulty model may have no key, but Diesel's table must have one.
    let key = columns.iter().find(|column| column.is_key).or(columns.first()).map(|column| ident(column.name));
    let docs = docs(&model.item.attrs);
    let krate = &model.krate;
    let columns = columns.iter().map(|column| {
        let (name, docs) = (ident(column.name), &column.field.docs);
        let sql_type = sql_type(column);
        quote! { #(#docs)* #name -> #sql_type, }
    });
    quote! {
        #[allow(missing_docs, unreachable_pub, unused_imports, dead_code)]
        mod #hidden {
            ::diesel::table! {
                // Names that Diesel needs, for modules that have no prelude.
                use ::core::prelude::v1::{Clone, Copy, Debug, Default, Ok, derive};
                use ::diesel::sql_types::{BigInt, Bool, Date, Double, Integer, Nullable, Text};
                use #krate::sql_types::{Decimal, Guid, Instant, Money};

                #(#docs)*
                #table (#key) {
                    #(#columns)*
                }
            }
        }
        #[allow(unused_imports)]
        #visibility use #hidden::#table;
    }
}

/// The doc comments among an item's or a field's attributes.
pub(crate) fn docs(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).cloned().collect()
}

/// The SQL type of a column, by the name under which the table imports it.
fn sql_type(column: &Column<'_>) -> TokenStream {
    let sql_type = match column.kind {
        Kind::String => quote!(Text),
        Kind::Integer | Kind::Choice | Kind::State | Kind::Status => quote!(Integer),
        Kind::BigInt => quote!(BigInt),
        Kind::Double => quote!(Double),
        Kind::Boolean => quote!(Bool),
        Kind::Date => quote!(Date),
        Kind::Guid | Kind::Lookup => quote!(Guid),
        Kind::DateTime => quote!(Instant),
        Kind::Money => quote!(Money),
        Kind::Decimal => {
            let scale = Literal::u32_unsuffixed(column.scale.unwrap_or(DECIMAL_SCALE));
            quote!(Decimal<#scale>)
        }
    };
    if column.is_nullable { quote!(Nullable<#sql_type>) } else { sql_type }
}

pub(super) fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}
