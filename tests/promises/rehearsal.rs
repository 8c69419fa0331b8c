//! A rehearsal says what a changed mapping makes of the rows that there are: without a request, and changing nothing.

use std::future::IntoFuture;

use datahub_runtime::prelude::*;
use datahub_runtime::{FieldRehearsal, Limits, ModelRehearsal, Models, RehearsalReport, Value, rehearse};
use uuid::Uuid;

use crate::scene::{Scene, failed, says};

/// Contacts and firms as the database has them, and as a branch would have them.
mod then {
    use datahub_runtime::prelude::*;

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", diesel(table = false))]
    pub(super) struct Firm {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: String,
        #[cdms("EMailAddress1")]
        pub(super) email: Option<String>,
        #[cdms("IndustryCode")]
        pub(super) industry: Option<i32>,
        #[cdms("WebSiteURL")]
        pub(super) website: Option<String>,
        #[cdms("CreditLimit")]
        pub(super) credit: Option<rust_decimal::Decimal>,
        #[cdms("optevia_ukorganisation")]
        pub(super) uk: Option<bool>,
        #[cdms(local, sql_type = "string")]
        pub(super) notes: Option<String>,
    }
}

mod now {
    use datahub_runtime::prelude::*;
    use datahub_runtime::{FieldType, Kind, Value};

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", diesel(table = false))]
    pub(super) struct Firm {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name", was = "name")]
        pub(super) title: Upper,
        #[cdms("EMailAddress1")]
        pub(super) email: Option<Upper>,
        #[cdms("IndustryCode")]
        pub(super) industry: Option<Industry>,
        #[cdms("CreditLimit")]
        pub(super) credit: Option<rust_decimal::Decimal>,
        #[cdms("optevia_ukorganisation", default = false)]
        pub(super) uk: bool,
        #[cdms("WebSiteURL", read_only)]
        pub(super) homepage: Option<String>,
        #[cdms("Description")]
        pub(super) description: Option<String>,
        #[cdms(local, sql_type = "string")]
        pub(super) notes: Option<String>,
    }

    #[derive(Clone, Copy, Debug, PartialEq, CdmsChoice)]
    #[cdms(mapping = "account.toml", attribute = "IndustryCode")]
    pub(super) enum Industry {
        Accounting,
        Agriculture,
        Broadcasting,
        Brokers,
    }

    /// Keeps letters as capitals, and says so.
    #[derive(Clone, Debug, PartialEq)]
    pub(super) struct Upper(pub(super) String);

    impl FieldType for Upper {
        const KINDS: &'static [Kind] = &[Kind::String];

        fn from_value(value: &Value) -> Result<Self, datahub_runtime::Fault> {
            String::from_value(value).map(|text| Upper(text.to_uppercase()))
        }

        fn to_value(&self) -> Value {
            Value::text(self.0.as_str())
        }
    }
}

/// A firm whose type promises to keep every value and does not, and one that takes fewer records.
mod odd {
    use datahub_runtime::prelude::*;
    use datahub_runtime::{FieldType, Kind, Value};

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", diesel(table = false))]
    pub(super) struct Careless {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: Trimmed,
        #[cdms(local, sql_type = "string")]
        pub(super) notes: Option<String>,
    }

    #[derive(Clone, Debug, PartialEq, CdmsSynced)]
    #[cdms(mapping = "account.toml", table = "firms", only = "IndustryCode/Value eq 2", diesel(table = false))]
    pub(super) struct Farm {
        #[cdms(key)]
        pub(super) id: Id<Self>,
        #[cdms("Name")]
        pub(super) name: String,
        #[cdms(local, sql_type = "string")]
        pub(super) notes: Option<String>,
    }

    #[derive(Clone, Debug, PartialEq)]
    pub(super) struct Trimmed(pub(super) String);

    impl FieldType for Trimmed {
        const KINDS: &'static [Kind] = &[Kind::String];
        const KEEPS_ALL: bool = true;

        fn from_value(value: &Value) -> Result<Self, datahub_runtime::Fault> {
            String::from_value(value).map(|text| Trimmed(text.trim_start_matches("The ").to_owned()))
        }

