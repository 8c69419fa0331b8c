//! `#[derive(CdmsSynced)]`: from a struct to annotations, a resolved mapping, and tokens.

use datahub_model::Mode;
#[cfg(feature = "tree")]
use datahub_model::diagnostic::Collected;
use datahub_model::diagnostic::{Code, Diagnostic};
use datahub_model::source::{
    DefaultValue, DieselGlue, EngineField, Faulty, FieldAnnotation, Mapping, ModelAnnotation, Placed, meant_mode,
    resolve, unknown_former_names,
};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Expr, Field, Fields, Ident, Lit, Path, Type, Visibility};

use crate::attribute::{self, Keys, Part, crate_path, fill, literal_text, parts, placed, text, unknown};
use crate::expand::{Partly, Stub};
use crate::field_type::{self, can_be_id_of, expression_without_self, is_opaque, is_option, spelled, ungrouped};
use crate::project::Package;
use crate::shown::{Diagnostics, Shown, Words, compile_errors};
use crate::source::{PackageItem, Source};
use crate::{expand, item};

/// The keys of a model.
const MODEL: Keys = Keys {
    here: &["mapping", "table", "was", "mode", "only", "diesel", "crate"],
    elsewhere: &[
        (&FIELD_KEYS, "it is a key of a field; write it on the field that it belongs to"),
        (&["insertable", "changeset"], "write `diesel(insertable, changeset)`"),
    ],
};

/// The keys of a model whose values are texts.
const TEXTS: [&str; 5] = ["mapping", "table", "was", "mode", "only"];

/// The keys of `diesel(…)`.
const DIESEL: Keys = Keys {
    here: &["insertable", "changeset", "table"],
    elsewhere: &[(
        &["mapping", "mode", "only", "crate"],
        "it is a key of the model; write it next to `diesel(…)`, not inside it",
    )],
};

/// The keys of a field.
const FIELD: Keys = Keys {
    here: &FIELD_KEYS,
    elsewhere: &[
        (
            &["mapping", "table", "mode", "only", "diesel", "crate", "insertable", "changeset"],
            "it is a key of the model; write it on the struct (the key for a column's name is `column`)",
        ),
        (&["other"], "it is a key of a variant of an enum that derives CdmsChoice"),
    ],
};

/// Examples of the attribute of a model, and of a field.
const MODEL_EXAMPLE: &str = "#[cdms(mapping = \"account.toml\", table = \"organisations\")]";
const FIELD_EXAMPLE: &str = "#[cdms(\"Name\")] or #[cdms(key, column = \"org_id\")]";

const FIELD_KEYS: [&str; 17] = [
    "attribute",
    "attributes",
    "with",
    "key",
    "modified",
    "created",
    "modified_by",
    "default",
    "read_only",
    "create_only",
    "flatten",
    "prefix",
    "local",
    "class",
    "sql_type",
    "column",
    "was",
];

/// The parts of the struct that the expansion needs.
#[derive(Clone)]
pub(crate) struct Model<'i> {
    pub(crate) item: &'i DeriveInput,
    pub(crate) krate: Path,
    pub(crate) diesel: DieselGlue<Words>,
    pub(crate) fields: Vec<ModelField>,
    /// The epoch of its table.
    pub(crate) epoch: u32,
}

/// A field's tokens.
#[derive(Clone)]
pub(crate) struct ModelField {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// Whether only the compiler knows if the type has a value for null.
    pub(crate) is_opaque: bool,
    pub(crate) with: Option<Path>,
    pub(crate) default: Option<Default>,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    /// Whether faults of it have been reported, so that the compiler does not check it.
    pub(crate) is_faulty: bool,
}

/// A default's tokens.
#[derive(Clone)]
pub(crate) enum Default {
    /// The default of the type, as the word at this place says.
    OfType(Span),
    Expression(Box<Expr>),
}

