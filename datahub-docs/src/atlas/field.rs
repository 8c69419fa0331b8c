//! A field as its model's page shows it: one for each column, so a group has one for each member.

use cdms_odata::Kind;
use datahub_derive::tree::{Scope, TreeChoice, TreeModel};
use datahub_model::Class;
use datahub_model::source::{ContractAttribute, ResolvedColumn, ResolvedSource};

use super::sample::Example;
use super::{Choice, words};
use crate::declared::Declared;
use crate::written::type_names;

/// A field and its column.
#[derive(Clone, Debug)]
pub struct Field {
    /// The field; a group's member follows a dot.
    pub path: String,
    /// The id of its place on the page.
    pub anchor: String,
    /// The doc comment, in Markdown.
    pub docs: String,
    /// The column.
    pub column: String,
    /// The column's former name.
    pub was: Option<String>,
    /// What the column stores.
    pub kind: Kind,
    /// Whether the column may be null.
    pub nullable: bool,
    /// The Rust type as written.
    pub rust_type: String,
    /// The attributes behind it.
    pub attributes: Vec<FieldAttribute>,
    /// Where its value comes from, in a word or two.
    pub source: &'static str,
    /// How values are converted.
    pub conversion: String,
    /// What a null of CDMS becomes.
    pub null: String,
    /// What the mapping does not keep, because an annotation says so.
    pub losses: Vec<String>,
    /// How sensitive its values are.
    pub class: Class,
    /// When it is sent to CDMS.
    pub written: &'static str,
    /// Its value in the sample record.
    pub example: Option<Example>,
}

/// An attribute behind a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldAttribute {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// Its options.
    pub options: Vec<Choice>,
    /// How sensitive its values are.
    pub class: Class,
    /// What the contract notes about it.
    pub note: Option<String>,
}

impl Field {
    pub(super) fn new(
        model: &TreeModel,
        column: &ResolvedColumn,
        example: Option<&Example>,
        scope: &Scope<'_>,
    ) -> Self {
        let mapping = &model.mapping;
        let stated = column.source.attributes();
        let stated: Vec<_> = stated.into_iter().filter_map(|name| mapping.contract.attribute(name)).collect();
        let declared = Declared::of(model, column, scope);
        let rust_type = declared.map(|declared| declared.rust_type()).unwrap_or_default();
        let default = column.default.clone().or_else(|| declared?.default());
        let choice = declared.and_then(|declared| declared.choice(scope));
        let explained = Explained { column, stated: &stated, default, choice, rust_type: &rust_type };
        Field {
            path: column.field.clone(),
            anchor: anchor(&column.field),
            docs: declared.map(|declared| declared.field.written.docs.clone()).unwrap_or_default(),
            column: column.name.clone(),
            was: column.was.clone(),
            kind: column.kind,
            nullable: column.nullable,
            attributes: stated.iter().map(|attribute| FieldAttribute::of(attribute)).collect(),
            source: words::source(&column.source),
            conversion: explained.conversion(),
            null: explained.null(),
            losses: explained.losses(),
            class: class_of(column, &stated),
            written: words::written(mapping.mode, &column.source),
            example: example.cloned(),
            rust_type,
        }
    }

    /// The names of its attributes.
    pub fn attribute_names(&self) -> Vec<&str> {
        self.attributes.iter().map(|attribute| attribute.name.as_str()).collect()
    }

    /// Its kind in plain words.
    pub fn kind_words(&self) -> &'static str {
        words::kind(self.kind)
    }

    /// Whether its values are about persons, or secret.
    pub fn is_sensitive(&self) -> bool {
        self.class != Class::Public
    }
}

impl FieldAttribute {
    fn of(stated: &ContractAttribute) -> Self {
        FieldAttribute {
            name: stated.name.clone(),
            kind: stated.kind,
            options: Choice::of(stated),
            class: stated.class,
            note: stated.note.clone(),
        }
    }
}

/// The id of a field's place on its model's page.
pub(super) fn anchor(field: &str) -> String {
    format!("field-{}", field.replace('.', "-"))
}

/// The class of a column's values: that of its most sensitive attribute; of a local column, personal unless it says otherwise.
fn class_of(column: &ResolvedColumn, stated: &[&ContractAttribute]) -> Class {
    match column.source {
        ResolvedSource::Local => column.class.unwrap_or(Class::Personal),
        _ => stated.iter().map(|attribute| attribute.class).max().unwrap_or_default(),
    }
}

