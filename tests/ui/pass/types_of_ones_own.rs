//! Types of which only the compiler knows whether they have a null: aliases and newtypes.

use datahub_runtime::prelude::*;
use datahub_runtime::{Carries, Fault, FieldType, Kind, Value, kind};

type Maybe<T> = Option<T>;
type Count = i32;

/// A text that is empty where there is none: a newtype with a null of its own.
#[derive(Clone, Debug, PartialEq)]
struct Blank(String);

impl FieldType for Blank {
    const KINDS: &'static [Kind] = String::KINDS;
    const NULLABLE: bool = true;
    const TAKES_ZERO: bool = true;

    fn from_value(value: &Value) -> Result<Self, Fault> {
        String::from_value(value).map(Blank)
    }

    fn to_value(&self) -> Value {
        Value::text(self.0.as_str())
    }
}

impl Carries<kind::String> for Blank {}

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "works")]
struct Works {
    #[cdms(key)]
    id: Id<Works>,
    #[cdms("Name")]
    name: Blank,
    #[cdms("Alias")]
    alias: Blank,
    #[cdms("Town")]
    town: Maybe<String>,
    #[cdms("Employees", default = 1)]
    employees: Count,
    #[cdms("Parent")]
    parent: Maybe<Id<Works>>,
}

#[test]
fn the_attribute_says_whether_the_column_can_be_null() {
    let columns = Works::DESCRIPTOR.columns.iter();
    let nullable: Vec<_> = columns.filter(|column| column.nullable).map(|column| column.name).collect();
    assert_eq!(nullable, ["alias", "town", "parent"]);
}

mod nothing_is_lost {
    datahub_runtime::mapping_tests!(super::Works);
}
