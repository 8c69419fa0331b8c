//! `$metadata` and the service document: any organisation's schema, of any size.

use std::fmt::Write as _;

use cdms_odata::metadata::Metadata;
use cdms_simulator::Simulator;
use serde_json::{Value as Json, json};

use crate::scene::{Cdms, client, document, reply};

#[tokio::test]
async fn the_schema_is_served_as_xml_whatever_is_accepted() {
    let cdms = Cdms::start();
    for accept in ["application/json", "application/xml"] {
        let answer = reply(cdms.plain("GET", &cdms.at("$metadata")).header("accept", accept)).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/xml;charset=utf-8")));
        let served = Metadata::parse(&answer.body).unwrap();
        for entity in Metadata::parse(&document()).unwrap().entities {
            assert_eq!(served.entity(&entity.name), Some(&entity));
        }
    }
}

#[tokio::test]
async fn users_and_organisations_exist_even_if_the_schema_lacks_them() {
    let cdms = Cdms::start();
    assert!(Metadata::parse(&document()).unwrap().entity("SystemUser").is_none());
    let served = Metadata::parse(&cdms.get("$metadata").await.body).unwrap();
    assert_eq!(served.entity("SystemUser").unwrap().set, "SystemUserSet");
    assert_eq!(served.entity("Organization").unwrap().set, "OrganizationSet");
}

#[tokio::test]
async fn the_root_lists_the_sets() {
    let cdms = Cdms::start();
    let expected = [
        "AccountSet",
        "ContactSet",
        "CustomerAddressSet",
        "optevia_sectorSet",
        "detica_interactionSet",
        "OrganizationSet",
        "SystemUserSet",
    ];
    for path in ["", "/"] {
        let address = format!("{}{path}", cdms.simulator.service_root());
        let answer = reply(cdms.plain("GET", &address).header("accept", "application/json")).await;
        assert_eq!(answer.d(200), json!({"EntitySets": expected}));
    }
}

#[tokio::test]
async fn a_schema_of_374_entities_with_wide_types_is_served_whole() {
    let mut text = String::new();
    let mut sets = String::new();
    for number in 0..374 {
        write!(text, "<EntityType Name=\"E{number}\"><Key><PropertyRef Name=\"E{number}Id\"/></Key>").unwrap();
        write!(text, "<Property Name=\"E{number}Id\" Type=\"Edm.Guid\"/>").unwrap();
        for column in 0..420 {
            write!(text, "<Property Name=\"Column{column}\" Type=\"Edm.String\"/>").unwrap();
        }
        text += "</EntityType>";
        write!(sets, "<EntitySet Name=\"E{number}Set\" EntityType=\"N.E{number}\"/>").unwrap();
    }
    let text = format!("<Schema Namespace=\"N\">{text}<EntityContainer Name=\"C\">{sets}</EntityContainer></Schema>");
    let metadata = Metadata::parse(&text).unwrap();
    let simulator = Simulator::builder().metadata(metadata.clone()).start().unwrap();
    let served = reply(client().get(format!("{}/$metadata", simulator.service_root()))).await;
    assert_eq!(Metadata::parse(&served.body).unwrap().entities[..374], metadata.entities);
    let body = json!({"Column419": "last"}).to_string();
    let address = format!("{}/E373Set", simulator.service_root());
    let created = reply(client().post(address).header("accept", "application/json").body(body)).await.d(201);
    assert_eq!(created["__metadata"]["type"], "N.E373");
    assert_eq!((&created["Column419"], &created["Column0"]), (&json!("last"), &Json::Null));
}
