//! From annotations and contract to a mapping that the generator may rely on, and every fault found on the way.

use std::collections::HashSet;

use cdms_odata::Kind;

use super::annotation::{EngineField, FieldAnnotation, ModelAnnotation, Placed};
use super::check::{self, ColumnLimit};
use super::contract::{Capture, Contract, ContractAttribute, ContractConstant};
use super::mapping::{Faulty, Mapping, ResolvedColumn, ResolvedField, ResolvedSource, Shape};
use super::nearest::{meant, meant_among, meant_attribute, meant_kind, nearest};
use super::{mapping_id, names, only};
use crate::conversion::DECIMAL_SCALE;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::{EngineAttribute, Filter, Mode, Write};

/// Joins annotations to a contract. Returns a mapping only if there is no fault.
///
/// # Errors
///
/// All faults, and what is known in spite of them.
pub fn resolve<P: Clone>(
    model: &ModelAnnotation<P>,
    contract: &Contract,
    limit: ColumnLimit,
) -> Result<Mapping, Box<Faulty<P>>> {
    let (resolved, diagnostics) =
        Diagnostics::collect(|diagnostics| resolved(model, contract, limit, diagnostics)).into_parts();
    let Resolved { mode, table, only, fields, columns, unresolved } = resolved;
    let is_resolved = fields.len() == model.fields.len();
    let is_faulty = model.is_faulty || model.fields.iter().any(|field| field.is_faulty);
    let is_whole = is_resolved && !is_faulty && diagnostics.is_empty() && only.is_some() == model.only.is_some();
    let (Some(mode), true) = (mode, is_whole) else {
        let attributes = used(contract, &columns, &[], None);
        let has_table = has_table(model, &columns, &unresolved, limit);
        return Err(Box::new(Faulty { diagnostics, fields, columns, attributes, unresolved, has_table }));
    };
    let constants = if mode == Mode::Sync { contract.constants.clone() } else { Vec::new() };
    let attributes = used(contract, &columns, &constants, only.as_ref());
    let captured = if mode == Mode::Detached { Vec::new() } else { captured(contract, &attributes) };
    let name = model.name.value.clone();
    let was = model.was.as_ref().map(|was| was.value.clone());
    let contract = contract.clone();
    let mut mapping = Mapping {
        name,
        table,
        was,
        mode,
        contract,
        fields,
        columns,
        attributes,
        captured,
        constants,
        only,
        mapping_id: 0,
    };
    mapping.mapping_id = mapping_id::of(&mapping);
    Ok(mapping)
}

/// What a model's annotations resolve to, each on its own.
struct Resolved {
    mode: Option<Mode>,
    table: String,
    only: Option<Filter>,
    fields: Vec<ResolvedField>,
    columns: Vec<ResolvedColumn>,
    /// The fields that could not be resolved, with the names of their columns.
    unresolved: Vec<(String, String)>,
}

fn resolved<P: Clone>(
    model: &ModelAnnotation<P>,
    contract: &Contract,
    limit: ColumnLimit,
    diagnostics: &mut Diagnostics<P>,
) -> Resolved {
    let mut resolver = Resolver { contract, diagnostics, columns: Vec::new() };
    let mode = resolver.mode(model);
    let table = resolver.table(model);
    let only = model.only.as_ref().and_then(|only| resolver.only(only));
    let (mut fields, mut unresolved) = (Vec::new(), Vec::new());
    for field in &model.fields {
        match resolver.field(field, mode) {
            Some(resolved) => fields.push(resolved),
            None if field.flatten.is_none() => unresolved.push((plain(field).to_owned(), column_of(field).to_owned())),
            None => {}
        }
    }
    let Resolver { diagnostics, columns, .. } = resolver;
    check::model(model, contract, mode, (&columns, &unresolved), limit, diagnostics);
    // A field that could not be resolved may be the one that a create needs.
    if mode == Some(Mode::Sync) && fields.len() == model.fields.len() {
        check::required_at_create(model, contract, &columns, diagnostics);
    }
    Resolved { mode, table, only, fields, columns, unresolved }
}

