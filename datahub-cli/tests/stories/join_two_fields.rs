//! Join two fields.

use datahub_runtime::Value;
use datahub_runtime::prelude::*;
use stories_after::join_two_fields as after;
use stories_before::join_two_fields as before;

use crate::cast::{CROWD, seeded, text};
use crate::document::Part;
use crate::load::{Load, Made, completed, saves};
use crate::stage::Stage;

pub(crate) async fn tell(mut stage: Stage) -> Vec<Part> {
    let ids = seeded(&stage, "Contact", ["Ada", "Blaise", "Charles"], |name, _| {
        [("FirstName", text(name)), ("LastName", text("Smith")), ("EMailAddress1", text("someone@example.org"))]
    });
    let old = stage.begin(before::models()).await;
    assert!(old.pull::<before::Contact>().await.unwrap().complete);
    for id in ids {
        let mut contact = before::Contact::get(&old, id.into()).await.unwrap();
        contact.notes = Some("met".into());
        contact.save(&old).await.unwrap();
    }

    stage.say(
        "CDMS has the first and the last name of a contact; the hub wants one name. A module joins and divides. An untouched \
         name is never divided again, so `Mary Ann | Evans` and `Mary | Ann Evans` both stay as they are in CDMS.",
    );
    stage.remodel();
    stage.say("The two old columns go in the end, with consent. What they show is in CDMS, and is not lost:");
    stage
        .run(&["migrate", "new", "one_name", "--drop", "contacts.first_name", "--drop", "contacts.last_name"])
        .await
        .says(&["contacts"]);
    stage.show_sql();
    let made = Made::default();
    let mut old_works = Load::of::<before::Contact>(&old, &ids, ids[0], |contact, round| {
        contact.first_name = Some(format!("Ada{round}"));
        contact.notes = Some(format!("met {round} times"));
    });
    let mut old_creates = Load::creating::<before::Contact>(&old, &made, |round| before::Contact {
        id: Id::new(),
        first_name: Some(format!("Old{round}")),
        last_name: "Jones".into(),
        email: None,
        notes: None,
    });
    old_works.goes_on(3).await;
    stage.say("While old programs work:");
    stage.run(&["migrate", "run"]).await.says(&["longest lock"]);
    old_works.goes_on(3).await;
    old_creates.goes_on(2).await;
    let new = stage.connect("new", after::models()).await.unwrap();
    let mut new_works = Load::of::<after::Contact>(&new, &ids, ids[1], |contact, round| {
        contact.name = format!("Blaise{round} Brown");
        contact.notes = Some(format!("written {round} times"));
    });
    let mut new_creates = Load::creating::<after::Contact>(&new, &made, |round| after::Contact {
        id: Id::new(),
        name: format!("New{round} Green"),
        email: None,
        notes: None,
    });
    new_works.goes_on(3).await;
    stage.person_edits("Contact", ids[2], "LastName", text("Babbage"));
    new_works.goes_on(3).await;
    new_creates.goes_on(2).await;
    old_creates.goes_on(2).await;
    old_works.goes_on(3).await;

    stage.say(
        "The hub has seen both attributes already, so `hub.backfill::<Contact>().await?` joins all names without asking CDMS. \
         While both versions run, each sees the other's changes with its next read.",
    );
    old_creates.stop().await;
    new_creates.stop().await;
    let (from_seen, read) = completed::<after::Contact>(&new).await;
    assert!(from_seen >= CROWD as u64 && read == 0, "{from_seen} {read}");
    new_works.goes_on(3).await;
    old_works.goes_on(3).await;
    stage.say("When the old program is gone:");
    stage.run(&["migrate", "run", "--contract"]).await.says(&["longest lock"]);
    stage.say("An old program that is still running is refused before it begins anything:");
    let (old_rounds, refusal) = old_works.until_refused().await;
    stage.show_error(&refusal);
    new_works.goes_on(3).await;
    let new_rounds = new_works.stop().await;
    stage.say(
        "What the old program wrote last is in the hub, but not in the new column yet: a backfill completes it, once more and \
         without asking CDMS.",
    );
    let (_, read) = completed::<after::Contact>(&new).await;
    assert_eq!(read, 0);
    assert!(new.completeness::<after::Contact>().await.unwrap().is_complete());

    let of_table = stage.rows("contacts", &["name"]);
    for id in ids.into_iter().chain(made.ids()) {
        let [first, last] = ["FirstName", "LastName"].map(|name| stage.attribute("Contact", id, name));
        let (Value::Text(first), Value::Text(last)) = (first, last) else { panic!("{id}") };
        assert!(of_table.contains(&vec![format!("{first} {last}")]), "{first} {last}");
    }
    let name = async |id: uuid::Uuid| after::Contact::get(&new, id.into()).await.unwrap().name.clone();
    assert_eq!(name(ids[0]).await, format!("Ada{old_rounds} Smith"));
    assert_eq!(name(ids[1]).await, format!("Blaise{new_rounds} Brown"));
    assert_eq!(name(ids[2]).await, "Charles Babbage");
    assert_eq!(stage.rows("contacts", &["name"]).len(), ids.len() + CROWD + made.ids().len());
    assert!(stage.rows("contacts", &["name"]).iter().all(|row| row[0] != "NULL" && row[0].contains(' ')));
    assert_eq!(stage.commits(ids[0], "FirstName"), old_rounds);
    assert_eq!(stage.commits(ids[1], "FirstName"), new_rounds);
    assert_eq!(saves::<after::Contact>(&new, ids[0], "old").await, old_rounds + 1);
    assert_eq!(saves::<after::Contact>(&new, ids[1], "new").await, new_rounds);
    let notes = after::Contact::get(&new, ids[0].into()).await.unwrap().notes.clone();
    assert_eq!(notes, Some(format!("met {old_rounds} times")));

    stage.tally(old_rounds, new_rounds);
    stage.show(
        "The table `contacts` afterwards:",
        "contacts",
        &["name", "email", "notes"],
        &["Charles Babbage", "Number 000 Smith"],
    );
    stage.say(
        "**To watch.** Splitting a field of CDMS in two is the same the other way round: two fields with the two attributes, \
         and the joined column dropped. `mapping_tests!` shows whether a module keeps every value.",
    );
    stage.ends()
}
