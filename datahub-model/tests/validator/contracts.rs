//! Contracts as files: the top level, groups, constants, what is left out, and text that is not valid TOML.

use datahub_model::diagnostic::Code;
use datahub_model::source::{Capture, ConstantValue, Contract};

use crate::row::{Row, contract, faulty_contract};

const ACCOUNT: &str = r#"entity = "Account"

[attributes]
Name = { kind = "string", max-length = 160 }
Alias = { kind = "string" }
Verified = { kind = "boolean" }
Employees = { kind = "integer" }
StateCode = { kind = "state" }
Industry = { kind = "choice", choices = { food = 1, fine_arts = 2 } }
Rating = { kind = "choice" }
Reason = { kind = "status", choices = { new = 1 } }
Limit = { kind = "money" }
Secret = { kind = "integer", read-only = true }
"#;

fn with(rest: &str) -> String {
    format!("{ACCOUNT}{rest}")
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = accepted();
    rows.extend(no_toml());
    rows.extend(top_level());
    rows.extend(groups_and_constants());
    rows
}

fn accepted() -> Vec<Row> {
    vec![
        contract("the shortest contract and its defaults", "entity = \"Account\"", |contract| {
            assert_eq!(names(contract), ["Account", "AccountSet", "AccountId", "account"]);
            assert_eq!(engine(contract), ["ModifiedOn", "CreatedOn", "ModifiedBy"]);
            assert!(contract.attributes.is_empty() && contract.groups.is_empty());
            assert!(contract.constants.is_empty() && contract.unmapped.is_empty());
        }),
        contract(
            "every name stated",
            r#"
            entity = "optevia_Sector"
            set = "Sectors"
            key = "SectorKey"
            logical = "sector"
            modified = "Changed"
            created = "Made"
            modified-by = "Changer"
            "#,
            |contract| {
                assert_eq!(names(contract), ["optevia_Sector", "Sectors", "SectorKey", "sector"]);
                assert_eq!(engine(contract), ["Changed", "Made", "Changer"]);
            },
        ),
        contract("which attributes reads keep", "entity = \"Account\"\ncapture = \"contract\"", |contract| {
            assert_eq!(contract.capture, Some(Capture::Contract));
        }),
        contract("that reads keep what is mapped", "entity = \"Account\"\ncapture = \"mapped\"", |contract| {
            assert_eq!(contract.capture, Some(Capture::Mapped));
        }),
        contract("the logical name is the entity in lowercase", "entity = \"CustomerAddress\"", |contract| {
            assert_eq!(names(contract)[2..], ["CustomerAddressId", "customeraddress"]);
        }),
        contract("a group keeps its order", with("[groups.names]\nsecond = 'Alias'\nfirst = 'Name'"), |contract| {
            let members = contract.groups[0].members.iter();
            let members: Vec<_> = members.map(|member| (member.key.as_str(), member.attribute.as_str())).collect();
            assert_eq!(contract.groups[0].name, "names");
            assert_eq!(members, [("second", "Alias"), ("first", "Name")]);
        }),
        contract(
            "constants of every sort",
            with(concat!(
                "[constants]\nAlias = '{actor}'\nVerified = false\nEmployees = -3\n",
                "Industry = 2\nRating = 99\nReason = 1"
            )),
            |contract| {
                let constants = contract.constants.iter();
                let constants: Vec<_> =
                    constants.map(|known| (known.attribute.as_str(), known.value.clone())).collect();
                assert_eq!(
                    constants,
                    [
                        ("Alias", ConstantValue::Text("{actor}".to_owned())),
                        ("Verified", ConstantValue::Boolean(false)),
                        ("Employees", ConstantValue::Integer(-3)),
                        ("Industry", ConstantValue::Integer(2)),
                        ("Rating", ConstantValue::Integer(99)),
                        ("Reason", ConstantValue::Integer(1)),
                    ]
                );
            },
        ),
        contract(
            "constants that only look like something else",
            with("[constants]\nAlias = '{}{1+1}{ {actor}'"),
            |contract| {
                assert_eq!(contract.constants[0].value, ConstantValue::Text("{}{1+1}{ {actor}".to_owned()));
            },
        ),
        contract(
            "what CDMS keeps of every record is read-only",
            "entity = 'A'\nmodified = 'Changed'\n[attributes]\nAId = { kind = 'guid' }\nChanged = { kind = 'datetime' }\n\
             CreatedOn = { kind = 'datetime' }\nModifiedBy = { kind = 'guid' }\nSeenOn = { kind = 'datetime' }",
            |contract| {
                let read_only = contract.attributes.iter().map(|attribute| attribute.read_only);
                assert_eq!(read_only.collect::<Vec<_>>(), [true, true, true, true, false]);
            },
        ),
        contract("what is left out, with its reason", with("[unmapped]\nFax = 'not used'"), |contract| {
            let (attribute, reason, spot) = &contract.unmapped[0];
            assert_eq!((attribute.as_str(), reason.as_str()), ("Fax", "not used"));
            assert_eq!((spot.line, spot.column, spot.text.as_str()), (15, 1, "Fax = 'not used'"));
        }),
        contract(
            "empty tables and comments",
            "entity = 'A' # an A\n[attributes]\n[groups]\n[constants]\n[unmapped]",
            |_| {},
        ),
        contract(
            "lines of another system",
            "entity = 'A'\r\n[attributes]\r\nB = { kind = 'string' }\r\n",
            |contract| {
                assert_eq!(contract.attributes[0].spot.line, 3);
                assert_eq!(contract.attributes[0].spot.text, "B = { kind = 'string' }");
            },
        ),
    ]
}

