//! The search: visits every state once, identified by 128-bit fingerprints.
//!
//! Two different states with one fingerprint would hide the states after one of them. Among a hundred million states
//! the odds of that are below one in 10^22.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::promises;
use crate::spaces::Space;
use crate::steps::Step;
use crate::world::World;

/// What a search found.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) states: usize,
    pub(crate) depth: usize,
    /// How often each combination of outcome and verdict was found at an end.
    pub(crate) ends: BTreeMap<String, u64>,
    /// Why verdicts were not the truth.
    pub(crate) excuses: BTreeMap<&'static str, u64>,
    /// Changes that the history could not record.
    pub(crate) unrecorded: BTreeMap<&'static str, u64>,
    /// The steps that lead to the first of each.
    pub(crate) examples: BTreeMap<&'static str, String>,
    /// Whether every reachable state was visited.
    pub(crate) whole: bool,
    /// The first broken promise, with the steps that lead to it.
    pub(crate) broken: Option<String>,
}

/// How a state was reached: the last step, and how the state before it was reached.
struct Path {
    step: Step,
    length: usize,
    before: Option<Rc<Path>>,
}

/// A fingerprint is already a hash.
#[derive(Default)]
struct Own(u64);

impl Hasher for Own {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u128(&mut self, print: u128) {
        self.0 = u64::try_from(print >> 64).unwrap_or(0);
    }
}

type Prints = HashSet<u128, BuildHasherDefault<Own>>;

/// Searches the spaces, one per processor at a time, and reports each when it is done.
pub(crate) fn all(spaces: &[Space], done: impl Fn(&Space, &Found) + Sync) -> Vec<Found> {
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<Option<Found>>> = Mutex::new(spaces.iter().map(|_| None).collect());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        while let Some((at, space)) = take_next(&next, spaces) {
            let one = if space.walks.is_some() { walk(space) } else { search(space) };
            done(space, &one);
            if let Ok(mut found) = found.lock() {
                found[at] = Some(one);
            }
        }
    };
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let found = found.into_inner().unwrap_or_default();
    found.into_iter().map(|found| found.unwrap_or_else(|| unreachable!("a search ends or panics"))).collect()
}

fn take_next<'s>(next: &AtomicUsize, spaces: &'s [Space]) -> Option<(usize, &'s Space)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    spaces.get(at).map(|space| (at, space))
}

/// Visits every reachable state.
fn search(space: &Space) -> Found {
    let mut found = Found { whole: true, ..Found::default() };
    let mut text = String::new();
    let mut seen = Prints::default();
    let mut begin = space.begin();
    seen.insert(begin.print(&mut text));
    let mut open: Vec<(World, Option<Rc<Path>>)> = vec![(begin, None)];
    while let Some((world, path)) = open.pop() {
        let length = path.as_ref().map_or(0, |path| path.length);
        found.depth = found.depth.max(length);
        let steps = world.steps();
        if steps.is_empty() && !found.end(&world, space, path.as_ref()) {
            return found.at(space, path.as_ref(), seen.len());
        }
        for step in steps {
            let mut next = world.clone();
            next.take(step);
            let taken = || Some(Rc::new(Path { step, length: length + 1, before: path.clone() }));
            if next.broken.is_some() {
                found.broken = next.broken.take();
                return found.at(space, taken().as_ref(), seen.len());
            }
            if seen.insert(next.print(&mut text)) {
                open.push((next, taken()));
            }
        }
    }
    found.states = seen.len();
    found
}

/// Takes random paths from the beginning to an end, so that every kind of event occurs even if the search stops before
/// it.
fn walk(space: &Space) -> Found {
    let mut found = Found::default();
    let mut text = String::new();
    let mut seen = Prints::default();
    let mut lots = fastrand::Rng::with_seed(1);
    for _ in 0..space.walks.unwrap_or(0) {
        let mut world = space.begin();
        let mut path: Option<Rc<Path>> = None;
        loop {
            seen.insert(world.print(&mut text));
            let steps = world.steps();
            let goes: Vec<_> = steps.iter().copied().filter(|step| matches!(step, Step::Go(_))).collect();
            let lot = if lots.u8(..) < 160 { lots.choice(&goes) } else { None };
            let Some(step) = lot.or_else(|| lots.choice(&steps)).copied() else { break };
            world.take(step);
            let length = path.as_ref().map_or(0, |path| path.length) + 1;
            path = Some(Rc::new(Path { step, length, before: path }));
            if world.broken.is_some() {
                found.broken = world.broken.take();
                return found.at(space, path.as_ref(), seen.len());
            }
        }
        found.depth = found.depth.max(path.as_ref().map_or(0, |path| path.length));
        if !found.end(&world, space, path.as_ref()) {
            return found.at(space, path.as_ref(), seen.len());
        }
    }
    found.states = seen.len();
    found
}

impl Found {
    /// Checks an end and counts the outcomes of its writes; returns whether all promises hold.
    fn end(&mut self, world: &World, space: &Space, path: Option<&Rc<Path>>) -> bool {
        match promises::end(world) {
            Ok(fates) => {
                for fate in fates {
                    *self.ends.entry(fate.words).or_default() += 1;
                    fate.excuse.into_iter().for_each(|excuse| *self.excuses.entry(excuse).or_default() += 1);
                    if let Some(unrecorded) = fate.unrecorded {
                        *self.unrecorded.entry(unrecorded).or_default() += 1;
                        self.examples.entry(unrecorded).or_insert_with(|| steps_to(space, path));
                    }
                }
            }
            Err(broken) => self.broken = Some(broken),
        }
        self.broken.is_none()
    }

    /// A search that stopped at a broken promise, with the steps that lead there.
    fn at(mut self, space: &Space, path: Option<&Rc<Path>>, states: usize) -> Found {
        let broken = self.broken.unwrap_or_default();
        let (trouble, pair, way) = (space.trouble, space.pair, steps_to(space, path));
        self.broken = Some(format!("after {states} states of {trouble}, {pair}: {broken}\nby:\n  {way}"));
        (self.states, self.whole) = (states, false);
        self
    }
}

/// The steps to a state, in words.
fn steps_to(space: &Space, path: Option<&Rc<Path>>) -> String {
    let mut steps = Vec::new();
    let mut at = path;
    while let Some(path) = at {
        steps.push(path.step);
        at = path.before.as_ref();
    }
    let mut world = space.begin();
    let mut words = Vec::new();
    for step in steps.into_iter().rev() {
        words.push(world.describe(step));
        world.take(step);
    }
    words.join("\n  ")
}