/// The attributes that are read, in the order of names.
fn used(
    contract: &Contract,
    columns: &[ResolvedColumn],
    constants: &[ContractConstant],
    only: Option<&Filter>,
) -> Vec<ContractAttribute> {
    let mut used: Vec<&str> = columns.iter().flat_map(|column| column.source.attributes()).collect();
    used.extend(constants.iter().map(|constant| constant.attribute.as_str()));
    used.extend(only.into_iter().flat_map(Filter::attributes));
    let attributes = contract.attributes.iter().filter(|attribute| used.contains(&attribute.name.as_str()));
    let mut attributes: Vec<_> = attributes.cloned().collect();
    attributes.sort_by(|one, other| one.name.cmp(&other.name));
    attributes
}

/// The attributes that are read besides the used ones, in the order of names. What the engine reads of every record is not
/// among them.
fn captured(contract: &Contract, used: &[ContractAttribute]) -> Vec<ContractAttribute> {
    if contract.capture != Some(Capture::Contract) {
        return Vec::new();
    }
    let is_used = |name: &str| used.iter().any(|used| used.name == name) || contract.is_engines(name);
    let mut captured: Vec<_> =
        contract.attributes.iter().filter(|attribute| !is_used(&attribute.name)).cloned().collect();
    captured.sort_by(|one, other| one.name.cmp(&other.name));
    captured
}

/// The mode of this name, or the one that was probably meant.
pub fn meant_mode(said: &str) -> Option<Mode> {
    let mode = |said: &str| MODES.iter().find(|(name, _)| *name == said).map(|(_, mode)| *mode);
    mode(said).or_else(|| nearest(said, MODES.iter().map(|(name, _)| *name)).and_then(mode))
}

const MODES: [(&str, Mode); 3] = [("sync", Mode::Sync), ("mirror", Mode::Mirror), ("detached", Mode::Detached)];

/// Whether Diesel's table of a faulty model can be generated: each of its columns has a valid and unique name.
fn has_table<P>(
    model: &ModelAnnotation<P>,
    columns: &[ResolvedColumn],
    unresolved: &[(String, String)],
    limit: ColumnLimit,
) -> bool {
    let Some(table) = model.table.as_ref().filter(|_| model.diesel.no_table.is_none()) else { return false };
    let names = columns.iter().map(|column| &column.name).chain(unresolved.iter().map(|(_, column)| column));
    let mut known = HashSet::new();
    let is_sound =
        |name: &str| names::name_fault(name).or_else(|| names::fault_beside_diesel(name, &table.value)).is_none();
    let has_columns = names.into_iter().all(|name| is_sound(name) && known.insert(name));
    names::name_fault(&table.value).is_none() && has_columns && (1..=limit.columns()).contains(&known.len())
}

struct Resolver<'r, P> {
    contract: &'r Contract,
    diagnostics: &'r mut Diagnostics<P>,
    columns: Vec<ResolvedColumn>,
}

