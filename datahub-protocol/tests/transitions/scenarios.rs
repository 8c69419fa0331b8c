//! The scenarios: which machine, with which answers.

use cdms_odata::crm2011::Body;
use cdms_odata::dialect::Write;
use cdms_odata::{Attributes, Instant, Value};
use datahub_protocol::{
    Answer, Committed, Create, Delete, Detached, DetachedWish, Fetched, LeaseState, Loaded, LoginFailure, OnConflict,
    Read, Settle, SettledPatch, Snapshot, Stored, TombstoneReason, Update, Version, WriteKind, from_part, from_seen,
    listed,
};
use insta::assert_snapshot;
use uuid::Uuid;

use crate::mapping::{Model, UNREADABLE};
use crate::records::{
    ID, OPERATION, OURS, THEIRS, attributes, base, deadlock, late, login_lost, model, open, outdated, record, reply,
    row, shown, sights, snapshot, stores, tombstone, troubles, with,
};
use crate::show::Show;
use crate::walk::{Answers, Scenario, commits, walk};

/// How far CDMS's time may go back.
const SKEW_MS: i64 = 2;

fn scenario(answers: Answers<Answer<String>>) -> Scenario {
    Scenario {
        loaded: vec![stores()],
        fetched: vec![sights()],
        committed: vec![commits()],
        answered: vec![answers],
        logged_in: vec![
            ("logged in", Ok(())),
            ("login failed", Err(LoginFailure::Failed("wrong password".into()))),
            ("login refused", Err(LoginFailure::Refused("wrong password".into()))),
        ],
        deviations: 1,
    }
}

/// What happens if every transaction loses against another one.
fn losing(scenario: Scenario) -> Scenario {
    let mut commits = commits();
    commits.rotate_left(1);
    Scenario { committed: vec![commits], deviations: 0, ..scenario }
}

/// What happens if each write gets this answer.
fn always(answer: Answer<String>, scenario: Scenario) -> Scenario {
    let sent = vec![("again", answer), ("not sent", Answer::NotSent("lease too short".into()))];
    Scenario { answered: vec![sent], ..scenario }
}

/// Several walks in one text.
#[derive(Default)]
struct Kept(String);

impl Kept {
    fn add(&mut self, title: &str, walk: impl AsRef<str>) {
        self.0 += &format!("== {title} ==\n{}\n", walk.as_ref());
    }
}

#[test]
fn read() {
    let scenario = Scenario { deviations: 2, ..scenario(Vec::new()) };
    assert_snapshot!(walk(Read::new(Model::Wide, SKEW_MS), &scenario));
}

#[test]
fn read_that_stores() {
    let mut kept = Kept::default();
    for (name, turn) in [("newer", 1), ("gone", 12), ("left", 9), ("unreadable", 11)] {
        let scenario = Scenario {
            loaded: vec![stores()[..1].to_vec()],
            fetched: vec![vec![sights()[turn].clone()]],
            ..scenario(Vec::new())
        };
        let once = walk(Read::new(Model::Wide, SKEW_MS), &scenario);
        let refused = Scenario {
            committed: vec![vec![("refused", Committed::Refused("CHECK".into()))], commits()],
            ..scenario.clone()
        };
        let refused = walk(Read::new(Model::Wide, SKEW_MS), &refused);
        let lost = walk(Read::new(Model::Wide, SKEW_MS), &losing(scenario));
        kept.add(name, format!("{once}\n{refused}\n{lost}"));
    }
    assert_snapshot!(kept.0);
}

#[test]
fn read_of_a_page() {
    let mut text = String::new();
    for asked_at in [3, 2] {
        for (loaded_name, loaded) in stores() {
            for (name, fetched) in sights() {
                let found = match fetched {
                    Fetched::Record(record) => Ok(record),
                    Fetched::Unreadable(fault) => Err(fault),
                    _ => continue,
                };
                let listed = listed(&Model::Wide, &loaded, found, Version(asked_at), SKEW_MS);
                text += &format!("asked at {asked_at}, {loaded_name}, {name} → {}\n", listed.show());
                text += &format!("    refused → {}\n", listed.refused("CHECK".to_owned()).show());
            }
        }
    }
    assert_snapshot!(text);
}

