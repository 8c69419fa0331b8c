//! Which names a tool may correct without asking: never one that may be the name of something else.

use cdms_odata::metadata::Metadata;
use datahub_model::diagnostic::Cure;
use datahub_model::source::{ColumnLimit, Contract, Placed, check_choices, resolve};

use crate::metadata::METADATA;
use crate::reader;

const CONTRACT: &str =
    "entity = 'Account'\n[attributes]\nName = { kind = 'string' }\nAddress1_Country = { kind = 'string' }\n";

/// `$metadata` with an attribute that the contract does not state, and whose name is like one that it states.
fn metadata() -> Metadata {
    let like = "<Property Name=\"Address1_County\" Type=\"Edm.String\"/><Property Name=\"Address1_Country\" Type=\"Edm.String\"/>\
                <Property Name=\"Fax\"";
    Metadata::parse(&METADATA.replace("<Property Name=\"Fax\"", like)).expect("the document is $metadata")
}

fn contract(text: &str, metadata: Option<&Metadata>) -> (Contract, Vec<Cure>) {
    let (contract, faults) = Contract::parse_beside(text, metadata).into_parts();
    (contract.expect("a contract with faults is read"), faults.into_iter().map(|fault| fault.cure).collect())
}

/// The cure of a model with this attribute, or this table.
fn cure(model: &str, metadata: Option<&Metadata>) -> Cure {
    let (contract, faults) = contract(CONTRACT, metadata);
    assert_eq!(faults, []);
    let faulty = resolve(&reader::model(model), &contract, ColumnLimit::Columns64).expect_err("the model has a fault");
    assert_eq!(faulty.diagnostics.len(), 1, "{:#?}", faulty.diagnostics);
    faulty.diagnostics[0].cure.clone()
}

fn right(cure: &Cure) -> Option<&str> {
    cure.correction.as_deref().map(|correction| correction.right.as_str())
}

fn of_attribute(name: &str, metadata: Option<&Metadata>) -> Cure {
    cure(&format!("M table=m mode=mirror\n id: key\n a?: \"{name}\""), metadata)
}

#[test]
fn an_attribute_that_cdms_has_is_not_replaced_by_a_similar_one() {
    let metadata = metadata();
    let cure = of_attribute("Address1_County", Some(&metadata));
    assert_eq!(right(&cure), None);
    let text = "CDMS has this attribute: state it in the contract's [attributes], or write `Address1_Country`";
    assert_eq!(cure.text, text);
    for (name, expected) in [
        ("Nmae", Some("Name")),
        ("Address1_Contry", Some("Address1_Country")),
        ("address1_country", Some("Address1_Country")),
        // One slip from what the contract states, and as near to what only CDMS has.
        ("Address1_Counry", None),
        ("address1_county", None),
        ("Fax", None),
    ] {
        assert_eq!(right(&of_attribute(name, Some(&metadata))), expected, "{name}");
    }
}

#[test]
fn without_a_snapshot_of_the_entity_only_the_case_of_an_attribute_is_corrected() {
    let other = METADATA.replace("Name=\"Account\"", "Name=\"Firm\"").replace("Example.Account\"", "Example.Firm\"");
    let other = Metadata::parse(&other).unwrap();
    let (of_other, _) = contract(CONTRACT, Some(&other));
    assert_eq!(of_other.in_metadata, None);
    for (name, expected) in [
        ("Address1_County", None),
        ("Address1_Contry", None),
        ("Nmae", None),
        ("address1_country", Some("Address1_Country")),
    ] {
        let cure = of_attribute(name, None);
        assert_eq!(right(&cure), expected, "{name}");
        assert!(cure.text.starts_with("did you mean `"), "{name}: {cure}");
    }
}

#[test]
fn the_same_holds_in_groups_constants_conditions_and_choices() {
    let metadata = metadata();
    for (more, snapshot, expected) in [
        ("[groups.a]\ncounty = 'Address1_County'", Some(&metadata), None),
        ("[groups.a]\ncounty = 'Address1_Contry'", Some(&metadata), Some("Address1_Country")),
        ("[groups.a]\ncounty = 'Address1_Contry'", None, None),
        ("[groups.a]\ncounty = 'address1_country'", None, Some("Address1_Country")),
        ("[constants]\nAddress1_County = 'x'", Some(&metadata), None),
        ("[constants]\nAddress1_Contry = 'x'", Some(&metadata), Some("Address1_Country")),
    ] {
        let (_, cures) = contract(&format!("{CONTRACT}{more}"), snapshot);
        assert_eq!(cures.len(), 1, "{more}: {cures:#?}");
        assert_eq!(right(&cures[0]), expected, "{more}");
    }
    for (name, expected) in [("Address1_County", None), ("Nmae", Some("Name"))] {
        let only = cure(&format!("M table=m mode=mirror only=\"{name} eq 'a'\"\n id: key"), Some(&metadata));
        assert_eq!(right(&only), expected, "{name}");
        let (contract, _) = contract(CONTRACT, Some(&metadata));
        let attribute = Placed { value: name.to_owned(), place: () };
        let faults = check_choices(&contract, &attribute, &[], true).unwrap_err();
        assert_eq!(right(&faults[0].cure), expected, "{name}");
    }
}

#[test]
fn a_table_is_renamed_only_in_case() {
    for (table, text, expected) in [
        ("Firms", "write `firms`", Some("firms")),
        ("Größe", "write `gr__e`, or choose another name", None),
        ("my-firms", "write `my_firms`, or choose another name", None),
    ] {
        let cure = cure(&format!("M table={table} mode=mirror\n id: key"), None);
        assert_eq!((cure.text.as_str(), right(&cure)), (text, expected), "{table}");
    }
}
