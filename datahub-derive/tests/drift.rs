//! What a running CDMS has changed, and which contracts and models it hits.
#![cfg(test)]

use std::fs;

use cdms_odata::metadata::{Metadata, Property};
use datahub_derive::project::Project;
use datahub_derive::tree::{Drift, Tree};

const METADATA: &str = r#"<Edmx><Schema Namespace="Ns">
<EntityType Name="Account"><Key><PropertyRef Name="AccountId"/></Key><Property Name="AccountId" Type="Edm.Guid"/>
<Property Name="Name" Type="Edm.String"/><Property Name="Fax" Type="Edm.String"/>
<Property Name="Country" Type="Ns.EntityReference"/><Property Name="ModifiedOn" Type="Edm.DateTime"/>
<Property Name="CreatedOn" Type="Edm.DateTime"/><Property Name="ModifiedBy" Type="Ns.EntityReference"/></EntityType>
<EntityType Name="new_Country"><Key><PropertyRef Name="new_CountryId"/></Key><Property Name="new_CountryId" Type="Edm.Guid"/></EntityType>
<EntityContainer><EntitySet Name="AccountSet" EntityType="Ns.Account"/><EntitySet Name="new_CountrySet" EntityType="Ns.new_Country"/></EntityContainer>
</Schema></Edmx>"#;

const CONTRACT: &str = "entity = 'Account'\n[attributes]\nName = { kind = 'string', required = true }\n\
                        Fax = { kind = 'string' }\nCountry = { kind = 'lookup', target = 'new_country' }\n";

const SOURCE: &str = "#[derive(CdmsSynced)]\n#[cdms(mapping = \"account.toml\", table = \"firms\", mode = \"mirror\")]\n\
                      struct Firm {\n    #[cdms(key)]\n    id: Id<Firm>,\n    #[cdms(\"Name\")]\n    name: String,\n}\n\
                      #[derive(CdmsSynced)]\n#[cdms(mapping = \"account.toml\", table = \"offices\", mode = \"mirror\")]\n\
                      struct Office {\n    #[cdms(key)]\n    id: Id<Office>,\n    #[cdms(\"Country\")]\n    \
                      country: Option<uuid::Uuid>,\n}\n\
                      #[derive(CdmsSynced)]\n#[cdms(mapping = \"account.toml\", table = \"old\", mode = \"detached\")]\n\
                      struct Old {\n    #[cdms(key)]\n    id: Id<Old>,\n    #[cdms(\"Name\")]\n    name: String,\n}\n";

/// What a change of the document hits.
fn drifts(change: impl FnOnce(&mut Metadata)) -> Vec<Drift> {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("datahub.toml", "metadata = 'mappings/metadata.xml'"),
        ("Cargo.toml", "[dependencies]\ndiesel = '2'"),
        ("mappings/metadata.xml", METADATA),
        ("mappings/account.toml", CONTRACT),
        ("src/lib.rs", SOURCE),
    ] {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let tree = Tree::read(&Project::open(folder.path()).unwrap()).unwrap();
    assert_eq!(tree.faults, []);
    let mut live = Metadata::parse(METADATA).unwrap();
    change(&mut live);
    tree.drift(&live, "mappings/metadata.xml")
}

/// The only drift: the models that it hits, the line of the contract, and the message.
fn only(change: impl FnOnce(&mut Metadata)) -> (Vec<String>, usize, String) {
    let drifts = drifts(change);
    let [Drift { models, fault, .. }] = drifts.as_slice() else { panic!("{drifts:#?}") };
    (models.clone(), fault.diagnostic.place.line, fault.diagnostic.message.clone())
}

fn without(metadata: &mut Metadata, attribute: &str) {
    metadata.entities[0].properties.retain(|property| property.name != attribute);
}

#[test]
fn a_change_hits_the_models_that_use_it() {
    let (models, line, message) = only(|live| without(live, "Name"));
    assert_eq!((models, line), (vec!["Firm".to_owned()], 3));
    assert_eq!(message, "CDMS has changed: the attribute `Name` of `Account` is gone, which `Firm` uses");
    let (models, line, message) = only(|live| without(live, "ModifiedOn"));
    assert_eq!(
        (models, line),
        (vec!["Firm".to_owned(), "Office".to_owned()], 1),
        "the engine reads it of every record"
    );
    assert!(message.ends_with("which `Firm`, `Office` use"), "{message}");
    let (models, line, _) = only(|live| _ = live.entities.pop());
    assert_eq!((models, line), (vec!["Office".to_owned()], 5), "its lookup points there");
    let (models, ..) = only(|live| _ = live.entities.remove(0));
    assert_eq!(models, ["Firm", "Office"]);
    let (models, line, _) = only(|live| live.entities[0].set = "Accounts".to_owned());
    assert_eq!((models.len(), line), (2, 1));
}

#[test]
fn what_no_model_uses_hits_none() {
    let (models, line, message) = only(|live| without(live, "Fax"));
    assert_eq!((models, line), (Vec::new(), 4));
    assert!(message.ends_with("is gone, which `mappings/account.toml` states"), "{message}");
    let new = |live: &mut Metadata| {
        let edm = live.entities[0].properties[1].edm;
        live.entities[0].properties.push(Property::new("Alias", edm));
    };
    let (models, line, message) = only(new);
    assert_eq!((models, line), (Vec::new(), 0));
    assert!(message.ends_with("the attribute `Alias` of `Account` is new; its type is `Edm.String`"), "{message}");
    assert!(drifts(|_| {}).is_empty());
}
