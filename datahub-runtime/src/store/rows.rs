//! Values of many rows in a statement: in SQLite's text each is a parameter, in PostgreSQL's text each column is one.

use super::sqlite_statement::Placed;
use super::statement::Datum;

/// The values of rows with the same columns, row by row.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    form: Form,
    columns: usize,
    cells: Vec<Datum>,
}

/// What stands in the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The rows that an `INSERT` inserts.
    Inserted,
    /// A table with one column, `wanted.column1`, to look its values up.
    Wanted,
    /// The same table, but its values are not looked up.
    Each,
    /// The condition that what stands before it is one of the values.
    Any,
}

impl Rows {
    /// At least one row.
    pub(super) fn of<R: IntoIterator<Item = Datum>>(form: Form, rows: impl IntoIterator<Item = R>) -> Self {
        let (mut cells, mut columns) = (Vec::new(), 0);
        for row in rows {
            let before = cells.len();
            cells.extend(row);
            debug_assert!(before == 0 || columns == cells.len() - before, "all rows have the same columns");
            columns = cells.len() - before;
        }
        debug_assert!(columns > 0, "there is a row");
        Rows { form, columns, cells }
    }

    /// Rows with one column.
    pub(super) fn column(form: Form, values: impl IntoIterator<Item = impl Into<Datum>>) -> Self {
        Rows { form, columns: 1, cells: values.into_iter().map(Into::into).collect() }
    }

    pub(super) fn is_one(&self) -> bool {
        self.cells.len() == self.columns
    }

    /// All values, row by row.
    #[cfg(feature = "postgres")]
    pub(super) fn cells(&self) -> &[Datum] {
        &self.cells
    }

    /// Whether the database looks the values up in a table.
    #[cfg(feature = "postgres")]
    pub(super) fn is_looked_up(&self) -> bool {
        matches!(self.form, Form::Wanted | Form::Any)
    }

    /// What stands before the rows, what opens and closes each, and what stands after them.
    fn brackets(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self.form {
            Form::Inserted => ("VALUES ", "(", ")", ""),
            Form::Wanted | Form::Each => ("(VALUES ", "(", ")", ") AS wanted"),
            Form::Any => (" IN (", "", "", ")"),
        }
    }

    /// Appends them with a parameter for each value.
    pub(super) fn place<'s>(&'s self, text: &mut Placed<'s>) {
        let (before, open, close, after) = self.brackets();
        text.sql.push_str(before);
        for (at, row) in self.cells.chunks(self.columns.max(1)).enumerate() {
            text.sql.push_str(if at > 0 { ", " } else { "" });
            text.sql.push_str(open);
            for (at, cell) in row.iter().enumerate() {
                text.sql.push_str(if at > 0 { ", " } else { "" });
                text.value(cell);
            }
            text.sql.push_str(close);
        }
        text.sql.push_str(after);
    }

    /// The length of this text, at most.
    pub(super) fn length(&self) -> usize {
        20 + 4 * self.cells.len()
    }
}

#[cfg(feature = "postgres")]
mod numbered {
    use super::*;

    /// A statement's text with numbered parameters.
    #[derive(Default)]
    pub(in super::super) struct Numbered<'s> {
        pub(in super::super) sql: String,
        pub(in super::super) values: Vec<Bound<'s>>,
    }

    /// What is bound to a parameter.
    #[derive(Clone, Debug)]
    pub(in super::super) enum Bound<'s> {
        One(&'s Datum),
        /// An array: one column of all rows, of which there is at least one.
        Column(Vec<&'s Datum>),
    }

    impl<'s> Numbered<'s> {
        /// Appends a parameter.
        pub(in super::super) fn value(&mut self, value: Bound<'s>) {
            self.values.push(value);
            self.sql.push('$');
            self.sql.push_str(&self.values.len().to_string());
        }
    }

    impl Rows {
        /// Appends one row with a parameter for each value, and more with an array for each column, so that the text does
        /// not depend on their number. The text for one row is the one that is best planned.
        pub(in super::super) fn number<'s>(&'s self, text: &mut Numbered<'s>) {
            let places: Vec<_> = (1..=self.columns).map(|number| format!("column{number}")).collect();
            let places = places.join(", ");
            let (before, after) = match self.form {
                _ if self.is_one() => {
                    let (before, open, close, after) = self.brackets();
                    (format!("{before}{open}"), format!("{close}{after}"))
                }
                // The order of the rows is that of the entries of a history.
                Form::Inserted => (
                    format!("SELECT {places} FROM UNNEST("),
                    format!(") WITH ORDINALITY AS given ({places}, place) ORDER BY place"),
                ),
                Form::Wanted | Form::Each => ("UNNEST(".to_owned(), format!(") AS wanted ({places})")),
                Form::Any => (" = ANY(".to_owned(), ")".to_owned()),
            };
            text.sql.push_str(&before);
            for column in 0..self.columns {
                text.sql.push_str(if column > 0 { ", " } else { "" });
                let mut cells = self.cells.iter().skip(column).step_by(self.columns);
                text.value(match cells.next() {
                    Some(only) if self.is_one() => Bound::One(only),
                    first => Bound::Column(first.into_iter().chain(cells).collect()),
                });
            }
            text.sql.push_str(&after);
        }
    }
}

#[cfg(feature = "postgres")]
pub(super) use numbered::{Bound, Numbered};