pub(crate) fn derive(item: TokenStream, package: &Package) -> TokenStream {
    let item = match item::read(item) {
        Ok(item) => item,
        Err(diagnostics) => return compile_errors(diagnostics),
    };
    let mut known = Stub::default();
    let (read, diagnostics) =
        Diagnostics::collect(|diagnostics| read(&item, package, &mut known, diagnostics)).into_parts();
    let expansion = match read {
        Some((model, mapping, tracking)) => expand::synced(&model, &mapping, &tracking),
        None => expand::stub(&item, known),
    };
    let errors = compile_errors(diagnostics);
    quote! { #errors #expansion }
}

/// What a struct maps, and the name of its contract, for those who need no code. Faults of the contract are among the
/// diagnostics if this item is the one to report them.
#[cfg(feature = "tree")]
pub(crate) fn mapping_of(item: &DeriveInput, package: &Package) -> Collected<Option<(Mapping, Option<String>)>, Shown> {
    Diagnostics::collect(|diagnostics| {
        let (_, mapping, _) = read(item, package, &mut Stub::default(), diagnostics)?;
        let contract = parts(&item.attrs, MODEL_EXAMPLE, diagnostics).into_iter().find_map(|part| match part {
            Part::Assigned(key, value) if key == "mapping" => literal_text(&value).map(|name| name.value()),
            _ => None,
        });
        Some((mapping, contract))
    })
}

fn read<'i>(
    item: &'i DeriveInput,
    package: &Package,
    known: &mut Stub<'i>,
    diagnostics: &mut Diagnostics,
) -> Option<(Model<'i>, Mapping, TokenStream)> {
    let (mut mapping, mut table, mut was, mut mode, mut only, mut diesel) = (None, None, None, None, None, None);
    let before = diagnostics.count();
    for part in parts(&item.attrs, MODEL_EXAMPLE, diagnostics) {
        match &part {
            Part::Assigned(key, value) if key == "crate" => {
                if let Some(path) = crate_path(value, diagnostics) {
                    fill(&mut known.krate, path, "crate", key.span(), diagnostics);
                }
            }
            Part::Assigned(key, value) if TEXTS.iter().any(|text| key == text) => {
                let slot = match key.to_string().as_str() {
                    "mapping" => &mut mapping,
                    "table" => &mut table,
                    "was" => &mut was,
                    "mode" => &mut mode,
                    _ => &mut only,
                };
                if let Some(text) = text(key, value, diagnostics) {
                    fill(slot, text, &key.to_string(), key.span(), diagnostics);
                }
            }
            Part::List(key, inside) if key == "diesel" => {
                let glue = diesel_keys(inside, diagnostics);
                fill(&mut diesel, glue, "diesel", key.span(), diagnostics);
            }
            other => unknown(other, &MODEL, diagnostics),
        }
    }
    let is_faulty = diagnostics.count() > before;
    known.table = table.as_ref().map(|table: &Placed<String, Words>| table.value.clone());
    if !item.generics.params.is_empty() {
        let message = "a model cannot have generic parameters, because it is one table";
        let fault = Diagnostic::of(Code::WrongValue, Words::of(&item.generics), message);
        diagnostics.push(fault.cure("write a model for each type, and a group of fields for what they share"));
    }
    let Data::Struct(data) = &item.data else {
        let fault = Diagnostic::of(Code::WrongValue, item.ident.span(), "a model must be a struct");
        diagnostics.push(fault.cure("derive CdmsChoice for an enum of options"));
        return None;
    };
    let Fields::Named(named) = &data.fields else {
        let fault = Diagnostic::of(Code::WrongValue, item.ident.span(), "a model must have named fields");
        diagnostics.push(fault.cure("write `struct Name { field: Type }`"));
        return None;
    };
    let read: Vec<_> = named.named.iter().filter_map(|field| read_field(&item.ident, field, diagnostics)).collect();
    let (annotations, fields) = read.into_iter().unzip();
    let detached = mode.as_ref().is_some_and(|mode| meant_mode(&mode.value) == Some(Mode::Detached));
    let detached_alone = detached && table.is_some();
    // If the contract is missing, a missing table is reported along with it.
    let is_unsaid = is_faulty || (mapping.is_none() && !detached_alone);
    let package_item = PackageItem { item: &item.ident, package };
    let source = match (mapping, &table) {
        (Some(mapping), _) => package_item.contract(&mapping, diagnostics),
        (None, Some(table)) if detached => package_item.without_cdms(table, diagnostics),
        _ => {
            let name = &item.ident;
            if !is_faulty {
                let message = format!("`{name}` is missing `mapping`");
                let cure = "add #[cdms(mapping = \"….toml\", table = \"…\")], or #[cdms(table = \"…\", mode = \"detached\")] \
                            for a model that does not exist in CDMS";
                diagnostics.push(Diagnostic::of(Code::MissingKey, name.span(), message).cure(cure));
            }
            None
        }
    };
    let source = source.unwrap_or_else(Source::unknown);
    known.logical = (!source.is_faulty).then(|| source.contract.logical.clone());
    let name = Placed { value: item.ident.to_string(), place: item.ident.span().into() };
    let diesel = diesel.unwrap_or_default();
    let lacks_diesel = diesel.no_table.is_none() && package_item.lacks_diesel(diagnostics);
    let annotation =
        ModelAnnotation { name, table, was, mode, only, diesel, fields: annotations, is_faulty: is_unsaid };
    let krate = expand::runtime(known.krate.clone());
    let model = Model { item, krate, diesel, fields, epoch: 0 };
    if let Some(schema) = &source.schema {
        let unknown = unknown_former_names(&annotation, schema).into_iter();
        diagnostics.extend(unknown.map(|fault| fault.seen_at(Shown::from)));
    }
    let mut faulty = match resolve(&annotation, &source.contract, source.diesel_columns) {
        // The contract's faults, and the missing dependency on diesel, may have been reported at another item.
        Ok(resolved) if diagnostics.is_empty() && !source.is_faulty && !lacks_diesel => {
            let epoch = source.schema.map_or(0, |schema| schema.epoch(&resolved.table));
            return Some((Model { epoch, ..model }, resolved, source.tracking));
        }
        Ok(Mapping { fields, columns, attributes, .. }) => {
            let has_table = model.diesel.no_table.is_none();
            Faulty { diagnostics: Vec::new(), fields, columns, attributes, unresolved: Vec::new(), has_table }
        }
        Err(faulty) => *faulty,
    };
    faulty.has_table &= !lacks_diesel;
    let found = std::mem::take(&mut faulty.diagnostics).into_iter();
    diagnostics.extend(found.map(|fault| fault.seen_at(Shown::from)));
    known.partly = Some(Partly { model, contract: source.contract, faulty });
    None
}

