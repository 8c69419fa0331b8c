//! `metadata.toml` of a migration: how and when it is executed, and what its author agreed to.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use datahub_model::schema::SchemaHash;
use serde::Deserialize;

/// What a migration's `metadata.toml` says. A migration without this file has the default.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metadata {
    /// Whether all of it is executed in one transaction. Otherwise each statement is executed on its own, and can be
    /// executed again.
    pub run_in_transaction: bool,
    /// When it is executed.
    pub phase: Phase,
    /// The first folder of the plan that it belongs to; `None`: itself.
    pub plan: Option<String>,
    /// The hash of the schema before its plan; `None` for the first plan.
    pub from: Option<SchemaHash>,
    /// The hash of the schema after its plan; `None` if it was written by hand.
    pub to: Option<SchemaHash>,
    /// The hash of what was planned; see [`hash_with`](Metadata::hash_with).
    pub planned: Option<SchemaHash>,
    /// The folders that `datahub migrate rebase` has replaced by this one, and that execute the same: where one of them is
    /// applied, so is this one.
    pub replaces: Vec<String>,
    /// What may be lost: columns (`table.column`) and tables.
    pub drop: Vec<String>,
    /// Renames that no `was` states: `table.column = new_column` or `table = new_table`.
    pub rename: Vec<String>,
    /// What happens, in plain words.
    pub summary: String,
    /// The epoch to which tables are raised before the SQL is executed.
    pub epochs: BTreeMap<String, u32>,
    /// What must hold before the SQL is executed.
    #[serde(rename = "check")]
    pub checks: Vec<Check>,
}

/// When a migration is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// While older programs still run.
    #[default]
    Expand,
    /// When the older programs are gone.
    Contract,
}

/// A question to the data.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What must be true.
    pub description: String,
    /// A query that returns no row if it is true, and otherwise some of the rows at fault.
    pub query: String,
}

impl Default for Metadata {
    fn default() -> Self {
        Metadata {
            run_in_transaction: true,
            phase: Phase::Expand,
            plan: None,
            from: None,
            to: None,
            planned: None,
            replaces: Vec::new(),
            drop: Vec::new(),
            rename: Vec::new(),
            summary: String::new(),
            epochs: BTreeMap::new(),
            checks: Vec::new(),
        }
    }
}

impl Phase {
    /// Its name in `metadata.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Expand => "expand",
            Phase::Contract => "contract",
        }
    }
}

impl Metadata {
    /// Reads a `metadata.toml`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, with the line.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The hash of an `up.sql` and of how, when and after which checks it is executed. If it is no longer that of the plan,
    /// the migration was edited.
    pub fn hash_with(&self, up: &str) -> SchemaHash {
        let executed = Metadata {
            run_in_transaction: self.run_in_transaction,
            phase: self.phase,
            epochs: self.epochs.clone(),
            checks: self.checks.clone(),
            ..Metadata::default()
        };
        SchemaHash::of(&format!("{}\n{up}", executed.print()))
    }

    /// The text of a `metadata.toml`, which [`parse`](Metadata::parse) reads as the same.
    pub fn print(&self) -> String {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let list = |items: &[String]| items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", ");
        let mut text = format!("run_in_transaction = {}\nphase = \"{}\"\n", self.run_in_transaction, self.phase.name());
        // Writing to a string does not fail.
        let mut put = |line: std::fmt::Arguments<'_>| _ = text.write_fmt(line);
        if let Some(plan) = &self.plan {
            put(format_args!("plan = {}\n", quoted(plan)));
        }
        for (key, hash) in [("from", self.from), ("to", self.to), ("planned", self.planned)] {
            if let Some(hash) = hash {
                put(format_args!("{key} = \"{hash}\"\n"));
            }
        }
        for (key, items) in [("replaces", &self.replaces), ("drop", &self.drop), ("rename", &self.rename)] {
            if !items.is_empty() {
                put(format_args!("{key} = [{}]\n", list(items)));
            }
        }
        if !self.summary.is_empty() {
            let escaped = self.summary.replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"");
            put(format_args!("summary = \"\"\"\n{escaped}\"\"\"\n"));
        }
        if !self.epochs.is_empty() {
            put(format_args!("\n[epochs]\n"));
            for (table, epoch) in &self.epochs {
                put(format_args!("{table} = {epoch}\n"));
            }
        }
        for check in &self.checks {
            let (description, query) = (quoted(&check.description), quoted(&check.query));
            put(format_args!("\n[[check]]\ndescription = {description}\nquery = {query}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_as_the_same() {
        let hash = SchemaHash::of("a schema");
        let metadata = Metadata {
            run_in_transaction: false,
            phase: Phase::Contract,
            plan: Some("20261130094500_add_fax".to_owned()),
            from: Some(hash),
            to: Some(SchemaHash::of("another")),
            planned: Some(SchemaHash::of("SELECT 1")),
            replaces: vec!["20261129094500_add_fax".to_owned()],
            drop: vec!["contacts.fax".to_owned(), "people".to_owned()],
            rename: vec!["contacts.town = address_town".to_owned()],
            summary: "- a \"quoted\" \\ word and \"\"\" three\n".to_owned(),
            epochs: BTreeMap::from([("contacts".to_owned(), 2)]),
            checks: vec![Check { description: "no 'row'".to_owned(), query: "SELECT \"id\"\nFROM \"t\"".to_owned() }],
        };
        assert_eq!(Metadata::parse(&metadata.print()).unwrap(), metadata);
        assert_eq!(Metadata::parse(&Metadata::default().print()).unwrap(), Metadata::default());
        assert_eq!(Metadata::parse("run_in_transaction = true").unwrap(), Metadata::default());
    }

    #[test]
    fn an_unknown_key_is_a_fault_with_its_line() {
        let error = Metadata::parse("phase = 'expand'\ndorp = ['a.b']").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("unknown field `dorp`"), "{error}");
        let error = Metadata::parse("phase = 'later'").unwrap_err().to_string();
        assert!(error.contains("unknown variant `later`, expected `expand` or `contract`"), "{error}");
    }
}
