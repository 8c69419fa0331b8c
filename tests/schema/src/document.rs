//! A `$metadata` document of the size and the irregularities of a real one, in words of our own.
//!
//! Measured on the document of an organisation that used CRM 2011 for years; what is generated here is like it, with as many
//! entities, the same widths and about as many attributes of each type:
//!
//! - 374 entities with 9,981 attributes: from 3 to 285, half of them not more than 18; 78 entities have more than 32, 20 more
//!   than 64, 7 more than 128.
//! - Of twelve types: references 29 %, texts 19 %, integers 12 %, times 12 %, options 9 %, GUIDs 6 %, booleans 4 %, money
//!   3 %, wide integers 3 %, decimals 1 %, 46 doubles and 25 managed properties in 20 entities.
//! - 49 entities without the time and the user of their last change, 44 of them without that of their creation too: tables
//!   that join others, and CDMS's own.
//! - 43 keys that are not the entity's name with `Id`: 19 activities share one, and the key of a plural is a singular.
//! - 181 entities with the prefix of whoever customised the organisation, all in lowercase behind it; half of their
//!   attributes are not. The name of an entity stands for an attribute of its own in nine.
//! - 52 attributes that other entities spell in other letters, `statecode` beside `StateCode`; 91 that are of another
//!   type elsewhere; 551 with three capitals in a row, 568 with digits, 174 sums of money with a `_Base` beside them; seven
//!   that are words of Rust.
//!
//! What the measured document does not have, but others may, is planted beside: names that one snake case makes equal, columns
//! beyond the 63 bytes that PostgreSQL keeps, two underscores in a row, a set that is not the entity's name with `Set`,
//! and navigation properties, which were left out of it.

use std::collections::HashSet;

use cdms_odata::metadata::{
    Association, EdmType, End, EntityType, Metadata, Multiplicity, NavigationProperty, Property,
};
use fastrand::Rng;

use crate::vocabulary::{ASPECTS, ENDS, PREFIXES, THINGS};

/// The seed of the document.
const SEED: u64 = 2011;

/// So many entities have from so many to so many attributes: of those that the hub cannot follow, and of the others.
const SIZES_NOT_FOLLOWED: [(usize, usize, usize); 3] = [(24, 3, 5), (16, 6, 10), (9, 11, 22)];
const SIZES: [(usize, usize, usize); 12] = [
    (1, 10, 10),
    (20, 12, 15),
    (20, 16, 16),
    (97, 17, 17),
    (39, 18, 20),
    (44, 21, 25),
    (26, 26, 32),
    (42, 33, 48),
    (16, 49, 64),
    (12, 65, 97),
    (6, 110, 171),
    (2, 201, 285),
];

/// What CDMS keeps of most records, in the order in which entities have it.
const KEPT: [(&str, EdmType); 16] = [
    ("ModifiedOn", EdmType::DateTime),
    ("ModifiedBy", EdmType::EntityReference),
    ("CreatedOn", EdmType::DateTime),
    ("CreatedBy", EdmType::EntityReference),
    ("ModifiedOnBehalfBy", EdmType::EntityReference),
    ("CreatedOnBehalfBy", EdmType::EntityReference),
    ("VersionNumber", EdmType::Int64),
    ("ImportSequenceNumber", EdmType::Int32),
    ("TimeZoneRuleVersionNumber", EdmType::Int32),
    ("UTCConversionTimeZoneCode", EdmType::Int32),
    ("OverriddenCreatedOn", EdmType::DateTime),
    ("OrganizationId", EdmType::EntityReference),
    ("OwnerId", EdmType::EntityReference),
    ("OwningBusinessUnit", EdmType::EntityReference),
    ("OwningUser", EdmType::EntityReference),
    ("OwningTeam", EdmType::EntityReference),
];

/// How often an attribute is of a type, beside those that CDMS keeps of most.
const TYPES: [(EdmType, u32); 11] = [
    (EdmType::String, 1860),
    (EdmType::EntityReference, 520),
    (EdmType::DateTime, 270),
    (EdmType::OptionSetValue, 365),
    (EdmType::Int32, 430),
    (EdmType::Boolean, 445),
    (EdmType::Money, 200),
    (EdmType::Guid, 110),
    (EdmType::Decimal, 60),
    (EdmType::Double, 46),
    (EdmType::Int64, 4),
];