fn names(contract: &Contract) -> [&str; 4] {
    [&contract.entity, &contract.set, &contract.key, &contract.logical]
}

fn engine(contract: &Contract) -> [&str; 3] {
    [&contract.modified, &contract.created, &contract.modified_by]
}

fn no_toml() -> Vec<Row> {
    use Code::FaultyToml;
    vec![
        faulty_contract(
            "a string that is not closed",
            "entity = \"Account\n",
            &[(FaultyToml, "1:18", "1 | entity = \"Account")],
        ),
        faulty_contract(
            "a value that is missing",
            "entity = \"Account\"\n[attributes]\nName =\n",
            &[(FaultyToml, "3:7", "3 | Name =\n  |       ^")],
        ),
        faulty_contract(
            "an unclosed bracket, reported alone",
            "entity = \"A\"\n[attributes]\nB = { kind = \"string\"\nC = { kind = \"string\" }\nD = { kind = \"string\" }\n",
            &[(FaultyToml, "3:5", "add the `}` that closes it")],
        ),
        faulty_contract(
            "a list that is not closed",
            "entity = \"A\"\n[attributes]\nB = { kind = \"lookup\", target = [\"a\" }\nC = { kind = \"string\" }\n",
            &[(FaultyToml, "3:38", "")],
        ),
        faulty_contract(
            "an unclosed quote, reported alone",
            "entity = \"A\"\n[attributes]\nB = { kind = \"string }\nC = { kind = \"string\" }\nD = { kind = \"string\" }\n",
            &[(FaultyToml, "3:23", "invalid basic string")],
        ),
        faulty_contract(
            "a key that is there twice",
            "entity = \"A\"\nset = \"B\"\nset = \"C\"",
            &[(FaultyToml, "3:1", "duplicate key")],
        ),
        faulty_contract(
            "two faults, both reported",
            "entity = \"A\"\nset = \n[attributes]\nName = { kind \"string\" }",
            &[(FaultyToml, "2:7", ""), (FaultyToml, "4:15", "")],
        ),
        faulty_contract(
            "columns count letters, not bytes",
            "entity = \"Ä\"\nset = \"Größe\" }",
            &[(FaultyToml, "2:15", "^")],
        ),
        faulty_contract(
            "a mark below a line with tabs",
            "entity = \"A\"\nset =\t\t}",
            &[(FaultyToml, "2:8", "\n  |      \t\t^")],
        ),
    ]
}

