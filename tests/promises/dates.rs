//! Dates are the days that people see in CDMS, which applies a zone's rule of today to all years.

use chrono::{DateTime, NaiveDate, Utc};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, Operation};
use datahub_runtime::{EntryKind, Finding, Instant, Note, Value, Verdict};
use uuid::Uuid;

use crate::history::mark;
use crate::scene::{PAST_QUIET, Scene, failed, found, history_of, says};

/// A contact with the day of birth.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "contact.toml", table = "people", diesel(table = false))]
struct Person {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("LastName")]
    name: String,
    #[cdms("BirthDate")]
    born: Option<NaiveDate>,
}

/// A day on which CDMS has summer time, and the tables of London's history have none.
const AUTUMN: &str = "1993-10-27";
const MIDNIGHT_OF_AUTUMN: &str = "1993-10-26T23:00:00Z";

/// A day on which CDMS has no summer time, and the tables have.
const SPRING: &str = "1975-03-20";
const MIDNIGHT_OF_SPRING: &str = "1975-03-20T00:00:00Z";

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn instant(text: &str) -> Value {
    Value::Instant(Instant::from(text.parse::<DateTime<Utc>>().unwrap()))
}

/// A contact whose day of birth CDMS has as this instant, and a hub that has not read it.
async fn scene(born: &str) -> (Scene, Hub, Id<Person>) {
    let scene = Scene::new().await;
    let id = scene.kit.simulator.seed("Contact", [("LastName", Value::text("Lovelace")), ("BirthDate", instant(born))]);
    let hub = scene.kit.hub(models![Person]).program("tests").connect().await.unwrap();
    (scene, hub, id.into())
}

fn in_cdms(scene: &Scene, id: Uuid) -> Option<Value> {
    scene.kit.simulator.record("Contact", id).unwrap().get("BirthDate").cloned()
}

#[tokio::test]
async fn a_date_is_the_day_that_people_see_in_cdms() {
    let (scene, hub, id) = scene(MIDNIGHT_OF_AUTUMN).await;
    let mut person = Person::get(&hub, id).await.unwrap();
    assert_eq!(person.born, Some(day(AUTUMN)));
    let then = mark(&scene);
    person.born = Some(day(SPRING));
    person.save(&hub).await.unwrap();
    assert_eq!(in_cdms(&scene, id.guid()), Some(instant(MIDNIGHT_OF_SPRING)));
    assert_eq!(found(&Person::get(&hub, id).await.unwrap()), Finding::InSync);

    let history = Person::history(&hub, id).await.unwrap();
    let change = &history.last().unwrap().changes[0];
    let (from, to) = (Some(Value::Date(day(AUTUMN))), Some(Value::Date(day(SPRING))));
    assert_eq!((&change.from, &change.to), (&from, &to), "the history keeps days");
    assert_eq!(Person::as_of(&hub, id, then).await.unwrap().unwrap().born, Some(day(AUTUMN)));

    // Another instant of the same day is no other day.
    scene.kit.simulator.overwrite("Contact", id.guid(), [("BirthDate", instant("1975-03-19T13:00:00Z"))]);
    assert_eq!(found(&Person::get(&hub, id).await.unwrap()), Finding::InSync);
}

#[tokio::test]
async fn a_day_that_cdms_does_not_have_is_refused_before_it_is_sent() {
    let (scene, hub, id) = scene(MIDNIGHT_OF_AUTUMN).await;
    let mut person = Person::get(&hub, id).await.unwrap();
    person.born = Some(day("1752-12-31"));
    let error = failed(person.save(&hub).await, ErrorKind::Invalid);
    says(&error, &["BirthDate", "before 1753-01-01"]);
    assert_eq!(scene.commits(), []);
    let person = Person { id: Id::new(), ..person.into_inner() };
    failed(Person::create(&hub, person).await, ErrorKind::Invalid);
    assert_eq!(scene.commits(), []);

    scene.kit.simulator.overwrite("Contact", id.guid(), [("BirthDate", instant("1752-12-30T00:00:00Z"))]);
    says(&failed(Person::get(&hub, id).await, ErrorKind::Quarantined), &["BirthDate", "before 1753-01-01"]);
}

/// What the hub's database has of the person after a program that read dates by the tables of London's history, and kept
/// them as instants.
fn as_an_older_program_left_it(scene: &Scene) {
    let Value::Instant(Instant(autumn)) = instant(MIDNIGHT_OF_AUTUMN) else { unreachable!() };
    let Value::Instant(Instant(spring)) = instant("1975-03-19T23:00:00Z") else { unreachable!() };
    let old = |column: &str| {
        format!(
            "replace(replace({column}, '{{\"date\":\"{AUTUMN}\"}}', '{{\"instant\":{autumn}}}'), \
             '{{\"date\":\"{SPRING}\"}}', '{{\"instant\":{spring}}}')"
        )
    };
    let columns = "entity, id, model, version, at, actor, program, origin, kind, operation, constants, local, modified";
    scene.sql(&format!("UPDATE datahub_records SET seen = {}, mapping_id = 7 WHERE model = 'people'", old("seen")));
    scene.sql(&format!(
        "CREATE TABLE told AS SELECT {columns}, mapping_id, {} AS changes FROM datahub_history WHERE model = 'people'",
        old("changes")
    ));
    scene.sql(
        scene.on("DROP TRIGGER datahub_history_no_delete", "DROP TRIGGER datahub_history_rows ON datahub_history"),
    );
    scene.sql("DELETE FROM datahub_history WHERE model = 'people'");
    scene.sql(&format!(
        "INSERT INTO datahub_history ({columns}, mapping_id, changes) SELECT {columns}, 7, changes FROM told \
         ORDER BY version"
    ));
}

