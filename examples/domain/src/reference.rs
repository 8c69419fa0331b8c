//! Reference data: small, read often, never written.

use datahub_runtime::prelude::*;

/// What kind of business an organisation is.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "businesstype.toml", table = "business_types", mode = "mirror")]
pub struct BusinessType {
    #[cdms(key)]
    pub id: Id<BusinessType>,
    #[cdms("optevia_name")]
    pub name: String,
}

/// The sector that an organisation works in.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "sector.toml", table = "sectors", mode = "mirror")]
pub struct Sector {
    #[cdms(key)]
    pub id: Id<Sector>,
    #[cdms("optevia_name")]
    pub name: String,
}

/// About how many people an organisation employs.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "employeerange.toml", table = "employee_ranges", mode = "mirror")]
pub struct EmployeeRange {
    #[cdms(key)]
    pub id: Id<EmployeeRange>,
    #[cdms("optevia_name")]
    pub name: String,
}

/// An organisation's approximate turnover.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "turnoverrange.toml", table = "turnover_ranges", mode = "mirror")]
pub struct TurnoverRange {
    #[cdms(key)]
    pub id: Id<TurnoverRange>,
    #[cdms("optevia_name")]
    pub name: String,
}

/// A region of the United Kingdom.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "ukregion.toml", table = "uk_regions", mode = "mirror")]
pub struct UkRegion {
    #[cdms(key)]
    pub id: Id<UkRegion>,
    #[cdms("optevia_name")]
    pub name: String,
}

/// A country.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror")]
pub struct Country {
    #[cdms(key)]
    pub id: Id<Country>,
    #[cdms("optevia_Country")]
    pub name: String,
}

/// A person's title.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "title.toml", table = "titles", mode = "mirror")]
pub struct Title {
    #[cdms(key)]
    pub id: Id<Title>,
    #[cdms("optevia_name")]
    pub name: String,
}

/// What a contact does for their organisation.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "contactrole.toml", table = "contact_roles", mode = "mirror")]
pub struct ContactRole {
    #[cdms(key)]
    pub id: Id<ContactRole>,
    #[cdms("optevia_name")]
    pub name: String,
}

/// How an interaction took place.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "interactionchannel.toml", table = "interaction_channels", mode = "mirror")]
pub struct InteractionChannel {
    #[cdms(key)]
    pub id: Id<InteractionChannel>,
    #[cdms("optevia_name")]
    pub name: String,
}

/// A service for organisations.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "service.toml", table = "services", mode = "mirror")]
pub struct Service {
    #[cdms(key)]
    pub id: Id<Service>,
    #[cdms("optevia_name")]
    pub name: String,
}

/// The progress of a service's delivery.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "servicedeliverystatus.toml", table = "service_delivery_statuses", mode = "mirror")]
pub struct ServiceDeliveryStatus {
    #[cdms(key)]
    pub id: Id<ServiceDeliveryStatus>,
    #[cdms("optevia_name")]
    pub name: String,
}
