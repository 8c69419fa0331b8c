//! What the comparison of two trees finds.

use datahub_docs::{Aspect, Change, Changes, Subject, Turn};

use crate::project::{ACCOUNT, COUNTRY, MODELS, tree, whole, with};

/// The changes between the small project and the same with some text replaced.
fn replaced(edits: &[(&str, &str)]) -> Vec<Change> {
    let (mut account, mut models) = (ACCOUNT.to_owned(), MODELS.to_owned());
    for (from, to) in edits {
        assert!(account.contains(from) || models.contains(from), "nothing to replace: {from}");
        account = account.replace(from, to);
        models = models.replace(from, to);
    }
    Changes::between(&whole(), &with(&account, &models)).0
}

/// The only change, as its subject, its name and its details in words.
fn only(edits: &[(&str, &str)]) -> (Subject, String, Vec<String>) {
    let changes = replaced(edits);
    let [change] = changes.as_slice() else { panic!("{changes:#?}") };
    (change.subject, change.name.clone(), change.details.iter().map(ToString::to_string).collect())
}

#[test]
fn equal_trees_have_no_changes() {
    assert!(Changes::between(&whole(), &whole()).is_empty());
    // Where things stand in a file is no difference.
    assert_eq!(replaced(&[("//! Models.\n", "//! Models.\n\n\n")]), []);
}

#[test]
fn each_aspect_of_a_field_is_told() {
    for (from, to, expected) in [
        (
            "default = \"none\"",
            "default = \"-\"",
            "`alias`: value that stands for an empty attribute: \"none\" → \"-\"",
        ),
        (
            "(\"Name\", create_only)",
            "(\"Name\")",
            "`name`: when it is sent: with creates only → with creates and changes",
        ),
        ("with = \"owner\"", "with = \"person\"", "`owner`: conversion: owner → person"),
        ("attributes(\"First\", \"Last\")", "attributes(\"First\")", "`owner`: attributes: First, Last → First"),
        (
            "sql_type = \"integer\", class = \"public\"",
            "sql_type = \"integer\"",
            "`rating`: data class: no longer public",
        ),
        ("sql_type = \"integer\"", "sql_type = \"bigint\"", "`rating`: kind: integer → bigint"),
        ("pub rating: i32", "pub rating: Option<i32>", "`rating`: may be empty: no → yes"),
        ("Its *legal* name.", "Its name.", "`name`: another comment"),
        ("pub rating: i32", "pub rating: Stars", "`rating`: type in Rust: i32 → Stars"),
        (
            "pub postcode: Option<String>",
            "pub postcode: Option<PostCode>",
            "`address.postcode`: type in Rust: String → PostCode",
        ),
        (
            "#[cdms(\"town\", default)]",
            "#[cdms(\"town\", default = \"-\")]",
            "`address.town`: value that stands for an empty attribute: of the type → \"-\"",
        ),
        ("As the post office writes it.", "For letters.", "`address.postcode`: another comment"),
        (
            "    Accounting,\n",
            "    #[cdms(\"accounting\")]\n    Books,\n",
            "`industry`: variants: Accounting = 1, Agriculture = 2, Other for all others → \
             Books = 1, Agriculture = 2, Other for all others",
        ),
        (
            "    #[cdms(other)]\n    Other(i32),\n",
            "",
            "`industry`: variants: Accounting = 1, Agriculture = 2, Other for all others → Accounting = 1, Agriculture = 2",
        ),
        (
            "entity = \"Account\"\n",
            "entity = \"Account\"\ncapture = \"contract\"\n",
            "attributes that reads keep: those with a field → all of the contract",
        ),
        (
            "Option<Id<Country>>",
            "Option<Id<Company>>",
            "`country`: what it refers to: Option<Id<Country>> → Option<Id<Company>>",
        ),
    ] {
        let (subject, name, details) = only(&[(from, to)]);
        assert_eq!(
            (subject, name.as_str(), details.as_slice()),
            (Subject::Model, "Company", &[expected.to_owned()][..])
        );
    }
}

#[test]
fn a_renamed_field_is_recognised_by_its_column_or_by_was() {
    let by_column = only(&[("pub email:", "#[cdms(column = \"email\")]\n    pub mail:")]);
    assert_eq!(by_column.2, ["`mail`: name: email → mail"]);
    let by_was = only(&[("pub email:", "#[cdms(was = \"email\")]\n    pub mail:")]);
    assert_eq!(by_was.2, ["`mail`: name: email → mail", "`mail`: column: email → mail"]);
    let neither = only(&[("pub email:", "pub mail:")]);
    assert_eq!(neither.2, ["`mail`: added (string from EMail)", "`email`: removed (string from EMail)"]);
    let column = only(&[("#[cdms(\"EMail\")]", "#[cdms(\"EMail\", column = \"mail\")]")]);
    assert_eq!(column.2, ["`email`: column: email → mail"]);
}

