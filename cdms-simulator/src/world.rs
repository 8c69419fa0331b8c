//! What the simulated CDMS holds: records, its rules, and the log of every commit.

mod effects;
mod query;

use std::collections::{BTreeMap, HashMap};

use cdms_odata::metadata::{EdmType, EntityType, Metadata, Property};
use cdms_odata::{Attributes, Instant, Reference, Value};
use serde::Serialize;
use uuid::Uuid;

pub(crate) use query::Query;

use crate::clock::SimulatorClock;
use crate::refusal::Refusal;

/// Everything the server knows.
pub(crate) struct World {
    pub(crate) metadata: Metadata,
    pub(crate) clock: SimulatorClock,
    pub(crate) switches: Switches,
    records: HashMap<String, BTreeMap<Uuid, Attributes>>,
    commits: Vec<CommitEntry>,
    pub(crate) service_user: Uuid,
    pub(crate) human_user: Uuid,
    pub(crate) organisation: Uuid,
}

/// Behaviour that differs between servers or is not sure.
#[derive(Clone, Debug)]
pub(crate) struct Switches {
    pub(crate) max_lengths: HashMap<(String, String), usize>,
    pub(crate) options: HashMap<(String, String), Vec<i32>>,
    pub(crate) bare_null_clears: bool,
    pub(crate) refuse_dangling_lookups: bool,
    pub(crate) refuse_read_only: bool,
    pub(crate) page_size: usize,
}

/// One committed change: what the server itself says happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CommitEntry {
    /// The commit's number, from 1.
    pub sequence: u64,
    /// The server's time of the commit, in ms since 1970 UTC.
    pub at_ms: i64,
    /// What was done.
    pub kind: CommitKind,
    /// To a record of which entity.
    pub entity: String,
    /// The record.
    pub id: Uuid,
    /// The client's `X-Datahub-Operation` header.
    pub operation: Option<String>,
    /// The user who did it.
    pub user: Uuid,
    /// The names of the attributes that the client sent.
    pub sent: Vec<String>,
    /// The values that changed, before; for a delete what was not null.
    pub before: Attributes,
    /// The values that changed, after; for a create what is not null, for a delete empty.
    pub after: Attributes,
}

/// What a commit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CommitKind {
    /// A record was made.
    Create,
    /// Attributes were changed.
    Update,
    /// A record was removed.
    Delete,
}

/// Who changes something, and on whose behalf it is logged.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    pub(crate) user: Uuid,
    pub(crate) operation: Option<String>,
    /// Whether this is a person in CDMS itself, who may do what clients of this endpoint may not.
    pub(crate) person: bool,
    /// Leaves `ModifiedOn` as it was.
    pub(crate) freeze_modified: bool,
    /// What a plug-in makes of the write.
    pub(crate) adjust: Attributes,
}

impl World {
    pub(crate) fn new(mut metadata: Metadata, clock: SimulatorClock, switches: Switches) -> Self {
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
            metadata,
            clock,
            switches,
            records: HashMap::new(),
            commits: Vec::new(),
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
        let known = |name: &str| self.metadata.entity(entity).is_some_and(|entity| entity.property(name).is_some());
        let values: Attributes =
            values.into_iter().filter(|(name, _)| known(name)).map(|(name, text)| (name, Value::text(text))).collect();
        if let Some(entity) = self.metadata.entity(entity).cloned() {
            let record = effects::at_creation(self, &entity, id, values, human_author(self.human_user));
            self.keep(&entity.name, id, record);
        }
    }

    /// Adds a record that was there before, without a commit in the log.
    pub(crate) fn seed(&mut self, entity: &str, mut attributes: Attributes) -> Result<Uuid, Refusal> {
        let entity = self.entity(entity)?.clone();
        in_seconds(&mut attributes);
        let id = match attributes.get(&entity.key) {
            Some(Value::Guid(id)) => *id,
            _ => Uuid::new_v4(),
        };
        self.known(&entity, &attributes)?;
        let given = attributes.clone();
        let mut record = effects::at_creation(self, &entity, id, attributes, human_author(self.human_user));
        // Unlike a client, whoever sets the scene may state times, states and users.
        record.merge(&given);
        self.keep(&entity.name, id, record);
        Ok(id)
    }

    pub(crate) fn entity(&self, name: &str) -> Result<&EntityType, Refusal> {
        self.metadata.entity(name).ok_or_else(|| Refusal::unknown_set(&format!("{name}Set")))
    }

    /// A record with all attributes of its entity.
    pub(crate) fn record(&self, entity: &EntityType, id: Uuid) -> Result<Attributes, Refusal> {
        let kept = self.records.get(&entity.name).and_then(|records| records.get(&id));
        let kept = kept.ok_or_else(|| Refusal::record_missing(&entity.name.to_lowercase(), id))?;
        Ok(whole(entity, kept))
    }

