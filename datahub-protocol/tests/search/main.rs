//! Every order of events: an exhaustive search of a small world with the shipped machines.
//!
//! Two programs share a database and a CDMS with one record. Two writes, a reader, settlements, edits by people, lost
//! answers, refusals, writes that CDMS carries out late, crashes and pauses past the lease happen in every possible
//! order. The promises are checked at each step and at each end. If a verdict cannot be the truth, because reading
//! cannot determine it, the excuse is named and counted for that write only.
//!
//! The worlds are defined in `spaces`; the snapshot next to it has the number of states and the outcomes of the writes.
//! `DATAHUB_SEARCH=full cargo test --release -p datahub-protocol --test search -- --nocapture` searches larger spaces;
//! with another word instead of `full`, it searches all spaces with that word in their names.

mod budgets;
mod cdms;
mod lists;
mod machine;
mod mapping;
mod part;
mod promises;
mod search;
mod spaces;
mod steps;
mod store;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use search::Found;

#[test]
fn every_order_of_events_keeps_the_promises() {
    let wanted = std::env::var("DATAHUB_SEARCH").ok();
    let spaces = match wanted.as_deref() {
        None => spaces::ci(),
        Some("full") => spaces::full(),
        Some(words) => spaces::named(words),
    };
    let found = search::all(&spaces, |space, found| {
        println!("done: {}, {}: {} states", space.trouble, space.pair, found.states);
    });
    let table = table(&spaces, &found);
    println!("{table}");
    for (space, found) in spaces.iter().zip(&found) {
        for (why, way) in &found.examples {
            println!("{}, {}: {why}, as after:\n  {way}", space.trouble, space.pair);
        }
    }
    let broken: Vec<_> = found.iter().filter_map(|found| found.broken.as_deref()).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
    // A planted fault that changes numbers without breaking a promise does not count as caught.
    if wanted.is_none() && std::env::var_os("DATAHUB_PLANTED").is_none() {
        insta::assert_snapshot!("spaces", table);
    }
}

/// What was searched and found.
fn table(spaces: &[spaces::Space], found: &[Found]) -> String {
    let mut text = String::new();
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut excuses, mut unrecorded): (BTreeMap<&str, u64>, BTreeMap<&str, u64>) = Default::default();
    let (mut states, mut depth) = (0, 0);
    for (space, found) in spaces.iter().zip(found) {
        let extent = if found.whole { "the whole space" } else { "random paths" };
        let line =
            format!("{}, {}: {} states, {extent}, depth {}", space.trouble, space.pair, found.states, found.depth);
        writeln!(text, "{line}").unwrap_or_else(|_| unreachable!("writing to a string cannot fail"));
        states += found.states;
        depth = depth.max(found.depth);
        found.ends.iter().for_each(|(end, count)| *ends.entry(end).or_default() += count);
        found.unrecorded.iter().for_each(|(why, count)| *unrecorded.entry(why).or_default() += count);
        found.excuses.iter().for_each(|(excuse, count)| *excuses.entry(excuse).or_default() += count);
    }
    let mut line = |line: String| text.extend([line.as_str(), "\n"]);
    line(format!("all: {states} states, depth {depth}"));
    line("outcomes and verdicts of each write, counted at each end:".to_owned());
    ends.iter().for_each(|(end, count)| line(format!("  {count:>8} × {end}")));
    line("verdicts that are not the truth, and why:".to_owned());
    excuses.iter().for_each(|(excuse, count)| line(format!("  {count:>8} × {excuse}")));
    line("late writes without a history entry, and why:".to_owned());
    unrecorded.iter().for_each(|(why, count)| line(format!("  {count:>8} × {why}")));
    text
}
