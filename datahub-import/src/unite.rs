//! Several sources as one: the facts that contracts can state, and where sources contradict each other.

mod attribute;
mod unwanted;

use std::collections::HashSet;
use std::fmt;

use cdms_odata::metadata::{EdmType, EntityType, Metadata};
use datahub_model::source::nearest;

use crate::facts::{Entity, Facts, Key, Origin};
use crate::naming::{is_name, plain};
use crate::navigation;
use crate::source::{Content, Described, DescribedAttribute, Source};

pub use unwanted::{Lacked, Unwanted, unwanted};

/// What an import is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The entities, by their names or logical names; `None` for all.
    pub entities: Option<Vec<String>>,
    /// The time zone of CDMS's users, whose midnight is stored for a day.
    pub zone: Option<String>,
}

/// The facts of several sources.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct United {
    /// The entities in the order of their names.
    pub entities: Vec<Entity>,
    /// What a person should know of the sources.
    pub remarks: Vec<Remark>,
}

/// Something that a person should know of the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The entity; `None` if it is about several.
    pub entity: Option<String>,
    /// What it is.
    pub text: String,
    /// Whether sources contradict each other, rather than one having less.
    pub is_contradiction: bool,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(entity) = &self.entity {
            write!(f, "{entity}: ")?;
        }
        f.write_str(&self.text)
    }
}

/// The names of the entities that an import of everything has: those that can be synced.
pub fn syncable(metadata: &Metadata) -> impl Iterator<Item = &str> {
    let entities = metadata.entities.iter().filter(|entity| is_name(&entity.name) && is_syncable(entity).is_ok());
    entities.map(|entity| entity.name.as_str())
}

/// Joins sources. `$metadata` decides which entities and attributes exist and which types they have; replies of the SOAP
/// service come before solutions, and later sources before earlier ones.
///
/// # Errors
///
/// There are two `$metadata` documents, or an entity that is asked for does not exist or cannot be synced.
pub fn unite(sources: &[Source], wanted: &Wanted) -> Result<United, String> {
    let mut documents = sources.iter().filter_map(|source| Some((source, source.metadata()?.0)));
    let metadata = documents.next();
    if let (Some((one, _)), Some((other, _))) = (metadata, documents.next()) {
        return Err(format!("{} and {} are both $metadata; import one of them", one.name, other.name));
    }
    let metadata = metadata.map(|(_, metadata)| metadata);
    let mut joined = Joined {
        sources,
        metadata,
        logical: metadata.map(|metadata| metadata.entities.iter().map(|known| known.name.to_lowercase()).collect()),
        described: described(sources),
        wanted,
        partly_shown: Vec::new(),
        united: United::default(),
    };
    let (names, is_asked) = joined.names()?;
    if metadata.is_none() {
        let text =
            "there is no $metadata, so nothing shows whether CDMS's REST endpoint has these entities and attributes";
        joined.remark(None, text.to_owned(), false);
    }
    let mut left_out = Vec::new();
    for name in names {
        match joined.entity(&name) {
            Ok(entity) => joined.united.entities.push(entity),
            Err(reason) if is_asked => return Err(format!("`{name}` cannot be synced: {reason}")),
            Err(_) => left_out.push(name),
        }
    }
    if !joined.partly_shown.is_empty() {
        let text = format!(
            "lookups of CRM's own entities may refer to more than a solution shows, so they stay open: {}",
            joined.partly_shown.join(", ")
        );
        joined.remark(None, text, false);
    }
    if !left_out.is_empty() {
        joined.remark(
            None,
            format!(
                "{} entities cannot be synced, because they have no time of change, no GUID as key, or no valid name; they are left \
                 out: {}",
                left_out.len(),
                left_out.join(", ")
            ),
            false,
        );
    }
    let mut united = joined.united;
    united.entities.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(united)
}

/// What solutions and replies say, those that come first in rank last, each with the source's name.
fn described(sources: &[Source]) -> Vec<(&str, Origin, &Described)> {
    let of = |wanted: Origin| {
        sources.iter().flat_map(move |source| match &source.content {
            Content::Described(origin, all) if *origin == wanted => {
                all.iter().map(|one| (source.name.as_str(), wanted, one)).collect()
            }
            _ => Vec::new(),
        })
    };
    of(Origin::Solution).chain(of(Origin::Soap)).collect()
}

struct Joined<'s> {
    sources: &'s [Source],
    metadata: Option<&'s Metadata>,
    /// The logical names in `$metadata`.
    logical: Option<HashSet<String>>,
    described: Vec<(&'s str, Origin, &'s Described)>,
    wanted: &'s Wanted,
    /// Lookups that may refer to more than a source shows.
    partly_shown: Vec<String>,
    united: United,
}

