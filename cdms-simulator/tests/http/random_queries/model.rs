//! The plain model: records, conditions and texts in simple types, and what the database makes of them.

use std::cmp::Ordering;

use fastrand::Rng;
use rust_decimal::Decimal;
use uuid::Uuid;

/// Characters that mean something in filters, addresses, patterns or to people, and what the database takes them for.
const CHARS: &[(char, &str)] = &[
    ('a', "a"),
    ('A', "a"),
    ('b', "b"),
    ('é', "e"),
    ('E', "e"),
    ('ß', "ss"),
    ('s', "s"),
    ('\'', "'"),
    ('"', "\""),
    ('&', "&"),
    ('%', "%"),
    ('+', "+"),
    ('_', "_"),
    ('#', "#"),
    ('/', "/"),
    ('\\', "\\"),
    ('?', "?"),
    ('=', "="),
    (';', ";"),
    (',', ","),
    ('(', "("),
    (')', ")"),
    ('[', "["),
    (']', "]"),
    ('{', "{"),
    ('^', "^"),
    ('$', "$"),
    (' ', " "),
    ('\t', "\t"),
    ('\n', "\n"),
    ('\r', "\r"),
    ('\u{1}', "\u{1}"),
    ('\u{7f}', "\u{7f}"),
    ('日', "日"),
    ('😀', "😀"),
];

/// A record of the model: what is compared, in plain types.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) id: u128,
    pub(super) name: Option<String>,
    pub(super) city: Option<String>,
    pub(super) employees: Option<i32>,
    pub(super) rate: Option<i32>,
    pub(super) phone: Option<bool>,
    pub(super) industry: Option<i32>,
    pub(super) modified: Option<i64>,
    pub(super) verified: Option<i64>,
    pub(super) contact: Option<u128>,
}

/// A condition of the model.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
    /// A comparison: the field, the operator and the literal.
    Compare(Field, &'static str, Plain),
    /// A function, the field and the part.
    Part(&'static str, Field, String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Field {
    Id,
    Name,
    City,
    Employees,
    Rate,
    Phone,
    Industry,
    Modified,
    Verified,
    Contact,
}

/// A value in a form that is written and compared simply.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plain {
    Null,
    Text(String),
    /// Also options, tenths of decimals, seconds of times.
    Number(i64),
    Yes(bool),
    Id(u128),
}

impl Field {
    pub(super) const ALL: [Field; 10] = [
        Field::Id,
        Field::Name,
        Field::City,
        Field::Employees,
        Field::Rate,
        Field::Phone,
        Field::Industry,
        Field::Modified,
        Field::Verified,
        Field::Contact,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Field::Id => "AccountId",
            Field::Name => "Name",
            Field::City => "Address1_City",
            Field::Employees => "NumberOfEmployees",
            Field::Rate => "ExchangeRate",
            Field::Phone => "DoNotPhone",
            Field::Industry => "IndustryCode/Value",
            Field::Modified => "ModifiedOn",
            Field::Verified => "optevia_LastVerified",
            Field::Contact => "PrimaryContactId/Id",
        }
    }

    pub(super) fn of(self, row: &Row) -> Plain {
        let number = |number: Option<i64>| number.map_or(Plain::Null, Plain::Number);
        let text = |text: &Option<String>| text.clone().map_or(Plain::Null, Plain::Text);
        match self {
            Field::Id => Plain::Id(row.id),
            Field::Name => text(&row.name),
            Field::City => text(&row.city),
            Field::Employees => number(row.employees.map(i64::from)),
            Field::Rate => number(row.rate.map(i64::from)),
            Field::Phone => row.phone.map_or(Plain::Null, Plain::Yes),
            Field::Industry => number(row.industry.map(i64::from)),
            Field::Modified => number(row.modified),
            Field::Verified => number(row.verified),
            Field::Contact => row.contact.map_or(Plain::Null, Plain::Id),
        }
    }

    /// A literal as a filter writes it.
    pub(super) fn written(self, value: &Plain) -> String {
        match (self, value) {
            (_, Plain::Null) => "null".to_owned(),
            (_, Plain::Text(text)) => format!("'{}'", text.replace('\'', "''")),
            (_, Plain::Yes(yes)) => yes.to_string(),
            (_, Plain::Id(id)) => format!("guid'{}'", Uuid::from_u128(*id)),
            (Field::Rate, Plain::Number(tenths)) => format!("{}M", Decimal::new(*tenths, 1)),
            (Field::Modified | Field::Verified, Plain::Number(second)) => {
                format!("datetime'1970-01-01T00:{:02}:{:02}Z'", second / 60, second % 60)
            }
            (_, Plain::Number(number)) => number.to_string(),
        }
    }
}

fn text(rng: &mut Rng) -> String {
    (0..rng.usize(0..4)).map(|_| CHARS[rng.usize(..CHARS.len())].0).collect()
}

/// What the database takes a text for.
fn folded(text: &str) -> String {
    text.chars().map(|char| CHARS.iter().find(|(known, _)| *known == char).unwrap().1).collect()
}

pub(super) fn compared(one: &Plain, other: &Plain) -> Option<Ordering> {
    match (one, other) {
        (Plain::Text(one), Plain::Text(other)) => {
            let plain = |text: &str| folded(text.trim_end_matches(' '));
            Some(plain(one).cmp(&plain(other)))
        }
        (Plain::Number(one), Plain::Number(other)) => Some(one.cmp(other)),
        (Plain::Yes(one), Plain::Yes(other)) => Some(one.cmp(other)),
        (Plain::Id(one), Plain::Id(other)) => Some(one.cmp(other)),
        (Plain::Null, Plain::Null) => Some(Ordering::Equal),
        (Plain::Null, _) => Some(Ordering::Less),
        (_, Plain::Null) => Some(Ordering::Greater),
        _ => None,
    }
}

