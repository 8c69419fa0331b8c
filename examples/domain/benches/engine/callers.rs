//! Many callers at once: 64 that read records of their own, and 1,000 that want the same one.

use std::sync::Arc;
use std::time::Instant;

use datahub_runtime::Finding;
use datahub_runtime::prelude::*;
use example_domain::Organisation;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::bare::Bare;
use crate::cdms::Cdms;
use crate::places::Kind;
use crate::processor;
use crate::report::{CostOfOne, Measurement, progress};
use crate::scene::{Scene, ids, read};
use crate::size::Size;
use crate::turns::{Quartiles, ms};

/// How many callers read records of their own.
const CALLERS: usize = 64;

/// How many callers want the same record.
const CROWD: usize = 1_000;

/// How many records both sides have.
const RECORDS: u64 = 640;

const SUITE: &str = "callers";

/// Measures on each database that does not wait for a disk; nothing is written here.
pub(crate) async fn measure(size: &Size) {
    let ids = Arc::new(ids(0..RECORDS));
    for kind in Kind::fast() {
        let cdms = Cdms::start(RECORDS);
        for (latency, reads, concurrent) in
            [(0, size.reads_each[0], None), (50, size.reads_each[1], None), (50, size.reads_each[1], Some(CALLERS))]
        {
            cdms.answer_after(0).await;
            let scene = Scene::set(&cdms, kind, &ids, |options| match concurrent {
                Some(requests) => options.concurrent_requests(requests),
                None => options,
            });
            let scene = scene.await;
            cdms.answer_after(latency).await;
            let more = concurrent.map_or_else(String::new, |requests| format!(", `concurrent_requests({requests})`"));
            progress(&format!("{CALLERS} callers on {}, CDMS at {latency} ms{more}", kind.name()));
            let what = format!("reads of {CALLERS} callers{more}");
            many(scene, &ids, latency, reads, size.crowds, what).await;
        }
        cdms.answer_after(0).await;
        let scene = Scene::set(&cdms, kind, &ids[..1], |options| options).await;
        cdms.answer_after(50).await;
        progress(&format!("{CROWD} callers of one record on {}", kind.name()));
        crowd(scene, ids[0], size.crowds).await;
    }
}

/// The throughput of both sides, in turns.
async fn many(scene: Scene, ids: &Arc<Vec<Uuid>>, latency: u64, reads: usize, rounds: usize, what: String) {
    let Scene { hub, bare, place } = scene;
    let bare = Arc::new(bare);
    let (mut throughput, mut processor) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    let before = hub.cost();
    for round in 0..=rounds {
        for side in [round % 2, (round + 1) % 2] {
            let (begun, used) = (Instant::now(), processor::used());
            let mut callers = JoinSet::new();
            for caller in 0..CALLERS {
                let ids = Arc::clone(ids);
                let of_caller = move |read: usize| ids[(caller + read * CALLERS) % ids.len()];
                if side == 0 {
                    callers.spawn(hub_reads(hub.clone(), reads, of_caller));
                } else {
                    callers.spawn(floor_reads(Arc::clone(&bare), caller, reads, of_caller));
                }
            }
            callers.join_all().await;
            // The first round opens the connections.
            if round > 0 {
                let all = (CALLERS * reads) as f64;
                throughput[side].push(all / begun.elapsed().as_secs_f64());
                processor[side].push(ms(processor::used() - used) / all * 1_000.0);
            }
        }
    }
    let cost = CostOfOne::of(hub.cost() - before, CALLERS * reads * (rounds + 1));
    let of_rounds = |sides: &[Vec<f64>; 2]| sides[0].iter().zip(&sides[1]).map(|(hub, floor)| hub / floor).collect();
    let measured = |sides: &[Vec<f64>; 2], measure, unit| Measurement {
        suite: SUITE,
        count: None,
        what: what.clone(),
        database: place.kind.name().to_owned(),
        latency_ms: Some(latency),
        measure,
        unit,
        samples: rounds,
        hub: Quartiles::of(sides[0].clone()),
        floor: Some(Quartiles::of(sides[1].clone())),
        ratio: Some(Quartiles::of(of_rounds(sides))),
        cost: None,
    };
    Measurement { cost: Some(cost), ..measured(&throughput, "throughput", "1/s") }.print();
    measured(&processor, "CPU of 1,000", "ms").print();
    drop(bare);
    hub.shutdown(std::time::Duration::from_secs(60)).await;
    place.remove().await;
}

async fn hub_reads(hub: Hub, reads: usize, id: impl Fn(usize) -> Uuid) {
    for number in 0..reads {
        read(&hub, id(number), Finding::InSync).await;
    }
}

async fn floor_reads(bare: Arc<Bare>, caller: usize, reads: usize, id: impl Fn(usize) -> Uuid) {
    for number in 0..reads {
        bare.read(id(number), caller).await;
    }
}

/// How long a crowd waits for one record, beside one caller; of the hub alone.
async fn crowd(scene: Scene, id: Uuid, rounds: usize) {
    let (mut all, mut one) = (Vec::new(), Vec::new());
    let mut requests = Vec::new();
    for _ in 0..rounds {
        let begun = Instant::now();
        read(&scene.hub, id, Finding::InSync).await;
        one.push(ms(begun.elapsed()));
        let (begun, before) = (Instant::now(), scene.hub.cost());
        let mut callers = JoinSet::new();
        for _ in 0..CROWD {
            let hub = scene.hub.clone();
            callers.spawn(async move { Organisation::get(&hub, id.into()).await.unwrap() });
        }
        let found = callers.join_all().await;
        all.push(ms(begun.elapsed()));
        assert!(found.iter().all(|found| matches!(found.checked(), Checked::At { .. })), "a caller was not answered");
        requests.push((scene.hub.cost() - before).requests as f64);
    }
    let ratio = all.iter().zip(&one).map(|(all, one)| all / one).collect();
    let time = Measurement {
        suite: SUITE,
        count: None,
        what: format!("{CROWD} callers of one record, beside one caller"),
        database: scene.place.kind.name().to_owned(),
        latency_ms: Some(50),
        measure: "time",
        unit: "ms",
        samples: rounds,
        hub: Quartiles::of(all),
        floor: Some(Quartiles::of(one)),
        ratio: Some(Quartiles::of(ratio)),
        cost: None,
    };
    time.print();
    Measurement { measure: "requests", unit: "", hub: Quartiles::of(requests), floor: None, ratio: None, ..time }
        .print();
    scene.end().await;
}
