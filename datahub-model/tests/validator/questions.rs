//! Open questions: what a contract leaves to be looked up, and who needs the answer.

use datahub_model::diagnostic::Code::{KeysExclude, OpenQuestion, UnknownChoice, WrongValue};
use datahub_model::source::{Asked, Contract};

use crate::row::{Row, accepted, choices, contract, faulty, faulty_choices, faulty_contract};

/// A contract as an import of nothing but `$metadata` leaves it.
const ACCOUNT: &str = r#"
entity = "Account"

[attributes]
Name = { kind = "string", max-length = "?", required = "on-forms" }
Sector = { kind = "lookup", target = "?" }
Revision = { kind = "decimal", scale = "?" }
Founded = { kind = "date", zone = "?" }
Seen = { kind = "datetime", zone = "?" }
Industry = { kind = "choice", choices = "?" }

[groups.facts]
name = "Name"
sector = "Sector"
"#;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        contract("questions are no faults", ACCOUNT, |contract| {
            let usable: Vec<_> = contract.attributes.iter().map(|known| known.name.as_str()).collect();
            assert_eq!(usable, ["Name", "Seen", "Industry"]);
            let asked: Vec<_> = contract.questions.iter().map(|open| (open.key, open.is_needed)).collect();
            let (needed, other) = (true, false);
            let expected = [
                ("max-length", other),
                ("target", needed),
                ("scale", needed),
                ("zone", needed),
                ("zone", other),
                ("choices", other),
            ];
            assert_eq!(asked, expected);
            assert_eq!(contract.attributes[0].asked, Some(Asked::OnForms));
            assert!(!contract.attributes[0].required);
        }),
        accepted(
            "what needs no answer can be mapped",
            ACCOUNT,
            "M table=m\n id: key\n n?: \"Name\"\n s?: \"Seen\"\n i?: \"Industry\"",
            |mapping| assert_eq!(mapping.columns.len(), 4),
        ),
        faulty(
            "what needs an answer cannot be mapped",
            ACCOUNT,
            "M table=m\n id: key\n s?: \"Sector\"\n r?: \"Revision\"\n f?: \"Founded\"",
            &[
                (OpenQuestion, "s.attribute", "`Sector` cannot be used yet: `target` of `Sector` is not known"),
                (OpenQuestion, "r.attribute", "Entities, Account, Fields, Revision; look up Precision"),
                (OpenQuestion, "f.attribute", "write the time zone of CDMS's users"),
            ],
        ),
        faulty(
            "a group with a member that needs an answer",
            ACCOUNT,
            "M table=m\n id: key\n f: flatten=\"facts\"",
            &[(OpenQuestion, "f.flatten", "the group `facts` cannot be used yet: `target` of `Sector` is not known")],
        ),
        faulty(
            "a condition on what needs an answer",
            ACCOUNT,
            "M table=m mode=mirror only=\"Sector/Id eq null\"\n id: key",
            &[(OpenQuestion, "only", "`Sector` in the condition cannot be used yet")],
        ),
        choices("an enum while its options are open", ACCOUNT, ("Industry", &[], true), &[]),
        faulty_choices(
            "an enum of a lookup that needs an answer",
            ACCOUNT,
            ("Sector", &[], true),
            &[(OpenQuestion, "attribute", "`Sector` cannot be used yet")],
        ),
        faulty_contract(
            "a question about a key that does not belong to the kind",
            "entity = \"Account\"\n[attributes]\nA = { kind = \"string\", zone = \"?\" }",
            &[(KeysExclude, "3:31", "`zone` is only allowed for kinds date, datetime, but `A` is of kind string")],
        ),
        contract(
            "labels of options, and how forms ask",
            "entity = \"Account\"\n[attributes]\nA = { kind = \"choice\", required = \"recommended\", choices = { sole_trader = \
             1, r_and_d = 2 }, labels = { r_and_d = \"R&D\" } }",
            |contract| {
                let [attribute] = &contract.attributes[..] else { panic!("one attribute") };
                assert_eq!(attribute.label("sole_trader"), "Sole trader");
                assert_eq!(attribute.label("r_and_d"), "R&D");
                assert_eq!(attribute.asked, Some(Asked::Recommended));
            },
        ),
        faulty_contract(
            "a label without its option",
            "entity = \"Account\"\n[attributes]\nA = { kind = \"choice\", choices = { open = 1 }, labels = { opne = \"Open\" } }",
            &[(UnknownChoice, "3:59", "did you mean `open`?")],
        ),
        faulty_contract(
            "a requirement that does not exist",
            "entity = \"Account\"\n[attributes]\nA = { kind = \"string\", required = \"on-form\" }",
            &[(WrongValue, "3:35", "`required` must be a boolean, \"recommended\" or \"on-forms\", found \"on-form\"")],
        ),
    ]
}

#[test]
fn questions_as_rows() {
    crate::check(rows());
}

#[test]
fn each_question_says_where_to_look_and_what_to_write() {
    let (contract, faults) = Contract::parse(ACCOUNT).into_parts();
    assert!(faults.is_empty(), "{faults:?}");
    let contract = contract.unwrap();
    let diagnostics: Vec<_> = contract.questions.iter().map(|open| open.diagnostic(&contract)).collect();
    let said = |at: usize, part: &str| {
        let text = diagnostics[at].render("mappings/account.toml");
        assert!(text.contains(part), "{part} is not in {text}");
    };
    said(0, "`max-length` of `Name` is not known [open-question]");
    said(0, "mappings/account.toml:5:40");
    said(0, "Entities, Account, Fields, Name; look up Maximum Length");
    said(1, "Target Record Type");
    said(2, "`scale = 2`");
    said(3, "whose midnight CDMS stores");
    said(4, "whether `Seen` is a day or a time is not known");
    said(4, "for \"Date and Time\" remove `zone`");
    said(5, "write a name and the number of each");
}