/// An attribute as a source describes it, with the source's name.
type Stated<'s> = (&'s str, Origin, &'s DescribedAttribute);

impl<'s> Joined<'s> {
    fn remark(&mut self, entity: Option<&str>, text: String, is_contradiction: bool) {
        // What is no name of CDMS is named in its own letters, except for those that a terminal obeys.
        self.united.remarks.push(Remark { entity: entity.map(str::to_owned), text: plain(&text), is_contradiction });
    }

    /// The names of the entities to import, spelled as in `$metadata`, and whether they were asked for by name.
    fn names(&mut self) -> Result<(Vec<String>, bool), String> {
        let mut known: Vec<String> = match self.metadata {
            Some(metadata) => metadata.entities.iter().map(|entity| entity.name.clone()).collect(),
            None => {
                let with_attributes = self.described.iter().filter(|(.., entity)| entity.is_own);
                with_attributes.map(|(.., entity)| entity.name.clone()).collect()
            }
        };
        known.sort();
        // Names that differ in case are neighbours then, the first of them before the others.
        known.sort_by_cached_key(|name| name.to_ascii_lowercase());
        known.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
        let Some(wanted) = &self.wanted.entities else {
            self.only_described();
            return Ok((known, false));
        };
        let mut names = Vec::new();
        for name in wanted {
            let found = known.iter().find(|known| known.eq_ignore_ascii_case(name));
            let found = found.ok_or_else(|| unknown(name, &known, self.sources))?;
            if !names.contains(found) {
                names.push(found.clone());
            }
        }
        Ok((names, true))
    }

    /// Reports the entities that are described and that `$metadata` lacks.
    fn only_described(&mut self) {
        let Some(logical) = &self.logical else { return };
        let mut lacking: Vec<String> = Vec::new();
        for (.., entity) in &self.described {
            if !logical.contains(&entity.name.to_lowercase()) && !lacking.contains(&entity.name) {
                lacking.push(entity.name.clone());
            }
        }
        if !lacking.is_empty() {
            let text = format!(
                "$metadata lacks entities that another source describes; they are left out: {}; save the $metadata of your \
                 CDMS, which knows them, and import it with this source",
                lacking.join(", ")
            );
            self.remark(None, text, true);
        }
    }