#[test]
fn completion_of_a_row() {
    let mut text = String::new();
    let some_outdated = ("a row of which some is outdated", outdated());
    for (loaded_name, loaded) in stores().into_iter().chain([some_outdated]) {
        let shown = from_seen(&Model::Wide, &loaded).map_or_else(|| "lacks something".to_owned(), |found| found.show());
        text += &format!("{loaded_name}, from what is kept → {shown}\n");
        for asked_at in [3, 2] {
            for (name, fetched) in sights() {
                let part = match fetched {
                    // Only what an older mapping did not read.
                    Fetched::Record(mut record) => {
                        record.attributes.retain(|name, _| !["a", "k"].contains(&name));
                        Ok(record)
                    }
                    Fetched::Unreadable(fault) => Err(fault),
                    _ => continue,
                };
                let found = from_part(&Model::Wide, &loaded, part, Version(asked_at), SKEW_MS);
                text += &format!("    asked at {asked_at}, part of: {name} → {}\n", found.show());
            }
        }
    }
    assert_snapshot!(text);
}

fn update(mine: Vec<Value>, local_changed: bool, on_conflict: OnConflict) -> Update<Model> {
    Update::new(Model::Wide, base(with([])), mine, local_changed, on_conflict, OPERATION, SKEW_MS)
}

fn applied(write: Write) -> Answers<Answer<String>> {
    let mut answers = vec![("204", reply(write, 204, Body::Empty))];
    answers.extend(troubles(write));
    answers
}

/// What the read-back returns.
fn read_backs() -> Answers<Fetched<String>> {
    let mut sights = vec![
        ("as sent", shown(12, OURS, [("a", 3), ("b2", 4)])),
        ("adjusted", shown(12, OURS, [("a", 8), ("b2", 4)])),
        ("with others' changes", shown(12, THEIRS, [("a", 3), ("b2", 4), ("b1", 9), ("c", 6)])),
        ("adjusted to what no model holds", shown(12, OURS, [("a", UNREADABLE)])),
        ("as none of the model's", shown(12, OURS, [("a", 3), ("k", 0)])),
    ];
    sights.extend(crate::records::sights().split_off(11));
    sights
}

#[test]
fn update_of_a_record_in_sync() {
    let scenario = Scenario { fetched: vec![sights(), read_backs()], ..scenario(applied(Write::Update)) };
    assert_snapshot!(walk(update(model(3, 1004), false, OnConflict::LastWriterWins), &scenario));
}

#[test]
fn update_of_a_record_that_changed() {
    let mut kept = Kept::default();
    let newer = vec![sights()[1].clone()];
    let scenario = Scenario {
        loaded: vec![stores()[..1].to_vec()],
        fetched: vec![newer, read_backs()],
        answered: vec![applied(Write::Update)[..1].to_vec()],
        ..scenario(applied(Write::Update))
    };
    kept.add("wins", walk(update(model(3, 1004), true, OnConflict::LastWriterWins), &scenario));
    let rejects = Scenario { deviations: 0, ..scenario.clone() };
    kept.add("rejects", walk(update(model(3, 1004), false, OnConflict::Reject), &rejects));
    kept.add("already_as_wished", walk(update(model(2, 1001), false, OnConflict::LastWriterWins), &scenario));
    kept.add("already_as_wished_with_local", walk(update(model(2, 1001), true, OnConflict::Reject), &scenario));
    let older = Scenario { fetched: vec![vec![sights()[8].clone()], sights()], ..scenario };
    kept.add("older_at_first", walk(update(model(3, 1004), false, OnConflict::LastWriterWins), &older));
    assert_snapshot!(kept.0);
}

