//! Types of which only the compiler knows whether they have a null: aliases and newtypes.

use datahub_runtime::prelude::*;
use datahub_runtime::{Fault, FieldType, Kind, Value};

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

/// A type that has no value for nothing.
#[derive(Clone, Debug, PartialEq)]
struct Grade(i32);

impl FieldType for Grade {
    const KINDS: &'static [Kind] = i32::KINDS;

    fn from_value(value: &Value) -> Result<Self, Fault> {
        i32::from_value(value).map(Grade)
    }

    fn to_value(&self) -> Value {
        self.0.to_value()
    }
}

/// Of a model that CDMS has nothing of each row is made with all of its values, so none has to begin with nothing.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(table = "ratings", mode = "detached")]
struct Rating {
    #[cdms(key)]
    id: Id<Rating>,
    #[cdms(local, sql_type = "integer")]
    grade: Grade,
}

#[tokio::test]
async fn a_local_model_has_a_type_of_ones_own() {
    let kit = datahub_runtime::testing::Kit::new(include_str!("../mappings/metadata.xml"));
    let hub = kit.hub(models![Rating]).create_tables().connect().await.unwrap();
    let rating = Rating { id: Id::new(), grade: Grade(3) };
    Rating::create(&hub, rating.clone()).await.unwrap();
    assert_eq!(Rating::get(&hub, rating.id).await.unwrap().grade, Grade(3));
}
