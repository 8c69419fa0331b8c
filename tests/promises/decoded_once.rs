//! Each record that CDMS sends is decoded once, whatever is done with it: compared, merged, stored and given to a caller.

use std::sync::atomic::{AtomicUsize, Ordering};

use datahub_runtime::prelude::*;
use datahub_runtime::{Attributes, Fault, Finding, Value};

use crate::scene::{Scene, found};

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "counted_firms", diesel(table = false))]
struct Firm {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms(attributes("Description"), with = "counted", sql_type = "string")]
    description: Option<String>,
    #[cdms(local, sql_type = "string")]
    notes: Option<String>,
}

/// How often a row of the model was decoded, and so this field of it.
static DECODED: AtomicUsize = AtomicUsize::new(0);

/// A text as it is.
mod counted {
    use super::*;

    pub(super) fn decode(attributes: &Attributes) -> Result<Option<String>, Fault> {
        DECODED.fetch_add(1, Ordering::Relaxed);
        Ok(match attributes.get("Description") {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        })
    }

    pub(super) fn encode(text: &Option<String>, _: &Attributes) -> Result<Attributes, Fault> {
        let text = text.as_ref().map_or(Value::Null, |text| Value::text(text.as_str()));
        Ok(Attributes::from([("Description", text)]))
    }
}

/// How many rows were decoded since this was asked last.
fn decoded() -> usize {
    DECODED.swap(0, Ordering::Relaxed)
}

#[tokio::test]
async fn each_record_that_was_received_is_decoded_once() {
    let scene = Scene::new().await;
    let hub = scene.kit.hub(models![Firm]).connect().await.unwrap();
    let id: Id<Firm> = scene.account.into();
    decoded();
    let first = Firm::get(&hub, id).await.unwrap();
    assert_eq!((found(&first), decoded()), (Finding::First, 1));
    assert_eq!((found(&Firm::get(&hub, id).await.unwrap()), decoded()), (Finding::InSync, 1));
    scene.minute();
    scene.person_edits("Description", Value::text("from CDMS"));
    let mut firm = Firm::get(&hub, id).await.unwrap();
    assert_eq!((found(&firm), decoded()), (Finding::Refreshed, 1));

    firm.name = "Beta".into();
    firm.save(&hub).await.unwrap();
    assert_eq!(decoded(), 2, "the record before the write, and after it");
    firm.description = Some("from the hub".into());
    firm.save(&hub).await.unwrap();
    assert_eq!(decoded(), 2, "also where the field itself is written");
    scene.person_edits("Description", Value::text("again from CDMS"));
    firm.name = "Gamma".into();
    firm.save(&hub).await.unwrap();
    assert_eq!(decoded(), 2, "also where there is something to refresh first");
    assert_eq!(firm.description.as_deref(), Some("again from CDMS"));

    firm.notes = Some("of the hub alone".into());
    firm.save(&hub).await.unwrap();
    assert_eq!(decoded(), 1, "no record, but the row as the hub has it");
    let created = Firm::create(&hub, Firm { id: Id::new(), ..firm.into_inner() }).await.unwrap();
    assert_eq!(decoded(), 1);
    created.delete(&hub).await.unwrap();
    assert_eq!(decoded(), 1);

    scene.kit.simulator.seed("Account", [("Name", Value::text("Delta"))]);
    scene.person_edits("Name", Value::text("Epsilon"));
    let report = hub.pull::<Firm>().await.unwrap();
    let received = report.first_seen + report.refreshed + report.in_sync;
    assert!(report.first_seen > 0 && report.refreshed > 0, "{report:?}");
    assert_eq!(decoded() as u64, received, "{report:?}");
}
