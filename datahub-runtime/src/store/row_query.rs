//! Queries of a model's rows: which of them satisfy a condition, in which order. Names are quoted and values bound.

use cdms_odata::{Kind, Value};
use datahub_model::filter::{CalendarPart, Comparison, Matching};
use datahub_model::schema::Database;
use datahub_model::{Column, ModelDescriptor};
use uuid::Uuid;

use super::connection::Connection;
use super::epochs;
use super::failure::Trouble;
use super::model_table::key;
use super::row::datum;
use super::row_filter::RowFilter;
use super::statement::{Datum, Statement};

/// Which rows of a model, and in which order.
#[derive(Clone, Debug)]
pub(crate) struct RowQuery {
    pub(crate) model: &'static ModelDescriptor,
    pub(crate) filter: RowFilter,
    /// The columns that they are ordered by, and whether the largest value comes first. In the end they are ordered by key.
    /// Null comes before everything else.
    pub(crate) order: Vec<(&'static Column, bool)>,
    /// The row behind which to begin: its values of these columns, and its key.
    pub(crate) after: Option<(Vec<Value>, Uuid)>,
    pub(crate) limit: Option<i64>,
}

/// The ids of the rows, in order.
pub(crate) fn ids(connection: &mut Connection, query: &RowQuery) -> Result<Vec<Uuid>, Trouble> {
    let mut sql = Sql::new(connection)?;
    sql.sql("SELECT ");
    sql.column(0, key(query.model));
    sql.sql(" FROM ");
    sql.table(0, query.model);
    sql.sql(" WHERE ");
    sql.filter(0, &query.filter)?;
    if let Some((values, id)) = &query.after {
        sql.sql(" AND (");
        sql.behind(&query.order, values, key(query.model), *id)?;
        sql.sql(")");
    }
    sql.sql(" ORDER BY ");
    for (column, is_descending) in &query.order {
        let (first, second) =
            if *is_descending { (" IS NOT NULL DESC, ", " DESC, ") } else { (" IS NOT NULL, ", ", ") };
        sql.column(0, column);
        sql.sql(first);
        sql.ordered(column);
        sql.sql(second);
    }
    sql.column(0, key(query.model));
    if let Some(limit) = query.limit {
        sql.statement.push(" LIMIT 0 + ?", [limit.into()]);
    }
    let statement = sql.statement.once();
    connection.read(&statement).map_err(|trouble| epochs::cause(connection, query.model, trouble))
}

/// How many rows there are.
pub(crate) fn count(connection: &mut Connection, query: &RowQuery) -> Result<i64, Trouble> {
    let mut sql = Sql::new(connection)?;
    sql.sql("SELECT count(*) FROM ");
    sql.table(0, query.model);
    sql.sql(" WHERE ");
    sql.filter(0, &query.filter)?;
    let statement = sql.statement.once();
    let counts = connection.read::<i64>(&statement);
    let counts = counts.map_err(|trouble| epochs::cause(connection, query.model, trouble))?;
    counts.first().copied().ok_or_else(|| Trouble::Corrupt("a count returned no row".to_owned()))
}

/// The names of tables within a statement: the model's, and those of the records that lookups point to.
const ALIASES: [&str; 8] = ["row_0", "row_1", "row_2", "row_3", "row_4", "row_5", "row_6", "row_7"];

/// A statement that is being written.
struct Sql {
    statement: Statement,
    database: Database,
    has_unicode: bool,
}

impl Sql {
    fn new(connection: &mut Connection) -> Result<Self, Trouble> {
        let (statement, database) = (Statement::default(), connection.dialect().database);
        Ok(Sql { statement, database, has_unicode: connection.has_unicode()? })
    }

    fn sql(&mut self, sql: &'static str) {
        self.statement.sql(sql);
    }

    /// Ends a text that is lowered. Without Unicode's collation, the server's own one decides which letters are the same.
    fn lowers(&self) -> &'static str {
        if self.has_unicode { " COLLATE \"und-x-icu\")" } else { ")" }
    }

    fn on(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self.database {
            Database::Sqlite => sqlite,
            Database::Postgres => postgres,
        }
    }

    fn table(&mut self, depth: usize, model: &'static ModelDescriptor) {
        self.statement.name(model.table);
        self.sql(" AS ");
        self.sql(ALIASES[depth]);
    }

    fn column(&mut self, depth: usize, column: &Column) {
        self.sql(ALIASES[depth]);
        self.sql(".");
        self.statement.name(column.name);
    }

