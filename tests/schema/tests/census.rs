//! What became of every entity and attribute of the document, and that each contract fits it.

use cdms_odata::metadata::Metadata;
use datahub_model::diagnostic::Code;
use datahub_model::source::Contract;
use datahub_schema_tests::document;
use datahub_schema_tests::mapping::can_be_followed;
use datahub_schema_tests::project::Project;

const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/project/mappings/metadata.xml"));

/// Whether the document is the generated one, whose counts are known.
fn is_generated() -> bool {
    env!("DATAHUB_DOCUMENT_IS_GENERATED") == "true"
}

fn metadata() -> Metadata {
    Metadata::parse(DOCUMENT).expect("the build script could read it")
}

#[test]
fn the_counts_are_known() {
    let census = Project::of(&metadata()).census;
    println!("{census}");
    if is_generated() {
        insta::assert_snapshot!(census.to_string());
    }
}

#[test]
fn the_document_is_the_same_on_every_machine() {
    if is_generated() {
        assert!(DOCUMENT == document::generated().to_xml(), "it is made anew as the build script made it");
    }
    assert_eq!(document::generated(), document::generated());
}

/// The contract of an entity that the hub cannot follow is refused for that alone, and every other one is faultless.
#[test]
fn contracts_fit_the_document() {
    let metadata = metadata();
    let contracts = Project::of(&metadata).contracts;
    assert_eq!(contracts.len(), metadata.entities.len());
    for (file, text) in contracts {
        let (contract, faults) = Contract::parse(&text).into_parts();
        assert_eq!(faults, [], "{file}");
        let contract = contract.unwrap_or_else(|| panic!("{file} names no entity"));
        let entity = metadata.entity(&contract.entity).unwrap_or_else(|| panic!("{file} is of another entity"));
        let stated = contract.attributes.len() + contract.unmapped.len();
        let followed = [&contract.modified, &contract.created, &contract.modified_by];
        let followed = followed.into_iter().filter(|name| entity.property(name).is_some()).count();
        assert_eq!(stated + followed + 1, entity.properties.len(), "{file} forgets an attribute");
        let (_, faults) = Contract::parse_beside(&text, Some(&metadata)).into_parts();
        assert_eq!(faults.is_empty(), can_be_followed(entity), "{file}: {faults:?}");
        assert_eq!(faults.len(), 3 - followed, "{file}: {faults:?}");
        for fault in faults {
            assert_eq!(fault.code, Code::NotInMetadata, "{file}: {fault:?}");
            assert!(fault.message.contains(", the attribute for `"), "{file}: {fault:?}");
        }
    }
}