fn diesel_keys(inside: &[Part], diagnostics: &mut Diagnostics) -> DieselGlue<Words> {
    let mut glue = DieselGlue::default();
    for part in inside {
        match part {
            Part::Word(key) if key == "insertable" => {
                fill(&mut glue.insertable, key.span().into(), "insertable", key.span(), diagnostics);
            }
            Part::Word(key) if key == "changeset" => {
                fill(&mut glue.changeset, key.span().into(), "changeset", key.span(), diagnostics);
            }
            Part::Assigned(key, value) if key == "table" => match attribute::literal(value) {
                Some(Lit::Bool(table)) if !table.value => {
                    fill(&mut glue.no_table, key.span().into(), "table", key.span(), diagnostics);
                }
                _ => {
                    let fault =
                        Diagnostic::of(Code::WrongValue, Words::of(value), "`table` in `diesel(…)` must be `false`");
                    diagnostics.push(
                        fault.cure("write the table's name next to `diesel(…)`: `#[cdms(table = \"…\", diesel(…))]`"),
                    );
                }
            },
            other => unknown(other, &DIESEL, diagnostics),
        }
    }
    glue
}

fn read_field(
    model: &Ident,
    field: &Field,
    diagnostics: &mut Diagnostics,
) -> Option<(FieldAnnotation<Words>, ModelField)> {
    let ident = field.ident.clone()?;
    if let Some(cfg) = field.attrs.iter().find(|attribute| attribute.path().is_ident("cfg")) {
        let message = "a field of a model cannot depend on `cfg`: the table would depend on the build";
        let fault = Diagnostic::of(Code::WrongValue, Words::of(cfg), message);
        diagnostics.push(fault.cure("split the model, or remove `cfg` from the field"));
    }
    let name = Placed { value: ident.to_string(), place: ident.span().into() };
    let ty = field_type::without_self(ungrouped(&field.ty), model);
    let mut annotation = FieldAnnotation::new(name, Words::of(&ty), is_option(&ty));
    annotation.is_opaque = is_opaque(&ty);
    annotation.written_type = spelled(&ty);
    let mut tokens = ModelField {
        ident,
        ty,
        is_opaque: annotation.is_opaque,
        with: None,
        default: None,
        docs: expand::docs(&field.attrs),
        visibility: field.vis.clone(),
        is_faulty: false,
    };
    let before = diagnostics.count();
    for part in parts(&field.attrs, FIELD_EXAMPLE, diagnostics) {
        field_key(&part, model, &mut annotation, &mut tokens, diagnostics);
    }
    annotation.is_faulty = diagnostics.count() > before;
    if annotation.key.is_some() && !can_be_id_of(&tokens.ty, model) {
        let fault = Diagnostic::of(Code::WrongKind, Words::of(&tokens.ty), "the type of a key must be the record's id");
        diagnostics.push(fault.cure(format!("write its type as `Id<{model}>`")));
    }
    tokens.is_faulty = diagnostics.count() > before;
    // A default of an `Option` is rejected, so its type is not checked.
    tokens.default = tokens.default.filter(|_| !annotation.is_option);
    Some((annotation, tokens))
}

