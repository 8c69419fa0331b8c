//! Writes: which are accepted, what they change, and their entries in the log.

use std::sync::Arc;

use cdms_odata::metadata::EntityType;
use cdms_odata::{Attributes, Instant, Value};
use uuid::Uuid;

use super::relations::referred;
use super::{Author, World, addresses, amounts, domain, effects, known_entity, lifecycle};
use crate::log::{CommitEntry, CommitKind};
use crate::refusal::Refusal;

/// What a commit changed, for its entry in the log.
pub(super) struct Change<'c> {
    pub(super) kind: CommitKind,
    pub(super) entity: &'c EntityType,
    pub(super) id: Uuid,
    pub(super) sent: Vec<String>,
    pub(super) before: Attributes,
    pub(super) after: Attributes,
}

impl World {
    pub(crate) fn create(&mut self, entity: &str, mut values: Attributes, author: &Author) -> Result<Uuid, Refusal> {
        let metadata = Arc::clone(&self.metadata);
        let entity = known_entity(&metadata, entity)?;
        let id = match values.remove(&entity.key) {
            Some(Value::Guid(id)) => id,
            _ => Uuid::new_v4(),
        };
        if self.has_record(entity, id) {
            return Err(Refusal::duplicate_key());
        }
        let sent = names(&values);
        self.without_read_only(entity, &mut values, CommitKind::Create)?;
        self.check(entity, &values)?;
        lifecycle::check(&self.switches, entity, &Attributes::new(), &mut values, author)?;
        addresses::check_creation(entity, &values)?;
        values.merge(&author.adjust);
        in_seconds(&mut values);
        self.known(entity, &values)?;
        amounts::round(&self.switches, entity, &mut values);
        amounts::check_currency(&self.switches, entity, &values, &values)?;
        addresses::give(self, entity, &mut values);
        let record = not_null(effects::at_creation(self, entity, id, values, author));
        self.keep(&entity.name, id, record.clone());
        let before = Attributes::new();
        self.commit(Change { kind: CommitKind::Create, entity, id, sent, before, after: record }, author);
        addresses::after_creation(self, entity, id, author);
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
        let metadata = Arc::clone(&self.metadata);
        let entity = known_entity(&metadata, entity)?;
        let mut new = self.kept(entity, id)?.clone();
        let sent = names(&values);
        values.remove(&entity.key);
        if author.person {
            values.retain(|name, _| !effects::is_the_servers(name));
        } else {
            self.without_read_only(entity, &mut values, CommitKind::Update)?;
        }
        self.check(entity, &values)?;
        lifecycle::check(&self.switches, entity, &new, &mut values, author)?;
        values.merge(&author.adjust);
        in_seconds(&mut values);
        self.known(entity, &values)?;
        amounts::round(&self.switches, entity, &mut values);
        if replace {
            let kept = |name: &str| name == entity.key || effects::is_read_only(name, CommitKind::Update);
            for property in entity.properties.iter().filter(|property| !kept(&property.name)) {
                if !values.contains(&property.name) {
                    let status = lifecycle::status_to_reset(entity, &property.name, &new);
                    let default = status.unwrap_or_else(|| effects::default_of(&property.name));
                    values.insert(property.name.clone(), default);
                }
            }
        }
        new.merge(&values);
        amounts::check_currency(&self.switches, entity, &values, &new)?;
        effects::at_update(self, entity, &mut new, author);
        self.replace(entity, id, new, sent, author);
        addresses::after_update(self, entity, id, author);
        Ok(())
    }

    /// Stores a record's new values and logs what changed.
    pub(super) fn replace(
        &mut self,
        entity: &EntityType,
        id: Uuid,
        new: Attributes,
        sent: Vec<String>,
        author: &Author,
    ) {
        let nothing = Attributes::new();
        let (before, after) = changes(self.kept(entity, id).unwrap_or(&nothing), &new);
        self.keep(&entity.name, id, new);
        self.commit(Change { kind: CommitKind::Update, entity, id, sent, before, after }, author);
    }

    pub(crate) fn delete(&mut self, entity: &str, id: Uuid, author: &Author) -> Result<(), Refusal> {
        let metadata = Arc::clone(&self.metadata);
        let entity = known_entity(&metadata, entity)?;
        let old = self.take_out(entity, id)?;
        let trace = addresses::Trace::of(entity, id, &old);
        let (sent, after) = (Vec::new(), Attributes::new());
        self.commit(Change { kind: CommitKind::Delete, entity, id, sent, before: old, after }, author);
        addresses::after_deletion(self, &trace, author);
        for (child, id) in self.children(entity, id) {
            // It may already be deleted together with another child.
            if self.has_record(known_entity(&metadata, &child)?, id) {
                self.delete(&child, id, author)?;
            }
        }
        Ok(())
    }

