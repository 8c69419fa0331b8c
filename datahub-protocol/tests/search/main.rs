//! Every order of events: the shipped machines against a small world, searched exhaustively.
//!
//! Two programs share a database and a CDMS with one record. Two writes, a reader, settlings, edits by people, lost
//! answers, refusals, writes that CDMS carries out late, crashes and pauses past the lease happen in every order that
//! they can. At each step and at each end the promises hold; where a verdict cannot be the truth, because reading
//! cannot tell it, the excuse is named and counted for the one write that it concerns.
//!
//! Which worlds there are is in `spaces`, how many states each has and what its writes came to in the snapshot beside it.
//! `DATAHUB_SEARCH=full cargo test --release -p datahub-protocol --test search -- --nocapture` searches larger spaces;
//! another word instead of `full` searches those of all spaces that have it in their name.

mod budgets;
mod cdms;
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
    // What a planted fault changes without breaking a promise is no catch.
    if wanted.is_none() && std::env::var_os("DATAHUB_PLANTED").is_none() {
        insta::assert_snapshot!("spaces", table);
    }
}

/// What was searched and found.
fn table(spaces: &[spaces::Space], found: &[Found]) -> String {
    let mut text = String::new();
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut excuses, mut untold): (BTreeMap<&str, u64>, BTreeMap<&str, u64>) = Default::default();
    let (mut states, mut depth) = (0, 0);
    for (space, found) in spaces.iter().zip(found) {
        let extent = if found.whole { "the whole space" } else { "by lot" };
        let line =
            format!("{}, {}: {} states, {extent}, depth {}", space.trouble, space.pair, found.states, found.depth);
        writeln!(text, "{line}").unwrap_or_else(|_| unreachable!("a text takes every text"));
        states += found.states;
        depth = depth.max(found.depth);
        found.ends.iter().for_each(|(end, count)| *ends.entry(end).or_default() += count);
        found.untold.iter().for_each(|(why, count)| *untold.entry(why).or_default() += count);
        found.excuses.iter().for_each(|(excuse, count)| *excuses.entry(excuse).or_default() += count);
    }
    let mut line = |line: String| text.extend([line.as_str(), "\n"]);
    line(format!("all: {states} states, depth {depth}"));
    line("what each write came to, as its caller learned it and as it was settled, counted at each end:".to_owned());
    ends.iter().for_each(|(end, count)| line(format!("  {count:>8} × {end}")));
    line("verdicts that are not the truth, and why they cannot be:".to_owned());
    excuses.iter().for_each(|(excuse, count)| line(format!("  {count:>8} × {excuse}")));
    line("late writes that the history has no entry for, and why it cannot have one:".to_owned());
    untold.iter().for_each(|(why, count)| line(format!("  {count:>8} × {why}")));
    text
}
