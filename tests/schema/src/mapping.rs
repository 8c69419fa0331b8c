//! From an entity of a `$metadata` document to a contract and a model with every attribute that has a kind.
//!
//! `$metadata` says neither lengths, digits, options nor targets. A person would look them up; here they are decided by
//! the attributes' names, so that every form that the mapping language has for a kind is tried often.

use std::fmt::Write as _;

use cdms_odata::Kind;
use cdms_odata::metadata::{EdmType, EntityType, Property};
use datahub_model::source::{Writable, writable};

use crate::census::{Census, Left};
use crate::names::{FieldName, Names, hash};

/// The widest table of the Diesel that the workspace is built with.
pub const DIESEL_COLUMNS: usize = 64;

/// The attributes that the engine follows, and the key of a field that shows each.
const ENGINE: [(&str, &str); 3] = [("ModifiedOn", "modified"), ("CreatedOn", "created"), ("ModifiedBy", "modified_by")];

/// An entity with the names that its model has.
#[derive(Clone, Debug)]
pub struct Named<'m> {
    /// The entity.
    pub entity: &'m EntityType,
    /// The struct.
    pub structure: String,
    /// The table.
    pub table: String,
}

/// What is written for one entity.
#[derive(Clone, Debug)]
pub struct Written {
    /// The contract, a TOML file.
    pub contract: String,
    /// The struct with its derive; none where the hub could not follow the records.
    pub model: Option<String>,
}

impl Named<'_> {
    /// The contract's file.
    pub fn file(&self) -> String {
        format!("{}.toml", self.table)
    }

    fn logical(&self) -> String {
        self.entity.name.to_lowercase()
    }
}

/// Whether the hub can follow an entity's records: whether CDMS says when, and by whom, one was changed last.
pub fn can_be_followed(entity: &EntityType) -> bool {
    ENGINE.iter().all(|(name, _)| entity.property(name).is_some())
}

/// Writes the contract and the model of an entity, whose lookups point to these others.
pub fn write(this: &Named<'_>, others: &[Named<'_>], census: &mut Census) -> Written {
    let entity = this.entity;
    let mut writer = Writer {
        this,
        others,
        is_followed: can_be_followed(entity),
        names: Names::default(),
        attributes: String::new(),
        unmapped: String::new(),
        fields: Vec::new(),
    };
    for property in &entity.properties {
        writer.property(property, census);
    }
    let Writer { is_followed, attributes, unmapped, fields, .. } = writer;
    let mut contract = format!("entity = \"{}\"\n", entity.name);
    if entity.set != format!("{}Set", entity.name) {
        _ = writeln!(contract, "set = \"{}\"", entity.set);
    }
    if entity.key != format!("{}Id", entity.name) {
        _ = writeln!(contract, "key = \"{}\"", entity.key);
    }
    for (heading, lines) in [("attributes", attributes), ("unmapped", unmapped)] {
        if !lines.is_empty() {
            _ = write!(contract, "\n[{heading}]\n{lines}");
        }
    }
    if !is_followed {
        census.not_followed(entity);
        return Written { contract, model: None };
    }
    let has_table = fields.len() <= DIESEL_COLUMNS;
    census.model(entity, has_table);
    let diesel = if has_table { "" } else { ", diesel(table = false)" };
    let (structure, table, file) = (&this.structure, &this.table, this.file());
    let model = format!(
        "/// `{}`.\n#[derive(Clone, CdmsSynced)]\n#[cdms(mapping = \"{file}\", table = \"{table}\"{diesel})]\n\
         pub struct {structure} {{\n{}}}\n\n",
        entity.name,
        fields.concat()
    );
    Written { contract, model: Some(model) }
}

struct Writer<'b, 'm> {
    this: &'b Named<'m>,
    others: &'b [Named<'m>],
    is_followed: bool,
    names: Names,
    attributes: String,
    unmapped: String,
    fields: Vec<String>,
}

/// How an attribute is stated in the contract, and how its field is declared.
struct Stated {
    /// What the contract says beside the kind.
    facts: String,
    /// The field's type.
    ty: String,
    /// What the field's annotation says beside the attribute.
    keys: String,
}

impl Writer<'_, '_> {
    /// One in so many attributes, decided by the attribute's name and the question.
    fn is_one_in(&self, many: u64, question: &str, property: &Property) -> bool {
        hash(&[question, &self.this.entity.name, &property.name]).is_multiple_of(many)
    }

    fn property(&mut self, property: &Property, census: &mut Census) {
        let Named { entity, structure, .. } = self.this;
        if property.name == entity.key {
            let name = self.field_name(&property.name);
            self.field(&name, "key", &format!("Id<{structure}>"));
            self.count(census, Census::key);
            return;
        }
        if let Some((_, key)) = ENGINE.iter().find(|(name, _)| *name == property.name) {
            let name = self.field_name(&property.name);
            let ty = if *key == "modified_by" { "Option<Uuid>" } else { "Option<DateTime<Utc>>" };
            self.field(&name, key, ty);
            self.count(census, Census::engine);
            return;
        }
        let Some(kind) = self.kind(property) else {
            _ = writeln!(self.unmapped, "{} = \"no kind is of the type {}\"", property.name, property.edm.name());
            census.left(if self.is_followed { Left::NoKind(property.edm.name()) } else { Left::NotFollowed });
            return;
        };
        let Stated { facts, ty, keys } = self.stated(property, kind);
        _ = writeln!(self.attributes, "{} = {{ kind = \"{kind}\"{facts} }}", property.name);
        let name = self.field_name(&property.name);
        let when = match writable(&property.name, kind) {
            Writable::Always => "",
            Writable::AtCreate => ", create_only",
            Writable::Never => ", read_only",
        };
        self.field(&name, &format!("\"{}\"{keys}{when}", property.name), &ty);
        self.count(census, |census| census.converted(kind, &ty));
    }