impl Tree {
    pub(super) fn random(rng: &mut Rng, rows: &[Row], depth: usize) -> Tree {
        let parts = |rng: &mut Rng| (0..rng.usize(2..4)).map(|_| Tree::random(rng, rows, depth - 1)).collect();
        match rng.usize(0..if depth == 0 { 3 } else { 6 }) {
            3 => Tree::And(parts(rng)),
            4 => Tree::Or(parts(rng)),
            5 => Tree::Not(Tree::random(rng, rows, depth - 1).into()),
            0 => {
                let field = if rng.bool() { Field::Name } else { Field::City };
                let function = ["substringof", "startswith", "endswith"][rng.usize(..3)];
                let whole = match field.of(&rows[rng.usize(..rows.len())]) {
                    Plain::Text(text) if rng.bool() => text,
                    _ => text(rng),
                };
                let chars: Vec<char> = whole.chars().collect();
                let from = rng.usize(..=chars.len());
                Tree::Part(function, field, chars[from..].iter().collect())
            }
            _ => {
                let field = Field::ALL[rng.usize(..Field::ALL.len())];
                // Often a value that a record has, so that something is found.
                let value = match rng.usize(..8) {
                    0 => Plain::Null,
                    1 if matches!(field, Field::Name | Field::City) => Plain::Text(text(rng)),
                    _ => field.of(&rows[rng.usize(..rows.len())]),
                };
                let has_size = !matches!(field, Field::Id | Field::Phone | Field::Contact) && value != Plain::Null;
                let operators = ["eq", "ne", "gt", "ge", "lt", "le"];
                Tree::Compare(field, operators[rng.usize(..if has_size { 6 } else { 2 })], value)
            }
        }
    }

    pub(super) fn written(&self, rng: &mut Rng) -> String {
        let joined = |parts: &[Tree], word: &str, rng: &mut Rng| {
            let parts: Vec<_> = parts.iter().map(|part| part.written(rng)).collect();
            format!("({})", parts.join(word))
        };
        match self {
            Tree::And(parts) => joined(parts, " and ", rng),
            Tree::Or(parts) => joined(parts, " or ", rng),
            Tree::Not(part) => format!("not ({})", part.written(rng)),
            Tree::Compare(field, operator, value) => {
                let blank = if rng.bool() { " " } else { "  " };
                format!("{}{blank}{operator} {}", field.name(), field.written(value))
            }
            Tree::Part("substringof", field, part) => {
                format!("substringof({},{})", Field::Name.written(&Plain::Text(part.clone())), field.name())
            }
            Tree::Part(function, field, part) => {
                format!("{function}({}, {})", field.name(), Field::Name.written(&Plain::Text(part.clone())))
            }
        }
    }

    /// Whether the condition holds, and whether its opposite does: for null, both may be false.
    pub(super) fn holds(&self, row: &Row) -> (bool, bool) {
        match self {
            Tree::And(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| part.holds(row)).collect();
                (parts.iter().all(|part| part.0), parts.iter().any(|part| part.1))
            }
            Tree::Or(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| part.holds(row)).collect();
                (parts.iter().any(|part| part.0), parts.iter().all(|part| part.1))
            }
            Tree::Not(part) => {
                let (holds, opposite) = part.holds(row);
                (opposite, holds)
            }
            Tree::Compare(field, operator, value) => {
                let found = field.of(row);
                if (found == Plain::Null || *value == Plain::Null) && !matches!(*operator, "eq" | "ne") {
                    return (false, false);
                }
                let order = compared(&found, value).unwrap();
                let holds = match *operator {
                    "eq" => order.is_eq(),
                    "ne" => order.is_ne(),
                    "gt" => order.is_gt(),
                    "ge" => order.is_ge(),
                    "lt" => order.is_lt(),
                    _ => order.is_le(),
                };
                (holds, !holds)
            }
            Tree::Part(function, field, part) => {
                let Plain::Text(found) = field.of(row) else { return (false, true) };
                let (found, part) = (folded(&found), folded(part));
                let holds = match *function {
                    "substringof" => found.contains(&part),
                    "startswith" => found.starts_with(&part),
                    _ => found.ends_with(&part),
                };
                (holds, !holds)
            }
        }
    }
}

pub(super) fn random_row(rng: &mut Rng, id: u128) -> Row {
    let name = text(rng);
    let city = text(rng);
    let mut some = |share: f64| rng.f64() < share;
    let (a, b, c, d, e, f) = (some(0.8), some(0.7), some(0.7), some(0.7), some(0.8), some(0.5));
    Row {
        id,
        name: Some(name).filter(|name| !name.is_empty()),
        city: Some(city).filter(|city| !city.is_empty()),
        employees: a.then(|| rng.i32(-2..3)),
        rate: b.then(|| rng.i32(1..20)),
        phone: c.then(|| rng.bool()),
        industry: d.then(|| rng.i32(1..4)),
        modified: e.then(|| rng.i64(0..6)),
        verified: e.then(|| rng.i64(0..200)),
        contact: f.then(|| rng.u128(500..503)),
    }
}
