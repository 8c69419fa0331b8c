//! Values of columns, how each database writes them, and what a conversion must make of them: written again from the
//! documentation, so that a mistake in the conversions' SQL is not repeated here.

use cdms_odata::Kind;
use datahub_model::schema::{Database, SnapshotColumn};
use fastrand::Rng;

/// A value that is not null.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Val {
    Text(String),
    /// An integer, a number of units, or an option.
    Int(i64),
    Double(f64),
    Bool(bool),
    /// The year, the month and the day.
    Date(u32, u32, u32),
    Guid(u128),
    /// Seconds since 1970.
    Instant(i64),
}

pub(crate) fn random(rng: &mut Rng, column: &SnapshotColumn) -> Val {
    let number = |rng: &mut Rng| if rng.u8(..4) == 0 { rng.i64(-2_000_000_000..2_000_000_000) } else { rng.i64(-3..4) };
    match column.kind {
        Kind::String => Val::Text(match rng.u8(..8) {
            0 => "it's; \"so\" -- $$".to_owned(),
            1 => String::new(),
            2 => number(rng).to_string(),
            3 => ["true", "false", "2026-02-28", "2026-02-30", "-0", "01", "99999999999"][rng.usize(..7)].to_owned(),
            4 => guid_text(rng.u128(..)),
            _ => format!("text {}", rng.u8(..)),
        }),
        Kind::Integer | Kind::Choice | Kind::State | Kind::Status => Val::Int(number(rng)),
        Kind::BigInt | Kind::Decimal | Kind::Money if rng.u8(..6) == 0 => {
            Val::Int([i64::MAX, i64::MIN + 1, 9_000_000_000, 120_000][rng.usize(..4)])
        }
        Kind::BigInt => Val::Int(number(rng)),
        Kind::Decimal | Kind::Money => {
            let places = if column.kind == Kind::Money { 4 } else { column.scale.unwrap() };
            Val::Int(rng.i64(-300..300) * if rng.bool() { 10_i64.pow(places) } else { 1 })
        }
        Kind::Double => Val::Double(f64::from(rng.i32(-100..100)) / 4.0),
        Kind::Boolean => Val::Bool(rng.bool()),
        Kind::DateTime => Val::Instant(rng.i64(-1_000_000_000..2_000_000_000)),
        Kind::Date => Val::Date(rng.u32(1753..2100), rng.u32(1..13), rng.u32(1..29)),
        Kind::Guid | Kind::Lookup => Val::Guid(rng.u128(..)),
    }
}

