//! The navigation property of a lookup: from `$metadata`, from relationships, and merged like every other fact.
#![cfg(test)]

use datahub_import::{Base, Merged, Source, United, Wanted, merge, unite};
use datahub_model::source::Contract;

/// `$metadata` of orders, with these navigation properties: name, association, target.
fn metadata(properties: &[(&str, &str, &str)]) -> String {
    let types = ["acme_order", "acme_carrier", "Account", "Contact", "SystemUser"];
    let mut navigation = String::new();
    let (mut associations, mut sets) = (String::new(), String::new());
    for (name, association, target) in properties {
        navigation.push_str(&format!(
            "<NavigationProperty Name='{name}' Relationship='N.{association}' FromRole='of' ToRole='to'/>"
        ));
        associations.push_str(&format!(
            "<Association Name='{association}'><End Role='of' Type='N.acme_order' Multiplicity='*'/>\
             <End Role='to' Type='N.{target}' Multiplicity='0..1'/></Association>"
        ));
    }
    let mut schema = String::new();
    for name in types {
        let lookups = ["acme_Carrier", "acme_Customer", "acme_Parent", "ModifiedBy"]
            .map(|lookup| format!("<Property Name='{lookup}' Type='N.EntityReference'/>"));
        let (lookups, navigation) = match name {
            "acme_order" => (lookups.concat(), navigation.as_str()),
            _ => (lookups[3].clone(), ""),
        };
        schema.push_str(&format!(
            "<EntityType Name='{name}'><Key><PropertyRef Name='{name}Id'/></Key><Property Name='{name}Id' Type='Edm.Guid'/>\
             <Property Name='CreatedOn' Type='Edm.DateTime'/><Property Name='ModifiedOn' Type='Edm.DateTime'/>{lookups}{navigation}\
             </EntityType>"
        ));
        sets.push_str(&format!("<EntitySet Name='{name}Set' EntityType='N.{name}'/>"));
    }
    format!("<Schema Namespace='N'>{schema}{associations}<EntityContainer Name='C'>{sets}</EntityContainer></Schema>")
}

/// A solution that states these relationships of orders: name, lookup, target.
fn solution(relationships: &[(&str, &str, &str)]) -> String {
    let relationships: String = relationships
        .iter()
        .map(|(name, lookup, target)| {
            format!(
                "<EntityRelationship Name='{name}'><EntityRelationshipType>OneToMany</EntityRelationshipType>\
                 <ReferencingEntityName>acme_order</ReferencingEntityName><ReferencedEntityName>{target}</ReferencedEntityName>\
                 <ReferencingAttributeName>{lookup}</ReferencingAttributeName></EntityRelationship>"
            )
        })
        .collect();
    format!("<ImportExportXml><Entities/><EntityRelationships>{relationships}</EntityRelationships></ImportExportXml>")
}

/// A reply of the SOAP service that states these relationships of orders.
fn reply(relationships: &[(&str, &str, &str)]) -> String {
    let attributes: String = relationships
        .iter()
        .map(|(_, lookup, _)| {
            format!(
                "<AttributeMetadata><AttributeType>Lookup</AttributeType><SchemaName>{lookup}</SchemaName></AttributeMetadata>"
            )
        })
        .collect();
    let relationships: String = relationships
        .iter()
        .map(|(name, lookup, target)| {
            format!(
                "<OneToManyRelationshipMetadata><ReferencedEntity>{target}</ReferencedEntity>\
                 <ReferencingAttribute>{}</ReferencingAttribute><SchemaName>{name}</SchemaName></OneToManyRelationshipMetadata>",
                lookup.to_lowercase()
            )
        })
        .collect();
    format!(
        "<EntityMetadata><Attributes>{attributes}</Attributes><LogicalName>acme_order</LogicalName>\
         <ManyToOneRelationships>{relationships}</ManyToOneRelationships><SchemaName>acme_order</SchemaName></EntityMetadata>"
    )
}

fn united(sources: &[&str]) -> United {
    let sources: Vec<_> = sources.iter().map(|text| Source::read("source", text.as_bytes()).unwrap()).collect();
    unite(&sources, &Wanted { entities: Some(vec!["acme_order".to_owned()]), zone: None }).unwrap()
}

/// Merges what sources say into a contract.
fn merged(contract: Option<&str>, base: Option<&Base>, sources: &[&str]) -> Merged {
    let now = united(sources).entities.remove(0);
    let merged = merge(contract, base, &now, false).unwrap();
    assert!(Contract::parse(&merged.text).into_result().is_ok(), "{}", merged.text);
    // What was merged once is not merged again, and the base is read as it is written.
    let base = Base::parse(&merged.base.text()).unwrap();
    assert_eq!(base, merged.base);
    let same = merge(Some(&merged.text), Some(&base), &now, false).unwrap();
    assert_eq!((&same.text, same.changes.len(), same.conflicts.len()), (&merged.text, 0, merged.conflicts.len()));
    merged
}

