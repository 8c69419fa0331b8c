//! Work of the engine whose instructions are counted. `cargo xtask counts` runs it in valgrind, one kind of work at a time.
//!
//! A kind of work is prepared, done once so that caches and lazy values are there, and then done [`ROUNDS`] times in
//! [`counted`], the only function in which valgrind counts. `docs/counts.md` explains the numbers.
#![allow(missing_docs, reason = "the names of the fields describe them")]
#![allow(clippy::print_stdout, reason = "the names and the number of rounds are printed for `cargo xtask counts`")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot convert its own records has nothing to count")]

#[path = "../conversion/records.rs"]
#[allow(dead_code, reason = "only the comparison of conversions needs flat JSON")]
mod records;
#[path = "../conversion/route.rs"]
mod route;

use std::hint::black_box;

use cdms_odata::dialect::HttpResponse;
use cdms_odata::{Attributes, Value};
use datahub_runtime::CdmsSynced as _;
use datahub_runtime::Finding;
use datahub_runtime::counted::{Compared, Desk, Rows};
use example_domain::Organisation;
use uuid::Uuid;

use route::Route;

/// How often a kind of work is done while it is counted. Hash tables have random seeds, so the count of one round could
/// differ by chance.
const ROUNDS: usize = 20;

/// Everything that is counted.
const KINDS: [Kind; 8] = [
    ("conversion/read", conversion_read),
    ("conversion/write", conversion_write),
    ("comparison/unchanged", comparison_unchanged),
    ("merge/three-way", merge_three_way),
    ("statement/row", statement_row),
    ("statement/page-of-50", statement_page),
    ("read/in-sync", read_in_sync),
    ("read/refreshed", read_refreshed),
];

/// The name of a kind of work, and its preparation.
type Kind = (&'static str, fn() -> Work);

/// What is done in a round; the rounds are numbered.
type Work = Box<dyn FnMut(usize)>;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("--names") => KINDS.iter().for_each(|(name, _)| println!("{name}")),
        Some(name) if !name.starts_with('-') => {
            let (_, prepare) = KINDS.iter().find(|(known, _)| *known == name).expect("a name that --names prints");
            run(prepare);
            println!("{ROUNDS}");
        }
        // `cargo test --benches` also runs this, to check that it works.
        _ => KINDS.iter().for_each(|(_, prepare)| run(prepare)),
    }
}

fn run(prepare: &fn() -> Work) {
    let mut work = prepare();
    work(0);
    for round in 1..=ROUNDS {
        counted(&mut *work, round);
    }
}

/// Valgrind begins to count where this function begins, and ends where it ends.
#[inline(never)]
fn counted(work: &mut dyn FnMut(usize), round: usize) {
    work(round);
}

/// The answers to reads of one organisation, each with a later time of change and another name than the one before.
fn answers() -> (Uuid, Vec<HttpResponse>) {
    let entity = &Organisation::DESCRIPTOR.entity;
    let record = records::drawn(Organisation::DESCRIPTOR, 1).remove(0);
    let mut body: serde_json::Value = serde_json::from_slice(&record.cdms).unwrap();
    let id = body["d"][entity.key].as_str().unwrap().parse().unwrap();
    let answer = |round: usize| {
        body["d"][entity.modified] = format!("/Date({})/", 1_472_338_800_000 + 60_000 * round).into();
        body["d"]["Name"] = format!("Acme Engineering {round:02}").into();
        HttpResponse {
            url: "https://crm.example.gov.uk/ORG/XRMServices/2011/OrganizationData.svc/AccountSet".parse().unwrap(),
            status: datahub_runtime::http::StatusCode::OK,
            headers: [("content-type", "application/json")]
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .into_iter()
                .collect(),
            body: body.to_string().into_bytes(),
        }
    };
    (id, (0..=ROUNDS).map(answer).collect())
}

/// A database with the organisation of the first answer, and all answers. Work holds it as long as it lasts, because what
/// memory looks like after its end differs by chance.
fn desk() -> (Uuid, Desk, Vec<HttpResponse>) {
    let (id, answers) = answers();
    let mut desk = Desk::new(Organisation::DESCRIPTOR, id).unwrap();
    assert_eq!(desk.read(&answers[0]).unwrap().0, Finding::First);
    (id, desk, answers)
}

