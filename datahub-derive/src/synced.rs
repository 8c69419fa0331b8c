//! `#[derive(CdmsSynced)]`: from a struct to annotations, a resolved mapping, and tokens.

use datahub_model::Mode;
use datahub_model::diagnostic::{Code, Diagnostic};
use datahub_model::source::{
    DefaultValue, DieselGlue, EngineField, Faulty, FieldAnnotation, Mapping, ModelAnnotation, Placed, meant_mode,
    resolve,
};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Data, DeriveInput, Expr, Field, Fields, Ident, Lit, Path, Type};

use crate::attribute::{self, Keys, Part, crate_path, fill, literal_text, parts, placed, text, unknown};
use crate::expand::{Partly, Stub};
use crate::field_type::{self, can_be_id_of, expression_without_self, is_opaque, is_option, ungrouped};
use crate::project::Package;
use crate::shown::{Diagnostics, Shown, Words, compile_errors};
use crate::source::{PackageItem, Source};
use crate::{expand, item};

/// The keys of a model.
const MODEL: Keys = Keys {
    here: &["mapping", "table", "mode", "only", "diesel", "crate"],
    elsewhere: &[
        (&FIELD_KEYS, "it is a key of a field: write it on the field that it is about"),
        (&["insertable", "changeset"], "write `diesel(insertable, changeset)`"),
    ],
};

/// The keys of `diesel(…)`.
const DIESEL: Keys = Keys {
    here: &["insertable", "changeset", "table"],
    elsewhere: &[(
        &["mapping", "mode", "only", "crate"],
        "it is a key of the model: write it beside `diesel(…)`, and not inside",
    )],
};

/// The keys of a field.
const FIELD: Keys = Keys {
    here: &FIELD_KEYS,
    elsewhere: &[
        (
            &["mapping", "table", "mode", "only", "diesel", "crate", "insertable", "changeset"],
            "it is a key of the model: write it above the struct; a column's name is `column = \"…\"`",
        ),
        (&["other"], "it is a key of a variant, where an enum derives CdmsChoice"),
    ],
};

/// What the attribute of a model, and of a field, looks like.
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

/// What the expansion takes from the struct itself.
#[derive(Clone)]
pub(crate) struct Model<'i> {
    pub(crate) item: &'i DeriveInput,
    pub(crate) krate: Path,
    pub(crate) diesel: DieselGlue<Words>,
    pub(crate) fields: Vec<ModelField>,
}

/// A field's tokens.
#[derive(Clone)]
pub(crate) struct ModelField {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// Whether only the compiler knows if the type has a null.
    pub(crate) is_opaque: bool,
    pub(crate) with: Option<Path>,
    pub(crate) default: Option<Default>,
    pub(crate) docs: Vec<Attribute>,
    /// Whether faults of it have been told, so that nothing is asked about it.
    pub(crate) is_faulty: bool,
}

