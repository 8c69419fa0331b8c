//! The people in CDMS: they change, remove and restore records while the programs write them.

use std::collections::VecDeque;

use datahub_runtime::testing::Kit;
use datahub_runtime::{Attributes, Value};
use fastrand::Rng;
use serde::Serialize;
use uuid::Uuid;

/// What people did.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Deeds {
    pub(crate) edits: u64,
    pub(crate) removals: u64,
    pub(crate) restorations: u64,
}

/// Everybody who works in CDMS itself.
pub(crate) struct People {
    rng: Rng,
    accounts: Vec<Uuid>,
    contacts: Vec<Uuid>,
    /// The accounts that wait to be restored, with their values and the round in which that is done.
    removed: VecDeque<(u64, Uuid, Attributes)>,
    pub(crate) deeds: Deeds,
}

/// After how many rounds an account is restored.
const RESTORED_AFTER: u64 = 40;

impl People {
    pub(crate) fn new(rng: Rng, accounts: &[Uuid], contacts: &[Uuid]) -> Self {
        let removed = VecDeque::new();
        People { rng, accounts: accounts.to_vec(), contacts: contacts.to_vec(), removed, deeds: Deeds::default() }
    }

    /// What they do in one round.
    pub(crate) fn act(&mut self, kit: &Kit, round: u64) {
        if round.is_multiple_of(4) {
            self.edit_account(kit);
        }
        if round.is_multiple_of(10) {
            self.edit_contact(kit);
        }
        if round.is_multiple_of(60) {
            let contact = self.contacts[self.rng.usize(..self.contacts.len())];
            self.deeds.removals += u64::from(kit.simulator.remove_if_there("Contact", contact));
        }
        if round.is_multiple_of(100) {
            self.remove_account(kit, round);
        }
        while self.removed.front().is_some_and(|(due, ..)| *due <= round) {
            self.restore(kit);
        }
    }

    fn edit_account(&mut self, kit: &Kit) {
        let account = self.accounts[self.rng.usize(..self.accounts.len())];
        let edit = self.deeds.edits;
        let (attribute, value) = match self.rng.u32(..3) {
            0 => ("Name", format!("Name {edit}")),
            1 => ("EMailAddress1", format!("{edit}@people.example")),
            _ => ("WebSiteURL", format!("https://person{edit}.example")),
        };
        self.deeds.edits +=
            u64::from(kit.simulator.edit_if_there("Account", account, [(attribute, Value::text(value))]));
    }

    fn edit_contact(&mut self, kit: &Kit) {
        let contact = self.contacts[self.rng.usize(..self.contacts.len())];
        let edit = self.deeds.edits;
        let (attribute, value) = match self.rng.u32(..2) {
            0 => ("JobTitle", format!("Title {edit}")),
            _ => ("EMailAddress1", format!("{edit}@people.example")),
        };
        self.deeds.edits +=
            u64::from(kit.simulator.edit_if_there("Contact", contact, [(attribute, Value::text(value))]));
    }

    fn remove_account(&mut self, kit: &Kit, round: u64) {
        let account = self.accounts[self.rng.usize(..self.accounts.len())];
        let Some(mut values) = kit.simulator.record("Account", account) else { return };
        if kit.simulator.remove_if_there("Account", account) {
            self.deeds.removals += 1;
            values.retain(|_, value| !value.is_null());
            self.removed.push_back((round + RESTORED_AFTER, account, values));
        }
    }

    /// Makes an account again, under its id and with its values but for those by which writes are told: a value that was
    /// there before would let a write that was carried out look as if it had not been.
    fn restore(&mut self, kit: &Kit) {
        let Some((_, account, mut values)) = self.removed.pop_front() else { return };
        self.deeds.restorations += 1;
        let number = self.deeds.restorations;
        values.insert("AccountId", Value::Guid(account));
        values.insert("WebSiteURL", Value::text(format!("https://restored{number}.example")));
        values.insert("EMailAddress1", Value::text(format!("{number}@restored.example")));
        kit.simulator.add("Account", values);
    }
}
