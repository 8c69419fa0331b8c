//! Pulls of many records: how long they take, how much memory, and how many bytes the rows then have on the disk.

use std::time::{Duration, Instant};

use example_domain::Organisation;

use crate::bare::store::Store;
use crate::bare::{Bare, Keeps};
use crate::cdms::Cdms;
use crate::memory::{self, Puller};
use crate::places::{Kind, Place};
use crate::processor;
use crate::report::{CostOfOne, Measurement, progress};
use crate::scene;
use crate::size::Size;
use crate::sizes;
use crate::turns::{Quartiles, ms};

const SUITE: &str = "pull";

/// Measures on each database that does not wait for a disk.
pub(crate) async fn measure(size: &Size) {
    let cdms = Cdms::start(size.records);
    let first = first_page(&cdms).await;
    for kind in Kind::fast() {
        let mut pulls = Pulls::default();
        for round in 0..size.pulls {
            progress(&format!(
                "pull of {} records on {}, round {} of {}",
                size.records,
                kind.name(),
                round + 1,
                size.pulls
            ));
            pulls.round(&cdms, kind, &first, size, round).await;
        }
        pulls.print(kind, size.records);
        progress(&format!("memory of pulls on {}", kind.name()));
        memory_of(&cdms, kind, &first, size).await;
    }
}

/// The address of the first page of a first load.
pub(crate) async fn first_page(cdms: &Cdms) -> String {
    let place = Place::make(Kind::fast()[0]).await;
    let hub = scene::hub(cdms, &place).connect().await.unwrap();
    hub.pull::<Organisation>().max_pages(1).await.unwrap();
    let target = cdms.requests().await.pop().unwrap().target;
    hub.shutdown(Duration::from_secs(60)).await;
    place.remove().await;
    format!("{}{target}", cdms.origin())
}

/// The times of pulls, in milliseconds.
#[derive(Default)]
struct Pulls {
    hub: Vec<f64>,
    hub_processor: Vec<f64>,
    floor: Vec<f64>,
    floor_processor: Vec<f64>,
    rows_alone: Vec<f64>,
    cost: Option<CostOfOne>,
}

impl Pulls {
    /// Each side once, on new databases; who goes first changes.
    async fn round(&mut self, cdms: &Cdms, kind: Kind, first: &str, size: &Size, round: usize) {
        let place = Place::make(kind).await;
        let hub = scene::hub(cdms, &place).connect().await.unwrap();
        let bare = Bare::new(cdms.origin(), first.trim_start_matches(cdms.origin()), Store::create(&place).await);
        let records = usize::try_from(size.records).unwrap();
        for side in [round % 2, (round + 1) % 2] {
            let (begun, used) = (Instant::now(), processor::used());
            if side == 0 {
                let report = hub.pull::<Organisation>().await.unwrap();
                assert_eq!((report.complete, report.first_seen), (true, size.records), "{report:?}");
                self.hub.push(ms(begun.elapsed()));
                self.hub_processor.push(ms(processor::used() - used) / records as f64 * 1_000.0);
                self.cost = Some(CostOfOne::of(report.cost, usize::try_from(report.pages).unwrap()));
            } else {
                assert_eq!(bare.pull(first, Keeps::Everything, usize::MAX).await, records);
                self.floor.push(ms(begun.elapsed()));
                self.floor_processor.push(ms(processor::used() - used) / records as f64 * 1_000.0);
            }
        }
        if round == 0 {
            sizes::print(&place, size.records).await;
        }
        hub.shutdown(Duration::from_secs(60)).await;
        drop(bare);
        place.remove().await;
        let place = Place::make(kind).await;
        let bare = Bare::new(cdms.origin(), first.trim_start_matches(cdms.origin()), Store::create(&place).await);
        let begun = Instant::now();
        assert_eq!(bare.pull(first, Keeps::Rows, usize::MAX).await, records);
        self.rows_alone.push(ms(begun.elapsed()));
        drop(bare);
        place.remove().await;
    }

    fn print(self, kind: Kind, records: u64) {
        let rate = |times: &[f64]| times.iter().map(|time| records as f64 / time * 1_000.0).collect::<Vec<_>>();
        let ratio = |hub: &[f64], floor: &[f64]| {
            Some(Quartiles::of(hub.iter().zip(floor).map(|(hub, floor)| hub / floor).collect()))
        };
        let (hub, floor, rows_alone) = (rate(&self.hub), rate(&self.floor), rate(&self.rows_alone));
        let everything = Measurement {
            suite: SUITE,
            what: "pull".to_owned(),
            count: Some(records),
            database: kind.name().to_owned(),
            latency_ms: Some(0),
            measure: "throughput",
            unit: "1/s",
            samples: hub.len(),
            ratio: ratio(&hub, &floor),
            hub: Quartiles::of(hub.clone()),
            floor: Some(Quartiles::of(floor)),
            cost: self.cost,
        };
        everything.print();
        let processor = Measurement {
            measure: "CPU of 1,000",
            unit: "ms",
            ratio: ratio(&self.hub_processor, &self.floor_processor),
            hub: Quartiles::of(self.hub_processor),
            floor: Some(Quartiles::of(self.floor_processor)),
            cost: None,
            ..everything.clone()
        };
        processor.print();
        let rows = Measurement {
            what: "pull, beside rows alone".to_owned(),
            ratio: ratio(&hub, &rows_alone),
            floor: Some(Quartiles::of(rows_alone)),
            cost: None,
            ..everything
        };
        rows.print();
    }
}

/// The largest memory of processes that pull a tenth of the records, and all of them.
async fn memory_of(cdms: &Cdms, kind: Kind, first: &str, size: &Size) {
    let pages = size.records.div_ceil(50);
    for pages in [pages.div_ceil(10), pages] {
        let mut peaks = [0.0; 2];
        for (side, peak) in [Puller::Hub, Puller::Floor].into_iter().zip(&mut peaks) {
            let place = Place::make(kind).await;
            *peak = memory::of_process(side, cdms, &place, first, pages).await;
            place.remove().await;
        }
        let [hub, floor] = peaks;
        let measurement = Measurement {
            suite: SUITE,
            what: "pull".to_owned(),
            count: Some((pages * 50).min(size.records)),
            database: kind.name().to_owned(),
            latency_ms: Some(0),
            measure: "peak memory",
            unit: "MB",
            samples: 1,
            hub: Quartiles::once(hub),
            floor: Some(Quartiles::once(floor)),
            ratio: Some(Quartiles::once(hub / floor)),
            cost: None,
        };
        measurement.print();
    }
}
