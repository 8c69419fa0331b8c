//! Whether and how the values of a column become values of another kind, as SQL.

use cdms_odata::{Kind, MONEY_SCALE};
use datahub_model::schema::{Database, SnapshotColumn};

/// How values of one kind become values of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// They are stored in the same way.
    Same,
    /// Every value has a counterpart.
    Total,
    /// A value may have none; then the migration refuses.
    Partial,
    /// No value has one.
    None,
}

/// The SQL of a conversion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Converted {
    /// The converted value, for a value that fits.
    pub(crate) value: String,
    /// A condition that holds for values that fit; `None`: all do. It is never null for a value that is not null.
    pub(crate) fits: Option<String>,
}

/// How the values of a kind are stored, as far as conversions care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    /// A 32-bit integer.
    Integer,
    /// A 64-bit integer in units of the last of this number of decimal places.
    Units(u32),
    Double,
    Boolean,
    Date,
    Guid,
    Instant,
}

impl Form {
    fn of(column: &SnapshotColumn) -> Self {
        match column.kind {
            Kind::String => Form::Text,
            Kind::Integer | Kind::Choice | Kind::State | Kind::Status => Form::Integer,
            Kind::BigInt => Form::Units(0),
            Kind::Decimal => Form::Units(column.scale.unwrap_or_default()),
            Kind::Money => Form::Units(MONEY_SCALE),
            Kind::Double => Form::Double,
            Kind::Boolean => Form::Boolean,
            Kind::Date => Form::Date,
            Kind::Guid | Kind::Lookup => Form::Guid,
            Kind::DateTime => Form::Instant,
        }
    }
}

impl Conversion {
    /// How the values of a column become those of another.
    pub fn between(from: &SnapshotColumn, to: &SnapshotColumn) -> Self {
        if Form::of(from) == Form::of(to) {
            return Conversion::Same;
        }
        match sql(Database::Sqlite, from, to, "x") {
            None => Conversion::None,
            Some(Converted { fits: None, .. }) => Conversion::Total,
            Some(Converted { fits: Some(_), .. }) => Conversion::Partial,
        }
    }
}

