//! Split one local field in two, with SQL by hand.

use datahub_runtime::prelude::*;
use stories_after::split_a_field as after;
use stories_before::split_a_field as before;

use crate::cast::{CROWD, seeded, text};
use crate::document::Part;
use crate::load::{Load, saves};
use crate::stage::Stage;

/// What is added to the first part of the plan.
const SQLITE_EXPAND: &str = r#"
-- By hand: both parts of the hours, also of those that older programs write.
UPDATE "sites" SET "opens" = substr("hours", 1, 5), "closes" = substr("hours", 7, 5) WHERE "hours" <> '';
CREATE TRIGGER "sites_hours" AFTER UPDATE OF "hours" ON "sites"
WHEN NEW."hours" IS NOT OLD."hours" AND NEW."hours" IS NOT NULL
BEGIN
    UPDATE "sites" SET "opens" = substr(NEW."hours", 1, 5), "closes" = substr(NEW."hours", 7, 5) WHERE "id" = NEW."id";
END;
CREATE TRIGGER "sites_hours_new" AFTER INSERT ON "sites" WHEN NEW."hours" IS NOT NULL
BEGIN
    UPDATE "sites" SET "opens" = substr(NEW."hours", 1, 5), "closes" = substr(NEW."hours", 7, 5) WHERE "id" = NEW."id";
END;
"#;
const POSTGRES_EXPAND: &str = r#"
-- By hand: both parts of the hours, also of those that older programs write.
UPDATE "sites" SET "opens" = substr("hours", 1, 5), "closes" = substr("hours", 7, 5) WHERE "hours" <> '';
CREATE FUNCTION "sites_hours"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW."hours" IS NOT NULL AND (TG_OP = 'INSERT' OR NEW."hours" IS DISTINCT FROM OLD."hours") THEN
        NEW."opens" := substr(NEW."hours", 1, 5);
        NEW."closes" := substr(NEW."hours", 7, 5);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER "sites_hours" BEFORE INSERT OR UPDATE ON "sites" FOR EACH ROW EXECUTE FUNCTION "sites_hours"();
"#;
/// What the last part begins with.
const SQLITE_CONTRACT: &str = r#"-- By hand.
DROP TRIGGER "sites_hours";
DROP TRIGGER "sites_hours_new";
"#;
const POSTGRES_CONTRACT: &str = r#"-- By hand.
DROP TRIGGER "sites_hours" ON "sites";
DROP FUNCTION "sites_hours"();
"#;