/// Writes that had been found not applied show up while another write is being sent.
#[test]
fn writes_beside_late_ones() {
    let mut kept = Kept::default();
    let late_update = late(WriteKind::Update, attributes([("a", 7), ("b1", 9)]));
    let late_delete = late(WriteKind::Delete, Attributes::new());
    let loaded = |late: &[SettledPatch]| vec![vec![("late", Loaded { late: late.to_vec(), ..row() })]];
    let shown = vec![
        ("ours alone", shown(12, OURS, [("a", 3), ("b2", 4)])),
        ("another attribute of the late one", shown(12, OURS, [("a", 3), ("b2", 4), ("b1", 9)])),
        ("the late one over ours", shown(12, OURS, [("a", 7), ("b2", 4), ("b1", 9)])),
        ("a plug-in over ours", shown(12, OURS, [("a", 8), ("b2", 4)])),
    ];
    let machine = || update(model(3, 1004), false, OnConflict::LastWriterWins);
    let equal = sights()[0].clone();
    let scenario = Scenario {
        loaded: loaded(&late_update),
        fetched: vec![vec![equal.clone()], shown.clone()],
        answered: vec![applied(Write::Update)[..1].to_vec()],
        committed: vec![commits()[..1].to_vec()],
        ..scenario(applied(Write::Update))
    };
    kept.add("update", walk(machine(), &scenario));
    let at_first = Scenario { fetched: vec![shown[1..2].to_vec(), shown], ..scenario.clone() };
    kept.add("update_that_finds_it_at_first", walk(machine(), &at_first));
    let missing = Scenario {
        loaded: loaded(&late_delete),
        fetched: vec![vec![equal], vec![sights()[12].clone(), sights()[0].clone()]],
        answered: vec![troubles(Write::Update)[3..4].to_vec()],
        committed: vec![commits()[..1].to_vec(), commits()],
        ..scenario
    };
    kept.add("update_after_a_late_delete", walk(machine(), &missing));
    let delete = Delete::new(Model::Wide, with([]), Some(snapshot()), OnConflict::LastWriterWins, OPERATION, SKEW_MS);
    kept.add("delete_after_a_late_delete", walk(delete.clone(), &missing));
    let both = Scenario { loaded: loaded(&[late_delete, late_update].concat()), deviations: 0, ..missing.clone() };
    kept.add("delete_after_both", walk(delete.clone(), &both));
    kept.add("delete_of_what_others_removed", walk(delete, &Scenario { loaded: loaded(&[]), ..missing }));
    assert_snapshot!(kept.0);
}

/// Someone else changed a local field that the caller is about to change.
#[test]
fn writes_over_changed_local_fields() {
    let mut kept = Kept::default();
    let changed = Loaded { local_conflicts: vec![1], ..row() };
    let scenario =
        Scenario { loaded: vec![vec![("changed", changed)]], deviations: 0, ..scenario(applied(Write::Update)) };
    for (policy, on_conflict) in [("wins", OnConflict::LastWriterWins), ("rejects", OnConflict::Reject)] {
        let mut add = |what: &str, walk: String| kept.add(&format!("{what}, {policy}"), walk);
        add("update", walk(update(model(3, 1001), true, on_conflict), &scenario));
        add("update of local fields only", walk(update(model(1, 1001), true, on_conflict), &scenario));
        let delete = Delete::new(Model::Wide, with([]), None, on_conflict, OPERATION, SKEW_MS);
        add("delete", walk(delete, &scenario));
        let detached = |wish| Detached::new(Model::Wide, wish, OPERATION, Instant(20));
        let change =
            DetachedWish::Change { base: base(with([])), mine: model(3, 1001), local_changed: true, on_conflict };
        add("detached change", walk(detached(change), &scenario));
        add("detached delete", walk(detached(DetachedWish::Delete { base: with([]), on_conflict }), &scenario));
    }
    assert_snapshot!(kept.0);
}

#[test]
fn update_of_an_older_programs_row() {
    let narrow = Scenario {
        loaded: vec![stores()[4..].to_vec()],
        fetched: vec![sights(), read_backs()],
        deviations: 0,
        ..scenario(applied(Write::Update))
    };
    assert_snapshot!(walk(update(model(3, 1004), false, OnConflict::LastWriterWins), &narrow));
}