fn field_key(
    part: &Part,
    model: &Ident,
    annotation: &mut FieldAnnotation<Words>,
    tokens: &mut ModelField,
    diagnostics: &mut Diagnostics,
) {
    let span = part.span();
    let words = Words::from(span);
    match part {
        Part::Text(name) => {
            fill(&mut annotation.attribute, placed(name), "attribute", span, diagnostics);
        }
        Part::Word(key) => match key.to_string().as_str() {
            "key" => fill(&mut annotation.key, words, "key", span, diagnostics),
            "local" => fill(&mut annotation.local, words, "local", span, diagnostics),
            "read_only" => fill(&mut annotation.read_only, words, "read_only", span, diagnostics),
            "create_only" => fill(&mut annotation.create_only, words, "create_only", span, diagnostics),
            "default" => {
                fill(
                    &mut annotation.default,
                    Placed { value: DefaultValue::OfType, place: words },
                    "default",
                    span,
                    diagnostics,
                );
                tokens.default = Some(Default::OfType(key.span()));
            }
            "modified" => engine(annotation, EngineField::Modified, span, diagnostics),
            "created" => engine(annotation, EngineField::Created, span, diagnostics),
            "modified_by" => engine(annotation, EngineField::ModifiedBy, span, diagnostics),
            _ => unknown(part, &FIELD, diagnostics),
        },
        Part::Assigned(key, value) => match key.to_string().as_str() {
            "default" => {
                let stated = match literal_text(value) {
                    Some(text) => DefaultValue::Text(text.value()),
                    None => DefaultValue::Expression(spelled(&**value)),
                };
                let stated = Placed { value: stated, place: Words::of(value) };
                fill(&mut annotation.default, stated, "default", span, diagnostics);
                tokens.default = Some(Default::Expression(Box::new(expression_without_self(value, model))));
            }
            "with" => {
                let Some(module) = text(key, value, diagnostics) else { return };
                // Parsed from the literal, so that a missing module is reported on this word.
                let is_path = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | ':' | '#');
                let literal = literal_text(value).filter(|_| module.value.chars().all(is_path));
                match literal.map(|literal| literal.parse_with(Path::parse_mod_style)) {
                    Some(Ok(path)) => tokens.with = Some(path),
                    _ => {
                        let fault =
                            Diagnostic::of(Code::WrongValue, module.place, "`with` must be the path of a module");
                        diagnostics.push(fault.cure("write `with = \"phone\"`"));
                    }
                }
                fill(&mut annotation.with, module, "with", span, diagnostics);
            }
            name @ ("attribute" | "flatten" | "prefix" | "class" | "sql_type" | "column" | "was") => {
                let Some(text) = text(key, value, diagnostics) else { return };
                let slot = match name {
                    "attribute" => &mut annotation.attribute,
                    "flatten" => &mut annotation.flatten,
                    "prefix" => &mut annotation.prefix,
                    "class" => &mut annotation.class,
                    "sql_type" => &mut annotation.sql_type,
                    "was" => &mut annotation.was,
                    _ => &mut annotation.column,
                };
                fill(slot, text, name, span, diagnostics);
            }
            _ => unknown(part, &FIELD, diagnostics),
        },
        Part::List(key, inside) if key == "attributes" => {
            let names = inside.iter().filter_map(|part| match part {
                Part::Text(name) => Some(placed(name)),
                other => {
                    let fault =
                        Diagnostic::of(Code::WrongValue, other.span(), "`attributes` must be a list of strings");
                    diagnostics.push(fault.cure("write `attributes(\"A\", \"B\")`"));
                    None
                }
            });
            let names = Placed { value: names.collect(), place: words };
            fill(&mut annotation.attributes, names, "attributes", span, diagnostics);
        }
        Part::List(..) => unknown(part, &FIELD, diagnostics),
    }
}

fn engine(annotation: &mut FieldAnnotation<Words>, value: EngineField, span: Span, diagnostics: &mut Diagnostics) {
    fill(
        &mut annotation.engine,
        Placed { value, place: span.into() },
        "modified, created or modified_by",
        span,
        diagnostics,
    );
}

impl Model<'_> {
    /// Whether the model can be written.
    pub(crate) fn is_writable(mapping: &Mapping) -> bool {
        mapping.mode != Mode::Mirror
    }
}
