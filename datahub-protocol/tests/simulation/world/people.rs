//! People at work in CDMS, next to the hub, and the restoring of a backup.

use cdms_odata::{Attributes, Value};
use datahub_protocol::WriteKind;
use uuid::Uuid;

use super::{IDS, World};
use crate::cdms::{Deed, Whims};
use crate::mapping::{FORBIDDEN, UNREADABLE};

impl World {
    /// Values that no one else enters.
    pub(super) fn persons_values(&mut self) -> Attributes {
        let mut values = Attributes::new();
        for name in ["a", "b1", "b2"] {
            let value = self.value() % 1_000_000;
            values.insert(name, Value::Integer(value % if name == "a" { 1_000_000 } else { 1_000 }));
        }
        values
    }

    pub(super) fn person(&mut self) {
        let id = IDS[self.rng.usize(..IDS.len())];
        let choice = self.rng.u32(..100);
        let mut values = Attributes::new();
        match (self.cdms.records.contains_key(&id), choice) {
            // People cannot choose ids: this is a record that was brought back, for example from a recycle bin.
            (false, 0..15) => values = self.values_again(id),
            (false, _) => return,
            (true, 0..5) => {
                self.log_step(|_| format!("a person deletes {id}"));
                return self.cdms.remove(id, None);
            }
            (true, 5..17) => {
                let k = i32::from(self.rng.bool());
                values.insert("k", Value::Integer(k));
            }
            (true, 17..20) => _ = values.insert("a", Value::Integer(UNREADABLE)),
            (true, 20..23) => _ = values.insert("a", Value::Integer(FORBIDDEN)),
            (true, 23..60) => _ = values.insert("a", self.typed(id, "a")),
            (true, 60..80) => _ = values.insert("b1", self.typed(id, "b1")),
            (true, _) => _ = values.insert("b2", self.typed(id, "b2")),
        }
        let freezes = self.happens("a frozen time", 30);
        self.log_step(|_| format!("a person sets {values:?} of {id}"));
        self.cdms.put(id, &values, None, Whims { freezes, ..Whims::default() });
    }

    /// The value that a person enters into an attribute: usually a new one; sometimes one that a write under way sends
    /// or has found, or one that was there before.
    fn typed(&mut self, id: Uuid, name: &str) -> Value {
        let fresh = Value::Integer(self.value() % if name == "a" { 1_000_000 } else { 1_000 });
        let choice = self.rng.u32(..100);
        let intent = self.store.open(id).map(|open| &open.intent);
        let typed = match choice {
            0..12 => intent.and_then(|intent| intent.patch.get(name)),
            12..24 => intent.and_then(|intent| intent.pre_image.get(name)),
            24..34 => {
                self.cdms.log.iter().rev().filter(|deed| deed.id == id).nth(1).and_then(|deed| match &deed.what {
                    Deed::Made(values) | Deed::Set(values) => values.get(name),
                    Deed::Removed => None,
                })
            }
            _ => None,
        };
        let Some(typed) = typed.filter(|typed| !typed.is_null()).cloned() else { return fresh };
        self.count("a person types what was there or is under way");
        typed
    }

    /// The values of a record that was brought back: usually new ones; sometimes those that a create under way sends.
    fn values_again(&mut self, id: Uuid) -> Attributes {
        let fresh = self.persons_values();
        let created = self.store.open(id).filter(|open| open.intent.write == WriteKind::Create);
        match created.map(|open| open.intent.patch.clone()) {
            Some(patch) if self.rng.bool() => patch,
            _ => fresh,
        }
    }

    /// CDMS is restored from a backup: its records and its clock go back.
    pub(crate) fn restore(&mut self) {
        self.restored = Some(self.cdms.log.len());
        self.cdms.behind_ms = 3_600_000;
        self.log_step(|_| "CDMS is restored from a backup".to_owned());
        let ids: Vec<_> = self.cdms.records.keys().copied().collect();
        for id in ids {
            let values = self.persons_values();
            self.cdms.put(id, &values, None, Whims::default());
        }
    }
}