#[test]
fn update_of_local_fields_only() {
    let mut kept = Kept::default();
    let scenario = scenario(applied(Write::Update));
    kept.add("changed", walk(update(model(1, 1001), true, OnConflict::LastWriterWins), &scenario));
    kept.add("lost", walk(update(model(1, 1001), true, OnConflict::LastWriterWins), &losing(scenario.clone())));
    kept.add("unchanged", walk(update(model(1, 1001), false, OnConflict::LastWriterWins), &scenario));
    assert_snapshot!(kept.0);
}

#[test]
fn update_that_is_answered_badly_again_and_again() {
    let mut kept = Kept::default();
    let plain = Scenario {
        loaded: vec![vec![("a row", row())]],
        fetched: vec![vec![sights()[0].clone()], read_backs()],
        committed: vec![vec![commits()[0].clone()]],
        ..scenario(applied(Write::Update))
    };
    let machine = || update(model(3, 1001), false, OnConflict::LastWriterWins);
    kept.add("deadlocks", walk(machine(), &always(deadlock(Write::Update), plain.clone())));
    kept.add("logins", walk(machine(), &always(login_lost(), plain.clone())));
    kept.add("lost_commits", walk(machine(), &losing(plain.clone())));
    // The program that settled it first has looked too, and later.
    let settled_first = Scenario {
        fetched: vec![vec![sights()[0].clone()]],
        committed: vec![commits()[..1].to_vec(), commits()[1..2].to_vec()],
        ..plain
    };
    kept.add("settled_first", walk(machine(), &always(deadlock(Write::Update), settled_first)));
    assert_snapshot!(kept.0);
}

/// A look at the record shows less than what the program that settled the write first found.
#[test]
fn writes_that_another_program_settled_first() {
    let mut kept = Kept::default();
    let after_deadlock =
        |write, then: usize| vec![vec![("deadlock", deadlock(write))], vec![troubles(write)[then].clone()]];
    let (row, gone) = (sights()[0].clone(), ("gone", Fetched::Gone));
    let made = ("as sent", shown(12, OURS, [("a", 3), ("b2", 4)]));
    let machines: [(Write, Vec<_>, _); 3] = [
        (Write::Update, vec![row.clone(), row.clone()], read_backs()[0].clone()),
        (Write::Delete, vec![row.clone(), row], gone.clone()),
        (Write::Create, vec![gone], made),
    ];
    for (write, before, done) in machines {
        let mut add = |what: &str, sights: Vec<(&'static str, Fetched<String>)>, answered| {
            let scenario = Scenario {
                loaded: vec![vec![if write == Write::Create { stores()[1].clone() } else { stores()[0].clone() }]],
                fetched: sights.into_iter().map(|sight| vec![sight]).collect(),
                committed: vec![commits()[..1].to_vec(), commits()[1..2].to_vec()],
                answered,
                deviations: 0,
                ..scenario(applied(write))
            };
            let walked = match write {
                Write::Update => walk(update(model(3, 1004), false, OnConflict::LastWriterWins), &scenario),
                Write::Create => walk(Create::new(Model::Wide, ID, model(3, 1004), OPERATION), &scenario),
                Write::Delete => {
                    let wins = OnConflict::LastWriterWins;
                    walk(Delete::new(Model::Wide, with([]), Some(snapshot()), wins, OPERATION, SKEW_MS), &scenario)
                }
            };
            kept.add(&format!("{write}, {what}"), walked);
        };
        // Not applied according to the look; then nothing more is sent, or CDMS does not find a record.
        add("not sent again", before.clone(), after_deadlock(write, 0));
        add("something is missing", before.clone(), after_deadlock(write, 3));
        let looks = [&before[..before.len() - 1], &[done]].concat();
        add("applied by the look", looks, after_deadlock(write, 0));
    }
    assert_snapshot!(kept.0);
}

/// The first half of a write whose refresh is not stored.
#[test]
fn update_that_cannot_store_what_it_read() {
    let machine = || update(model(3, 1001), false, OnConflict::LastWriterWins);
    let mut kept = Kept::default();
    for (name, turn) in [("newer", 1), ("gone", 12), ("left", 9), ("unreadable", 11)] {
        let scenario = Scenario {
            loaded: vec![stores()[..1].to_vec()],
            fetched: vec![vec![sights()[turn].clone()]],
            committed: vec![vec![("refused", Committed::Refused("CHECK".into()))], commits()],
            ..scenario(applied(Write::Update))
        };
        let refused = walk(machine(), &scenario);
        let lost = walk(machine(), &losing(scenario));
        kept.add(name, format!("{refused}\n{lost}"));
    }
    assert_snapshot!(kept.0);
}

