//! Conditions as people write them, and what is said of those that are wrong.

use datahub_model::condition::Condition;

use crate::model::{CONTACT, FIRM, SECTOR};

fn parse(text: &str) -> Result<Condition, datahub_model::condition::ParseError> {
    Condition::parse(text, &FIRM, &[&FIRM, &SECTOR, &CONTACT])
}

#[test]
fn a_condition_has_many_spellings_and_one_print() {
    for (text, printed) in [
        ("name='Acme'", "name = \"Acme\""),
        ("name eq 'Acme' and size ge 3", "name = \"Acme\" and size >= 3"),
        ("(name<>'a')or((size<=3))", "name != \"a\" or size <= 3"),
        ("substringof('a',name) or startswith(name,'b')", "name contains \"a\" or name starts_with \"b\""),
        (
            "state = inactive or industry in (Fine_Arts, 'accounting', 3)",
            "state = 1 or (industry = 3 or industry = 1 or industry = 3)",
        ),
        ("address/town = \"a \"\"b\"\" 'c'\"", "address.town = \"a \"\"b\"\" 'c'\""),
        ("not (size is null)", "not (size = null)"),
        ("size is not null", "not (size = null)"),
        ("year(met) between 2020 and 2026", "year(met) >= 2020 and year(met) <= 2026"),
        ("limit > 1.50 and area < 1e3 and budget = -2", "limit > 1.50 and area < 1000.0 and budget = -2"),
        ("met = datetime'2011-11-14T16:43:08Z'", "met = 2011-11-14T16:43:08Z"),
        ("sector.code = 7", "sector matches (code = 7)"),
        ("sector matches (title = 'x' or not code = 7)", "sector matches (title = \"x\" or not (code = 7))"),
        ("boss.last_name contains 'x'", "boss matches (last_name contains \"x\")"),
        ("note = 'kept here' and vip = false", "note = \"kept here\" and vip = false"),
    ] {
        let condition = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(condition.to_string(), printed);
        assert_eq!(parse(printed), Ok(condition));
    }
}

#[test]
fn a_mistake_is_said_with_its_place_and_its_cure() {
    for (text, error) in [
        ("", "missing comparison, at character 1; write a field, an operator and a value, such as `name = \"Acme\"`"),
        ("nmae = 'x'", "Firm has no field `nmae`, at character 1; did you mean `name`?"),
        ("size = 1 and sector.titel = 'x'", "Sector has no field `titel`, at character 14; did you mean `title`?"),
        ("adress.town = 'x'", "Firm has no field `adress.town`, at character 1; did you mean `address.town`?"),
        ("size.x = 1", "`size` does not point to a record, at character 1; compare it with a whole number"),
        (
            "owner.name = 'x'",
            "`owner` points to systemuser, of which no model is listed, at character 1; list the model of these records in `models![…]`",
        ),
        ("name contians 'x'", "unknown operator `contians`, at character 6; did you mean `contains`?"),
        (
            "name like 'x'",
            "unknown operator `like`, at character 6; expected one of: =, !=, <, <=, >, >=, contains, starts_with, ends_with, in, between, is, matches, not in, eq, ne, lt, le, gt, ge",
        ),
        ("name = Acme", "expected a text in quotes, found `Acme`, at character 8; write `name = \"Acme\"`"),
        ("name = 'Acme", "unterminated string, at character 8; end it with the quote that begins it"),
        ("size = 'x'", "expected a whole number, found `'x'`, at character 8; compare `size` with a whole number"),
        (
            "met > yesterday",
            "expected a time such as 2026-01-31T12:00:00Z, or a date, found `yesterday`, at character 7; compare `met` with a time such as 2026-01-31T12:00:00Z, or a date",
        ),
        (
            "met > 1500-01-01",
            "the value that `met` is compared with does not fit: is before 1753-01-01, the first day that CDMS supports, at character 7; correct the value",
        ),
        ("state = actve", "expected one of: active, inactive, found `actve`, at character 9; did you mean `active`?"),
        (
            "state > active",
            "`state` is of kind state, which has no order, at character 1; compare it with `=`, `!=` or `in`",
        ),
        (
            "size contains '3'",
            "`size` is of kind integer, in which no text can be found, at character 1; compare it with a whole number",
        ),
        (
            "hour(founded) = 3",
            "`founded` is of kind date, which has no hour, at character 6; compare `founded` with a date such as 2026-01-31",
        ),
        ("year(met) = x", "expected a number for the year, found `x`, at character 13; write it like `year(met) = 1`"),
        (
            "year(met) is null",
            "a part of a time has no null, at character 6; compare `met` with a time such as 2026-01-31T12:00:00Z, or a date",
        ),
        (
            "boss = 6f9619ff-8b86-d011-b42d-00c04fc964ff",
            "expected a text in quotes, found `6f9619ff-8b86-d011-b42d-00c04fc964ff`, at character 8; write `boss = \"6f9619ff-8b86-d011-b42d-00c04fc964ff\"`",
        ),
        (
            "size = 1 adn size = 2",
            "expected the end of the condition, found `adn`, at character 10; did you mean `and`?",
        ),
        (
            "size = 1 AND size = 2",
            "expected the end of the condition, found `AND`, at character 10; did you mean `and`?",
        ),
        ("(size = 1", "unclosed parenthesis, at character 10; add the `)` that closes it"),
        (
            "size in (1; 2)",
            "expected `,` or `)`, found `2`, at character 13; write it like `size in (1, 2)`, `size between 1 and 9`, `name is not null` or `sector matches (…)`",
        ),
        ("ünï = 1", "Firm has no field `ünï`, at character 1; write the name of a field of Firm"),
        (
            "name = 'é' and size",
            "incomplete comparison of `size`, at character 20; write a field, an operator and a value, such as `name = \"Acme\"`",
        ),
        (
            "sector matches title = 'x'",
            "expected `(`, found `title`, at character 16; write it like `size in (1, 2)`, `size between 1 and 9`, `name is not null` or `sector matches (…)`",
        ),
        (
            "sector.group.title = 'x'",
            "Sector has no field `group.title`, at character 1; expected one of: id, title, code, opened, group",
        ),
        (
            "name contains 'a\u{B}'",
            "the text contains the character U+000B at position 2, which XML and CDMS do not allow; remove it, at character 15; correct the text",
        ),
    ] {
        assert_eq!(parse(text).map_err(|error| error.to_string()), Err(error.to_owned()), "{text}");
    }
    let error = parse("é = 1").unwrap_err();
    assert_eq!(error.position(), 0);
    assert_eq!(format!("{error:?}"), error.to_string(), "as a `main` that returns it prints it");
}