        fn to_value(&self) -> Value {
            Value::text(self.0.as_str())
        }
    }
}

/// A scene whose older program has pulled four firms: two of them ordinary, one of an industry without a name and one with a
/// null where the newer mapping has a default.
async fn pulled() -> (Scene, Hub) {
    let scene = Scene::new().await;
    let seed = |name: &str, industry: i32, uk: Option<bool>| {
        let uk = uk.map_or(Value::Null, Value::Boolean);
        let known = [
            ("Name", Value::text(name)),
            ("EMailAddress1", Value::text("ada@acme.example")),
            ("IndustryCode", Value::Choice(industry)),
            ("WebSiteURL", Value::text("https://acme.example")),
            ("CreditLimit", Value::Money("12.5".parse().unwrap())),
            ("optevia_ukorganisation", uk),
        ];
        scene.kit.simulator.seed("Account", known);
    };
    seed("ALPHA", 1, Some(true));
    seed("The Beta", 2, Some(false));
    seed("Gamma", 77, None);
    let hub = scene.kit.hub(models![then::Firm]).program("then").connect().await.unwrap();
    assert_eq!(hub.pull::<then::Firm>().await.unwrap().first_seen, 4);
    (scene, hub)
}

/// A rehearsal of one model on the database of a scene, which must not change anything or send anything.
async fn rehearsed(scene: &Scene, models: Models) -> ModelRehearsal {
    let everything =
        || ["firms", "datahub_records", "datahub_history", "datahub_settings"].map(|table| scene.dump(table));
    let (before, requests) = (everything(), scene.kit.simulator.requests_met());
    let mut report = rehearse(scene.kit.database(), models).await.unwrap();
    assert_eq!((everything(), scene.kit.simulator.requests_met()), (before, requests));
    assert_eq!(report.models.len(), 1);
    report.models.remove(0)
}

#[track_caller]
fn field<'r>(report: &'r ModelRehearsal, name: &str) -> &'r FieldRehearsal {
    report.fields.iter().find(|field| field.field == name).unwrap_or_else(|| panic!("{name}: {report:#?}"))
}

#[tokio::test]
async fn a_mapping_that_stays_as_it_is_changes_nothing() {
    let (scene, hub) = pulled().await;
    let requests = scene.kit.simulator.requests_met();
    let before = hub.cost();
    let report = hub.rehearse(models![then::Firm]).fail_above(Limits::strict().changed(0).incomplete(0)).await.unwrap();
    let cost = hub.cost() - before;
    // What the table is like, and two batches, of which the last is empty.
    assert_eq!((cost.requests, cost.transactions, cost.statements), (0, 0, 5));
    assert_eq!(scene.kit.simulator.requests_met(), requests);
    let firm = &report.models[0];
    assert_eq!((firm.rows, firm.quarantined, firm.incomplete, firm.changed(), firm.lossy()), (4, 0, 0, 0, 0));
    assert!(firm.fields.iter().all(|field| field.equal == 4), "{firm:#?}");
    // CDMS has an option that the contract does not know. It can be read, and not be written.
    let unwritable: Vec<_> = firm.fields.iter().map(|field| field.unwritable).collect();
    assert_eq!((field(firm, "industry").unwritable, unwritable.iter().sum::<u64>()), (1, 1));
    assert!(firm.not_compared.is_empty() && firm.untouched_save.is_empty(), "{firm:#?}");
    // A hub need not have the models that it rehearses.
    assert_eq!(hub.rehearse(models![odd::Farm]).await.unwrap().models[0].model, "Farm");
}

