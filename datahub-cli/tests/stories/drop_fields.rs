//! Drop a field.

use datahub_runtime::Value;
use datahub_runtime::prelude::*;
use stories_after::drop_fields as after;
use stories_before::drop_fields as before;

use crate::cast::{CROWD, seeded, text};
use crate::document::Part;
use crate::load::{Load, saves};
use crate::stage::Stage;

pub(crate) async fn tell(mut stage: Stage) -> Vec<Part> {
    let ids = seeded(&stage, "Territory", ["Arran", "Bute", "Cumbrae"], |name, _| {
        [("Name", text(name)), ("Description", text("an island"))]
    });
    let old = stage.begin(before::models()).await;
    assert!(old.pull::<before::Territory>().await.unwrap().complete);
    for id in ids {
        let mut territory = before::Territory::get(&old, id.into()).await.unwrap();
        territory.nickname = Some("the isle".into());
        territory.rank = 7;
        territory.save(&old).await.unwrap();
    }

    stage.say(
        "Two fields are not needed any more: a description, which CDMS has too, and a nickname, which only the hub has. The \
         contract says why the attribute is left out.",
    );
    stage.remodel();
    stage.say("The command says what would be lost and what is kept of it, and does nothing without consent by name:");
    stage.refuses(&["migrate", "new", "fewer_fields", "--no-input"]).await.says(&[
        "territories.description",
        "territories.nickname",
        "history",
    ]);
    stage
        .run(&["migrate", "new", "fewer_fields", "--drop", "territories.description", "--drop", "territories.nickname"])
        .await;
    stage.show_sql();
    stage.say("The columns stay until the old program, which still uses them, is gone:");
    let mut old_works = Load::of::<before::Territory>(&old, &ids, ids[0], |territory, round| {
        territory.description = Some(format!("an island with {round} sheep"));
        territory.nickname = Some(format!("the isle of {round} sheep"));
    });
    old_works.goes_on(3).await;
    stage.run(&["migrate", "run"]).await;
    old_works.goes_on(3).await;
    let new = stage.connect("new", after::models()).await.unwrap();
    let mut new_works = Load::of::<after::Territory>(&new, &ids, ids[1], |territory, round| {
        territory.name = format!("Bute {round}");
        territory.rank += 1;
    });
    new_works.goes_on(3).await;
    stage.person_edits("Territory", ids[2], "Description", text("two islands"));
    new_works.goes_on(3).await;
    old_works.goes_on(3).await;
    let before_it = stage.rows("territories", &["name", "nickname"]);
    assert!(before_it.iter().any(|row| row[0].starts_with("Bute") && row[1] == "the isle"), "the new program keeps it");

    stage.say("When the old program is gone:");
    stage.run(&["migrate", "run", "--contract"]).await.says(&["longest lock"]);
    stage.say("An old program that is still running is refused before it begins anything:");
    let (old_rounds, refusal) = old_works.until_refused().await;
    stage.show_error(&refusal);
    new_works.goes_on(3).await;
    let new_rounds = new_works.stop().await;

    for id in ids {
        let territory = after::Territory::get(&new, id.into()).await.unwrap();
        assert_eq!(text(territory.name.clone()), stage.attribute("Territory", id, "Name"));
    }
    assert_eq!(after::Territory::get(&new, ids[1].into()).await.unwrap().rank as u64, 7 + new_rounds);
    assert_eq!(stage.attribute("Territory", ids[0], "Description"), text(format!("an island with {old_rounds} sheep")));
    assert_eq!(stage.rows("territories", &["name"]).len(), ids.len() + CROWD);
    assert_eq!(stage.commits(ids[0], "Description"), old_rounds);
    assert_eq!(stage.commits(ids[1], "Name"), new_rounds);
    assert_eq!(saves::<after::Territory>(&new, ids[0], "old").await, old_rounds + 1);
    let history = after::Territory::history(&new, ids[0].into()).await.unwrap();
    let last = history.iter().rev().flat_map(|entry| &entry.changes).find(|change| change.field == "nickname").unwrap();
    assert_eq!(last.to, Some(Value::text(format!("the isle of {old_rounds} sheep"))));

    stage.tally(old_rounds, new_rounds);
    stage.show(
        "The table `territories` afterwards:",
        "territories",
        &["name", "rank"],
        &["Arran", "Cumbrae", "Number 000"],
    );
    stage.say(
        "`Territory::history` still shows every nickname and when it changed, under the field's name of that day; CDMS has \
         the descriptions.\n\n\
         **To watch.** The history begins when the hub began to record. A value that was set and never changed since a \
         pull is in CDMS, or, for a local field, in the entry that set it. Values that personal data law wants gone are not \
         gone with the column: `Territory::erase` removes them from the history.",
    );
    stage.ends()
}