    /// What a column is compared by: a text without case and trailing spaces, by its characters' numbers.
    fn compared_by(&mut self, column: &Column, value: impl FnOnce(&mut Self)) {
        if column.kind != Kind::String {
            return value(self);
        }
        self.sql(self.on("datahub_folded(", "(lower(rtrim("));
        value(self);
        self.sql(")");
        if self.database == Database::Postgres {
            self.sql(self.lowers());
            self.sql(" COLLATE \"C\")");
        }
    }

    fn ordered(&mut self, column: &Column) {
        self.compared_by(column, |sql| sql.column(0, column));
    }

    /// A text without case.
    fn lowered(&mut self, text: impl FnOnce(&mut Self)) {
        self.sql(self.on("datahub_lowered(", "lower("));
        text(self);
        self.sql(self.lowers());
    }

    fn filter(&mut self, depth: usize, filter: &RowFilter) -> Result<(), Trouble> {
        match filter {
            RowFilter::Fixed(fixed) => self.truth(*fixed),
            RowFilter::IsNull(column) => {
                self.column(depth, column);
                self.sql(" IS NULL");
            }
            RowFilter::Compare { column, operator, value, of_null } => {
                self.sql("coalesce(");
                self.compared_by(column, |sql| sql.column(depth, column));
                self.sql(symbol(*operator));
                self.compared_by(column, |sql| sql.statement.value(value.clone()));
                self.or_of_null(*of_null);
            }
            RowFilter::Text { column, matching, text } => {
                self.sql("coalesce(");
                self.matched(depth, column, *matching, text);
                self.or_of_null(false);
            }
            RowFilter::Part { column, part, operator, value, of_null } => {
                self.sql("coalesce(CAST(");
                self.part(depth, column, *part);
                self.sql(" AS INTEGER)");
                self.sql(symbol(*operator));
                self.statement.value(Datum::Integer(Some(*value)));
                self.or_of_null(*of_null);
            }
            RowFilter::Related { column, model, filter } => {
                let inner = depth + 1;
                if inner >= ALIASES.len() {
                    let most = ALIASES.len() - 1;
                    return Err(Trouble::Refused(format!("a condition can follow {most} lookups in a row at most")));
                }
                self.sql("EXISTS (SELECT 1 FROM ");
                self.table(inner, model);
                self.sql(" WHERE ");
                self.points_to(depth, column, model);
                self.sql(" AND ");
                self.filter(inner, filter)?;
                self.sql(")");
            }
            RowFilter::All(parts) => self.joined(depth, parts, " AND ", true)?,
            RowFilter::Any(parts) => self.joined(depth, parts, " OR ", false)?,
            RowFilter::Not(part) => {
                self.sql("NOT (");
                self.filter(depth, part)?;
                self.sql(")");
            }
        }
        Ok(())
    }

    /// Joins conditions by halves: SQLite refuses an expression that is 1,000 levels deep, and one after the other, each
    /// would be a level.
    fn joined(&mut self, depth: usize, parts: &[RowFilter], word: &'static str, of_none: bool) -> Result<(), Trouble> {
        match parts {
            [] => self.truth(of_none),
            [part] => self.filter(depth, part)?,
            _ => {
                let (first, rest) = parts.split_at(parts.len() / 2);
                self.sql("(");
                self.joined(depth, first, word, of_none)?;
                self.sql(word);
                self.joined(depth, rest, word, of_none)?;
                self.sql(")");
            }
        }
        Ok(())
    }

    fn truth(&mut self, truth: bool) {
        self.sql(if truth { "TRUE" } else { "FALSE" });
    }

    /// Ends a comparison with what holds if the column is null.
    fn or_of_null(&mut self, of_null: bool) {
        self.sql(if of_null { ", TRUE)" } else { ", FALSE)" });
    }

    /// Whether a text contains another one. Patterns would give signs in it another meaning.
    fn matched(&mut self, depth: usize, column: &'static Column, matching: Matching, text: &str) {
        let row = |sql: &mut Self| sql.lowered(|sql| sql.column(depth, column));
        let wanted = |sql: &mut Self| sql.lowered(|sql| sql.statement.value(text.into()));
        match matching {
            Matching::Contains => {
                self.sql(self.on("instr(", "strpos("));
                row(self);
                self.sql(", ");
                wanted(self);
                self.sql(") > 0");
            }
            Matching::StartsWith => {
                self.sql("substr(");
                row(self);
                self.sql(", 1, length(");
                wanted(self);
                self.sql(")) = ");
                wanted(self);
            }
            Matching::EndsWith => {
                self.sql("(length(");
                row(self);
                self.sql(") >= length(");
                wanted(self);
                self.sql(") AND substr(");
                row(self);
                self.sql(", length(");
                row(self);
                self.sql(") - length(");
                wanted(self);
                self.sql(") + 1) = ");
                wanted(self);
                self.sql(")");
            }
        }
    }

