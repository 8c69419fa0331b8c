//! The rules of a mapping, one function each, with the reason for it.

use std::collections::HashMap;

use cdms_odata::Kind;
use cdms_odata::metadata::Metadata;

use super::annotation::{DefaultValue, DieselGlue, FieldAnnotation, ModelAnnotation, Placed};
use super::contract::{Contract, ContractAttribute};
use super::diagnostic::{Code, Diagnostic};
use super::names;
use super::nearest::meant;
use super::resolve::{ResolvedColumn, ResolvedSource};
use crate::{EngineAttribute, Mode, Write};

type Diagnostics<P> = Vec<Diagnostic<P>>;

/// The rules about a whole model.
pub(super) fn model<P: Clone>(
    model: &ModelAnnotation<P>,
    contract: &Contract,
    mode: Mode,
    columns: &[ResolvedColumn],
    limit: ColumnLimit,
    diagnostics: &mut Diagnostics<P>,
) {
    one_key(model, diagnostics);
    attributes_once(model, contract, mode, diagnostics);
    column_names(model, columns, diagnostics);
    former_names(model, columns, diagnostics);
    diesel_glue(model, columns, limit, diagnostics);
}

// A row without the record's id could not be found again, and one with two would contradict itself.
fn one_key<P: Clone>(model: &ModelAnnotation<P>, diagnostics: &mut Diagnostics<P>) {
    let mut keys = model.fields.iter().filter_map(|field| field.key.as_ref());
    if keys.next().is_none() && !model.fields.iter().any(may_be_key) {
        let message = format!("{} has no key", model.name.value);
        let help = format!("add `#[cdms(key)] pub id: Id<{}>`", model.name.value);
        diagnostics.push(Diagnostic::source(Code::NoKey, model.name.place.clone(), message).help(help));
    }
    for second in keys {
        let message = format!("{} has a second key", model.name.value);
        let help = "a record has one id; remove `key` here";
        diagnostics.push(Diagnostic::source(Code::TwoKeys, second.clone(), message).help(help));
    }
}

/// Whether a field of which not all could be read may have been meant as the key.
fn may_be_key<P>(field: &FieldAnnotation<P>) -> bool {
    let is_mapped = field.attribute.is_some() || field.attributes.is_some() || field.flatten.is_some();
    field.is_faulty && !is_mapped && field.engine.is_none() && field.local.is_none()
}

// Two fields over one attribute would overwrite each other's changes, unless modules of both put each into what is there;
// and a constant would overwrite a field's.
fn attributes_once<P: Clone>(
    model: &ModelAnnotation<P>,
    contract: &Contract,
    mode: Mode,
    diagnostics: &mut Diagnostics<P>,
) {
    let mut used: HashMap<String, &FieldAnnotation<P>> = HashMap::new();
    for field in &model.fields {
        if field.read_only.is_some() {
            continue;
        }
        let mut named: Vec<Placed<String, P>> = field.attribute.clone().into_iter().collect();
        named.extend(field.attributes.iter().flat_map(|attributes| attributes.value.clone()));
        let group = field.flatten.as_ref().and_then(|name| {
            contract.groups.iter().find(|group| group.name == name.value).map(|group| (group, name.place.clone()))
        });
        if let Some((group, place)) = group {
            let members = group.members.iter();
            named.extend(members.map(|member| Placed { value: member.attribute.clone(), place: place.clone() }));
        }
        for Placed { value: attribute, place } in named {
            if mode == Mode::Sync && contract.constants.iter().any(|constant| constant.attribute == attribute) {
                let message =
                    format!("the contract writes a constant to `{attribute}`, so no field can be written to it");
                let help = "mark the field `read_only`, or remove the constant";
                diagnostics.push(Diagnostic::source(Code::MappedTwice, place.clone(), message).help(help));
            }
            let Some(other) = used.insert(attribute.clone(), field) else { continue };
            let (message, help) = if std::ptr::eq(other, field) {
                (format!("`{attribute}` is named twice"), "name it once")
            } else if other.with.is_some() && field.with.is_some() {
                continue;
            } else {
                let message = format!("`{attribute}` is mapped to `{}` already", other.name.value);
                (message, "map it once, mark one of the fields `read_only`, or give a `with` to both")
            };
            diagnostics.push(Diagnostic::source(Code::MappedTwice, place, message).help(help));
        }
    }
}

