//! The names of models, their modules and their tables.

use std::collections::HashMap;

use cdms_odata::metadata::Metadata;
use datahub_model::source::name_fault;

use crate::naming::{Words, distinct};

/// The names of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelName {
    /// The entity.
    pub entity: String,
    /// The struct.
    pub type_name: String,
    /// The module, which is also its file.
    pub module: String,
    /// The table.
    pub table: String,
}

/// How names are spelled elsewhere in an organisation: an entity `contoso_customerneed` may be the lookup
/// `contoso_CustomerNeed` of another, which shows where its words begin.
#[derive(Clone, Debug, Default)]
pub struct Spelling {
    spelled: HashMap<String, String>,
}

impl Spelling {
    /// The spellings in a document.
    pub fn of(metadata: &Metadata) -> Self {
        let mut spelled: HashMap<String, String> = HashMap::new();
        let capitals = |name: &str| name.chars().filter(|letter| letter.is_uppercase()).count();
        for property in metadata.entities.iter().flat_map(|entity| &entity.properties) {
            let name = property.name.strip_suffix("Id").unwrap_or(&property.name);
            for name in [property.name.as_str(), name] {
                let known = spelled.entry(name.to_lowercase()).or_insert_with(|| name.to_owned());
                // Names in capitals show no words.
                if capitals(name) > capitals(known) && name.chars().any(char::is_lowercase) {
                    name.clone_into(known);
                }
            }
        }
        Spelling { spelled }
    }

    /// The spelling that shows most words.
    fn best<'s>(&'s self, name: &'s str) -> &'s str {
        let has_capitals = name.chars().any(char::is_uppercase);
        if has_capitals { name } else { self.spelled.get(name).map_or(name, String::as_str) }
    }
}

/// Types that a model's file uses under these names.
const TAKEN: [&str; 14] = [
    "Clone",
    "Copy",
    "DateTime",
    "Debug",
    "Decimal",
    "Eq",
    "Id",
    "NaiveDate",
    "OneOf",
    "Option",
    "PartialEq",
    "String",
    "Utc",
    "Uuid",
];

/// Words that cannot be the name of a module, or whose files mean something else.
const NO_MODULES: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "lib", "loop", "macro", "main",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super",
    "trait", "true", "try", "type", "unsafe", "use", "where", "while",
];

/// The names of models for entities, each with its label. All of an organisation's entities are given, so that the names do not
/// depend on which are imported.
pub fn names<'n>(
    entities: impl IntoIterator<Item = (&'n str, Option<&'n str>)>,
    spelling: &Spelling,
) -> Vec<ModelName> {
    let entities: Vec<_> = entities.into_iter().collect();
    let candidates = entities.iter().map(|(name, label)| {
        let best = spelling.best(name);
        let both = |name: fn(&str, Option<&str>) -> Words| name(best, *label);
        (both(Words::of), both(Words::whole))
    });
    let words: Vec<(Words, Words)> = candidates.collect();
    let form = |form: fn(&Words) -> String| {
        let forms: Vec<_> = words.iter().map(|(short, long)| (form(short), form(long))).collect();
        distinct(&forms)
    };
    let (types, modules, tables) = (form(Words::pascal), form(Words::snake), form(Words::plural));
    let names = entities.iter().zip(types).zip(modules).zip(tables);
    let names = names.map(|((((entity, _), type_name), module), table)| {
        let is_taken = TAKEN.contains(&type_name.as_str()) || type_name == "Self";
        let is_module = !NO_MODULES.contains(&module.as_str());
        ModelName {
            entity: (*entity).to_owned(),
            type_name: if is_taken { format!("{type_name}Record") } else { type_name },
            module: if is_module { module } else { format!("{module}_record") },
            table: if name_fault(&table).is_none() { table } else { format!("{table}_records") },
        }
    });
    names.collect()
}
