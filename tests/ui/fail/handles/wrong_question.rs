//! A field is asked for what its type does not have.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "accounts", mode = "mirror")]
struct Account {
    #[cdms(key)]
    id: Id<Account>,
    #[cdms("Name")]
    name: String,
    #[cdms("Verified")]
    verified: Option<bool>,
    #[cdms("Founded")]
    founded: Option<chrono::NaiveDate>,
    #[cdms(flatten = "address")]
    address: Address,
}

#[derive(Clone, CdmsFields)]
struct Address {
    street: Option<String>,
    town: Option<String>,
}

fn main() {
    let f = Account::FIELDS;
    let _ = f.name.is_null(); // it is never null
    let _ = f.verified.contains("x"); // no text
    let _ = f.verified.gt(false); // no order
    let _ = f.id.asc(); // no order
    let _ = f.name.year(); // no date
    let _ = f.founded.hour(); // a date has no hour
    let _ = f.nmae; // no such field
    let _ = f.address.twon; // no such member
    let _ = f.address.eq("Leeds"); // a group
}
