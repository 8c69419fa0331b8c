//! Contracts that a person wrote: no import adds an attribute to them unasked.
#![cfg(test)]

use datahub_import::{Base, Entity, Source, Wanted, merge, unite};

const METADATA: &str = include_str!("fixtures/metadata.xml");

fn order(metadata: &str) -> Entity {
    let source = Source::read("source", metadata.as_bytes()).unwrap();
    let wanted = Wanted { entities: Some(vec!["acme_shipmentorder".to_owned()]), zone: None };
    unite(&[source], &wanted).unwrap().entities.remove(0)
}

#[test]
fn a_contract_of_ones_own_gets_no_attribute_unasked_also_when_it_is_imported_again() {
    let ours =
        "entity = \"acme_shipmentorder\"\n\n[attributes]\nacme_remarks = { kind = \"string\", max-length = 2000 }\n";
    // The first import sees an excerpt, as that of a new project is.
    let parcels = "<Property Name=\"acme_Parcels\" Type=\"Edm.Int32\" Nullable=\"true\"/>";
    let excerpt = METADATA.replace(parcels, "");
    let first = merge(Some(ours), None, &order(&excerpt), false).unwrap();
    let base = Base::parse(&first.base.text()).unwrap();
    assert_eq!(base, first.base);
    let now = order(METADATA);
    let again = merge(Some(&first.text), Some(&base), &now, false).unwrap();
    assert_eq!((again.text.as_str(), &again.changes), (ours, &Vec::new()));
    assert!(again.unmentioned.contains(&"acme_Parcels".to_owned()), "{:?}", again.unmentioned);
    // Once a person has asked for all of them, what is new comes too.
    let complete = merge(Some(ours), Some(&base), &order(&excerpt), true).unwrap();
    assert!(complete.text.contains("acme_name") && !complete.text.contains("acme_Parcels"), "{}", complete.text);
    let follows = merge(Some(&complete.text), Some(&complete.base), &now, false).unwrap();
    assert!(follows.text.contains("acme_Parcels = { kind = \"integer\" }\n"), "{}", follows.text);
    // Without its base, a contract of an import is none of one's own.
    let imported = merge(None, None, &order(&excerpt), false).unwrap();
    let without = merge(Some(&imported.text), None, &order(&excerpt), false).unwrap();
    assert_eq!(without.base, imported.base);
}
