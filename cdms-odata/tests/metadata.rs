//! `$metadata` documents: reading them, writing them so that they read back, and the lines of errors.
#![allow(clippy::unwrap_used, reason = "functions next to the tests unwrap what the tests wrote themselves")]

use cdms_odata::metadata::{ComplexType, EdmType, EntityType, Facet, Member, Metadata, Multiplicity, Property};

const SMALL: &str = r#"<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx">
 <edmx:DataServices xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">
  <Schema Namespace="Microsoft.Crm.Sdk.Data.Services" xmlns="http://schemas.microsoft.com/ado/2007/05/edm">
   <EntityType Name="Account">
    <Key><PropertyRef Name="AccountId"/></Key>
    <Property Name="AccountId" Type="Edm.Guid" Nullable="false"/>
    <Property Name="Revenue" Type="Microsoft.Crm.Sdk.Data.Services.Money" Nullable="false"/>
    <Property Name="Name" Type="Edm.String" MaxLength="160" m:FC_TargetPath="SyndicationTitle" FixedLength="false"/>
    <NavigationProperty Name="people" Relationship="Microsoft.Crm.Sdk.Data.Services.staff" FromRole="a" ToRole="b"/>
   </EntityType>
   <EntityType Name="Contact">
    <Key><PropertyRef Name="ContactId"/></Key>
    <Property Name="ContactId" Type="Edm.Guid"/>
    <Property Name="Sector" Type="Microsoft.Crm.Sdk.Data.Services.OptionSetValue"/>
   </EntityType>
   <ComplexType Name="Money">
    <Property Name="Value" Type="Edm.Decimal" Precision="19" Scale="4"/>
    <Property Name="RowVersion" Type="Edm.String" Nullable="false"/>
   </ComplexType>
   <Association Name="staff">
    <End Role="a" Type="Microsoft.Crm.Sdk.Data.Services.Account" Multiplicity="0..1"/>
    <End Role="b" Type="Microsoft.Crm.Sdk.Data.Services.Contact" Multiplicity="*"/>
   </Association>
   <EntityContainer Name="ContosoContext">
    <EntitySet Name="AccountSet" EntityType="Microsoft.Crm.Sdk.Data.Services.Account"/>
    <EntitySet Name="ContactSet" EntityType="Microsoft.Crm.Sdk.Data.Services.Contact"/>
    <AssociationSet Name="staffSet" Association="Microsoft.Crm.Sdk.Data.Services.staff">
     <End Role="a" EntitySet="AccountSet"/><End Role="b" EntitySet="ContactSet"/>
    </AssociationSet>
   </EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"#;

#[test]
fn a_document_reads_and_writes_back() {
    let metadata = Metadata::parse(SMALL).unwrap();
    let account = metadata.entity("Account").unwrap();
    assert_eq!((account.set.as_str(), account.key.as_str()), ("AccountSet", "AccountId"));
    assert_eq!(account.property("Revenue").unwrap().edm, EdmType::Money);
    assert!(account.navigates("people") && !account.navigates("People"));
    assert!(metadata.has_navigation);
    assert_eq!(metadata.entity_by_set("AccountSet"), Some(account));
    assert_eq!(Metadata::parse(&metadata.to_xml()).unwrap(), metadata);
}

#[test]
fn facets_are_kept() {
    let metadata = Metadata::parse(SMALL).unwrap();
    let xml = metadata.to_xml();
    let facet = |name: &str, value: &str| Facet { name: name.to_owned(), value: value.to_owned() };
    for metadata in [&metadata, &Metadata::parse(&xml).unwrap()] {
        assert_eq!(metadata.container, "ContosoContext");
        assert_eq!(metadata.language, "http://schemas.microsoft.com/ado/2007/05/edm");
        let account = metadata.entity("Account").unwrap();
        let facets = [facet("MaxLength", "160"), facet("m:FC_TargetPath", "SyndicationTitle")];
        let facets = [&facets[..], &[facet("FixedLength", "false")]].concat();
        assert_eq!(account.property("Name").unwrap().facets, facets);
        let nullable = |name| account.property(name).unwrap().nullable;
        assert_eq!(["AccountId", "Revenue", "Name"].map(nullable), [false, false, true]);
        let [navigation] = &account.navigation[..] else { panic!("{:?}", account.navigation) };
        assert_eq!(
            [&navigation.name, &navigation.association, &navigation.from, &navigation.to],
            ["people", "staff", "a", "b"]
        );
        let [association] = &metadata.associations[..] else { panic!("{:?}", metadata.associations) };
        assert_eq!((association.name.as_str(), association.set.as_str()), ("staff", "staffSet"));
        let ends = association.ends.each_ref().map(|end| (end.entity.as_str(), end.multiplicity));
        assert_eq!(ends, [("Account", Multiplicity::ZeroOrOne), ("Contact", Multiplicity::Many)]);
        let member = |name: &str, type_name: &str, nullable, facets| Member {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
            nullable,
            facets,
        };
        let money = ComplexType {
            name: "Money".to_owned(),
            members: vec![
                member("Value", "Edm.Decimal", true, vec![facet("Precision", "19"), facet("Scale", "4")]),
                member("RowVersion", "Edm.String", false, vec![]),
            ],
        };
        assert_eq!(metadata.complex_types[0], money, "as the document has it");
        let option = ComplexType {
            name: "OptionSetValue".to_owned(),
            members: vec![member("Value", "Edm.Int32", true, vec![])],
        };
        assert_eq!(metadata.complex_types[1..], [option], "as CRM 2011 has it, if the document lacks it");
    }
    assert!(xml.contains("<End Role=\"b\" EntitySet=\"ContactSet\"/>"), "{xml}");
}