    pub(crate) fn has_record(&self, entity: &EntityType, id: Uuid) -> bool {
        self.records.get(&entity.name).is_some_and(|records| records.contains_key(&id))
    }

    /// Stores a record: what is not null, since most of hundreds of attributes are.
    fn keep(&mut self, entity: &str, id: Uuid, record: Attributes) {
        self.records.entry(entity.to_owned()).or_default().insert(id, not_null(record));
    }

    pub(crate) fn create(&mut self, entity: &str, mut values: Attributes, author: &Author) -> Result<Uuid, Refusal> {
        let entity = self.entity(entity)?.clone();
        let id = match values.remove(&entity.key) {
            Some(Value::Guid(id)) => id,
            _ => Uuid::new_v4(),
        };
        if self.has_record(&entity, id) {
            return Err(Refusal::duplicate_key());
        }
        let sent: Vec<_> = values.names().map(ToString::to_string).collect();
        self.without_read_only(&entity, &mut values, CommitKind::Create)?;
        self.check(&entity, &values)?;
        effects::check_creation(&entity, &values)?;
        values.merge(&author.adjust);
        in_seconds(&mut values);
        self.known(&entity, &values)?;
        effects::give_addresses(self, &entity, &mut values);
        let record = effects::at_creation(self, &entity, id, values, author.clone());
        self.keep(&entity.name, id, record.clone());
        self.commit(CommitKind::Create, &entity.name, id, author, sent, Attributes::new(), record);
        effects::after_creation(self, &entity, id, author);
        Ok(id)
    }

    pub(crate) fn update(
        &mut self,
        entity: &str,
        id: Uuid,
        mut values: Attributes,
        replace: bool,
        author: &Author,
    ) -> Result<(), Refusal> {
        let entity = self.entity(entity)?.clone();
        let old = self.record(&entity, id)?;
        let sent: Vec<_> = values.names().map(ToString::to_string).collect();
        values.remove(&entity.key);
        if author.person {
            values.retain(|name, _| !effects::is_the_servers(name));
        } else {
            self.without_read_only(&entity, &mut values, CommitKind::Update)?;
        }
        self.check(&entity, &values)?;
        values.merge(&author.adjust);
        in_seconds(&mut values);
        self.known(&entity, &values)?;
        if replace {
            let kept = |name: &str| name == entity.key || effects::is_read_only(name, CommitKind::Update);
            for property in entity.properties.iter().filter(|property| !kept(&property.name)) {
                if !values.contains(&property.name) {
                    values.insert(property.name.clone(), effects::default_of(&property.name));
                }
            }
        }
        let mut new = old.clone();
        new.merge(&values);
        effects::at_update(self, &entity, &mut new, author);
        self.replace(&entity, id, &old, new, sent, author);
        effects::after_update(self, &entity, id, author);
        Ok(())
    }

    /// Stores a record's new values and logs what changed.
    fn replace(
        &mut self,
        entity: &EntityType,
        id: Uuid,
        old: &Attributes,
        new: Attributes,
        sent: Vec<String>,
        author: &Author,
    ) {
        let changed = |name: &str| old.get(name) != new.get(name);
        let before: Attributes = old.iter().filter(|(name, _)| changed(name)).map(owned).collect();
        let after: Attributes = new.iter().filter(|(name, _)| changed(name)).map(owned).collect();
        self.keep(&entity.name, id, new);
        self.commit(CommitKind::Update, &entity.name, id, author, sent, before, after);
    }

    pub(crate) fn delete(&mut self, entity: &str, id: Uuid, author: &Author) -> Result<(), Refusal> {
        let entity = self.entity(entity)?.clone();
        let old = self.record(&entity, id)?;
        if let Some(records) = self.records.get_mut(&entity.name) {
            records.remove(&id);
        }
        self.commit(CommitKind::Delete, &entity.name, id, author, Vec::new(), old.clone(), Attributes::new());
        effects::after_deletion(self, &entity, &old, author);
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one log entry")]
    fn commit(
        &mut self,
        kind: CommitKind,
        entity: &str,
        id: Uuid,
        author: &Author,
        sent: Vec<String>,
        before: Attributes,
        after: Attributes,
    ) {
        // A record begins and ends as nothing but nulls.
        let (before, after) = match kind {
            CommitKind::Update => (before, after),
            CommitKind::Create | CommitKind::Delete => (not_null(before), not_null(after)),
        };
        self.commits.push(CommitEntry {
            sequence: self.commits.len() as u64 + 1,
            at_ms: self.clock.now_ms(),
            kind,
            entity: entity.to_owned(),
            id,
            operation: author.operation.clone(),
            user: author.user,
            sent,
            before,
            after,
        });
    }

    pub(crate) fn commits(&self) -> &[CommitEntry] {
        &self.commits
    }

    /// The records of an entity in the order of their ids, without what is null.
    pub(crate) fn all(&self, entity: &EntityType) -> impl Iterator<Item = (Uuid, &Attributes)> {
        self.records.get(&entity.name).into_iter().flatten().map(|(id, record)| (*id, record))
    }

    /// The display name that a lookup shows: the target's current one.
    pub(crate) fn name_of(&self, reference: &Reference) -> Option<String> {
        let entity = self.entity_by_logical_name(&reference.logical_name)?;
        let record = self.record(entity, reference.id).ok()?;
        let names = ["optevia_name", "Name", "FullName", "optevia_Country", "Subject"];
        names.into_iter().find_map(|name| match record.get(name) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        })
    }

