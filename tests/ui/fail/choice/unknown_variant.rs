//! Variants that are no options, options without a variant, attributes that are no choices.

use datahub_runtime::prelude::*;

#[derive(Clone, Copy, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "IndustryCode")]
enum Industry {
    Acounting,
    #[cdms("fine_art")]
    Art,
    #[cdms(other)]
    Other(i32),
}

#[derive(Clone, Copy, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "IndustryCode")]
enum Incomplete {
    Accounting,
}

#[derive(Clone, Copy, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "StateCod")]
enum Misspelt {
    Active,
}

#[derive(Clone, Copy, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "Name")]
enum NoChoice {
    Active,
}

fn main() {}
