//! Drop a type.

use datahub_runtime::prelude::*;
use stories_after::drop_a_type as after;
use stories_before::drop_a_type as before;

use crate::cast::{CROWD, seeded, text};
use crate::document::Part;
use crate::load::{Load, saves};
use crate::stage::Stage;

pub(crate) async fn tell(mut stage: Stage) -> Vec<Part> {
    let drills = seeded(&stage, "Equipment", ["Auger", "Bit", "Chuck"], |name, _| [("Name", text(name))]);
    let leaflets = seeded(&stage, "SalesLiterature", ["Adverts", "Books", "Cards"], |name, _| {
        [("Name", text(name)), ("Description", text("on paper"))]
    });
    let old = stage.begin(before::models()).await;
    assert!(old.pull::<before::Equipment>().await.unwrap().complete);
    assert!(old.pull::<before::Leaflet>().await.unwrap().complete);
    let mut books = before::Leaflet::get(&old, leaflets[1].into()).await.unwrap();
    books.printed = 500;
    books.save(&old).await.unwrap();

    stage.say("Leaflets are not printed any more, and the hub shall forget them. The struct and its contract go:");
    stage.remodel();
    stage.say("With a table, everything goes that only the hub has in it. So the command asks for consent by name:");
    stage.refuses(&["migrate", "new", "no_leaflets", "--no-input"]).await.says(&["leaflets", "history"]);
    stage.run(&["migrate", "new", "no_leaflets", "--drop", "leaflets"]).await;
    stage.show_sql();
    stage.say("The table stays as long as the old program is in use:");
    let mut old_works = Load::of::<before::Leaflet>(&old, &leaflets, leaflets[0], |leaflet, round| {
        leaflet.name = format!("Adverts {round}");
        leaflet.printed += 1;
    });
    let mut old_lends = Load::of::<before::Equipment>(&old, &drills, drills[0], |equipment, round| {
        equipment.name = format!("Auger {round}");
        equipment.notes = Some(format!("lent {round} times"));
    });
    old_works.goes_on(3).await;
    stage.run(&["migrate", "run"]).await;
    old_works.goes_on(3).await;
    let new = stage.connect("new", after::models()).await.unwrap();
    let mut new_works = Load::of::<after::Equipment>(&new, &drills, drills[1], |equipment, round| {
        equipment.name = format!("Bit {round}");
        equipment.notes = Some(format!("lent {round} times"));
    });
    new_works.goes_on(3).await;
    stage.person_edits("SalesLiterature", leaflets[2], "Description", text("on cardboard"));
    stage.person_edits("Equipment", drills[2], "Name", text("Chuck and key"));
    new_works.goes_on(3).await;
    old_works.goes_on(3).await;

    stage.say("When the old program is gone:");
    stage.run(&["migrate", "run", "--contract"]).await.says(&["longest lock"]);
    stage.say(
        "An old program that is still running is refused when it begins anything with leaflets, and goes on with everything else:",
    );
    let (old_rounds, refusal) = old_works.until_refused().await;
    stage.show_error(&refusal);
    old_lends.goes_on(3).await;
    new_works.goes_on(3).await;
    let (lent, new_rounds) = (old_lends.stop().await, new_works.stop().await);

    for id in drills {
        let equipment = after::Equipment::get(&new, id.into()).await.unwrap();
        assert_eq!(text(equipment.name.clone()), stage.attribute("Equipment", id, "Name"));
    }
    assert_eq!(stage.rows("equipment", &["name"]).len(), drills.len() + CROWD);
    let refused = stage.connect("old", before::models()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Outdated, "{refused}");
    assert_eq!(
        stage.attribute("SalesLiterature", leaflets[0], "Name"),
        text(format!("Adverts {old_rounds}")),
        "CDMS keeps it"
    );
    assert_eq!(stage.attribute("SalesLiterature", leaflets[2], "Description"), text("on cardboard"));
    assert_eq!(stage.commits(leaflets[0], "Name"), old_rounds);
    assert_eq!(stage.commits(drills[1], "Name"), new_rounds);
    assert_eq!(saves::<after::Equipment>(&new, drills[0], "old").await, lent);
    let history = stage.kit.rows_of("datahub_history");
    let is_save = |row: &&String| {
        row.contains("SalesLiterature")
            && ["kind='updated'", "kind='local_changed'"].iter().any(|kind| row.contains(kind))
    };
    let kept = history.iter().filter(is_save).count();
    assert_eq!(kept as u64, old_rounds + 1, "the history keeps every save of the type that is gone");

    stage.tally(old_rounds, new_rounds);
    stage.say(
        "CDMS has its records, as before. The history keeps what happened to leaflets: their entries stay in \
         `datahub_history`, under the entity `SalesLiterature`, and a model of that entity in a later version reads them \
         again.\n\n\
         **To watch.** If only CDMS is going away and the type stays, do not drop it: `mode = \"detached\"` keeps the table and \
         asks CDMS no more.",
    );
    stage.ends()
}