#[test]
fn models_are_recognised_by_their_tables_then_by_was_then_by_their_names() {
    // The lookup of another model refers to the same rows as before.
    let was = only(&[
        ("table = \"countries\"", "table = \"lands\", was = \"countries\""),
        ("pub struct Country", "pub struct Land"),
        ("Id<Country>", "Id<Land>"),
    ]);
    assert_eq!(
        (was.1.as_str(), was.2),
        ("Land", ["name: Country → Land", "table: countries → lands"].map(str::to_owned).to_vec())
    );
    // A field that refers to a renamed struct still refers to the same rows.
    let renamed = only(&[("pub struct Country", "pub struct Land"), ("Id<Country>", "Id<Land>")]);
    assert_eq!((renamed.1.as_str(), renamed.2.as_slice()), ("Land", &["name: Country → Land".to_owned()][..]));
    let table = only(&[("table = \"countries\"", "table = \"lands\"")]);
    assert_eq!((table.1.as_str(), table.2.as_slice()), ("Country", &["table: countries → lands".to_owned()][..]));
}

#[test]
fn models_and_contracts_come_and_go() {
    let less = tree(&[("mappings/country.toml", COUNTRY), ("src/lib.rs", "")]);
    let gone = Changes::between(&whole(), &less).0;
    let said: Vec<_> = gone.iter().map(|change| (change.subject, change.name.as_str(), change.turn)).collect();
    let expected = [
        (Subject::Model, "Company", Turn::Removed),
        (Subject::Model, "Country", Turn::Removed),
        (Subject::Contract, "mappings/account.toml", Turn::Removed),
    ];
    assert_eq!(said, expected);
    assert!(gone[0].details.iter().all(|detail| detail.aspect == Aspect::Existence && detail.after.is_none()));
    let come = Changes::between(&less, &whole()).0;
    assert!(come.iter().all(|change| change.turn == Turn::Added));
    assert_eq!(come[1].details[1].to_string(), "`name`: added (string from Name)");
}

#[test]
fn what_changes_for_callers_alone_means_something_for_them() {
    for (from, to) in [
        ("pub rating: i32", "pub rating: Stars"),
        ("#[cdms(\"town\", default)]", "#[cdms(\"town\", default = \"-\")]"),
        ("    Accounting,\n", "    #[cdms(\"accounting\")]\n    Books,\n"),
    ] {
        let changes = replaced(&[(from, to)]);
        let meaning = changes[0].details[0].meaning(Subject::Model);
        assert!(meaning.callers.is_some() && meaning.cdms.is_none(), "{from}: {meaning:?}");
    }
    let capture = replaced(&[("entity = \"Account\"\n", "entity = \"Account\"\ncapture = \"contract\"\n")]);
    assert!(capture[0].details[0].meaning(Subject::Model).cdms.is_some());
}

#[test]
fn each_aspect_of_a_contract_is_told() {
    for (from, to, expected) in [
        ("max-length = 40", "max-length = 60", "`Alias`: longest text: 40 → 60"),
        ("class = \"personal\"", "class = \"secret\"", "`EMail`: data class: personal → secret"),
        ("\"Europe/London\"", "\"Europe/Paris\"", "`Founded`: time zone: Europe/London → Europe/Paris"),
        ("note = \"in pounds\"", "scale = 2, note = \"in pounds\"", "`Revenue`: digits after the decimal point: now 2"),
        ("nobody has one", "too old", "`Fax`: reason for leaving it out: nobody has one → too old"),
        ("in pounds", "in euros", "`Revenue`: another comment"),
        (
            "Alias = { kind = \"string\",",
            "Alias = { kind = \"string\", required = \"on-forms\",",
            "`Alias`: required: no → on-forms",
        ),
    ] {
        let changes = replaced(&[(from, to)]);
        let contract = changes.iter().find(|change| change.subject == Subject::Contract).unwrap();
        let details: Vec<_> = contract.details.iter().map(ToString::to_string).collect();
        assert_eq!((contract.name.as_str(), details), ("mappings/account.toml", vec![expected.to_owned()]));
    }
    // A constant belongs to the contract, and to what a model sends.
    let constant = replaced(&[("\"Data Hub\"", "\"Hub\"")]);
    assert_eq!(constant.len(), 2);
    assert!(constant.iter().all(|change| change.details[0].aspect == Aspect::Constant));
}