#[test]
fn a_document_without_a_version_of_the_schema_gets_that_of_odata_v2() {
    for namespace in ["", "urn:x"] {
        let other = SMALL.replace("http://schemas.microsoft.com/ado/2007/05/edm", namespace);
        let metadata = Metadata::parse(&other).unwrap();
        assert_eq!(metadata.language, "http://schemas.microsoft.com/ado/2008/09/edm", "{namespace:?}");
        assert_eq!(Metadata::parse(&metadata.to_xml()).unwrap(), metadata);
    }
}

#[test]
fn an_excerpt_keeps_only_relations_that_it_can_state() {
    for (missing, cut) in [
        ("the association", SMALL.replace("<Association ", "<Left ").replace("</Association>", "</Left>")),
        ("the other type", SMALL.replace("Services.Contact\" Mul", "Services.Lead\" Mul")),
    ] {
        let metadata = Metadata::parse(&cut).unwrap();
        assert_eq!(metadata.entity("Account").unwrap().navigation, [], "without {missing}");
        assert!(!metadata.has_navigation, "without {missing}");
        assert!(!metadata.to_xml().contains("NavigationProperty"), "without {missing}");
        assert_eq!(Metadata::parse(&metadata.to_xml()).unwrap(), metadata, "without {missing}");
    }
}

#[test]
fn a_schema_built_in_code_is_written_with_everything_it_needs() {
    let entity = EntityType {
        name: "Account".to_owned(),
        set: "AccountSet".to_owned(),
        key: "AccountId".to_owned(),
        properties: vec![
            Property::new("AccountId", EdmType::Guid),
            Property::new("Owner", EdmType::EntityReference),
            Property::new("Kept", EdmType::BooleanManagedProperty),
        ],
        navigation: Vec::new(),
    };
    let made = Metadata { namespace: "N".to_owned(), entities: vec![entity], ..Metadata::default() };
    let read = Metadata::parse(&made.to_xml()).unwrap();
    assert_eq!((read.container.as_str(), read.namespace.as_str()), ("CdmsContext", "N"));
    assert_eq!(read.language, "http://schemas.microsoft.com/ado/2008/09/edm");
    let names: Vec<_> = read.complex_types.iter().map(|complex| complex.name.as_str()).collect();
    assert_eq!(names, ["EntityReference", "BooleanManagedProperty"]);
    let [key, owner, _] = &read.entities[0].properties[..] else { panic!("{read:?}") };
    assert!(!key.nullable && owner.nullable);
    assert_eq!(Metadata::parse(&read.to_xml()).unwrap(), read);
}

#[test]
fn names_with_markup_characters_read_back() {
    let marked = SMALL.replace("Account\"", "A&amp;B&lt;&quot;C'&gt;&#10;&#9;&#13; D\"");
    let metadata = Metadata::parse(&marked).unwrap();
    assert_eq!(metadata.entities[0].name, "A&B<\"C'>\n\t\r D");
    assert_eq!(metadata.associations.len(), 1);
    assert_eq!(Metadata::parse(&metadata.to_xml()).unwrap(), metadata);
}