fn top_level() -> Vec<Row> {
    use Code::{KeysExclude, MissingKey, UnknownKey, WrongValue};
    vec![
        faulty_contract(
            "an empty file",
            "",
            &[(MissingKey, "1:1", "begin the contract with `entity = \"Account\"`, spelled exactly as in $metadata")],
        ),
        faulty_contract(
            "no entity, and what else is wrong",
            "set = \"A\"\n[attributes]\nName = { kind = \"sting\" }",
            &[
                (MissingKey, "1:1", "missing key `entity` in the contract"),
                (Code::WrongKind, "3:17", "did you mean `string`?"),
            ],
        ),
        faulty_contract(
            "an entity that is not a string",
            "entity = 3",
            &[(WrongValue, "1:10", "`entity` must be a string, found an integer")],
        ),
        faulty_contract(
            "a misspelt key",
            "entity = \"A\"\nlogicl = \"a\"",
            &[(UnknownKey, "2:1", "did you mean `logical`?")],
        ),
        faulty_contract(
            "an underscore for a dash",
            "entity = \"A\"\nmodified_by = \"M\"",
            &[(UnknownKey, "2:1", "did you mean `modified-by`?")],
        ),
        faulty_contract(
            "an unknown key",
            "entity = \"A\"\nquantum = 1",
            &[(UnknownKey, "2:1", "one of: entity, set, key")],
        ),
        faulty_contract(
            "a misspelt table",
            "entity = \"A\"\n[attribute]\nB = 1",
            &[(UnknownKey, "2:2", "did you mean `attributes`?")],
        ),
        faulty_contract(
            "a name that is not a string",
            "entity = \"A\"\nkey = true",
            &[(WrongValue, "2:7", "`key` must be a string, found a boolean")],
        ),
        faulty_contract(
            "which attributes reads keep, in another word",
            "entity = \"Account\"\ncapture = \"contracts\"",
            &[(WrongValue, "2:11", "did you mean `contract`?")],
        ),
        faulty_contract(
            "which attributes reads keep, not as a word",
            "entity = \"Account\"\ncapture = true",
            &[(WrongValue, "2:11", "`capture` must be a string, found a boolean")],
        ),
        faulty_contract(
            "names that are empty",
            "entity = ''\nset = ''\nkey = ''\nlogical = ''",
            &[
                (WrongValue, "1:10", "write the name exactly as in $metadata"),
                (WrongValue, "2:7", "`set` must not be empty"),
                (WrongValue, "3:7", "write the name exactly as in $metadata, or remove `key` to use the default"),
                (WrongValue, "4:11", "`logical` must not be empty"),
            ],
        ),
        faulty_contract(
            "a logical name with a capital",
            "entity = 'Account'\nlogical = 'Account'",
            &[(WrongValue, "2:11", "invalid logical name `Account`: logical names are lowercase")],
        ),
        faulty_contract(
            "a table that is a value",
            "entity = \"A\"\nattributes = \"all\"",
            &[(WrongValue, "2:14", "`attributes` must be a table, found a string")],
        ),
        faulty_contract(
            "stated and left out",
            with("[unmapped]\nAlias = 'why'"),
            &[(KeysExclude, "15:1", "`Alias` is in both")],
        ),
        faulty_contract(
            "left out without a reason",
            with("[unmapped]\nFax = true"),
            &[(WrongValue, "15:7", "`Fax` must be a string, found a boolean")],
        ),
    ]
}

