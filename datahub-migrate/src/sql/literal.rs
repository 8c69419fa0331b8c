//! Values as SQL.

use cdms_odata::Kind;
use datahub_model::schema::{ColumnSource, SnapshotColumn};

/// Text as SQL.
pub(crate) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The value for rows of a column that lack one, as SQL: its default if that is a literal; otherwise, for a local column,
/// the zero of its kind. `None` if it must come from elsewhere.
pub(crate) fn initial(column: &SnapshotColumn) -> Option<String> {
    match column.default.as_deref() {
        None if column.source == ColumnSource::Local => zero(column.kind),
        None => None,
        Some("of the type") => zero(column.kind),
        Some(written) => literal(column.kind, written),
    }
}

/// The zero of a kind; `None` if it has none.
fn zero(kind: Kind) -> Option<String> {
    let zero = match kind {
        Kind::String => "''",
        Kind::Integer | Kind::BigInt | Kind::Decimal | Kind::Money => "0",
        Kind::Double => "0.0",
        Kind::Boolean => "FALSE",
        Kind::DateTime | Kind::Date | Kind::Guid | Kind::Choice | Kind::State | Kind::Status | Kind::Lookup => {
            return None;
        }
    };
    Some(zero.to_owned())
}

/// A literal of Rust; `None` if the expression is none, or none of this kind.
fn literal(kind: Kind, written: &str) -> Option<String> {
    let plain: String = written.chars().filter(|letter| !matches!(letter, ' ' | '_')).collect();
    match kind {
        Kind::String => unquoted(written).map(|value| text(&value)),
        Kind::Boolean if written == "true" || written == "false" => Some(written.to_uppercase()),
        Kind::Integer => number::<i32>(&plain, &["i32"]),
        Kind::BigInt => number::<i64>(&plain, &["i64"]),
        Kind::Double => {
            let value: f64 = plain.trim_end_matches("f64").parse().ok()?;
            value.is_finite().then(|| format!("{value:?}"))
        }
        _ => None,
    }
}

fn number<T: std::str::FromStr + ToString>(written: &str, suffixes: &[&str]) -> Option<String> {
    let digits = suffixes.iter().find_map(|suffix| written.strip_suffix(suffix)).unwrap_or(written);
    digits.parse::<T>().ok().map(|value| value.to_string())
}

/// The text of a string literal as Rust's `Debug` writes it; `None` for escapes that it would use for what no column should
/// begin with.
fn unquoted(written: &str) -> Option<String> {
    let inside = written.strip_prefix('"')?.strip_suffix('"')?;
    let (mut value, mut letters) = (String::new(), inside.chars());
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            value.push(letter);
            continue;
        }
        value.push(match letters.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            same @ ('"' | '\\' | '\'') => same,
            _ => return None,
        });
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(kind: Kind, default: Option<&str>, source: ColumnSource) -> SnapshotColumn {
        SnapshotColumn {
            name: "c".to_owned(),
            field: "c".to_owned(),
            kind,
            scale: None,
            nullable: false,
            default: default.map(str::to_owned),
            was: None,
            source,
        }
    }

    #[test]
    fn a_default_that_is_a_literal_becomes_sql() {
        for (kind, written, expected) in [
            (Kind::String, r#""it's \"so\"\n""#, Some("'it''s \"so\"\n'")),
            (Kind::String, r#""\u{1}""#, None),
            (Kind::String, "of the type", Some("''")),
            (Kind::Integer, "- 3", Some("-3")),
            (Kind::Integer, "1_000i32", Some("1000")),
            (Kind::Integer, "3_000_000_000", None),
            (Kind::Integer, "LIMIT", None),
            (Kind::BigInt, "3_000_000_000", Some("3000000000")),
            (Kind::Boolean, "true", Some("TRUE")),
            (Kind::Boolean, "is_new ()", None),
            (Kind::Double, "1.5", Some("1.5")),
            (Kind::Double, "f64 :: NAN", None),
            (Kind::Choice, "Rating :: Good", None),
            (Kind::Choice, "of the type", None),
        ] {
            let column = column(kind, Some(written), ColumnSource::Local);
            assert_eq!(initial(&column).as_deref(), expected, "{kind} {written}");
        }
    }

    #[test]
    fn only_a_local_column_begins_with_zero() {
        let local = |kind| initial(&column(kind, None, ColumnSource::Local));
        assert_eq!(local(Kind::Money).as_deref(), Some("0"));
        assert_eq!(local(Kind::DateTime), None);
        let attribute = ColumnSource::Attributes(vec!["Name".to_owned()]);
        assert_eq!(initial(&column(Kind::String, None, attribute)), None);
    }
}