/// Attributes that are hard to name, with how many entities have one.
const PLANTED: [(&str, usize); 8] = [
    ("Type", 6),
    ("Abstract", 1),
    ("Columns", 1),
    ("User", 1),
    ("harbour__MooringPlace", 2),
    ("harbour_2ndVATCode", 2),
    ("harbour_ExpectedQuarterlyInspectionOfAllLighthousesAndBuoysVATCodeURL", 2),
    ("harbour_ExpectedQuarterlyInspectionOfAllLighthousesAndBuoysVATCodeFAXNumber", 2),
];

/// Pairs that are one name in snake case.
const ONE_NAME: [&str; 4] = ["harbour_TideMark", "harbour_tide_mark", "PilotURL", "Pilot_Url"];

/// Makes the document.
pub fn generated() -> Metadata {
    let mut maker = Maker { dice: Rng::with_seed(SEED), entities: HashSet::new() };
    let mut entities = Vec::new();
    for (sizes, is_followed) in [(&SIZES_NOT_FOLLOWED[..], false), (&SIZES[..], true)] {
        for (many, least, most) in sizes {
            for _ in 0..*many {
                let size = maker.dice.usize(*least..=*most);
                let number = entities.len();
                entities.push(maker.entity(number, size, is_followed));
            }
        }
    }
    let managed = entities.iter_mut().filter(|entity| entity.properties.len() > 25).step_by(5).take(20);
    for (number, entity) in managed.enumerate() {
        let names = ["IsCustomizable", "CanBeDeleted"];
        let names = names.into_iter().take(if number.is_multiple_of(4) { 2 } else { 1 });
        entity.properties.splice(5..5 + names.len(), names.map(|name| property(name, EdmType::BooleanManagedProperty)));
    }
    let mut hosts = entities.iter_mut().filter(|entity| entity.properties.len() > 30);
    for (name, many) in PLANTED {
        for entity in hosts.by_ref().take(many) {
            let at = entity.properties.len() - 1;
            entity.properties[at] = property(name, EdmType::String);
        }
    }
    if let Some(entity) = hosts.next() {
        let at = entity.properties.len() - ONE_NAME.len();
        entity.properties.splice(at.., ONE_NAME.map(|name| property(name, EdmType::String)));
    }
    for entity in entities.iter_mut().filter(|entity| entity.name.contains('_')).step_by(20).take(9) {
        let at = entity.properties.len() - 2;
        entity.properties[at] = property(&entity.name, EdmType::EntityReference);
    }
    if let Some(entity) = entities.last_mut() {
        entity.set = format!("{}Collection", entity.name);
    }
    // A real document has them in no order that a reader could rely on.
    maker.dice.shuffle(&mut entities);
    for entity in &mut entities {
        maker.dice.shuffle(&mut entity.properties);
    }
    let associations = related(&mut entities);
    Metadata {
        namespace: "Microsoft.Crm.Sdk.Data.Services".to_owned(),
        entities,
        associations,
        has_navigation: true,
        ..Metadata::default()
    }
}

/// Gives every lookup a navigation property; where they lead is left open by the first type, which stands for all.
fn related(entities: &mut [EntityType]) -> Vec<Association> {
    let Some(target) = entities.first().map(|entity| entity.name.clone()) else { return Vec::new() };
    let mut associations = Vec::new();
    for entity in entities {
        let references = entity.properties.iter().filter(|property| property.edm == EdmType::EntityReference);
        let prefix = entity.name.to_lowercase();
        let names = references.map(|property| format!("{prefix}_{}", property.name.to_lowercase()));
        entity.navigation = names
            .map(|name| NavigationProperty {
                association: name.clone(),
                name,
                from: "many".to_owned(),
                to: "one".to_owned(),
            })
            .collect();
        associations.extend(entity.navigation.iter().map(|NavigationProperty { name, from, to, .. }| {
            let end = |role: &str, entity: &str, multiplicity| End {
                role: role.to_owned(),
                entity: entity.to_owned(),
                multiplicity,
            };
            Association {
                name: name.clone(),
                set: name.clone(),
                ends: [end(from, &entity.name, Multiplicity::Many), end(to, &target, Multiplicity::ZeroOrOne)],
            }
        }));
    }
    associations
}

fn property(name: &str, edm: EdmType) -> Property {
    Property::new(name, edm)
}

struct Maker {
    dice: Rng,
    /// The entities' names in lowercase.
    entities: HashSet<String>,
}

