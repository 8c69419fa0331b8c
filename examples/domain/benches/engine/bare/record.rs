//! An organisation as CDMS returns it, as a struct written by hand for `serde_json`.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Body;

/// Defines the struct, and its columns in their order, the key first.
macro_rules! record {
    ($($field:ident, $attribute:literal: $type:ty, $form:literal, $sql:literal;)*) => {
        /// An organisation; what it has no value for is left out when it is written.
        #[derive(Clone, Debug, Deserialize, Serialize)]
        pub(crate) struct Record {
            $(
                #[serde(default, rename = $attribute, skip_serializing_if = "Option::is_none", with = $form)]
                pub(crate) $field: Option<$type>,
            )*
            #[serde(default, rename = "ModifiedOn", skip_serializing_if = "Option::is_none", with = "crate::flat::time")]
            modified: Option<DateTime<Utc>>,
        }

        /// The columns of the table of rows.
        pub(crate) const COLUMNS: &[(&str, &str)] = &[$((stringify!($field), $sql)),*];
    };
}

record! {
    id, "AccountId": Uuid, "crate::flat::same", "uuid";
    name, "Name": String, "crate::flat::same", "text";
    alias, "optevia_Alias": String, "crate::flat::same", "text";
    company_number, "optevia_CompaniesHouseNumber": String, "crate::flat::same", "text";
    description, "Description": String, "crate::flat::same", "text";
    website, "WebSiteURL": String, "crate::flat::same", "text";
    uk_organisation, "optevia_ukorganisation": bool, "crate::flat::same", "boolean";
    line_1, "optevia_Address1": String, "crate::flat::same", "text";
    line_2, "optevia_Address2": String, "crate::flat::same", "text";
    line_3, "optevia_Address3": String, "crate::flat::same", "text";
    line_4, "optevia_Address4": String, "crate::flat::same", "text";
    town, "optevia_TownCity": String, "crate::flat::same", "text";
    county, "optevia_StateCounty": String, "crate::flat::same", "text";
    postcode, "optevia_PostCode": String, "crate::flat::same", "text";
    country, "optevia_Country": Uuid, "crate::flat::lookup", "uuid";
    uk_region, "optevia_UKRegion": Uuid, "crate::flat::lookup", "uuid";
    business_type, "optevia_BusinessType": Uuid, "crate::flat::lookup", "uuid";
    sector, "optevia_Sector": Uuid, "crate::flat::lookup", "uuid";
    employee_range, "optevia_EmployeeRange": Uuid, "crate::flat::lookup", "uuid";
    turnover_range, "optevia_TurnoverRange": Uuid, "crate::flat::lookup", "uuid";
    country_code, "optevia_CountryCode": String, "crate::flat::same", "text";
    area_code, "optevia_AreaCode": String, "crate::flat::same", "text";
    telephone_number, "optevia_TelephoneNumber": String, "crate::flat::same", "text";
    email, "EMailAddress1": String, "crate::flat::same", "text";
    credit_limit, "CreditLimit": Decimal, "crate::flat::money", "bigint";
    parent, "ParentAccountId": Uuid, "crate::flat::lookup", "uuid";
    state, "StateCode": i32, "crate::flat::choice", "integer";
}

impl Record {
    /// When it was last changed, in milliseconds since 1970.
    pub(crate) fn modified_ms(&self) -> i64 {
        self.modified.unwrap().timestamp_millis()
    }

    /// The amount in units of its fourth digit, as an integer column keeps it.
    pub(crate) fn amount(&self) -> Option<i64> {
        let mut amount = self.credit_limit?;
        amount.rescale(4);
        i64::try_from(amount.mantissa()).ok()
    }

    /// The same record with another id.
    pub(crate) fn copy(&self, id: Uuid) -> Self {
        Record { id: Some(id), ..self.clone() }
    }

    /// What a create sends: nothing that CDMS sets itself.
    pub(crate) fn to_create(&self) -> Body {
        let mut body = serde_json::to_value(Record { state: None, modified: None, ..self.clone() }).unwrap();
        body["optevia_PAFOverride"] = true.into();
        body
    }
}