// A name that a database cuts, or that needs quotes everywhere, is found out too late by whoever writes SQL.
fn column_names<P: Clone>(model: &ModelAnnotation<P>, columns: &[ResolvedColumn], diagnostics: &mut Diagnostics<P>) {
    let mut known: HashMap<&str, &str> = HashMap::new();
    for column in columns {
        let root = column.field.split('.').next().unwrap_or(&column.field);
        let field = model.fields.iter().find(|field| field.name.value.trim_start_matches("r#") == root);
        let place = field.map_or_else(
            || model.name.place.clone(),
            |field| field.column.as_ref().map_or_else(|| field.name.place.clone(), |column| column.place.clone()),
        );
        let table = model.table.as_ref().filter(|_| model.diesel.no_table.is_none());
        let beside = || table.and_then(|table| names::fault_beside_diesel(&column.name, &table.value));
        if let Some(fault) = names::name_fault(&column.name).or_else(beside) {
            let message = format!("`{}` cannot be a column's name: it {fault}", column.name);
            let help = "choose another one with `column = \"…\"`, or `prefix = \"…\"` for a group";
            diagnostics.push(Diagnostic::source(Code::ColumnName, place.clone(), message).help(help));
        }
        if let Some(other) = known.insert(&column.name, &column.field) {
            let message = format!("`{}` and `{other}` would share the column `{}`", column.field, column.name);
            let help = "name one of them with `column = \"…\"`, or `prefix = \"…\"` for a group";
            diagnostics.push(Diagnostic::source(Code::ColumnClash, place, message).help(help));
        }
    }
}

// A former name that is nobody's, or still somebody's, would rename the wrong column and take its values along.
fn former_names<P: Clone>(model: &ModelAnnotation<P>, columns: &[ResolvedColumn], diagnostics: &mut Diagnostics<P>) {
    let mut known: HashMap<&str, &str> = HashMap::new();
    let named = model.fields.iter().filter_map(|field| field.was.as_ref().map(|was| (field, was)));
    for (field, was) in named {
        let mut fault = |code, message: String, help: &str| {
            diagnostics.push(Diagnostic::source(code, was.place.clone(), message).help(help));
        };
        if let Some(reason) = names::name_fault(&was.value) {
            fault(
                Code::ColumnName,
                format!("`{}` cannot have been a column's name: it {reason}", was.value),
                "write the name that the column had in the database",
            );
        }
        if let Some(column) = columns.iter().find(|column| column.name == was.value) {
            fault(
                Code::ColumnClash,
                format!("`{}` is the name of a column now, of `{}`", was.value, column.field),
                "remove `was`, or rename in two steps",
            );
        }
        if let Some(other) = known.insert(&was.value, &field.name.value) {
            fault(
                Code::MappedTwice,
                format!("`{}` was renamed to `{other}` already", was.value),
                "keep `was` on the field that has the column's values",
            );
        }
    }
}

/// How many columns the tables of a project's Diesel can have, by the features that it was built with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColumnLimit {
    /// Diesel's own default.
    #[default]
    Columns32,
    /// With the feature `64-column-tables`.
    Columns64,
    /// With the feature `128-column-tables`, the most that Diesel has.
    Columns128,
}

impl ColumnLimit {
    /// The limit of so many columns; `None` where Diesel has no such limit.
    pub const fn of(columns: usize) -> Option<Self> {
        match columns {
            32 => Some(ColumnLimit::Columns32),
            64 => Some(ColumnLimit::Columns64),
            128 => Some(ColumnLimit::Columns128),
            _ => None,
        }
    }

    /// How many columns it is.
    pub const fn columns(self) -> usize {
        match self {
            ColumnLimit::Columns32 => 32,
            ColumnLimit::Columns64 => 64,
            ColumnLimit::Columns128 => 128,
        }
    }

    /// The least limit that so many columns need.
    fn for_columns(columns: usize) -> Option<Self> {
        let limits = [ColumnLimit::Columns32, ColumnLimit::Columns64, ColumnLimit::Columns128];
        limits.into_iter().find(|limit| columns <= limit.columns())
    }
}

