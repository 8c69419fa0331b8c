//! The text of one model in both forms, with its contract: twelve columns of mixed kinds.

/// A model by its number.
pub(super) struct Model {
    number: u16,
}

impl Model {
    pub(super) fn new(number: u16) -> Self {
        Model { number }
    }

    /// The name of the module and of its file.
    pub(super) fn module(&self) -> String {
        format!("firm_{:02}", self.number)
    }

    pub(super) fn contract(&self) -> String {
        CONTRACT.replace("NN", &self.digits())
    }

    /// The file of a model of ours.
    pub(super) fn ours(&self) -> String {
        OURS.replace("NN", &self.digits())
    }

    /// The file of the same table with only Diesel.
    pub(super) fn by_hand(&self) -> String {
        BY_HAND.replace("NN", &self.digits())
    }

    fn digits(&self) -> String {
        format!("{:02}", self.number)
    }
}

/// The line that an edit changes in either form.
pub(super) const EDITED: &str = "/// A firm that is followed.";

const CONTRACT: &str = r#"entity = "FirmNN"

[attributes]
Name = { kind = "string", max-length = 160, required = true }
Note = { kind = "string", max-length = 2000, class = "personal", note = "free text" }
Staff = { kind = "integer" }
Factor = { kind = "double" }
Rate = { kind = "decimal", scale = 4 }
Turnover = { kind = "money" }
IsActive = { kind = "boolean" }
Founded = { kind = "date", zone = "Europe/London" }
OpenedOn = { kind = "datetime" }
SectorCode = { kind = "choice", choices = { accounting = 1, agriculture = 2, broadcasting = 3, brokers = 4 } }
ParentId = { kind = "lookup", target = "firmNN" }
"#;

const OURS: &str = r#"//! Firms of sort NN.

use chrono::{DateTime, NaiveDate, Utc};
use datahub_runtime::prelude::*;
use rust_decimal::Decimal;

/// A firm that is followed.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "firm_NN.toml", table = "firms_NN")]
pub struct FirmNN {
    #[cdms(key)]
    pub id: Id<FirmNN>,
    #[cdms("Name")]
    pub name: String,
    #[cdms("Note")]
    pub note: Option<String>,
    #[cdms("Staff")]
    pub staff: Option<i32>,
    #[cdms("Factor")]
    pub factor: Option<f64>,
    #[cdms("Rate")]
    pub rate: Option<Decimal>,
    #[cdms("Turnover")]
    pub turnover: Option<Decimal>,
    #[cdms("IsActive", default = false)]
    pub is_active: bool,
    #[cdms("Founded")]
    pub founded: Option<NaiveDate>,
    #[cdms("OpenedOn")]
    pub opened_on: Option<DateTime<Utc>>,
    #[cdms("SectorCode")]
    pub sector: Option<i32>,
    #[cdms("ParentId")]
    pub parent: Option<Id<FirmNN>>,
}
"#;

const BY_HAND: &str = r#"//! Firms of sort NN.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

diesel::table! {
    firms_NN (id) {
        id -> Text,
        name -> Text,
        note -> Nullable<Text>,
        staff -> Nullable<Integer>,
        factor -> Nullable<Double>,
        rate -> Nullable<BigInt>,
        turnover -> Nullable<BigInt>,
        is_active -> Bool,
        founded -> Nullable<Date>,
        opened_on -> Nullable<Timestamp>,
        sector -> Nullable<Integer>,
        parent -> Nullable<Text>,
    }
}

/// A firm that is followed.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Identifiable)]
#[diesel(table_name = firms_NN)]
pub struct FirmNN {
    pub id: String,
    pub name: String,
    pub note: Option<String>,
    pub staff: Option<i32>,
    pub factor: Option<f64>,
    pub rate: Option<i64>,
    pub turnover: Option<i64>,
    pub is_active: bool,
    pub founded: Option<NaiveDate>,
    pub opened_on: Option<NaiveDateTime>,
    pub sector: Option<i32>,
    pub parent: Option<String>,
}
"#;
