//! Reads requests, carries them out and answers them.

use std::sync::Arc;

use bytes::Bytes;
use cdms_odata::Attributes;
use cdms_odata::metadata::EntityType;
use hyper::http::request::Parts;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::address::{Address, Target};
use super::answer::Answer;
use super::{header, soap};
use crate::fault::{Fault, Met, Operation};
use crate::json::{Rendering, Shown, parse, render};
use crate::refusal::Refusal;
use crate::state::State;
use crate::world::{Author, Expansion, Query, Selection, World, known_entity};

/// A parsed request.
#[derive(Debug)]
pub(super) struct Call {
    /// The effective method: the tunnelled one, if there is one.
    pub(super) method: String,
    pub(super) target: Target,
    tunnelled: bool,
    pairs: Vec<(String, String)>,
    body: Bytes,
    operation: Option<String>,
    accepts_json: bool,
    content_type: Option<String>,
    /// The service root in addresses that the server generates.
    root: String,
}

impl Call {
    pub(super) fn read(state: &State, parts: &Parts, target: &str, body: Bytes) -> Result<Self, Refusal> {
        let host = header(parts, "host").unwrap_or_default();
        let Address { target, root, pairs } = Address::read(state, &host, target)?;
        let tunnelled = header(parts, "x-http-method").filter(|_| parts.method == "POST");
        let accept = header(parts, "accept").unwrap_or_default();
        Ok(Call {
            tunnelled: tunnelled.is_some(),
            method: tunnelled.unwrap_or_else(|| parts.method.to_string()).to_ascii_uppercase(),
            target,
            pairs,
            body,
            operation: header(parts, "x-datahub-operation"),
            accepts_json: accept.to_ascii_lowercase().contains("application/json"),
            content_type: header(parts, "content-type"),
            root,
        })
    }

    /// What the request does, and to which entity; selects its faults.
    pub(super) fn matched(&self) -> (Operation, Option<String>) {
        match &self.target {
            Target::Service | Target::Metadata | Target::Outside(_) => (Operation::Other, None),
            Target::Set(entity) => {
                let operation = if self.method == "POST" { Operation::Create } else { Operation::List };
                (operation, Some(entity.clone()))
            }
            Target::Record(entity, _) => {
                let operation = match self.method.as_str() {
                    "GET" => Operation::Read,
                    "DELETE" => Operation::Delete,
                    _ => Operation::Update,
                };
                (operation, Some(entity.clone()))
            }
        }
    }

    /// The path, if it is not under the service root.
    pub(super) fn outside(&self) -> Option<&str> {
        match &self.target {
            Target::Outside(path) => Some(path),
            _ => None,
        }
    }

    /// Carries the request out in one step.
    pub(super) fn carry_out(&self, world: &mut World, met: &Met) -> Result<Answer, Refusal> {
        if let Target::Outside(path) = &self.target {
            let replies = &world.switches.soap;
            if self.method == "POST" && !replies.is_empty() && soap::is_service(path) {
                return Ok(soap::answer(replies, self.content_type.as_deref(), &self.body));
            }
            return Err(Refusal::unknown_set(path));
        }
        if let Some((name, _)) = self.pairs.first()
            && (self.method != "GET" || matches!(self.target, Target::Service | Target::Metadata))
        {
            return Err(Refusal::unsupported_option(name));
        }
        if matches!(self.target, Target::Metadata) && self.method == "GET" {
            return Ok(Answer::xml(world.metadata.to_xml()));
        }
        match (&self.target, self.method.as_str()) {
            (Target::Service, "GET") => {
                self.must_accept_json()?;
                let sets: Vec<_> = world.metadata.entities.iter().map(|entity| entity.set.as_str()).collect();
                Ok(Answer::d(200, Shown::Plain(json!({"EntitySets": sets}))))
            }
            (Target::Set(entity), "GET") => self.list(world, entity, met),
            (Target::Set(entity), "POST") => self.create(world, entity, met),
            (Target::Record(entity, id), "GET") => self.one(world, entity, *id, met),
            (Target::Record(..), "MERGE") if !self.tunnelled => {
                Err(Refusal::new(405, 0, "MERGE must be tunnelled: send POST with X-HTTP-Method: MERGE."))
            }
            (Target::Record(entity, id), method @ ("MERGE" | "PUT")) => {
                let values = self.values(world, entity)?;
                world.update(entity, *id, values, method == "PUT", &self.author(world, met))?;
                Ok(Answer::empty(204))
            }
            (Target::Record(entity, id), "DELETE") => {
                world.delete(entity, *id, &self.author(world, met))?;
                Ok(Answer::empty(204))
            }
            _ => Err(Refusal::new(405, 0, "Method not allowed.")),
        }
    }

    /// The client must accept JSON if the answer has a body; the answer to a MERGE, for example, has none.
    fn must_accept_json(&self) -> Result<(), Refusal> {
        if self.accepts_json { Ok(()) } else { Err(Refusal::not_acceptable()) }
    }

