//! From annotations and contract to a mapping that the generator may rely on, with every fault on the way.

use cdms_odata::Kind;

use super::annotation::{EngineField, FieldAnnotation, ModelAnnotation, Placed};
use super::check::{self, ColumnLimit};
use super::contract::{Contract, ContractAttribute, ContractConstant};
use super::diagnostic::{Code, Diagnostic};
use super::nearest::meant;
use super::only::{self, OnlyCondition};
use super::{mapping_id, names};
use crate::conversion::DECIMAL_SCALE;
use crate::{EngineAttribute, Mode, Write};

/// A model joined to its contract, complete and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    /// The struct's name.
    pub name: String,
    /// The table.
    pub table: String,
    /// Whether it is written.
    pub mode: Mode,
    /// The contract.
    pub contract: Contract,
    /// The fields in the struct's order.
    pub fields: Vec<ResolvedField>,
    /// The columns.
    pub columns: Vec<ResolvedColumn>,
    /// The attributes that are read, in the order of names.
    pub attributes: Vec<ContractAttribute>,
    /// The constants; none for a mirror.
    pub constants: Vec<ContractConstant>,
    /// Which records are the model's.
    pub only: Option<OnlyCondition>,
    /// The hash of it all.
    pub mapping_id: u64,
}

/// A field and the columns behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedField {
    /// The field's name.
    pub name: String,
    /// What it is.
    pub shape: Shape,
}

/// What a field is.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// The key, at this column.
    Key(usize),
    /// One column.
    Column(usize),
    /// A group: the first column and the members' keys.
    Group {
        /// The first column.
        first: usize,
        /// The members in the order of the columns: key (with a dot before that of a group within), kind, whether
        /// required, the lookup's targets.
        members: Vec<(String, Kind, bool, Vec<String>)>,
    },
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedColumn {
    /// Its name.
    pub name: String,
    /// The field, with a dot before a member.
    pub field: String,
    /// What it stores.
    pub kind: Kind,
    /// Whether it may be null.
    pub nullable: bool,
    /// Digits after the point of a decimal.
    pub scale: Option<u32>,
    /// Its name before it was renamed.
    pub was: Option<String>,
    /// The default that stands for a null, as it is written.
    pub default: Option<String>,
    /// The module that converts it, as it is written.
    pub with: Option<String>,
    /// The type of a lookup's field as it is written, which says what it points to.
    pub reference: Option<String>,
    /// Where its value comes from.
    pub source: ResolvedSource,
}

/// Where a column's value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum ResolvedSource {
    /// The record's id.
    Key,
    /// The engine.
    Engine(EngineAttribute),
    /// One attribute.
    Attribute {
        /// Its name.
        attribute: String,
        /// Whether a default stands for null.
        default: bool,
        /// When it is sent.
        write: Write,
    },
    /// The user's functions over these attributes.
    Joined {
        /// The attributes.
        attributes: Vec<String>,
        /// When it is sent.
        write: Write,
    },
    /// The hub alone.
    Local,
}

/// Joins annotations to a contract. There is a mapping only where there is no diagnostic.
///
/// # Errors
///
/// All faults that are found: first those of each field in the order of the struct, then those of the whole. None of a
/// field that could not be read, whose faults the caller knows, and none that may come from the contract's own.
pub fn resolve<P: Clone>(
    model: &ModelAnnotation<P>,
    contract: &Contract,
    limit: ColumnLimit,
) -> Result<Mapping, Vec<Diagnostic<P>>> {
    let mut resolver = Resolver { contract, diagnostics: Vec::new(), columns: Vec::new() };
    let mode = resolver.mode(model);
    let table = resolver.table(model);
    let only = model.only.as_ref().and_then(|only| resolver.only(only));
    let fields: Vec<_> = model.fields.iter().filter_map(|field| resolver.field(field, mode)).collect();
    let Resolver { mut diagnostics, columns, .. } = resolver;
    check::model(model, contract, mode, &columns, limit, &mut diagnostics);
    // A field that could not be resolved may be the one that a create needs; the other rules hide no column.
    if mode == Mode::Sync && fields.len() == model.fields.len() {
        check::required_at_create(model, contract, &columns, &mut diagnostics);
    }
    let is_faulty = model.is_faulty || model.fields.iter().any(|field| field.is_faulty);
    let is_whole = fields.len() == model.fields.len() && only.is_some() == model.only.is_some();
    if !diagnostics.is_empty() || is_faulty || !is_whole {
        return Err(diagnostics);
    }
    let constants = if mode == Mode::Sync { contract.constants.clone() } else { Vec::new() };
    let mut used: Vec<&str> = columns.iter().flat_map(|column| column.source.attributes()).collect();
    used.extend(constants.iter().map(|constant| constant.attribute.as_str()));
    used.extend(only.iter().flat_map(OnlyCondition::attributes));
    let attributes = contract.attributes.iter().filter(|attribute| used.contains(&attribute.name.as_str()));
    let mut attributes: Vec<_> = attributes.cloned().collect();
    attributes.sort_by(|one, other| one.name.cmp(&other.name));
    let name = model.name.value.clone();
    let contract = contract.clone();
    let mut mapping =
        Mapping { name, table, mode, contract, fields, columns, attributes, constants, only, mapping_id: 0 };
    mapping.mapping_id = mapping_id::of(&mapping);
    Ok(mapping)
}