    /// The records that are deleted with this one, by entity and id.
    fn children(&mut self, parent: &EntityType, id: Uuid) -> Vec<(String, Uuid)> {
        let mut children = Vec::new();
        for (name, lookup) in self.switches.parental.clone() {
            self.keep_lookup(&name, &lookup);
            let Some(child) = self.metadata.entity(&name) else { continue };
            let under = self.referring(child, &lookup, id).into_iter();
            let under = under.filter(|(_, record)| referred(record, &lookup, &parent.name).is_some());
            children.extend(under.map(|(id, _)| (name.clone(), id)));
        }
        children
    }

    /// Removes a record and returns it.
    pub(super) fn take_out(&mut self, entity: &EntityType, id: Uuid) -> Result<Attributes, Refusal> {
        let taken = self.records.get_mut(&entity.name).and_then(|records| records.remove(id));
        taken.ok_or_else(|| Refusal::record_missing(&entity.name.to_lowercase(), id))
    }

    /// Logs a commit.
    pub(super) fn commit(&mut self, change: Change<'_>, author: &Author) {
        let Change { kind, entity, id, sent, before, after } = change;
        self.commits.push(CommitEntry {
            sequence: self.commits.added() + 1,
            at_ms: self.clock.now_ms(),
            kind,
            entity: entity.name.clone(),
            id,
            operation: author.operation.clone(),
            user: author.user,
            sent,
            before,
            after,
        });
    }

    /// Drops attributes that clients cannot set, or refuses them if the switch says so.
    fn without_read_only(&self, entity: &EntityType, values: &mut Attributes, kind: CommitKind) -> Result<(), Refusal> {
        let switches = &self.switches;
        let is_read_only = |name: &str| effects::is_read_only(name, kind) || amounts::is_reckoned(switches, name);
        if switches.refuse_read_only
            && let Some(name) = values.names().find(|name| is_read_only(name))
        {
            let type_name = self.type_name(entity);
            return Err(Refusal::bad_request(format!("The property '{name}' of '{type_name}' cannot be set.")));
        }
        values.retain(|name, _| !is_read_only(name));
        Ok(())
    }

    fn check(&self, entity: &EntityType, values: &Attributes) -> Result<(), Refusal> {
        for (name, value) in values.iter() {
            domain::check(entity, name, value)?;
            let rule = self.switches.rule(&entity.name, name);
            match value {
                Value::Text(text) => {
                    let limit = rule.and_then(|rule| rule.max_length);
                    if let Some(limit) = limit.filter(|limit| text.encode_utf16().count() > *limit) {
                        return Err(Refusal::too_long(name, &entity.name, limit));
                    }
                }
                Value::Choice(option) => {
                    let options = rule.and_then(|rule| rule.options.as_ref());
                    if options.is_some_and(|options| !options.contains(option)) {
                        return Err(Refusal::option_out_of_range(name, *option));
                    }
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

/// The values that differ, before and after; a value that is missing on one side is null there.
fn changes(old: &Attributes, new: &Attributes) -> (Attributes, Attributes) {
    let value = |of: &Attributes, name: &str| of.get(name).cloned().unwrap_or_default();
    let names = old.names().chain(new.names().filter(|name| !old.contains(name)));
    let changed = names.filter(|name| value(old, name) != value(new, name));
    let pairs = changed.map(|name| ((name.clone(), value(old, name)), (name.clone(), value(new, name))));
    let (before, after): (Vec<_>, Vec<_>) = pairs.unzip();
    (before.into_iter().collect(), after.into_iter().collect())
}

fn names(values: &Attributes) -> Vec<String> {
    values.names().map(ToString::to_string).collect()
}

/// Truncates times to whole seconds, towards the past: CDMS never shows fractions of a second (docs/protocol.md, 2.2).
pub(super) fn in_seconds(values: &mut Attributes) {
    let cut = values.iter().filter_map(|(name, value)| match value {
        Value::Instant(Instant(ms)) => {
            Some((name.to_owned(), Value::Instant(Instant(ms.div_euclid(1000).saturating_mul(1000)))))
        }
        _ => None,
    });
    let cut: Vec<_> = cut.collect();
    for (name, value) in cut {
        values.insert(name, value);
    }
}

/// A record's attributes without the nulls.
pub(super) fn not_null(mut attributes: Attributes) -> Attributes {
    attributes.retain(|_, value| !value.is_null());
    attributes.shrink();
    attributes
}
