//! Groups within a group: their columns, their values both ways, and their fields in the history.

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{Value, models};

use crate::METADATA;

#[derive(Clone, Debug, PartialEq, CdmsFields)]
struct Reach {
    street: Option<String>,
    #[cdms(flatten)]
    place: Place,
    #[cdms("phone", flatten)]
    call: Phone,
}

#[derive(Clone, Debug, PartialEq, CdmsFields)]
struct Place {
    town: Option<String>,
}

#[derive(Clone, Debug, PartialEq, CdmsFields)]
struct Phone {
    #[cdms(default = "none")]
    number: String,
    #[cdms(flatten)]
    area: Area,
}

#[derive(Clone, Debug, PartialEq, CdmsFields)]
struct Area {
    code: Option<String>,
}

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "nested.toml", table = "supplier_sites", only = "Name ne 'C'")]
struct Supplier {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms(flatten = "reach", prefix = "at_")]
    reach: Reach,
}

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "nested.toml", table = "customer_sites", only = "Name eq 'C'")]
struct Customer {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms(flatten = "reach")]
    reach: Reach,
}

fn reach() -> Reach {
    Reach {
        street: Some("1 High St".into()),
        place: Place { town: Some("Leeds".into()) },
        call: Phone { number: "555".into(), area: Area { code: Some("0113".into()) } },
    }
}

#[tokio::test]
async fn each_member_has_its_attribute_and_its_column() {
    let kit = Kit::new(METADATA);
    let hub = kit.hub(models![Supplier, Customer]).connect().await.unwrap();
    let mut made = Supplier::create(&hub, Supplier { id: Id::new(), name: "S".into(), reach: reach() }).await.unwrap();
    let record = || kit.simulator.record("Account", made.id().guid()).unwrap();
    let sent = ["Street", "Town", "PhoneNumber", "AreaCode"].map(|name| record().get(name).cloned());
    assert_eq!(sent, ["1 High St", "Leeds", "555", "0113"].map(|text| Some(Value::text(text))));
    assert_eq!(made.reach, reach());
    let row = kit.rows_of("supplier_sites").remove(0);
    for column in
        ["at_street='1 High St'", "at_place_town='Leeds'", "at_phone_number='555'", "at_phone_area_code='0113'"]
    {
        assert!(row.contains(column), "{row}");
    }

    made.reach.call.area.code = Some("0114".into());
    let (id, before) = (made.id(), kit.simulator.requests().len());
    made.save(&hub).await.unwrap();
    let sent = kit.simulator.requests().split_off(before);
    let merge = sent.iter().find(|request| request.method == "MERGE").unwrap();
    assert_eq!(merge.body, r#"{"AreaCode":"0114"}"#);
    let history = Supplier::history(&hub, id).await.unwrap();
    let fields: Vec<_> = history.iter().flat_map(|entry| &entry.changes).map(|change| &change.field).collect();
    assert!(fields.iter().any(|field| *field == "reach.phone.area.code"), "{fields:?}");

    let customer = kit.simulator.seed("Account", [("Name", Value::text("C")), ("Town", Value::text("York"))]);
    let read = Customer::get(&hub, customer.into()).await.unwrap();
    let nothing = Reach {
        street: None,
        place: Place { town: Some("York".into()) },
        call: Phone { number: "none".into(), area: Area { code: None } },
    };
    assert_eq!(read.reach, nothing, "two models share the group, and a default stands for a null within it");
}

datahub_runtime::mapping_tests!(Supplier, Customer);
