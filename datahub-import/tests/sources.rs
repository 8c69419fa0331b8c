//! Sources: what is taken from each, and every trap in real documents.
#![cfg(test)]

use datahub_import::{Merged, Source, United, Wanted, merge, unite};

const METADATA: &str = include_str!("fixtures/metadata.xml");
const SOLUTION: &str = include_str!("fixtures/customizations.xml");
const REPLY: &str = include_str!("fixtures/reply.xml");
const ORDER: &str = "acme_shipmentorder";

fn source(name: &str, text: &str) -> Source {
    Source::read(name, text.as_bytes()).unwrap()
}

fn united(sources: &[(&str, &str)], entity: &str) -> United {
    let sources: Vec<_> = sources.iter().map(|(name, text)| source(name, text)).collect();
    let wanted = Wanted { entities: Some(vec![entity.to_owned()]), zone: None };
    unite(&sources, &wanted).unwrap()
}

fn contract(sources: &[(&str, &str)], entity: &str) -> Merged {
    let united = united(sources, entity);
    merge(None, None, &united.entities[0], false).unwrap()
}

/// The line of an attribute.
fn line<'t>(text: &'t str, attribute: &str) -> &'t str {
    let start = format!("{attribute} = ");
    text.lines().find(|line| line.starts_with(&start)).unwrap_or("missing").strip_prefix(&start).unwrap_or("missing")
}

fn remarks(united: &United) -> String {
    united.remarks.iter().map(|remark| format!("{remark} ({})\n", remark.is_contradiction)).collect()
}

#[test]
fn metadata_states_names_and_kinds_and_leaves_the_rest_open() {
    let text = contract(&[("m", METADATA)], ORDER).text;
    assert_eq!(line(&text, "acme_name"), "{ kind = \"string\", max-length = \"?\" }");
    assert_eq!(line(&text, "acme_Weight"), "{ kind = \"decimal\", scale = \"?\" }");
    assert_eq!(line(&text, "acme_Carrier"), "{ kind = \"lookup\", target = \"?\" }");
    assert_eq!(line(&text, "acme_Service"), "{ kind = \"choice\", choices = \"?\" }");
    assert_eq!(line(&text, "acme_DueOn"), "{ kind = \"datetime\", zone = \"?\" }");
    assert_eq!(line(&text, "acme_Price"), "{ kind = \"money\" }");
    assert_eq!(line(&text, "statecode"), "{ kind = \"state\", choices = \"?\" } # from CRM 2011: kind");
    // The same in every organisation.
    assert_eq!(line(&text, "OverriddenCreatedOn"), "{ kind = \"datetime\" } # from CRM 2011: kind");
    assert_eq!(
        line(&text, "OwnerId"),
        "{ kind = \"lookup\", target = [\"systemuser\", \"team\"] } # from CRM 2011: target"
    );
    // The engine follows these by itself.
    for engines in ["acme_shipmentorderId", "ModifiedOn", "CreatedOn", "ModifiedBy"] {
        assert_eq!(line(&text, engines), "missing", "{engines}");
    }
}

#[test]
fn an_attribute_of_peoples_own_beside_a_lookup_is_no_shadow() {
    let own = "<attribute PhysicalName=\"acme_GradeName\"><Type>nvarchar</Type><Name>acme_gradename</Name>\
               <ValidForUpdateApi>1</ValidForUpdateApi><ValidForReadApi>1</ValidForReadApi>\
               <ValidForCreateApi>1</ValidForCreateApi><IsCustomField>1</IsCustomField><MaxLength>40</MaxLength></attribute>";
    let solution = SOLUTION.replacen(
        "<attribute PhysicalName=\"acme_Weight\">",
        &format!("{own}<attribute PhysicalName=\"acme_Weight\">"),
        1,
    );
    let text = contract(&[("s", &solution)], ORDER).text;
    assert!(line(&text, "acme_GradeName").starts_with("{ kind = \"string\", max-length = 40"), "{text}");
    assert_eq!(line(&text, "OwnerIdName"), "missing");
    // $metadata that lacks it is older than the solution.
    let united = united(&[("m", METADATA), ("s", &solution)], ORDER);
    assert!(
        remarks(&united).lines().any(|remark| remark.contains("acme_GradeName") && remark.ends_with("(true)")),
        "{}",
        remarks(&united)
    );
}

