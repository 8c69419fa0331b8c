//! The mapping id: another one for whatever changes what a row holds, and the same for what does not.

use datahub_model::source::{ColumnLimit, Contract, resolve};

use crate::fields::ACCOUNT;
use crate::reader;

const MODEL: &str = "M table=m\n id: key\n name: \"Name\" default=\"none\"\n line: attributes=Street,Town with=\"line\" sql_type=\"string\"\n \
                     p?: \"Parent\" type=\"Id<Account>\"\n n: local sql_type=\"integer\" default=1";

fn id(contract: &str, model: &str) -> u64 {
    let (contract, faults) = Contract::parse(contract).into_parts();
    assert!(faults.is_empty(), "{faults:?}");
    let contract = contract.expect("a contract without faults is one");
    resolve(&reader::model(model), &contract, ColumnLimit::Columns32).expect("the model fits it").mapping_id
}

#[test]
fn what_changes_a_row_changes_the_id() {
    let mut seen = vec![id(ACCOUNT, MODEL)];
    for (from, to) in [
        ("default=\"none\"", "default=\"some\""),
        ("default=\"none\"", "default"),
        ("default=\"none\"", "default=none()"),
        ("with=\"line\"", "with=\"other\""),
        ("Id<Account>", "Id<Branch>"),
        ("default=1", "default=2"),
        ("table=m", "table=other"),
        ("Street,Town", "Town,Street"),
    ] {
        assert!(MODEL.contains(from), "{from}");
        let other = id(ACCOUNT, &MODEL.replace(from, to));
        assert!(!seen.contains(&other), "{from} and {to} have one mapping id");
        seen.push(other);
    }
    for (from, to) in
        [("max-length = 160", "max-length = 161"), ("target = \"account\"", "target = [\"account\", \"team\"]")]
    {
        let other = id(&ACCOUNT.replacen(from, to, 1), MODEL);
        assert!(!seen.contains(&other), "{from} and {to} have one mapping id");
        seen.push(other);
    }
}

#[test]
fn what_is_only_said_changes_nothing() {
    let noted = ACCOUNT.replacen("max-length = 160", "max-length = 160, note = \"as registered\"", 1);
    assert_ne!(noted, ACCOUNT);
    assert_eq!(id(&noted, MODEL), id(ACCOUNT, MODEL));
    assert_eq!(id(ACCOUNT, &MODEL.replacen("M ", "N ", 1)), id(ACCOUNT, MODEL));
}

/// Programs that read dates by the history of a zone stored other days for some instants, so that their rows are to be
/// made again.
#[test]
fn a_model_with_a_date_is_another_one_than_by_the_history_of_its_zone() {
    const BY_HISTORY: u64 = 3_496_701_646_217_772_897;
    let contract = "entity = 'A'\n[attributes]\nBorn = { kind = 'date', zone = 'Europe/London' }";
    let model = "M table=m\n id: key\n b?: \"Born\"";
    assert_ne!(id(contract, model), BY_HISTORY);
}

/// Rows are kept with the id of the mapping that made them, so that another spelling of the same condition inside the
/// program must not change it.
#[test]
fn a_condition_of_every_form_has_the_id_it_always_had() {
    let contract = r#"
entity = "Account"
[attributes]
Name = { kind = "string" }
Count = { kind = "integer" }
Verified = { kind = "boolean" }
Since = { kind = "datetime" }
Token = { kind = "guid" }
StateCode = { kind = "state" }
Parent = { kind = "lookup", target = "account" }
"#;
    let only = "(Name eq 'it''s ü' or Name ne null) and not (Count ge -3 or Count le 3) and Verified eq true and \
                Since gt datetime'2011-11-14T16:43:08.123Z' and StateCode/Value eq 0 and \
                Token lt guid'6f9619ff-8b86-d011-b42d-00c04fc964ff' and \
                not Parent/Id eq guid'6f9619ff-8b86-d011-b42d-00c04fc964ff'";
    let model = format!("M table=m only=\"{only}\"\n id: key");
    assert_eq!(id(contract, &model), 458_107_338_620_022_693);
}
