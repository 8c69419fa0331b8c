//! How fast records convert from CDMS's JSON to a model and back, compared with `serde_json` and flat structs of the
//! same values. `cargo xtask bench conversion` runs it.
//!
//! There are two flat structs: one for the same bytes, whose nested forms are read and written by hand, and one for
//! JSON that is as flat as the struct. All sides take turns in every round, so that other load on the machine affects
//! all of them. A ratio is computed for each round, and the median of all rounds is printed. Before anything is
//! measured, the results of the conversions are compared once.
#![allow(missing_docs, reason = "the names of the fields describe them")]
#![allow(clippy::print_stdout, reason = "the numbers are printed for the person who runs this")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot convert its own records has nothing to measure")]

mod flat;
mod records;
mod route;

use std::hint::black_box;
use std::time::{Duration, Instant};

use datahub_runtime::CdmsSynced;
use example_domain::{Interaction, Organisation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use flat::{Answer, FlatInteraction, FlatOrganisation, WireInteraction, WireOrganisation};
use records::Record;
use route::Route;

const RECORDS: usize = 2_000;
const ROUNDS: usize = 41;

fn main() {
    // `cargo test --benches` also runs this, to check that it works; a few records are enough for that.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let (records, rounds) = if is_bench { (RECORDS, ROUNDS) } else { (20, 3) };
    println!("| model | direction | records/s | the same JSON by hand | ratio | flat JSON | ratio |");
    println!("|---|---|---:|---:|---:|---:|---:|");
    compare::<Organisation, WireOrganisation, FlatOrganisation>(records, rounds);
    compare::<Interaction, WireInteraction, FlatInteraction>(records, rounds);
}

/// The times of one side in a round.
#[derive(Clone, Copy, Default)]
struct Took {
    read: Duration,
    written: Duration,
}

/// A direction, and its part of the times of a side.
type Direction = (&'static str, fn(Took) -> Duration);

const DIRECTIONS: [Direction; 3] =
    [("read", |took| took.read), ("write", |took| took.written), ("both", |took| took.read + took.written)];

fn compare<T: CdmsSynced, W: Serialize + DeserializeOwned, F: Serialize + DeserializeOwned>(
    count: usize,
    rounds: usize,
) {
    let records = records::drawn(T::DESCRIPTOR, count);
    let route = Route::<T>::new();
    for record in &records {
        route.agrees(record);
        let read: Map<String, Json> = serde_json::from_slice(&record.flat).unwrap();
        let written = |value: &F| serde_json::from_slice::<Map<String, Json>>(&serde_json::to_vec(value).unwrap());
        let flat: F = serde_json::from_slice(&record.flat).unwrap();
        assert_eq!(written(&flat).unwrap(), read.into_iter().filter(|(_, value)| !value.is_null()).collect());
    }
    let turn = || {
        let by_hand = theirs(&records, |record| serde_json::from_slice::<Answer<W>>(&record.cdms).unwrap().d);
        let flat = theirs(&records, |record| serde_json::from_slice::<F>(&record.flat).unwrap());
        [ours(&route, &records), by_hand, flat]
    };
    let turns: Vec<_> = (0..rounds).map(|_| turn()).collect();
    for (direction, of) in DIRECTIONS {
        let side = |side: usize| turns.iter().map(move |turn| of(turn[side]).as_secs_f64());
        let per_second = |of: usize| (count as f64 / median(side(of))) as u64;
        let ratio = |other: usize| median(side(other).zip(side(0)).map(|(theirs, ours)| theirs / ours));
        println!(
            "| {} | {direction} | {} | {} | {:.2} | {} | {:.2} |",
            T::DESCRIPTOR.name,
            per_second(0),
            per_second(1),
            ratio(1),
            per_second(2),
            ratio(2)
        );
    }
}

fn ours<T: CdmsSynced>(route: &Route<T>, records: &[Record]) -> Took {
    let begun = Instant::now();
    let models: Vec<T> = records.iter().map(|record| route.read(black_box(&record.cdms)).1).collect();
    let read = begun.elapsed();
    let begun = Instant::now();
    for model in &models {
        black_box(route.write(black_box(model)));
    }
    Took { read, written: begun.elapsed() }
}

fn theirs<F: Serialize>(records: &[Record], read: impl Fn(&Record) -> F) -> Took {
    let begun = Instant::now();
    let models: Vec<F> = records.iter().map(|record| read(black_box(record))).collect();
    let read = begun.elapsed();
    let begun = Instant::now();
    for model in &models {
        black_box(serde_json::to_vec(black_box(model)).unwrap());
    }
    Took { read, written: begun.elapsed() }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
