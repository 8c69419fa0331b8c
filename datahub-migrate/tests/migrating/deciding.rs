//! What a plan asks, what it loses, and what it remembers.

use datahub_migrate::{Changes, LossKind, Question, Snapshot, plan};
use datahub_model::schema::Rename;

use crate::described::{answers, planned, schema};

const CONTACTS: &str = "contacts: id key, name string, fax string? <Fax>, rating integer local";

/// What remains open, in words.
fn open(from: &str, to: &str, answered: &str) -> Vec<String> {
    let undecided = planned(from, to, answered).unwrap_err();
    let questions = undecided.questions.iter().map(|question| match question {
        Question::Table { from, candidates } => format!("table {from}: {}", candidates.join(" ")),
        Question::Column { candidates, .. } => {
            let names: Vec<_> = candidates.iter().map(|(column, _)| column.as_str()).collect();
            format!("{}: {}", question.name(), names.join(" "))
        }
    });
    let losses = undecided.losses.iter().map(|loss| format!("loses {}", loss.name));
    let unused = undecided.unused.into_iter().map(|(_, reason)| reason);
    questions.chain(losses).chain(unused).chain(undecided.faults).collect()
}

#[test]
fn equal_schemas_need_nothing() {
    assert!(planned(CONTACTS, CONTACTS, "").unwrap().is_empty());
    // A field that is renamed in Rust and keeps its column changes nothing in a database.
    let mut renamed = schema(CONTACTS);
    renamed.tables.get_mut("contacts").unwrap().columns[1].field = "label".to_owned();
    let plan = plan(&schema(CONTACTS), &renamed, &answers("")).unwrap();
    assert_eq!(plan.changes, Changes::default());
}

#[test]
fn a_column_that_goes_needs_consent() {
    let without = "contacts: id key, name string, rating integer local";
    assert_eq!(open(CONTACTS, without, ""), ["loses contacts.fax"]);
    let plan = planned(CONTACTS, without, "contacts.fax").unwrap();
    assert_eq!((plan.losses[0].kind, plan.losses[0].is_local), (LossKind::Column, false));
    assert_eq!(open(CONTACTS, without, "contacts.fax, contacts.name"), ["nothing is lost of `contacts.name`"]);
    let unknown = |name: &str| open(CONTACTS, without, &format!("contacts.fax, {name}"));
    assert_eq!(unknown("contacts.fux"), ["the last migration has no column `fux` in table `contacts`"]);
    assert_eq!(unknown("contact.fax"), ["the last migration has no table `contact`"]);
    let only_local = planned(CONTACTS, "contacts: id key, name string, fax string? <Fax>", "contacts.rating").unwrap();
    assert!(only_local.losses[0].is_local);
    assert!(only_local.losses[0].explain().contains("only the hub has them"));
}

#[test]
fn the_engine_keeps_what_its_columns_show() {
    let with = "contacts: id key, changed datetime engine";
    assert!(planned(with, "contacts: id key", "").unwrap().losses.is_empty());
}

#[test]
fn a_column_that_appears_where_one_of_its_kind_vanishes_is_a_question() {
    let with = |column: &str| format!("contacts: id key, name string, {column}, rating integer local");
    assert_eq!(open(CONTACTS, &with("telefax string <Fax>"), ""), ["contacts.fax: telefax"]);
    let was = planned(CONTACTS, &with("telefax string <Fax> was fax"), "").unwrap();
    let answer = planned(CONTACTS, &with("telefax string <Fax>"), "contacts.fax -> telefax").unwrap();
    assert_eq!(was.target, answer.target);
    let renamed = Rename::Column { table: "contacts".into(), from: "fax".into(), to: "telefax".into() };
    assert_eq!(was.target.renamed, [renamed]);
    let dropped = planned(CONTACTS, &with("telefax string <Fax>"), "contacts.fax").unwrap();
    assert_eq!(dropped.losses.len(), 1);
    // Another kind, or the hub's own instead of CDMS's, is no rename.
    assert_eq!(open(CONTACTS, &with("pages integer <Pages>"), ""), ["loses contacts.fax"]);
    assert_eq!(open(CONTACTS, &with("remark string local"), ""), ["loses contacts.fax"]);
    let unfit = open(CONTACTS, &with("fax string? <Fax>"), "contacts.name -> label");
    assert_eq!(unfit, ["`contacts.name` is not renamed to `label`"]);
}