#[test]
fn complex_types_that_are_never_null_in_metadata_are_not_required() {
    let text = contract(&[("m", METADATA)], "Account").text;
    assert!(!text.contains("required"), "{text}");
    assert_eq!(line(&text, "IsCustomizable"), "\"a managed property, which no kind can hold\"");
}

#[test]
fn keys_and_sets_that_differ_from_the_name_are_stated() {
    let text = contract(&[("m", METADATA)], "task").text;
    assert!(text.contains("entity = \"Task\"\nkey = \"ActivityId\"\n"), "{text}");
    assert!(!text.contains("set ="), "{text}");
}

#[test]
fn entities_without_times_or_with_a_key_of_text_cannot_be_synced() {
    let sources = [source("m", METADATA)];
    let one = |name: &str| unite(&sources, &Wanted { entities: Some(vec![name.to_owned()]), zone: None });
    assert!(one("AccountLeads").unwrap_err().contains("$metadata shows no ModifiedOn, CreatedOn, ModifiedBy of it"));
    assert!(one("PrivilegeObjectTypeCodes").unwrap_err().contains("is not a GUID"));
    assert!(one("Acount").unwrap_err().contains("did you mean `Account`?"));
    let all = unite(&sources, &Wanted { entities: None, zone: None }).unwrap();
    assert_eq!(all.entities.len(), 6);
    assert!(remarks(&all).contains("2 entities cannot be synced"), "{}", remarks(&all));
}

#[test]
fn a_solution_has_lengths_options_requirements_and_targets() {
    let merged = contract(&[("m", METADATA), ("s", SOLUTION)], ORDER);
    let text = &merged.text;
    assert!(text.starts_with("# acme_shipmentorder: \"Shipment Order\" in CDMS.\n"), "{text}");
    // `MaxLength` in characters, not `Length` in bytes.
    assert_eq!(
        line(text, "acme_name"),
        "{ kind = \"string\", required = \"on-forms\", max-length = 100, note = \"Order number\" } # from solution: required, \
         max-length, note"
    );
    assert!(
        line(text, "acme_remarks").starts_with("{ kind = \"string\", required = \"recommended\", max-length = 2000 }")
    );
    assert!(line(text, "acme_Weight").starts_with("{ kind = \"decimal\", scale = 3 }"));
    // The digits of an amount are its own, or those of a currency, which the file does not have.
    assert!(line(text, "acme_Price").starts_with("{ kind = \"money\", scale = 2 }"));
    assert_eq!(line(text, "acme_Fee"), "{ kind = \"money\" }");
    assert_eq!(line(text, "acme_Price_Base"), "{ kind = \"money\", scale = 2 } # from solution: scale");
    assert!(line(text, "acme_Secret").contains("read-only = true"), "{}", line(text, "acme_Secret"));
    // A day needs its zone, a time does not.
    assert!(line(text, "acme_DueOn").starts_with("{ kind = \"date\", zone = \"?\" }"));
    assert!(line(text, "acme_LoadedAt").starts_with("{ kind = \"datetime\" }"));
    assert_eq!(line(text, "OverriddenCreatedOn"), "{ kind = \"datetime\" } # from CRM 2011: kind");
    // What a contract cannot state.
    assert!(line(text, "acme_Factor").contains("has 10 digits after the point"), "{}", line(text, "acme_Factor"));
    assert_eq!(line(text, "acme_Token"), "\"CDMS does not return it to programs\"");
    // An option without a label, two with the same, one with letters that a name does not show; English before others.
    // What is long becomes a table.
    let service = "# from solution: kind, choices, labels, note\n[attributes.acme_Service]\nkind = \"choice\"\nnote = \"Kind of service\"\n\n\
                   [attributes.acme_Service.choices]\nnext_day = 100\ndoor_more = 101\nnext_day_102 = 102\noption_103 = 103\n\n\
                   [attributes.acme_Service.labels]\ndoor_more = \"Door & more\"\nnext_day_102 = \"Next day\"\n";
    assert!(text.contains(service), "{text}");
    // A global set that is in the file, and one that is not.
    assert!(line(text, "acme_Region").contains("choices = { north = 1, south_west = 2 } }"));
    assert_eq!(line(text, "acme_Grade"), "{ kind = \"choice\", choices = \"?\" } # from solution: kind");
    assert!(line(text, "statecode").contains("required = true, choices = { open = 0, inactive = 1 }"));
    // The options of a boolean are not choices.
    assert_eq!(line(text, "acme_IsExpress"), "{ kind = \"boolean\" }");
    // A lookup that is only a relationship, numbers of the product's entities, an owner that CDMS fills in.
    assert_eq!(
        line(text, "acme_Carrier"),
        "{ kind = \"lookup\", required = \"on-forms\", target = \"acme_carrier\", navigation = \"acme_carrier_order\", note = \"Carried by\" } \
         # from solution: required, target, navigation, note"
    );
    assert!(line(text, "CreatedBy").starts_with("{ kind = \"lookup\", target = \"systemuser\" }"));
    assert_eq!(
        line(text, "OwnerId"),
        "{ kind = \"lookup\", target = [\"systemuser\", \"team\"] } # from solution: target"
    );
}

