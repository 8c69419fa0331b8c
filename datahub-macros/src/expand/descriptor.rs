//! The static descriptor of a model.

use datahub_model::source::{
    ConstantValue, ContractAttribute, Mapping, OnlyCondition, OnlyValue, ResolvedColumn, ResolvedSource, Shape,
};
use datahub_model::{Class, EngineAttribute, Mode, Write};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::checks::kind_of;
use crate::synced::{Default, Model, ModelField};

pub(super) fn descriptor(model: &Model<'_>, mapping: &Mapping) -> TokenStream {
    let Mapping { name, table, contract, mapping_id, .. } = mapping;
    let mode = match mapping.mode {
        Mode::Sync => quote!(Sync),
        Mode::Mirror => quote!(Mirror),
        Mode::Detached => quote!(Detached),
    };
    let (entity, set, key, logical) = (&contract.entity, &contract.set, &contract.key, &contract.logical);
    let (modified, created, modified_by) = (&contract.modified, &contract.created, &contract.modified_by);
    let attributes = mapping.attributes.iter().map(self::attribute);
    let columns = mapping.columns.iter().enumerate().map(|(position, column)| {
        let field = model.fields.iter().zip(&mapping.fields).find(|(_, resolved)| match resolved.shape {
            Shape::Key(at) | Shape::Column(at) => at == position,
            Shape::Group { .. } => false,
        });
        self::column(column, field.map(|(field, _)| field))
    });
    let constants = mapping.constants.iter().map(|constant| {
        let name = &constant.attribute;
        let kind = contract.attribute(name).map(|attribute| attribute.kind);
        let value = constant_value(&constant.value, kind);
        quote!((#name, #value))
    });
    let only = match &mapping.only {
        None => quote!(__datahub::Option::None),
        Some(only) => {
            let condition = condition(only);
            quote!(__datahub::Option::Some(&#condition))
        }
    };
    quote! {
        __datahub::ModelDescriptor {
            name: #name,
            table: #table,
            mode: __datahub::Mode::#mode,
            entity: __datahub::Entity {
                name: #entity,
                set: #set,
                key: #key,
                logical: #logical,
                modified: #modified,
                created: #created,
                modified_by: #modified_by,
            },
            attributes: &[#(#attributes),*],
            columns: &[#(#columns),*],
            constants: &[#(#constants),*],
            only: #only,
            mapping_id: __datahub::MappingId(#mapping_id),
            through: __datahub::through::<Self>,
        }
    }
}

/// An attribute: its name and kind, and only what is stated beside them.
fn attribute(attribute: &ContractAttribute) -> TokenStream {
    let ContractAttribute { name, kind, required, read_only, max_length, scale, zone, choices, targets, class, .. } =
        attribute;
    let kind = kind_of(*kind);
    let mut tokens = quote!(__datahub::Attribute::new(#name, #kind));
    if *required {
        tokens.extend(quote!(.required()));
    }
    if *read_only {
        tokens.extend(quote!(.read_only()));
    }
    if let Some(length) = max_length {
        tokens.extend(quote!(.max_length(#length)));
    }
    if let Some(scale) = scale {
        tokens.extend(quote!(.scale(#scale)));
    }
    if let Some(zone) = zone {
        tokens.extend(quote!(.zone(#zone)));
    }
    if !choices.is_empty() {
        let choices = choices.iter().map(|(name, number)| quote!((#name, #number)));
        tokens.extend(quote!(.choices(&[#(#choices),*])));
    }
    if !targets.is_empty() {
        tokens.extend(quote!(.targets(&[#(#targets),*])));
    }
    match class {
        Class::Public => {}
        Class::Personal => tokens.extend(quote!(.class(__datahub::Class::Personal))),
        Class::Secret => tokens.extend(quote!(.class(__datahub::Class::Secret))),
    }
    tokens
}

fn column(column: &ResolvedColumn, field: Option<&ModelField>) -> TokenStream {
    let ResolvedColumn { name, field: path, kind, nullable, scale, was, source } = column;
    let source = self::source(*kind, source, field);
    let kind = kind_of(*kind);
    let path = if name == path { quote!(#name) } else { quote!(#path) };
    let mut tokens = quote!(__datahub::Column::new(#name, #path, #kind, #source));
    if *nullable {
        tokens.extend(quote!(.nullable()));
    }
    if let Some(scale) = scale {
        tokens.extend(quote!(.scale(#scale)));
    }
    if let Some(was) = was {
        tokens.extend(quote!(.was(#was)));
    }
    tokens
}

fn source(kind: cdms_odata::Kind, source: &ResolvedSource, field: Option<&ModelField>) -> TokenStream {
    let path = quote!(__datahub::Source);
    let ty = field.map(|field| &field.ty);
    match source {
        ResolvedSource::Key => quote!(#path::Key),
        ResolvedSource::Local => quote!(#path::Local),
        ResolvedSource::Engine(engine) => {
            let engine = match engine {
                EngineAttribute::Modified => quote!(Modified),
                EngineAttribute::Created => quote!(Created),
                EngineAttribute::ModifiedBy => quote!(ModifiedBy),
            };
            quote!(#path::Engine(__datahub::EngineAttribute::#engine))
        }
        ResolvedSource::Attribute { attribute, write, .. } => {
            let mut tokens = quote!(#path::attribute(#attribute));
            if let (Some(ty), cdms_odata::Kind::Lookup) = (ty, kind) {
                tokens.extend(quote!(.pointing_to(<#ty as __datahub::FieldType>::TARGET)));
            }
            if let Some(default) = field.and_then(|field| field.default.as_ref()) {
                let value = self::default(default);
                tokens.extend(quote!(.or(|| __datahub::default_value::<#ty>(#value))));
            }
            tokens.extend(self::write(*write));
            tokens
        }
        ResolvedSource::Joined { attributes, write } => {
            let write = self::write(*write);
            let with = field.and_then(|field| field.with.as_ref());
            // On the module's word, where a function is not what it must be.
            let span = with.map_or_else(Span::call_site, Spanned::span);
            let (decode, encode) = (quote_spanned!(span => #with::decode), quote_spanned!(span => #with::encode));
            quote! {
                #path::Joined {
                    attributes: &[#(#attributes),*],
                    decode: |__attributes| __datahub::joined::<#ty>(#decode, __attributes),
                    encode: |__value, __seen| __datahub::parted::<#ty>(#encode, __value, __seen),
                    write: __datahub::Write::Always,
                }
                #write
            }
        }
    }
}

fn default(default: &Default) -> TokenStream {
    match default {
        Default::OfType => quote!(::core::default::Default::default()),
        Default::Expression(expression) => {
            let is_text = matches!(expression, syn::Expr::Lit(literal) if matches!(literal.lit, syn::Lit::Str(_)));
            if is_text { quote!(::core::convert::From::from(#expression)) } else { quote!(#expression) }
        }
    }
}

/// What is to be said of when a field is sent, where that is not always.
fn write(write: Write) -> TokenStream {
    match write {
        Write::Always => TokenStream::new(),
        Write::CreateOnly => quote!(.written(__datahub::Write::CreateOnly)),
        Write::Never => quote!(.written(__datahub::Write::Never)),
    }
}

fn constant_value(value: &ConstantValue, kind: Option<cdms_odata::Kind>) -> TokenStream {
    let literal = match value {
        ConstantValue::Text(text) => return quote!(__datahub::Constant::Text(#text)),
        ConstantValue::Boolean(value) => quote!(Boolean(#value)),
        ConstantValue::Integer(number) => {
            // The contract's check let only numbers through that fit.
            let number = i32::try_from(*number).unwrap_or_default();
            if kind == Some(cdms_odata::Kind::Integer) { quote!(Integer(#number)) } else { quote!(Choice(#number)) }
        }
    };
    quote!(__datahub::Constant::Fixed(__datahub::Literal::#literal))
}

fn condition(only: &OnlyCondition) -> TokenStream {
    let path = quote!(__datahub::Condition);
    match only {
        OnlyCondition::All(parts) => {
            let parts = parts.iter().map(condition);
            quote!(#path::All(&[#(#parts),*]))
        }
        OnlyCondition::Any(parts) => {
            let parts = parts.iter().map(condition);
            quote!(#path::Any(&[#(#parts),*]))
        }
        OnlyCondition::Not(part) => {
            let part = condition(part);
            quote!(#path::Not(&#part))
        }
        OnlyCondition::Compare { attribute, operator, value } => {
            let operator = format_ident!("{}", format!("{operator:?}"));
            let literal = match value {
                OnlyValue::Null => quote!(Null),
                OnlyValue::Text(text) => quote!(Text(#text)),
                OnlyValue::Integer(number) => quote!(Integer(#number)),
                OnlyValue::Boolean(value) => quote!(Boolean(#value)),
                OnlyValue::Choice(option) => quote!(Choice(#option)),
                OnlyValue::Guid(id) => quote!(Guid(#id)),
                OnlyValue::Lookup(logical, id) => quote!(Lookup(#logical, #id)),
                OnlyValue::Instant(ms) => quote!(Instant(#ms)),
            };
            quote! {
                #path::Compare {
                    attribute: #attribute,
                    operator: __datahub::Comparison::#operator,
                    value: __datahub::Literal::#literal,
                }
            }
        }
    }
}
