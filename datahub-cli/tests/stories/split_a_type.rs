//! Split a type in two by a condition.

use datahub_runtime::Value;
use datahub_runtime::prelude::*;
use stories_after::split_a_type as after;
use stories_before::split_a_type as before;

use crate::cast::{CROWD, seeded, text};
use crate::document::Part;
use crate::load::{Load, loaded, saves};
use crate::stage::Stage;

/// What the last part begins with.
const CONTRACT: &str = r#"-- By hand: what only the hub has of partners goes with them.
UPDATE "suppliers" SET "notes" = (SELECT "notes" FROM "partners" WHERE "partners"."id" = "suppliers"."id")
WHERE "notes" IS NULL AND "id" IN (SELECT "id" FROM "partners" WHERE "notes" IS NOT NULL);
UPDATE "customers" SET "notes" = (SELECT "notes" FROM "partners" WHERE "partners"."id" = "customers"."id")
WHERE "notes" IS NULL AND "id" IN (SELECT "id" FROM "partners" WHERE "notes" IS NOT NULL);
"#;

pub(crate) async fn tell(mut stage: Stage) -> Vec<Part> {
    let ids = seeded(&stage, "new_partner", ["Argos", "Bolt", "Crane"], |name, number| {
        let kind = if number % 2 == 0 { 1 } else { 2 };
        [("new_name", text(name)), ("new_kind", Value::Choice(kind)), ("new_city", text("Leeds"))]
    });
    let old = stage.begin(before::models()).await;
    assert!(old.pull::<before::Partner>().await.unwrap().complete);
    for id in ids {
        let mut partner = before::Partner::get(&old, id.into()).await.unwrap();
        partner.notes = Some("pays".into());
        partner.save(&old).await.unwrap();
    }

    stage.say(
        "CDMS has partners, of which some supply us and some buy from us. In the hub they become two types with a table each; \
         `only` says which records of CDMS belong to which.",
    );
    stage.remodel();
    stage.say(
        "The table `partners` goes in the end, with the consent of the author. It is not renamed, because then an old and a \
         new program could not run side by side.",
    );
    stage.refuses(&["migrate", "new", "partners_apart", "--no-input"]).await.says(&["partners"]);
    stage.run(&["migrate", "new", "partners_apart", "--drop", "partners"]).await;
    stage.show_sql();
    stage.say(
        "What CDMS has is read again. What only the hub has, the notes, is carried over by hand: two statements in the last \
         part, when the old program writes no more notes, and before the table is dropped. They write only rows that have notes, \
         because others wait meanwhile.",
    );
    for database in ["sqlite", "postgres"] {
        let last = stage.newest(database, "_partners_apart_contract", "up.sql");
        stage.edit(&last, |sql| format!("{CONTRACT}{sql}"));
    }
    let mut old_works = Load::of::<before::Partner>(&old, &ids, ids[0], |partner, round| {
        partner.name = format!("Argos {round}");
        partner.notes = Some(format!("paid {round} times"));
    });
    old_works.goes_on(3).await;
    stage.run(&["migrate", "run"]).await.says(&["longest lock"]);
    old_works.goes_on(3).await;
    let new = stage.connect("new", after::models()).await.unwrap();
    stage.say(
        "Both new tables are filled by pulls, which ask CDMS only for the records that satisfy `only`: \
         `hub.pull::<Supplier>().await?` and `hub.pull::<Customer>().await?`. A record that the old \
         program is writing at that moment is left out and counted in the report (`pending`); then pull again.",
    );
    loaded::<after::Supplier>(&new).await;
    loaded::<after::Customer>(&new).await;
    let mut new_works = Load::of::<after::Customer>(&new, &ids[1..2], ids[1], |customer, round| {
        customer.name = format!("Bolt {round}");
        customer.notes = Some(format!("bought {round} times"));
    });
    new_works.goes_on(3).await;
    // A supplier becomes a customer.
    after::Supplier::get(&new, ids[2].into()).await.unwrap();
    stage.person_edits("new_partner", ids[2], "new_kind", Value::Choice(2));
    let moved = after::Supplier::get(&new, ids[2].into()).await.unwrap_err();
    assert_eq!(moved.kind(), ErrorKind::Gone, "{moved}");
    after::Customer::get(&new, ids[2].into()).await.unwrap();
    new_works.goes_on(3).await;
    old_works.goes_on(3).await;
    stage.say(
        "In this run, a person made a supplier a customer in CDMS meanwhile. For the old program that is a changed field; \
         for the new one the record has left suppliers and is found among customers:",
    );
    stage.show_error(&moved);

    stage.say("When the old program is gone:");
    stage.run(&["migrate", "run", "--contract"]).await.says(&["longest lock"]);
    stage.say("An old program that is still running is refused before it begins anything:");
    let (old_rounds, refusal) = old_works.until_refused().await;
    stage.show_error(&refusal);
    new_works.goes_on(3).await;
    let new_rounds = new_works.stop().await;

    let supplier = after::Supplier::get(&new, ids[0].into()).await.unwrap();
    assert_eq!(supplier.name, format!("Argos {old_rounds}"));
    assert_eq!(
        supplier.notes,
        Some(format!("paid {old_rounds} times")),
        "the old program's last note was carried over"
    );
    let customer = after::Customer::get(&new, ids[1].into()).await.unwrap();
    assert_eq!(customer.notes, Some(format!("bought {new_rounds} times")), "the new program's note stays");
    let customer = after::Customer::get(&new, ids[2].into()).await.unwrap();
    assert_eq!((customer.name.as_str(), customer.notes.as_deref()), ("Crane", Some("pays")));
    let (suppliers, customers) = (stage.rows("suppliers", &["name"]).len(), stage.rows("customers", &["name"]).len());
    assert_eq!((suppliers, customers), (CROWD / 2 + 1, CROWD / 2 + 2));
    assert_eq!(stage.commits(ids[0], "new_name"), old_rounds);
    assert_eq!(stage.commits(ids[1], "new_name"), new_rounds);
    assert_eq!(saves::<after::Supplier>(&new, ids[0], "old").await, old_rounds + 1, "the history is the record's");
    assert_eq!(saves::<after::Customer>(&new, ids[1], "new").await, new_rounds);

    stage.tally(old_rounds, new_rounds);
    stage.show("The table `customers` afterwards:", "customers", &["name", "town", "notes"], &["Crane", "Number 000"]);
    stage.say(
        "The history belongs to the record and not to the table: `Supplier::history` also has what happened to the partner.\n\n\
         **To watch.** `only` is evaluated by CDMS when lists are read and by the hub for each record. A record that \
         satisfies neither condition is in no table; `check` cannot know whether there are such records, but a pull of the \
         old type and the counts of both new ones can.",
    );
    stage.ends()
}
