//! The example domain: the seven models of a real Data Hub, and the eleven kinds of reference data that they refer to.

#![allow(missing_docs, reason = "the contracts describe the fields")]

mod address;
mod adviser;
mod contact;
mod interaction;
mod organisation;
mod phone;
mod reference;
mod service;

pub use address::Address;
pub use adviser::{Adviser, Team};
pub use contact::Contact;
pub use interaction::Interaction;
pub use organisation::{Organisation, OrganisationState, organisations};
pub use phone::Phone;
pub use reference::{
    BusinessType, ContactRole, Country, EmployeeRange, InteractionChannel, Sector, Service, ServiceDeliveryStatus,
    Title, TurnoverRange, UkRegion, sectors,
};
pub use service::{ServiceDelivery, ServiceOffer};

use datahub_runtime::{Models, models};

diesel::joinable!(organisations -> sectors (sector));
diesel::allow_tables_to_appear_in_same_query!(organisations, sectors);

/// Every model of the domain.
pub fn models() -> Models {
    models![
        Organisation,
        Contact,
        Adviser,
        Team,
        Interaction,
        ServiceDelivery,
        ServiceOffer,
        BusinessType,
        Sector,
        EmployeeRange,
        TurnoverRange,
        UkRegion,
        Country,
        Title,
        ContactRole,
        InteractionChannel,
        Service,
        ServiceDeliveryStatus,
    ]
}

/// The `$metadata` snapshot that the contracts are checked against, for simulators.
pub const METADATA: &str = include_str!("../../../mappings/metadata.xml");

#[cfg(test)]
mod mappings {
    use super::*;

    datahub_runtime::mapping_tests!(
        Organisation,
        Contact,
        Adviser,
        Team,
        Interaction,
        ServiceDelivery,
        ServiceOffer,
        BusinessType,
        Sector,
        EmployeeRange,
        TurnoverRange,
        UkRegion,
        Country,
        Title,
        ContactRole,
        InteractionChannel,
        Service,
        ServiceDeliveryStatus,
    );
}

#[cfg(test)]
mod source {
    datahub_runtime::source_test!(super::models());
}
