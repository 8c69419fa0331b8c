//! Single operations of one caller: a read in sync, an update, a create and a delete.

use datahub_runtime::Finding;
use datahub_runtime::prelude::*;
use example_domain::Organisation;
use uuid::Uuid;

use crate::bare::Bare;
use crate::bare::record::Record;
use crate::cdms::Cdms;
use crate::places::Kind;
use crate::report::progress;
use crate::scene::{Scene, ids, read};
use crate::size::Size;
use crate::turns::{Sides, Title, Turns};

/// How many records both sides have.
const RECORDS: u64 = 200;

const SUITE: &str = "operations";

/// Measures them on each database and at each latency.
pub(crate) async fn measure(size: &Size) {
    for kind in Kind::all() {
        let cdms = Cdms::start(RECORDS);
        let ids = ids(0..RECORDS);
        let scene = Scene::set(&cdms, kind, &ids, |options| options).await;
        // Each side has its own records, so that neither finds a change of the other's.
        let (of_hub, of_floor) = ids.split_at(ids.len() / 2);
        let mut read = Read::new(&scene, of_hub, of_floor);
        let mut update = Update::new(&scene, of_hub, of_floor).await;
        let sample = scene.bare.get(ids[0]).await;
        let mut create = Create::new(&scene, sample).await;
        same_requests(&cdms, &mut read).await;
        same_requests(&cdms, &mut update).await;
        same_requests(&cdms, &mut create).await;
        same_requests(&cdms, &mut Delete::of(&mut create)).await;
        for (latency, rounds, each) in size.latencies {
            progress(&format!("operations on {}, CDMS at {latency} ms", kind.name()));
            cdms.answer_after(*latency).await;
            let title = |what: &str| Title {
                suite: SUITE,
                what: what.to_owned(),
                database: kind.name().to_owned(),
                latency_ms: Some(*latency),
                ..Title::default()
            };
            Turns::take(&scene.hub, &mut read, *rounds, *each).await.print(title("read in sync"));
            Turns::take(&scene.hub, &mut update, *rounds, *each).await.print(title("update"));
            Turns::take(&scene.hub, &mut create, *rounds, *each).await.print(title("create"));
            Turns::take(&scene.hub, &mut Delete::of(&mut create), *rounds, *each).await.print(title("delete"));
        }
        drop((read, update, create));
        if kind.is_sqlite() {
            cdms.answer_after(0).await;
            in_place(scene, &ids, size).await;
        } else {
            scene.end().await;
        }
    }
}

/// The same beside a floor whose SQLite works where it is asked: there is nothing that is less, and no program may do it
/// where it waits for a disk.
async fn in_place(mut scene: Scene, ids: &[Uuid], size: &Size) {
    scene.bare.store.in_place();
    let (_, rounds, each) = size.latencies[0];
    let (of_hub, of_floor) = ids.split_at(ids.len() / 2);
    let title = |what: &str| Title {
        suite: SUITE,
        what: format!("{what}, beside SQLite in place"),
        database: scene.place.kind.name().to_owned(),
        latency_ms: Some(0),
        ..Title::default()
    };
    Turns::take(&scene.hub, &mut Read::new(&scene, of_hub, of_floor), rounds, each).await.print(title("read in sync"));
    let mut update = Update::new(&scene, of_hub, of_floor).await;
    Turns::take(&scene.hub, &mut update, rounds, each).await.print(title("update"));
    drop(update);
    scene.end().await;
}

/// Checks that both sides send the same requests, apart from the ids of records.
async fn same_requests(cdms: &Cdms, sides: &mut impl Sides) {
    let begun = cdms.newest().await;
    sides.hub().await;
    let of_hub = cdms.requests_since(begun).await;
    let between = cdms.newest().await;
    sides.floor().await;
    assert_eq!(cdms.requests_since(between).await, of_hub, "the sides send different requests");
}

/// A read of a record that has not changed.
pub(crate) struct Read<'s> {
    hub: &'s Hub,
    bare: &'s Bare,
    /// The records of each side: what one side has written, the other finds changed.
    ids: [&'s [Uuid]; 2],
    next: [usize; 2],
}

