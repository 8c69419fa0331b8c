//! Give a field a kind that can hold less.

use datahub_runtime::prelude::*;
use stories_after::narrow_a_field as after;
use stories_before::narrow_a_field as before;

use crate::cast::{seeded, text};
use crate::document::Part;
use crate::load::{Load, saves};
use crate::stage::Stage;

pub(crate) async fn tell(mut stage: Stage) -> Vec<Part> {
    let ids = seeded(&stage, "Campaign", ["Autumn", "Bonfire", "Christmas"], |name, _| [("Name", text(name))]);
    let old = stage.begin(before::models()).await;
    assert!(old.pull::<before::Campaign>().await.unwrap().complete);
    for (id, reached) in ids.into_iter().zip([100, 200, 5_000_000_000]) {
        let mut campaign = before::Campaign::get(&old, id.into()).await.unwrap();
        campaign.reached = reached;
        campaign.save(&old).await.unwrap();
    }

    stage.say(
        "How many people a campaign has reached is a 64-bit number of the hub. 32 bits are enough, or so it seems:",
    );
    stage.remodel();
    stage.run(&["migrate", "new", "fewer_bits"]).await;
    stage.show_sql();
    stage.say("This plan loses no value silently: it asks the data first. While the old program works:");
    let mut old_works = Load::of::<before::Campaign>(&old, &ids, ids[0], |campaign, round| {
        campaign.name = format!("Autumn, day {round}");
        campaign.reached += 1;
    });
    old_works.goes_on(3).await;
    stage.run(&["migrate", "run"]).await;
    old_works.goes_on(3).await;
    stage.person_edits("Campaign", ids[1], "Name", text("Bonfire night"));
    let old_rounds = old_works.stop().await;
    stage.say("Then it is stopped, because a column has one type at a time. But there is a value that does not fit:");
    stage.refuses(&["migrate", "run", "--contract"]).await.says(&["campaigns.reached"]);
    stage.say("The database is as it was, so the old program can be started again, and the number is corrected:");
    let old_again = stage.connect("old", before::models()).await.unwrap();
    let mut christmas = before::Campaign::get(&old_again, ids[2].into()).await.unwrap();
    assert_eq!(christmas.reached, 5_000_000_000);
    christmas.reached = 5_000_000;
    christmas.save(&old_again).await.unwrap();
    stage.say("```rust,ignore\nchristmas.reached = 5_000_000;\nchristmas.save(&hub).await?;\n```");
    stage.run(&["migrate", "run", "--contract"]).await.says(&["longest lock"]);

    let new = stage.connect("new", after::models()).await.unwrap();
    let mut new_works = Load::of::<after::Campaign>(&new, &ids, ids[1], |campaign, round| {
        campaign.name = format!("Bonfire night {round}");
        campaign.reached += 1;
    });
    new_works.goes_on(3).await;
    stage.say("An old program that was forgotten is refused:");
    let forgotten = before::Campaign::get(&old_again, ids[0].into()).await.unwrap_err();
    assert_eq!(forgotten.kind(), ErrorKind::Outdated, "{forgotten}");
    stage.show_error(&forgotten);
    new_works.goes_on(3).await;
    let new_rounds = new_works.stop().await;

    let mut reached = Vec::new();
    for id in ids {
        let campaign = after::Campaign::get(&new, id.into()).await.unwrap();
        assert_eq!(text(campaign.name.clone()), stage.attribute("Campaign", id, "Name"));
        reached.push(campaign.reached as u64);
    }
    assert_eq!(reached, [100 + old_rounds, 200 + new_rounds, 5_000_000]);
    assert_eq!(stage.commits(ids[0], "Name"), old_rounds);
    assert_eq!(stage.commits(ids[1], "Name"), new_rounds);
    assert_eq!(saves::<after::Campaign>(&new, ids[0], "old").await, old_rounds + 1);
    assert_eq!(saves::<after::Campaign>(&new, ids[2], "old").await, 2);

    stage.tally(old_rounds, new_rounds);
    stage.show("The table `campaigns` afterwards:", "campaigns", &["name", "reached"], &["Christmas", "Number 000"]);
    stage.say(
        "The history still has the number that was too large.\n\n\
         **To watch.** The question is asked again at the moment of the change, in the same transaction: a value that came \
         in between is not lost either.",
    );
    stage.ends()
}