#[test]
fn putting_back() {
    let mut kept = Kept::default();
    let then = || attributes([("a", 3), ("b1", 1), ("b2", 4)]);
    let put_back = |then: Attributes| Update::put_back(Model::Wide, then, false, OPERATION, SKEW_MS);
    let scenario =
        Scenario { deviations: 0, fetched: vec![sights(), read_backs()], ..scenario(applied(Write::Update)) };
    kept.add("ordinary", walk(put_back(then()), &scenario));
    let mut nulls = then();
    nulls.insert("b2", Value::Null);
    kept.add("nulls", walk(put_back(nulls), &scenario));
    kept.add("nothing_to_do", walk(put_back(with([])), &scenario));
    kept.add("what_no_model_holds", walk(put_back(with([("a", UNREADABLE)])), &scenario));
    assert_snapshot!(kept.0);
}

#[test]
fn create() {
    let mut kept = Kept::default();
    let created = |id, record| reply(Write::Create, 201, Body::Record((id, record)));
    let fresh = with([("a", 3), ("b2", 4)]);
    let mut answers = vec![
        ("as sent", created(ID, Ok(record(12, OURS, fresh.clone())))),
        ("adjusted", created(ID, Ok(record(12, OURS, with([("a", 8), ("b2", 4)]))))),
        ("as none of the model's", created(ID, Ok(record(12, OURS, with([("a", 3), ("b2", 4), ("k", 0)]))))),
        ("as what no model holds", created(ID, Ok(record(12, OURS, with([("a", UNREADABLE)]))))),
        ("unreadable", created(ID, Err("not a number".into()))),
        ("under another id", created(Uuid::from_u128(6), Ok(record(12, OURS, fresh)))),
        ("204", reply(Write::Create, 204, Body::Empty)),
    ];
    answers.extend(troubles(Write::Create));
    let mut stores = stores();
    stores.rotate_left(1);
    let scenario = Scenario { loaded: vec![stores], ..scenario(answers) };
    let machine = || Create::new(Model::Wide, ID, model(3, 1004), OPERATION);
    kept.add("ordinary", walk(machine(), &scenario));
    kept.add("lost_commits", walk(machine(), &losing(scenario.clone())));
    let again =
        Scenario { loaded: vec![vec![("gone", tombstone(TombstoneReason::Gone))]], deviations: 0, ..scenario.clone() };
    kept.add("made_again", walk(machine(), &again));
    let back =
        Scenario { loaded: vec![vec![("left", tombstone(TombstoneReason::LeftModel))]], deviations: 0, ..scenario };
    kept.add("come_back", walk(machine(), &back));
    assert_snapshot!(kept.0);
}

#[test]
fn delete() {
    let mut kept = Kept::default();
    let scenario = scenario(applied(Write::Delete));
    let machine = |base, last, on_conflict| Delete::new(Model::Wide, base, last, on_conflict, OPERATION, SKEW_MS);
    let wins = || machine(with([]), Some(snapshot()), OnConflict::LastWriterWins);
    kept.add("ordinary", walk(wins(), &scenario));
    kept.add("lost_commits", walk(wins(), &losing(scenario.clone())));
    let known_to_nobody = machine(with([]), None, OnConflict::LastWriterWins);
    let gone = Scenario { fetched: vec![vec![("gone", Fetched::Gone)]], ..scenario.clone() };
    kept.add("gone_and_nothing_known", walk(known_to_nobody, &gone));
    let changed = Scenario { fetched: vec![vec![sights()[1].clone()]], deviations: 0, ..scenario };
    kept.add("of_a_changed_record", walk(wins(), &changed));
    kept.add("rejects", walk(machine(with([]), None, OnConflict::Reject), &changed));
    let untouched = machine(with([("a", 2)]), None, OnConflict::Reject);
    kept.add("unchanged", walk(untouched, &changed));
    assert_snapshot!(kept.0);
}

