//! Add a type.

use datahub_runtime::prelude::*;
use datahub_runtime::{Reference, Value};
use stories_after::add_a_type as after;
use stories_before::add_a_type as before;

use crate::cast::{CROWD, seeded, text};
use crate::document::Part;
use crate::load::{Load, saves};
use crate::stage::Stage;

pub(crate) async fn tell(mut stage: Stage) -> Vec<Part> {
    let teams = seeded(&stage, "Team", ["Audit", "Billing", "Claims"], |name, _| [("Name", text(name))]);
    let team = Value::Lookup(Reference { logical_name: "team".into(), id: teams[1] });
    let queues = seeded(&stage, "Queue", ["Appeals", "Bills", "Complaints"], |name, _| {
        [("Name", text(name)), ("EMailAddress", text("queue@example.org")), ("new_TeamId", team.clone())]
    });
    let old = stage.begin(before::models()).await;
    assert!(old.pull::<before::Team>().await.unwrap().complete);

    stage.say(
        "The hub has teams, and now gets the queues in which their work waits. `datahub import` writes the contract, and with \
         `--model` also a first struct; here they are as the team left them:",
    );
    stage.remodel();
    stage.run(&["check"]).await;
    stage.run(&["migrate", "new", "queues"]).await;
    stage.show_sql();
    stage.say("A lookup gets an index. The old program is not concerned:");
    let mut old_works = Load::of::<before::Team>(&old, &teams, teams[0], |team, round| {
        team.name = format!("Audit {round}");
        team.notes = Some(format!("audited {round} times"));
    });
    old_works.goes_on(3).await;
    stage.run(&["migrate", "run"]).await.says(&["longest lock"]);
    old_works.goes_on(3).await;
    let new = stage.connect("new", after::models()).await.unwrap();
    stage.say(
        "The new program can read queues at once: each read brings its record into the hub. \
         `hub.pull::<Queue>().await?` loads all of them, page by page, while both versions work.",
    );
    let mut new_works = Load::of::<after::Queue>(&new, &queues, queues[0], |queue, round| {
        queue.name = format!("Appeals {round}");
        queue.notes = Some(format!("emptied {round} times"));
    });
    new_works.goes_on(3).await;
    stage.person_edits("Queue", queues[2], "EMailAddress", text("complaints@example.org"));
    let pulled = new.pull::<after::Queue>().await.unwrap();
    assert!(pulled.complete, "{pulled:?}");
    new_works.goes_on(3).await;
    old_works.goes_on(3).await;
    let (old_rounds, new_rounds) = (old_works.stop().await, new_works.stop().await);

    assert_eq!(stage.rows("queues", &["name"]).len(), queues.len() + CROWD);
    for id in queues {
        let queue = after::Queue::get(&new, id.into()).await.unwrap();
        assert_eq!(queue.team, Some(teams[1].into()));
        assert_eq!(text(queue.name.clone()), stage.attribute("Queue", id, "Name"));
        assert_eq!(text(queue.email.clone().unwrap()), stage.attribute("Queue", id, "EMailAddress"));
    }
    assert_eq!(
        after::Team::get(&new, teams[0].into()).await.unwrap().notes,
        Some(format!("audited {old_rounds} times"))
    );
    assert_eq!(stage.commits(teams[0], "Name"), old_rounds);
    assert_eq!(stage.commits(queues[0], "Name"), new_rounds);
    assert_eq!(saves::<after::Team>(&new, teams[0], "old").await, old_rounds);
    assert_eq!(saves::<after::Queue>(&new, queues[0], "new").await, new_rounds);

    stage.tally(old_rounds, new_rounds);
    stage.show("The table `queues`:", "queues", &["name", "email"], &["Bills", "Complaints", "Number 000"]);
    stage.say(
        "There is no second step, and no hurry to stop the old program.\n\n\
         **To watch.** Begin with `mode = \"mirror\"` if the hub shall only read the new type for now.",
    );
    stage.ends()
}