pub(crate) async fn tell(mut stage: Stage) -> Vec<Part> {
    let ids = seeded(&stage, "Site", ["Aberdeen", "Bristol", "Cardiff"], |name, _| {
        [("Name", text(name)), ("Address1_City", text("somewhere"))]
    });
    let old = stage.begin(before::models()).await;
    assert!(old.pull::<before::Site>().await.unwrap().complete);
    for id in ids {
        let mut site = before::Site::get(&old, id.into()).await.unwrap();
        site.hours = "09:00-17:00".into();
        site.save(&old).await.unwrap();
    }

    stage.say(
        "When a site is open is a text of the hub alone: `09:00-17:00`. It becomes two fields. CDMS does not know the hours, \
         so the values cannot be read again and must be carried over.",
    );
    stage.remodel();
    stage.say(
        "Which half goes where, no command can know. It plans the columns, and asks for consent to drop the old one:",
    );
    stage.refuses(&["migrate", "new", "opening_hours", "--no-input"]).await.says(&["sites.hours"]);
    stage.run(&["migrate", "new", "opening_hours", "--drop", "sites.hours"]).await;
    stage.show_sql();
    stage.say(
        "The rest is written by hand into `up.sql`, before it is applied anywhere. Existing values are divided, and a trigger \
         divides those that the old program writes while both run:",
    );
    for (database, expand, contract) in
        [("sqlite", SQLITE_EXPAND, SQLITE_CONTRACT), ("postgres", POSTGRES_EXPAND, POSTGRES_CONTRACT)]
    {
        let first = stage.newest(database, "_opening_hours", "up.sql");
        stage.edit(&first, |sql| format!("{sql}{expand}"));
        let last = stage.newest(database, "_opening_hours_contract", "up.sql");
        stage.edit(&last, |sql| format!("{contract}{sql}"));
    }
    stage.say(
        "The `UPDATE` writes only rows that have hours, because it keeps other programs waiting on them, and on PostgreSQL on \
         the whole table, until the migration ends. If they are many, write the trigger here, and divide the existing values in \
         a migration of your own that commits after each batch, like the one of [the renamed field](03_rename_a_field.md).",
    );
    stage.run(&["migrate", "check"]).await;
    let mut old_works = Load::of::<before::Site>(&old, &ids, ids[0], |site, round| {
        site.town = Some(format!("Aberdeen {round}"));
        site.hours = format!("{:02}:00-{:02}:30", round % 12, 12 + round % 12);
    });
    old_works.goes_on(3).await;
    stage.run(&["migrate", "run"]).await.says(&["longest lock"]);
    old_works.goes_on(3).await;
    let new = stage.connect("new", after::models()).await.unwrap();
    let mut new_works = Load::of::<after::Site>(&new, &ids, ids[1], |site, round| {
        site.town = Some(format!("Bristol {round}"));
        site.closes = Some(format!("{:02}:45", 12 + round % 12));
    });
    new_works.goes_on(3).await;
    stage.person_edits("Site", ids[2], "Address1_City", text("Cardiff"));
    new_works.goes_on(3).await;
    old_works.goes_on(3).await;
    let aberdeen = async || after::Site::get(&new, ids[0].into()).freshness(Freshness::LocalOnly).await.unwrap();
    assert!(aberdeen().await.closes.clone().unwrap().ends_with(":30"), "the new program sees what the old one writes");

    stage.say("When the old program is gone:");
    stage.run(&["migrate", "run", "--contract"]).await.says(&["longest lock"]);
    stage.say("An old program that is still running is refused before it begins anything:");
    let (old_rounds, refusal) = old_works.until_refused().await;
    stage.show_error(&refusal);
    new_works.goes_on(3).await;
    let new_rounds = new_works.stop().await;

    let hours = |round: u64| (Some(format!("{:02}:00", round % 12)), Some(format!("{:02}:30", 12 + round % 12)));
    let site = aberdeen().await;
    assert_eq!((site.opens.clone(), site.closes.clone()), hours(old_rounds), "the old program's last hours");
    let site = after::Site::get(&new, ids[1].into()).await.unwrap();
    assert_eq!(site.opens.as_deref(), Some("09:00"));
    assert_eq!(site.closes, Some(format!("{:02}:45", 12 + new_rounds % 12)));
    let site = after::Site::get(&new, ids[2].into()).await.unwrap();
    assert_eq!((site.opens.as_deref(), site.closes.as_deref()), (Some("09:00"), Some("17:00")));
    for id in ids {
        let site = after::Site::get(&new, id.into()).await.unwrap();
        assert_eq!(text(site.town.clone().unwrap()), stage.attribute("Site", id, "Address1_City"));
    }
    assert_eq!(stage.rows("sites", &["name"]).len(), ids.len() + CROWD);
    assert_eq!(stage.commits(ids[0], "Address1_City"), old_rounds);
    assert_eq!(stage.commits(ids[1], "Address1_City"), new_rounds);
    assert_eq!(saves::<after::Site>(&new, ids[0], "old").await, old_rounds + 1);
    assert_eq!(saves::<after::Site>(&new, ids[1], "new").await, new_rounds);

    stage.tally(old_rounds, new_rounds);
    stage.show("The table `sites` afterwards:", "sites", &["name", "opens", "closes"], &["Cardiff"]);
    stage.say(
        "The history keeps the hours as they were, under their former name.\n\n\
         **To watch.** The trigger leads one way: the old program does not see hours that the new one sets. If it must, write \
         a second trigger; or do not offer the new fields in the new version until the old one is gone. A field of CDMS needs \
         none of this, because both halves are read from CDMS: [the next story](09_join_two_fields.md).",
    );
    stage.ends()
}
