//! Types that cannot hold what the contract says the attribute is.

use datahub_runtime::prelude::*;
use rust_decimal::Decimal;

type Count = i32;
type Words = String;

#[derive(Clone, Debug, PartialEq)]
struct Postcode(String);

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Employees")]
    employees: Option<String>,
    #[cdms("Name")]
    name: Count,
    #[cdms("Town")]
    town: Option<Postcode>,
    #[cdms("Founded")]
    founded: Option<chrono::DateTime<chrono::Utc>>,
    #[cdms("CreditLimit")]
    credit: Option<f64>,
    #[cdms("Alias")]
    alias: Option<Decimal>,
    // What can be null in CDMS is an Option in the cure too, whatever is written, but not beside a default.
    #[cdms("Rating")]
    rating: Words,
    #[cdms("IndustryCode", default = Words::new())]
    industry: Words,
    #[cdms(modified)]
    modified: String,
    #[cdms(local, sql_type = "boolean")]
    archived: String,
}

fn main() {}
