//! Items that cannot be choices.

use datahub_runtime::prelude::*;

#[derive(Clone, Copy, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "StateCode")]
struct NoEnum;

#[derive(Clone, Copy, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "StateCode")]
enum Values {
    Active(i32),
    #[cdms(other)]
    Other,
}

#[derive(Clone, Copy, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "StateCode")]
enum Parameters<T> {
    Active,
    Inactive,
    #[cdms(other)]
    Other(T),
}

#[derive(Clone, Copy, CdmsChoice)]
enum NothingSaid {
    Active,
}

fn main() {}