#[test]
fn depth_is_limited_in_every_way() {
    let deep = |opening: &str, depth: usize, closing: &str| {
        parse(&format!("{}size = 1{}", opening.repeat(depth), closing.repeat(depth)))
    };
    for (opening, closing) in [("(", ")"), ("not ", ""), ("not (", ")")] {
        assert!(deep(opening, 64, closing).is_ok());
        assert!(deep(opening, 65, closing).is_err());
        assert!(deep(opening, 100_000, closing).is_err());
    }
    let deep = |depth: usize| {
        let text = format!("{}code = 1{}", "group matches (".repeat(depth), ")".repeat(depth));
        Condition::parse(&text, &SECTOR, &[&SECTOR])
    };
    assert!(deep(60).is_ok());
    assert!(deep(100_000).is_err());
}

/// Words of conditions, and such that are in the wrong place.
const WORDS: [&str; 46] = [
    "name",
    "size",
    "met",
    "founded",
    "state",
    "vip",
    "sector",
    "sector.code",
    "boss",
    "owner",
    "address.town",
    "limit",
    "note",
    "nmae",
    "=",
    "!=",
    "<",
    ">=",
    "eq",
    "contains",
    "starts_with",
    "in",
    "between",
    "is",
    "not",
    "null",
    "matches",
    "and",
    "or",
    "(",
    ")",
    ",",
    "'x'",
    "\"it's\"",
    "'",
    "3",
    "-1.5",
    "2026-01-31",
    "2026-01-31T12:00:00.5Z",
    "active",
    "true",
    "year",
    "hour",
    "substringof",
    "6f9619ff-8b86-d011-b42d-00c04fc964ff",
    "é\u{B}",
];

#[test]
fn any_words_are_read_or_refused_in_their_place() {
    let seed = std::env::var("DATAHUB_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    let mut random = fastrand::Rng::with_seed(seed);
    let mut read = 0;
    for _ in 0..50_000 {
        let field = WORDS[random.usize(..12)];
        let mut words = vec![field, WORDS[random.usize(14..26)]];
        words.extend((0..random.usize(1..8)).map(|_| WORDS[random.usize(..WORDS.len())]));
        let text = words.join(" ");
        match parse(&text) {
            Ok(condition) => {
                read += 1;
                assert_eq!(parse(&condition.to_string()), Ok(condition), "{text}; replay with DATAHUB_SEED={seed}");
            }
            Err(error) => {
                let is_within = error.position() <= text.chars().count();
                assert!(is_within && !error.help().is_empty(), "{text}: {error}; replay with DATAHUB_SEED={seed}");
            }
        }
    }
    assert!(read > 50, "{read} of 50,000 texts were read");
}