#[tokio::test]
async fn each_field_says_what_becomes_of_its_values_before_the_migration_ran() {
    let (scene, _) = pulled().await;
    let report = rehearsed(&scene, models![now::Firm]).await;
    assert_eq!((report.rows, report.quarantined, report.not_of_model, report.incomplete), (4, 1, 0, 4));

    // Renamed and retyped: three names are not capitals, and a write would send the capitals, which nothing declares.
    let title = field(&report, "title");
    assert_eq!(title.compared_with.as_deref(), Some("name"));
    assert_eq!((title.equal, title.changed), (1, 3));
    assert!(
        title.changes.iter().any(|sample| (sample.before.as_str(), sample.after.as_str()) == ("\"Acme\"", "\"ACME\""))
    );
    // Of the one that cannot be converted, nothing could be written.
    assert_eq!((title.lossy, title.declared_loss), (2, 0), "{title:#?}");
    assert_eq!((title.losses[0].before.len(), title.losses.len()), (title.losses[0].after.len(), 2));

    // A personal value is counted, not shown.
    let email = field(&report, "email");
    assert_eq!((email.equal, email.changed, email.lossy), (1, 3, 2), "{email:#?}");
    assert!(email.changes.iter().all(|sample| sample.before == "text of class personal, hidden"), "{email:#?}");

    // The same number, as an option: one number has no name.
    let industry = field(&report, "industry");
    assert_eq!((industry.equal, industry.changed, industry.refused), (3, 0, 1));
    assert_eq!(report.refusals.len(), 1);
    assert!(report.refusals[0].reason.contains("IndustryCode"), "{:?}", report.refusals);
    assert_eq!((report.refusals[0].rows, report.refusals[0].records.len()), (1, 1));

    // A null becomes the default, and is not sent.
    let uk = field(&report, "uk");
    assert_eq!((uk.equal, uk.changed, uk.declared_loss, uk.lossy), (2, 2, 1, 0), "{uk:#?}");
    assert_eq!(field(&report, "credit").equal, 4);

    // A new field of a known attribute has its values, and one of an attribute that was never read has none yet.
    let homepage = field(&report, "homepage");
    assert_eq!((homepage.compared_with.as_deref(), homepage.filled, homepage.unknown), (None, 3, 0));
    let description = field(&report, "description");
    assert_eq!((description.filled, description.unknown), (0, 4));
    assert_eq!(report.not_compared, ["column website belongs to no field"]);
    assert!(report.untouched_save.is_empty(), "{:?}", report.untouched_save);
}