// Diesel's `table!` stops at the size it was built for, with an error that nobody understands.
fn diesel_glue<P: Clone>(
    model: &ModelAnnotation<P>,
    columns: &[ResolvedColumn],
    limit: ColumnLimit,
    diagnostics: &mut Diagnostics<P>,
) {
    let DieselGlue { no_table, insertable, changeset } = &model.diesel;
    if no_table.is_some() {
        for (key, place) in [("insertable", insertable), ("changeset", changeset)] {
            if let Some(place) = place {
                let message = format!("`{key}` needs the table that `table = false` leaves out");
                let help = format!("remove `table = false`, or `{key}`");
                diagnostics.push(Diagnostic::source(Code::KeysExclude, place.clone(), message).help(help));
            }
        }
        return;
    }
    if columns.len() > limit.columns() {
        let message = format!("{} has {} columns, more than {}", model.name.value, columns.len(), limit.columns());
        let help = match ColumnLimit::for_columns(columns.len()).map(ColumnLimit::columns) {
            Some(columns) => format!(
                "enable `{columns}-column-tables` of diesel in your Cargo.toml and write `diesel-columns = {columns}` in \
                 datahub.toml, or write `diesel(table = false)` and do without Diesel's table here"
            ),
            None => "write `diesel(table = false)`: the hub's table has no limit, only Diesel's".to_owned(),
        };
        diagnostics.push(Diagnostic::source(Code::TooManyColumns, model.name.place.clone(), message).help(help));
    }
    let changes = columns.iter().any(|column| column.source != ResolvedSource::Key);
    if let (Some(place), false) = (changeset, changes) {
        let message = format!("{} has nothing but its key, so there is nothing to change", model.name.value);
        diagnostics.push(Diagnostic::source(Code::KeysExclude, place.clone(), message).help("remove `changeset`"));
    }
}

// CDMS itself takes a create without them, so nobody else would notice.
pub(super) fn required_at_create<P: Clone>(
    model: &ModelAnnotation<P>,
    contract: &Contract,
    columns: &[ResolvedColumn],
    diagnostics: &mut Diagnostics<P>,
) {
    let sent = |name: &str| {
        let by_field = columns.iter().any(|column| {
            let written = match &column.source {
                ResolvedSource::Attribute { write, .. } | ResolvedSource::Joined { write, .. } => {
                    *write != Write::Never
                }
                _ => false,
            };
            written && column.source.attributes().contains(&name)
        });
        by_field || contract.constants.iter().any(|constant| constant.attribute == name)
    };
    for attribute in contract.attributes.iter().filter(|attribute| attribute.required && !attribute.read_only) {
        if !sent(&attribute.name) && !contract.may_have(&attribute.name) {
            let message = format!(
                "a create of {} would lack `{}`, which the contract says is required",
                model.name.value, attribute.name
            );
            let help = "map it, give it a constant, or make the model a mirror";
            diagnostics.push(Diagnostic::source(Code::RequiredAtCreate, model.name.place.clone(), message).help(help));
        }
    }
}