fn guid_text(guid: u128) -> String {
    let hex = format!("{guid:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The value as SQL.
pub(crate) fn sql(database: Database, value: Option<&Val>) -> String {
    let is_sqlite = database == Database::Sqlite;
    let Some(value) = value else { return "NULL".to_owned() };
    match value {
        Val::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Val::Int(number) => number.to_string(),
        Val::Double(number) => format!("{number:?}"),
        Val::Bool(value) => value.to_string().to_uppercase(),
        Val::Date(year, month, day) if is_sqlite => format!("'{year:04}-{month:02}-{day:02}'"),
        Val::Date(year, month, day) => format!("DATE '{year:04}-{month:02}-{day:02}'"),
        Val::Guid(guid) if is_sqlite => format!("X'{guid:032x}'"),
        Val::Guid(guid) => format!("UUID '{}'", guid_text(*guid)),
        Val::Instant(seconds) if is_sqlite => (seconds * 1_000_000).to_string(),
        Val::Instant(seconds) => format!("(TIMESTAMPTZ 'epoch' + INTERVAL '{seconds} seconds')"),
    }
}

/// What a conversion must make of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expected {
    /// This value.
    Value(Val),
    /// It does not fit, and the migration must refuse.
    Unfit,
    /// The values of the column are given up.
    Lost,
}

pub(crate) fn converted(from: &SnapshotColumn, to: &SnapshotColumn, value: &Val) -> Expected {
    let number = |number: Option<i64>| number.map_or(Expected::Unfit, |number| Expected::Value(Val::Int(number)));
    let text = |text: String| Expected::Value(Val::Text(text));
    let in_32_bits = |number: i64| i32::try_from(number).is_ok();
    match (form(from), form(to), value) {
        (one, other, value) if one == other && places(from) == places(to) => Expected::Value(value.clone()),
        ("integer", "double", Val::Int(value)) => {
            Expected::Value(Val::Double(f64::from(i32::try_from(*value).unwrap())))
        }
        ("integer", "boolean", Val::Int(value @ (0 | 1))) => Expected::Value(Val::Bool(*value == 1)),
        ("integer", "boolean", _) => Expected::Unfit,
        ("boolean", "integer", Val::Bool(value)) => Expected::Value(Val::Int((*value).into())),
        ("integer" | "units", "text", Val::Int(value)) => text(decimal(*value, places(from))),
        ("boolean", "text", Val::Bool(value)) => text(value.to_string()),
        ("date", "text", Val::Date(year, month, day)) => text(format!("{year:04}-{month:02}-{day:02}")),
        ("guid", "text", Val::Guid(guid)) => text(guid_text(*guid)),
        ("integer" | "units", "integer" | "units", Val::Int(value)) => {
            let (before, after) = (places(from), places(to));
            let scaled = if after >= before {
                value.checked_mul(10_i64.pow(after - before))
            } else {
                let divisor = 10_i64.pow(before - after);
                (value % divisor == 0).then(|| value / divisor)
            };
            number(scaled.filter(|scaled| form(to) == "units" || in_32_bits(*scaled)))
        }
        ("text", "integer", Val::Text(text)) => {
            number(text.parse().ok().filter(|number: &i64| number.to_string() == *text && in_32_bits(*number)))
        }
        ("text", "units", Val::Text(text)) if places(to) == 0 => {
            number(text.parse().ok().filter(|number: &i64| number.to_string() == *text))
        }
        ("text", "boolean", Val::Text(text)) => {
            text.parse().map_or(Expected::Unfit, |value| Expected::Value(Val::Bool(value)))
        }
        ("text", "date", Val::Text(text)) => match text.as_str() {
            "2026-02-28" => Expected::Value(Val::Date(2026, 2, 28)),
            // No other text of these tests is a date.
            _ => Expected::Unfit,
        },
        ("text", "guid", Val::Text(text)) => {
            let guid = u128::from_str_radix(&text.replace('-', ""), 16).ok().filter(|guid| guid_text(*guid) == *text);
            guid.map_or(Expected::Unfit, |guid| Expected::Value(Val::Guid(guid)))
        }
        _ => Expected::Lost,
    }
}

/// A number of units of the last of some decimal places.
fn decimal(units: i64, places: u32) -> String {
    let (sign, digits) = (if units < 0 { "-" } else { "" }, units.unsigned_abs().to_string());
    if places == 0 {
        return format!("{sign}{digits}");
    }
    let digits = format!("{digits:0>width$}", width = places as usize + 1);
    let (whole, rest) = digits.split_at(digits.len() - places as usize);
    format!("{sign}{whole}.{rest}")
}

fn places(column: &SnapshotColumn) -> u32 {
    match column.kind {
        Kind::Money => 4,
        Kind::Decimal => column.scale.unwrap(),
        _ => 0,
    }
}

fn form(column: &SnapshotColumn) -> &'static str {
    match column.kind {
        Kind::String => "text",
        Kind::Integer | Kind::Choice | Kind::State | Kind::Status => "integer",
        Kind::BigInt | Kind::Decimal | Kind::Money => "units",
        Kind::Double => "double",
        Kind::Boolean => "boolean",
        Kind::Date => "date",
        Kind::Guid | Kind::Lookup => "guid",
        Kind::DateTime => "instant",
    }
}