    /// The facts of an entity, or why it cannot be synced.
    fn entity(&mut self, name: &str) -> Result<Entity, String> {
        if !is_name(name) {
            return Err("its name is not one that CDMS gives".to_owned());
        }
        let of_metadata = self.metadata.and_then(|metadata| metadata.entity(name));
        let of_others: Vec<_> =
            self.described.iter().copied().filter(|(.., entity)| entity.name.eq_ignore_ascii_case(name)).collect();
        let mut entity = Entity { name: name.to_owned(), ..Entity::default() };
        entity.label = of_others.iter().rev().find_map(|(.., described)| described.label.clone());
        let stated = |attribute: &str| -> Vec<Stated<'s>> {
            let of = of_others.iter().flat_map(|(source, origin, described)| {
                described.attributes.iter().map(|attribute| (*source, *origin, attribute))
            });
            of.filter(|(.., described)| described.name.eq_ignore_ascii_case(attribute)).collect()
        };
        match of_metadata {
            Some(known) => {
                is_syncable(known)?;
                entity.is_whole = true;
                entity.navigation = self.metadata.and_then(|metadata| navigation::in_metadata(metadata, known));
                entity.set = Some(known.set.clone()).filter(|set| *set != format!("{name}Set"));
                entity.key = Some(known.key.clone()).filter(|key| *key != format!("{name}Id"));
                for property in known.properties.iter().filter(|property| !is_engines(known, &property.name)) {
                    self.attribute(&mut entity, &property.name, Some(property.edm), &stated(&property.name));
                }
                self.lacking(known, &of_others);
            }
            None => {
                let key = of_others.iter().rev().find_map(|(.., described)| described.key.clone());
                entity.key = key.filter(|key| *key != format!("{name}Id"));
                let is_engines = |attribute: &str| {
                    ENGINES.iter().any(|known| known.eq_ignore_ascii_case(attribute))
                        || attribute.eq_ignore_ascii_case(&entity.key())
                };
                let all = of_others.iter().flat_map(|(.., described)| &described.attributes);
                let mut names: Vec<String> = Vec::new();
                for attribute in all.filter(|attribute| !attribute.is_shadow && !attribute.kinds.is_empty()) {
                    if !is_engines(&attribute.name)
                        && !names.iter().any(|known| known.eq_ignore_ascii_case(&attribute.name))
                    {
                        names.push(attribute.name.clone());
                    }
                }
                for attribute in names {
                    self.attribute(&mut entity, &attribute, None, &stated(&attribute));
                }
            }
        }
        if let Some(name) = entity.set.iter().chain(&entity.key).find(|name| !is_name(name)) {
            return Err(format!("its set or its key has the name {name:?}, which is not one that CDMS gives"));
        }
        entity.attributes.sort_by_cached_key(|(name, _)| name.to_lowercase());
        Ok(entity)
    }

    /// Adds an attribute's facts, or why it cannot be stated.
    fn attribute(&mut self, entity: &mut Entity, name: &str, edm: Option<EdmType>, stated: &[Stated<'_>]) {
        if !is_name(name) {
            return self.remark(
                Some(&entity.name),
                format!("{name:?} is not a name that CDMS gives; it is left out"),
                true,
            );
        }
        let mut reading = attribute::Reading {
            name,
            of: entity,
            edm,
            logical: self.logical.as_ref(),
            zone: self.wanted.zone.as_deref(),
            is_partly_shown: false,
            remarks: Vec::new(),
        };
        let outcome: Result<Facts, String> = reading.facts(stated);
        let remarks = reading.remarks;
        if reading.is_partly_shown && outcome.as_ref().is_ok_and(|facts| facts.get(Key::Target).is_none()) {
            self.partly_shown.push(format!("{}.{name}", entity.name));
        }
        match outcome {
            Ok(facts) => entity.attributes.push((name.to_owned(), facts)),
            Err(reason) => entity.unmapped.push((name.to_owned(), reason)),
        }
        for (text, is_contradiction) in remarks {
            self.remark(Some(&entity.name), text, is_contradiction);
        }
    }

    /// Reports the attributes that are described and that `$metadata` lacks.
    fn lacking(&mut self, known: &EntityType, described: &[(&str, Origin, &Described)]) {
        let has = |name: &str| known.properties.iter().any(|property| property.name.eq_ignore_ascii_case(name));
        for (source, _, entity) in described {
            let (mut shown, mut custom) = (Vec::new(), Vec::new());
            for attribute in entity.attributes.iter().filter(|attribute| !has(&attribute.name)) {
                let is_real = attribute.is_custom && !attribute.is_shadow && !attribute.kinds.is_empty();
                if is_real { &mut custom } else { &mut shown }.push(attribute.name.as_str());
            }
            if !custom.is_empty() {
                let text = format!(
                    "$metadata lacks attributes of {source}, which are not published yet or newer than the $metadata; they are left \
                     out: {}",
                    custom.join(", ")
                );
                self.remark(Some(&known.name), text, true);
            }
            if !shown.is_empty() {
                let text = format!(
                    "{} attributes of {source} are not in $metadata, such as names that only show a lookup's; they are left out: {}",
                    shown.len(),
                    shown.join(", ")
                );
                self.remark(Some(&known.name), text, false);
            }
        }
    }
}

/// Why an entity that is asked for by name is not there, and what is.
fn unknown(name: &str, known: &[String], sources: &[Source]) -> String {
    if let Some(lacked) = unwanted::lacked(sources, name) {
        return lacked.to_string();
    }
    let help = match (nearest(name, known.iter().map(String::as_str)), known) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => "the sources have no entity".to_owned(),
        (None, [only]) => format!("the sources have one entity, `{only}`"),
        (None, few) if few.len() <= LISTED_MAX => format!("the sources have {}", few.join(", ")),
        (None, many) => format!("the sources have {} entities", many.len()),
    };
    format!("unknown entity `{name}`; {help}")
}

/// The most entities that are listed where one is not among them.
const LISTED_MAX: usize = 8;

/// The attributes that the engine follows by itself, besides the key.
const ENGINES: [&str; 3] = ["ModifiedOn", "CreatedOn", "ModifiedBy"];

fn is_engines(entity: &EntityType, attribute: &str) -> bool {
    attribute == entity.key || ENGINES.contains(&attribute)
}

/// Whether records of an entity can be followed: by a GUID and the time of their last change.
fn is_syncable(entity: &EntityType) -> Result<(), String> {
    if entity.property(&entity.key).is_none_or(|key| key.edm != EdmType::Guid) {
        return Err(format!("its key `{}` is not a GUID", entity.key));
    }
    let lacking: Vec<_> = ENGINES.into_iter().filter(|name| entity.property(name).is_none()).collect();
    if lacking.is_empty() { Ok(()) } else { Err(format!("$metadata shows no {} of it", lacking.join(", "))) }
}
