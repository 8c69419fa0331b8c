//! The simulated CDMS: its records, its rules, and the log of every commit.

mod addresses;
mod amounts;
mod domain;
mod effects;
mod form;
mod lifecycle;
mod query;
mod records;
mod relations;
mod switches;
mod write;

use std::collections::HashMap;
use std::sync::Arc;

use cdms_odata::metadata::{EdmType, EntityType, Metadata, Property};
use cdms_odata::{Attributes, Instant, Reference, Value};
use uuid::Uuid;

pub(crate) use query::{Collation, Comparing, Expansion, Query, Selection, pairs};
pub(crate) use relations::{Declared, Relation, declare};
pub(crate) use switches::Switches;

use records::Records;

use crate::clock::SimulatorClock;
use crate::log::{CommitEntry, Log};
use crate::refusal::Refusal;

/// Everything that the server stores.
pub(crate) struct World {
    pub(crate) metadata: Arc<Metadata>,
    pub(crate) clock: SimulatorClock,
    pub(crate) switches: Switches,
    /// By entity.
    records: HashMap<String, Records>,
    commits: Log<CommitEntry>,
    pub(crate) service_user: Uuid,
    pub(crate) human_user: Uuid,
    pub(crate) organisation: Uuid,
}

/// The author of a change, as it is logged.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    pub(crate) user: Uuid,
    pub(crate) operation: Option<String>,
    /// Whether this is a person in CDMS itself, who may do more than clients of this endpoint.
    pub(crate) person: bool,
    /// Leaves `ModifiedOn` unchanged.
    pub(crate) freeze_modified: bool,
    /// Attributes that a plug-in sets along with the write.
    pub(crate) adjust: Attributes,
}

impl World {
    pub(crate) fn new(
        mut metadata: Metadata,
        clock: SimulatorClock,
        switches: Switches,
        log_limit: Option<usize>,
    ) -> Self {
        for (name, set, extra) in [
            ("Organization", "OrganizationSet", [("Name", EdmType::String), ("CreatedOn", EdmType::DateTime)]),
            ("SystemUser", "SystemUserSet", [("DomainName", EdmType::String), ("FullName", EdmType::String)]),
        ] {
            if metadata.entity(name).is_none() {
                let key = format!("{name}Id");
                let mut properties = vec![Property::new(key.clone(), EdmType::Guid)];
                properties.extend(extra.map(|(name, edm)| Property::new(name, edm)));
                metadata.entities.push(EntityType {
                    name: name.to_owned(),
                    set: set.to_owned(),
                    key,
                    properties,
                    navigation: Vec::new(),
                });
            }
        }
        let mut world = World {
            metadata: Arc::new(metadata),
            clock,
            switches,
            records: HashMap::new(),
            commits: Log::new(log_limit),
            service_user: Uuid::from_u128(0x5e21_0000_0000_4000_8000_0000_0000_0001),
            human_user: Uuid::from_u128(0x5e21_0000_0000_4000_8000_0000_0000_0002),
            organisation: Uuid::from_u128(0x0e65_0000_0000_4000_8000_0000_0000_0001),
        };
        let (organisation, service, human) = (world.organisation, world.service_user, world.human_user);
        world.seed_known("Organization", organisation, [("Name", "ORG")]);
        world.seed_known("SystemUser", service, [("DomainName", "CDMS\\datahub"), ("FullName", "Data Hub")]);
        world.seed_known("SystemUser", human, [("DomainName", "CDMS\\ada"), ("FullName", "Ada Lovelace")]);
        world
    }

