//! Rename a field.

use datahub_runtime::prelude::*;
use stories_after::rename_a_field as after;
use stories_before::rename_a_field as before;
use uuid::Uuid;

use crate::cast::{seeded, text};
use crate::document::Part;
use crate::load::{Load, Made, saves};
use crate::stage::Stage;

pub(crate) async fn tell(mut stage: Stage) -> Vec<Part> {
    let ids = leads(&stage);
    let old = stage.begin(before::models()).await;
    assert!(old.pull::<before::Lead>().await.unwrap().complete);
    for id in ids {
        let mut lead = before::Lead::get(&old, id.into()).await.unwrap();
        lead.score = 5;
        lead.save(&old).await.unwrap();
    }

    stage.say(
        "What a lead is about is its `topic` in the hub, but everybody says subject. The field is renamed, and `was` says \
         what it was called. It may stay there as long as you like: older entries of the history use the former name.",
    );
    stage.remodel();
    stage.run(&["migrate", "new", "subject"]).await;
    stage.show_sql();
    stage.say(
        "For a while the table has both columns, and triggers keep them equal. So the old program, which writes `topic`, and \
         the new one, which writes `subject`, see each other's changes. Both read, saved and created leads all the time:",
    );
    let made = Made::default();
    let mut old_works = Load::of::<before::Lead>(&old, &ids, ids[0], |lead, round| {
        lead.topic = format!("A new roof, {round} tiles");
        lead.score += 1;
    });
    let mut old_creates = Load::creating::<before::Lead>(&old, &made, |round| before::Lead {
        id: Id::new(),
        topic: format!("Old lead {round}"),
        company: None,
        score: 1,
    });
    old_works.goes_on(3).await;
    stage.run(&["migrate", "run"]).await.says(&["longest lock"]);
    old_works.goes_on(3).await;
    old_creates.goes_on(2).await;
    let new = stage.connect("new", after::models()).await.unwrap();
    let mut new_works = Load::of::<after::Lead>(&new, &ids, ids[1], |lead, round| {
        lead.subject = format!("Bricks, {round} pallets");
        lead.score += 1;
    });
    let mut new_creates = Load::creating::<after::Lead>(&new, &made, |round| after::Lead {
        id: Id::new(),
        subject: format!("New lead {round}"),
        company: None,
        score: 2,
    });
    new_works.goes_on(3).await;
    stage.person_edits("Lead", ids[2], "Subject", text("Cement and sand"));
    new_works.goes_on(3).await;
    new_creates.goes_on(2).await;
    old_creates.goes_on(2).await;
    old_works.goes_on(3).await;
    assert!(stage.rows("leads", &["topic", "subject"]).iter().all(|row| row[0] == row[1]), "both columns are equal");

    stage.say("When the old program is gone, the triggers and the old column go too:");
    let created = old_creates.stop().await + new_creates.stop().await;
    stage.run(&["migrate", "run", "--contract"]).await.says(&["longest lock"]);
    stage.say("An old program that is still running is refused before it begins anything:");
    let (old_rounds, refusal) = old_works.until_refused().await;
    stage.show_error(&refusal);
    new_works.goes_on(3).await;
    let new_rounds = new_works.stop().await;

    assert_eq!(made.ids().len() as u64, created);
    for id in ids.into_iter().chain(made.ids()) {
        let lead = after::Lead::get(&new, id.into()).await.unwrap();
        assert_eq!(text(lead.subject.clone()), stage.attribute("Lead", id, "Subject"));
    }
    assert_eq!(stage.commits(ids[0], "Subject"), old_rounds);
    assert_eq!(stage.commits(ids[1], "Subject"), new_rounds);
    let scores: Vec<_> = ids.into_iter().map(|id| (id, 5)).collect();
    for ((id, first), more) in scores.into_iter().zip([old_rounds, new_rounds, 0]) {
        let lead = after::Lead::get(&new, id.into()).await.unwrap();
        assert_eq!(lead.score as u64, first + more, "a local field counts every save");
    }
    assert_eq!(saves::<after::Lead>(&new, ids[0], "old").await, old_rounds + 1);
    assert_eq!(saves::<after::Lead>(&new, ids[1], "new").await, new_rounds);
    let history = after::Lead::history(&new, ids[0].into()).await.unwrap();
    let names: Vec<_> = history.iter().flat_map(|entry| &entry.changes).map(|change| change.field.as_str()).collect();
    assert!(names.contains(&"topic") && !names.contains(&"subject"), "{names:?}");

    stage.tally(old_rounds, new_rounds);
    stage.show(
        "The table `leads` afterwards:",
        "leads",
        &["subject", "company", "score"],
        &["Cement and sand", "Number 000"],
    );
    stage.say(
        "The history says what was true at the time: an entry of the old program names `topic`. `Lead::as_of` and \
         `Lead::revert` know by `was` that this is `subject`.\n\n\
         **To watch.** Renaming only the struct's field needs no migration at all if `column = \"topic\"` keeps the column's \
         name.",
    );
    stage.ends()
}

fn leads(stage: &Stage) -> [Uuid; 3] {
    seeded(stage, "Lead", ["A new roof", "Bricks", "Cement"], |name, _| {
        [("Subject", text(name)), ("CompanyName", text("Acme"))]
    })
}

/// The story with a migration that was written by hand, and that changes all rows while it holds its locks.
pub(crate) async fn with_a_long_lock(server: &str) {
    let mut stage = Stage::new("rename_a_field", Some(server));
    leads(&stage);
    let old = stage.begin(before::models()).await;
    assert!(old.pull::<before::Lead>().await.unwrap().complete);
    for database in ["sqlite", "postgres"] {
        let up = "UPDATE leads SET score = score + 1;\n";
        stage.put(&format!("migrations/{database}/29991231000000_by_hand/up.sql"), up);
    }
    stage.run(&["migrate", "run"]).await;
}
