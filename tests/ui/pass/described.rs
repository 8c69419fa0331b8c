//! What a program tells other tools of its mappings, as JSON.

use datahub_runtime::models;
use datahub_runtime::prelude::*;
use serde_json::json;

use super::minimal_country::Country;

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "described", only = "Employees gt 5 and not (Town eq null)")]
#[cdms(diesel(table = false))]
struct Described {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name", column = "title", was = "name")]
    name: String,
    #[cdms("Employees", default = 3)]
    employees: i32,
    #[cdms("Country", create_only)]
    country: Option<Id<Country>>,
    #[cdms("WebSiteURL", with = "shout", sql_type = "string", read_only)]
    site: Option<String>,
    #[cdms(modified)]
    changed: chrono::DateTime<chrono::Utc>,
    #[cdms(local, sql_type = "integer", default = 7)]
    rank: i32,
}

mod shout {
    use datahub_runtime::{Attributes, Fault};

    pub(super) fn decode(attributes: &Attributes) -> Result<Option<String>, Fault> {
        Ok(attributes.get("WebSiteURL").map(|site| site.to_string().to_uppercase()))
    }

    pub(super) fn encode(_: &Option<String>, _: &Attributes) -> Result<Attributes, Fault> {
        Ok(Attributes::new())
    }
}

#[test]
fn mappings_are_told_as_json() {
    let told = serde_json::to_value(models![Described]).unwrap();
    let columns = &told[0]["columns"];
    assert_eq!(told[0]["name"], "Described");
    assert_eq!(told[0]["mode"], "sync");
    assert_eq!(told[0]["entity"]["set"], "AccountSet");
    assert_eq!(told[0]["mapping_id"], Described::DESCRIPTOR.mapping_id.to_string());
    assert_eq!(
        told[0]["only"],
        json!({"all": [
            {"compare": {"attribute": "Employees", "operator": "gt", "value": 5}},
            {"not": {"compare": {"attribute": "Town", "operator": "eq", "value": null}}},
        ]})
    );
    let named = told[0]["attributes"].as_array().unwrap().iter().find(|attribute| attribute["name"] == "Name").unwrap();
    assert_eq!(
        *named,
        json!({
            "name": "Name", "kind": "string", "required": true, "read_only": false, "max_length": 160, "scale": null,
            "zone": null, "choices": [], "targets": [], "class": "public",
        })
    );
    assert_eq!(
        columns[1],
        json!({
            "name": "title", "field": "name", "kind": "string", "nullable": false, "scale": null, "was": "name",
            "default": null,
            "source": {"attribute": {"attribute": "Name", "targets": [], "default": null, "write": "always"}},
        })
    );
    let sources: Vec<_> = columns.as_array().unwrap().iter().map(|column| column["source"].clone()).collect();
    assert_eq!(
        sources,
        [
            json!("key"),
            columns[1]["source"].clone(),
            json!({"attribute": {"attribute": "Employees", "targets": [], "default": 3, "write": "always"}}),
            json!({"attribute": {"attribute": "Country", "targets": ["country"], "default": null, "write": "create_only"}}),
            json!({"joined": {"attributes": ["WebSiteURL"], "write": "never"}}),
            json!({"engine": "modified"}),
            json!("local"),
        ]
    );
    assert_eq!(columns[6]["default"], 7);
}
