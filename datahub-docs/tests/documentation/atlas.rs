//! What the documentation says of fields, attributes and what is between them.

use datahub_docs::{Choice, Field, LookupEnd};
use datahub_model::Class;

use crate::project::{atlas, tree, whole};

fn field(path: &str) -> Field {
    let atlas = atlas();
    let company = atlas.models.iter().find(|model| model.name == "Company").unwrap();
    company.fields.iter().find(|field| field.path == path).unwrap_or_else(|| panic!("no field {path}")).clone()
}

#[test]
fn a_model_says_where_it_is_and_which_records_it_has() {
    let atlas = atlas();
    let names: Vec<_> = atlas.models.iter().map(|model| (model.name.as_str(), model.slug.as_str())).collect();
    assert_eq!(names, [("Company", "companies"), ("Country", "countries")]);
    let company = &atlas.models[0];
    assert_eq!(company.summary(), "A company.");
    assert_eq!((company.entity.as_deref(), company.table.as_str(), company.line), (Some("Account"), "companies", 3));
    assert_eq!(company.contract, Some(("account.toml".to_owned(), "account".to_owned())));
    assert_eq!(company.only.as_deref(), Some("Size gt 5"));
    assert_eq!(company.constants, [("Source".to_owned(), "\"Data Hub\"".to_owned())]);
    assert!(company.code.starts_with("/// A company. It trades.\n#[derive") && company.code.ends_with('}'));
    let items: Vec<_> = company.groups.iter().chain(&company.choices).map(|item| item.name.as_str()).collect();
    assert_eq!(items, ["Address", "Industry"]);
    assert!(atlas.models[1].mode_meaning().starts_with("Only read"));
}

#[test]
fn a_field_says_what_an_empty_attribute_becomes_and_what_is_not_kept() {
    for (path, null, losses) in [
        ("id", "never empty", 0),
        ("name", "waits in quarantine", 0),
        ("alias", "Becomes `\"none\"`.", 1),
        ("email", "Stays empty.", 0),
        ("owner", "`decode` of `owner` decides; the field can be empty.", 1),
        ("address.town", "Becomes the empty value of its type.", 1),
        ("address.postcode", "Stays empty.", 0),
        ("rating", "begins with zero", 0),
    ] {
        let found = field(path);
        assert!(found.null.contains(null), "{path}: {}", found.null);
        assert_eq!(found.losses.len(), losses, "{path}: {:?}", found.losses);
    }
}

#[test]
fn a_field_says_how_and_when() {
    for (path, conversion, written) in [
        ("id", "same on both sides", "With a create: the hub chooses the id."),
        ("name", "at most 160 characters", "With a create only; later changes are not sent."),
        ("founded", "time zone Europe/London", "With a create, and with each save that changes it."),
        (
            "industry",
            "a variant of `Industry`; one that the contract does not list becomes `Other`",
            "With a create, and",
        ),
        ("country", "The id of a record of `Country`.", "With a create, and"),
        ("owner", "Joined into one value by the functions `decode` and `encode` of `owner`.", "With a create, and"),
        ("changed_at", "time of the record's last change", "Never: CDMS sets it itself."),
        ("rating", "Only the hub has it", "Never sent"),
    ] {
        let found = field(path);
        assert!(found.conversion.contains(conversion), "{path}: {}", found.conversion);
        assert!(found.written.contains(written), "{path}: {}", found.written);
    }
    let rating = field("rating");
    assert_eq!((rating.was.as_deref(), rating.class), (Some("stars"), Class::Public));
    assert_eq!(field("email").class, Class::Personal);
    assert_eq!(field("name").docs, "Its *legal* name.");
    assert_eq!(field("address.postcode").docs, "As the post office writes it.");
    assert_eq!(field("parent").rust_type, "Option<Id<Company>>");
    let options = field("industry").attributes[0].options.clone();
    assert_eq!(options[1], Choice { number: 2, label: "Agriculture".into(), name: "agriculture".into() });
}

#[test]
fn lookups_lead_to_models_then_to_contracts_and_at_last_to_names() {
    let ends = |files: &[(&str, &str)]| {
        let atlas = datahub_docs::Atlas::new("", &tree(files));
        atlas.lookups.iter().map(|lookup| (lookup.field.clone(), lookup.to.clone())).collect::<Vec<_>>()
    };
    let account = "entity = 'Account'\n[attributes]\nCountryId = { kind = 'lookup', target = 'country' }";
    let model =
        "#[derive(CdmsSynced)]\n#[cdms(mapping = 'account.toml', table = 'companies', diesel(table = false))]\n\
                 struct Company {\n#[cdms(key)]\nid: Id<Company>,\n#[cdms('CountryId')]\nhome: Option<Id<Country>> }"
            .replace('\'', "\"");
    let country = "entity = 'Country'";
    let with_contract =
        [("mappings/account.toml", account), ("src/lib.rs", model.as_str()), ("mappings/country.toml", country)];
    let contract = LookupEnd::Contract { entity: "Country".into(), slug: "country".into() };
    assert_eq!(ends(&with_contract), [("home".to_owned(), contract)]);
    assert_eq!(ends(&with_contract[..2]), [("home".to_owned(), LookupEnd::Entity("country".into()))]);
    let atlas = atlas();
    let company = &atlas.models[0];
    let to: Vec<_> = company.points_to.iter().map(|lookup| (lookup.field.as_str(), &lookup.to)).collect();
    assert_eq!(to, [("parent", &LookupEnd::Model(0)), ("country", &LookupEnd::Model(1))]);
    assert_eq!(atlas.models[1].pointed_at.len(), 1);
}

