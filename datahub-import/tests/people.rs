//! What is about a person: classified when it first comes into a contract, and people's own to decide after that.
#![cfg(test)]

use datahub_import::{Base, Entity, Merged, Source, Wanted, merge, unite};
use datahub_model::source::Contract;

const METADATA: &str = include_str!("fixtures/metadata.xml");

fn first(now: &Entity) -> Merged {
    merge(None, None, now, false).unwrap()
}

#[test]
fn what_is_about_a_person_is_personal_from_the_first_contract_on_and_people_decide_after_that() {
    let names = [
        "FirstName",
        "EMailAddress1",
        "MobilePhone",
        "GovernmentId",
        "Address2_PostalCode",
        "Department",
        "Address1_UPSZone",
    ];
    let of = |entity: &str, names: &[&str]| {
        let properties: String = names
            .iter()
            .map(|name| format!("<Property Name=\"{name}\" Type=\"Edm.String\" Nullable=\"true\"/>"))
            .collect();
        let key = "<Property Name=\"FullName\" Type=\"Edm.String\" Nullable=\"true\"/>";
        let text = METADATA.replace("SystemUser", entity).replace(key, &format!("{key}{properties}"));
        let source = Source::read("source", text.as_bytes()).unwrap();
        let wanted = Wanted { entities: Some(vec![entity.to_owned()]), zone: None };
        unite(&[source], &wanted).unwrap().entities.remove(0)
    };
    let personal = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.contains("class = \"personal\""));
        lines.filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect()
    };
    let about = ["Address2_PostalCode", "EMailAddress1", "FirstName", "FullName", "GovernmentId", "MobilePhone"];
    for entity in ["Contact", "Lead", "SystemUser"] {
        let text = first(&of(entity, &names)).text;
        assert_eq!(personal(&text), about, "{text}");
        assert!(Contract::parse(&text).into_result().is_ok(), "{text}");
    }
    assert!(personal(&first(&of("Vehicle", &names)).text).is_empty());
    // People decide otherwise, and stay with it; what is new is classified, too.
    let before = first(&of("Contact", &names[1..]));
    let ours = before.text.replace(
        "Address2_PostalCode = { kind = \"string\", max-length = \"?\", class = \"personal\" }",
        "Address2_PostalCode = { kind = \"string\", max-length = \"?\" }",
    );
    assert_ne!(ours, before.text);
    let base = Base::parse(&before.base.text()).unwrap();
    assert_eq!(base, before.base);
    let merged = merge(Some(&ours), Some(&base), &of("Contact", &names), false).unwrap();
    let mut now = personal(&merged.text);
    now.sort();
    assert_eq!(now, about[1..], "{}", merged.text);
    assert!(merged.conflicts.is_empty(), "{:?}", merged.conflicts);
}
