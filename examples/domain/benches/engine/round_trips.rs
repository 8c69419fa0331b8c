//! How often an operation waits for PostgreSQL, counted between the programs and the server.
//!
//! Data from the program after data from the server begins a round trip. So statements that are sent together are one,
//! whatever a driver calls them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::cdms::Cdms;
use crate::operations::{Create, Delete, Read, Update};
use crate::places::{Kind, Place};
use crate::report::{Measurement, progress};
use crate::scene::{Scene, ids};
use crate::turns::{Quartiles, Sides};

/// How often each operation is counted.
const OPERATIONS: usize = 10;

/// Counts them on a server, if there is one.
pub(crate) async fn measure() {
    let kind = Kind::PostgresWithoutFsync;
    if !Kind::all().contains(&kind) {
        return;
    }
    progress("round trips to PostgreSQL");
    let counter = Counter::default();
    let cdms = Cdms::start(40);
    let ids = ids(0..40);
    let place = Place::make(kind).await.through(|server| counter.stand_before(server)).await;
    let scene = Scene::at(&cdms, place, &ids, |options| options).await;
    let (of_hub, of_floor) = ids.split_at(ids.len() / 2);
    let mut update = Update::new(&scene, of_hub, of_floor).await;
    let sample = scene.bare.get(ids[0]).await;
    let mut create = Create::new(&scene, sample).await;
    counter.count("read in sync", &mut Read::new(&scene, of_hub, of_floor)).await;
    counter.count("update", &mut update).await;
    counter.count("create", &mut create).await;
    counter.count("delete", &mut Delete::of(&mut create)).await;
    drop((update, create));
    scene.end().await;
}

/// Round trips so far, of all connections.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Listens on a port whose connections lead to a server; returns the address.
    async fn stand_before(&self, server: String) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let counter = self.clone();
        tokio::spawn(async move {
            while let Ok((program, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                program.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let ((from_program, to_program), (from_server, to_server)) =
                    (program.into_split(), server.into_split());
                let is_answered = Arc::new(AtomicBool::new(true));
                let (counter, of_program) = (counter.clone(), Arc::clone(&is_answered));
                tokio::spawn(forward(from_program, to_server, move || {
                    if of_program.swap(false, Ordering::Relaxed) {
                        counter.0.fetch_add(1, Ordering::Relaxed);
                    }
                }));
                tokio::spawn(forward(from_server, to_program, move || is_answered.store(true, Ordering::Relaxed)));
            }
        });
        address
    }

    /// Counts those of an operation on both sides, and prints them.
    async fn count(&self, what: &str, sides: &mut impl Sides) {
        // Statements are prepared when they are needed first; each connection of the hub prepares its own.
        for _ in 0..OPERATIONS * 3 {
            sides.hub().await;
            sides.floor().await;
        }
        let (mut hub, mut floor) = (Vec::new(), Vec::new());
        for _ in 0..OPERATIONS {
            let before = self.0.load(Ordering::Relaxed);
            sides.hub().await;
            let between = self.0.load(Ordering::Relaxed);
            sides.floor().await;
            hub.push((between - before) as f64);
            floor.push((self.0.load(Ordering::Relaxed) - between) as f64);
        }
        let ratio = hub.iter().zip(&floor).map(|(hub, floor)| hub / floor).collect();
        let measurement = Measurement {
            suite: "round-trips",
            what: what.to_owned(),
            database: Kind::PostgresWithoutFsync.name().to_owned(),
            measure: "round trips",
            samples: OPERATIONS,
            hub: Quartiles::of(hub),
            floor: Some(Quartiles::of(floor)),
            ratio: Some(Quartiles::of(ratio)),
            ..Measurement::default()
        };
        measurement.print();
    }
}

/// Passes everything on, until either side closes.
async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, each: impl Fn() + Send) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length) = from.read(&mut buffer).await {
        each();
        if length == 0 || to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
}