    fn seed_known<const COUNT: usize>(&mut self, entity: &str, id: Uuid, values: [(&'static str, &str); COUNT]) {
        let metadata = Arc::clone(&self.metadata);
        let Some(entity) = metadata.entity(entity) else { return };
        let known = values.into_iter().filter(|(name, _)| entity.property(name).is_some());
        let values = known.map(|(name, text)| (name, Value::text(text))).collect();
        let record = effects::at_creation(self, entity, id, values, &human_author(self.human_user));
        self.keep(&entity.name, id, record);
    }

    /// Adds a record without a commit in the log.
    pub(crate) fn seed(&mut self, entity: &str, mut attributes: Attributes) -> Result<Uuid, Refusal> {
        let metadata = Arc::clone(&self.metadata);
        let entity = known_entity(&metadata, entity)?;
        self.known(entity, &attributes)?;
        write::in_seconds(&mut attributes);
        let id = match attributes.get(&entity.key) {
            Some(Value::Guid(id)) => *id,
            _ => Uuid::new_v4(),
        };
        let given = attributes.clone();
        let mut record = effects::at_creation(self, entity, id, attributes, &human_author(self.human_user));
        // Unlike a client, a scene may set times, states and users.
        record.merge(&given);
        record.insert(entity.key.clone(), Value::Guid(id));
        self.keep(&entity.name, id, record);
        Ok(id)
    }

    pub(crate) fn entity(&self, name: &str) -> Result<&EntityType, Refusal> {
        known_entity(&self.metadata, name)
    }

    /// A record with all attributes of its entity, as seen from outside.
    pub(crate) fn record(&self, entity: &EntityType, id: Uuid) -> Result<Attributes, Refusal> {
        let kept = self.kept(entity, id)?;
        let value = |name: &str| kept.get(name).cloned().unwrap_or_default();
        Ok(entity.properties.iter().map(|property| (property.name.clone(), value(&property.name))).collect())
    }

    /// A record without its nulls.
    pub(crate) fn kept(&self, entity: &EntityType, id: Uuid) -> Result<&Attributes, Refusal> {
        let kept = self.records.get(&entity.name).and_then(|records| records.get(id));
        kept.ok_or_else(|| Refusal::record_missing(&entity.name.to_lowercase(), id))
    }

    pub(crate) fn has_record(&self, entity: &EntityType, id: Uuid) -> bool {
        self.records.get(&entity.name).is_some_and(|records| records.contains(id))
    }

    /// Stores a record without its nulls.
    fn keep(&mut self, entity: &str, id: Uuid, record: Attributes) {
        self.records.entry(entity.to_owned()).or_default().insert(id, write::not_null(record));
    }

    pub(crate) fn commits(&self) -> &Log<CommitEntry> {
        &self.commits
    }

    /// How many records were looked at, also to make an index.
    pub(crate) fn looked_at(&self) -> u64 {
        self.records.values().map(Records::looked_at).sum()
    }

    /// The records of an entity, if it has any.
    fn records(&self, entity: &EntityType) -> Option<&Records> {
        self.records.get(&entity.name)
    }

    /// The display name that a lookup shows: the target's current one.
    pub(crate) fn name_of(&self, reference: &Reference) -> Option<&str> {
        let entity = self.entity_by_logical_name(&reference.logical_name)?;
        let record = self.kept(entity, reference.id).ok()?;
        let names = ["optevia_name", "Name", "FullName", "optevia_Country", "Subject"];
        names.into_iter().find_map(|name| match record.get(name) {
            Some(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        })
    }

    /// The logical name of the entity that has a record with this id.
    pub(crate) fn entity_of(&self, id: Uuid) -> Option<String> {
        let found = self.records.iter().filter(|(_, records)| records.contains(id));
        found.map(|(entity, _)| entity.to_lowercase()).min()
    }

    fn entity_by_logical_name(&self, logical_name: &str) -> Option<&EntityType> {
        self.metadata.entities.iter().find(|entity| entity.name.eq_ignore_ascii_case(logical_name))
    }

    fn now(&self) -> Value {
        // Whole seconds, as the service shows times of change (docs/protocol.md, 2.2).
        let ms = self.clock.now_ms();
        Value::Instant(Instant(ms.saturating_sub(ms.rem_euclid(1000))))
    }

    /// Refuses attributes that the entity does not have, and values of the wrong form.
    fn known(&self, entity: &EntityType, values: &Attributes) -> Result<(), Refusal> {
        for (name, value) in values.iter() {
            let property = entity.property(name);
            let property = property.ok_or_else(|| Refusal::unknown_in_body(name, &self.type_name(entity)))?;
            if let Some(fault) = form::fault(property, value) {
                return Err(Refusal::bad_request(format!("{}.{name} {fault}", entity.name)));
            }
        }
        Ok(())
    }

    /// The name of an entity's type with its namespace.
    pub(crate) fn type_name(&self, entity: &EntityType) -> String {
        format!("{}.{}", self.metadata.namespace, entity.name)
    }
}

/// The author of changes that a person makes in CDMS itself.
pub(crate) fn human_author(user: Uuid) -> Author {
    Author { user, operation: None, person: true, freeze_modified: false, adjust: Attributes::new() }
}

pub(crate) fn known_entity<'m>(metadata: &'m Metadata, name: &str) -> Result<&'m EntityType, Refusal> {
    metadata.entity(name).ok_or_else(|| Refusal::unknown_set(&format!("{name}Set")))
}
