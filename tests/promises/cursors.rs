//! Lists in parts: pages by a cursor, many records by their ids, and streams.

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation};
use datahub_runtime::{Cursor, Find, Value};
use example_domain::{Contact, Organisation};

use crate::find::names;
use crate::pull::crowd;
use crate::scene::{failed, says};

/// All pages of a query, by cursors that went through text.
async fn paged(mut page: impl FnMut(Option<Cursor>) -> Find<Organisation>) -> Vec<Vec<String>> {
    let (mut all, mut cursor) = (Vec::new(), None::<Cursor>);
    loop {
        let found = page(cursor.take()).load().await.unwrap();
        all.push(found.records.iter().map(|organisation| organisation.name.clone()).collect());
        match found.next {
            None => return all,
            Some(next) => {
                let text = next.to_string();
                assert!(
                    text.len() < 470 && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_~".contains(c)),
                    "{text}"
                );
                cursor = Some(text.parse().unwrap());
                assert_eq!(cursor.as_ref(), Some(&next));
            }
        }
        assert!(all.len() < 500, "it never ends");
    }
}

#[tokio::test]
async fn pages_by_a_cursor_contain_each_record_once_in_order() {
    let (scene, _) = crowd(129).await;
    // Names with equal beginnings, quotes and signs of addresses, and some that are equal.
    for number in 0..12 {
        let name = Value::text(format!("O'Neil & Co. +{}% é", number / 4));
        scene.kit.simulator.seed("Account", [("Name", name)]);
    }
    let f = Organisation::FIELDS;
    for (number, limit) in [1, 7, 20, 49, 50, 51, 99, 142, 143].into_iter().enumerate() {
        let query = |after: Option<Cursor>| {
            let query = Organisation::find(&scene.hub).filter(f.name.ne("Firm 3")).limit(limit);
            let query = match number % 3 {
                0 => query.order_by(f.name.asc()),
                1 => query.order_by(f.description.asc()).order_by(f.name.desc()),
                _ => query,
            };
            if let Some(cursor) = after { query.after(cursor) } else { query }
        };
        let whole = query(None).limit(1_000).load().await.unwrap();
        let whole: Vec<_> = whole.into_iter().map(|organisation| organisation.name.clone()).collect();
        assert_eq!(whole.len(), 141);
        let pages = paged(query).await;
        assert!(pages.iter().rev().skip(1).all(|page| page.len() == limit as usize), "{pages:?}");
        assert_eq!(pages.concat(), whole, "limit {limit}");
    }
}

#[tokio::test]
async fn what_changes_before_a_cursor_moves_nothing() {
    let (scene, _) = crowd(79).await;
    let f = Organisation::FIELDS;
    let list = || Organisation::find(&scene.hub).order_by(f.name.asc()).limit(20);
    let whole = Organisation::find(&scene.hub).order_by(f.name.asc()).load().await.unwrap();
    let whole = names(&whole).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let first = list().load().await.unwrap();
    // Two more before the cursor, and three fewer, among them the two that were shown last.
    scene.kit.simulator.seed("Account", [("Name", Value::text("Aa"))]);
    scene.kit.simulator.seed("Account", [("Name", Value::text("Ab"))]);
    for gone in [3, 18, 19] {
        scene.kit.simulator.remove("Account", first.records[gone].id().guid());
    }
    let second = list().after(first.next.unwrap()).load().await.unwrap();
    assert_eq!(names(&second), whole[20..40].iter().map(String::as_str).collect::<Vec<_>>());
    let third = list().after(second.next.unwrap()).load().await.unwrap();
    assert_eq!(names(&third), whole[40..60].iter().map(String::as_str).collect::<Vec<_>>());
}

