//! Reads and updates while the database grows: records are pulled once, and their rows multiplied by SQL.

use crate::cdms::Cdms;
use crate::multiply;
use crate::operations::{Read, Update};
use crate::places::Kind;
use crate::report::progress;
use crate::scene::{Scene, ids};
use crate::size::Size;
use crate::turns::{Title, Turns};

/// How many records CDMS has; the other rows are copies.
const RECORDS: u64 = 400;

/// Measures on each database that does not wait for a disk.
pub(crate) async fn measure(size: &Size) {
    for kind in Kind::fast() {
        let cdms = Cdms::start(RECORDS);
        let ids = ids(0..RECORDS);
        let scene = Scene::set(&cdms, kind, &ids, |options| options).await;
        let (of_hub, of_floor) = ids.split_at(ids.len() / 2);
        let mut read = Read::new(&scene, of_hub, of_floor);
        let mut update = Update::new(&scene, of_hub, of_floor).await;
        let mut there = RECORDS;
        for rows in size.rows {
            progress(&format!("{rows} rows on {}", kind.name()));
            multiply::rows(&scene.place, &ids, *rows - there).await;
            there = *rows;
            let title = |what: &str| Title {
                suite: "growth",
                what: what.to_owned(),
                database: kind.name().to_owned(),
                count: Some(*rows),
                latency_ms: Some(0),
            };
            Turns::take(&scene.hub, &mut read, size.stages, 10).await.print(title("read in sync"));
            Turns::take(&scene.hub, &mut update, size.stages, 10).await.print(title("update"));
        }
        drop((read, update));
        scene.end().await;
    }
}
