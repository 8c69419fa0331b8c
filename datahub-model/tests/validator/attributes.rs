//! A contract's attributes: each kind, each key, what belongs to which.

use cdms_odata::Kind;
use datahub_model::Class;
use datahub_model::diagnostic::Code;
use datahub_model::source::ContractAttribute;

use crate::row::{Row, contract, faulty_contract};

/// A contract of one attribute, which stands on line 3.
fn one(attribute: &str) -> String {
    format!("entity = \"Account\"\n[attributes]\n{attribute}")
}

fn plain(kind: Kind) -> ContractAttribute {
    let spot = datahub_model::source::Spot { line: 3, column: 1, text: String::new() };
    let (choices, targets) = (Vec::new(), Vec::new());
    let class = Class::Public;
    ContractAttribute {
        name: "A".to_owned(),
        kind,
        required: false,
        asked: None,
        read_only: false,
        max_length: None,
        scale: None,
        zone: None,
        choices,
        labels: Vec::new(),
        targets,
        navigations: Vec::new(),
        class,
        note: None,
        spot,
    }
}

/// The attribute of a contract of one, without the text of its line.
fn attribute(contract: &datahub_model::source::Contract) -> ContractAttribute {
    let mut attribute = contract.attributes[0].clone();
    attribute.spot.text.clear();
    attribute
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = accepted();
    rows.extend(faulty());
    rows
}