    fn list(&self, world: &mut World, entity: &str, met: &Met) -> Result<Answer, Refusal> {
        self.must_accept_json()?;
        let metadata = Arc::clone(&world.metadata);
        let entity = known_entity(&metadata, entity)?;
        let query = Query::parse(world, entity, &self.pairs, false)?;
        query.prepare(world, entity);
        let world = &*world;
        let listing = query.page(world, entity, &self.pairs)?;
        let records = listing.ids.iter().map(|id| {
            let record = world.kept(entity, *id)?;
            Ok(self.show(world, entity, *id, record, Some(&query), met))
        });
        let mut page = vec![("results", Shown::List(records.collect::<Result<_, Refusal>>()?))];
        let hostile = met.0.iter().find_map(|fault| match fault {
            Fault::HostileNext(address) => Some(address.clone()),
            _ => None,
        });
        if let Some(next) = hostile.or_else(|| listing.next.map(|next| format!("{}/{}?{next}", self.root, entity.set)))
        {
            page.push(("__next", Shown::text(next)));
        }
        Ok(Answer::d(200, Shown::Object(page)))
    }

    fn one(&self, world: &mut World, entity: &str, id: Uuid, met: &Met) -> Result<Answer, Refusal> {
        self.must_accept_json()?;
        let metadata = Arc::clone(&world.metadata);
        let entity = known_entity(&metadata, entity)?;
        let query = Query::parse(world, entity, &self.pairs, true)?;
        query.prepare(world, entity);
        let world = &*world;
        let record = world.kept(entity, id)?;
        Ok(Answer::d(200, self.show(world, entity, id, record, Some(&query), met)))
    }

    fn create(&self, world: &mut World, entity: &str, met: &Met) -> Result<Answer, Refusal> {
        self.must_accept_json()?;
        let mut values = self.values(world, entity)?;
        if met.has("other_id") {
            let key = world.entity(entity)?.key.clone();
            values.remove(&key);
        }
        let author = self.author(world, met);
        let id = world.create(entity, values, &author)?;
        let entity = world.entity(entity)?;
        let location = format!("{}/{}(guid'{id}')", self.root, entity.set);
        let shown = self.show(world, entity, id, world.kept(entity, id)?, None, met);
        Ok(Answer::d(201, shown).with_header("location", location))
    }

    fn values(&self, world: &World, entity: &str) -> Result<Attributes, Refusal> {
        if let Some(content_type) = self.content_type.as_deref().filter(|given| !is_json(given)) {
            return Err(Refusal::unsupported_content(content_type));
        }
        let entity = world.entity(entity)?;
        let clears = world.switches.bare_null_clears;
        parse(&world.metadata.namespace, entity, &self.body, clears, &|id| world.entity_of(id))
    }

    fn author(&self, world: &World, met: &Met) -> Author {
        Author {
            user: world.service_user,
            operation: self.operation.clone(),
            person: false,
            freeze_modified: met.has("freeze_modified_on"),
            adjust: met.adjustments(),
        }
    }

    fn show<'w>(
        &self,
        world: &'w World,
        entity: &'w EntityType,
        id: Uuid,
        record: &Attributes,
        query: Option<&Query>,
        met: &Met,
    ) -> Shown<'w> {
        let mut shown = self.render(world, entity, id, record, query.and_then(|query| query.selection.as_ref()));
        for expansion in query.into_iter().flat_map(|query| &query.expansions) {
            if let Some((_, place)) = shown.iter_mut().find(|(name, _)| *name == expansion.name) {
                *place = self.related(world, entity, id, record, expansion);
            }
        }
        for fault in &met.0 {
            if let Fault::Corrupt { attribute, json } = fault
                && let Some((_, place)) = shown.iter_mut().find(|(name, _)| name == attribute)
            {
                let json = serde_json::from_str(json).unwrap_or_else(|_| Json::from(json.as_str()));
                *place = Shown::Plain(json);
            }
        }
        Shown::Object(shown)
    }

    fn render<'w>(
        &self,
        world: &'w World,
        entity: &'w EntityType,
        id: Uuid,
        record: &Attributes,
        selection: Option<&Selection>,
    ) -> Vec<(&'w str, Shown<'w>)> {
        let name_of = |reference: &cdms_odata::Reference| world.name_of(reference);
        let namespace = &world.metadata.namespace;
        render(entity, id, record, &Rendering { namespace, root: &self.root, selection, name_of: &name_of })
    }

    /// The records to which a relation leads: one or null, or the first ones of a list.
    fn related<'w>(
        &self,
        world: &'w World,
        entity: &EntityType,
        id: Uuid,
        record: &Attributes,
        Expansion { relation, selection, .. }: &Expansion,
    ) -> Shown<'w> {
        let Ok(target) = world.entity(&relation.target) else { return Shown::Plain(Json::Null) };
        let related = world.related(entity, relation, id, record);
        let show = |(id, record): (Uuid, &Attributes)| {
            Shown::Object(self.render(world, target, id, record, selection.as_ref()))
        };
        if relation.reverse {
            // There is no link to more of them (docs/protocol.md, 3.2).
            let shown = related.into_iter().take(world.switches.page_size).map(show);
            Shown::Object(vec![("results", Shown::List(shown.collect()))])
        } else {
            related.into_iter().next().map_or(Shown::Plain(Json::Null), show)
        }
    }
}