#[test]
fn detached() {
    let mut kept = Kept::default();
    let scenario = scenario(Vec::new());
    let machine = |wish, now| Detached::new(Model::Wide, wish, OPERATION, Instant(now));
    let change = |seen, mine, local_changed, on_conflict| {
        machine(DetachedWish::Change { base: base(seen), mine, local_changed, on_conflict }, 20)
    };
    let (wins, rejects) = (OnConflict::LastWriterWins, OnConflict::Reject);
    kept.add("change", walk(change(with([]), model(3, 1004), false, wins), &scenario));
    kept.add("change_that_loses", walk(change(with([]), model(3, 1004), false, wins), &losing(scenario.clone())));
    kept.add("conflict", walk(change(with([("a", 0)]), model(3, 1001), true, wins), &scenario));
    kept.add("conflict_rejected", walk(change(with([("a", 0)]), model(3, 1001), false, rejects), &scenario));
    kept.add("change_of_local_fields", walk(change(with([]), model(1, 1001), true, wins), &scenario));
    kept.add("no_change", walk(change(with([]), model(1, 1001), false, rejects), &scenario));
    kept.add("invalid", walk(change(with([]), model(UNREADABLE, 1001), false, rejects), &scenario));
    kept.add(
        "clock_that_went_back",
        walk(
            machine(
                DetachedWish::Change {
                    base: base(with([])),
                    mine: model(3, 1001),
                    local_changed: false,
                    on_conflict: wins,
                },
                5,
            ),
            &scenario,
        ),
    );
    let gap = Scenario {
        loaded: vec![vec![(
            "a row that knows less",
            Loaded {
                stored: Stored::Row(Snapshot { seen: attributes([("a", 1), ("k", 1)]), ..snapshot() }),
                ..Loaded::default()
            },
        )]],
        ..scenario.clone()
    };
    kept.add(
        "change_of_what_was_never_known",
        walk(change(attributes([("a", 1), ("k", 1)]), model(1, 1004), false, wins), &gap),
    );
    let back = |then, local_changed| machine(DetachedWish::PutBack { then, local_changed }, 20);
    kept.add("put_back", walk(back(with([("a", 7)]), true), &scenario));
    kept.add("put_back_to_what_is", walk(back(with([]), false), &scenario));
    kept.add("put_back_what_does_not_fit", walk(back(with([("a", UNREADABLE)]), false), &scenario));
    kept.add(
        "create",
        walk(
            machine(DetachedWish::Create(with([])), 20),
            &Scenario { loaded: vec![stores().into_iter().rev().collect()], ..scenario.clone() },
        ),
    );
    let unfit = machine(DetachedWish::Create(with([("a", UNREADABLE)])), 20);
    kept.add(
        "create_that_does_not_fit",
        walk(unfit, &Scenario { loaded: vec![vec![("absent", Loaded::default())]], ..scenario.clone() }),
    );
    let delete = |base, on_conflict| machine(DetachedWish::Delete { base, on_conflict }, 20);
    kept.add("delete", walk(delete(with([]), rejects), &scenario));
    kept.add("delete_of_a_changed_record", walk(delete(with([("c", 4)]), wins), &scenario));
    kept.add("delete_of_a_changed_record_rejected", walk(delete(with([("c", 4)]), rejects), &scenario));
    kept.add("delete_by_who_knows_less", walk(delete(attributes([("a", 1)]), rejects), &scenario));
    assert_snapshot!(kept.0);
}

