//! The main job, shown on the terminal: a model is kept in sync between SQLite and a simulated CDMS over HTTP.
//!
//! `cargo run --example quickstart`. Every step prints its cost and checks its claims; a failed check ends the program
//! with status 1.

mod person;
mod story;

use std::process::ExitCode;
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation};
use datahub_runtime::{EntryKind, Finding, Instant, Note, Reference, Value};

use example_domain::{Contact, Organisation, Phone, Sector};
use person::Person;
use story::{StepResult, Story};

#[tokio::main]
async fn main() -> ExitCode {
    let mut story = Story::begin("Data Hub Sync: one organisation, two systems, nothing lost");
    match play(&mut story).await {
        Ok(()) => {
            story.end();
            ExitCode::SUCCESS
        }
        Err(error) => {
            story.broken(&error);
            ExitCode::FAILURE
        }
    }
}

async fn play(story: &mut Story) -> StepResult<()> {
    // A CDMS on a free port, with the entities and attributes of a real one, and a hub on a SQLite file.
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.max_length("Account", "Name", 160));
    let hub = kit.hub(example_domain::models()).program("quickstart").connect().await?.acting_as("ada@example.gov.uk");
    let person = Person::at(kit.simulator.service_root());
    story.note(&format!("CDMS    {}", kit.simulator.service_root()));
    story.note(&format!("Data Hub  SQLite, {} models", example_domain::models().iter().len()));

    let food = kit.simulator.seed("optevia_sector", [("optevia_name", Value::text("Food"))]);
    let sector = Value::Lookup(Reference { logical_name: "optevia_sector".into(), id: food });
    let account = kit.simulator.seed(
        "Account",
        [
            ("Name", Value::text("Acme")),
            ("optevia_Sector", sector),
            ("optevia_TownCity", Value::text("Leeds")),
            ("optevia_CountryCode", Value::text("+44")),
            ("optevia_AreaCode", Value::text("113")),
            ("optevia_TelephoneNumber", Value::text("4960000")),
            ("CreditLimit", Value::Money("5000".parse()?)),
        ],
    );
    let id: Id<Organisation> = account.into();

    let step = story.step(&hub, "Data Hub meets the organisation for the first time");
    let org = Organisation::get(&hub, id).await?;
    step.check(org.name == "Acme", "its name was read from CDMS")?;
    step.check(org.sector == Some(food.into()), "its sector is a typed reference")?;
    step.check(org.phone == Some(Phone::new("+44 113 4960000")), "three CDMS attributes became one telephone number")?;
    step.check(found(&org) == Some(Finding::First), "it was new to the hub")?;
    // First contact finds out once which organisation this CDMS is.
    step.cost(2)?;

    let step = story.step(&hub, "It is read again, in sync");
    let org = Organisation::get(&hub, id).await?;
    step.check(found(&org) == Some(Finding::InSync), "both sides were compared and are equal")?;
    let sector = Sector::get(&hub, food.into()).freshness(Freshness::LocalOnly).await;
    step.check(sector.is_err(), "a sector that was never read is not in the hub")?;
    step.cost(1)?;

    let step = story.step(&hub, "A person changes it in CDMS, with an ordinary OData MERGE");
    kit.advance(Duration::from_secs(60));
    person.merge("AccountSet", account, r#"{"Name":"Acme Foods"}"#).await?;
    let mut org = Organisation::get(&hub, id).await?;
    step.check(org.name == "Acme Foods", "the next read has the new name")?;
    step.check(found(&org) == Some(Finding::Refreshed), "and the hub's row was refreshed")?;
    step.cost(1)?;

    let step = story.step(&hub, "Data Hub changes it");
    kit.advance(Duration::from_secs(60));
    org.website = Some("https://acme.example".into());
    org.save(&hub).await?;
    step.check(text(&kit, account, "WebSiteURL") == "https://acme.example", "CDMS has the new web site")?;
    let sent = kit.simulator.log().last().map(|commit| commit.sent.clone()).unwrap_or_default();
    step.check(sent == ["WebSiteURL", "optevia_PAFOverride"], "only the change and the contract's constant were sent")?;
    step.cost(3)?;

    let step = story.step(&hub, "Both sides change different fields, starting from the same version");
    kit.advance(Duration::from_secs(60));
    person.merge("AccountSet", account, r#"{"optevia_TownCity":"York"}"#).await?;
    org.description = "Biscuits".into();
    org.save(&hub).await?;
    step.check(org.registered_address.town.as_deref() == Some("York"), "CDMS's new town is in the hub")?;
    step.check(text(&kit, account, "Description") == "Biscuits", "Data Hub's description is in CDMS")?;
    step.check(text(&kit, account, "optevia_TownCity") == "York", "and did not overwrite the town")?;
    step.cost(3)?;

    let step = story.step(&hub, "Both sides change the same field");
    kit.advance(Duration::from_secs(60));
    person.merge("AccountSet", account, r#"{"Name":"Acme Bakery"}"#).await?;
    org.name = "Acme Biscuits".into();
    org.save(&hub).await?;
    step.check(text(&kit, account, "Name") == "Acme Biscuits", "the last writer wins")?;
    let kept = Organisation::history(&hub, id).await?;
    let kept = kept
        .iter()
        .flat_map(|entry| &entry.changes)
        .any(|change| change.note == Note::Conflict && change.from == Some(Value::text("Acme Bakery")));
    step.check(kept, "and the history keeps the other value, marked as a conflict")?;
    step.cost(3)?;

    let step = story.step(&hub, "CDMS refuses a write");
    let before = kit.simulator.record("Account", account);
    kit.simulator.fault(FaultRule::new(Fault::PlugIn("No biscuits on Mondays.".into())).on(Operation::Update).times(1));
    org.alias = "Crumbs".into();
    let refused = org.save(&hub).await;
    let reason = refused.as_ref().err().map(ToString::to_string).unwrap_or_default();
    step.check(kind(&refused) == Some(ErrorKind::Rejected), "the caller gets an error")?;
    step.check(reason.contains("No biscuits on Mondays."), "in CDMS's own words")?;
    step.check(kit.simulator.record("Account", account) == before, "nothing changed in CDMS")?;
    let row = Organisation::get(&hub, id).freshness(Freshness::LocalOnly).await?;
    step.check(row.alias.is_empty(), "nothing changed in the hub")?;
    step.cost(2)?;
    step.says(&reason);

    let step = story.step(&hub, "The row is newer than CDMS, as after a restore of its backup");
    let now = kit.simulator.clock().now_ms();
    let restored = [("ModifiedOn", Value::Instant(Instant(now - 3_600_000))), ("Name", Value::text("Acme"))];
    kit.simulator.overwrite("Account", account, restored);
    let refused = Organisation::get(&hub, id).await.map(drop);
    step.check(kind(&refused) == Some(ErrorKind::LocalNewer), "the hub does not overwrite silently")?;
    step.cost(2)?;
    if let Some(before) = before {
        kit.simulator.overwrite("Account", account, before);
    }

    let step = story.step(&hub, "Data Hub creates a contact of the organisation, and deletes it again");
    let contact =
        Contact { organisation: Some(id), first_name: Some("Ada Grace".into()), ..Contact::named("Lovelace") };
    let contact = Contact::create(&hub, contact).await?;
    let contact_id = contact.id();
    step.check(
        text(&kit, contact_id.guid(), "MiddleName") == "Grace",
        "CDMS has it, the names in their own attributes",
    )?;
    contact.delete(&hub).await.map_err(Error::from)?;
    step.check(kit.simulator.record("Contact", contact_id.guid()).is_none(), "it is gone from CDMS")?;
    let gone = Contact::get(&hub, contact_id).freshness(Freshness::LocalOnly).await.map(drop);
    step.check(kind(&gone) == Some(ErrorKind::Gone), "and from the hub")?;
    let ends = Contact::history(&hub, contact_id).await?;
    step.check(ends.last().map(|entry| entry.kind) == Some(EntryKind::Deleted), "its history keeps the last values")?;
    // One POST; one GET and one DELETE.
    step.cost(3)?;

    let step = story.step(&hub, "CDMS goes away");
    kit.simulator.go_away();
    let away = Organisation::get(&hub, id).await.map(drop);
    step.check(kind(&away) == Some(ErrorKind::Unavailable), "an ordinary read fails")?;
    let row = Organisation::get(&hub, id).or_local().await?;
    step.check(row.name == "Acme Biscuits", "`or_local()` still answers")?;
    step.check(!row.checked().is_fresh(), "and says that CDMS did not confirm the answer")?;
    kit.simulator.come_back();
    step.cost(2)?;

    let step = story.step(&hub, "The organisation's history: when, where, what, who");
    let history = Organisation::history(&hub, id).await?;
    let kinds: Vec<_> = history.iter().map(|entry| entry.kind).collect();
    step.cost(0)?;
    for entry in &history {
        step.says(&entry.to_string());
    }
    use EntryKind::{FirstSeen, Refreshed, Updated};
    let expected = [FirstSeen, Refreshed, Updated, Refreshed, Updated, Refreshed, Updated];
    step.check(kinds == expected, "it has every change of both sides, in order")?;

    hub.shutdown(Duration::from_secs(10)).await;
    Ok(())
}

/// How a read found the record.
fn found<T: CdmsSynced>(value: &Synced<T>) -> Option<Finding> {
    match value.checked() {
        Checked::At { found, .. } => Some(found),
        _ => None,
    }
}

fn kind<T>(result: &Result<T, Error>) -> Option<ErrorKind> {
    result.as_ref().err().map(Error::kind)
}

/// A text attribute of a record in CDMS, an account or a contact.
fn text(kit: &Kit, id: impl Into<uuid::Uuid>, attribute: &str) -> String {
    let id = id.into();
    let record = ["Account", "Contact"].into_iter().find_map(|entity| kit.simulator.record(entity, id));
    match record.as_ref().and_then(|record| record.get(attribute)) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    }
}