// A field has one source; keys of another sort beside it would be silently without effect.
pub(super) fn field_keys<P: Clone>(field: &FieldAnnotation<P>, diagnostics: &mut Diagnostics<P>) {
    let sources: Vec<(&str, P)> = [
        field.key.clone().map(|place| ("key", place)),
        field.engine.as_ref().map(|engine| ("modified, created or modified_by", engine.place.clone())),
        field.flatten.as_ref().map(|flatten| ("flatten", flatten.place.clone())),
        field.local.clone().map(|place| ("local", place)),
        field.attributes.as_ref().map(|attributes| ("attributes", attributes.place.clone())),
        field.attribute.as_ref().map(|attribute| ("an attribute", attribute.place.clone())),
    ]
    .into_iter()
    .flatten()
    .collect();
    for (what, place) in sources.iter().skip(1) {
        let message = format!("`{}` has {} already, so it cannot have {what}", field.name.value, sources[0].0);
        diagnostics.push(Diagnostic::source(Code::KeysExclude, place.clone(), message).help("keep one of the two"));
    }
    let mapped = field.attribute.is_some() || field.attributes.is_some();
    let allowed = |used: bool, place: Option<P>, key: &str, needs: &str, diagnostics: &mut Diagnostics<P>| {
        if let (false, Some(place)) = (used, place) {
            let message = format!("`{key}` is for {needs}");
            diagnostics.push(Diagnostic::source(Code::KeysExclude, place, message).help(format!("remove `{key}`")));
        }
    };
    let place = |placed: &Option<Placed<String, P>>| placed.as_ref().map(|placed| placed.place.clone());
    allowed(mapped, place(&field.with), "with", "fields with an attribute", diagnostics);
    let default = field.default.as_ref().map(|default| default.place.clone());
    allowed(
        (field.attribute.is_some() && field.with.is_none()) || field.local.is_some(),
        default,
        "default",
        "fields with one attribute, and for local ones",
        diagnostics,
    );
    allowed(mapped || field.flatten.is_some(), field.read_only.clone(), "read_only", "fields from CDMS", diagnostics);
    allowed(mapped, field.create_only.clone(), "create_only", "fields with an attribute", diagnostics);
    allowed(field.flatten.is_some(), place(&field.prefix), "prefix", "fields with `flatten`", diagnostics);
    allowed(field.flatten.is_none(), place(&field.column), "column", "fields with one column", diagnostics);
    allowed(field.flatten.is_none(), place(&field.was), "was", "fields with one column", diagnostics);
    // Of one attribute the contract states the kind; of a lookup it may be held otherwise, which is told where it is known.
    let typed = field.local.is_some() || field.with.is_some() || mapped;
    allowed(
        typed,
        place(&field.sql_type),
        "sql_type",
        "fields with `local` or `with`; the contract states the others",
        diagnostics,
    );
    if let Some(attributes) = field.attributes.as_ref().filter(|attributes| attributes.value.is_empty()) {
        let message = format!("`{}` names no attributes", field.name.value);
        let help = "write `attributes(\"A\", \"B\")`";
        diagnostics.push(Diagnostic::source(Code::WrongValue, attributes.place.clone(), message).help(help));
    }
    if let (Some(attributes), None, false) = (&field.attributes, &field.with, field.is_faulty) {
        let message = format!("`{}` has several attributes, but does not say how to join them", field.name.value);
        let help = "add `with = \"module\"`, which has `decode` and `encode`";
        diagnostics.push(Diagnostic::source(Code::MissingKey, attributes.place.clone(), message).help(help));
    }
    if let (Some(_), Some(place)) = (&field.read_only, &field.create_only) {
        let message = "`create_only` and `read_only` exclude each other";
        diagnostics.push(Diagnostic::source(Code::KeysExclude, place.clone(), message).help("keep one of the two"));
    }
}

// CDMS may have a null in any attribute (fact sheet, 1.1), so each field says what becomes of it.
pub(super) fn nullability<P: Clone>(
    field: &FieldAnnotation<P>,
    attribute: &ContractAttribute,
    diagnostics: &mut Diagnostics<P>,
) {
    if field.is_option || field.is_opaque || field.default.is_some() || attribute.required || field.is_faulty {
        return;
    }
    let message = format!("`{}` can be null in CDMS, but `{}` cannot", attribute.name, field.name.value);
    let help = "make the field an Option, add `default`, or state `required = true` in the contract";
    diagnostics.push(Diagnostic::source(Code::Nullability, field.type_place.clone(), message).help(help));
}

// A default of an Option would never be told from none, and one of a required attribute would be left out of the create
// that needs it; one that is too long could never be sent.
pub(super) fn default<P: Clone>(
    field: &FieldAnnotation<P>,
    attribute: Option<&ContractAttribute>,
    diagnostics: &mut Diagnostics<P>,
) {
    let Some(default) = &field.default else { return };
    if field.is_option {
        let message = "an Option has `None` for a null already";
        let help = "remove `default`, or the Option";
        diagnostics.push(Diagnostic::source(Code::KeysExclude, default.place.clone(), message).help(help));
    }
    let Some(attribute) = attribute else { return };
    if attribute.required {
        let message = format!("`{}` is required, so there is no null for a default to stand for", attribute.name);
        let help = "remove `default`, or the contract's `required = true` if CDMS can have a null there";
        diagnostics.push(Diagnostic::source(Code::DefaultOfRequired, default.place.clone(), message).help(help));
    }
    if let (DefaultValue::Text(text), Some(limit)) = (&default.value, attribute.max_length)
        && text.encode_utf16().count() > limit as usize
    {
        let message = format!("the default is longer than the {limit} characters of `{}`", attribute.name);
        diagnostics.push(Diagnostic::source(Code::DefaultTooLong, default.place.clone(), message).help("shorten it"));
    }
}