fn accepted() -> Vec<Row> {
    vec![
        contract(
            "every kind",
            r#"
            entity = "Account"
            [attributes]
            A = { kind = "string" }
            B = { kind = "integer" }
            C = { kind = "bigint" }
            D = { kind = "decimal", scale = 0 }
            E = { kind = "double" }
            F = { kind = "money" }
            G = { kind = "boolean" }
            H = { kind = "datetime" }
            I = { kind = "date", zone = "UTC" }
            J = { kind = "guid" }
            K = { kind = "choice" }
            L = { kind = "state" }
            M = { kind = "status" }
            N = { kind = "lookup", target = "account" }
            "#,
            |contract| {
                let kinds: Vec<_> = contract.attributes.iter().map(|attribute| attribute.kind).collect();
                assert_eq!(kinds, Kind::ALL);
            },
        ),
        contract("the defaults of an attribute", one("A = { kind = 'string' }"), |contract| {
            assert_eq!(attribute(contract), plain(Kind::String));
        }),
        contract("required", one("A = { kind = 'money', required = true }"), |contract| {
            assert_eq!(attribute(contract), ContractAttribute { required: true, ..plain(Kind::Money) });
        }),
        contract("read-only", one("A = { kind = 'guid', read-only = true }"), |contract| {
            assert_eq!(attribute(contract), ContractAttribute { read_only: true, ..plain(Kind::Guid) });
        }),
        contract(
            "flags that are false",
            one("A = { kind = 'double', required = false, read-only = false }"),
            |contract| {
                assert_eq!(attribute(contract), plain(Kind::Double));
            },
        ),
        contract("a state is read-only by itself", one("A = { kind = 'state' }"), |contract| {
            assert_eq!(attribute(contract), ContractAttribute { read_only: true, ..plain(Kind::State) });
        }),
        contract("a length", one("A = { kind = 'string', max-length = 0x64 }"), |contract| {
            assert_eq!(attribute(contract), ContractAttribute { max_length: Some(100), ..plain(Kind::String) });
        }),
        contract("a scale", one("A = { kind = 'decimal', scale = 2 }"), |contract| {
            assert_eq!(attribute(contract), ContractAttribute { scale: Some(2), ..plain(Kind::Decimal) });
        }),
        contract("the largest scale", one("A = { kind = 'decimal', scale = 7 }"), |contract| {
            assert_eq!(attribute(contract).scale, Some(7));
        }),
        contract("a scale of money", one("A = { kind = 'money', scale = 4 }"), |contract| {
            assert_eq!(attribute(contract), ContractAttribute { scale: Some(4), ..plain(Kind::Money) });
        }),
        contract("a scale of a double", one("A = { kind = 'double', scale = 5 }"), |contract| {
            assert_eq!(attribute(contract), ContractAttribute { scale: Some(5), ..plain(Kind::Double) });
        }),
        contract("a zone", one("A = { kind = 'date', zone = 'Europe/London' }"), |contract| {
            let zone = Some("Europe/London".to_owned());
            assert_eq!(attribute(contract), ContractAttribute { zone, ..plain(Kind::Date) });
        }),
        contract("options", one("A = { kind = 'choice', choices = { none = 0, fine_arts = -3 } }"), |contract| {
            let choices = vec![("none".to_owned(), 0), ("fine_arts".to_owned(), -3)];
            assert_eq!(attribute(contract), ContractAttribute { choices, ..plain(Kind::Choice) });
        }),
        contract("options of a status", one("A = { kind = 'status', choices = { new = 1 } }"), |contract| {
            let choices = vec![("new".to_owned(), 1)];
            assert_eq!(attribute(contract), ContractAttribute { choices, ..plain(Kind::Status) });
        }),
        contract("one target", one("A = { kind = 'lookup', target = 'account' }"), |contract| {
            let targets = vec!["account".to_owned()];
            assert_eq!(attribute(contract), ContractAttribute { targets, ..plain(Kind::Lookup) });
        }),
        contract("several targets", one("A = { kind = 'lookup', target = ['account', 'contact'] }"), |contract| {
            let targets = vec!["account".to_owned(), "contact".to_owned()];
            assert_eq!(attribute(contract), ContractAttribute { targets, ..plain(Kind::Lookup) });
        }),
        contract(
            "how to get to a record",
            one("A = { kind = 'lookup', target = 'account', navigation = 'to_a' }"),
            |contract| {
                let navigations = vec![("account".to_owned(), "to_a".to_owned())];
                let targets = vec!["account".to_owned()];
                assert_eq!(attribute(contract), ContractAttribute { targets, navigations, ..plain(Kind::Lookup) });
            },
        ),
        contract(
            "how to get to some of several records",
            one("A = { kind = 'lookup', target = ['account', 'contact'], navigation = { contact = 'to_c' } }"),
            |contract| {
                let navigations = vec![("contact".to_owned(), "to_c".to_owned())];
                let targets = vec!["account".to_owned(), "contact".to_owned()];
                assert_eq!(attribute(contract), ContractAttribute { targets, navigations, ..plain(Kind::Lookup) });
            },
        ),
        contract(
            "every class",
            "entity = 'A'\n[attributes]\nA = { kind = 'string', class = 'public' }\n\
             B = { kind = 'string', class = 'personal' }\nC = { kind = 'string', class = 'secret' }",
            |contract| {
                let classes: Vec<_> = contract.attributes.iter().map(|attribute| attribute.class).collect();
                assert_eq!(classes, [Class::Public, Class::Personal, Class::Secret]);
            },
        ),
        contract("a note", one("A = { kind = 'boolean', note = 'free text' }"), |contract| {
            let note = Some("free text".to_owned());
            assert_eq!(attribute(contract), ContractAttribute { note, ..plain(Kind::Boolean) });
        }),
        contract(
            "an attribute as a table of its own",
            "entity = 'A'\n[attributes.A]\nkind = 'integer'\n",
            |contract| {
                assert_eq!((contract.attributes[0].kind, contract.attributes[0].spot.line), (Kind::Integer, 2));
            },
        ),
    ]
}

