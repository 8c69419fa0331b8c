//! Keys of the two other derives.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsFields)]
#[cdms(group = "address")]
struct Address {
    #[cdms(defualt)]
    street: String,
    #[cdms("street")]
    road: String,
}

#[derive(Clone, Copy, CdmsChoice)]
#[cdms(maping = "account.toml", attribute = "IndustryCode")]
enum Industry {
    #[cdms(othr)]
    Other(i32),
}

fn main() {}