#[test]
fn errors_state_the_line_and_the_name() {
    let cases = [
        (
            SMALL.replace("AccountId\" Type=\"Edm.Guid", "AccountId\" Type=\"Edm.Binary"),
            "$metadata line 6: Account.AccountId has the type Edm.Binary",
        ),
        (SMALL.replace("<Key><PropertyRef Name=\"AccountId\"/></Key>", ""), "line 4: the type Account has no key"),
        (SMALL.replace("PropertyRef Name=\"AccountId\"", "PropertyRef Name=\"Id\""), "has the key Id, but no such"),
        (SMALL.replace("<EntitySet ", "<Nothing "), "line 4: the type Account has no set"),
        (SMALL.replacen("EntityType=\"Microsoft.Crm.Sdk.Data.Services.Account\"", "EntityType=\"Lead\"", 1), "no set"),
        (SMALL.replace("\"Revenue\"", "\"AccountId\""), "line 7: Account.AccountId is defined twice"),
        (SMALL.replace("\"people\"", "\"Name\""), "line 9: Account.Name is defined twice"),
        (SMALL.replace("\"RowVersion\"", "\"Value\""), "line 18: Money.Value is defined twice"),
        (
            SMALL.replace("ComplexType Name=\"Money\"", "ComplexType Name=\"Contact\""),
            "the type Contact is defined twice",
        ),
        (SMALL.replace("\"staffSet\"", "\"ContactSet\""), "line 27: the set ContactSet is defined twice"),
        (SMALL.replace("\"0..1\"", "\"0..7\""), "line 21: unknown multiplicity 0..7 of staff; expected 0..1, 1 or *"),
        (
            SMALL.replace("Association Name=\"staff\"", "Association Name=\"st.ff\""),
            "line 20: the name of the association st.ff must not",
        ),
        (
            SMALL.replace("<End Role=\"b\" Type", "<Side Role=\"b\" Type"),
            "line 20: the association staff must have two ends, found 1",
        ),
        (SMALL.replace("<End Role=\"b\" Type", "<End Role=\"a\" Type"), "line 20: both ends"),
        (
            SMALL.replace("FromRole=\"a\" ToRole=\"b\"", "FromRole=\"b\" ToRole=\"a\""),
            "line 9: Account.people goes from b to a, which does not match the ends of staff",
        ),
        ("<a>".to_owned(), "not valid XML"),
        ("<a/>".to_owned(), "no entity types found"),
    ];
    for (text, expected) in cases {
        let error = Metadata::parse(&text).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(expected), "expected {expected:?} in {message:?}");
        let line =
            if error.line() == 0 { "$metadata: ".to_owned() } else { format!("$metadata line {}: ", error.line()) };
        assert!(message.starts_with(&line), "expected line {} in {message:?}", error.line());
    }
}

/// A document of these entities, each with its set, its key and its attributes.
/// An entity: its name, its set, its key, and its properties with their types.
type Described<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, &'a str)]);

fn document(entities: &[Described<'_>]) -> Metadata {
    let types = entities.iter().map(|(name, _, key, attributes)| {
        let key = format!("<Key><PropertyRef Name=\"{key}\"/></Key><Property Name=\"{key}\" Type=\"Edm.Guid\"/>");
        let attributes = attributes.iter().map(|(name, edm)| format!("<Property Name=\"{name}\" Type=\"{edm}\"/>"));
        format!("<EntityType Name=\"{name}\">{key}{}</EntityType>", attributes.collect::<String>())
    });
    let sets = entities.iter().map(|(name, set, ..)| format!("<EntitySet Name=\"{set}\" EntityType=\"Ns.{name}\"/>"));
    let (types, sets): (String, String) = (types.collect(), sets.collect());
    let text =
        format!("<Edmx><Schema Namespace=\"Ns\">{types}<EntityContainer>{sets}</EntityContainer></Schema></Edmx>");
    Metadata::parse(&text).unwrap()
}

#[test]
fn every_difference_of_two_documents_is_found_and_their_order_is_none() {
    let before = document(&[
        ("Account", "AccountSet", "AccountId", &[("Name", "Edm.String"), ("Fax", "Edm.String"), ("Size", "Edm.Int32")]),
        ("Lead", "LeadSet", "LeadId", &[]),
        ("Task", "TaskSet", "TaskId", &[]),
    ]);
    let now = document(&[
        ("Team", "TeamSet", "TeamId", &[]),
        ("Task", "Tasks", "ActivityId", &[]),
        (
            "Account",
            "AccountSet",
            "AccountId",
            &[("Size", "Edm.Decimal"), ("Alias", "Edm.String"), ("Name", "Edm.String")],
        ),
    ]);
    let changes: Vec<_> = now.changes_since(&before).iter().map(|change| (change.name(), change.to_string())).collect();
    let expected = [
        ("attribute-appeared", "the attribute `Alias` of `Account` is new; its type is `Edm.String`"),
        ("attribute-vanished", "the attribute `Fax` of `Account` is gone"),
        ("attribute-type", "the type of `Size` of `Account` is `Edm.Decimal`, no longer `Edm.Int32`"),
        ("entity-vanished", "the entity `Lead` is gone"),
        ("set", "the set of `Task` is `Tasks`, no longer `TaskSet`"),
        ("key", "the key of `Task` is `ActivityId`, no longer `TaskId`"),
        ("attribute-appeared", "the attribute `ActivityId` of `Task` is new; its type is `Edm.Guid`"),
        ("attribute-vanished", "the attribute `TaskId` of `Task` is gone"),
        ("entity-appeared", "the entity `Team` is new"),
    ];
    assert_eq!(changes, expected.map(|(name, text)| (name, text.to_owned())));
    let turned = document(&[
        ("Task", "TaskSet", "TaskId", &[]),
        ("Lead", "LeadSet", "LeadId", &[]),
        ("Account", "AccountSet", "AccountId", &[("Size", "Edm.Int32"), ("Fax", "Edm.String"), ("Name", "Edm.String")]),
    ]);
    assert_eq!(turned.changes_since(&before), []);
}
