//! One record with a long history: pages of it, reads and updates of the record, and a revert to its first version.

use datahub_runtime::prelude::*;
use datahub_runtime::{Cost, HistoryEntry, Version};
use example_domain::Organisation;
use uuid::Uuid;

use crate::bare::Bare;
use crate::cdms::Cdms;
use crate::multiply;
use crate::operations::{Read, Update};
use crate::places::Kind;
use crate::report::{CostOfOne, Measurement, progress};
use crate::scene::{Scene, ids};
use crate::size::Size;
use crate::turns::{Quartiles, Sides, Title, Turns, ms};

const SUITE: &str = "history";

/// Entries of a page.
const PAGE: u32 = 100;

/// Measures on each database that does not wait for a disk.
pub(crate) async fn measure(size: &Size) {
    for kind in Kind::fast() {
        progress(&format!("a history of {} entries on {}", size.entries, kind.name()));
        let cdms = Cdms::start(2);
        // Each side writes its own record.
        let ids = ids(0..2);
        let scene = Scene::set(&cdms, kind, &ids, |options| options).await;
        let (of_hub, of_floor) = ids.split_at(1);
        let mut update = Update::new(&scene, of_hub, of_floor).await;
        update.hub().await;
        update.floor().await;
        multiply::entries(&scene.place, of_hub[0], of_floor[0], size.entries).await;
        let first = first_version(&scene, of_hub[0]).await;
        let title = |what: &str| Title {
            suite: SUITE,
            what: what.to_owned(),
            database: kind.name().to_owned(),
            count: Some(size.entries),
            latency_ms: Some(0),
        };
        let mut read = Read::new(&scene, of_hub, of_floor);
        Turns::take(&scene.hub, &mut read, size.stages, 10).await.print(title("read in sync"));
        Turns::take(&scene.hub, &mut update, size.stages, 10).await.print(title("update"));
        for (what, back) in [("newest page", 0), ("page in the middle", size.entries / 2)] {
            let mut page = Page::new(&scene, of_hub[0], of_floor[0], back).await;
            Turns::take(&scene.hub, &mut page, size.stages, 10).await.print(title(what));
        }
        progress(&format!("reverts on {}", kind.name()));
        reverts(&scene, &mut update, of_hub[0], first, size.stages, title("revert to the first version")).await;
        drop((read, update));
        scene.end().await;
    }
}

/// The version of the record's first entry.
async fn first_version(scene: &Scene, id: Uuid) -> Version {
    let mut entry = Organisation::history(&scene.hub, id.into()).limit(1).await.unwrap().remove(0);
    // The first entries of the database are those of its two records, which were read one after the other.
    entry.number = 3;
    Organisation::history(&scene.hub, id.into()).before(&entry).limit(1).await.unwrap()[0].version
}

/// A page of the history, some entries before the newest.
struct Page<'s> {
    hub: &'s Hub,
    bare: &'s Bare,
    of_hub: Uuid,
    of_floor: Uuid,
    before: HistoryEntry,
    before_floor: i64,
}

impl<'s> Page<'s> {
    async fn new(scene: &'s Scene, of_hub: Uuid, of_floor: Uuid, back: u64) -> Self {
        let back = i64::try_from(back).unwrap();
        let mut before = Organisation::history(&scene.hub, of_hub.into()).limit(1).await.unwrap().remove(0);
        before.number = if back == 0 { i64::MAX } else { before.number - back };
        let newest = scene.bare.store.history(of_floor, i64::MAX).await;
        let before_floor = if back == 0 { i64::MAX } else { newest - back };
        Page { hub: &scene.hub, bare: &scene.bare, of_hub, of_floor, before, before_floor }
    }
}

impl Sides for Page<'_> {
    async fn hub(&mut self) {
        let page = Organisation::history(self.hub, self.of_hub.into()).before(&self.before).limit(PAGE).await.unwrap();
        assert!(!page.is_empty());
    }

    async fn floor(&mut self) {
        self.bare.store.history(self.of_floor, self.before_floor).await;
    }
}

/// Reverts after an update, so that there is something to put back; of the hub alone.
async fn reverts(scene: &Scene, update: &mut Update<'_>, id: Uuid, first: Version, rounds: usize, title: Title) {
    let (mut times, mut costs) = (Vec::new(), Cost::default());
    for _ in 0..rounds {
        let (reverted, cost) = Cost::of(Organisation::revert(&scene.hub, id.into(), first)).await;
        let reverted = reverted.unwrap();
        assert!(!reverted.description.contains("change"), "not reverted: {}", reverted.description);
        times.push(ms(cost.time));
        costs += cost;
        update.reload().await;
        update.hub().await;
    }
    let Title { suite, what, database, count, latency_ms } = title;
    let time = Measurement {
        suite,
        what,
        database,
        count,
        latency_ms,
        measure: "time",
        unit: "ms",
        samples: rounds,
        hub: Quartiles::of(times),
        cost: Some(CostOfOne::of(costs, rounds)),
        ..Measurement::default()
    };
    time.print();
    let statements = costs.statements as f64 / rounds as f64;
    Measurement { measure: "statements", unit: "", hub: Quartiles::once(statements), cost: None, ..time }.print();
}
