//! Rename a type and its table.

use datahub_runtime::prelude::*;
use stories_after::rename_a_table as after;
use stories_before::rename_a_table as before;

use crate::cast::{CROWD, seeded, text};
use crate::document::Part;
use crate::load::{Load, saves};
use crate::stage::Stage;

pub(crate) async fn tell(mut stage: Stage) -> Vec<Part> {
    let ids = seeded(&stage, "Opportunity", ["A bridge", "Beams", "Cables"], |name, number| {
        let value = datahub_runtime::Value::Money((1000 * (number as i64 + 1)).into());
        [("Name", text(name)), ("EstimatedValue", value)]
    });
    let old = stage.begin(before::models()).await;
    assert!(old.pull::<before::Deal>().await.unwrap().complete);
    for id in ids {
        let mut deal = before::Deal::get(&old, id.into()).await.unwrap();
        deal.notes = Some("ask again".into());
        deal.save(&old).await.unwrap();
    }

    stage.say(
        "The struct `Deal` becomes `Opportunity`. That alone changes nothing in the database, because the table's name is \
         the model's name there. But the table shall be renamed too, and `was` says what it was called:",
    );
    stage.remodel();
    stage.run(&["migrate", "new", "opportunities"]).await;
    stage.show_sql();
    stage.say(
        "A table has one name at a time, so two versions of the program cannot share it. `migrate run` therefore \
         waits, and the old program works on:",
    );
    let mut old_works = Load::of::<before::Deal>(&old, &ids, ids[0], |deal, round| {
        deal.name = format!("A bridge of {round} m");
        deal.notes = Some(format!("asked {round} times"));
    });
    old_works.goes_on(3).await;
    stage.run(&["migrate", "run"]).await;
    old_works.goes_on(3).await;
    stage.person_edits("Opportunity", ids[2], "Name", text("Cables and bolts"));
    old_works.goes_on(3).await;
    stage.say("The new version does not start before its table exists:");
    let too_early = stage.connect("new", after::models()).await.unwrap_err();
    assert_eq!(too_early.kind(), ErrorKind::Store);
    stage.show_error(&too_early);

    stage.say("So the old program is stopped first. Then:");
    let old_rounds = old_works.stop().await;
    stage.run(&["migrate", "run", "--contract"]).await.says(&["longest lock"]);
    let new = stage.connect("new", after::models()).await.unwrap();
    let mut new_works = Load::of::<after::Opportunity>(&new, &ids, ids[1], |opportunity, round| {
        opportunity.name = format!("{round} beams");
        opportunity.notes = Some(format!("counted {round} times"));
    });
    new_works.goes_on(3).await;
    stage.say("An old program that was forgotten, or is started once more, is refused, before it begins anything:");
    let forgotten = before::Deal::get(&old, ids[0].into()).await.unwrap_err();
    assert_eq!(forgotten.kind(), ErrorKind::Outdated, "{forgotten}");
    stage.show_error(&forgotten);
    let again = stage.connect("old", before::models()).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Outdated, "{again}");
    new_works.goes_on(3).await;
    let new_rounds = new_works.stop().await;

    for id in ids {
        let opportunity = after::Opportunity::get(&new, id.into()).await.unwrap();
        assert_eq!(text(opportunity.name.clone()), stage.attribute("Opportunity", id, "Name"));
    }
    assert_eq!(stage.rows("opportunities", &["name"]).len(), ids.len() + CROWD);
    let notes = after::Opportunity::get(&new, ids[0].into()).await.unwrap().notes.clone();
    assert_eq!(notes, Some(format!("asked {old_rounds} times")), "the old program's last note");
    assert_eq!(stage.commits(ids[0], "Name"), old_rounds);
    assert_eq!(stage.commits(ids[1], "Name"), new_rounds);
    assert_eq!(saves::<after::Opportunity>(&new, ids[0], "old").await, old_rounds + 1);
    assert_eq!(saves::<after::Opportunity>(&new, ids[1], "new").await, new_rounds);

    stage.tally(old_rounds, new_rounds);
    stage.show("The table `opportunities`:", "opportunities", &["name", "notes"], &["Cables and bolts", "Number 000"]);
    stage.say(
        "Rows, local fields and the history are those of the deals: the part `_carry` gave what the engine keeps of them \
         the new name, in batches, and the part `_switch` renamed the table. No record is read from CDMS again.\n\n\
         **To watch.** If the programs must not stop, keep the table's name: `#[cdms(table = \"deals\")] struct Opportunity` \
         needs no migration.",
    );
    stage.ends()
}
