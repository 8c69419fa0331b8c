//! Constants go out in the form of their attributes' kinds, and every attribute is as sensitive as its contract says.

use datahub_runtime::Value;
use datahub_runtime::prelude::*;

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "constants.toml", table = "marked_firms", diesel(table = false))]
struct MarkedFirm {
    #[cdms(key)]
    id: Id<MarkedFirm>,
    #[cdms("Name")]
    name: Option<String>,
    #[cdms("Alias")]
    alias: Option<String>,
    #[cdms("Token")]
    token: Option<uuid::Uuid>,
}

#[test]
fn a_constant_has_the_form_of_its_kind() {
    let sent = MarkedFirm::DESCRIPTOR.constant_values("ada");
    let sent: Vec<_> = sent.iter().map(|(name, value)| (name, value.clone())).collect();
    let expected = [
        ("Employees", Value::Integer(3)),
        ("IndustryCode", Value::Choice(3)),
        ("StatusCode", Value::Choice(3)),
        ("Verified", Value::Boolean(true)),
        ("WebSiteURL", Value::text("hub")),
    ];
    assert_eq!(sent, expected);
}

#[test]
fn an_attribute_has_the_class_of_its_contract() {
    let class = |name| MarkedFirm::DESCRIPTOR.attribute(name).map(|attribute| format!("{:?}", attribute.class));
    let classes = ["Name", "Alias", "Token"].map(|name| class(name).unwrap());
    assert_eq!(classes, ["Public", "Personal", "Secret"]);
}
