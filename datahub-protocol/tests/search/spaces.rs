//! The worlds that are searched: which two writes, and what may happen to them.

use crate::budgets::Budgets;
use crate::machine::Wish;
use crate::world::World;

/// One space to search.
pub(crate) struct Space {
    pub(crate) pair: &'static str,
    pub(crate) trouble: &'static str,
    is_there: bool,
    wishes: [Wish; 2],
    budgets: Budgets,
    /// If it is too large to be searched completely: the number of paths to take through it.
    pub(crate) walks: Option<usize>,
}

impl Space {
    pub(crate) fn begin(&self) -> World {
        World::new(self.is_there, self.wishes.clone(), self.budgets)
    }
}

type Pair = (&'static str, bool, [Wish; 2]);

fn pairs() -> Vec<Pair> {
    let a = || Wish::update(1, &[("a", 2)]);
    vec![
        ("updates of different fields", true, [a(), Wish::update(2, &[("b", 2)])]),
        ("updates of the same field", true, [a(), Wish::update(2, &[("a", 3)])]),
        ("an update and one that overwrites nothing unseen", true, [a(), Wish::update(2, &[("a", 3)]).or_conflict()]),
        (
            "an update of both fields and one of one",
            true,
            [Wish::update(1, &[("a", 2), ("b", 2)]), Wish::update(2, &[("a", 3)])],
        ),
        ("an update and a delete", true, [a(), Wish::delete(2)]),
        ("an update and a delete of nothing unseen", true, [a(), Wish::delete(2).or_conflict()]),
        ("two deletes", true, [Wish::delete(1), Wish::delete(2)]),
        ("a delete and a create", true, [Wish::delete(1), Wish::create(2, 3)]),
        (SMALLEST, false, [Wish::create(1, 2), Wish::create(2, 3)]),
    ]
}

const SETTLING: Budgets = Budgets { settlings: 1, ..Budgets::NONE };

/// What may happen in the spaces that every run searches.
const CI: [(&str, Budgets); 8] = [
    ("lost answers", Budgets { edits: 1, losses: 1, refusals: 1, ..SETTLING }),
    ("a late write", Budgets { edits: 1, lates: 1, settlings: 2, ..Budgets::NONE }),
    ("a crash", Budgets { edits: 1, crashes: 1, too_early: 1, settlings: 2, ..Budgets::NONE }),
    ("a pause past the lease", Budgets { pauses: 1, ..SETTLING }),
    ("sent again", Budgets { edits: 1, deadlocks: 1, logins: 1, ..SETTLING }),
    ("errors that prove nothing", Budgets { edits: 1, ends: 1, crashes: 1, ..SETTLING }),
    ("people remove and put back", Budgets { removals: 1, put_backs: 1, losses: 1, ..SETTLING }),
    ("the database away", Budgets { edits: 1, outages: 1, ..SETTLING }),
];

/// What may happen in the larger spaces that can still be searched completely.
const FULL: [(&str, Budgets); 7] = [
    ("a crash, a late write and a pause", Budgets { edits: 1, crashes: 1, lates: 1, pauses: 1, ..SETTLING }),
    ("a crash and lost answers", Budgets { edits: 1, crashes: 1, losses: 1, settlings: 2, ..Budgets::NONE }),
    ("a pause and a write too late", Budgets { edits: 1, pauses: 1, lates: 1, too_lates: 1, ..SETTLING }),
    ("a pause and sent again", Budgets { edits: 1, pauses: 1, deadlocks: 1, logins: 1, ..SETTLING }),
    (
        "errors that prove nothing and people",
        Budgets { removals: 1, put_backs: 1, deadlocks: 1, ends: 1, losses: 1, ..SETTLING },
    ),
    ("a pause and people", Budgets { removals: 1, put_backs: 1, pauses: 1, ..SETTLING }),
    ("a crash and the database away", Budgets { edits: 1, crashes: 1, outages: 1, ..SETTLING }),
];

/// The number of paths through the space with everything for each pair of writes, which is too large to be searched
/// completely.
const BY_LOT: usize = 200_000;

pub(crate) fn ci() -> Vec<Space> {
    let mut spaces = with_each_pair(&CI, None);
    // What a program learns if it looks after another program has settled its write: the smallest of the larger spaces
    // where this occurs.
    let larger = with_each_pair(&FULL, None).into_iter();
    spaces.extend(larger.filter(|space| (space.trouble, space.pair) == ("a pause and sent again", SMALLEST)));
    spaces
}

/// The pair with the smallest spaces.
const SMALLEST: &str = "two creates under one id";

pub(crate) fn full() -> Vec<Space> {
    let mut spaces = with_each_pair(&FULL, None);
    spaces.extend(with_each_pair(&[("everything", Budgets::EVERYTHING)], Some(BY_LOT)));
    spaces
}

/// The spaces with these words in their names.
pub(crate) fn named(words: &str) -> Vec<Space> {
    let mut spaces = with_each_pair(&CI, None);
    spaces.extend(full());
    spaces.retain(|space| format!("{}, {}", space.trouble, space.pair).contains(words));
    spaces
}

fn with_each_pair(troubles: &[(&'static str, Budgets)], walks: Option<usize>) -> Vec<Space> {
    let each = |&(trouble, budgets): &(&'static str, Budgets)| {
        pairs().into_iter().map(move |(pair, is_there, wishes)| Space {
            pair,
            trouble,
            is_there,
            wishes,
            budgets,
            walks,
        })
    };
    troubles.iter().flat_map(each).collect()
}