/// What is known of a field, to be explained in plain words.
struct Explained<'t> {
    column: &'t ResolvedColumn,
    stated: &'t [&'t ContractAttribute],
    default: Option<String>,
    choice: Option<&'t TreeChoice>,
    rust_type: &'t str,
}

impl Explained<'_> {
    fn conversion(&self) -> String {
        let Explained { column, stated, .. } = self;
        match &column.source {
            ResolvedSource::Key => "The record's id, the same on both sides.".to_owned(),
            ResolvedSource::Engine(engine) => words::engine(*engine).to_owned(),
            ResolvedSource::Local => "Only the hub has it; CDMS does not know it.".to_owned(),
            ResolvedSource::Joined { attributes, .. } => {
                let with = column.with.as_deref().unwrap_or("a module");
                let what = if attributes.len() == 1 { "Converted" } else { "Joined into one value" };
                format!("{what} by the functions `decode` and `encode` of `{with}`.")
            }
            ResolvedSource::Attribute { .. } => {
                let Some(stated) = stated.first() else { return "Unchanged.".to_owned() };
                let choice = self.choice.map(|choice| (choice.written.name.as_str(), choice.rest.as_deref()));
                let targets = self.target_names(stated);
                words::conversion(stated, column.kind, choice, &targets)
            }
        }
    }

    /// The models, or otherwise the entities, that a lookup refers to.
    fn target_names(&self, stated: &ContractAttribute) -> Vec<String> {
        const WRAPPERS: [&str; 4] = ["Option", "Id", "OneOf", "Self"];
        let names = type_names(self.rust_type);
        let names: Vec<_> = names
            .into_iter()
            .filter(|name| !WRAPPERS.contains(name) && name.starts_with(char::is_uppercase))
            .map(str::to_owned)
            .collect();
        if names.is_empty() { stated.targets.clone() } else { names }
    }

    fn null(&self) -> String {
        let Explained { column, stated, default, .. } = self;
        let is_required = stated.first().is_some_and(|attribute| attribute.required);
        match (&column.source, default) {
            (ResolvedSource::Key, _) => "It is never empty.".to_owned(),
            (ResolvedSource::Engine(_), _) if column.nullable => "Stays empty.".to_owned(),
            (ResolvedSource::Engine(_), _) => "It is never empty.".to_owned(),
            (ResolvedSource::Local, default) => match (default, column.nullable) {
                (Some(value), _) => format!("A record that comes from CDMS begins with {}.", words::default(value)),
                (None, true) => "A record that comes from CDMS begins without a value.".to_owned(),
                (None, false) => format!("A record that comes from CDMS begins with {}.", words::zero(column.kind)),
            },
            (ResolvedSource::Joined { .. }, _) => {
                let with = column.with.as_deref().unwrap_or("its module");
                format!(
                    "`decode` of `{with}` decides{}.",
                    if column.nullable { "; the field can be empty" } else { "" }
                )
            }
            (ResolvedSource::Attribute { .. }, Some(value)) => format!("Becomes {}.", words::default(value)),
            (ResolvedSource::Attribute { .. }, None) if is_required => {
                "CDMS must have a value; a record without one waits in quarantine.".to_owned()
            }
            (ResolvedSource::Attribute { .. }, None) if column.nullable => "Stays empty.".to_owned(),
            (ResolvedSource::Attribute { .. }, None) => "The field's type decides.".to_owned(),
        }
    }

    fn losses(&self) -> Vec<String> {
        let Explained { column, stated, default, .. } = self;
        let mut losses = Vec::new();
        match &column.source {
            ResolvedSource::Attribute { .. } => {
                if let Some(value) = default {
                    losses.push(format!(
                        "In the hub, an empty attribute looks the same as {}. A save does not send it back unless the field \
                         was changed.",
                        words::default(value)
                    ));
                }
                let several =
                    stated.first().filter(|attribute| attribute.kind == Kind::Lookup && attribute.targets.len() > 1);
                if let Some(several) = several.filter(|_| column.kind == Kind::Lookup) {
                    losses.push(format!(
                        "CDMS may refer to {} here; a reference to a record of another type is read as empty, and is not \
                         overwritten unless the field is changed.",
                        words::either(&several.targets)
                    ));
                }
            }
            ResolvedSource::Joined { .. } => {
                let with = column.with.as_deref().unwrap_or("its module");
                losses
                    .push(format!("What `decode` of `{with}` does not keep. A save sends only what `encode` returns."));
            }
            ResolvedSource::Key | ResolvedSource::Engine(_) | ResolvedSource::Local => {}
        }
        losses
    }
}
