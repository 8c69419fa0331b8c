//! The static descriptor of a model.

use datahub_model::source::{
    ConstantValue, ContractAttribute, Mapping, OnlyCondition, OnlyValue, ResolvedColumn, ResolvedSource, Shape,
};
use datahub_model::{Class, EngineAttribute, Mode, Write};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Path;

use super::checks::kind_of;
use crate::synced::{Default, Model, ModelField};

pub(super) fn descriptor(model: &Model<'_>, mapping: &Mapping) -> TokenStream {
    let krate = &model.krate;
    let Mapping { name, table, contract, mapping_id, .. } = mapping;
    let mode = match mapping.mode {
        Mode::Sync => quote!(Sync),
        Mode::Mirror => quote!(Mirror),
    };
    let (entity, set, key, logical) = (&contract.entity, &contract.set, &contract.key, &contract.logical);
    let (modified, created, modified_by) = (&contract.modified, &contract.created, &contract.modified_by);
    let attributes = mapping.attributes.iter().map(|attribute| self::attribute(krate, attribute));
    let columns = mapping.columns.iter().enumerate().map(|(position, column)| {
        let field = model.fields.iter().zip(&mapping.fields).find(|(_, resolved)| match resolved.shape {
            Shape::Key(at) | Shape::Column(at) => at == position,
            Shape::Group { .. } => false,
        });
        self::column(krate, column, field.map(|(field, _)| field))
    });
    let constants = mapping.constants.iter().map(|constant| {
        let name = &constant.attribute;
        let kind = contract.attribute(name).map(|attribute| attribute.kind);
        let value = constant_value(krate, &constant.value, kind);
        quote!((#name, #value))
    });
    let only = match &mapping.only {
        None => quote!(#krate::private::Option::None),
        Some(only) => {
            let condition = condition(krate, only);
            quote!(#krate::private::Option::Some(&#condition))
        }
    };
    quote! {
        #krate::private::ModelDescriptor {
            name: #name,
            table: #table,
            mode: #krate::private::Mode::#mode,
            entity: #krate::private::Entity {
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
            mapping_id: #krate::private::MappingId(#mapping_id),
        }
    }
}

/// An attribute: its name and kind, and only what is stated beside them.
fn attribute(krate: &Path, attribute: &ContractAttribute) -> TokenStream {
    let ContractAttribute { name, kind, required, read_only, max_length, scale, zone, choices, targets, class, .. } =
        attribute;
    let kind = kind_of(krate, *kind);
    let mut tokens = quote!(#krate::private::Attribute::new(#name, #kind));
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
        Class::Personal => tokens.extend(quote!(.class(#krate::private::Class::Personal))),
        Class::Secret => tokens.extend(quote!(.class(#krate::private::Class::Secret))),
    }
    tokens
}

fn column(krate: &Path, column: &ResolvedColumn, field: Option<&ModelField>) -> TokenStream {
    let ResolvedColumn { name, field: path, kind, nullable, scale, source } = column;
    let kind = kind_of(krate, *kind);
    let source = self::source(krate, source, field);
    let path = if name == path { quote!(#name) } else { quote!(#path) };
    let mut tokens = quote!(#krate::private::Column::new(#name, #path, #kind, #source));
    if *nullable {
        tokens.extend(quote!(.nullable()));
    }
    if let Some(scale) = scale {
        tokens.extend(quote!(.scale(#scale)));
    }
    tokens
}

fn source(krate: &Path, source: &ResolvedSource, field: Option<&ModelField>) -> TokenStream {
    let path = quote!(#krate::private::Source);
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
            quote!(#path::Engine(#krate::private::EngineAttribute::#engine))
        }
        ResolvedSource::Attribute { attribute, write, .. } => {
            let write = self::write(krate, *write);
            let target = match ty {
                Some(ty) => quote!(<#ty as #krate::FieldType>::TARGET),
                None => quote!(#krate::private::Option::None),
            };
            let default = match field.and_then(|field| field.default.as_ref()) {
                None => quote!(#krate::private::Option::None),
                Some(default) => {
                    let value = self::default(default);
                    quote!(#krate::private::Option::Some(|| #krate::private::default_value::<#ty>(#value)))
                }
            };
            quote!(#path::Attribute { attribute: #attribute, target: #target, default: #default, write: #write })
        }
        ResolvedSource::Joined { attributes, write } => {
            let write = self::write(krate, *write);
            let with = field.and_then(|field| field.with.as_ref());
            quote! {
                #path::Joined {
                    attributes: &[#(#attributes),*],
                    decode: |attributes| #krate::private::joined::<#ty>(#with::decode, attributes),
                    encode: |value, seen| #krate::private::parted::<#ty>(#with::encode, value, seen),
                    write: #write,
                }
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

fn write(krate: &Path, write: Write) -> TokenStream {
    let write = match write {
        Write::Always => format_ident!("Always"),
        Write::CreateOnly => format_ident!("CreateOnly"),
        Write::Never => format_ident!("Never"),
    };
    quote!(#krate::private::Write::#write)
}

fn constant_value(krate: &Path, value: &ConstantValue, kind: Option<cdms_odata::Kind>) -> TokenStream {
    let literal = match value {
        ConstantValue::Text(text) => return quote!(#krate::private::Constant::Text(#text)),
        ConstantValue::Boolean(value) => quote!(Boolean(#value)),
        ConstantValue::Integer(number) => {
            // The contract's check let only numbers through that fit.
            let number = i32::try_from(*number).unwrap_or_default();
            if kind == Some(cdms_odata::Kind::Integer) { quote!(Integer(#number)) } else { quote!(Choice(#number)) }
        }
    };
    quote!(#krate::private::Constant::Fixed(#krate::private::Literal::#literal))
}

fn condition(krate: &Path, only: &OnlyCondition) -> TokenStream {
    let path = quote!(#krate::private::Condition);
    match only {
        OnlyCondition::All(parts) => {
            let parts = parts.iter().map(|part| condition(krate, part));
            quote!(#path::All(&[#(#parts),*]))
        }
        OnlyCondition::Any(parts) => {
            let parts = parts.iter().map(|part| condition(krate, part));
            quote!(#path::Any(&[#(#parts),*]))
        }
        OnlyCondition::Not(part) => {
            let part = condition(krate, part);
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
                    operator: #krate::private::Comparison::#operator,
                    value: #krate::private::Literal::#literal,
                }
            }
        }
    }
}
