//! Choice enums against the options of their attribute.

use datahub_model::diagnostic::Code::{MappedTwice, UnknownAttribute, UnknownChoice, WrongKind};

use crate::row::{Row, choices, faulty_choices};

const ACCOUNT: &str = r#"
entity = "Account"
[attributes]
Name = { kind = "string" }
Industry = { kind = "choice", choices = { food = 1, fine_arts = 2, brokers = 30 } }
StateCode = { kind = "state", choices = { active = 0, inactive = 1 } }
Reason = { kind = "status", choices = { new = 1 } }
Open = { kind = "choice" }
"#;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        choices(
            "options in another order",
            ACCOUNT,
            ("Industry", &["brokers", "food", "fine_arts"], false),
            &[30, 1, 2],
        ),
        choices("a state", ACCOUNT, ("StateCode", &["active", "inactive"], false), &[0, 1]),
        choices("a status", ACCOUNT, ("Reason", &["new"], false), &[1]),
        choices("some options and the rest", ACCOUNT, ("Industry", &["food"], true), &[1]),
        choices("every option and the rest", ACCOUNT, ("StateCode", &["active", "inactive"], true), &[0, 1]),
        choices("nothing but the rest, where no options are stated", ACCOUNT, ("Open", &[], true), &[]),
        faulty_choices(
            "a misspelt option",
            ACCOUNT,
            ("Industry", &["food", "fine_art", "brokers"], false),
            &[(UnknownChoice, "fine_art", "did you mean `fine_arts`?")],
        ),
        faulty_choices(
            "options of another attribute",
            ACCOUNT,
            ("StateCode", &["food", "brokers"], true),
            &[(UnknownChoice, "food", "one of: active, inactive"), (UnknownChoice, "brokers", "")],
        ),
        faulty_choices(
            "an option where none is stated",
            ACCOUNT,
            ("Open", &["food"], true),
            &[(UnknownChoice, "food", "state them in the contract: `choices = { food = 1 }`")],
        ),
        faulty_choices(
            "an option without a variant",
            ACCOUNT,
            ("Industry", &["food"], false),
            &[(UnknownChoice, "attribute", "missing variants for `fine_arts`, `brokers` of `Industry`")],
        ),
        faulty_choices(
            "two variants of one option",
            ACCOUNT,
            ("Reason", &["new", "new"], false),
            &[(MappedTwice, "new", "two variants name the option `new`")],
        ),
        faulty_choices(
            "an unknown choice attribute",
            ACCOUNT,
            ("Industri", &["food"], false),
            &[(UnknownAttribute, "attribute", "did you mean `Industry`?")],
        ),
        faulty_choices(
            "an attribute that is not a choice",
            ACCOUNT,
            ("Name", &["food"], false),
            &[(WrongKind, "attribute", "`Name` is of kind string, which has no options")],
        ),
    ]
}

#[test]
fn choices_as_rows() {
    crate::check(rows());
}
