//! A hub and its floor on one database, and a CDMS whose first records both have.

use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::{Anonymous, Finding, HubBuilder};
use example_domain::Organisation;
use uuid::Uuid;

use crate::bare::Bare;
use crate::bare::store::Store;
use crate::cdms::{self, Cdms};
use crate::places::{Kind, Place};

/// Both sides, ready to be measured.
pub(crate) struct Scene {
    pub(crate) hub: Hub,
    pub(crate) bare: Bare,
    pub(crate) place: Place,
}

/// A hub at a place, with the options that a program has that sets none.
pub(crate) fn hub(cdms: &Cdms, place: &Place) -> HubBuilder {
    Hub::builder().database(place.hub()).cdms(&*cdms.root, Anonymous).models(example_domain::models()).create_tables()
}

impl Scene {
    /// A new database on which both sides have stored these records. The hub may have other options than the usual.
    pub(crate) async fn set(
        cdms: &Cdms,
        kind: Kind,
        ids: &[Uuid],
        options: impl FnOnce(HubBuilder) -> HubBuilder,
    ) -> Self {
        Self::at(cdms, Place::make(kind).await, ids, options).await
    }

    /// The same on this new database.
    pub(crate) async fn at(
        cdms: &Cdms,
        place: Place,
        ids: &[Uuid],
        options: impl FnOnce(HubBuilder) -> HubBuilder,
    ) -> Self {
        let hub = options(hub(cdms, &place)).connect().await.unwrap().acting_as("ada@example.gov.uk");
        for id in ids {
            read(&hub, *id, Finding::First).await;
        }
        let target = cdms.requests().await.pop().unwrap().target;
        let bare = Bare::new(cdms.origin(), &target, Store::create(&place).await);
        for id in ids {
            bare.first(*id).await;
        }
        Scene { hub, bare, place }
    }

    /// Ends the hub and removes the database.
    pub(crate) async fn end(self) {
        let Scene { hub, bare, place } = self;
        hub.shutdown(Duration::from_secs(60)).await;
        drop(bare);
        place.remove().await;
    }
}

/// The ids of a range of records.
pub(crate) fn ids(numbers: std::ops::Range<u64>) -> Vec<Uuid> {
    numbers.map(cdms::id).collect()
}

/// Reads a record; what is found about it is part of the promise.
pub(crate) async fn read(hub: &Hub, id: Uuid, expected: Finding) -> Synced<Organisation> {
    let organisation = Organisation::get(hub, id.into()).await.unwrap();
    let checked = organisation.checked();
    assert!(
        matches!(checked, Checked::At { found, .. } if found == expected),
        "expected {expected:?}, found {checked:?}"
    );
    organisation
}