/// From the bytes of CDMS's answer to an organisation.
fn conversion_read() -> Work {
    let record = records::drawn(Organisation::DESCRIPTOR, 1).remove(0);
    let route = Route::<Organisation>::new();
    route.agrees(&record);
    Box::new(move |_| drop(black_box(route.read(black_box(&record.cdms)))))
}

/// From an organisation to the bytes of the body that creates it.
fn conversion_write() -> Work {
    let record = records::drawn(Organisation::DESCRIPTOR, 1).remove(0);
    let route = Route::<Organisation>::new();
    let (_, organisation) = route.read(&record.cdms);
    Box::new(move |_| drop(black_box(route.write(black_box(&organisation)))))
}

/// A record of a list, compared with the row that is equal to it.
fn comparison_unchanged() -> Work {
    let (id, mut desk, answers) = desk();
    let (loaded, record) = (desk.loaded().unwrap(), desk.record(&answers[0]).unwrap());
    let compared = Compared::of(Organisation::DESCRIPTOR, id);
    let mut records = vec![record; ROUNDS + 1];
    Box::new(move |_| {
        black_box(&desk);
        assert!(compared.is_unchanged(black_box(&loaded), records.pop().unwrap()));
    })
}

/// A caller's change of one field, and CDMS's changes of this one and another.
fn merge_three_way() -> Work {
    let (id, mut desk, answers) = desk();
    let model = Organisation::DESCRIPTOR;
    let (_, values) = desk.read(&answers[0]).unwrap();
    let base = datahub_runtime::counted::base(&desk.record(&answers[0]).unwrap(), &values);
    let with = |changes: &[(&'static str, &str)]| -> (Attributes, Vec<Value>) {
        let (mut seen, mut row) = (base.seen.clone(), values.to_vec());
        for (name, text) in changes {
            seen.insert(*name, Value::text(*text));
            let at = model.columns.iter().position(|column| column.attributes() == [*name]).unwrap();
            row[at] = Value::text(*text);
        }
        (seen, row)
    };
    let (_, mine) = with(&[("Name", "Acme Foods")]);
    let (seen, now) = with(&[("Name", "Acme Group"), ("Description", "Makes rockets")]);
    let (mine, now) = (mine.into(), now.into());
    let compared = Compared::of(model, id);
    Box::new(move |_| {
        black_box(&desk);
        let merged = black_box(compared.merge(black_box(&base), black_box(&mine), &seen, &now)).unwrap();
        assert_eq!((merged.patch.iter().count(), merged.conflicts.len()), (1, 1));
    })
}

/// Rows with an organisation's values, and the database that they are from.
fn rows(count: u128) -> (Desk, Rows) {
    let (_, mut desk, answers) = desk();
    let (_, values) = desk.read(&answers[0]).unwrap();
    (desk, Rows::of(Organisation::DESCRIPTOR, &values, count))
}

/// The statement that stores one row: its texts for both databases, and its values.
fn statement_row() -> Work {
    let rows = rows(1);
    let planned = rows.1.plan_one().unwrap();
    assert!(planned.sqlite.contains(" ON CONFLICT ") && planned.postgres.contains("$24"), "{planned:?}");
    Box::new(move |_| drop(black_box(black_box(&rows).1.plan_one().unwrap())))
}

/// The statement that stores a page of 50 rows.
fn statement_page() -> Work {
    let rows = rows(50);
    Box::new(move |_| drop(black_box(black_box(&rows).1.plan_all().unwrap())))
}

/// A read of a record whose row is equal to it.
fn read_in_sync() -> Work {
    let (_, mut desk, answers) = desk();
    Box::new(move |_| assert_eq!(black_box(desk.read(black_box(&answers[0]))).unwrap().0, Finding::InSync))
}

/// A read of a record that has changed in CDMS.
fn read_refreshed() -> Work {
    let (_, mut desk, answers) = desk();
    Box::new(move |round| {
        let expected = if round == 0 { Finding::InSync } else { Finding::Refreshed };
        assert_eq!(black_box(desk.read(black_box(&answers[round]))).unwrap().0, expected);
    })
}