    /// The logical name of the entity that has a record with this id.
    pub(crate) fn entity_of(&self, id: Uuid) -> Option<String> {
        let found = self.records.iter().filter(|(_, records)| records.contains_key(&id));
        found.map(|(entity, _)| entity.to_lowercase()).min()
    }

    fn entity_by_logical_name(&self, logical_name: &str) -> Option<&EntityType> {
        self.metadata.entities.iter().find(|entity| entity.name.eq_ignore_ascii_case(logical_name))
    }

    fn now(&self) -> Value {
        // Whole seconds, as the service shows times of change (fact sheet, 2.2).
        let ms = self.clock.now_ms();
        Value::Instant(Instant(ms.saturating_sub(ms.rem_euclid(1000))))
    }

    fn known(&self, entity: &EntityType, values: &Attributes) -> Result<(), Refusal> {
        let unknown = values.names().find(|name| entity.property(name).is_none());
        let type_name = || format!("{}.{}", self.metadata.namespace, entity.name);
        unknown.map_or(Ok(()), |name| Err(Refusal::unknown_in_body(name, &type_name())))
    }

    /// Leaves out what clients cannot set, or refuses it where the switch says so.
    fn without_read_only(&self, entity: &EntityType, values: &mut Attributes, kind: CommitKind) -> Result<(), Refusal> {
        if self.switches.refuse_read_only
            && let Some(name) = values.names().find(|name| effects::is_read_only(name, kind))
        {
            let type_name = format!("{}.{}", self.metadata.namespace, entity.name);
            return Err(Refusal::bad_request(format!("The property '{name}' of '{type_name}' cannot be set.")));
        }
        values.retain(|name, _| !effects::is_read_only(name, kind));
        Ok(())
    }

    fn check(&self, entity: &EntityType, values: &Attributes) -> Result<(), Refusal> {
        for (name, value) in values.iter() {
            let place = (entity.name.clone(), name.to_owned());
            match value {
                Value::Text(text) => {
                    let limit = self.switches.max_lengths.get(&place).copied();
                    if let Some(limit) = limit.filter(|limit| text.encode_utf16().count() > *limit) {
                        return Err(Refusal::too_long(name, &entity.name, limit));
                    }
                }
                Value::Choice(option)
                    if self.switches.options.get(&place).is_some_and(|options| !options.contains(option)) =>
                {
                    return Err(Refusal::option_out_of_range(name, *option));
                }
                Value::Lookup(reference) if self.switches.refuse_dangling_lookups => {
                    let target = self.entity_by_logical_name(&reference.logical_name);
                    if target.is_none_or(|target| !self.has_record(target, reference.id)) {
                        return Err(Refusal::record_missing(&reference.logical_name, reference.id));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Cuts times to whole seconds, towards the past: no part of a second is ever seen of one (fact sheet, 2.2).
fn in_seconds(values: &mut Attributes) {
    let cut = values.iter().filter_map(|(name, value)| match value {
        Value::Instant(Instant(ms)) => {
            Some((name.to_string(), Value::Instant(Instant(ms.div_euclid(1000).saturating_mul(1000)))))
        }
        _ => None,
    });
    let cut: Vec<_> = cut.collect();
    for (name, value) in cut {
        values.insert(name, value);
    }
}

/// A record's attributes without those that are null.
fn not_null(mut attributes: Attributes) -> Attributes {
    attributes.retain(|_, value| !value.is_null());
    attributes.shrink();
    attributes
}

/// A record with null for every attribute that was not kept.
fn whole(entity: &EntityType, kept: &Attributes) -> Attributes {
    let value = |name: &str| kept.get(name).cloned().unwrap_or_default();
    entity.properties.iter().map(|property| (property.name.clone(), value(&property.name))).collect()
}

/// The author of what a person does in CDMS itself.
pub(crate) fn human_author(user: Uuid) -> Author {
    Author { user, operation: None, person: true, freeze_modified: false, adjust: Attributes::new() }
}

fn owned((name, value): (&str, &Value)) -> (String, Value) {
    (name.to_owned(), value.clone())
}