#[test]
fn metadata_decides_what_exists_and_which_type_it_has() {
    let united = united(&[("m", METADATA), ("our.zip", SOLUTION)], ORDER);
    let text = merge(None, None, &united.entities[0], false).unwrap().text;
    assert_eq!(line(&text, "acme_Notes"), "{ kind = \"string\", max-length = \"?\" }");
    assert_eq!(line(&text, "acme_Draft"), "missing");
    let said = remarks(&united);
    assert!(said.contains("`acme_Notes` has the type `Edm.String` in $metadata, but `int` in our.zip"), "{said}");
    assert!(said.contains("$metadata lacks attributes of our.zip, which are not published yet or newer"), "{said}");
    assert!(said.contains("left out: acme_Draft (true)"), "{said}");
    // Names that show a lookup's are no contradiction.
    assert!(said.contains("left out: OwnerIdName, OwnerIdYomiName, acme_Watchers (false)"), "{said}");
}

#[test]
fn a_lookup_of_the_product_may_refer_to_more_than_a_solution_shows() {
    let united = united(&[("m", METADATA), ("s", SOLUTION)], "Task");
    let text = merge(None, None, &united.entities[0], false).unwrap().text;
    assert_eq!(line(&text, "RegardingObjectId"), "{ kind = \"lookup\", target = \"?\" }");
    assert!(remarks(&united).contains("so they stay open: Task.RegardingObjectId"), "{}", remarks(&united));
}

#[test]
fn without_metadata_a_solution_stands_alone_and_its_helpers_are_left_out() {
    let united = united(&[("s", SOLUTION)], ORDER);
    let text = merge(None, None, &united.entities[0], false).unwrap().text;
    assert!(line(&text, "acme_name").ends_with("# from solution: kind, required, max-length, note"), "{text}");
    for helper in ["OwnerIdName", "OwnerIdYomiName", "acme_Watchers", "acme_shipmentorderId"] {
        assert_eq!(line(&text, helper), "missing", "{helper}");
    }
    assert!(remarks(&united).contains("there is no $metadata"), "{}", remarks(&united));
    let all = unite(&[source("s", SOLUTION)], &Wanted { entities: None, zone: None }).unwrap();
    let names: Vec<_> = all.entities.iter().map(|entity| entity.name.as_str()).collect();
    assert_eq!(names, [ORDER], "entities that only others refer to are left out");
}