#[tokio::test]
async fn what_an_older_program_stored_is_read_right() {
    let (scene, hub, id) = scene(MIDNIGHT_OF_AUTUMN).await;
    let mut person = Person::get(&hub, id).await.unwrap();
    let first = mark(&scene);
    person.born = Some(day(SPRING));
    person.save(&hub).await.unwrap();
    let second = mark(&scene);
    person.born = Some(day(AUTUMN));
    person.save(&hub).await.unwrap();
    // A plug-in makes another day of the one that was sent.
    scene.fault(Operation::Update, Fault::Adjust([("BirthDate", instant(MIDNIGHT_OF_AUTUMN))].into()));
    person.born = Some(day(SPRING));
    person.save(&hub).await.unwrap();
    as_an_older_program_left_it(&scene);
    scene.sql("UPDATE people SET born = '1993-10-26'");
    let kinds = [EntryKind::FirstSeen, EntryKind::Updated, EntryKind::Updated, EntryKind::Updated];

    // The instants are CDMS's, so nothing has changed there; the row is made again of them.
    let person = Person::get(&hub, id).await.unwrap();
    assert_eq!(person.born, Some(day(AUTUMN)));
    assert_eq!(history_of(&hub, id).await, kinds);
    let row = Person::get(&hub, id).freshness(Freshness::LocalOnly).await.unwrap();
    assert_eq!(row.born, Some(day(AUTUMN)));
    assert_eq!(scene.dump("people")[0].matches(AUTUMN).count(), 1, "{:?}", scene.dump("people"));
    for (time, born) in [(first, AUTUMN), (second, SPRING)] {
        assert_eq!(Person::as_of(&hub, id, time).await.unwrap().unwrap().born, Some(day(born)));
    }
    let told = Person::history(&hub, id).await.unwrap();
    let told: Vec<_> = told[1..].iter().map(|entry| entry.changes[0].clone()).collect();
    let (autumn, spring) = (Some(Value::Date(day(AUTUMN))), Some(Value::Date(day(SPRING))));
    assert_eq!((&told[0].from, &told[0].to), (&autumn, &spring));
    assert_eq!((&told[1].from, &told[1].to), (&spring, &autumn));
    assert_eq!(told[2].note, Note::Adjusted { sent: Value::Date(day(SPRING)) });
}

#[tokio::test]
async fn a_pull_makes_the_rows_of_older_programs_again() {
    let (scene, hub, id) = scene(MIDNIGHT_OF_AUTUMN).await;
    Person::get(&hub, id).await.unwrap();
    as_an_older_program_left_it(&scene);
    scene.sql("UPDATE people SET born = '1993-10-26'");
    assert!(hub.pull::<Person>().await.unwrap().complete);
    assert!(scene.dump("people")[0].contains(AUTUMN), "{:?}", scene.dump("people"));
}

/// A write under way is noted with what is sent, which a program of any version compares with what CDMS shows.
#[tokio::test]
async fn a_lost_write_of_a_date_is_settled_by_programs_of_all_versions() {
    for fault in [Fault::DropAfterCommit, Fault::DropBeforeCommit] {
        let (scene, hub, id) = scene(MIDNIGHT_OF_AUTUMN).await;
        let mut person = Person::get(&hub, id).await.unwrap();
        person.born = Some(day(SPRING));
        let is_applied = matches!(fault, Fault::DropAfterCommit);
        scene.fault(Operation::Update, fault);
        failed(person.save(&hub).await, ErrorKind::Unsettled);
        let intent = scene.dump("datahub_intents").remove(0);
        assert!(intent.contains("instant") && !intent.contains(SPRING), "{intent}");
        scene.kit.advance(PAST_QUIET);
        let settled = hub.settle().await.unwrap().settled;
        assert_eq!(settled.iter().map(|(_, verdict)| *verdict == Verdict::Applied).collect::<Vec<_>>(), [is_applied]);
        let born = if is_applied { SPRING } else { AUTUMN };
        assert_eq!(Person::get(&hub, id).await.unwrap().born, Some(day(born)));
        let kinds = [EntryKind::FirstSeen, if is_applied { EntryKind::Updated } else { EntryKind::NotApplied }];
        assert_eq!(history_of(&hub, id).await, kinds);
    }
}