    /// Counts an attribute of a model; of an entity that has none, that it is left out.
    fn count(&self, census: &mut Census, as_what: impl FnOnce(&mut Census)) {
        if self.is_followed { as_what(census) } else { census.left(Left::NotFollowed) }
    }

    /// The kind of an attribute: the plainest of its type, and now and then another one that the type may be.
    fn kind(&self, property: &Property) -> Option<Kind> {
        let plainest = property.edm.kinds().first().copied()?;
        let name = property.name.to_lowercase();
        Some(match property.edm {
            EdmType::OptionSetValue if name == "statecode" => Kind::State,
            EdmType::OptionSetValue if name == "statuscode" => Kind::Status,
            EdmType::DateTime if name.ends_with("date") || self.is_one_in(4, "date", property) => Kind::Date,
            _ => plainest,
        })
    }

    fn stated(&self, property: &Property, kind: Kind) -> Stated {
        let number = hash(&[&property.name]);
        let pick = |from: &[&str]| from[(number % from.len() as u64) as usize].to_owned();
        let mut facts = String::new();
        let plain = match kind {
            Kind::String => {
                facts = pick(&["", ", max-length = 1", ", max-length = 100", ", max-length = 2000"]);
                "String".to_owned()
            }
            Kind::Decimal => {
                facts = format!(", scale = {}", number % 8);
                "Decimal".to_owned()
            }
            Kind::Date => {
                facts = format!(
                    ", zone = \"{}\"",
                    pick(&["Europe/London", "Etc/UTC", "Asia/Kathmandu", "America/Santiago"])
                );
                "NaiveDate".to_owned()
            }
            Kind::Choice | Kind::State | Kind::Status => {
                facts = pick(&["", ", choices = { yes = 1, no = 0, unknown = 860000000 }"]);
                "i32".to_owned()
            }
            Kind::Lookup => return self.lookup(property),
            Kind::Integer => "i32".to_owned(),
            Kind::BigInt => "i64".to_owned(),
            Kind::Double => "f64".to_owned(),
            Kind::Money => "Decimal".to_owned(),
            Kind::Boolean => "bool".to_owned(),
            Kind::DateTime => "DateTime<Utc>".to_owned(),
            Kind::Guid => "Uuid".to_owned(),
        };
        if self.is_one_in(8, "required", property) {
            facts.push_str(", required = true");
            return Stated { facts, ty: plain, keys: String::new() };
        }
        let has_default =
            matches!(kind, Kind::String | Kind::Integer | Kind::BigInt | Kind::Boolean | Kind::Decimal | Kind::Money);
        if has_default && self.is_one_in(8, "default", property) {
            return Stated { facts, ty: plain, keys: ", default".to_owned() };
        }
        Stated { facts, ty: format!("Option<{plain}>"), keys: String::new() }
    }

    /// A reference to one model, to one of several, or to one of those that the attribute may point to.
    fn lookup(&self, property: &Property) -> Stated {
        let number = hash(&["target", &self.this.entity.name, &property.name]) as usize;
        let (first, second) =
            (&self.others[number % self.others.len()], &self.others[(number / 7 + 1) % self.others.len()]);
        let one = first.logical();
        let several = format!("[\"{one}\", \"{}\"]", second.logical());
        let is_one = first.logical() == second.logical();
        match number / 1_000 % 8 {
            0 if !is_one => Stated {
                facts: format!(", target = {several}"),
                ty: format!("Option<OneOf<({}, {})>>", first.structure, second.structure),
                keys: ", sql_type = \"string\"".to_owned(),
            },
            1 if !is_one => Stated {
                facts: format!(", target = {several}"),
                ty: format!("Option<Id<{}>>", first.structure),
                keys: String::new(),
            },
            2 => Stated {
                facts: format!(", target = \"{one}\", required = true"),
                ty: format!("Id<{}>", first.structure),
                keys: String::new(),
            },
            _ => Stated {
                facts: format!(", target = \"{one}\""),
                ty: format!("Option<Id<{}>>", first.structure),
                keys: String::new(),
            },
        }
    }

    fn field_name(&mut self, attribute: &str) -> FieldName {
        let table = self.this.table.as_str();
        self.names.field(attribute, table)
    }

    fn field(&mut self, name: &FieldName, keys: &str, ty: &str) {
        let column = name.column.as_ref().map_or_else(String::new, |column| format!(", column = \"{column}\""));
        self.fields.push(format!("    #[cdms({keys}{column})]\n    pub {}: {ty},\n", name.field));
    }
}
