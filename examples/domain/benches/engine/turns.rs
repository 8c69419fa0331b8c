//! The times of two sides that take turns, so that other load on the machine affects both.

use std::time::{Duration, Instant};

use datahub_runtime::{Cost, Hub};
use serde::Serialize;

use crate::processor;
use crate::report::{CostOfOne, Measurement};

/// The first quartile, the median and the third.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Quartiles(pub(crate) [f64; 3]);

impl Quartiles {
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        assert!(!values.is_empty(), "nothing was measured");
        values.sort_by(f64::total_cmp);
        Quartiles([1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4]))
    }

    /// Of something that was measured once.
    pub(crate) fn once(value: f64) -> Self {
        Quartiles([value; 3])
    }

    pub(crate) fn median(self) -> f64 {
        self.0[1]
    }
}

/// The same operation, as the hub does it and as its floor does.
pub(crate) trait Sides {
    /// The hub does it once.
    fn hub(&mut self) -> impl Future<Output = ()> + Send;

    /// The floor does it once.
    fn floor(&mut self) -> impl Future<Output = ()> + Send;
}

/// The times of one side.
#[derive(Debug, Default)]
struct Side {
    /// Each operation, in milliseconds.
    each: Vec<f64>,
    /// The median of each round, in milliseconds.
    rounds: Vec<f64>,
    /// The processor time of a thousand operations, by round, in milliseconds.
    processor: Vec<f64>,
}

/// The times of both sides.
#[derive(Debug)]
pub(crate) struct Turns {
    hub: Side,
    floor: Side,
    cost: CostOfOne,
}

/// What is compared, and where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Title {
    pub(crate) suite: &'static str,
    pub(crate) what: String,
    pub(crate) database: String,
    pub(crate) count: Option<u64>,
    pub(crate) latency_ms: Option<u64>,
}

impl Turns {
    /// Measures both sides: in each round, each does the operation a number of times, and who goes first changes from
    /// round to round. One round before these is not counted.
    pub(crate) async fn take<S: Sides + Send>(hub: &Hub, sides: &mut S, rounds: usize, each: usize) -> Self {
        let (mut ours, mut floor, mut cost, mut done) = (Side::default(), Side::default(), Cost::default(), 0);
        for round in 0..=rounds {
            let is_counted = round > 0;
            for turn in [round, round + 1] {
                let (mut times, processor_before, cost_before) =
                    (Vec::with_capacity(each), processor::used(), hub.cost());
                let is_hub = turn.is_multiple_of(2);
                for _ in 0..each {
                    let begun = Instant::now();
                    if is_hub {
                        sides.hub().await;
                    } else {
                        sides.floor().await;
                    }
                    times.push(ms(begun.elapsed()));
                }
                let processor = ms(processor::used() - processor_before);
                if !is_counted {
                    continue;
                }
                if is_hub {
                    cost += hub.cost() - cost_before;
                    done += each;
                }
                let side = if is_hub { &mut ours } else { &mut floor };
                side.rounds.push(Quartiles::of(times.clone()).median());
                side.each.append(&mut times);
                side.processor.push(processor / each as f64 * 1_000.0);
            }
        }
        Turns { hub: ours, floor, cost: CostOfOne::of(cost, done) }
    }

    /// Prints how long an operation takes, and its processor time.
    pub(crate) fn print(self, title: Title) {
        let samples = self.hub.each.len();
        let Title { suite, what, database, count, latency_ms } = title;
        let ratio = |hub: &[f64], floor: &[f64]| {
            Some(Quartiles::of(hub.iter().zip(floor).map(|(hub, floor)| hub / floor).collect()))
        };
        let time = Measurement {
            suite,
            what,
            database,
            count,
            latency_ms,
            measure: "time",
            unit: "ms",
            samples,
            ratio: ratio(&self.hub.rounds, &self.floor.rounds),
            hub: Quartiles::of(self.hub.each),
            floor: Some(Quartiles::of(self.floor.each)),
            cost: Some(self.cost),
        };
        time.print();
        let processor = Measurement {
            measure: "CPU of 1,000",
            ratio: ratio(&self.hub.processor, &self.floor.processor),
            samples: self.hub.processor.len(),
            hub: Quartiles::of(self.hub.processor),
            floor: Some(Quartiles::of(self.floor.processor)),
            cost: None,
            ..time
        };
        processor.print();
    }
}

/// In milliseconds.
pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