#[tokio::test]
async fn no_record_is_missed_if_those_before_a_cursor_are_gone() {
    let (scene, _) = crowd(29).await;
    let f = Organisation::FIELDS;
    let list = || Organisation::find(&scene.hub).order_by(f.name.asc()).limit(10);
    let whole = Organisation::find(&scene.hub).order_by(f.name.asc()).load().await.unwrap();
    let whole = names(&whole).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let first = list().load().await.unwrap();
    for gone in &first.records[7..] {
        scene.kit.simulator.remove("Account", gone.id().guid());
    }
    let second = list().after(first.next.unwrap()).load().await.unwrap();
    assert_eq!(names(&second), whole[10..20].iter().map(String::as_str).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cursor_belongs_to_its_query() {
    let (scene, _) = crowd(9).await;
    let (hub, f) = (&scene.hub, Organisation::FIELDS);
    let query = || Organisation::find(hub).filter(f.name.ne("x")).order_by(f.name.asc());
    let cursor = query().limit(3).load().await.unwrap().next.unwrap();
    assert_eq!(query().limit(5).after(cursor.clone()).load().await.unwrap().records.len(), 5, "the limit may differ");
    let others = [
        Organisation::find(hub).filter(f.name.ne("y")).order_by(f.name.asc()).after(cursor.clone()),
        Organisation::find(hub).filter(f.name.ne("x")).order_by(f.name.desc()).after(cursor.clone()),
        Organisation::find(hub).after(cursor.clone()),
    ];
    for other in others {
        let (outcome, cost) = scene.cost_of(other.load()).await;
        says(&failed(outcome, ErrorKind::Invalid), &["the cursor belongs to another query", "begin without one"]);
        assert_eq!(cost.requests, 0);
    }
    let contacts = Contact::find(hub).after(cursor.clone()).load().await;
    failed(contacts, ErrorKind::Invalid);
    // A text that someone made up shows another place in the same list at most, or CDMS refuses it.
    let digest = cursor.to_string().split_once('.').unwrap().0.to_owned();
    let made_up: Cursor = format!("{digest}.0..1~26~24filter~3dName~20ne~20null").parse().unwrap();
    let outcome = query().limit(3).after(made_up).load().await;
    failed(outcome, ErrorKind::Misconfigured);
}

#[tokio::test]
async fn many_records_are_read_by_their_ids_in_few_requests() {
    let (scene, mut ids) = crowd(49).await;
    ids.reverse();
    let gone = Id::<Organisation>::new();
    let (twice, unfit) = (ids[0], Id::from(scene.unfit()));
    let wanted: Vec<_> = ids.iter().copied().chain([gone, twice, unfit]).collect();
    let many = Organisation::get_many(&scene.hub, wanted.clone()).await.unwrap();
    assert_eq!(many.records.iter().map(Synced::id).collect::<Vec<_>>(), ids, "in the order of the ids, each once");
    assert_eq!((many.missing.as_slice(), many.left_out.len()), ([gone].as_slice(), 1));
    assert_eq!((many.left_out[0].id, many.left_out[0].error.kind()), (unfit, ErrorKind::Quarantined));
    assert_eq!(many.cost.requests, 3);
    let targets = scene.requests("GET");
    assert!(targets.iter().rev().take(3).all(|request| request.target.contains("$select=")), "{:?}", targets.last());

    let again = Organisation::get_many(&scene.hub, ids.clone()).await.unwrap();
    assert_eq!((again.records.len(), again.cost.requests, again.cost.transactions), (50, 2, 0));
    assert!(again.cost.statements <= 2 * 2, "{:?}", again.cost);
    let confirmed = Organisation::get_many(&scene.hub, [gone, ids[1]]).confirm().await.unwrap();
    assert_eq!(
        (confirmed.records.len(), confirmed.missing.as_slice(), confirmed.cost.requests),
        (1, [gone].as_slice(), 2)
    );
    let (none, cost) = scene.cost_of(Organisation::get_many(&scene.hub, [])).await;
    assert_eq!((none.unwrap().records.len(), cost.requests), (0, 0));
}

#[tokio::test]
async fn a_stream_reads_page_by_page_and_names_what_it_cannot_return() {
    let (scene, _) = crowd(119).await;
    let unfit = scene.unfit();
    let mut stream = Organisation::find(&scene.hub).max_requests(1).stream();
    assert_eq!(scene.requests("GET").len(), 1 + 1, "nothing is sent before the first record is taken");
    let (mut records, mut left_out) = (0, Vec::new());
    loop {
        match stream.next().await {
            Ok(Some(_)) => records += 1,
            Ok(None) => break,
            Err(error) => left_out.push(error.record_id()),
        }
        if records == 1 {
            assert_eq!(scene.dump("organisations").len() + scene.quarantine().await.len(), 50, "one page at a time");
        }
    }
    assert_eq!((records, left_out), (120, vec![Some(unfit)]));
    assert_eq!(stream.next().await.unwrap().map(|record| record.id()), None);

    let mut part = Organisation::find(&scene.hub).limit(60).stream();
    let list = |fault| FaultRule::new(fault).on(Operation::List).after(1).times(1);
    scene.kit.simulator.fault(list(Fault::DropBeforeCommit));
    let mut taken = 0;
    let error = loop {
        match part.next().await {
            Ok(Some(_)) => taken += 1,
            Ok(None) => panic!("the second page could not be read"),
            Err(error) if error.record_id().is_some() => taken += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((taken, error.kind()), (50, ErrorKind::Unavailable));
    assert!(part.next().await.unwrap().is_none(), "an error of the whole list ends it");
}