fn is_json(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use cdms_odata::Value;
    use cdms_odata::metadata::Metadata;

    use super::*;
    use crate::clock::SimulatorClock;
    use crate::world::Switches;

    /// A world with five accounts of this number of attributes.
    fn world(width: usize) -> World {
        world_of(width, 5)
    }

    fn world_of(width: usize, accounts: u128) -> World {
        let columns = (0..width).map(|column| format!("<Property Name=\"Column{column:03}\" Type=\"Edm.String\"/>"));
        let document = format!(
            "<Schema Namespace=\"N\"><EntityType Name=\"Account\"><Key><PropertyRef Name=\"AccountId\"/></Key>\
             <Property Name=\"AccountId\" Type=\"Edm.Guid\"/><Property Name=\"ModifiedOn\" Type=\"Edm.DateTime\"/>{}</EntityType><EntityContainer Name=\"C\">\
             <EntitySet Name=\"AccountSet\" EntityType=\"N.Account\"/></EntityContainer></Schema>",
            columns.collect::<String>()
        );
        let metadata = Metadata::parse(&document).unwrap();
        let mut world = World::new(metadata, SimulatorClock::standing_at(0), Switches::new(), Some(10));
        for id in 1..=accounts {
            let values = [("AccountId", Value::Guid(Uuid::from_u128(id))), ("Column000", Value::text("Acme"))];
            world.seed("Account", values.into()).unwrap();
        }
        world
    }

    fn call(method: &str, target: Target, pairs: &[(&str, &str)], body: &'static str) -> Call {
        Call {
            method: method.to_owned(),
            target,
            tunnelled: true,
            pairs: pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: Bytes::from_static(body.as_bytes()),
            operation: None,
            accepts_json: true,
            content_type: None,
            root: "http://x".to_owned(),
        }
    }

    /// The number of bytes that are allocated for an answer.
    fn cost(call: &Call, width: usize) -> u64 {
        let mut world = world(width);
        let measured = allocation_counter::measure(|| drop(call.carry_out(&mut world, &Met::default()).unwrap()));
        measured.bytes_total
    }

    #[test]
    fn a_page_in_the_order_of_an_index_costs_the_same_among_many_records() {
        let cost = |accounts, order: &str| {
            let mut world = world_of(1, accounts);
            let since = "ModifiedOn ge datetime'1969-12-31'";
            let pairs = [("$select", "AccountId"), ("$filter", since), ("$orderby", order)];
            let call = call("GET", Target::Set("Account".to_owned()), &pairs, "");
            let measured = allocation_counter::measure(|| drop(call.carry_out(&mut world, &Met::default()).unwrap()));
            measured.bytes_total
        };
        for order in ["AccountId", "ModifiedOn,AccountId", "ModifiedOn desc,AccountId"] {
            assert_eq!(cost(60, order), cost(5_000, order), "{order}");
        }
        assert!(cost(5_000, "Column000") > cost(60, "Column000"), "another order looks at every record");
    }

    #[test]
    fn a_deleted_record_leaves_only_its_entries_in_a_full_log() {
        let (mut world, text) = (world(2), Value::text("x".repeat(10_000)));
        let author = call("POST", Target::Service, &[], "").author(&world, &Met::default());
        let mut come_and_go = |times: usize| {
            for _ in 0..times {
                let id = world.create("Account", [("Column000", text.clone())].into(), &author).unwrap();
                world.delete("Account", id, &author).unwrap();
            }
        };
        come_and_go(100);
        let measured = allocation_counter::measure(|| come_and_go(100));
        assert!(measured.bytes_total > 1_000_000, "texts are allocated: {measured:?}");
        assert!(measured.bytes_current < 1_000, "and freed again: {measured:?}");
    }

    #[test]
    fn attributes_that_are_not_selected_are_not_built() {
        let record = || Target::Record("Account".to_owned(), Uuid::from_u128(1));
        let selection = [("$select", "Column000")];
        for call in [
            call("GET", record(), &selection, ""),
            call("GET", Target::Set("Account".to_owned()), &selection, ""),
            call("MERGE", record(), &[], r#"{"Column000":"New"}"#),
            call("DELETE", record(), &[], ""),
        ] {
            let (narrow, wide) = (cost(&call, 2), cost(&call, 400));
            assert_eq!(wide, narrow, "the cost of {call:?} does not depend on the width of records");
        }
        let whole = call("GET", record(), &[], "");
        assert!(cost(&whole, 400) > cost(&whole, 2) + 398 * 16, "the cost of a whole record depends on its width");
    }
}