impl<P: Clone> Resolver<'_, P> {
    /// The model's mode, or the one that was probably meant; `None` if that is unknown, so that no rule depends on it.
    fn mode(&mut self, model: &ModelAnnotation<P>) -> Option<Mode> {
        let Some(Placed { value: said, place }) = &model.mode else { return Some(Mode::Sync) };
        if !MODES.iter().any(|(name, _)| name == said) {
            let message = format!("unknown mode `{said}`");
            let help = meant_among(said, &MODES.map(|(name, _)| name));
            self.diagnostics.push(Diagnostic::of(Code::WrongValue, place.clone(), message).cure(help));
        }
        meant_mode(said)
    }

    fn table(&mut self, model: &ModelAnnotation<P>) -> String {
        let Some(table) = &model.table else {
            if model.is_faulty {
                return String::new();
            }
            let message = format!("`{}` is missing `table`", model.name.value);
            let help =
                "add `table = \"…\"` to its #[cdms(…)]; the table's name is also the model's name in the database";
            self.diagnostics.push(Diagnostic::of(Code::MissingKey, model.name.place.clone(), message).cure(help));
            return String::new();
        };
        if let Some(fault) = names::name_fault(&table.value) {
            let message = format!("invalid table name `{}`: it {fault}", table.value);
            let help = names::corrected(&table.value).unwrap_or_else(|| "choose another name".into());
            self.diagnostics.push(Diagnostic::of(Code::ColumnName, table.place.clone(), message).cure(help));
        }
        table.value.clone()
    }

    fn only(&mut self, only: &Placed<String, P>) -> Option<Filter> {
        let hidden = |contract: &Contract| {
            contract.is_partial || contract.faulty.iter().any(|name| only.value.contains(name.as_str()))
        };
        only::parse(&only.value, self.contract)
            .map_err(|(reason, help)| {
                let mut open = self.contract.questions.iter().filter(|open| only.value.contains(&open.attribute));
                let unanswered = open.find_map(|open| {
                    let what = format!("`{}` in the condition", open.attribute);
                    self.contract.unanswered(&open.attribute, &what, only.place.clone())
                });
                if let Some(fault) = unanswered {
                    return self.diagnostics.push(fault);
                }
                if hidden(self.contract) {
                    return;
                }
                let message = format!("invalid condition: {reason}");
                let fault = Diagnostic::of(Code::OnlyDoesNotParse, only.place.clone(), message);
                self.diagnostics.push(fault.cure(help));
            })
            .ok()
    }

    fn field(&mut self, field: &FieldAnnotation<P>, mode: Option<Mode>) -> Option<ResolvedField> {
        // A field marked as the key is the key, whatever its other annotations say.
        if !check::field_keys(field, self.diagnostics) && field.key.is_none() {
            return None;
        }
        let name = field.name.value.clone();
        let shape = if field.key.is_some() {
            Shape::Key(self.push(field, Kind::Guid, false, None, ResolvedSource::Key))
        } else if let Some(engine) = &field.engine {
            let (kind, engine) = match engine.value {
                EngineField::Modified => (Kind::DateTime, EngineAttribute::Modified),
                EngineField::Created => (Kind::DateTime, EngineAttribute::Created),
                EngineField::ModifiedBy => (Kind::Guid, EngineAttribute::ModifiedBy),
            };
            check::engine_of_detached(field, engine, mode, self.diagnostics);
            Shape::Column(self.push(field, kind, field.is_option, None, ResolvedSource::Engine(engine)))
        } else if let Some(group) = &field.flatten {
            self.group(field, group, mode)?
        } else if field.local.is_some() {
            check::default(field, None, self.diagnostics);
            let kind = self.sql_type(field)?;
            if self.contract.is_of_cdms() && !self.contract.is_partial {
                check::local(field, kind, self.diagnostics);
            }
            Shape::Column(self.push(field, kind, field.is_option, Some(4), ResolvedSource::Local))
        } else if let Some(attributes) = &field.attributes {
            let found: Vec<_> = attributes.value.iter().filter_map(|name| self.attribute(name)).collect();
            let write = self.write(field, found.iter(), mode);
            let kind = self.sql_type(field)?;
            let attributes = found.into_iter().map(|attribute| attribute.name).collect();
            Shape::Column(self.push(field, kind, field.is_option, None, ResolvedSource::Joined { attributes, write }))
        } else if let Some(attribute) = &field.attribute {
            self.single(field, attribute, mode)?
        } else if field.is_faulty {
            return None;
        } else {
            let message = format!("field `{name}` has no source");
            let help = if field.may_be_the_key() {
                "add #[cdms(key)]"
            } else {
                "add #[cdms(\"Attribute\")], or #[cdms(local, sql_type = \"string\")] for a field of the hub alone"
            };
            self.diagnostics.push(Diagnostic::of(Code::MissingKey, field.name.place.clone(), message).cure(help));
            return None;
        };
        Some(ResolvedField { name, shape })
    }

    fn single(&mut self, field: &FieldAnnotation<P>, name: &Placed<String, P>, mode: Option<Mode>) -> Option<Shape> {
        let stated = self.attribute(name);
        // The conversion does not depend on the attribute.
        let converted = field.with.as_ref().map(|_| self.sql_type(field));
        let stated = stated?;
        let write = self.write(field, std::iter::once(&stated), mode);
        if let Some(kind) = converted {
            let kind = kind?;
            let source = ResolvedSource::Joined { attributes: vec![stated.name], write };
            return Some(Shape::Column(self.push(field, kind, field.is_option, stated.scale, source)));
        }
        check::nullability(field, &stated, self.diagnostics);
        check::default(field, Some(&stated), self.diagnostics);
        // If only the compiler knows the type, the attribute decides whether the column is nullable; the compiler checks it.
        let nullable = field.is_option || (field.is_opaque && field.default.is_none() && !stated.required);
        let kind = self.held_as(field, &stated)?;
        let source = ResolvedSource::Attribute { attribute: stated.name, default: field.default.is_some(), write };
        Some(Shape::Column(self.push(field, kind, nullable, stated.scale, source)))
    }

    /// What the column of an attribute stores: the attribute's kind, or text if it must hold references to several models.
    fn held_as(&mut self, field: &FieldAnnotation<P>, stated: &ContractAttribute) -> Option<Kind> {
        let Some(sql_type) = &field.sql_type else { return Some(stated.kind) };
        let kind = self.sql_type(field)?;
        if kind == Kind::String && stated.kind == Kind::Lookup {
            return Some(kind);
        }
        // It may have a `with` that is faulty.
        if field.is_faulty {
            return None;
        }
        let message = "`sql_type` is only allowed with `local` or `with`; the contract has the kind of an attribute";
        let help = if stated.kind == Kind::Lookup {
            "remove `sql_type`, or write `sql_type = \"string\"` for a reference to one of several models, `OneOf<(…)>`"
        } else {
            "remove `sql_type`"
        };
        self.diagnostics.push(Diagnostic::of(Code::KeysExclude, sql_type.place.clone(), message).cure(help));
        None
    }

    fn group(&mut self, field: &FieldAnnotation<P>, name: &Placed<String, P>, mode: Option<Mode>) -> Option<Shape> {
        let contract = self.contract;
        let Some(group) = contract.groups.iter().find(|group| group.name == name.value) else {
            if contract.may_have(&name.value) {
                return None;
            }
            let help = meant(&name.value, contract.groups.iter().map(|group| group.name.as_str()))
                .unwrap_or_else(|| format!("add `[groups.{}]` to the contract", name.value).into());
            let message = format!("unknown group `{}` in the contract of `{}`", name.value, contract.entity);
            let fault = Diagnostic::of(Code::UnknownGroup, name.place.clone(), message);
            self.diagnostics.push(fault.cure(help));
            return None;
        };
        let prefix = field.prefix.as_ref().map_or_else(|| format!("{}_", plain(field)), |prefix| prefix.value.clone());
        let first = self.columns.len();
        let (mut members, mut is_whole) = (Vec::new(), true);
        for member in &group.members {
            // A member whose attribute is not stated is a fault of the contract, which is reported there.
            let Some(stated) = contract.attribute(&member.attribute) else {
                is_whole = false;
                let what = format!("the group `{}`", group.name);
                self.diagnostics.extend(contract.unanswered(&member.attribute, &what, name.place.clone()));
                continue;
            };
            let write = self.write(field, std::iter::once(stated), mode);
            let source = ResolvedSource::Attribute { attribute: stated.name.clone(), default: false, write };
            self.columns.push(ResolvedColumn {
                name: format!("{prefix}{}", member.key.replace('.', "_")),
                field: format!("{}.{}", plain(field), member.key),
                kind: stated.kind,
                nullable: !stated.required,
                scale: stated.scale.filter(|_| stated.kind == Kind::Decimal),
                was: None,
                default: None,
                class: None,
                with: None,
                reference: None,
                source,
            });
            members.push(member.key.clone());
        }
        is_whole.then_some(Shape::Group { first, members })
    }

    fn attribute(&mut self, name: &Placed<String, P>) -> Option<ContractAttribute> {
        let found = self.contract.attribute(&name.value).cloned();
        self.diagnostics.extend(self.contract.unanswered(
            &name.value,
            &format!("`{}`", name.value),
            name.place.clone(),
        ));
        if found.is_none() && !self.contract.may_have(&name.value) {
            let unmapped = self.contract.unmapped.iter().find(|(unmapped, ..)| *unmapped == name.value);
            // An attribute that is stated with a fault may be the one that was meant.
            let known = self.contract.attributes.iter().map(|known| known.name.as_str());
            let known = known.chain(self.contract.faulty.iter().map(String::as_str));
            let help = match (unmapped, engines_word(self.contract, &name.value)) {
                (Some((_, reason, _)), _) => format!("the contract lists it in [unmapped]: {reason}").into(),
                (None, Some(word)) => format!("the engine keeps this attribute; write #[cdms({word})]").into(),
                (None, None) => meant_attribute(&name.value, known, self.contract),
            };
            let (message, help) = if self.contract.is_of_cdms() {
                (format!("unknown attribute `{}` in the contract of `{}`", name.value, self.contract.entity), help)
            } else {
                let help =
                    "name its contract with `mapping = \"….toml\"`, or write #[cdms(local, sql_type = \"string\")]";
                (format!("`{}` names an attribute, but the model has no contract", name.value), help.into())
            };
            self.diagnostics.push(Diagnostic::of(Code::UnknownAttribute, name.place.clone(), message).cure(help));
        }
        found
    }

    /// When a field is sent: as its annotations say, and never if CDMS does not accept it.
    fn write<'a>(
        &mut self,
        field: &FieldAnnotation<P>,
        attributes: impl IntoIterator<Item = &'a ContractAttribute>,
        mode: Option<Mode>,
    ) -> Write {
        // If both are present, which is a fault, the attribute is not also reported as missing in a create.
        if mode == Some(Mode::Mirror) || (field.read_only.is_some() && field.create_only.is_none()) {
            return Write::Never;
        }
        // An attribute that CDMS does not accept may be written in a detached model.
        if mode == Some(Mode::Sync) && field.read_only.is_none() {
            check::read_only(field, attributes, self.diagnostics);
        }
        if field.create_only.is_some() { Write::CreateOnly } else { Write::Always }
    }

    fn sql_type(&mut self, field: &FieldAnnotation<P>) -> Option<Kind> {
        let Some(sql_type) = &field.sql_type else {
            if field.is_faulty {
                return None;
            }
            let message = format!("`{}` is missing `sql_type`", field.name.value);
            let help = "add `sql_type = \"string\"`, or another kind";
            self.diagnostics.push(Diagnostic::of(Code::MissingKey, field.name.place.clone(), message).cure(help));
            return None;
        };
        let kind = sql_type.value.parse().ok();
        if kind.is_none() {
            let message = format!("unknown kind `{}`", sql_type.value);
            let help = meant_kind(&sql_type.value);
            self.diagnostics.push(Diagnostic::of(Code::WrongKind, sql_type.place.clone(), message).cure(help));
        }
        kind
    }

    fn is_lookup(&self, source: &ResolvedSource) -> bool {
        let ResolvedSource::Attribute { attribute, .. } = source else { return false };
        self.contract.attribute(attribute).is_some_and(|stated| stated.kind == Kind::Lookup)
    }

    fn push(
        &mut self,
        field: &FieldAnnotation<P>,
        kind: Kind,
        nullable: bool,
        scale: Option<u32>,
        source: ResolvedSource,
    ) -> usize {
        let field_name = plain(field).to_owned();
        let name = column_of(field).to_owned();
        let scale = if kind == Kind::Decimal { scale.or(Some(DECIMAL_SCALE)) } else { None };
        let was = field.was.as_ref().map(|was| was.value.clone());
        let default = field.default.as_ref().map(|default| default.value.said());
        let with = field.with.as_ref().map(|with| with.value.clone());
        let class = check::class(field, self.diagnostics);
        let is_reference = kind == Kind::Lookup || self.is_lookup(&source);
        let reference = is_reference.then(|| field.written_type.clone());
        let field = field_name;
        self.columns.push(ResolvedColumn {
            name,
            field,
            kind,
            nullable,
            scale,
            was,
            default,
            class,
            with,
            reference,
            source,
        });
        self.columns.len() - 1
    }
}

/// A field's name without the mark of a raw identifier.
fn plain<P>(field: &FieldAnnotation<P>) -> &str {
    field.name.value.trim_start_matches("r#")
}

/// The name of a field's one column.
fn column_of<P>(field: &FieldAnnotation<P>) -> &str {
    field.column.as_ref().map_or_else(|| plain(field), |column| &column.value)
}

/// The key for one of the attributes that every contract has without stating them.
fn engines_word(contract: &Contract, attribute: &str) -> Option<&'static str> {
    let words = [
        (&contract.key, "key"),
        (&contract.modified, "modified"),
        (&contract.created, "created"),
        (&contract.modified_by, "modified_by"),
    ];
    words.into_iter().find(|(name, _)| *name == attribute).map(|(_, word)| word)
}
