//! The example domain: the organisations and contacts of a real Data Hub, and the reference data that they point to.

#![allow(missing_docs, reason = "the contracts say what the fields are")]

mod address;
mod contact;
mod organisation;
mod phone;
mod reference;

pub use address::Address;
pub use contact::Contact;
pub use organisation::{Organisation, OrganisationState};
pub use phone::Phone;
pub use reference::{BusinessType, Country, EmployeeRange, Sector, Title, TurnoverRange, UkRegion};

use datahub_runtime::{Models, models};

/// Every model of the domain.
pub fn models() -> Models {
    models![Organisation, Contact, BusinessType, Country, EmployeeRange, Sector, Title, TurnoverRange, UkRegion,]
}

/// The `$metadata` snapshot that the contracts are checked against, for simulators.
pub const METADATA: &str = include_str!("../../../mappings/metadata.xml");
