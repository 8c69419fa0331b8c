//! A statement as Diesel runs it on SQLite: its text, and the places of its values.
//!
//! Diesel goes through a statement three times, each time it runs, to find the prepared one by the text: the less there
//! is to go through, the better.

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::Untyped;
use diesel::sqlite::Sqlite;

use super::statement::Datum;

/// A statement with its values.
#[derive(Debug)]
pub(super) struct Placed<'s> {
    /// The text without parameters.
    pub(super) sql: String,
    /// The values, each with the place of its parameter in the text.
    values: Vec<(usize, &'s Datum)>,
    is_kept: bool,
}

impl<'s> Placed<'s> {
    /// A statement whose text will have about this length and this many values, and whether it is kept prepared.
    pub(super) fn new(length: usize, values: usize, is_kept: bool) -> Self {
        Placed { sql: String::with_capacity(length), values: Vec::with_capacity(values), is_kept }
    }

    /// Appends a parameter.
    pub(super) fn value(&mut self, value: &'s Datum) {
        self.values.push((self.sql.len(), value));
    }
}

impl QueryFragment<Sqlite> for Placed<'_> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        if !self.is_kept {
            pass.unsafe_to_cache_prepared();
        }
        let mut written = 0;
        for (place, value) in &self.values {
            pass.push_sql(&self.sql[written..*place]);
            value.walk_ast(pass.reborrow())?;
            written = *place;
        }
        pass.push_sql(&self.sql[written..]);
        Ok(())
    }
}

// Without a static id, Diesel caches by the text.
impl QueryId for Placed<'_> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Placed<'_> {
    type SqlType = Untyped;
}
