//! A record that has not changed is found unchanged before anything is merged or copied: what is decoded for the caller is the
//! row as it was loaded.

use std::cell::RefCell;

use cdms_odata::{Attributes, Facts, Instant, Value};
use datahub_protocol::{
    Action, Event, Fetched, Finding, Listed, Loaded, Machine as _, Mapping, Read, Record, Sighting, Snapshot, Stored,
    Values, Version, listed,
};

/// Notes where the attributes are that it decodes.
#[derive(Clone, Debug, Default)]
struct Noting(RefCell<Vec<*const Attributes>>);

impl Mapping for Noting {
    type Fault = String;

    fn tag(&self) -> u64 {
        1
    }

    fn knows(&self, _: &str) -> bool {
        true
    }

    fn includes(&self, _: &Attributes) -> bool {
        true
    }

    fn decode(&self, _: &Facts, attributes: &Attributes) -> Result<Values, String> {
        self.0.borrow_mut().push(attributes);
        Ok(attributes.iter().map(|(_, value)| value.clone()).collect())
    }

    fn decode_field(&self, _: usize, attributes: &Attributes) -> Result<Value, String> {
        Ok(attributes.get("Name").cloned().unwrap_or_default())
    }

    fn updatable(&self) -> Vec<usize> {
        Vec::new()
    }

    fn encode(&self, _: usize, _: &Value, _: &Attributes) -> Result<Attributes, String> {
        Ok(Attributes::new())
    }

    fn attributes_of(&self, _: usize) -> Vec<&str> {
        vec!["Name"]
    }

    fn encode_new(&self, _: &[Value]) -> Result<Attributes, String> {
        Ok(Attributes::new())
    }

    fn forbidden(&self, reason: &str) -> String {
        reason.to_owned()
    }

    fn constants(&self) -> Attributes {
        Attributes::new()
    }
}

fn facts(ms: i64) -> Facts {
    Facts { modified: Instant(ms), created: None, modified_by: None }
}

/// A row that was read with these attributes.
fn loaded(seen: Attributes) -> Loaded {
    let snapshot = Snapshot {
        version: Version(1),
        facts: facts(1_000),
        seen,
        complete_for: vec![1],
        outdated: Default::default(),
    };
    Loaded { stored: Stored::Row(snapshot), ..Loaded::default() }
}

fn named(name: &str) -> Attributes {
    Attributes::from([("Name", Value::text(name))])
}

#[test]
fn an_unchanged_record_is_not_merged_with_its_row() {
    // The row knows more than this mapping reads.
    let mut seen = named("Acme");
    seen.insert("City", Value::text("Leeds"));
    let loaded = loaded(seen);
    let Stored::Row(row) = &loaded.stored else { unreachable!("it is a row") };
    let other_facts = Facts { created: Some(Instant(1)), ..facts(1_000) };
    for facts in [facts(1_000), other_facts] {
        let mapping = Noting::default();
        let record = Record { facts, attributes: named("Acme") };
        assert_eq!(listed(&mapping, &loaded, Ok(record), Version(1), 0), Listed::AsIs);
        assert_eq!(*mapping.0.borrow(), [&raw const row.seen]);
    }
    let mapping = Noting::default();
    let changed = Record { facts: facts(1_000), attributes: named("Beta") };
    let listed = listed(&mapping, &loaded, Ok(changed), Version(1), 0);
    assert!(matches!(listed, Listed::Store(Finding::Refreshed, _)), "{listed:?}");
    assert!(mapping.0.borrow().iter().all(|decoded| *decoded != &raw const row.seen), "what is new is decoded");
}

#[test]
fn a_read_in_sync_returns_the_row_as_it_was_loaded() {
    let loaded = loaded(named("Acme"));
    let Stored::Row(row) = &loaded.stored else { unreachable!("it is a row") };
    // Moving a row leaves its texts where they are.
    let place = |seen: &Attributes| {
        seen.get("Name").map(|name| match name {
            Value::Text(text) => text.as_ptr(),
            other => panic!("{other:?} is no text"),
        })
    };
    let before = place(&row.seen);
    let mut read = Read::new(Noting::default(), 0);
    assert!(matches!(read.step(Event::Start), Action::Load));
    assert!(matches!(read.step(Event::Loaded(Box::new(loaded))), Action::Fetch));
    let record = Record { facts: facts(1_000), attributes: named("Acme") };
    let Action::Done(Ok(Sighting::Current { snapshot, finding: Finding::InSync, .. })) =
        read.step(Event::Fetched(Fetched::Record(record)))
    else {
        panic!("it is in sync");
    };
    assert_eq!(place(&snapshot.seen), before);
}