/// The line of an attribute.
fn line<'t>(text: &'t str, attribute: &str) -> &'t str {
    text.lines().find_map(|line| line.strip_prefix(attribute)?.strip_prefix(" = ")).unwrap_or("missing")
}

fn said(merged: &Merged) -> Vec<String> {
    merged.changes.iter().chain(&merged.conflicts).map(ToString::to_string).collect()
}

const CARRIER: (&str, &str, &str) = ("acme_carrier_order", "acme_carrier_order", "acme_carrier");
const PARENT: (&str, &str, &str) = ("Referencingacme_order_parent", "acme_order_parent", "acme_order");
const ACCOUNT: (&str, &str, &str) = ("acme_account_order", "acme_account_order", "Account");
const CONTACT: (&str, &str, &str) = ("acme_contact_order", "acme_contact_order", "Contact");

/// A contract that a person wrote, with these targets.
fn by_hand(lookups: &[(&str, &str)]) -> String {
    let lookups: String =
        lookups.iter().map(|(name, target)| format!("{name} = {{ kind = \"lookup\", target = {target} }}\n")).collect();
    format!("entity = \"acme_order\"\n\n[attributes]\n{lookups}")
}

#[test]
fn metadata_alone_says_it_where_a_person_stated_the_target_and_only_one_property_leads_there() {
    let metadata = metadata(&[CARRIER, ACCOUNT, CONTACT, PARENT]);
    let customer = "[\"account\", \"contact\"]";
    let contract = by_hand(&[
        ("acme_Carrier", "\"acme_carrier\""),
        ("acme_Customer", customer),
        ("acme_Parent", "\"acme_order\""),
    ]);
    let merged = merged(Some(&contract), None, &[&metadata]);
    let text = &merged.text;
    assert_eq!(
        line(text, "acme_Carrier"),
        "{ kind = \"lookup\", target = \"acme_carrier\", navigation = \"acme_carrier_order\" }"
    );
    assert_eq!(
        line(text, "acme_Customer"),
        "{ kind = \"lookup\", target = [\"account\", \"contact\"], navigation = { account = \"acme_account_order\", \
         contact = \"acme_contact_order\" } }"
    );
    assert!(line(text, "acme_Parent").contains("navigation = \"Referencingacme_order_parent\""), "{text}");
    let changes = ["`acme_Carrier`: `navigation` is \"acme_carrier_order\" ($metadata)"];
    assert_eq!(said(&merged)[..1], changes);
    // The file next to the contract has it with its origin.
    let base = merged.base.text();
    let fact = "acme_Carrier = { kind = \"lookup\", navigation = { acme_carrier = \"acme_carrier_order\" }, from = \"$metadata: kind, navigation\" }";
    assert!(base.contains(fact), "{base}");
}

#[test]
fn a_question_about_the_target_comes_first() {
    let metadata = metadata(&[CARRIER]);
    let first = merged(None, None, &[&metadata]);
    assert_eq!(line(&first.text, "acme_Carrier"), "{ kind = \"lookup\", target = \"?\" }");
    let answered = first.text.replace(
        "acme_Carrier = { kind = \"lookup\", target = \"?\" }",
        "acme_Carrier = { kind = \"lookup\", target = \"acme_carrier\" }",
    );
    let second = merged(Some(&answered), Some(&first.base), &[&metadata]);
    assert!(line(&second.text, "acme_Carrier").contains("navigation = \"acme_carrier_order\""), "{}", second.text);
    // What a person removed stays removed.
    let removed = second.text.replace(", navigation = \"acme_carrier_order\"", "");
    let third = merged(Some(&removed), Some(&second.base), &[&metadata]);
    assert_eq!((third.text.as_str(), third.changes.len(), third.conflicts.len()), (removed.as_str(), 0, 0));
}