impl Maker {
    fn one<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.dice.usize(..words.len())]
    }

    fn entity(&mut self, number: usize, size: usize, is_followed: bool) -> EntityType {
        let prefix = match number % 374 {
            300 => Some(PREFIXES[2]),
            301 => Some(PREFIXES[3]),
            _ if is_followed && self.dice.u32(..325) < 179 => Some(PREFIXES[usize::from(self.dice.bool())]),
            _ => None,
        };
        let name = loop {
            let words: String = (0..self.dice.usize(2..=3)).map(|_| self.one(&THINGS)).collect();
            let words = if is_followed { words } else { format!("{words}s") };
            let name = prefix.map_or_else(|| words.clone(), |prefix| format!("{prefix}_{}", words.to_lowercase()));
            if self.entities.insert(name.to_lowercase()) {
                break name;
            }
        };
        let key = match number % 17 {
            // As that of activities.
            0 if is_followed => "ActivityId".to_owned(),
            _ if !is_followed => format!("{}Id", name.trim_end_matches('s')),
            _ => format!("{name}Id"),
        };
        let mut properties = vec![property(&key, EdmType::Guid)];
        if is_followed {
            self.kept(size, prefix, &mut properties);
        } else if size < 6 {
            properties.push(property("VersionNumber", EdmType::Int64));
        } else if number.is_multiple_of(5) {
            properties.push(property("CreatedOn", EdmType::DateTime));
        }
        let mut known: HashSet<String> = properties.iter().map(|property| property.name.to_lowercase()).collect();
        while properties.len() < size {
            let edm = if !is_followed && size < 6 { EdmType::Guid } else { self.edm() };
            let attribute = self.attribute(edm, prefix);
            let has_base = edm == EdmType::Money && properties.len() + 1 < size;
            // Names of one entity differ in more than their case, because their logical names are lowercase.
            if known.insert(attribute.to_lowercase()) {
                if has_base {
                    properties.push(property(&format!("{attribute}_Base"), edm));
                }
                properties.push(property(&attribute, edm));
            }
        }
        EntityType { set: format!("{name}Set"), name, key, properties, navigation: Vec::new() }
    }

    /// What CDMS keeps: of a customised entity in another spelling, and not of every one the same.
    fn kept(&mut self, size: usize, prefix: Option<&str>, properties: &mut Vec<Property>) {
        let room = size.saturating_sub(4);
        for (at, (name, edm)) in KEPT.into_iter().enumerate() {
            let is_there = at < 4 || (properties.len() < room && self.dice.u8(..8) != 0);
            // The owner is shown as a GUID in some.
            let edm = if name.starts_with("Owning") && self.dice.u8(..7) == 0 { EdmType::Guid } else { edm };
            if is_there {
                properties.push(property(name, edm));
            }
        }
        let states = if prefix.is_some() { ["statecode", "statuscode"] } else { ["StateCode", "StatusCode"] };
        if prefix.is_some() || self.dice.u8(..2) == 0 {
            properties.extend(states.map(|name| property(name, EdmType::OptionSetValue)));
        }
        if self.dice.u8(..5) == 0 && properties.len() + 2 < size {
            properties.push(property("TransactionCurrencyId", EdmType::EntityReference));
            properties.push(property("ExchangeRate", EdmType::Decimal));
        }
    }

    fn edm(&mut self) -> EdmType {
        let all: u32 = TYPES.iter().map(|(_, weight)| weight).sum();
        let mut lot = self.dice.u32(..all);
        for (edm, weight) in TYPES {
            match lot.checked_sub(weight) {
                Some(left) => lot = left,
                None => return edm,
            }
        }
        EdmType::String
    }

    fn attribute(&mut self, edm: EdmType, prefix: Option<&str>) -> String {
        let (aspect, thing, end) = (self.one(&ASPECTS), self.one(&THINGS), self.one(&ENDS));
        let number = self.dice.u8(1..4);
        let name = match (edm, self.dice.u8(..4)) {
            (EdmType::EntityReference | EdmType::Guid, 0..2) => format!("{aspect}{thing}Id"),
            (EdmType::DateTime, 0..2) => format!("{aspect}{thing}Date"),
            (EdmType::OptionSetValue, _) => format!("{thing}{end}Code"),
            (EdmType::Boolean, _) => format!("Is{aspect}{thing}"),
            (EdmType::Money, _) => format!("{aspect}{thing}Amount"),
            (EdmType::String, 0) => format!("{thing}{number}_{end}"),
            (_, 1) => format!("{thing}{end}{number}"),
            _ => format!("{aspect}{thing}{end}"),
        };
        let own = prefix.filter(|_| self.dice.u8(..8) != 0);
        let own = own.or_else(|| (self.dice.u8(..8) == 0).then_some(PREFIXES[0]));
        match own {
            None => name,
            Some(prefix) if self.dice.bool() => format!("{prefix}_{}", name.to_lowercase()),
            Some(prefix) => format!("{prefix}_{name}"),
        }
    }
}
