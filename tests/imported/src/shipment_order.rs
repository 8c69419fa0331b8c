//! Records of `acme_shipmentorder` in CDMS. `datahub import` wrote this first model; it is yours to change.

use chrono::{DateTime, NaiveDate, Utc};
use datahub_runtime::prelude::*;
use rust_decimal::Decimal;

use crate::carrier::Carrier;
use crate::system_user::SystemUser;
use crate::team::Team;

/// A record of `acme_shipmentorder`.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "shipmentorder.toml", table = "shipment_orders", mode = "mirror")]
pub struct ShipmentOrder {
    #[cdms(key)]
    pub id: Id<ShipmentOrder>,
    /// Carried by.
    #[cdms("acme_Carrier")]
    pub carrier: Option<Id<Carrier>>,
    #[cdms("acme_DueOn")]
    pub due_on: Option<NaiveDate>,
    #[cdms("acme_Fee")]
    pub fee: Option<Decimal>,
    #[cdms("acme_Grade")]
    pub grade: Option<ShipmentOrderGrade>,
    #[cdms("acme_IsExpress")]
    pub is_express: Option<bool>,
    #[cdms("acme_LoadedAt")]
    pub loaded_at: Option<DateTime<Utc>>,
    /// Order number.
    #[cdms("acme_name")]
    pub name: Option<String>,
    #[cdms("acme_Notes")]
    pub notes: Option<String>,
    #[cdms("acme_Parcels")]
    pub parcels: Option<i32>,
    #[cdms("acme_Price")]
    pub price: Option<Decimal>,
    #[cdms("acme_Region")]
    pub region: Option<ShipmentOrderRegion>,
    #[cdms("acme_remarks")]
    pub remarks: Option<String>,
    #[cdms("acme_Secret", read_only)]
    pub secret: Option<String>,
    #[cdms("acme_Weight")]
    pub weight: Option<Decimal>,
    #[cdms("OwnerId", sql_type = "string", create_only)]
    pub owner: Option<OneOf<(SystemUser, Team)>>,
    #[cdms("statecode", read_only)]
    pub state: ShipmentOrderState,
    #[cdms("statuscode")]
    pub status: Option<ShipmentOrderStatus>,
    /// Kind of service.
    #[cdms("acme_Service")]
    pub service: Option<ShipmentOrderService>,
    // Left out, because CDMS needs them for itself:
    // `acme_Price_Base`
    // `CreatedBy`
    // `OverriddenCreatedOn`
}

/// The options of `acme_Grade`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, CdmsChoice)]
#[cdms(mapping = "shipmentorder.toml", attribute = "acme_Grade")]
pub enum ShipmentOrderGrade {
    FirstClass,
    #[cdms("option_minus_2")]
    OptionMinus2,
    #[cdms(other)]
    Other(i32),
}

/// The options of `acme_Region`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, CdmsChoice)]
#[cdms(mapping = "shipmentorder.toml", attribute = "acme_Region")]
pub enum ShipmentOrderRegion {
    North,
    SouthWest,
    #[cdms(other)]
    Other(i32),
}

/// The options of `statecode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, CdmsChoice)]
#[cdms(mapping = "shipmentorder.toml", attribute = "statecode")]
pub enum ShipmentOrderState {
    Active,
}

/// The options of `statuscode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, CdmsChoice)]
#[cdms(mapping = "shipmentorder.toml", attribute = "statuscode")]
pub enum ShipmentOrderStatus {
    New,
    Done,
    #[cdms(other)]
    Other(i32),
}

/// The options of `acme_Service`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, CdmsChoice)]
#[cdms(mapping = "shipmentorder.toml", attribute = "acme_Service")]
pub enum ShipmentOrderService {
    NextDay,
    DoorMore,
    #[cdms("next_day_102")]
    NextDay102,
    #[cdms("option_103")]
    Option103,
    #[cdms(other)]
    Other(i32),
}