/// The SQL that converts the values of a column, which are written as `x`, to those of another; `None` if no value has a
/// counterpart.
pub(crate) fn sql(database: Database, from: &SnapshotColumn, to: &SnapshotColumn, x: &str) -> Option<Converted> {
    let sqlite = database == Database::Sqlite;
    let total = |value: String| Some(Converted { value, fits: None });
    let partial = |value: String, fits: String| Some(Converted { value, fits: Some(fits) });
    let cast = |ty: &str| format!("CAST({x} AS {ty})");
    match (Form::of(from), Form::of(to)) {
        (one, other) if one == other => total(x.to_owned()),
        (Form::Integer, Form::Units(scale)) => total(times(&cast("BIGINT"), scale)),
        (Form::Units(scale), Form::Integer) => {
            let (low, high) = (i64::from(i32::MIN), i64::from(i32::MAX));
            let whole = whole(x, scale);
            partial(
                format!("CAST({} AS INTEGER)", divided(x, scale)),
                format!("{whole}{} BETWEEN {low} AND {high}", divided(x, scale)),
            )
        }
        (Form::Units(one), Form::Units(other)) if one > other => {
            let fewer = one - other;
            partial(divided(x, fewer), format!("{x} % {} = 0", power(fewer)))
        }
        (Form::Units(one), Form::Units(other)) => {
            let more = other - one;
            let limit = i64::MAX / power(more);
            partial(times(x, more), format!("{x} BETWEEN -{limit} AND {limit}"))
        }
        (Form::Integer, Form::Double) => total(cast("DOUBLE PRECISION")),
        (Form::Boolean, Form::Integer) => total(cast("INTEGER")),
        (Form::Integer, Form::Boolean) => {
            let value = if sqlite { x.to_owned() } else { format!("({x} = 1)") };
            partial(value, format!("{x} IN (0, 1)"))
        }
        (Form::Integer | Form::Units(0), Form::Text) => total(cast("TEXT")),
        (Form::Units(scale), Form::Text) => total(decimal_text(database, x, scale)),
        (Form::Boolean, Form::Text) => total(format!("CASE WHEN {x} THEN 'true' ELSE 'false' END")),
        (Form::Text, Form::Boolean) => partial(format!("({x} = 'true')"), format!("{x} IN ('true', 'false')")),
        (Form::Date, Form::Text) => total(if sqlite { x.to_owned() } else { format!("to_char({x}, 'YYYY-MM-DD')") }),
        (Form::Text, Form::Date) if sqlite => partial(x.to_owned(), format!("date({x}) IS {x}")),
        (Form::Text, Form::Date) => {
            let day = format!("(CAST(substr({x}, 1, 8) || '01' AS DATE) + (CAST(substr({x}, 9, 2) AS INTEGER) - 1))");
            let form = format!("{x} ~ '^[0-9]{{4}}-(0[1-9]|1[0-2])-[0-3][0-9]$' AND {x} >= '0001'");
            let fits = format!("CASE WHEN {form} THEN to_char({day}, 'YYYY-MM-DD') = {x} ELSE false END");
            partial(day, fits)
        }
        (Form::Guid, Form::Text) if sqlite => {
            let part = |from: u8, length: u8| format!("substr(lower(hex({x})), {from}, {length})");
            let parts = [part(1, 8), part(9, 4), part(13, 4), part(17, 4), part(21, 12)];
            total(parts.join(" || '-' || "))
        }
        (Form::Guid, Form::Text) => total(cast("TEXT")),
        (Form::Text, Form::Guid) => {
            let group = |length: usize| "[0-9a-f]".repeat(length);
            let form = [8, 4, 4, 4, 12].map(group).join("-");
            if sqlite {
                partial(format!("unhex(replace({x}, '-', ''))"), format!("{x} GLOB '{form}'"))
            } else {
                partial(cast("UUID"), format!("{x} ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$'"))
            }
        }
        (Form::Text, Form::Integer) => {
            let fits = whole_number(database, x, 10, (i64::from(i32::MIN), i64::from(i32::MAX)));
            partial(cast("INTEGER"), fits)
        }
        (Form::Text, Form::Units(0)) => partial(cast("BIGINT"), whole_number(database, x, 18, (i64::MIN, i64::MAX))),
        _ => None,
    }
}

fn power(places: u32) -> i64 {
    10_i64.pow(places)
}

fn times(x: &str, places: u32) -> String {
    if places == 0 { x.to_owned() } else { format!("({x} * {})", power(places)) }
}

fn divided(x: &str, places: u32) -> String {
    if places == 0 { x.to_owned() } else { format!("({x} / {})", power(places)) }
}

/// The beginning of a condition: that nothing follows the decimal point.
fn whole(x: &str, scale: u32) -> String {
    if scale == 0 { String::new() } else { format!("{x} % {} = 0 AND ", power(scale)) }
}

/// A decimal in units of its last place, with a point before these places.
fn decimal_text(database: Database, x: &str, scale: u32) -> String {
    let rest = format!("abs({x} % {})", power(scale));
    let rest = match database {
        Database::Sqlite => format!("printf('%0{scale}d', {rest})"),
        Database::Postgres => format!("lpad(CAST({rest} AS TEXT), {scale}, '0')"),
    };
    let whole = format!("CAST(abs({x} / {}) AS TEXT)", power(scale));
    format!("CASE WHEN {x} < 0 THEN '-' ELSE '' END || {whole} || '.' || {rest}")
}

/// Whether text is a whole number as it would be printed, with at most this number of digits and within limits.
fn whole_number(database: Database, x: &str, digits: u8, (low, high): (i64, i64)) -> String {
    match database {
        Database::Sqlite => {
            let number = format!("CAST({x} AS INTEGER)");
            format!(
                "(length({x}) <= {} AND CAST({number} AS TEXT) = {x} AND {number} BETWEEN {low} AND {high})",
                digits + 1
            )
        }
        Database::Postgres => {
            let form = format!("{x} ~ '^(0|-?[1-9][0-9]{{0,{}}})$'", digits - 1);
            if low == i64::MIN {
                return form;
            }
            format!("CASE WHEN {form} THEN CAST({x} AS BIGINT) BETWEEN {low} AND {high} ELSE false END")
        }
    }
}
