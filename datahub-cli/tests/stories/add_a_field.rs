//! Add a field.

use datahub_runtime::prelude::*;
use stories_after::add_a_field as after;
use stories_before::add_a_field as before;

use crate::cast::{CROWD, seeded, text};
use crate::document::Part;
use crate::load::{Load, completed, saves};
use crate::stage::Stage;

pub(crate) async fn tell(mut stage: Stage) -> Vec<Part> {
    let ids = seeded(&stage, "Account", ["Acme", "Beta", "Cosmo"], |name, number| {
        [("Name", text(name)), ("WebSiteURL", text("https://old.example")), ("Fax", text(format!("0113 {number:04}")))]
    });
    let old = stage.begin(before::models()).await;
    assert!(old.pull::<before::Organisation>().await.unwrap().complete);
    for id in ids {
        let mut organisation = before::Organisation::get(&old, id.into()).await.unwrap();
        organisation.notes = Some("call them".into());
        organisation.save(&old).await.unwrap();
    }

    stage.say(
        "The hub has organisations: the accounts of CDMS, with a web site and notes of its own. Now someone needs their fax \
         numbers. The contract knows the attribute already, because `datahub import` wrote it with all the others; so the \
         change is one field:",
    );
    stage.remodel();
    stage.run(&["check"]).await;
    stage.run(&["migrate", "new", "add_fax"]).await;
    stage.show_sql();
    stage.say(
        "The programs that are in use keep working while it is applied. In this run, one of them read and saved \
         organisations without a pause:",
    );
    let mut old_works = Load::of::<before::Organisation>(&old, &ids, ids[0], |organisation, round| {
        organisation.website = Some(format!("https://acme.example/{round}"));
        organisation.notes = Some(format!("called {round} times"));
    });
    old_works.goes_on(5).await;
    stage.run(&["migrate", "run"]).await.says(&["longest lock"]);
    old_works.goes_on(5).await;

    stage.say("Then the new version of the program starts, next to the old one, and CDMS is edited meanwhile.");
    let new = stage.connect("new", after::models()).await.unwrap();
    let mut new_works = Load::of::<after::Organisation>(&new, &ids, ids[1], |organisation, round| {
        organisation.fax = Some(format!("0114 {round:04}"));
        organisation.notes = Some(format!("written {round} times"));
    });
    new_works.goes_on(3).await;
    stage.person_edits("Account", ids[2], "Fax", text("0115 1111"));
    new_works.goes_on(3).await;
    old_works.goes_on(3).await;

    stage.say(
        "The contract says `capture = \"contract\"`, so every read has kept all attributes of the contract, mapped or not. \
         The new column fills from there, in batches and without asking CDMS: once with \
         `hub.backfill::<Organisation>().await?`, and row by row with each read until then.",
    );
    let lists = |stage: &Stage| {
        stage.kit.simulator.requests().iter().filter(|request| request.target.contains("$orderby")).count()
    };
    let before_it = lists(&stage);
    let (from_seen, read) = completed::<after::Organisation>(&new).await;
    assert!(from_seen >= CROWD as u64 && read == 0, "{from_seen} {read}");
    assert_eq!(lists(&stage), before_it, "no list is read for it");
    new_works.goes_on(3).await;
    old_works.goes_on(3).await;
    let (old_rounds, new_rounds) = (old_works.stop().await, new_works.stop().await);

    for id in ids {
        let organisation = after::Organisation::get(&new, id.into()).await.unwrap();
        assert_eq!(
            organisation.fax.clone().map_or(datahub_runtime::Value::Null, text),
            stage.attribute("Account", id, "Fax")
        );
    }
    assert_eq!(stage.rows("organisations", &["name", "fax"])[2], ["Cosmo", "0115 1111"]);
    assert_eq!(stage.commits(ids[0], "WebSiteURL"), old_rounds);
    assert_eq!(stage.commits(ids[1], "Fax"), new_rounds);
    assert_eq!(saves::<after::Organisation>(&new, ids[0], "old").await, old_rounds + 1);
    assert_eq!(saves::<after::Organisation>(&new, ids[1], "new").await, new_rounds);
    let kept = stage.rows("organisations", &["name", "notes"]);
    assert_eq!(kept[0][1], format!("called {old_rounds} times"), "the old program's last note");
    assert_eq!(kept[2][1], "call them", "a note from before");
    assert!(stage.rows("organisations", &["fax"]).iter().all(|row| row[0] != "NULL"));

    stage.say(
        "Afterwards every row has its fax number, the notes are as they were, the history has every save of both programs, \
         and CDMS has exactly what was saved. There is no second step: the old program can go on for as long as you like.",
    );
    stage.tally(old_rounds, new_rounds);
    stage.show("The table `organisations`:", "organisations", &["name", "fax", "notes"], &["Cosmo", "Number 000"]);
    stage.say(
        "**To watch.** Without `capture = \"contract\"` the hub has not seen the attribute before; then \
         `hub.backfill` reads it from CDMS, as in [the next story](02_add_a_required_field.md). Rows say until then that \
         they are incomplete (`organisation.incomplete()`).",
    );
    stage.ends()
}
