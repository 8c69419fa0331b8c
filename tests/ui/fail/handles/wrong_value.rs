//! A field is compared with something that it does not hold.

use chrono::{DateTime, Utc};
use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "accounts", mode = "mirror")]
struct Account {
    #[cdms(key)]
    id: Id<Account>,
    #[cdms("Name")]
    name: String,
    #[cdms("Employees")]
    employees: Option<i32>,
    #[cdms("LastCall")]
    last_call: Option<DateTime<Utc>>,
    #[cdms("StateCode")]
    state: State,
    #[cdms("Country")]
    country: Option<Id<Country>>,
}

#[derive(Clone, Copy, CdmsChoice)]
#[cdms(mapping = "every.toml", attribute = "StateCode")]
enum State {
    Active,
    Inactive,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror")]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
    #[cdms("Name")]
    name: String,
}

fn main() {
    let f = Account::FIELDS;
    let _ = f.name.eq(3); // a text and a number
    let _ = f.employees.eq("3"); // a number and a text
    let _ = f.employees.is_in([1.5]); // an integer and a double
    let _ = f.last_call.ge("2026-01-01"); // a time and a text
    let _ = f.state.eq(1); // an option and its number
    let _ = f.country.eq(Account::FIELDS.id); // an id and a field
    let _ = f.country.matches(f.name.eq("Wales")); // a country and a condition on an account
    let _ = Country::FIELDS.name.eq("Wales").and(f.name.eq("Acme")); // two models
}
