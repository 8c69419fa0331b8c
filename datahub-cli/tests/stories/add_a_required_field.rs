//! Add a field that is never null.

use datahub_runtime::Value;
use datahub_runtime::prelude::*;
use stories_after::add_a_required_field as after;
use stories_before::add_a_required_field as before;

use crate::cast::{CROWD, seeded, text};
use crate::document::Part;
use crate::load::{Load, completed, saves};
use crate::stage::Stage;

pub(crate) async fn tell(mut stage: Stage) -> Vec<Part> {
    let ids = seeded(&stage, "Product", ["Anvil", "Bellows", "Chisel"], |name, number| {
        [("Name", text(name)), ("ProductNumber", text(format!("P-{number:04}")))]
    });
    let old = stage.begin(before::models()).await;
    assert!(old.pull::<before::Product>().await.unwrap().complete);
    for id in ids {
        let mut product = before::Product::get(&old, id.into()).await.unwrap();
        product.notes = Some("heavy".into());
        product.save(&old).await.unwrap();
    }

    stage.say(
        "Every product in CDMS has a number, and the hub now needs it. The contract has not mentioned the attribute so far; \
         a look at CDMS's form shows that it is required there. So it is `required` in the contract, and the field needs no \
         `Option`:",
    );
    stage.remodel();
    stage.run(&["check"]).await;
    stage.run(&["migrate", "new", "product_number"]).await;
    stage.show_sql();
    stage.say(
        "The column begins empty, because the rows have no number yet and the old program does not know it. Only the \
         last part, which waits until the old program is gone, makes it NOT NULL. Meanwhile the old program works on:",
    );
    let mut old_works = Load::of::<before::Product>(&old, &ids, ids[0], |product, round| {
        product.name = format!("Anvil, {round} kg");
        product.notes = Some(format!("weighed {round} times"));
    });
    old_works.goes_on(5).await;
    stage.run(&["migrate", "run"]).await.says(&["longest lock"]);
    old_works.goes_on(3).await;
    let new = stage.connect("new", after::models()).await.unwrap();
    let mut new_works = Load::of::<after::Product>(&new, &ids[1..], ids[1], |product, round| {
        product.number = format!("B-{round:04}");
        product.notes = Some(format!("numbered {round} times"));
    });
    new_works.goes_on(3).await;
    // The old program is the first to see this one, and stores its row without a number.
    let newcomer = stage.seed("Product", [("Name", text("Drill")), ("ProductNumber", text("P-9999"))]);
    before::Product::get(&old, newcomer.into()).await.unwrap();
    stage.person_edits("Product", ids[2], "ProductNumber", text("C-1"));
    new_works.goes_on(3).await;
    old_works.goes_on(3).await;

    stage.say(
        "The new version runs next to the old one. A read of a product completes its row at once; rows that were not \
         read yet have no number, and say so. If the last part is run too early, it refuses and names rows; the database stays \
         as it was, and both versions go on:",
    );
    stage.refuses(&["migrate", "run", "--contract"]).await.says(&["products", "number"]);
    new_works.goes_on(3).await;
    old_works.goes_on(3).await;

    stage.say(
        "`hub.backfill::<Product>().await?` reads what is missing: a list of keys and numbers, page by page, which can be \
         interrupted and goes on where it stopped. `hub.completeness::<Product>()` says how many rows are left.",
    );
    let (_, read) = completed::<after::Product>(&new).await;
    assert!(read >= CROWD as u64, "{read}");
    new_works.goes_on(3).await;
    old_works.goes_on(3).await;

    stage.say("When the old program is not needed any more:");
    stage.run(&["migrate", "run", "--contract"]).await.says(&["longest lock"]);
    stage.say("In this run, the old program was still there. It was refused before it began anything:");
    let (old_rounds, refusal) = old_works.until_refused().await;
    stage.show_error(&refusal);
    new_works.goes_on(3).await;
    let new_rounds = new_works.stop().await;

    let hub = &new;
    for id in ids.into_iter().chain([newcomer]) {
        let product = after::Product::get(hub, id.into()).await.unwrap();
        assert_eq!(text(product.number.clone()), stage.attribute("Product", id, "ProductNumber"));
        assert_eq!(text(product.name.clone()), stage.attribute("Product", id, "Name"));
    }
    assert!(stage.rows("products", &["number"]).iter().all(|row| row[0] != "NULL"));
    assert_eq!(stage.attribute("Product", newcomer, "ProductNumber"), text("P-9999"));
    assert_ne!(stage.attribute("Product", ids[0], "Name"), Value::Null);
    assert_eq!(stage.commits(ids[0], "Name"), old_rounds);
    assert_eq!(stage.commits(ids[1], "ProductNumber"), new_rounds);
    assert_eq!(saves::<after::Product>(hub, ids[0], "old").await, old_rounds + 1);
    assert_eq!(saves::<after::Product>(hub, ids[1], "new").await, new_rounds);

    stage.tally(old_rounds, new_rounds);
    stage.show(
        "The table `products` afterwards:",
        "products",
        &["name", "number", "notes"],
        &["Chisel", "Drill", "Number 000"],
    );
    stage.say(
        "**To watch.** If one record in CDMS has no number after all, its row stays without one, `hub.quarantine` names the \
         record, and the last part keeps refusing until a person fills it in there.",
    );
    stage.ends()
}