// A change of such a field would be refused or ignored by CDMS, and the two sides would differ.
pub(super) fn read_only<'a, P: Clone>(
    field: &FieldAnnotation<P>,
    attributes: impl IntoIterator<Item = &'a ContractAttribute>,
    diagnostics: &mut Diagnostics<P>,
) {
    for attribute in attributes {
        if attribute.read_only {
            let message =
                format!("`{}` is read-only in CDMS, but `{}` would be written", attribute.name, field.name.value);
            let help = "add `read_only` to the field";
            diagnostics.push(Diagnostic::source(Code::ReadOnly, field.name.place.clone(), message).help(help));
        }
    }
}

// CDMS's users do not write what CDMS is not asked about, so a new record has none.
pub(super) fn engine_of_detached<P: Clone>(
    field: &FieldAnnotation<P>,
    engine: EngineAttribute,
    mode: Mode,
    diagnostics: &mut Diagnostics<P>,
) {
    if mode == Mode::Detached && engine == EngineAttribute::ModifiedBy && !field.is_option {
        let message = format!("a record that CDMS never saw has no user of CDMS for `{}`", field.name.value);
        let help = "make the field an Option; who changed the record is in its history";
        diagnostics.push(Diagnostic::source(Code::Nullability, field.type_place.clone(), message).help(help));
    }
}

// A record first seen in CDMS gives its row no value for a local field, so there must be one for nothing.
pub(super) fn local<P: Clone>(field: &FieldAnnotation<P>, kind: Kind, diagnostics: &mut Diagnostics<P>) {
    let has_zero = matches!(
        kind,
        Kind::String | Kind::Integer | Kind::BigInt | Kind::Decimal | Kind::Double | Kind::Money | Kind::Boolean
    );
    if !field.is_option && field.default.is_none() && !has_zero {
        let message = format!("a local {kind} has no value when a record is first read from CDMS");
        let help = "make the field an Option, or say what it holds then with `default = …`";
        diagnostics.push(Diagnostic::source(Code::Nullability, field.type_place.clone(), message).help(help));
    }
}

/// Checks the variants of a choice enum against its attribute: pairs each with its number.
///
/// # Errors
///
/// All faults that are found, none where the contract's own faults hide the attribute: an attribute that is no choice, a variant that is no option, an option without a variant
/// where no variant takes the rest.
pub fn check_choices<P: Clone>(
    contract: &Contract,
    attribute: &Placed<String, P>,
    variants: &[Placed<String, P>],
    takes_rest: bool,
) -> Result<Vec<i32>, Vec<Diagnostic<P>>> {
    let Some(stated) = contract.attribute(&attribute.value) else {
        if contract.may_have(&attribute.value) {
            return Err(Vec::new());
        }
        let known = contract.attributes.iter().map(|known| known.name.as_str());
        let message = format!("the contract of {} has no attribute `{}`", contract.entity, attribute.value);
        let diagnostic = Diagnostic::source(Code::UnknownAttribute, attribute.place.clone(), message);
        return Err(vec![diagnostic.maybe_help(meant(&attribute.value, known))]);
    };
    if !matches!(stated.kind, Kind::Choice | Kind::State | Kind::Status) {
        let message = format!("`{}` is of kind {}, which has no options", stated.name, stated.kind);
        return Err(vec![Diagnostic::source(Code::WrongKind, attribute.place.clone(), message)]);
    }
    let mut diagnostics = Vec::new();
    let mut numbers = Vec::new();
    for variant in variants {
        match stated.choices.iter().find(|(name, _)| *name == variant.value) {
            Some((_, number)) if numbers.contains(number) => {
                let message = format!("`{}` is taken by two variants", variant.value);
                diagnostics.push(Diagnostic::source(Code::MappedTwice, variant.place.clone(), message));
            }
            Some((_, number)) => numbers.push(*number),
            None => {
                let help = match stated.choices.as_slice() {
                    [] => Some(format!("state them in the contract: `choices = {{ {} = 1 }}`", variant.value)),
                    choices => meant(&variant.value, choices.iter().map(|(name, _)| name.as_str())),
                };
                let message = format!("`{}` has no option `{}`", stated.name, variant.value);
                diagnostics
                    .push(Diagnostic::source(Code::UnknownChoice, variant.place.clone(), message).maybe_help(help));
            }
        }
    }
    let missing: Vec<_> = stated.choices.iter().filter(|(_, number)| !numbers.contains(number)).collect();
    if !takes_rest && !missing.is_empty() && diagnostics.is_empty() {
        let names: Vec<_> = missing.iter().map(|(name, _)| name.as_str()).collect();
        let message = format!("no variant takes the options {} of `{}`", names.join(", "), stated.name);
        let help = "add them, or a variant `#[cdms(other)] Other(i32)` for the rest";
        diagnostics.push(Diagnostic::source(Code::UnknownChoice, attribute.place.clone(), message).help(help));
    }
    if diagnostics.is_empty() { Ok(numbers) } else { Err(diagnostics) }
}