#[test]
fn a_table_that_appears_where_one_vanishes_is_a_question() {
    let mut clients = schema("clients: id key, name string, fax string? <Fax>");
    clients.tables.get_mut("clients").unwrap().entity = "contacts".to_owned();
    let from = schema(CONTACTS);
    let undecided = plan(&from, &clients, &answers("")).unwrap_err();
    assert_eq!(undecided.questions.len(), 1, "{undecided:?}");
    assert!(plan(&from, &clients, &answers("contacts -> clients, contacts.rating")).is_ok());
    let dropped = plan(&from, &clients, &answers("contacts")).unwrap();
    assert_eq!(dropped.target.retired["contacts"], 1);
    assert_eq!(open(CONTACTS, "firms: id key, size integer", ""), ["loses contacts"]);
}

#[test]
fn a_former_name_is_followed_through_the_log() {
    let first = planned(
        CONTACTS,
        "people was contacts: id key, title string was name, fax string? <Fax>, rating integer local",
        "",
    );
    let first = first.unwrap().target;
    assert_eq!(first.renamed.len(), 2);
    // `was` still says what it was two renames ago, and stays.
    let to = schema("persons was contacts: id key, label string was name, fax string? <Fax>, rating integer local");
    let second = plan(&first, &to, &answers("")).unwrap().target;
    assert!(second.tables.contains_key("persons") && second.retired.contains_key("people"));
    assert_eq!(second.renamed.len(), 4);
    assert!(plan(&second, &to, &answers("")).unwrap().is_empty());
    assert!(second.knew_column("persons", Some("contacts"), "name"));
}

#[test]
fn a_former_name_in_a_first_plan_is_remembered() {
    let to = schema("people was contacts: id key, title string was name");
    let target = plan(&Snapshot::default(), &to, &answers("")).unwrap().target;
    assert!(target.knew_table("contacts") && target.knew_column("people", None, "name"));
    assert!(!target.knew_column("people", None, "label"));
}

#[test]
fn epochs_rise_where_older_programs_must_stop() {
    let epoch = |to: &str, answered: &str| {
        let plan = planned(CONTACTS, to, answered).unwrap();
        (plan.target.epoch("contacts"), plan.target.retired)
    };
    assert_eq!(epoch(&format!("{CONTACTS}, phone string?"), "").0, 0, "older programs do not see it");
    assert_eq!(epoch(&format!("{CONTACTS}, phone string"), "").0, 1);
    let (renamed, retired) =
        epoch("people was contacts: id key, name string, fax string? <Fax>, rating integer local", "");
    assert_eq!((renamed, retired["contacts"]), (0, 1));
    // A table that takes a former name begins after it.
    let dropped = planned(CONTACTS, "firms: id key", "contacts").unwrap().target;
    let again = plan(&dropped, &schema(&format!("firms: id key\n{CONTACTS}")), &answers("")).unwrap().target;
    assert_eq!((again.epoch("contacts"), again.retired.len()), (1, 0));
    let mut retired = dropped;
    retired.retired.insert("contacts".to_owned(), 5);
    let renamed = plan(&retired, &schema("contacts was firms: id key"), &answers("")).unwrap().target;
    assert_eq!((renamed.epoch("contacts"), renamed.retired["firms"]), (5, 1));
}

#[test]
fn a_local_column_that_shows_an_attribute_from_now_on_needs_consent() {
    let to = "contacts: id key, name string, fax string? <Fax>, rating integer <Rating>";
    assert_eq!(open(CONTACTS, to, ""), ["loses contacts.rating"]);
    let plan = planned(CONTACTS, to, "contacts.rating").unwrap();
    assert_eq!(plan.losses[0].kind, LossKind::Overwritten);
}

#[test]
fn a_key_keeps_its_name_or_gives_it_up_alone() {
    let plan = planned(CONTACTS, "contacts: contact_id key, name string, fax string? <Fax>, rating integer local", "");
    assert_eq!(plan.unwrap().target.renamed.len(), 1);
    let taken =
        open(CONTACTS, "contacts: name key, title string was name, fax string? <Fax>, rating integer local", "");
    assert!(taken.iter().any(|line| line.contains("rename in two migrations")), "{taken:?}");
}

#[test]
fn values_that_cannot_be_converted_are_given_up_only_with_consent() {
    let to = |column: &str| format!("contacts: id key, name string, {column}, rating integer local");
    assert!(planned(CONTACTS, &to("fax integer? <Fax>"), "").unwrap().losses.is_empty(), "each value is tried");
    let given_up = planned(CONTACTS, &to("fax integer? <Fax>"), "contacts.fax").unwrap();
    assert_eq!(given_up.losses[0].kind, LossKind::Unconverted);
    assert_eq!(open(CONTACTS, &to("fax boolean? <Fax>").replace("boolean", "datetime"), ""), ["loses contacts.fax"]);
    // Values of one attribute are not those of another.
    assert_eq!(open(CONTACTS, &to("fax integer? <Pages>"), ""), ["loses contacts.fax"]);
    assert!(planned(CONTACTS, &to("fax string? <Telefax>"), "").unwrap().is_empty(), "the next read replaces them");
}