#[test]
fn what_cdms_changes_is_followed_and_what_a_person_wrote_stays() {
    let before = metadata(&[CARRIER]);
    let contract = by_hand(&[("acme_Carrier", "\"acme_carrier\"")]);
    let first = merged(Some(&contract), None, &[&before]);
    let other = metadata(&[("acme_other", "acme_other", "acme_carrier")]);
    let followed = merged(Some(&first.text), Some(&first.base), &[&other]);
    assert_eq!(
        said(&followed),
        ["`acme_Carrier`: `navigation` is \"acme_other\" ($metadata), was \"acme_carrier_order\""]
    );
    let own = first.text.replace("\"acme_carrier_order\"", "\"acme_own\"");
    let kept = merged(Some(&own), Some(&first.base), &[&other]);
    assert_eq!(
        (kept.text.as_str(), said(&kept)),
        (
            own.as_str(),
            vec!["`acme_Carrier`: `navigation` is \"acme_own\", and CDMS has \"acme_other\" ($metadata)".to_owned()]
        )
    );
    // A property that is no longer there is removed; where there are none, the document says nothing of them.
    let gone = metadata(&[ACCOUNT]);
    let removed = merged(Some(&first.text), Some(&first.base), &[&gone]);
    assert_eq!(said(&removed), ["`acme_Carrier`: `navigation` is removed, was \"acme_carrier_order\""]);
    let silent = merged(Some(&first.text), Some(&first.base), &[&metadata(&[])]);
    assert_eq!((silent.text.as_str(), silent.changes.len()), (first.text.as_str(), 0));
}

#[test]
fn relationships_say_which_of_several_it_is() {
    let second = ("acme_carrier_second", "acme_carrier_second", "acme_carrier");
    let metadata = metadata(&[CARRIER, second, PARENT]);
    let relations =
        [("acme_carrier_second", "acme_Carrier", "acme_carrier"), ("acme_order_parent", "acme_Parent", "acme_order")];
    for (source, name) in [(solution(&relations), "solution"), (reply(&relations), "SOAP")] {
        let text = merged(None, None, &[&metadata, &source]).text;
        assert_eq!(
            line(&text, "acme_Carrier"),
            format!(
                "{{ kind = \"lookup\", target = \"acme_carrier\", navigation = \"acme_carrier_second\" }} # from {name}: target, navigation"
            )
        );
        assert!(line(&text, "acme_Parent").contains("navigation = \"Referencingacme_order_parent\""), "{text}");
    }
    let alone = merged(Some(&by_hand(&[("acme_Carrier", "\"acme_carrier\"")])), None, &[&metadata]);
    assert_eq!(alone.changes.len(), 0, "{:?}", alone.changes);
}

#[test]
fn sources_that_differ_contradict_each_other_and_metadata_decides_what_exists() {
    let second = ("acme_carrier_second", "acme_carrier_second", "acme_carrier");
    let metadata = metadata(&[CARRIER, second]);
    let solution = solution(&[("acme_carrier_order", "acme_Carrier", "acme_carrier")]);
    let reply = reply(&[("acme_carrier_second", "acme_Carrier", "acme_carrier")]);
    let both = united(&[&metadata, &solution, &reply]);
    let contradictions: Vec<_> = both.remarks.iter().filter(|remark| remark.is_contradiction).collect();
    assert_eq!(
        contradictions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "acme_order: `acme_Carrier` leads to acme_carrier by `acme_carrier_order`, but by `acme_carrier_second` in source; \
          source is taken"
        ]
    );
    let text = merged(None, None, &[&metadata, &solution, &reply]).text;
    assert!(line(&text, "acme_Carrier").contains("navigation = \"acme_carrier_second\""), "{text}");
    let unknown = crate::solution(&[("acme_gone", "acme_Carrier", "acme_carrier")]);
    let text = merged(None, None, &[&metadata, &unknown]).text;
    assert!(!line(&text, "acme_Carrier").contains("navigation"), "{text}");
    // Where the document has none, the relationship's name is the property's.
    let text = merged(None, None, &[&crate::metadata(&[]), &unknown]).text;
    assert!(line(&text, "acme_Carrier").contains("navigation = \"acme_gone\""), "{text}");
}

#[test]
fn the_form_follows_the_number_of_targets() {
    let metadata = metadata(&[ACCOUNT, CONTACT]);
    let one = solution(&[("acme_account_order", "acme_Customer", "Account")]);
    let first = merged(None, None, &[&metadata, &one]);
    let of_one = "target = \"account\", navigation = \"acme_account_order\"";
    assert!(line(&first.text, "acme_Customer").contains(of_one), "{}", first.text);
    let two = solution(&[
        ("acme_account_order", "acme_Customer", "Account"),
        ("acme_contact_order", "acme_Customer", "Contact"),
    ]);
    let second = merged(Some(&first.text), Some(&first.base), &[&metadata, &two]);
    let of_two = "target = [\"account\", \"contact\"], navigation = { account = \"acme_account_order\", contact = \
                  \"acme_contact_order\" }";
    assert!(line(&second.text, "acme_Customer").contains(of_two), "{}", second.text);
    let third = merged(Some(&second.text), Some(&second.base), &[&metadata, &one]);
    assert!(line(&third.text, "acme_Customer").contains(of_one), "{}", third.text);
}
