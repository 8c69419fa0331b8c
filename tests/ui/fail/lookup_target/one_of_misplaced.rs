//! References to one of several models where there is no reference, where their `sql_type` is missing, and in types of
//! one's own that do not say what they hold.

use datahub_runtime::prelude::*;
use datahub_runtime::{Fault, FieldType, Kind, Value};

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror")]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
}

type Either = OneOf<(Organisation, Country)>;

macro_rules! own {
    ($name:ident holds $kinds:expr) => {
        #[derive(Clone)]
        struct $name(Either);

        impl FieldType for $name {
            const KINDS: &'static [Kind] = $kinds;

            fn from_value(value: &Value) -> Result<Self, Fault> {
                Either::from_value(value).map($name)
            }

            fn to_value(&self) -> Value {
                self.0.to_value()
            }
        }
    };
}

own!(Owner holds Either::KINDS);
own!(Nothing holds &[]);

#[derive(Clone, CdmsFields)]
struct Address {
    street: Option<String>,
    town: Option<Either>,
    country: Option<Id<Country>>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("WebSiteURL")]
    web: Option<Either>,
    #[cdms("Parent")]
    parent: Option<Either>,
    #[cdms("Country", sql_type = "string", read_only)]
    country: Option<Owner>,
    #[cdms("Alias")]
    alias: Option<Nothing>,
    #[cdms(flatten = "address", read_only)]
    address: Address,
}

fn main() {}