#[test]
fn coverage_counts_every_attribute_of_the_entity_once() {
    let atlas = atlas();
    let account = atlas.contracts.iter().find(|contract| contract.entity == "Account").unwrap();
    let coverage = account.coverage().unwrap();
    // 17 of its own, the key, and three that the engine follows. `Size` is in a condition.
    assert_eq!(
        (coverage.all, coverage.mapped, coverage.unused, coverage.unmapped, coverage.not_mentioned),
        (21, 17, 1, 1, 2)
    );
    assert_eq!(coverage.percent(), 85);
    let silent: Vec<_> = account.not_mentioned.iter().flatten().map(|(name, _)| name.as_str()).collect();
    assert_eq!(silent, ["Pager", "Telex"]);
    assert_eq!(account.unmapped, [("Fax".to_owned(), "nobody has one".to_owned())]);
    assert_eq!(account.groups(), [("address", vec!["Town", "PostCode"])]);
    assert_eq!(atlas.without_contract, Some(vec!["Lead".to_owned()]));
}

#[test]
fn the_reverse_index_says_where_an_attribute_goes() {
    let atlas = atlas();
    let places = |name: &str| &atlas.attributes.iter().find(|attribute| attribute.name == name).unwrap().places;
    let town = &places("Town")[0];
    assert_eq!((town.entity.as_str(), town.anchor.as_str()), ("Account", "attribute-Town"));
    assert_eq!((town.uses[0].model.as_str(), town.uses[0].field.as_str()), ("Company", "address.town"));
    assert_eq!(places("Name").len(), 2);
    for (name, remark) in [
        ("Source", "sent with every write as \"Data Hub\""),
        ("Revenue", "used by no field"),
        ("Size", "decides which records belong to Company"),
        ("Fax", "left out on purpose: nobody has one"),
        ("Telex", "not mentioned"),
        ("AccountId", "followed by the engine: the key"),
    ] {
        assert!(places(name)[0].remark.contains(remark), "{name}: {}", places(name)[0].remark);
    }
    let names: Vec<_> = atlas.attributes.iter().map(|attribute| attribute.name.to_lowercase()).collect();
    assert!(names.is_sorted());
}

#[test]
fn the_sample_record_is_the_same_on_both_sides_and_on_every_run() {
    let atlas = atlas();
    let sample = &atlas.models[0].sample;
    assert_eq!(*sample, datahub_docs::Atlas::new("Firms", &whole()).models[0].sample);
    let record: serde_json::Value = serde_json::from_str(&sample.record).unwrap();
    let row = |column: &str| sample.row.iter().find(|(name, _)| name == column).unwrap().1.as_str();
    assert_eq!(record["AccountId"], row("id"));
    assert_eq!((record["Name"].as_str(), row("name")), (Some("Sample name"), "\"Sample name\""));
    // What a default is for is shown where CDMS has no value.
    assert_eq!((&record["Alias"], row("alias")), (&serde_json::Value::Null, "\"none\""));
    // The midnight of 15 June 2016 in London, an hour before that of UTC.
    assert_eq!((record["Founded"].as_str(), row("founded")), (Some("/Date(1465945200000)/"), "2016-06-15"));
    assert_eq!((&record["IndustryCode"]["Value"], row("industry")), (&1.into(), "1 (Accounting)"));
    assert_eq!(
        (record["CountryId"]["LogicalName"].as_str(), record["CountryId"]["Id"].as_str()),
        (Some("country"), Some(row("country")))
    );
    assert_eq!((&record["First"], row("owner")), (&"Sample first".into(), "what owner::decode makes of them"));
    assert_eq!(row("rating"), "0");
}

/// Two modules that each have a model, a group `Address` and a choice `Industry`.
#[test]
fn items_of_the_same_name_are_those_of_their_module() {
    let account = "entity = \"Account\"\n[attributes]\nTown = { kind = \"string\" }\nSize = { kind = \"integer\" }\n\
                   IndustryCode = { kind = \"choice\", choices = { accounting = 1 } }\n[groups.address]\ntown = \"Town\"\n";
    let module = |model: &str, rest: &str| {
        format!(
            "#[derive(CdmsSynced)]\n#[cdms(mapping = \"account.toml\", table = \"t{}\", only = \"Size eq {}\", \
             diesel(table = false))]\npub struct {model} {{ #[cdms(key)] id: Id<{model}>, #[cdms(flatten = \"address\")] \
             address: Address, #[cdms(\"IndustryCode\")] industry: Option<Industry> }}\n\
             #[derive(CdmsFields)] pub struct Address {{ #[cdms(default = \"{model}\")] town: String }}\n\
             #[derive(CdmsChoice)] #[cdms(mapping = \"account.toml\", attribute = \"IndustryCode\")] \
             pub enum Industry {{ Accounting, #[cdms(other)] {rest}(i32) }}\n",
            model.to_lowercase(),
            model.len()
        )
    };
    let (one, other) = (module("One", "Rest"), module("Other", "More"));
    let files =
        [("mappings/account.toml", account), ("src/a.rs", &one), ("src/b.rs", &other), ("src/lib.rs", "mod a; mod b;")];
    let atlas = datahub_docs::Atlas::new("", &tree(&files));
    for (at, model, file, rest) in [(0, "One", "src/a.rs", "`Rest`"), (1, "Other", "src/b.rs", "`More`")] {
        let found = &atlas.models[at];
        let field = |path: &str| found.fields.iter().find(|field| field.path == path).unwrap();
        assert_eq!(found.name, model);
        assert_eq!(field("address.town").null, format!("Becomes `\"{model}\"`."));
        assert!(field("industry").conversion.contains(rest), "{}", field("industry").conversion);
        let items: Vec<_> = found.groups.iter().chain(&found.choices).map(|item| item.file.as_str()).collect();
        assert_eq!(items, [file, file]);
    }
}
