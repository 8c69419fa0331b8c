//! Merge two types of one entity.

use datahub_runtime::Value;
use datahub_runtime::prelude::*;
use stories_after::merge_two_types as after;
use stories_before::merge_two_types as before;

use crate::cast::{CROWD, seeded, text};
use crate::document::Part;
use crate::load::{Load, loaded, saves};
use crate::stage::Stage;

/// What the last part begins with.
const CONTRACT: &str = r#"-- By hand: what only the hub has of visits and calls goes with them.
UPDATE "meetings" SET "notes" = (SELECT "notes" FROM "visits" WHERE "visits"."id" = "meetings"."id")
WHERE "notes" IS NULL AND "kind" = 1 AND "id" IN (SELECT "id" FROM "visits" WHERE "notes" IS NOT NULL);
UPDATE "meetings" SET "notes" = (SELECT "notes" FROM "calls" WHERE "calls"."id" = "meetings"."id")
WHERE "notes" IS NULL AND "kind" = 2 AND "id" IN (SELECT "id" FROM "calls" WHERE "notes" IS NOT NULL);
"#;

pub(crate) async fn tell(mut stage: Stage) -> Vec<Part> {
    let ids = seeded(&stage, "new_meeting", ["Apples", "Bananas", "Cherries"], |name, number| {
        [("new_subject", text(name)), ("new_kind", Value::Choice(if number % 2 == 0 { 1 } else { 2 }))]
    });
    let old = stage.begin(before::models()).await;
    assert!(old.pull::<before::Visit>().await.unwrap().complete);
    assert!(old.pull::<before::Call>().await.unwrap().complete);
    let mut visit = before::Visit::get(&old, ids[0].into()).await.unwrap();
    visit.notes = Some("friendly".into());
    visit.save(&old).await.unwrap();
    let mut call = before::Call::get(&old, ids[1].into()).await.unwrap();
    call.notes = Some("short".into());
    call.save(&old).await.unwrap();
    let mut visit = before::Visit::get(&old, ids[2].into()).await.unwrap();
    visit.notes = Some("long".into());
    visit.save(&old).await.unwrap();

    stage.say(
        "The hub has visits and calls, two models of one entity of CDMS, which differ in `only`. They turned out to be the same \
         thing: meetings, with a kind.",
    );
    stage.remodel();
    stage.say("Two tables go in the end, with consent:");
    stage.refuses(&["migrate", "new", "meetings", "--no-input"]).await.says(&["visits", "calls"]);
    stage.run(&["migrate", "new", "meetings", "--drop", "visits", "--drop", "calls"]).await;
    stage.show_sql();
    stage.say(
        "What only the hub has is carried over by hand, in the last part. Only rows that have notes are written, because others \
         wait meanwhile:",
    );
    for database in ["sqlite", "postgres"] {
        let last = stage.newest(database, "_meetings_contract", "up.sql");
        stage.edit(&last, |sql| format!("{CONTRACT}{sql}"));
    }
    let mut old_visits = Load::of::<before::Visit>(&old, &[ids[0], ids[2]], ids[0], |visit, round| {
        visit.subject = format!("Apples {round}");
        visit.notes = Some(format!("friendly {round} times"));
    });
    let mut old_calls = Load::of::<before::Call>(&old, &ids[1..2], ids[1], |call, round| {
        call.subject = format!("Bananas {round}");
    });
    old_visits.goes_on(3).await;
    stage.run(&["migrate", "run"]).await.says(&["longest lock"]);
    old_visits.goes_on(3).await;
    old_calls.goes_on(3).await;
    let new = stage.connect("new", after::models()).await.unwrap();
    stage.say(
        "The new table is filled by a pull, while the old program goes on: `hub.pull::<Meeting>().await?`. A record that the old \
         program is writing at that moment is left out and counted in the report (`pending`); then pull again.",
    );
    loaded::<after::Meeting>(&new).await;
    let mut new_works = Load::of::<after::Meeting>(&new, &ids[2..], ids[2], |meeting, round| {
        meeting.subject = format!("Cherries {round}");
        meeting.notes = Some(format!("planned {round} times"));
    });
    new_works.goes_on(3).await;
    let newcomer = stage.seed("new_meeting", [("new_subject", text("Dates")), ("new_kind", Value::Choice(2))]);
    before::Call::get(&old, newcomer.into()).await.unwrap();
    stage.person_edits("new_meeting", newcomer, "new_subject", text("Dates and figs"));
    new_works.goes_on(3).await;
    old_visits.goes_on(3).await;
    after::Meeting::get(&new, newcomer.into()).await.unwrap();

    stage.say("When the old program is gone:");
    let call_rounds = old_calls.stop().await;
    stage.run(&["migrate", "run", "--contract"]).await.says(&["longest lock"]);
    stage.say("An old program that is still running is refused before it begins anything:");
    let (visit_rounds, refusal) = old_visits.until_refused().await;
    stage.show_error(&refusal);
    new_works.goes_on(3).await;
    let new_rounds = new_works.stop().await;

    let meeting = async |id: uuid::Uuid| after::Meeting::get(&new, id.into()).await.unwrap();
    let (visit, call, own, late) =
        (meeting(ids[0]).await, meeting(ids[1]).await, meeting(ids[2]).await, meeting(newcomer).await);
    assert_eq!((visit.subject.clone(), visit.kind), (format!("Apples {visit_rounds}"), after::MeetingKind::Visit));
    assert_eq!(visit.notes, Some(format!("friendly {visit_rounds} times")));
    assert_eq!((call.subject.clone(), call.notes.as_deref()), (format!("Bananas {call_rounds}"), Some("short")));
    assert_eq!(own.notes, Some(format!("planned {new_rounds} times")));
    assert_eq!((late.subject.as_str(), late.kind), ("Dates and figs", after::MeetingKind::Call));
    assert_eq!(stage.rows("meetings", &["subject"]).len(), CROWD + 4);
    assert_eq!(stage.commits(ids[0], "new_subject"), visit_rounds);
    assert_eq!(stage.commits(ids[2], "new_subject"), new_rounds);
    assert_eq!(saves::<after::Meeting>(&new, ids[0], "old").await, visit_rounds + 1, "the history is the record's");
    assert_eq!(saves::<after::Meeting>(&new, ids[2], "new").await, new_rounds);

    stage.tally(visit_rounds, new_rounds);
    stage.show(
        "The table `meetings` afterwards:",
        "meetings",
        &["subject", "kind", "notes"],
        &["Dates and figs", "Number 000", "Number 001"],
    );
    stage.say(
        "**To watch.** Types of different entities cannot become one model, because a record belongs to one entity. Give \
         their models the same group of fields instead.",
    );
    stage.ends()
}