fn faulty() -> Vec<Row> {
    use Code::{KeysExclude, MappedTwice, MissingKey, UnknownKey, WrongKind, WrongValue};
    vec![
        faulty_contract(
            "no kind",
            one("A = { required = true }"),
            &[(MissingKey, "3:1", "add `kind = \"string\"`, or another kind")],
        ),
        faulty_contract(
            "a kind that does not exist",
            one("A = { kind = 'colour' }"),
            &[(WrongKind, "3:14", "one of: string, integer, bigint")],
        ),
        faulty_contract(
            "a kind by its name in Rust",
            one("A = { kind = 'bool' }"),
            &[(WrongKind, "3:14", "did you mean `boolean`?")],
        ),
        faulty_contract(
            "a misspelt kind",
            one("A = { kind = 'bolean' }"),
            &[(WrongKind, "3:14", "did you mean `boolean`?")],
        ),
        faulty_contract(
            "a kind that is not a string",
            one("A = { kind = 1 }"),
            &[(WrongValue, "3:14", "`kind` must be a string, found an integer")],
        ),
        faulty_contract(
            "an attribute that is not a table",
            one("A = 'string'"),
            &[(WrongValue, "3:5", "write `A = { kind = \"string\" }`")],
        ),
        faulty_contract(
            "a misspelt key of an attribute",
            one("A = { kind = 'string', maxlength = 3 }"),
            &[(UnknownKey, "3:24", "did you mean `max-length`?")],
        ),
        faulty_contract(
            "a key of a field",
            one("A = { kind = 'string', read_only = true }"),
            &[(UnknownKey, "3:24", "did you mean `read-only`?")],
        ),
        faulty_contract(
            "a flag that is not a boolean",
            one("A = { kind = 'string', required = 'yes' }"),
            &[(WrongValue, "3:35", "`required` must be a boolean, \"recommended\" or \"on-forms\", found \"yes\"")],
        ),
        faulty_contract(
            "a length that is negative",
            one("A = { kind = 'string', max-length = -1 }"),
            &[(WrongValue, "3:37", "`max-length` must be a non-negative integer, found `-1`")],
        ),
        faulty_contract(
            "a length of an integer",
            one("A = { kind = 'integer', max-length = 3 }"),
            &[(KeysExclude, "3:38", "`max-length` is only allowed for kind string, but `A` is of kind integer")],
        ),
        faulty_contract(
            "a scale of an integer",
            one("A = { kind = 'integer', scale = 2 }"),
            &[(KeysExclude, "3:33", "remove `scale`")],
        ),
        faulty_contract(
            "a scale that money does not have",
            one("A = { kind = 'money', scale = 5 }"),
            &[(WrongValue, "3:31", "`scale` of `A` must be at most 4 for kind money, found `5`")],
        ),
        faulty_contract(
            "a scale that a double does not have",
            one("A = { kind = 'double', scale = 6 }"),
            &[(WrongValue, "3:32", "write `scale = 5`, or the number of digits that CDMS's form shows")],
        ),
        faulty_contract(
            "a decimal without a scale",
            one("A = { kind = 'decimal' }"),
            &[(
                MissingKey,
                "3:1",
                "add `scale = 2`, or the number of digits after the point that CDMS's form shows, at most 7",
            )],
        ),
        faulty_contract(
            "a scale that leaves no place for CDMS's largest numbers",
            one("A = { kind = 'decimal', scale = 8 }"),
            &[(
                WrongValue,
                "3:33",
                "`scale` of `A` must be at most 7, found `8`: with more digits, CDMS's largest number, 100,000,000,000, does not fit into a column of 64 bits",
            )],
        ),
        faulty_contract(
            "a zone of a datetime",
            one("A = { kind = 'datetime', zone = 'UTC' }"),
            &[(KeysExclude, "3:33", "`zone` is only allowed for kind date, but `A` is of kind datetime")],
        ),
        faulty_contract(
            "options of a string",
            one("A = { kind = 'string', choices = { a = 1 } }"),
            &[(KeysExclude, "3:34", "choice, state, status")],
        ),
        faulty_contract(
            "a target of a guid",
            one("A = { kind = 'guid', target = 'account' }"),
            &[(KeysExclude, "3:31", "`target` is only allowed for kind lookup, but `A` is of kind guid")],
        ),
        faulty_contract(
            "a navigation property of a guid",
            one("A = { kind = 'guid', navigation = 'to_a' }"),
            &[(KeysExclude, "3:35", "`navigation` is only allowed for kind lookup, but `A` is of kind guid")],
        ),
        faulty_contract(
            "a navigation property for one of several targets, which it does not say",
            one("A = { kind = 'lookup', target = ['account', 'contact'], navigation = 'to_a' }"),
            &[(WrongValue, "3:70", "`navigation` of `A` must say for which target it is")],
        ),
        faulty_contract(
            "a navigation property for something else",
            one("A = { kind = 'lookup', target = 'account', navigation = { acount = 'to_a', account = 1 } }"),
            &[
                (WrongValue, "3:59", "`acount` is not a target of `A`"),
                (WrongValue, "3:86", "`navigation` must be a string, found an integer"),
            ],
        ),
        faulty_contract(
            "a number of a navigation property",
            one("A = { kind = 'lookup', target = 'account', navigation = 1 }"),
            &[(WrongValue, "3:57", "`navigation` must be a string or a table, found an integer")],
        ),
        faulty_contract(
            "a lookup without a target",
            one("A = { kind = 'lookup' }"),
            &[(MissingKey, "3:1", "the lookup `A` is missing `target`")],
        ),
        faulty_contract(
            "a lookup with no target in its list",
            one("A = { kind = 'lookup', target = [] }"),
            &[(MissingKey, "3:1", "add `target = \"account\"`, or a list of logical names")],
        ),
        faulty_contract(
            "targets that are not logical names",
            one("A = { kind = 'lookup', target = ['Account', 'Contact'] }"),
            &[(WrongValue, "3:34", "write `account`"), (WrongValue, "3:45", "write `contact`")],
        ),
        faulty_contract(
            "targets that are not strings",
            one("A = { kind = 'lookup', target = [1, 'contact'] }"),
            &[(WrongValue, "3:34", "`target` must be a string, found an integer")],
        ),
        faulty_contract(
            "a target that is a table",
            one("A = { kind = 'lookup', target = {} }"),
            &[(WrongValue, "3:33", "`target` must be a string or an array of strings, found a table")],
        ),
        faulty_contract(
            "a date without a zone",
            one("A = { kind = 'date' }"),
            &[(
                MissingKey,
                "3:1",
                "add the time zone of the midnight that CDMS stores, such as `zone = \"Europe/London\"`",
            )],
        ),
        faulty_contract(
            "a misspelt zone",
            one("A = { kind = 'date', zone = 'Europe/Londn' }"),
            &[(WrongValue, "3:29", "did you mean `Europe/London`?")],
        ),
        faulty_contract(
            "options that are not a table",
            one("A = { kind = 'choice', choices = ['a'] }"),
            &[(WrongValue, "3:34", "write `choices = { active = 0, inactive = 1 }`")],
        ),
        faulty_contract(
            "an option without a number",
            one("A = { kind = 'choice', choices = { a = 'b', c = 1 } }"),
            &[(WrongValue, "3:40", "`a` must be an integer of 32 bits, found a string")],
        ),
        faulty_contract(
            "two options of one number",
            one("A = { kind = 'choice', choices = { a = 1, b = 1 } }"),
            &[(MappedTwice, "3:47", "the options `a` and `b` have the same number, 1")],
        ),
        faulty_contract(
            "a misspelt class",
            one("A = { kind = 'string', class = 'privat' }"),
            &[(WrongValue, "3:32", "one of: public, personal, secret")],
        ),
        faulty_contract(
            "a note that is not text",
            one("A = { kind = 'string', note = 1 }"),
            &[(WrongValue, "3:31", "`note` must be a string, found an integer")],
        ),
        faulty_contract(
            "other keys of an attribute whose kind is unknown",
            one(
                "A = { required = 'yes', clas = 'secret', scale = 'two' }\nB = { kind = 'sting', zone = 'Mars', note = 1 }",
            ),
            &[
                (MissingKey, "3:1", "`A` is missing `kind`"),
                (WrongValue, "3:18", "write `required = true` or `required = false`"),
                (UnknownKey, "3:25", "did you mean `class`?"),
                (WrongValue, "3:50", "`scale` must be a non-negative integer, found a string"),
                (WrongKind, "4:14", "`sting`"),
                (WrongValue, "4:30", "unknown time zone `Mars`"),
                (WrongValue, "4:45", "`note` must be a string, found an integer"),
            ],
        ),
        faulty_contract(
            "all faults of a contract at once",
            "entity = 'A'\nsett = 'B'\n[attributes]\nA = { kind = 'sting' }\nB = { kind = 'lookup', clas = 'secret' }\n\
             [groups.g]\na = 'C'\nb = 'A'\n[constants]\nD = 1\n",
            &[
                (UnknownKey, "2:1", "`sett`"),
                (WrongKind, "4:14", "`sting`"),
                (MissingKey, "5:1", "`B`"),
                (UnknownKey, "5:24", "`clas`"),
                (Code::UnknownAttribute, "7:5", "`C`"),
                (Code::UnknownAttribute, "10:1", "`D`"),
            ],
        ),
    ]
}

#[test]
fn attributes_as_rows() {
    crate::check(rows());
}