/// Checks a contract against `$metadata`: names, kinds and key.
pub fn check_against_metadata<P>(contract: &Contract, metadata: &Metadata) -> Vec<Diagnostic<P>> {
    let Some(entity) = metadata.entity(&contract.entity) else {
        let help = meant(&contract.entity, metadata.entities.iter().map(|entity| entity.name.as_str()));
        let message = format!("$metadata has no entity `{}`", contract.entity);
        return vec![Diagnostic::contract(Code::NotInMetadata, contract.spot_of("entity"), message).maybe_help(help)];
    };
    let mut diagnostics = Vec::new();
    let names = || entity.properties.iter().map(|property| property.name.as_str());
    if entity.set != contract.set {
        let message = format!("the set of {} is `{}` in $metadata, not `{}`", entity.name, entity.set, contract.set);
        let help = format!("write `set = \"{}\"`", entity.set);
        diagnostics.push(Diagnostic::contract(Code::NotInMetadata, contract.spot_of("set"), message).help(help));
    }
    if entity.key != contract.key {
        let message = format!("the key of {} is `{}` in $metadata, not `{}`", entity.name, entity.key, contract.key);
        let help = format!("write `key = \"{}\"`", entity.key);
        diagnostics.push(Diagnostic::contract(Code::NotInMetadata, contract.spot_of("key"), message).help(help));
    }
    let followed = [
        ("modified", &contract.modified, Kind::DateTime),
        ("created", &contract.created, Kind::DateTime),
        ("modified-by", &contract.modified_by, Kind::Lookup),
    ];
    for (key, name, kind) in followed {
        let cure = format!("name the right one with `{key} = \"…\"`");
        match entity.property(name) {
            None => {
                let message = format!("$metadata has no `{name}` in {}, which the engine follows", entity.name);
                let help = meant(name, names()).filter(|help| help.starts_with("did")).unwrap_or(cure);
                let spot = contract.spot_of(key);
                diagnostics.push(Diagnostic::contract(Code::NotInMetadata, spot, message).help(help));
            }
            Some(property) if !property.edm.carries(kind) => {
                let message = format!(
                    "`{name}` is of type {} in $metadata, and as `{key}` the engine follows one of kind {kind}",
                    property.edm.name()
                );
                diagnostics.push(Diagnostic::contract(Code::WrongKind, contract.spot_of(key), message).help(cure));
            }
            Some(_) => {}
        }
    }
    for attribute in &contract.attributes {
        match entity.property(&attribute.name) {
            None => {
                let message = format!("$metadata has no `{}` in {}", attribute.name, entity.name);
                let help = meant(&attribute.name, names());
                diagnostics
                    .push(Diagnostic::contract(Code::NotInMetadata, attribute.spot.clone(), message).maybe_help(help));
            }
            Some(property) if !property.edm.carries(attribute.kind) => {
                let fitting: Vec<_> = property.edm.kinds().iter().map(|kind| format!("`kind = \"{kind}\"`")).collect();
                let message = format!(
                    "`{}` is of type {} in $metadata, which cannot be of kind {}",
                    attribute.name,
                    property.edm.name(),
                    attribute.kind
                );
                let help = match fitting.as_slice() {
                    [] => format!("no kind is of this type: move `{}` to [unmapped] with that reason", attribute.name),
                    fitting => format!("write {}", fitting.join(" or ")),
                };
                diagnostics.push(Diagnostic::contract(Code::WrongKind, attribute.spot.clone(), message).help(help));
            }
            Some(_) => {}
        }
    }
    for (name, _, spot) in &contract.unmapped {
        if entity.property(name).is_none() {
            let message = format!("$metadata has no `{name}` in {}, so it need not be left out", entity.name);
            diagnostics.push(
                Diagnostic::contract(Code::NotInMetadata, spot.clone(), message).maybe_help(meant(name, names())),
            );
        }
    }
    diagnostics
}
