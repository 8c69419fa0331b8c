//! The `only` of a model: which conditions are read, as what, and what is said of the others.

use datahub_model::Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
use datahub_model::diagnostic::Code::OnlyDoesNotParse;
use datahub_model::source::Mapping;
use datahub_model::{Filter, Literal};

use crate::row::{Row, accepted, faulty};

const ACCOUNT: &str = r#"
entity = "Account"
[attributes]
Name = { kind = "string" }
Count = { kind = "integer" }
Verified = { kind = "boolean" }
Since = { kind = "datetime" }
Token = { kind = "guid" }
Limit = { kind = "money" }
StateCode = { kind = "state" }
Parent = { kind = "lookup", target = "account" }
Owner = { kind = "lookup", target = ["systemuser", "team"] }
"#;

const ID: u128 = 0x6f96_19ff_8b86_d011_b42d_00c0_4fc9_64ff;

fn is(mapping: &Mapping, expected: Filter) {
    assert_eq!(mapping.only.as_ref(), Some(&expected));
}

fn compare(attribute: &str, operator: datahub_model::Comparison, value: Literal) -> Filter {
    Filter::Compare { attribute: attribute.to_owned().into(), operator, value }
}

fn text(value: &str) -> Literal {
    Literal::Text(value.to_owned().into())
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = read();
    rows.extend(refused());
    rows
}

fn read() -> Vec<Row> {
    vec![
        accepted("a text", ACCOUNT, "M table=m only=\"Name eq 'it''s (not) so'\"\n id: key", |mapping| {
            is(mapping, compare("Name", Equal, text("it's (not) so")));
        }),
        accepted(
            "more than two of each",
            ACCOUNT,
            "M table=m only=\"Count eq 1 or Count eq 2 or Count eq 3 and Name ne null and Verified eq true and Count lt 9\"\n \
             id: key",
            |mapping| {
                let count = |number| compare("Count", Equal, Literal::Integer(number));
                let all = Filter::All(
                    vec![
                        count(3),
                        compare("Name", NotEqual, Literal::Null),
                        compare("Verified", Equal, Literal::Boolean(true)),
                        compare("Count", Less, Literal::Integer(9)),
                    ]
                    .into(),
                );
                is(mapping, Filter::Any(vec![count(1), count(2), all].into()));
            },
        ),
        accepted("no text at all", ACCOUNT, "M table=m only=\"Name ne null\"\n id: key", |mapping| {
            is(mapping, compare("Name", NotEqual, Literal::Null));
        }),
        accepted("a number", ACCOUNT, "M table=m only=\"Count gt -3\"\n id: key", |mapping| {
            is(mapping, compare("Count", Greater, Literal::Integer(-3)));
        }),
        accepted("a boolean", ACCOUNT, "M table=m only=\"Verified eq true\"\n id: key", |mapping| {
            is(mapping, compare("Verified", Equal, Literal::Boolean(true)));
        }),
        accepted(
            "a time",
            ACCOUNT,
            "M table=m only=\"Since ge datetime'1970-01-01T00:00:01Z'\"\n id: key",
            |mapping| {
                is(mapping, compare("Since", GreaterOrEqual, Literal::Instant(1000)));
            },
        ),
        accepted("an option", ACCOUNT, "M table=m only=\"StateCode/Value lt 1\"\n id: key", |mapping| {
            is(mapping, compare("StateCode", Less, Literal::Choice(1)));
        }),
        accepted(
            "an id",
            ACCOUNT,
            "M table=m only=\"Token le guid'6f9619ff-8b86-d011-b42d-00c04fc964ff'\"\n id: key",
            |mapping| {
                is(mapping, compare("Token", LessOrEqual, Literal::Guid(ID)));
            },
        ),
        accepted(
            "a reference",
            ACCOUNT,
            "M table=m only=\"Parent/Id eq guid'6f9619ff-8b86-d011-b42d-00c04fc964ff'\"\n id: key",
            |mapping| {
                is(mapping, compare("Parent", Equal, Literal::Lookup("account".into(), ID)));
            },
        ),
        accepted(
            "a reference of several targets that is null",
            ACCOUNT,
            "M table=m only=\"Owner/Id eq null\"\n id: key",
            |mapping| {
                is(mapping, compare("Owner", Equal, Literal::Null));
            },
        ),
        accepted(
            "`and` binds closer than `or`",
            ACCOUNT,
            "M table=m only=\"Count eq 1 or Count eq 2 and not Count eq 3\"\n id: key",
            |mapping| {
                let count = |number| compare("Count", Equal, Literal::Integer(number));
                let both = Filter::All(vec![count(2), Filter::Not(count(3).into())].into());
                is(mapping, Filter::Any(vec![count(1), both].into()));
            },
        ),
        accepted(
            "brackets",
            ACCOUNT,
            "M table=m only=\"not(Count eq 1 or(Count eq 2))and Count eq 3\"\n id: key",
            |mapping| {
                let count = |number| compare("Count", Equal, Literal::Integer(number));
                let none = Filter::Not(Filter::Any(vec![count(1), count(2)].into()).into());
                is(mapping, Filter::All(vec![none, count(3)].into()));
            },
        ),
        accepted(
            "brackets as deep as they may be",
            ACCOUNT,
            format!("M table=m only=\"{}Count eq 1{}\"\n id: key", "(".repeat(64), ")".repeat(64)).leak(),
            |mapping| is(mapping, compare("Count", Equal, Literal::Integer(1))),
        ),
        accepted(
            "negations and brackets side by side, in any number",
            ACCOUNT,
            format!(
                "M table=m only=\"{}not Count eq 1\"\n id: key",
                "not Count eq 1 and (Count eq 1) and ".repeat(100)
            )
            .leak(),
            |mapping| {
                let one = || compare("Count", Equal, Literal::Integer(1));
                let pair = [Filter::Not(one().into()), one()];
                is(mapping, Filter::All([vec![pair.clone(); 100].concat(), pair[..1].to_vec()].concat().into()));
            },
        ),
    ]
}

