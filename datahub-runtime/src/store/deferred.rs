//! Checks rules before the commit that the database would otherwise check only with it, so that a trial and each record
//! of a page learn of a violation.

use std::sync::Arc;

use datahub_model::ModelDescriptor;
use datahub_model::schema::quoted;
use datahub_protocol::planted::{Planted, planted};
use uuid::Uuid;

use super::connection::Connection;
use super::failure::{Rule, Trouble};
use super::model_table::key;
use super::statement::{ColumnType, Statement};

/// The foreign keys that SQLite checks only with the commit, and the number of violations of each before a change. A
/// server can check its rules on demand, so nothing is needed for it.
#[derive(Debug, Default)]
pub(super) struct Deferred {
    /// The query that counts the violations of a rule, and its result.
    counts: Vec<(String, i64)>,
}

/// A change of a model's rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touched<'i> {
    pub(super) model: &'static ModelDescriptor,
    pub(super) ids: &'i [Uuid],
    /// Whether the change may remove rows.
    pub(super) removes: bool,
}

/// Counts violations before these rows are changed.
pub(super) fn before(connection: &mut Connection, touched: Touched<'_>) -> Result<Deferred, Trouble> {
    if connection.dialect().check_deferred.is_some() {
        return Ok(Deferred::default());
    }
    let mut counts = Vec::new();
    for sql in rules(connection)?.counted(touched) {
        let before = count(connection, &sql)?;
        counts.push((sql, before));
    }
    Ok(Deferred { counts })
}

/// The deferred foreign keys of a database, which are read once for each version of its schema.
#[derive(Debug)]
pub(super) struct Rules {
    schema: i64,
    /// Each with the table that has it.
    keys: Vec<(String, ForeignKey)>,
}

impl Rules {
    fn counted(&self, touched: Touched<'_>) -> Vec<String> {
        self.keys.iter().flat_map(|(child, key)| key.counted(child, touched)).collect()
    }
}

/// The rules as they are now. A transaction that writes is the only one, so the schema stays as it is.
fn rules(connection: &mut Connection) -> Result<Arc<Rules>, Trouble> {
    let version = connection.rows(&Statement::new("PRAGMA schema_version", []), &[ColumnType::BigInt])?.pop();
    let schema = version.ok_or_else(|| Trouble::Corrupt("the schema has no version".to_owned()))?.number()?;
    if let Some(known) = connection.deferred_rules().as_ref().filter(|known| known.schema == schema) {
        return Ok(Arc::clone(known));
    }
    let mut keys = Vec::new();
    for child in deferring(connection)? {
        let of_child = foreign_keys(connection, &child)?;
        keys.extend(of_child.into_iter().map(|key| (child.clone(), key)));
    }
    let rules = Arc::new(Rules { schema, keys });
    *connection.deferred_rules() = Some(Arc::clone(&rules));
    Ok(rules)
}

impl Deferred {
    /// Checks the rules after the change.
    ///
    /// # Errors
    ///
    /// [Refused](Trouble::Refused) if a rule is violated.
    pub(super) fn check(self, connection: &mut Connection, model: &ModelDescriptor) -> Result<(), Trouble> {
        if planted(Planted::DeferredRulesUnchecked) {
            return Ok(());
        }
        if let Some(sql) = connection.dialect().check_deferred {
            return connection.send_batch_in_table(model.table, sql);
        }
        for (sql, before) in self.counts {
            if count(connection, &sql)? > before {
                return Err(Trouble::Refused(Rule::ForeignKey.broken("")).in_table(model.table));
            }
        }
        Ok(())
    }
}

/// A foreign key of a table.
#[derive(Debug)]
struct ForeignKey {
    parent: String,
    /// Its columns, each with the parent's column that it references.
    columns: Vec<(String, String)>,
}

impl ForeignKey {
    /// The queries that count violations among the rows of `child` that the change can affect.
    fn counted(&self, child: &str, touched: Touched<'_>) -> Vec<String> {
        let key = key(touched.model).name;
        let is_table = |name: &str| name.eq_ignore_ascii_case(touched.model.table);
        let literals = touched.ids.iter().map(|id| format!("x'{}'", id.simple()));
        let ids = literals.collect::<Vec<_>>().join(", ");
        let mut counted = Vec::new();
        if is_table(child) {
            counted.push(self.broken(child, &format!("child.{} IN ({ids})", quoted(key))));
        }
        if is_table(&self.parent) {
            match &self.columns[..] {
                [(from, to)] if to.eq_ignore_ascii_case(key) => {
                    // A row never changes its key.
                    if touched.removes {
                        counted.push(self.broken(child, &format!("child.{} IN ({ids})", quoted(from))));
                    }
                }
                _ => counted.push(self.broken(child, "true")),
            }
        }
        counted
    }

    fn broken(&self, child: &str, among: &str) -> String {
        let all =
            |each: fn(&(String, String)) -> String| self.columns.iter().map(each).collect::<Vec<_>>().join(" AND ");
        let given = all(|(from, _)| format!("child.{} IS NOT NULL", quoted(from)));
        let found = all(|(from, to)| format!("parent.{} = child.{}", quoted(to), quoted(from)));
        format!(
            "SELECT CAST(count(*) AS TEXT) FROM {} AS child WHERE {among} AND {given} \
             AND NOT EXISTS (SELECT 1 FROM {} AS parent WHERE {found})",
            quoted(child),
            quoted(&self.parent)
        )
    }
}

fn count(connection: &mut Connection, sql: &str) -> Result<i64, Trouble> {
    let found = connection.texts(sql)?.pop().and_then(|text| text.parse().ok());
    found.ok_or_else(|| Trouble::Corrupt("a count is not a number".to_owned()))
}

/// The tables with deferred foreign keys. SQLite shows this only in the statement that created the table.
fn deferring(connection: &mut Connection) -> Result<Vec<String>, Trouble> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%DEFERRED%'";
    let rows = connection.rows(&Statement::new(sql, []), &[ColumnType::Text])?;
    rows.into_iter().map(|mut row| row.text()).collect()
}

fn foreign_keys(connection: &mut Connection, child: &str) -> Result<Vec<ForeignKey>, Trouble> {
    let sql = "SELECT list.id, list.\"table\", list.\"from\", \
               coalesce(list.\"to\", (SELECT name FROM pragma_table_info(list.\"table\") WHERE pk = list.seq + 1)) \
               FROM pragma_foreign_key_list(?) AS list ORDER BY list.id, list.seq";
    let types = [ColumnType::BigInt, ColumnType::Text, ColumnType::Text, ColumnType::Text];
    let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
    for mut row in connection.rows(&Statement::new(sql, [child.into()]), &types)? {
        let (id, parent, columns) = (row.number()?, row.text()?, (row.text()?, row.text()?));
        match keys.last_mut() {
            Some((last, key)) if *last == id => key.columns.push(columns),
            _ => keys.push((id, ForeignKey { parent, columns: vec![columns] })),
        }
    }
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}