impl Mapping {
    /// What a column of references may point to, in logical names; `None` for other columns.
    pub fn targets(&self, column: &ResolvedColumn) -> Option<&[String]> {
        let ResolvedSource::Attribute { attribute, .. } = &column.source else { return None };
        let stated = self.contract.attribute(attribute).filter(|stated| stated.kind == Kind::Lookup)?;
        Some(&stated.targets)
    }
}

impl ResolvedSource {
    /// The attributes behind a column.
    pub fn attributes(&self) -> Vec<&str> {
        match self {
            ResolvedSource::Attribute { attribute, .. } => vec![attribute],
            ResolvedSource::Joined { attributes, .. } => attributes.iter().map(String::as_str).collect(),
            ResolvedSource::Key | ResolvedSource::Engine(_) | ResolvedSource::Local => Vec::new(),
        }
    }
}

struct Resolver<'c, P> {
    contract: &'c Contract,
    diagnostics: Vec<Diagnostic<P>>,
    columns: Vec<ResolvedColumn>,
}

impl<P: Clone> Resolver<'_, P> {
    fn mode(&mut self, model: &ModelAnnotation<P>) -> Mode {
        match &model.mode {
            None => Mode::Sync,
            Some(mode) => match mode.value.as_str() {
                "sync" => Mode::Sync,
                "mirror" => Mode::Mirror,
                "detached" => Mode::Detached,
                other => {
                    let help = meant(other, ["sync", "mirror", "detached"]);
                    let message = format!("no mode is called `{other}`");
                    self.diagnostics
                        .push(Diagnostic::source(Code::WrongValue, mode.place.clone(), message).maybe_help(help));
                    Mode::Sync
                }
            },
        }
    }

    fn table(&mut self, model: &ModelAnnotation<P>) -> String {
        let Some(table) = &model.table else {
            if model.is_faulty {
                return String::new();
            }
            let message = format!("{} does not say which table it is stored in", model.name.value);
            let help = "add `table = \"…\"` to its #[cdms(…)]; it is also the model's name in the database";
            self.diagnostics.push(Diagnostic::source(Code::MissingKey, model.name.place.clone(), message).help(help));
            return String::new();
        };
        if let Some(fault) = names::name_fault(&table.value) {
            let message = format!("`{}` cannot be a table's name: it {fault}", table.value);
            self.diagnostics.push(Diagnostic::source(Code::ColumnName, table.place.clone(), message));
        }
        table.value.clone()
    }

    fn only(&mut self, only: &Placed<String, P>) -> Option<OnlyCondition> {
        let hidden = |contract: &Contract| {
            contract.is_partial || contract.faulty.iter().any(|name| only.value.contains(name.as_str()))
        };
        only::parse(&only.value, self.contract)
            .map_err(|(reason, help)| {
                if hidden(self.contract) {
                    return;
                }
                let message = format!("the condition cannot be read: {reason}");
                self.diagnostics
                    .push(Diagnostic::source(Code::OnlyDoesNotParse, only.place.clone(), message).maybe_help(help));
            })
            .ok()
    }

    fn field(&mut self, field: &FieldAnnotation<P>, mode: Mode) -> Option<ResolvedField> {
        let before = self.diagnostics.len();
        check::field_keys(field, &mut self.diagnostics);
        if self.diagnostics.len() > before {
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
            check::engine_of_detached(field, engine, mode, &mut self.diagnostics);
            Shape::Column(self.push(field, kind, field.is_option, None, ResolvedSource::Engine(engine)))
        } else if let Some(group) = &field.flatten {
            self.group(field, group, mode)?
        } else if field.local.is_some() {
            let kind = self.sql_type(field)?;
            if self.contract.is_of_cdms() && !self.contract.is_partial {
                check::local(field, kind, &mut self.diagnostics);
            }
            check::default(field, None, &mut self.diagnostics);
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
            let message = format!("`{name}` does not say where its value comes from");
            let help =
                "add #[cdms(\"Attribute\")], or #[cdms(local, sql_type = \"string\")] for a field of the hub alone";
            self.diagnostics.push(Diagnostic::source(Code::MissingKey, field.name.place.clone(), message).help(help));
            return None;
        };
        Some(ResolvedField { name, shape })
    }

    fn single(&mut self, field: &FieldAnnotation<P>, name: &Placed<String, P>, mode: Mode) -> Option<Shape> {
        let stated = self.attribute(name)?;
        let write = self.write(field, std::iter::once(&stated), mode);
        if field.with.is_some() {
            let kind = self.sql_type(field)?;
            let source = ResolvedSource::Joined { attributes: vec![stated.name], write };
            return Some(Shape::Column(self.push(field, kind, field.is_option, stated.scale, source)));
        }
        check::nullability(field, &stated, &mut self.diagnostics);
        check::default(field, Some(&stated), &mut self.diagnostics);
        // Of a type that only the compiler knows, the attribute says whether there can be a null; the compiler checks it.
        let nullable = field.is_option || (field.is_opaque && field.default.is_none() && !stated.required);
        let kind = self.held_as(field, &stated)?;
        let source = ResolvedSource::Attribute { attribute: stated.name, default: field.default.is_some(), write };
        Some(Shape::Column(self.push(field, kind, nullable, stated.scale, source)))
    }

    /// What the column of an attribute stores: the attribute's kind, or text where it is to hold references to several
    /// models.
    fn held_as(&mut self, field: &FieldAnnotation<P>, stated: &ContractAttribute) -> Option<Kind> {
        let Some(sql_type) = &field.sql_type else { return Some(stated.kind) };
        let kind = self.sql_type(field)?;
        if kind == Kind::String && stated.kind == Kind::Lookup {
            return Some(kind);
        }
        let message = "`sql_type` is for fields with `local` or `with`; the contract states the others";
        let help = if stated.kind == Kind::Lookup {
            "remove `sql_type`, or write `sql_type = \"string\"` for a reference to one of several models, `OneOf<(…)>`"
        } else {
            "remove `sql_type`"
        };
        self.diagnostics.push(Diagnostic::source(Code::KeysExclude, sql_type.place.clone(), message).help(help));
        None
    }

    fn group(&mut self, field: &FieldAnnotation<P>, name: &Placed<String, P>, mode: Mode) -> Option<Shape> {
        let contract = self.contract;
        let Some(group) = contract.groups.iter().find(|group| group.name == name.value) else {
            if contract.may_have(&name.value) {
                return None;
            }
            let help = meant(&name.value, contract.groups.iter().map(|group| group.name.as_str()));
            let message = format!("the contract of {} has no group `{}`", contract.entity, name.value);
            self.diagnostics.push(Diagnostic::source(Code::UnknownGroup, name.place.clone(), message).maybe_help(help));
            return None;
        };
        let prefix = field.prefix.as_ref().map_or_else(|| format!("{}_", plain(field)), |prefix| prefix.value.clone());
        let first = self.columns.len();
        let mut members = Vec::new();
        for member in &group.members {
            // A member whose attribute is not stated is a fault of the contract, told there.
            let Some(stated) = contract.attribute(&member.attribute) else { continue };
            let write = self.write(field, std::iter::once(stated), mode);
            let source = ResolvedSource::Attribute { attribute: stated.name.clone(), default: false, write };
            self.columns.push(ResolvedColumn {
                name: format!("{prefix}{}", member.key.replace('.', "_")),
                field: format!("{}.{}", plain(field), member.key),
                kind: stated.kind,
                nullable: !stated.required,
                scale: stated.scale,
                was: None,
                default: None,
                with: None,
                reference: None,
                source,
            });
            members.push((member.key.clone(), stated.kind, stated.required, stated.targets.clone()));
        }
        Some(Shape::Group { first, members })
    }

    fn attribute(&mut self, name: &Placed<String, P>) -> Option<ContractAttribute> {
        let found = self.contract.attribute(&name.value).cloned();
        if found.is_none() && !self.contract.may_have(&name.value) {
            let unmapped = self.contract.unmapped.iter().find(|(unmapped, ..)| *unmapped == name.value);
            let known = self.contract.attributes.iter().map(|known| known.name.as_str());
            let help = match (unmapped, engines_word(self.contract, &name.value)) {
                (Some((_, reason, _)), _) => Some(format!("the contract leaves it out on purpose: {reason}")),
                (None, Some(word)) => Some(format!("the engine follows it; write #[cdms({word})]")),
                (None, None) => {
                    meant(&name.value, known).or_else(|| Some("state it in the contract's [attributes]".to_owned()))
                }
            };
            let (message, help) = if self.contract.is_of_cdms() {
                (format!("the contract of {} has no attribute `{}`", self.contract.entity, name.value), help)
            } else {
                let help =
                    "name its contract with `mapping = \"….toml\"`, or write #[cdms(local, sql_type = \"string\")]";
                (format!("`{}` is an attribute, but the model has no contract", name.value), Some(help.to_owned()))
            };
            self.diagnostics
                .push(Diagnostic::source(Code::UnknownAttribute, name.place.clone(), message).maybe_help(help));
        }
        found
    }

    /// When a field is sent: as its annotations say, and never what CDMS does not let be written.
    fn write<'a>(
        &mut self,
        field: &FieldAnnotation<P>,
        attributes: impl IntoIterator<Item = &'a ContractAttribute>,
        mode: Mode,
    ) -> Write {
        if mode == Mode::Mirror || field.read_only.is_some() {
            return Write::Never;
        }
        // What CDMS would not let be written may be, once it is not asked.
        if mode == Mode::Sync {
            check::read_only(field, attributes, &mut self.diagnostics);
        }
        if field.create_only.is_some() { Write::CreateOnly } else { Write::Always }
    }

    fn sql_type(&mut self, field: &FieldAnnotation<P>) -> Option<Kind> {
        let Some(sql_type) = &field.sql_type else {
            if field.is_faulty {
                return None;
            }
            let message = format!("`{}` does not say what its column stores", field.name.value);
            let help = "add `sql_type = \"string\"`, or another kind";
            self.diagnostics.push(Diagnostic::source(Code::MissingKey, field.name.place.clone(), message).help(help));
            return None;
        };
        let kind = sql_type.value.parse().ok();
        if kind.is_none() {
            let message = format!("no kind is called `{}`", sql_type.value);
            let help = meant(&sql_type.value, Kind::ALL.iter().map(|kind| kind.name()));
            self.diagnostics
                .push(Diagnostic::source(Code::WrongKind, sql_type.place.clone(), message).maybe_help(help));
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
        let name = field.column.as_ref().map_or_else(|| field_name.clone(), |column| column.value.clone());
        let scale = if kind == Kind::Decimal { scale.or(Some(DECIMAL_SCALE)) } else { None };
        let was = field.was.as_ref().map(|was| was.value.clone());
        let default = field.default.as_ref().map(|default| default.value.said());
        let with = field.with.as_ref().map(|with| with.value.clone());
        let is_reference = kind == Kind::Lookup || self.is_lookup(&source);
        let reference = is_reference.then(|| field.written_type.clone());
        let field = field_name;
        self.columns.push(ResolvedColumn { name, field, kind, nullable, scale, was, default, with, reference, source });
        self.columns.len() - 1
    }
}

/// A field's name without the mark of a raw identifier.
fn plain<P>(field: &FieldAnnotation<P>) -> &str {
    field.name.value.trim_start_matches("r#")
}

/// The key that shows one of the attributes that every contract has without stating it.
fn engines_word(contract: &Contract, attribute: &str) -> Option<&'static str> {
    let words = [
        (&contract.key, "key"),
        (&contract.modified, "modified"),
        (&contract.created, "created"),
        (&contract.modified_by, "modified_by"),
    ];
    words.into_iter().find(|(name, _)| *name == attribute).map(|(_, word)| word)
}
