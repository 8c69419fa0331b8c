//! Services: who offers them, and what was delivered.

use chrono::{DateTime, Utc};
use datahub_runtime::prelude::*;

use super::{Adviser, Contact, Country, Organisation, Sector, Service, ServiceDeliveryStatus, Team, UkRegion};

/// A service that a team offers.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "serviceoffer.toml", table = "service_offers")]
pub struct ServiceOffer {
    #[cdms(key)]
    pub id: Id<ServiceOffer>,
    #[cdms("optevia_Service")]
    pub service: Option<Id<Service>>,
    #[cdms("optevia_ServiceProvider")]
    pub team: Option<Id<Team>>,
}

/// A service that was ordered, and its result.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "servicedelivery.toml", table = "service_deliveries")]
pub struct ServiceDelivery {
    #[cdms(key)]
    pub id: Id<ServiceDelivery>,
    #[cdms("optevia_Notes")]
    pub notes: Option<String>,
    #[cdms("optevia_CustomerCommentFeedback")]
    pub feedback: Option<String>,
    /// When it was ordered.
    #[cdms("optevia_OrderDate", column = "ordered_at")]
    pub date: Option<DateTime<Utc>>,
    #[cdms("optevia_ServiceDeliveryStatus")]
    pub status: Option<Id<ServiceDeliveryStatus>>,
    #[cdms("optevia_ServiceOffer")]
    pub offer: Option<Id<ServiceOffer>>,
    #[cdms("optevia_Service")]
    pub service: Option<Id<Service>>,
    #[cdms("optevia_ServiceProvider")]
    pub team: Option<Id<Team>>,
    #[cdms("optevia_Organisation")]
    pub organisation: Option<Id<Organisation>>,
    #[cdms("optevia_Contact")]
    pub contact: Option<Id<Contact>>,
    #[cdms("optevia_Advisor")]
    pub adviser: Option<Id<Adviser>>,
    #[cdms("optevia_UKRegion")]
    pub uk_region: Option<Id<UkRegion>>,
    #[cdms("optevia_Sector")]
    pub sector: Option<Id<Sector>>,
    #[cdms("optevia_LeadCountry")]
    pub country_of_interest: Option<Id<Country>>,
}
