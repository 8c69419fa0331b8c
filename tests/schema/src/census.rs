//! What became of a document's entities and attributes, counted.

use std::collections::BTreeMap;
use std::fmt;

use cdms_odata::Kind;
use cdms_odata::metadata::EntityType;

/// Why an attribute is no field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// CDMS does not say when its entity's records were changed, so there is no model.
    NotFollowed,
    /// No kind of the mapping language is of its type.
    NoKind(&'static str),
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Left::NotFollowed => write!(f, "of an entity without a model"),
            Left::NoKind(edm) => write!(f, "of the type {edm}, which has no kind"),
        }
    }
}

/// The counts of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    entities: usize,
    models: usize,
    without_table: usize,
    attributes: usize,
    widest: usize,
    keys: usize,
    engine: usize,
    kinds: BTreeMap<&'static str, usize>,
    forms: BTreeMap<&'static str, usize>,
    left: BTreeMap<Left, usize>,
}

impl Census {
    /// An entity that has a model.
    pub(crate) fn model(&mut self, entity: &EntityType, has_table: bool) {
        self.entity(entity);
        self.models += 1;
        self.without_table += usize::from(!has_table);
    }

    /// An entity that has none, because the hub could not follow its records.
    pub(crate) fn not_followed(&mut self, entity: &EntityType) {
        self.entity(entity);
    }

    fn entity(&mut self, entity: &EntityType) {
        self.entities += 1;
        self.attributes += entity.properties.len();
        self.widest = self.widest.max(entity.properties.len());
    }

    pub(crate) fn key(&mut self) {
        self.keys += 1;
    }

    pub(crate) fn engine(&mut self) {
        self.engine += 1;
    }

    pub(crate) fn converted(&mut self, kind: Kind, ty: &str) {
        *self.kinds.entry(kind.name()).or_default() += 1;
        let form = if ty.contains("OneOf") {
            "a reference to one of several models"
        } else if ty.starts_with("Option") {
            "an Option"
        } else {
            "required, or with a default"
        };
        *self.forms.entry(form).or_default() += 1;
    }

    pub(crate) fn left(&mut self, reason: Left) {
        *self.left.entry(reason).or_default() += 1;
    }
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Census { entities, models, without_table, attributes, widest, keys, engine, kinds, forms, left } = self;
        writeln!(f, "{entities} entities, {models} models")?;
        writeln!(f, "{:6} entities do not say when, or by whom, a record was changed last", entities - models)?;
        writeln!(f, "{without_table:6} models have more columns than Diesel's table, so `diesel(table = false)`")?;
        writeln!(f, "{attributes} attributes, at most {widest} of an entity")?;
        writeln!(f, "{keys:6} keys")?;
        writeln!(f, "{engine:6} followed by the engine")?;
        writeln!(f, "{:6} converted", kinds.values().sum::<usize>())?;
        for (kind, many) in kinds {
            writeln!(f, "{many:12} of kind {kind}")?;
        }
        for (form, many) in forms {
            writeln!(f, "{many:12} held as {form}")?;
        }
        writeln!(f, "{:6} left out", left.values().sum::<usize>())?;
        left.iter().try_for_each(|(reason, many)| writeln!(f, "{many:12} {reason}"))
    }
}