    /// A part of a time in UTC, or of a date.
    fn part(&mut self, depth: usize, column: &'static Column, part: CalendarPart) {
        let is_date = column.kind == Kind::Date;
        self.sql(match (self.database, part) {
            (Database::Sqlite, CalendarPart::Year) => "strftime('%Y', ",
            (Database::Sqlite, CalendarPart::Month) => "strftime('%m', ",
            (Database::Sqlite, CalendarPart::Day) => "strftime('%d', ",
            (Database::Sqlite, CalendarPart::Hour) => "strftime('%H', ",
            (Database::Sqlite, CalendarPart::Minute) => "strftime('%M', ",
            (Database::Postgres, CalendarPart::Year) => "extract(year from ",
            (Database::Postgres, CalendarPart::Month) => "extract(month from ",
            (Database::Postgres, CalendarPart::Day) => "extract(day from ",
            (Database::Postgres, CalendarPart::Hour) => "extract(hour from ",
            (Database::Postgres, CalendarPart::Minute) => "extract(minute from ",
        });
        self.column(depth, column);
        // SQLite stores times in microseconds.
        let of_time = self.on(" / 1000000.0, 'unixepoch')", " AT TIME ZONE 'UTC')");
        self.sql(if is_date { ")" } else { of_time });
    }

    /// The column of the row points to the row of a model one level deeper.
    fn points_to(&mut self, depth: usize, column: &'static Column, model: &'static ModelDescriptor) {
        self.column(depth, column);
        self.sql(" = ");
        if column.kind == Kind::String {
            // A reference to one of several entities is the logical name, a space and the GUID.
            self.statement.value(format!("{} ", model.entity.logical).into());
            self.sql(self.on(" || datahub_guid(", " || ("));
            self.column(depth + 1, key(model));
            self.sql(self.on(")", ")::text"));
        } else {
            self.column(depth + 1, key(model));
        }
    }

    /// The row comes behind one with these values and this key.
    fn behind(
        &mut self,
        order: &[(&'static Column, bool)],
        values: &[Value],
        key: &'static Column,
        id: Uuid,
    ) -> Result<(), Trouble> {
        for ((column, is_descending), value) in order.iter().zip(values) {
            let stored = datum(column, value).map_err(|fault| Trouble::Refused(fault.to_string()))?;
            let (is_null, bound) = (is_null(&stored), stored);
            let operator = if *is_descending { " < " } else { " > " };
            // It comes behind by this column, or is equal in it and comes behind by the next ones.
            self.sql("(");
            match (is_null, is_descending) {
                (true, true) => self.truth(false),
                (true, false) => {
                    self.column(0, column);
                    self.sql(" IS NOT NULL");
                }
                (false, _) => {
                    self.sql("coalesce(");
                    self.ordered(column);
                    self.sql(operator);
                    self.compared_by(column, |sql| sql.statement.value(bound.clone()));
                    // Null comes first, so it comes last in the opposite order.
                    self.or_of_null(*is_descending);
                }
            }
            self.sql(") OR (");
            if is_null {
                self.column(0, column);
                self.sql(" IS NULL");
            } else {
                self.sql("coalesce(");
                self.ordered(column);
                self.sql(" = ");
                self.compared_by(column, |sql| sql.statement.value(bound));
                self.or_of_null(false);
            }
            self.sql(" AND (");
        }
        self.column(0, key);
        self.sql(" > ");
        self.statement.value(id.into());
        order.iter().for_each(|_| self.sql("))"));
        Ok(())
    }
}

fn is_null(datum: &Datum) -> bool {
    match datum {
        Datum::Text(value) => value.is_none(),
        Datum::Integer(value) => value.is_none(),
        Datum::BigInt(value) => value.is_none(),
        Datum::Double(value) => value.is_none(),
        Datum::Bool(value) => value.is_none(),
        Datum::Date(value) => value.is_none(),
        Datum::Guid(value) => value.is_none(),
        Datum::Instant(value) => value.is_none(),
    }
}

fn symbol(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Equal => " = ",
        Comparison::NotEqual => " <> ",
        Comparison::Greater => " > ",
        Comparison::GreaterOrEqual => " >= ",
        Comparison::Less => " < ",
        Comparison::LessOrEqual => " <= ",
    }
}