fn groups_and_constants() -> Vec<Row> {
    use Code::{KeysExclude, MappedTwice, UnknownAttribute, WrongValue};
    vec![
        faulty_contract(
            "a group of an unknown attribute",
            with("[groups.names]\na = 'Nmae'\nb = 'Wholly'"),
            &[
                (UnknownAttribute, "15:5", "did you mean `Name`?"),
                (UnknownAttribute, "16:5", "unknown attribute `Wholly`"),
            ],
        ),
        faulty_contract(
            "a group that has an attribute twice",
            with("[groups.names]\na = 'Name'\nb = 'Name'"),
            &[(MappedTwice, "16:5", "`Name` is listed twice in the group `names`")],
        ),
        faulty_contract(
            "a group that is not a table",
            with("[groups]\nnames = 'Name'"),
            &[(WrongValue, "15:9", "`names` must be a table, found a string")],
        ),
        faulty_contract(
            "a member that is not a string",
            with("[groups.names]\na = 1"),
            &[(WrongValue, "15:5", "`a` must be a string, found an integer")],
        ),
        faulty_contract(
            "a group within a group of an unknown attribute",
            with("[groups.names]\na = 'Name'\n[groups.names.more]\nb = 'Nmae'\nc.d = 'Name'"),
            &[
                (UnknownAttribute, "17:5", "did you mean `Name`?"),
                (MappedTwice, "18:7", "`Name` is listed twice in the group `names`"),
            ],
        ),
        faulty_contract(
            "a member's key with a dot",
            with("[groups.names]\n'a.b' = 'Name'"),
            &[(WrongValue, "15:1", "remove the quotes to write a group within the group, or choose another key")],
        ),
        faulty_contract(
            "a member within a group that is not a string",
            with("[groups.names]\na.b = 1"),
            &[(WrongValue, "15:7", "`a.b` must be a string, found an integer")],
        ),
        faulty_contract(
            "a group without attributes in the contract",
            "entity = 'A'\n[groups.g]\na = 'B'",
            &[(UnknownAttribute, "3:5", "state it in the contract's [attributes]")],
        ),
        faulty_contract(
            "a constant for an unknown attribute",
            with("[constants]\nVerifed = true"),
            &[(UnknownAttribute, "15:1", "did you mean `Verified`?")],
        ),
        faulty_contract(
            "constants of the wrong sort",
            with("[constants]\nName = 1\nVerified = 'yes'\nEmployees = 3.5"),
            &[
                (WrongValue, "15:8", "the constant for `Name` must be a string, found an integer"),
                (WrongValue, "16:12", "the constant for `Verified` must be a boolean, found a string"),
                (WrongValue, "17:13", "`Employees` must be a string, an integer or a boolean, found a float"),
            ],
        ),
        faulty_contract(
            "a constant for an attribute that CDMS computes",
            "entity = 'Contact'\n[attributes]\nFullName = { kind = 'string' }\n[constants]\nFullName = 'x'",
            &[(KeysExclude, "5:1", "remove the constant; CDMS sets the attribute itself")],
        ),
        faulty_contract(
            "a constant that CDMS cannot hold",
            with("[constants]\nName = \"by \\u0000\""),
            &[(WrongValue, "15:8", "the constant for `Name` contains the character U+0000 at position 4")],
        ),
        faulty_contract(
            "a constant that is too large",
            with("[constants]\nEmployees = 2147483648\nRating = 5000000000"),
            &[
                (WrongValue, "15:13", "the constant for `Employees` must be an integer of 32 bits, found `2147483648`"),
                (WrongValue, "16:10", "write a number from -2147483648 to 2147483647"),
            ],
        ),
        faulty_contract(
            "a constant that no number can hold",
            with("[constants]\nEmployees = 99999999999999999999"),
            &[(WrongValue, "15:13", "write a number from -2147483648 to 2147483647")],
        ),
        faulty_contract(
            "a constant that is not an option",
            with("[constants]\nIndustry = 3"),
            &[(WrongValue, "15:12", "one of: food = 1, fine_arts = 2")],
        ),
        faulty_contract(
            "a constant of a kind that takes none",
            with("[constants]\nLimit = 3"),
            &[(WrongValue, "15:9", "`Limit` is of kind money and cannot have a constant")],
        ),
        faulty_contract(
            "a constant for what is never sent",
            with("[constants]\nSecret = 1\nStateCode = 0"),
            &[
                (KeysExclude, "15:1", "`Secret` is read-only and cannot have a constant"),
                (KeysExclude, "16:1", "`StateCode` is read-only"),
            ],
        ),
        faulty_contract(
            "a constant that is too long",
            "entity = 'A'\n[attributes]\nB = { kind = 'string', max-length = 3 }\n[constants]\nB = 'four'",
            &[(WrongValue, "5:5", "shorten the constant, or correct `max-length`")],
        ),
        faulty_contract(
            "a constant that is too long before the actor's name is in it",
            "entity = 'A'\n[attributes]\nB = { kind = 'string', max-length = 3 }\n[constants]\nB = 'by: {actor}'",
            &[(WrongValue, "5:5", "shorten the constant, or correct `max-length`")],
        ),
        faulty_contract(
            "constants with places for what is not known",
            with("[constants]\nName = 'by {actor} on { today }'\nAlias = '{Actor}'"),
            &[
                (WrongValue, "15:8", "unknown placeholder `{ today }` in a constant"),
                (WrongValue, "16:9", "write `{actor}` for the acting user, or remove the braces"),
            ],
        ),
    ]
}

#[test]
fn contracts_as_rows() {
    crate::check(rows());
}

/// Reading a contract never panics, whatever is cut out of it or put into it.
#[test]
fn damaged_contracts_have_faults_and_never_panic() {
    let whole = with("[groups.g]\na = 'Näme'\n[constants]\nAlias = 'ü{actor}'\n[unmapped]\nFax = 'größer'\n");
    let letters: Vec<char> = whole.chars().collect();
    for at in 0..letters.len() {
        for inserted in ["", "\"", "[", "}", "=", "\n", "é", "\u{feff}", "0x"] {
            let text: String = letters[..at].iter().collect::<String>() + inserted;
            let rest: String = letters[(at + 1).min(letters.len())..].iter().collect();
            for text in [text.clone(), text + &rest] {
                let (contract, faults) = Contract::parse(&text).into_parts();
                assert!(contract.is_some() || !faults.is_empty(), "there is no fault in {text:?}");
                for diagnostic in faults {
                    assert!(diagnostic.render("c.toml").contains("--> c.toml:"), "{text:?}");
                }
            }
        }
    }
}