/// What settling can find, an applied write first.
fn found(write: WriteKind) -> Answers<Fetched<String>> {
    let mut found = match write {
        WriteKind::Create => vec![("as sent", shown(12, OURS, [("a", 2), ("b1", 2), ("b2", 2)]))],
        WriteKind::Update => vec![("as sent", shown(12, OURS, [("a", 2), ("b2", 2)]))],
        WriteKind::Delete => vec![("done", Fetched::Gone)],
        _ => Vec::new(),
    };
    found.push(("as sent, by another user", shown(12, THEIRS, [("a", 2), ("b2", 2)])));
    found.push(("adjusted", shown(12, OURS, [("a", 2), ("b2", 9), ("b1", 4)])));
    found.push(("half", shown(12, THEIRS, [("a", 2)])));
    found.push(("something else", shown(12, THEIRS, [("a", 7), ("b2", 7)])));
    found.push(("as sent, none of the model's", shown(12, OURS, [("a", 2), ("b2", 2), ("k", 0)])));
    found.push(("not what a model holds", shown(12, OURS, [("a", UNREADABLE)])));
    found.extend(sights());
    found
}

#[test]
fn settle() {
    let mut kept = Kept::default();
    let leases = [
        ("active", LeaseState::Active { left_ms: 0 }),
        ("quiet", LeaseState::Quiet { left_ms: 0 }),
        ("still_quiet", LeaseState::Quiet { left_ms: 700 }),
        ("over", LeaseState::Over),
    ];
    for write in [WriteKind::Create, WriteKind::Update, WriteKind::Delete] {
        for (name, lease) in leases {
            let intent = Some(open(OPERATION, write, lease));
            let ours = |(name, loaded): (&'static str, Loaded)| (name, Loaded { intent: intent.clone(), ..loaded });
            let mut loaded: Answers<Loaded> = stores().into_iter().take(11).map(ours).collect();
            if write == WriteKind::Create {
                loaded.rotate_left(1);
            }
            // What the store has matters alike under every lease.
            loaded.truncate(if lease == LeaseState::Over { 11 } else { 1 });
            loaded.push(("nothing is open", row()));
            loaded.push(("another write", stores()[11].1.clone()));
            let scenario = Scenario { loaded: vec![loaded], fetched: vec![found(write)], ..scenario(Vec::new()) };
            let machine = Settle::new(Model::Wide, OPERATION, Some(OURS), SKEW_MS);
            kept.add(&format!("{write}_{name}"), walk(machine, &scenario));
        }
    }
    assert_snapshot!(kept.0);
}

#[test]
fn settle_by_a_program_that_knows_less() {
    let mut kept = Kept::default();
    let scenario = |write| Scenario {
        loaded: vec![vec![("a row", Loaded { intent: Some(open(OPERATION, write, LeaseState::Over)), ..row() })]],
        fetched: vec![found(write)],
        ..scenario(Vec::new())
    };
    let machine = || Settle::new(Model::Narrow, OPERATION, None, SKEW_MS);
    kept.add("update", walk(machine(), &scenario(WriteKind::Update)));
    kept.add("delete", walk(machine(), &scenario(WriteKind::Delete)));
    assert_snapshot!(kept.0);
}

#[test]
fn settle_of_a_row_that_an_older_program_stored() {
    let intent = Some(open(OPERATION, WriteKind::Update, LeaseState::Over));
    let (name, loaded) = stores().swap_remove(4);
    let scenario = Scenario {
        loaded: vec![vec![(name, Loaded { intent, ..loaded })]],
        fetched: vec![sights()[..2].to_vec()],
        ..scenario(Vec::new())
    };
    assert_snapshot!(walk(Settle::new(Model::Wide, OPERATION, Some(OURS), SKEW_MS), &scenario));
}

#[test]
fn settle_without_knowing_our_user() {
    let intent = Some(open(OPERATION, WriteKind::Update, LeaseState::Quiet { left_ms: 5 }));
    let scenario = Scenario {
        loaded: vec![vec![("a row", Loaded { intent, ..row() })]],
        fetched: vec![found(WriteKind::Update)],
        ..scenario(Vec::new())
    };
    assert_snapshot!(walk(Settle::new(Model::Wide, OPERATION, None, SKEW_MS), &scenario));
}

#[test]
fn values_that_no_model_holds_are_refused_at_once() {
    let mine = vec![Value::text("three"), Value::Integer(1)];
    let machine = Update::new(Model::Wide, base(with([])), mine, false, OnConflict::LastWriterWins, OPERATION, SKEW_MS);
    assert_snapshot!(walk(machine, &scenario(Vec::new())), @"update → FAILED Invalid(\"three is not a number\")");
}