/// A default's tokens.
#[derive(Clone)]
pub(crate) enum Default {
    /// That of the type, as the word in this place says.
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

fn read<'i>(
    item: &'i DeriveInput,
    package: &Package,
    known: &mut Stub<'i>,
    diagnostics: &mut Diagnostics,
) -> Option<(Model<'i>, Mapping, TokenStream)> {
    let (mut mapping, mut table, mut mode, mut only, mut diesel) = (None, None, None, None, None);
    let before = diagnostics.count();
    for part in parts(&item.attrs, MODEL_EXAMPLE, diagnostics) {
        match &part {
            Part::Assigned(key, value) if key == "crate" => {
                if let Some(path) = crate_path(value, diagnostics) {
                    fill(&mut known.krate, path, "crate", key.span(), diagnostics);
                }
            }
            Part::Assigned(key, value) if key == "mapping" || key == "table" || key == "mode" || key == "only" => {
                let slot = match key.to_string().as_str() {
                    "mapping" => &mut mapping,
                    "table" => &mut table,
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
        let message = "a model has no type parameters, lifetimes or constants: it is one table";
        let fault = Diagnostic::of(Code::WrongValue, Words::of(&item.generics), message);
        diagnostics.push(fault.cure("write a model for each type, with groups of fields for what they share"));
    }
    let Data::Struct(data) = &item.data else {
        let fault = Diagnostic::of(Code::WrongValue, item.ident.span(), "a model is a struct");
        diagnostics.push(fault.cure("an enum of options derives CdmsChoice"));
        return None;
    };
    let Fields::Named(named) = &data.fields else {
        let fault = Diagnostic::of(Code::WrongValue, item.ident.span(), "a model has named fields");
        diagnostics.push(fault.cure("write `struct Name { field: Type }`"));
        return None;
    };
    let read: Vec<_> = named.named.iter().filter_map(|field| read_field(&item.ident, field, diagnostics)).collect();
    let (annotations, fields) = read.into_iter().unzip();
    let detached = mode.as_ref().is_some_and(|mode| meant_mode(&mode.value) == Some(Mode::Detached));
    let detached_alone = detached && table.is_some();
    // Without a contract the table is asked for along with it.
    let is_unsaid = is_faulty || (mapping.is_none() && !detached_alone);
    let package_item = PackageItem { item: &item.ident, package };
    let source = match (mapping, &table) {
        (Some(mapping), _) => package_item.contract(&mapping, diagnostics),
        (None, Some(table)) if detached => package_item.without_cdms(table, diagnostics),
        _ => {
            let name = &item.ident;
            if !is_faulty {
                let message = format!("{name} does not say which contract it follows");
                let cure = "add #[cdms(mapping = \"….toml\", table = \"…\")]; a model that CDMS has nothing of is \
                            #[cdms(table = \"…\", mode = \"detached\")]";
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
    let annotation = ModelAnnotation { name, table, mode, only, diesel, fields: annotations, is_faulty: is_unsaid };
    let krate = expand::runtime(known.krate.clone());
    let model = Model { item, krate, diesel, fields };
    let mut faulty = match resolve(&annotation, &source.contract, source.diesel_columns) {
        // The contract's faults, and that diesel is lacking, may have been told at another item.
        Ok(resolved) if diagnostics.is_empty() && !source.is_faulty && !lacks_diesel => {
            return Some((model, resolved, source.tracking));
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
                    let fault = Diagnostic::of(Code::WrongValue, Words::of(value), "`table` is `false` or not there");
                    diagnostics
                        .push(fault.cure("a table's name is written beside, `#[cdms(table = \"…\", diesel(…))]`"));
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
        diagnostics.push(fault.cure("split the model, or keep the field always"));
    }
    let name = Placed { value: ident.to_string(), place: ident.span().into() };
    let ty = field_type::without_self(ungrouped(&field.ty), model);
    let mut annotation = FieldAnnotation::new(name, Words::of(&ty), is_option(&ty));
    annotation.is_opaque = is_opaque(&ty);
    annotation.written_type = ty.to_token_stream().to_string();
    let mut tokens = ModelField {
        ident,
        ty,
        is_opaque: annotation.is_opaque,
        with: None,
        default: None,
        docs: expand::docs(&field.attrs),
        is_faulty: false,
    };
    let before = diagnostics.count();
    for part in parts(&field.attrs, FIELD_EXAMPLE, diagnostics) {
        field_key(&part, model, &mut annotation, &mut tokens, diagnostics);
    }
    annotation.is_faulty = diagnostics.count() > before;
    if annotation.key.is_some() && !can_be_id_of(&tokens.ty, model) {
        let fault = Diagnostic::of(Code::WrongKind, Words::of(&tokens.ty), "a key is the record's id");
        diagnostics.push(fault.cure(format!("write its type as `Id<{model}>`")));
    }
    tokens.is_faulty = diagnostics.count() > before;
    // It is refused beside an Option, so nobody asks of what type it is.
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
                    None => DefaultValue::Expression(value.to_token_stream().to_string()),
                };
                let stated = Placed { value: stated, place: Words::of(value) };
                fill(&mut annotation.default, stated, "default", span, diagnostics);
                tokens.default = Some(Default::Expression(Box::new(expression_without_self(value, model))));
            }
            "with" => {
                let Some(module) = text(key, value, diagnostics) else { return };
                // Parsed from the literal, so that a module that is not there is told on this word.
                let is_path = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | ':' | '#');
                let literal = literal_text(value).filter(|_| module.value.chars().all(is_path));
                match literal.map(|literal| literal.parse_with(Path::parse_mod_style)) {
                    Some(Ok(path)) => tokens.with = Some(path),
                    _ => {
                        let fault = Diagnostic::of(Code::WrongValue, module.place, "`with` names a module");
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
                    let fault = Diagnostic::of(Code::WrongValue, other.span(), "`attributes` lists names as strings");
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
    /// Whether the derive states that the model is written.
    pub(crate) fn is_writable(mapping: &Mapping) -> bool {
        mapping.mode != Mode::Mirror
    }
}
