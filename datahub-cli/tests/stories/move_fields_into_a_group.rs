//! Move fields into a group.

use datahub_runtime::prelude::*;
use stories_after::move_fields_into_a_group as after;
use stories_before::move_fields_into_a_group as before;

use crate::cast::{seeded, text};
use crate::document::Part;
use crate::load::{Load, saves};
use crate::stage::Stage;

pub(crate) async fn tell(mut stage: Stage) -> Vec<Part> {
    let ids = seeded(&stage, "Competitor", ["Argon", "Boron", "Carbon"], |name, number| {
        [
            ("Name", text(name)),
            ("Address1_Line1", text(format!("{number} High Street"))),
            ("Address1_City", text("Leeds")),
        ]
    });
    let old = stage.begin(before::models()).await;
    assert!(old.pull::<before::Competitor>().await.unwrap().complete);
    for id in ids {
        let mut competitor = before::Competitor::get(&old, id.into()).await.unwrap();
        competitor.notes = Some("watch".into());
        competitor.save(&old).await.unwrap();
    }

    stage.say(
        "A street and a town belong together, and other models have them too. They become a group: one struct, which models \
         embed. Its columns are called after the field, `address_street` and `address_town`.",
    );
    stage.remodel();
    stage.say(
        "For the command, two columns are gone and two others of the same kind have appeared. It does not guess. On a terminal \
         it asks; without one it says what to write:",
    );
    stage.refuses(&["migrate", "new", "address", "--no-input"]).await.says(&["street", "address_street"]);
    let renames = ["competitors.street=address_street", "competitors.town=address_town"];
    stage.run(&["migrate", "new", "address", "--rename", renames[0], "--rename", renames[1]]).await;
    stage.show_sql();
    stage.say("From here on it is a [renamed field](03_rename_a_field.md), twice: both columns exist, and triggers keep them equal.");
    let mut old_works = Load::of::<before::Competitor>(&old, &ids, ids[0], |competitor, round| {
        competitor.street = Some(format!("{round} Low Street"));
        competitor.notes = Some(format!("watched {round} times"));
    });
    old_works.goes_on(3).await;
    stage.run(&["migrate", "run"]).await.says(&["longest lock"]);
    old_works.goes_on(3).await;
    let new = stage.connect("new", after::models()).await.unwrap();
    let mut new_works = Load::of::<after::Competitor>(&new, &ids, ids[1], |competitor, round| {
        competitor.address.town = Some(format!("Town {round}"));
        competitor.notes = Some(format!("visited {round} times"));
    });
    new_works.goes_on(3).await;
    stage.person_edits("Competitor", ids[2], "Address1_City", text("York"));
    new_works.goes_on(3).await;
    old_works.goes_on(3).await;
    let pairs = ["street", "address_street", "town", "address_town"];
    assert!(stage.rows("competitors", &pairs).iter().all(|row| row[0] == row[1] && row[2] == row[3]));

    stage.say("When the old program is gone:");
    stage.run(&["migrate", "run", "--contract"]).await.says(&["longest lock"]);
    stage.say("An old program that is still running is refused before it begins anything:");
    let (old_rounds, refusal) = old_works.until_refused().await;
    stage.show_error(&refusal);
    new_works.goes_on(3).await;
    let new_rounds = new_works.stop().await;

    for id in ids {
        let competitor = after::Competitor::get(&new, id.into()).await.unwrap();
        let after::Address { street, town } = competitor.address.clone();
        assert_eq!(text(street.unwrap()), stage.attribute("Competitor", id, "Address1_Line1"));
        assert_eq!(text(town.unwrap()), stage.attribute("Competitor", id, "Address1_City"));
    }
    assert_eq!(stage.commits(ids[0], "Address1_Line1"), old_rounds);
    assert_eq!(stage.commits(ids[1], "Address1_City"), new_rounds);
    assert_eq!(saves::<after::Competitor>(&new, ids[0], "old").await, old_rounds + 1);
    assert_eq!(saves::<after::Competitor>(&new, ids[1], "new").await, new_rounds);
    let notes = after::Competitor::get(&new, ids[0].into()).await.unwrap().notes.clone();
    assert_eq!(notes, Some(format!("watched {old_rounds} times")));

    stage.tally(old_rounds, new_rounds);
    stage.show(
        "The table `competitors` afterwards:",
        "competitors",
        &["name", "address_street", "address_town", "notes"],
        &["Carbon", "Number 000"],
    );
    stage.say(
        "**To watch.** With `prefix = \"\"` the columns keep their names, and no migration is needed; then the group is a matter \
         of the Rust code alone.",
    );
    stage.ends()
}