fn refused() -> Vec<Row> {
    let deep = format!("{}Count eq 1{}", "(".repeat(65), ")".repeat(65)).leak();
    let nots = format!("{}Count eq 1", "not ".repeat(100_000)).leak();
    let cases: [(&'static str, &'static str, &'static str); 23] = [
        ("brackets too deep", deep, "`not` and parentheses are nested more than 64 levels deep"),
        ("more negations than a stack holds", nots, "nest it less deeply, by joining conditions"),
        ("an empty condition", "", "missing comparison"),
        ("a name alone", "Name", "incomplete comparison of `Name`"),
        ("an operator without a value", "Name eq", "incomplete comparison of `Name`"),
        ("half of a pair", "Name eq 'a' and", "write it like `StateCode/Value eq 0`"),
        ("a misspelt name", "Nmae eq 'a'", "did you mean `Name`?"),
        ("an operator of another language", "Name == 'a'", "unknown operator `==`"),
        ("a misspelt operator", "Name eqq 'a'", "did you mean `eq`?"),
        ("a text that is not closed", "Name eq 'a", "end it with a single quote"),
        ("a text with something behind it", "Name eq 'a'b", "expected the end of the condition, found `b`"),
        ("a text without quotes", "Name eq a", "write strings as 'text'"),
        ("a number as text", "Count eq '3'", "expected a literal of kind integer, found `'3'`"),
        ("a number that is too large", "Count eq 3000000000", "expected a literal of kind integer"),
        ("an option without its member", "StateCode eq 0", "write `StateCode/Value`"),
        ("a member that is not there", "Name/Value eq 'a'", "write `Name`"),
        ("an id without its mark", "Token eq '6f9619ff-8b86-d011-b42d-00c04fc964ff'", "write ids as guid'"),
        (
            "a reference of several targets",
            "Owner/Id eq guid'6f9619ff-8b86-d011-b42d-00c04fc964ff'",
            "a lookup must have one target",
        ),
        (
            "a time without its zone",
            "Since eq datetime'2011-11-14T16:43:08'",
            "write times as datetime'2011-11-14T16:43:08Z'",
        ),
        ("a kind that conditions cannot have", "Limit eq 3", "a condition on the money `Limit` is not supported"),
        ("a text that CDMS cannot hold", "Name eq 'a\u{B}'", "contains the character U+000B at position 2"),
        ("a time that CDMS cannot hold", "Since lt datetime'1752-12-31T23:59:59Z'", "is before 1753-01-01"),
        ("a bracket that is not closed", "(Count eq 1", "unclosed parenthesis"),
    ];
    let rows = cases.into_iter().map(|(name, only, fragment)| {
        // Rows live as long as the test.
        let model = format!("M table=m only=\"{only}\"\n id: key").leak();
        faulty(name, ACCOUNT, model, &[(OnlyDoesNotParse, "only", fragment)])
    });
    rows.collect()
}

#[test]
fn conditions_as_rows() {
    crate::check(rows());
}