#[test]
fn a_reply_of_the_soap_service_comes_before_a_solution() {
    let united = united(&[("reply.xml", REPLY), ("m", METADATA), ("s", SOLUTION)], ORDER);
    let text = merge(None, None, &united.entities[0], false).unwrap().text;
    assert!(line(&text, "acme_name").contains("max-length = 150"), "{}", line(&text, "acme_name"));
    assert!(
        line(&text, "acme_name").contains("# from SOAP: required, max-length, note"),
        "{}",
        line(&text, "acme_name")
    );
    assert!(
        line(&text, "acme_Grade").contains("choices = { first_class = 1, option_minus_2 = -2 }"),
        "{}",
        line(&text, "acme_Grade")
    );
    assert!(line(&text, "acme_Carrier").contains("target = \"acme_carrier\""));
    assert_eq!(line(&text, "acme_CarrierName"), "missing", "shadows of lookups");
    let said = remarks(&united);
    assert!(
        said.contains(
            "`max-length` of `acme_name` is 100 in solution, but 150 in reply.xml; reply.xml is taken (true)"
        ),
        "{said}"
    );
    assert!(said.contains("`choices` of `statecode` is open = 0, inactive = 1 in solution, but active = 0"), "{said}");
}

#[test]
fn a_reply_without_its_envelope_is_read() {
    let inner = REPLY.split("<b:value").nth(1).unwrap().split("</b:value>").next().unwrap();
    let inner = inner.split_once('>').unwrap().1;
    let fragment = format!("<?xml version=\"1.0\"?>\n<c:EntityMetadata>{inner}</c:EntityMetadata>");
    let text = contract(&[("m", METADATA), ("fragment", &fragment)], ORDER).text;
    assert!(line(&text, "acme_name").contains("max-length = 150"));
    let attribute = "<d:AttributeMetadata i:type=\"d:MemoAttributeMetadata\"><d:AttributeType>Memo</d:AttributeType>\
                     <d:EntityLogicalName>acme_shipmentorder</d:EntityLogicalName><d:SchemaName>acme_remarks</d:SchemaName>\
                     <d:MaxLength>9</d:MaxLength></d:AttributeMetadata>";
    let text = contract(&[("m", METADATA), ("attribute", attribute)], ORDER).text;
    assert!(line(&text, "acme_remarks").contains("max-length = 9"));
}

#[test]
fn the_zone_of_days_can_be_given_once_for_all() {
    let sources = [source("m", METADATA), source("s", SOLUTION)];
    let wanted = Wanted { entities: Some(vec![ORDER.to_owned()]), zone: Some("Europe/London".to_owned()) };
    let text = merge(None, None, &unite(&sources, &wanted).unwrap().entities[0], false).unwrap().text;
    assert!(line(&text, "acme_DueOn").starts_with("{ kind = \"date\", zone = \"Europe/London\" }"), "{text}");
}

#[test]
fn what_is_written_has_no_faults_and_its_questions_are_found() {
    let metadata = cdms_odata::metadata::Metadata::parse(METADATA).unwrap();
    for sources in
        [&[("m", METADATA)][..], &[("m", METADATA), ("s", SOLUTION)], &[("m", METADATA), ("s", SOLUTION), ("r", REPLY)]]
    {
        let sources: Vec<_> = sources.iter().map(|(name, text)| source(name, text)).collect();
        let united = unite(&sources, &Wanted { entities: None, zone: None }).unwrap();
        for entity in &united.entities {
            let merged = merge(None, None, entity, false).unwrap();
            let (contract, faults) =
                datahub_model::source::Contract::parse_beside(&merged.text, Some(&metadata)).into_parts();
            assert!(faults.is_empty(), "{faults:?}\n{}", merged.text);
            let contract = contract.unwrap();
            assert_eq!(contract.questions.len(), merged.open(), "{}", merged.text);
            assert_eq!(contract.questions.is_empty(), !merged.text.contains("= \"?\""), "{}", merged.text);
        }
    }
}
