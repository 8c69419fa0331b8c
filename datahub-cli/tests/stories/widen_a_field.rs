//! Give a field a kind that can hold more.

use datahub_runtime::Value;
use datahub_runtime::prelude::*;
use stories_after::widen_a_field as after;
use stories_before::widen_a_field as before;

use crate::cast::{CROWD, seeded, text};
use crate::document::Part;
use crate::load::{Load, saves};
use crate::stage::Stage;

fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse().unwrap())
}

pub(crate) async fn tell(mut stage: Stage) -> Vec<Part> {
    let ids = seeded(&stage, "Invoice", ["Anvils", "Bellows", "Chisels"], |name, _| {
        [("Name", text(name)), ("new_Discount", decimal("12.5"))]
    });
    let old = stage.begin(before::models()).await;
    assert!(old.pull::<before::Invoice>().await.unwrap().complete);
    for id in ids {
        let mut invoice = before::Invoice::get(&old, id.into()).await.unwrap();
        invoice.notes = Some("paid".into());
        invoice.save(&old).await.unwrap();
    }

    stage.say(
        "CDMS's administrators gave discounts four decimal places. The hub's contract says two, so the first invoice with \
         more is refused: it is never rounded silently. The row stays, and the record waits in quarantine.",
    );
    stage.person_edits("Invoice", ids[2], "new_Discount", decimal("12.3456"));
    let unfit = before::Invoice::get(&old, ids[2].into()).await.unwrap_err();
    assert_eq!(unfit.kind(), ErrorKind::Quarantined);
    stage.show_error(&unfit);
    stage.say("The contract is corrected. The struct stays as it is:");
    stage.remodel();
    stage.run(&["migrate", "new", "finer_discounts"]).await;
    stage.show_sql();
    stage.say(
        "Decimals are stored as whole numbers of their last digit, so that they are exact. With more digits each stored \
         number is another one, and a column cannot be both at once: this change does not overlap. What can be prepared is \
         prepared while the old program works:",
    );
    let mut old_works = Load::of::<before::Invoice>(&old, &ids[..2], ids[0], |invoice, round| {
        invoice.discount = Some(rust_decimal::Decimal::new(round as i64, 2));
        invoice.notes = Some(format!("negotiated {round} times"));
    });
    old_works.goes_on(3).await;
    stage.run(&["migrate", "run"]).await;
    old_works.goes_on(3).await;

    stage.say("Then the old program is stopped, the rest is executed, and the new program starts:");
    let old_rounds = old_works.stop().await;
    stage.run(&["migrate", "run", "--contract"]).await.says(&["longest lock"]);
    let new = stage.connect("new", after::models()).await.unwrap();
    let mut new_works = Load::of::<after::Invoice>(&new, &ids, ids[1], |invoice, round| {
        invoice.discount = Some(rust_decimal::Decimal::new(round as i64, 4));
    });
    new_works.goes_on(3).await;
    stage.say("An old program that was forgotten is refused:");
    let forgotten = before::Invoice::get(&old, ids[0].into()).await.unwrap_err();
    assert_eq!(forgotten.kind(), ErrorKind::Outdated, "{forgotten}");
    stage.show_error(&forgotten);
    new_works.goes_on(3).await;
    let new_rounds = new_works.stop().await;

    for id in ids {
        let invoice = after::Invoice::get(&new, id.into()).await.unwrap();
        assert_eq!(Value::Decimal(invoice.discount.unwrap()), stage.attribute("Invoice", id, "new_Discount"));
    }
    assert!(new.quarantine(10).await.unwrap().is_empty(), "a read took it out of quarantine");
    assert_eq!(stage.rows("invoices", &["discount"]).iter().filter(|row| row[0] == "125000").count(), CROWD);
    assert_eq!(stage.commits(ids[0], "new_Discount"), old_rounds);
    assert_eq!(stage.commits(ids[1], "new_Discount"), new_rounds);
    assert_eq!(saves::<after::Invoice>(&new, ids[0], "old").await, old_rounds + 1);
    assert_eq!(saves::<after::Invoice>(&new, ids[1], "new").await, new_rounds);
    let notes = after::Invoice::get(&new, ids[0].into()).await.unwrap().notes.clone();
    assert_eq!(notes, Some(format!("negotiated {old_rounds} times")));

    stage.tally(old_rounds, new_rounds);
    stage.show(
        "The table `invoices` afterwards, in units of 1/10,000. A discount of 12.5 is still 12.5, and the refused one \
         arrived with the next read:",
        "invoices",
        &["name", "discount", "notes"],
        &["Chisels", "Number 000"],
    );
    stage.say(
        "**To watch.** Not every widening needs a migration. A larger `max-length` is a change of the contract alone, and a \
         field that becomes an `Option` overlaps: older programs go on as before.",
    );
    stage.ends()
}