impl<'s> Read<'s> {
    pub(crate) fn new(scene: &'s Scene, of_hub: &'s [Uuid], of_floor: &'s [Uuid]) -> Self {
        Read { hub: &scene.hub, bare: &scene.bare, ids: [of_hub, of_floor], next: [0; 2] }
    }

    fn id(&mut self, side: usize) -> Uuid {
        self.next[side] += 1;
        self.ids[side][self.next[side] % self.ids[side].len()]
    }
}

impl Sides for Read<'_> {
    async fn hub(&mut self) {
        let id = self.id(0);
        read(self.hub, id, Finding::InSync).await;
    }

    async fn floor(&mut self) {
        let id = self.id(1);
        self.bare.read(id, 0).await;
    }
}

/// A change of one field, of a record that was loaded before.
pub(crate) struct Update<'s> {
    hub: &'s Hub,
    bare: &'s Bare,
    loaded: Vec<Synced<Organisation>>,
    of_floor: &'s [Uuid],
    next: [usize; 2],
}

impl<'s> Update<'s> {
    pub(crate) async fn new(scene: &'s Scene, of_hub: &[Uuid], of_floor: &'s [Uuid]) -> Self {
        let mut loaded = Vec::new();
        for id in of_hub {
            loaded.push(read(&scene.hub, *id, Finding::InSync).await);
        }
        Update { hub: &scene.hub, bare: &scene.bare, loaded, of_floor, next: [0; 2] }
    }

    /// Loads the hub's records again, after something else has changed them.
    pub(crate) async fn reload(&mut self) {
        for organisation in &mut self.loaded {
            *organisation = read(self.hub, organisation.id().guid(), Finding::InSync).await;
        }
    }

    fn description(&mut self, side: usize) -> (usize, String) {
        self.next[side] += 1;
        (self.next[side], format!("A company that does business with government, change {:08}", self.next[side]))
    }
}

impl Sides for Update<'_> {
    async fn hub(&mut self) {
        let (number, description) = self.description(0);
        let count = self.loaded.len();
        let organisation = &mut self.loaded[number % count];
        organisation.description = description;
        organisation.save(self.hub).await.unwrap();
    }

    async fn floor(&mut self) {
        let (number, description) = self.description(1);
        self.bare.update(self.of_floor[number % self.of_floor.len()], &description).await;
    }
}

/// A create of a record that is like another.
pub(crate) struct Create<'s> {
    hub: &'s Hub,
    bare: &'s Bare,
    model: Organisation,
    record: Record,
    /// What was created and not yet deleted.
    of_hub: Vec<Synced<Organisation>>,
    of_floor: Vec<Uuid>,
}

impl<'s> Create<'s> {
    pub(crate) async fn new(scene: &'s Scene, record: Record) -> Self {
        let model = read(&scene.hub, record.id.unwrap(), Finding::InSync).await.into_inner();
        Create { hub: &scene.hub, bare: &scene.bare, model, record, of_hub: Vec::new(), of_floor: Vec::new() }
    }
}

impl Sides for Create<'_> {
    async fn hub(&mut self) {
        let organisation = Organisation { id: Id::new(), ..self.model.clone() };
        self.of_hub.push(Organisation::create(self.hub, organisation).await.unwrap());
    }

    async fn floor(&mut self) {
        let id = Uuid::new_v4();
        self.bare.create(&self.record.copy(id)).await;
        self.of_floor.push(id);
    }
}

/// A delete of a record that was created before.
pub(crate) struct Delete<'c, 's>(&'c mut Create<'s>);

impl<'c, 's> Delete<'c, 's> {
    pub(crate) fn of(created: &'c mut Create<'s>) -> Self {
        Delete(created)
    }
}

impl Sides for Delete<'_, '_> {
    async fn hub(&mut self) {
        let organisation = self.0.of_hub.pop().unwrap();
        organisation.delete(self.0.hub).await.unwrap();
    }

    async fn floor(&mut self) {
        let id = self.0.of_floor.pop().unwrap();
        self.0.bare.delete(id).await;
    }
}
