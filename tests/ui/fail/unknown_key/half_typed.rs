//! Keys that are not typed to their end: each is told on its word, and the others are read.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = , mode = "mirror")]
struct Organisation {
    #[cdms(key, column = )]
    id: Id<Organisation>,
    #[cdms("Name" column = "title")]
    name: String,
    #[cdms("Alis", default = , column = "short")]
    alias: String,
    #[cdms(attributes("Street", 7, "Twon"), with = "street", sql_type = "string", ?)]
    street: String,
    #[cdms("Employees", default = 1 +)]
    employees: i32,
    #[cdms]
    town: Option<String>,
}

#[derive(Clone, Copy, CdmsChoice)]
#[cdms(mapping = , attribute = "IndustryCode")]
enum Industry {
    #[cdms(othr)]
    Rest(i32),
}

#[derive(Clone, Copy, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "IndustryCode")]
enum Trade {
    Accounting,
    #[cdms("fine_arts" "arts")]
    Arts,
}

#[derive(Clone, CdmsFields)]
struct Address {
    #[cdms("street", default = )]
    line: String,
}

fn main() {}
