//! Make a text of CDMS a choice in the hub.

use datahub_runtime::prelude::*;
use datahub_runtime::rehearse;
use stories_after::make_a_text_a_choice as after;
use stories_before::make_a_text_a_choice as before;

use crate::cast::{CROWD, seeded, text};
use crate::document::Part;
use crate::load::{Load, completed, saves};
use crate::stage::Stage;

pub(crate) async fn tell(mut stage: Stage) -> Vec<Part> {
    let urgencies = ["low", "Urgent", "normal "];
    let ids = seeded(&stage, "Incident", ["Anvil broken", "Bellows leak", "Chisel lost"], |name, number| {
        [("Title", text(name)), ("new_Urgency", text(urgencies[number % 3]))]
    });
    let late = stage.seed("Incident", [("Title", text("Drill burnt")), ("new_Urgency", text("asap"))]);
    let old = stage.begin(before::models()).await;
    assert!(old.pull::<before::Case>().await.unwrap().complete);
    for id in ids {
        let mut case = before::Case::get(&old, id.into()).await.unwrap();
        case.notes = Some("phoned".into());
        case.save(&old).await.unwrap();
    }

    stage.say(
        "In CDMS, how urgent a case is is a text that people type: `low`, `Urgent`, `normal`. The hub wants to sort by it. A \
         module converts: `decode` reads what people type, and `encode` writes a change without touching what did not \
         change. The field gets a column of its own, because the old program still needs the text:",
    );
    stage.remodel();
    stage.say(
        "Does `decode` understand everything that people have typed? A rehearsal runs the new mapping on all rows, without a \
         request and without a change: `rehearse(database, models![Case])`, here as Markdown for the pull request:",
    );
    let report = rehearse(stage.kit.database(), after::models()).await.unwrap().to_markdown();
    assert!(report.contains("is none of low, medium and high"), "{report}");
    stage.show_report(&report);
    stage.say("One case does not fit. A person corrects it in CDMS, and the next read brings it into the hub.");
    stage.person_edits("Incident", late, "new_Urgency", text("urgent"));
    before::Case::get(&old, late.into()).await.unwrap();
    let report = rehearse(stage.kit.database(), after::models()).await.unwrap().to_markdown();
    assert!(!report.contains("is none of low, medium and high"), "{report}");
    stage.say("The old column goes in the end. The command does not drop anything by itself:");
    stage.refuses(&["migrate", "new", "urgency_level", "--no-input"]).await.says(&["cases.urgency"]);
    stage.run(&["migrate", "new", "urgency_level", "--drop", "cases.urgency"]).await;
    stage.show_sql();
    stage.say("The consent is written into the migration's `metadata.toml`, where a reviewer sees it. Then:");
    let mut old_works = Load::of::<before::Case>(&old, &ids, ids[0], |case, round| {
        case.urgency = Some(if round.is_multiple_of(2) { "high".into() } else { "low".into() });
        case.notes = Some(format!("phoned {round} times"));
    });
    old_works.goes_on(3).await;
    stage.run(&["migrate", "run"]).await.says(&["longest lock"]);
    old_works.goes_on(3).await;
    let new = stage.connect("new", after::models()).await.unwrap();
    let mut new_works = Load::of::<after::Case>(&new, &ids, ids[1], |case, round| {
        case.urgency = if round.is_multiple_of(2) { after::Urgency::High } else { after::Urgency::Low };
        case.notes = Some(format!("visited {round} times"));
    });
    new_works.goes_on(3).await;
    stage.person_edits("Incident", ids[2], "new_Urgency", text(" HIGH"));
    new_works.goes_on(3).await;
    old_works.goes_on(3).await;

    stage.say(
        "Both versions work on the same cases: the old one sees the new one's changes as text, and the other way round. The \
         hub has every text, so `hub.backfill::<Case>().await?` fills the new column without asking CDMS.",
    );
    let (from_seen, read) = completed::<after::Case>(&new).await;
    assert!(from_seen >= CROWD as u64 && read == 0, "{from_seen} {read}");
    new_works.goes_on(3).await;
    old_works.goes_on(3).await;
    stage.say("When the old program is gone:");
    stage.run(&["migrate", "run", "--contract"]).await.says(&["longest lock"]);
    stage.say("An old program that is still running is refused before it begins anything:");
    let (old_rounds, refusal) = old_works.until_refused().await;
    stage.show_error(&refusal);
    new_works.goes_on(3).await;
    let new_rounds = new_works.stop().await;
    stage.say(
        "What the old program wrote last is in the hub, but not in the new column yet: a backfill completes it, once more and \
         without asking CDMS.",
    );
    let (_, read) = completed::<after::Case>(&new).await;
    assert_eq!(read, 0);
    assert!(new.completeness::<after::Case>().await.unwrap().is_complete());

    let expected = |rounds: u64| if rounds.is_multiple_of(2) { after::Urgency::High } else { after::Urgency::Low };
    for (id, urgency) in ids.into_iter().zip([expected(old_rounds), expected(new_rounds), after::Urgency::High]) {
        assert_eq!(after::Case::get(&new, id.into()).await.unwrap().urgency, urgency);
    }
    assert_eq!(stage.attribute("Incident", ids[2], "new_Urgency"), text(" HIGH"), "as the person typed it");
    let levels = stage.rows("cases", &["urgency_level"]);
    assert_eq!(levels.iter().filter(|row| ["1", "2", "3"].contains(&row[0].as_str())).count(), ids.len() + CROWD + 1);
    assert_eq!(stage.commits(ids[1], "new_Urgency"), new_rounds);
    assert_eq!(saves::<after::Case>(&new, ids[0], "old").await, old_rounds + 1);
    assert_eq!(saves::<after::Case>(&new, ids[1], "new").await, new_rounds);
    let notes = after::Case::get(&new, ids[0].into()).await.unwrap().notes.clone();
    assert_eq!(notes, Some(format!("phoned {old_rounds} times")));

    stage.tally(old_rounds, new_rounds);
    stage.show(
        "The table `cases` afterwards:",
        "cases",
        &["title", "urgency_level", "notes"],
        &["Chisel lost", "Number 000", "Number 001", "Number 002"],
    );
    stage.say(
        "CDMS still has the texts as people typed them, and so has the history.\n\n\
         **To watch.** A text that `decode` refuses puts its record into quarantine, and the last part then refuses to make \
         the column NOT NULL. A text that only \
         the hub has needs some SQL, as in [the next story](08_split_a_field.md).",
    );
    stage.ends()
}
