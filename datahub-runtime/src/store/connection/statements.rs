//! Runs statements on a connection.

use datahub_model::schema::FoundColumn;
use diesel::connection::{Connection as _, LoadConnection as _, SimpleConnection as _};
use diesel::result::Error;

use super::sqlite_rows::{cells, trouble_of_file};
use super::{Connection, Inner};
use crate::store::columns::FromRow;
use crate::store::failure::{Trouble, changed_tables};
use crate::store::row::Cells;
use crate::store::statement::{ColumnType, Statement};

impl Connection {
    /// Runs SQL without values.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Trouble> {
        with_inner!(self, sqlite: connection => connection.batch_execute(sql), postgres: connection => connection.batch(sql))
    }

    /// Runs a statement and returns the number of affected rows.
    pub(crate) fn execute(&mut self, statement: &Statement) -> Result<usize, Trouble> {
        self.execute_about(None, statement)
    }

    /// The same for a statement about the rows of a model's table, which its error names.
    pub(crate) fn execute_in_table(&mut self, table: &'static str, statement: &Statement) -> Result<usize, Trouble> {
        self.execute_about(Some(table), statement)
    }

    fn execute_about(&mut self, table: Option<&'static str>, statement: &Statement) -> Result<usize, Trouble> {
        self.meters.statement();
        match &mut self.inner {
            Inner::Sqlite(connection) => {
                let executed = connection.execute_returning_count(&statement.placed()).map_err(trouble_of_file);
                let executed = executed.map_err(|trouble| self.of_statement(statement, trouble));
                executed.map_err(|trouble| match table {
                    Some(table) => trouble.in_table(table),
                    None => trouble,
                })
            }
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => {
                connection.execute(statement, table).map_err(|problem| self.trouble_of_server(problem))
            }
        }
    }

    /// Runs a statement of which only matters that it succeeds. A server gets it in the round trip of the next statement
    /// whose result is needed, or of the end of the transaction or savepoint, which then fails in its place.
    pub(crate) fn send(&mut self, statement: Statement) -> Result<(), Trouble> {
        self.send_about(None, statement)
    }

    /// The same for a statement about the rows of a model's table, which its error names.
    pub(crate) fn send_in_table(&mut self, table: &'static str, statement: Statement) -> Result<(), Trouble> {
        self.send_about(Some(table), statement)
    }

    fn send_about(&mut self, table: Option<&'static str>, statement: Statement) -> Result<(), Trouble> {
        match &mut self.inner {
            Inner::Sqlite(_) => self.execute_about(table, &statement).map(drop),
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => {
                self.meters.statement();
                connection.send(statement, table).map_err(|problem| self.trouble_of_server(problem))
            }
        }
    }

    /// Checks deferred rules now, if the database can do so: rules about the rows of this table, or those that refer to
    /// them. Like [`send`](Connection::send), for the error of the next statement may be this one's.
    pub(in crate::store) fn send_batch_in_table(
        &mut self,
        table: &'static str,
        sql: &'static str,
    ) -> Result<(), Trouble> {
        match &mut self.inner {
            Inner::Sqlite(connection) => {
                connection.batch_execute(sql).map_err(|error| trouble_of_file(error).in_table(table))
            }
            // An error of a statement that was waiting is about its own table.
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => {
                connection.send_batch(sql, Some(table)).map_err(|problem| self.trouble_of_server(problem))
            }
        }
    }

    /// Waits until all statements have been run.
    pub(crate) fn settle(&mut self) -> Result<(), Trouble> {
        with_inner!(self, sqlite: _connection => Ok(()), postgres: connection => connection.settle())
    }

    /// Counts the round trips to the server since this was last called.
    pub(in crate::store) fn count_round_trips(&mut self) {
        #[cfg(feature = "postgres")]
        if let Inner::Postgres(connection) = &mut self.inner {
            self.meters.round_trips(connection.take_round_trips());
        }
    }

    /// Runs a statement and returns its rows, whose columns have these types.
    pub(crate) fn query(&mut self, statement: &Statement, types: &[ColumnType]) -> Result<Vec<Cells>, Trouble> {
        self.meters.statement();
        self.rows(statement, types)
    }

    /// Runs a statement and reads its rows into a type.
    pub(crate) fn read<R: FromRow>(&mut self, statement: &Statement) -> Result<Vec<R>, Trouble> {
        self.query(statement, R::TYPES)?.iter_mut().map(R::take).collect()
    }

    /// Like [`query`](Connection::query), but for the connection's own statements, which do not count for the operation
    /// that happens to run.
    pub(in crate::store) fn rows(
        &mut self,
        statement: &Statement,
        types: &[ColumnType],
    ) -> Result<Vec<Cells>, Trouble> {
        let result = with_inner!(
            self,
            sqlite: connection => connection.load(statement.placed()).and_then(|rows| {
                rows.map(|row| row.map(|row| cells(&row, types))).collect::<Result<Vec<_>, _>>()
            }),
            postgres: connection => connection.query(statement, types).map(|rows| rows.into_iter().map(Ok).collect()),
        );
        let rows: Vec<Result<Cells, Trouble>> = result.map_err(|trouble| self.of_statement(statement, trouble))?;
        rows.into_iter().collect()
    }

    /// The cause of a failed statement. SQLite uses the same error for messages of triggers and for names that it does
    /// not find when it compiles the statement. To tell them apart, the statement is compiled again.
    fn of_statement(&mut self, statement: &Statement, trouble: Trouble) -> Trouble {
        let (connection, reason) = match (&mut self.inner, trouble) {
            (Inner::Sqlite(connection), Trouble::Other(reason)) => (connection, reason),
            (_, trouble) => return trouble,
        };
        let compiled = connection.load(statement.clone().after("EXPLAIN ").placed()).map(drop);
        if compiled.is_ok() { Trouble::Other(reason) } else { changed_tables(&reason) }
    }

    /// The columns of a table; empty if the table does not exist.
    pub(crate) fn columns_of(&mut self, table: &str) -> Result<Vec<FoundColumn>, Trouble> {
        let types = [ColumnType::Text, ColumnType::Text, ColumnType::Bool, ColumnType::Bool, ColumnType::Bool];
        let rows = self.query(&Statement::new(self.dialect.columns_of, [table.into()]), &types)?;
        let found = rows.into_iter().map(|mut row| {
            Ok(FoundColumn {
                name: row.text()?,
                declared: row.text()?,
                not_null: row.flag()?,
                has_default: row.flag()?,
                in_key: row.flag()?,
            })
        });
        found.collect()
    }

    /// The results of a handwritten statement that returns one text column.
    pub(crate) fn texts(&mut self, sql: &str) -> Result<Vec<String>, Trouble> {
        let result = with_inner!(
            self,
            sqlite: connection => connection.load(diesel::sql_query(sql)).and_then(|rows| {
                rows.map(|row| row.map(|row| cells(&row, &[ColumnType::Text]).and_then(|mut row| row.text())))
                    .collect::<Result<Vec<_>, _>>()
            }),
            postgres: connection => connection.texts(sql).map(|texts| texts.into_iter().map(Ok).collect()),
        );
        result?.into_iter().collect()
    }
}
