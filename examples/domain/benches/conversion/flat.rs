//! The same values as plain structs for `serde_json`, with one member for each mapped attribute: one struct for JSON
//! that is as flat as the struct, and one for CDMS's JSON, whose nested forms the modules below read and write by hand.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// A struct whose members have the attributes' names. It writes no nulls, because a create sends none.
macro_rules! plain {
    ($name:ident { $($field:ident, $attribute:literal: $type:ty, $with:literal;)* }) => {
        #[derive(Debug, Serialize, Deserialize)]
        pub(crate) struct $name {
            $(
                #[serde(default, rename = $attribute, skip_serializing_if = "Option::is_none", with = $with)]
                pub(crate) $field: Option<$type>,
            )*
        }
    };
}

/// Both structs for a list of attributes, each with its form in flat JSON and in CDMS's JSON.
macro_rules! both {
    ($flat:ident, $wire:ident { $($field:ident, $attribute:literal: $type:ty, $plain:literal, $form:literal;)* }) => {
        plain!($flat { $($field, $attribute: $type, $plain;)* });
        plain!($wire { $($field, $attribute: $type, $form;)* });
    };
}

/// An answer of CDMS.
#[derive(Deserialize)]
pub(crate) struct Answer<T> {
    pub(crate) d: T,
}

both!(FlatOrganisation, WireOrganisation {
    id, "AccountId": Uuid, "same", "same";
    name, "Name": String, "same", "same";
    alias, "optevia_Alias": String, "same", "same";
    company_number, "optevia_CompaniesHouseNumber": String, "same", "same";
    description, "Description": String, "same", "same";
    website, "WebSiteURL": String, "same", "same";
    uk_organisation, "optevia_ukorganisation": bool, "same", "same";
    line_1, "optevia_Address1": String, "same", "same";
    line_2, "optevia_Address2": String, "same", "same";
    line_3, "optevia_Address3": String, "same", "same";
    line_4, "optevia_Address4": String, "same", "same";
    town, "optevia_TownCity": String, "same", "same";
    county, "optevia_StateCounty": String, "same", "same";
    postcode, "optevia_PostCode": String, "same", "same";
    country, "optevia_Country": Uuid, "same", "lookup";
    uk_region, "optevia_UKRegion": Uuid, "same", "lookup";
    business_type, "optevia_BusinessType": Uuid, "same", "lookup";
    sector, "optevia_Sector": Uuid, "same", "lookup";
    employee_range, "optevia_EmployeeRange": Uuid, "same", "lookup";
    turnover_range, "optevia_TurnoverRange": Uuid, "same", "lookup";
    country_code, "optevia_CountryCode": String, "same", "same";
    area_code, "optevia_AreaCode": String, "same", "same";
    telephone_number, "optevia_TelephoneNumber": String, "same", "same";
    email, "EMailAddress1": String, "same", "same";
    credit_limit, "CreditLimit": Decimal, "amount", "money";
    parent, "ParentAccountId": Uuid, "same", "lookup";
    state, "StateCode": i32, "same", "choice";
});

both!(FlatInteraction, WireInteraction {
    id, "ActivityId": Uuid, "same", "same";
    subject, "Subject": String, "same", "same";
    notes, "optevia_Notes": String, "same", "same";
    date, "ActualStart": DateTime<Utc>, "same", "time";
    channel, "optevia_InteractionCommunicationChannel": Uuid, "same", "lookup";
    adviser, "optevia_Advisor": Uuid, "same", "lookup";
    contact, "optevia_Contact": Uuid, "same", "lookup";
    organisation, "optevia_Organisation": Uuid, "same", "lookup";
    team, "optevia_ServiceProvider": Uuid, "same", "lookup";
    service, "optevia_Service": Uuid, "same", "lookup";
});

/// As `serde` writes it.
pub(crate) mod same {
    use super::*;

    pub(crate) fn serialize<T: Serialize, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
        Option::deserialize(from)
    }
}

/// Decimals as text.
pub(crate) mod amount {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(amount: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
        match amount {
            Some(amount) => serializer.collect_str(amount),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Decimal>, D::Error> {
        let text = Option::<&str>::deserialize(from)?;
        text.map(|text| Decimal::from_str_exact(text).map_err(serde::de::Error::custom)).transpose()
    }
}

/// `{"Value":"1.5000"}`
pub(crate) mod money {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Money {
        #[serde(rename = "Value", with = "amount")]
        value: Option<Decimal>,
    }

    pub(crate) fn serialize<S: Serializer>(amount: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
        Money { value: *amount }.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Decimal>, D::Error> {
        Money::deserialize(from).map(|money| money.value)
    }
}

/// `{"Value":1}`
pub(crate) mod choice {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Choice {
        #[serde(rename = "Value")]
        value: Option<i32>,
    }

    pub(crate) fn serialize<S: Serializer>(option: &Option<i32>, serializer: S) -> Result<S::Ok, S::Error> {
        Choice { value: *option }.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i32>, D::Error> {
        Choice::deserialize(from).map(|choice| choice.value)
    }
}

/// `{"Id":"…","LogicalName":"…"}`; the entity that a write names does not matter here.
pub(crate) mod lookup {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Lookup<'n> {
        #[serde(rename = "Id")]
        id: Option<Uuid>,
        #[serde(rename = "LogicalName")]
        logical_name: Option<&'n str>,
    }

    pub(crate) fn serialize<S: Serializer>(id: &Option<Uuid>, serializer: S) -> Result<S::Ok, S::Error> {
        Lookup { id: *id, logical_name: Some("optevia_sector") }.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Uuid>, D::Error> {
        Lookup::deserialize(from).map(|lookup| lookup.id)
    }
}

/// `"\/Date(1472338800000)\/"`
pub(crate) mod time {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.collect_str(&format_args!("/Date({})/", time.timestamp_millis())),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        let Some(text) = Option::<Cow<'_, str>>::deserialize(from)? else { return Ok(None) };
        let ms = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")).and_then(|ms| ms.parse().ok());
        let time = ms.and_then(DateTime::from_timestamp_millis);
        time.map(Some).ok_or_else(|| serde::de::Error::custom("no time"))
    }
}
