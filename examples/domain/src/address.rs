//! Postal addresses, embedded in organisations and contacts.

use datahub_runtime::prelude::*;

use super::Country;

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, CdmsFields)]
pub struct Address {
    pub line_1: Option<String>,
    pub line_2: Option<String>,
    pub line_3: Option<String>,
    pub line_4: Option<String>,
    pub town: Option<String>,
    pub county: Option<String>,
    pub postcode: Option<String>,
    pub country: Option<Id<Country>>,
}
