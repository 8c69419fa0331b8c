//! SQL statements built from descriptors: text, quoted names and bound values.

use cdms_odata::Instant;
use chrono::NaiveDate;
pub(crate) use datahub_model::schema::ColumnType;
use uuid::Uuid;

#[cfg(feature = "postgres")]
use super::rows::{Bound, Numbered};
use super::rows::{Form, Rows};
use super::sqlite_statement::Placed;

/// One statement. Its text depends only on the model and, on SQLite, on the number of rows, never on values. Where the
/// text is always the same, it is prepared once per connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statement {
    pieces: Vec<Piece>,
    /// Whether it is not kept prepared, whatever its text depends on.
    once: bool,
}

#[derive(Clone, Debug)]
enum Piece {
    Sql(&'static str),
    Name(&'static str),
    Value(Datum),
    Rows(Rows),
}

/// A value to or from the database; `None` is null.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Datum {
    Text(Option<String>),
    Integer(Option<i32>),
    BigInt(Option<i64>),
    Double(Option<f64>),
    Bool(Option<bool>),
    Date(Option<NaiveDate>),
    Guid(Option<Uuid>),
    Instant(Option<Instant>),
}

impl Statement {
    /// The same statement with a prefix, for example one that asks for its plan.
    pub(super) fn after(mut self, words: &'static str) -> Self {
        self.pieces.insert(0, Piece::Sql(words));
        self
    }

    /// One statement that does both, for databases that can write in a subquery.
    pub(super) fn and(self, other: Statement) -> Self {
        let mut both = Statement { pieces: vec![Piece::Sql("WITH first AS (")], once: self.once || other.once };
        both.pieces.extend(self.pieces);
        both.sql(") ");
        both.pieces.extend(other.pieces);
        both
    }

    /// A statement with a `?` for each bound value, in order.
    ///
    /// SQLite looks at bound values that can influence its plan, and recompiles the statement when they change.
    /// Therefore patterns are part of the text, and a limit is written `LIMIT 0 + ?`.
    pub(crate) fn new<const COUNT: usize>(sql: &'static str, values: [Datum; COUNT]) -> Self {
        debug_assert_eq!(sql.matches('?').count(), COUNT, "one value for each ? in {sql}");
        let mut statement = Statement::default();
        statement.push(sql, values);
        statement
    }

    /// An empty statement with room for this many pieces: of SQL, names and values.
    pub(super) fn with_room(pieces: usize) -> Self {
        Statement { pieces: Vec::with_capacity(pieces), once: false }
    }

    /// The same statement, but not kept prepared.
    pub(crate) fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// The text with `$1`, `$2` and so on for the bound values, and the values. Of many rows, each column is one value.
    #[cfg(feature = "postgres")]
    pub(super) fn numbered(&self) -> (String, Vec<Bound<'_>>) {
        let mut text = Numbered::default();
        for piece in &self.pieces {
            match piece {
                Piece::Sql(sql) => text.sql.push_str(sql),
                Piece::Name(name) => push_name(&mut text.sql, name, "\""),
                Piece::Value(value) => text.value(Bound::One(value)),
                Piece::Rows(rows) => rows.number(&mut text),
            }
        }
        (text.sql, text.values)
    }

    /// Whether it is a `SELECT`, which changes no table.
    #[cfg(feature = "postgres")]
    pub(super) fn is_select(&self) -> bool {
        matches!(self.pieces.first(), Some(Piece::Sql(sql)) if sql.starts_with("SELECT "))
    }

    /// All bound values.
    #[cfg(feature = "postgres")]
    pub(super) fn values(&self) -> impl Iterator<Item = &Datum> {
        self.pieces.iter().flat_map(|piece| match piece {
            Piece::Value(value) => std::slice::from_ref(value),
            Piece::Rows(rows) => rows.cells(),
            Piece::Sql(_) | Piece::Name(_) => &[],
        })
    }

    /// Whether to keep it prepared on PostgreSQL.
    ///
    /// How a list is best looked up depends on how long it is and on how full the tables are. A plan that is made for
    /// all lists, perhaps while the tables are empty, would scan them later.
    #[cfg(feature = "postgres")]
    pub(super) fn is_kept(&self) -> bool {
        !self.once && !self.rows().any(|rows| rows.is_looked_up() && !rows.is_one())
    }

