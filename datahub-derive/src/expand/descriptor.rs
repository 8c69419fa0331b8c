//! The static descriptor of a model.

use datahub_model::source::{ConstantValue, ContractAttribute, Mapping, ResolvedColumn, ResolvedSource, Shape};
use datahub_model::{Class, EngineAttribute, Filter, Mode, Write};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::checks::{kind_of, of_type};
use super::resolved::Resolved;
use crate::attribute::literal_text;
use crate::synced::{Default, ModelField};

pub(super) fn descriptor(resolved: &Resolved<'_>, mapping: &Mapping, epoch: u32) -> TokenStream {
    let Mapping { name, table, contract, mapping_id, .. } = mapping;
    let mode = match mapping.mode {
        Mode::Sync => quote!(Sync),
        Mode::Mirror => quote!(Mirror),
        Mode::Detached => quote!(Detached),
    };
    let (entity, set, key, logical) = (&contract.entity, &contract.set, &contract.key, &contract.logical);
    let (modified, created, modified_by) = (&contract.modified, &contract.created, &contract.modified_by);
    let attributes = mapping.attributes.iter().map(self::attribute);
    let captured = mapping.captured.iter().map(self::attribute);
    let columns = columns(resolved);
    let constants = mapping.constants.iter().map(|constant| {
        let name = &constant.attribute;
        let kind = contract.attribute(name).map(|attribute| attribute.kind);
        let value = constant_value(&constant.value, kind);
        quote!((#name, #value))
    });
    let groups = resolved.fields.iter().filter(|(_, shape)| matches!(shape, Shape::Group { .. }));
    let mapping_id = groups.fold(quote!(__v1::MappingId(#mapping_id)), |id, (field, _)| {
        // The derive of the group knows its members, so their part of the hash comes from there.
        let ty = of_type(&field.ident);
        quote!(#ty.identify(#id))
    });
    let only = match &mapping.only {
        None => quote!(__v1::Option::None),
        Some(only) => {
            let filter = filter(only);
            quote!(__v1::Option::Some(&#filter))
        }
    };
    quote! {
        __v1::ModelDescriptor {
            name: #name,
            table: #table,
            mode: __v1::Mode::#mode,
            entity: __v1::Entity {
                name: #entity,
                set: #set,
                key: #key,
                logical: #logical,
                modified: #modified,
                created: #created,
                modified_by: #modified_by,
            },
            attributes: &[#(#attributes),*],
            captured: &[#(#captured),*],
            columns: &[#(#columns),*],
            constants: &[#(#constants),*],
            only: #only,
            mapping_id: #mapping_id,
            epoch: #epoch,
        }
    }
}

/// The columns of the fields.
pub(super) fn columns(resolved: &Resolved<'_>) -> Vec<TokenStream> {
    let columns = resolved.columns.iter().enumerate();
    let columns = columns.filter_map(|(position, column)| {
        let (field, shape) = resolved.fields.iter().find(|(_, shape)| match shape {
            Shape::Key(at) | Shape::Column(at) => *at == position,
            Shape::Group { first, members } => (*first..first + members.len()).contains(&position),
        })?;
        Some(self::column(resolved, column, field, member(shape, position)))
    });
    columns.collect()
}

/// The key of the member at a column, if the field is a group.
fn member(shape: &Shape, position: usize) -> Option<&str> {
    match shape {
        Shape::Group { first, members } => members.get(position - first).map(String::as_str),
        Shape::Key(_) | Shape::Column(_) => None,
    }
}

/// An attribute: its name and kind, and only what else is stated.
fn attribute(attribute: &ContractAttribute) -> TokenStream {
    let ContractAttribute {
        name,
        kind,
        required,
        read_only,
        max_length,
        scale,
        zone,
        choices,
        targets,
        navigations,
        class,
        ..
    } = attribute;
    let kind = kind_of(*kind);
    let mut tokens = quote!(__v1::Attribute::new(#name, #kind));
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
    if !navigations.is_empty() {
        let navigations = navigations.iter().map(|(target, name)| quote!((#target, #name)));
        tokens.extend(quote!(.navigations(&[#(#navigations),*])));
    }
    match class {
        Class::Public => {}
        Class::Personal => tokens.extend(quote!(.class(__v1::Class::Personal))),
        Class::Secret => tokens.extend(quote!(.class(__v1::Class::Secret))),
    }
    tokens
}

fn column(resolved: &Resolved<'_>, column: &ResolvedColumn, field: &ModelField, member: Option<&str>) -> TokenStream {
    let ResolvedColumn { name, field: path, kind, nullable, scale, was, class, reference, .. } = column;
    let source = self::source(resolved, reference.is_some(), &column.source, field, member);
    let kind = kind_of(*kind);
    let mut tokens = quote!(__v1::Column::new(#name, #kind, #source));
    if name != path {
        tokens.extend(quote!(.field(#path)));
    }
    if *nullable {
        tokens.extend(quote!(.nullable()));
    }
    if let Some(scale) = scale {
        tokens.extend(quote!(.scale(#scale)));
    }
    if let Some(was) = was {
        tokens.extend(quote!(.was(#was)));
    }
    if let Some(class) = class {
        let class = format_ident!("{}", format!("{class:?}"));
        tokens.extend(quote!(.class(__v1::Class::#class)));
    }
    let ty = of_type(&field.ident);
    match (&column.source, member, &field.default) {
        (ResolvedSource::Key, ..) | (ResolvedSource::Local, _, None) => {}
        (ResolvedSource::Local, _, Some(default)) => {
            let default = once(&ty, default);
            tokens.extend(quote!(.beginning(#default)));
        }
        (_, Some(member), _) => tokens.extend(quote!(.through(#ty.through(#member)))),
        (_, None, _) => tokens.extend(quote!(.through(#ty.through))),
    }
    tokens
}

fn source(
    resolved: &Resolved<'_>,
    is_reference: bool,
    source: &ResolvedSource,
    field: &ModelField,
    member: Option<&str>,
) -> TokenStream {
    let (path, ty) = (quote!(__v1::Source), of_type(&field.ident));
    match source {
        ResolvedSource::Key => quote!(#path::Key),
        ResolvedSource::Local => quote!(#path::Local),
        ResolvedSource::Engine(engine) => {
            let engine = match engine {
                EngineAttribute::Modified => quote!(Modified),
                EngineAttribute::Created => quote!(Created),
                EngineAttribute::ModifiedBy => quote!(ModifiedBy),
            };
            quote!(#path::Engine(__v1::EngineAttribute::#engine))
        }
        ResolvedSource::Attribute { attribute, write, .. } => {
            let place = resolved.attributes.iter().position(|known| known.name == *attribute);
            let place = Literal::usize_unsuffixed(place.unwrap_or_default());
            let mut tokens = quote!(#path::attribute_near(#attribute, #place));
            match (member, &field.default) {
                (Some(member), _) => tokens = quote!(#ty.source(#attribute, #place, #member)),
                (None, default) => {
                    if is_reference {
                        tokens.extend(quote!(.pointing_to(#ty.targets)));
                    }
                    if let Some(default) = default {
                        let default = once(&ty, default);
                        tokens.extend(quote!(.or(#default)));
                    }
                }
            }
            tokens.extend(self::write(*write));
            tokens
        }
        ResolvedSource::Joined { attributes, write } => {
            let write = self::write(*write);
            let with = &field.with;
            // A function with a wrong signature is reported on the module's name.
            let span = with.as_ref().map_or_else(Span::call_site, Spanned::span);
            let (decode, encode) = (quote_spanned!(span => #with::decode), quote_spanned!(span => #with::encode));
            quote! {
                #path::Joined {
                    attributes: &[#(#attributes),*],
                    decode: |__attributes| __v1::joined(&#ty, #decode, __attributes),
                    encode: |__value, __seen| __v1::parted(&#ty.of(__value)?, #encode, __seen),
                    write: __v1::Write::Always,
                }
                #write
            }
        }
    }
}

/// A function that returns a default's value, which is computed only once: a default is one value, even if its expression would
/// return another one later.
pub(crate) fn once(ty: &Ident, default: &Default) -> TokenStream {
    let default = match default {
        Default::OfType(span) => {
            // At the word's place, but as the derive's own code, so that no lint is reported for it.
            let span = Span::call_site().located_at(*span);
            quote_spanned!(span => ::core::default::Default::default())
        }
        Default::Expression(expression) => match literal_text(expression) {
            Some(text) => quote!(::core::convert::From::from(#text)),
            None => quote!(#expression),
        },
    };
    quote! {
        || {
            static __DEFAULT: __v1::Default = __v1::Default::new(|| #ty.value(#default));
            ::core::clone::Clone::clone(&*__DEFAULT)
        }
    }
}

/// When a field is sent, if that is not always.
fn write(write: Write) -> TokenStream {
    match write {
        Write::Always => TokenStream::new(),
        Write::CreateOnly => quote!(.written(__v1::Write::CreateOnly)),
        Write::Never => quote!(.written(__v1::Write::Never)),
    }
}

fn constant_value(value: &ConstantValue, kind: Option<cdms_odata::Kind>) -> TokenStream {
    let literal = match value {
        ConstantValue::Text(text) => return quote!(__v1::Constant::Text(#text)),
        ConstantValue::Boolean(value) => quote!(Boolean(#value)),
        ConstantValue::Integer(number) => {
            if kind == Some(cdms_odata::Kind::Integer) {
                quote!(Integer(#number))
            } else {
                quote!(Choice(#number))
            }
        }
    };
    quote!(__v1::Constant::Fixed(__v1::Literal::#literal))
}

/// A filter in a static, without a call, so that what it refers to is static too.
fn filter(filter: &Filter) -> TokenStream {
    let (path, fixed) = (quote!(__v1::Filter), quote!(__v1::MaybeStatic::Static));
    match filter {
        Filter::All(parts) => {
            let parts = parts.iter().map(self::filter);
            quote!(#path::All(#fixed(&[#(#parts),*])))
        }
        Filter::Any(parts) => {
            let parts = parts.iter().map(self::filter);
            quote!(#path::Any(#fixed(&[#(#parts),*])))
        }
        Filter::Not(part) => {
            let part = self::filter(part);
            quote!(#path::Not(#fixed(&#part)))
        }
        Filter::Compare { attribute, operator, value } => {
            let attribute = &**attribute;
            let operator = format_ident!("{}", format!("{operator:?}"));
            let literal = literal(value);
            quote! {
                #path::Compare {
                    attribute: #fixed(#attribute),
                    operator: __v1::Comparison::#operator,
                    value: __v1::Literal::#literal,
                }
            }
        }
        Filter::Text { attribute, matching, text } => {
            let (attribute, text) = (&**attribute, &**text);
            let matching = format_ident!("{}", format!("{matching:?}"));
            quote! {
                #path::Text {
                    attribute: #fixed(#attribute),
                    matching: __v1::Matching::#matching,
                    text: #fixed(#text),
                }
            }
        }
        Filter::Part { attribute, part, operator, value } => {
            let attribute = &**attribute;
            let (part, operator) =
                (format_ident!("{}", format!("{part:?}")), format_ident!("{}", format!("{operator:?}")));
            quote! {
                #path::Part {
                    attribute: #fixed(#attribute),
                    part: __v1::CalendarPart::#part,
                    operator: __v1::Comparison::#operator,
                    value: #value,
                }
            }
        }
        Filter::Related { lookup, navigation, filter } => {
            let (lookup, navigation, filter) = (&**lookup, &**navigation, self::filter(filter));
            quote!(#path::Related { lookup: #fixed(#lookup), navigation: #fixed(#navigation), filter: #fixed(&#filter) })
        }
    }
}

fn literal(literal: &datahub_model::Literal) -> TokenStream {
    use datahub_model::Literal;
    let fixed = quote!(__v1::MaybeStatic::Static);
    match literal {
        Literal::Null => quote!(Null),
        Literal::Text(text) => {
            let text = &**text;
            quote!(Text(#fixed(#text)))
        }
        Literal::Integer(number) => quote!(Integer(#number)),
        Literal::BigInt(number) => quote!(BigInt(#number)),
        Literal::Decimal(number, scale) => quote!(Decimal(#number, #scale)),
        Literal::Money(number, scale) => quote!(Money(#number, #scale)),
        Literal::Double(number) => quote!(Double(#number)),
        Literal::Boolean(value) => quote!(Boolean(#value)),
        Literal::Instant(ms) => quote!(Instant(#ms)),
        Literal::Date(days) => quote!(Date(#days)),
        Literal::Guid(id) => quote!(Guid(#id)),
        Literal::Choice(option) => quote!(Choice(#option)),
        Literal::Lookup(logical, id) => {
            let logical = &**logical;
            quote!(Lookup(#fixed(#logical), #id))
        }
    }
}
