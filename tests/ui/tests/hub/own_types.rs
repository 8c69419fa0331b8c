//! Types of one's own on plain attributes: each passes through the hub, the history and Diesel as what it is.

use chrono::{DateTime, Utc};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{Fault, FieldType, Instant, Kind, OnConflict, Value, models};
use diesel::prelude::*;
use rust_decimal::Decimal;

use crate::METADATA;

/// Newtypes over what they hold.
macro_rules! newtypes {
    ($($name:ident($inside:ty): $kind:ident),* $(,)?) => {$(
        #[derive(Clone, Debug, PartialEq)]
        struct $name($inside);

        impl FieldType for $name {
            const KINDS: &'static [Kind] = &[Kind::$kind];

            fn from_value(value: &Value) -> Result<Self, Fault> {
                <$inside>::from_value(value).map($name)
            }

            fn to_value(&self) -> Value {
                self.0.to_value()
            }
        }
    )*};
}

newtypes! {
    Title(String): String,
    Headcount(i32): Integer,
    Credit(Decimal): Money,
    Seen(DateTime<Utc>): DateTime,
    Owner(Id<Firm>): Lookup,
}

/// A code that has no lowercase letters.
#[derive(Clone, Debug, PartialEq)]
struct Code(String);

impl FieldType for Code {
    const KINDS: &'static [Kind] = String::KINDS;

    fn from_value(value: &Value) -> Result<Self, Fault> {
        let text = String::from_value(value)?;
        if text.chars().any(|letter| letter.is_ascii_lowercase()) {
            return Err(Fault::new("has lowercase letters").value(value));
        }
        Ok(Code(text))
    }

    fn to_value(&self) -> Value {
        Value::text(self.0.as_str())
    }
}

/// A firm, none of whose fields is of a plain type.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "firms_of_ours")]
struct Firm {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: Title,
    #[cdms("Alias")]
    code: Option<Code>,
    #[cdms("Employees", default = Headcount(1))]
    employees: Headcount,
    #[cdms("CreditLimit")]
    credit: Option<Credit>,
    #[cdms("Parent")]
    parent: Option<Owner>,
    #[cdms(local, sql_type = "datetime", default = Seen(DateTime::UNIX_EPOCH))]
    seen: Seen,
}

mod nothing_is_lost {
    datahub_runtime::mapping_tests!(super::Firm);
}

#[tokio::test]
async fn they_are_read_written_kept_and_refused_as_what_they_are() {
    let kit = Kit::new(METADATA);
    let hub = kit.hub(models![Firm]).create_tables().connect().await.unwrap();
    let parent = Id::new();
    let new = Firm {
        id: Id::new(),
        name: Title("Acme".into()),
        code: Some(Code("AC".into())),
        employees: Headcount(1),
        credit: Some(Credit(Decimal::new(12_345, 2))),
        parent: Some(Owner(parent)),
        seen: Seen(Instant(1_000).to_utc().unwrap()),
    };
    let mut firm = Firm::create(&hub, new.clone()).await.unwrap();
    assert_eq!(*firm, new);
    assert_eq!(kit.simulator.record("Account", new.id.guid()).unwrap().get("Employees"), Some(&Value::Null));

    (firm.employees, firm.code) = (Headcount(7), None);
    firm.save(&hub).await.unwrap();
    kit.advance(std::time::Duration::from_secs(60));
    kit.simulator.edit("Account", new.id.guid(), [("Alias", Value::text("BC"))]);
    // Both sides changed it, and who saves last wins.
    firm.code = Some(Code("CC".into()));
    firm.save(&hub).on_conflict(OnConflict::LastWriterWins).await.unwrap();
    let read = Firm::get(&hub, new.id).await.unwrap();
    assert_eq!((&read.code, &read.employees, &read.seen), (&Some(Code("CC".into())), &Headcount(7), &new.seen));
    let history = Firm::history(&hub, new.id).await.unwrap();
    assert!(history.iter().flat_map(|entry| &entry.changes).any(|change| change.from == Some(Value::text("BC"))));

    // What the type refuses waits in quarantine, and the row stays.
    kit.simulator.edit("Account", new.id.guid(), [("Alias", Value::text("bc"))]);
    let refused = Firm::get(&hub, new.id).await.unwrap_err();
    assert!(
        refused.kind() == ErrorKind::Quarantined && refused.to_string().contains("has lowercase letters"),
        "{refused}"
    );

    // On a server the table is read by the team's own driver.
    if let Some(path) = kit.database().strip_prefix("sqlite://") {
        let mut connection = SqliteConnection::establish(path).unwrap();
        let found: Vec<Firm> = firms_of_ours::table
            .filter(firms_of_ours::employees.eq(7).and(firms_of_ours::name.eq("Acme")))
            .select(Firm::as_select())
            .load(&mut connection)
            .unwrap();
        assert_eq!(found, [read.into_inner()]);
    }
}