    /// The statement as it runs on SQLite, with a parameter for each bound value.
    pub(super) fn placed(&self) -> Placed<'_> {
        let length = |piece: &Piece| match piece {
            Piece::Sql(sql) => sql.len(),
            Piece::Name(name) => name.len() + 2,
            Piece::Value(_) => 0,
            Piece::Rows(rows) => rows.length(),
        };
        let is_kept = !self.once && self.rows().all(Rows::is_one);
        #[cfg(feature = "counts")]
        let is_kept = is_kept || KEEPS_ALL.get();
        let values = self.pieces.iter().filter(|piece| matches!(piece, Piece::Value(_) | Piece::Rows(_))).count();
        let mut text = Placed::new(self.pieces.iter().map(length).sum(), values, is_kept);
        for piece in &self.pieces {
            match piece {
                Piece::Sql(sql) => text.sql.push_str(sql),
                // In other quotation marks than these, a name that SQLite does not know would be a text.
                Piece::Name(name) => push_name(&mut text.sql, name, "`"),
                Piece::Value(value) => text.value(value),
                Piece::Rows(rows) => rows.place(&mut text),
            }
        }
        text
    }

    /// The parts whose text depends on the number of rows.
    fn rows(&self) -> impl Iterator<Item = &Rows> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Rows(rows) => Some(rows),
            _ => None,
        })
    }

    /// Appends SQL with a `?` for each bound value, in order.
    pub(crate) fn push(&mut self, sql: &'static str, values: impl IntoIterator<Item = Datum>) {
        let mut values = values.into_iter();
        for (at, part) in sql.split('?').enumerate() {
            if at > 0
                && let Some(value) = values.next()
            {
                self.value(value);
            }
            self.sql(part);
        }
    }

    /// Appends SQL.
    pub(crate) fn sql(&mut self, sql: &'static str) {
        self.pieces.push(Piece::Sql(sql));
    }

    /// Appends the name of a table or column, quoted.
    pub(crate) fn name(&mut self, name: &'static str) {
        self.pieces.push(Piece::Name(name));
    }

    /// Appends a bound value.
    pub(crate) fn value(&mut self, value: Datum) {
        self.pieces.push(Piece::Value(value));
    }

    /// Appends values as a table with one column, `wanted.column1`, to look them up. There must be at least one.
    pub(crate) fn wanted(&mut self, values: impl IntoIterator<Item = impl Into<Datum>>) {
        self.pieces.push(Piece::Rows(Rows::column(Form::Wanted, values)));
    }

    /// Appends values as a table with one column, `wanted.column1`, in their order, and not to look them up. There must
    /// be at least one.
    pub(crate) fn each(&mut self, values: impl IntoIterator<Item = impl Into<Datum>>) {
        self.pieces.push(Piece::Rows(Rows::column(Form::Each, values)));
    }

    /// Appends the condition that what stands before it is one of these values. There must be at least one.
    pub(crate) fn any(&mut self, values: impl IntoIterator<Item = impl Into<Datum>>) {
        self.pieces.push(Piece::Rows(Rows::column(Form::Any, values)));
    }

    /// Appends the rows that an `INSERT` inserts, in their order. There must be at least one, and all must have the same
    /// columns.
    pub(crate) fn inserted<R: IntoIterator<Item = Datum>>(&mut self, rows: impl IntoIterator<Item = R>) {
        self.pieces.push(Piece::Rows(Rows::of(Form::Inserted, rows)));
    }

    /// Appends something for each item, separated by `, `.
    pub(crate) fn list<I>(&mut self, items: impl IntoIterator<Item = I>, mut each: impl FnMut(&mut Self, I)) {
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                self.sql(", ");
            }
            each(self, item);
        }
    }
}

#[cfg(feature = "counts")]
thread_local! {
    /// Whether this thread keeps every statement prepared, so that SQLite's account of them leaves out none.
    pub(super) static KEEPS_ALL: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Appends a name between the marks by which the database quotes names.
fn push_name(sql: &mut String, name: &str, mark: &'static str) {
    sql.push_str(mark);
    match name.contains(mark) {
        true => sql.push_str(&name.replace(mark, &mark.repeat(2))),
        false => sql.push_str(name),
    }
    sql.push_str(mark);
}

impl From<&str> for Datum {
    fn from(text: &str) -> Self {
        Datum::Text(Some(text.to_owned()))
    }
}

impl From<String> for Datum {
    fn from(text: String) -> Self {
        Datum::Text(Some(text))
    }
}

impl From<Uuid> for Datum {
    fn from(id: Uuid) -> Self {
        Datum::Guid(Some(id))
    }
}

impl From<Instant> for Datum {
    fn from(instant: Instant) -> Self {
        Datum::Instant(Some(instant))
    }
}

impl From<i64> for Datum {
    fn from(number: i64) -> Self {
        Datum::BigInt(Some(number))
    }
}