#[tokio::test]
async fn a_type_that_keeps_less_than_it_says_sends_what_nobody_changed() {
    let (scene, _) = pulled().await;
    let report = rehearsed(&scene, models![odd::Careless]).await;
    assert_eq!(report.untouched_save.iter().collect::<Vec<_>>(), [(&"Name".to_owned(), &1)]);
    assert_eq!((field(&report, "name").equal, field(&report, "name").lossy), (4, 1));
    let strictly = async |models| {
        let failed = rehearse(scene.kit.database(), models).fail_above(Limits::strict()).await.unwrap_err();
        let report = failed.report().unwrap().clone();
        let error = Error::from(failed);
        assert_eq!(error.kind(), ErrorKind::Misconfigured);
        (error, report)
    };
    let (error, _) = strictly(models![odd::Careless]).await;
    let sent = "Careless: 1 attributes would be sent by saves of unchanged values, the limit is 0";
    says(&error, &["Careless: 1 values would be lost, the limit is 0", sent]);
    let (error, report) = strictly(models![now::Firm]).await;
    says(&error, &["Firm: 1 rows would go to quarantine", "Firm: 4 values would be lost"]);
    // The limits can be a file of CI's.
    let limits: Limits = serde_json::from_str(r#"{"quarantined": 1, "changed": 100}"#).unwrap();
    limits.check(&report).unwrap();
    assert!(serde_json::from_str::<Limits>(r#"{"quarantine": 1}"#).is_err());
    failed_limit(Limits::none().changed(2), &report, "Firm: 8 values would change, the limit is 2");
    failed_limit(Limits::none().incomplete(0), &report, "Firm: 4 rows lack something");
}

#[track_caller]
fn failed_limit(limits: Limits, report: &RehearsalReport, part: &str) {
    says(&failed(limits.check(report), ErrorKind::Misconfigured), &[part]);
}

#[tokio::test]
async fn rows_that_would_leave_and_records_that_wait_already_are_told_apart() {
    let (scene, hub) = pulled().await;
    let report = rehearsed(&scene, models![odd::Farm]).await;
    assert_eq!((report.rows, report.not_of_model, report.quarantined), (4, 3, 0));
    let gamma: Uuid = hub_rows(&scene, "Gamma");
    scene.minute();
    scene.kit.simulator.edit("Account", gamma, [("Name", Value::Null)]);
    failed(then::Firm::get(&hub, gamma.into()).await, ErrorKind::Quarantined);
    let report = rehearsed(&scene, models![now::Firm]).await;
    assert_eq!((report.quarantined, report.already_quarantined), (0, 1));
}

/// The id of the record with this name.
fn hub_rows(scene: &Scene, name: &str) -> Uuid {
    let has_name = |id: &Uuid| {
        let record = scene.kit.simulator.record("Account", *id);
        record.is_some_and(|record| record.get("Name") == Some(&Value::text(name)))
    };
    let rows = scene.dump("datahub_records");
    let ids = rows.iter().filter_map(|row| {
        let id = row.split("id=").nth(1)?.split(' ').next()?;
        let hex: String = id.chars().filter(char::is_ascii_hexdigit).collect();
        Uuid::try_parse(&hex).ok()
    });
    ids.into_iter().find(has_name).expect("a record with this name")
}

#[tokio::test]
async fn the_report_is_markdown_for_people_and_json_for_programs() {
    let (scene, _) = pulled().await;
    let report = rehearse(scene.kit.database(), models![now::Firm]).await.unwrap();
    let page = report.to_markdown();
    for part in [
        "### Firm: 4 rows of `firms`",
        "- **1** would go to quarantine",
        "| `title` (from `name`) | 1 | 3 |",
        "| `homepage` (new) |",
        "| \"Acme\" | \"ACME\" |",
        "text of class personal, hidden",
        "- column website belongs to no field",
    ] {
        assert!(page.contains(part), "{part:?} is not in {page}");
    }
    assert!(!page.contains("ada@"), "{page}");
    let columns: Vec<_> =
        page.lines().filter(|line| line.starts_with("| `title`")).map(|line| line.matches('|').count()).collect();
    assert_eq!(columns[0], 10, "{page}");
    let json = serde_json::to_value(&report).unwrap();
    let firm = &json["models"][0];
    assert_eq!((&firm["rows"], &firm["fields"][0]["field"]), (&4.into(), &"title".into()));
    assert_eq!(firm["fields"][1]["class"], "personal");
    assert!(!json.to_string().contains("ada@"));
}

#[tokio::test]
async fn a_database_of_any_age_is_tried_as_far_as_it_goes() {
    let (scene, hub) = pulled().await;
    hub.shutdown(std::time::Duration::from_secs(60)).await;
    scene.hub.shutdown(std::time::Duration::from_secs(60)).await;
    // As a program without these columns left the engine's tables, and a column that holds something else.
    for column in ["outdated", "outdated_at", "complete_for"] {
        scene.sql(&format!("ALTER TABLE datahub_records DROP COLUMN {column}"));
    }
    scene.sql("ALTER TABLE firms DROP COLUMN credit");
    scene.sql(scene.on("ALTER TABLE firms ADD COLUMN credit BLOB", "ALTER TABLE firms ADD COLUMN credit BYTEA"));
    let report = rehearsed(&scene, models![then::Firm]).await;
    assert_eq!((report.rows, field(&report, "name").equal), (4, 4));
    assert_eq!((field(&report, "credit").compared_with.as_deref(), field(&report, "credit").filled), (None, 4));
    assert!(report.not_compared[0].starts_with("`credit`: column credit is declared"), "{:?}", report.not_compared);

    scene.sql("ALTER TABLE firms RENAME TO companies");
    let without = rehearse(scene.kit.database(), models![then::Firm]).await.unwrap();
    assert_eq!((without.models[0].rows, field(&without.models[0], "name").filled), (4, 4));
    assert!(without.models[0].not_compared[0].contains("no table firms"), "{:?}", without.models[0].not_compared);

    scene.sql("DROP TABLE datahub_records");
    let error = Error::from(rehearse(scene.kit.database(), models![then::Firm]).await.unwrap_err());
    says(&error, &["no table datahub_records"]);
    let nowhere = rehearse("sqlite:///no/such/file.db", models![then::Firm]).into_future();
    says(&Error::from(nowhere.await.unwrap_err()), &["/no/such/file.db", "no such file"]);
    assert!(!std::path::Path::new("/no").exists());
}
