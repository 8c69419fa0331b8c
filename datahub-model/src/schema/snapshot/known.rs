//! The names that tables and columns had before, by which a `was` is judged.

use super::{Rename, Snapshot};

impl Snapshot {
    /// Whether a table is known under a former name: it has that name in the snapshot, or the log renames it.
    pub fn knew_table(&self, former: &str) -> bool {
        self.tables.contains_key(former) || self.former_tables().any(|(from, _)| from == former)
    }

    /// Whether a column of a table is known under a former name: the table has such a column, under its name or its
    /// former one, or the log renames it. A table that the snapshot does not have may state what it likes.
    pub fn knew_column(&self, table: &str, table_was: Option<&str>, former: &str) -> bool {
        let names = self.names_of(table, table_was);
        let mut tables = names.iter().filter_map(|name| self.tables.get(*name)).peekable();
        if tables.peek().is_none() {
            return true;
        }
        let is_logged = self.renamed.iter().any(|rename| {
            matches!(rename, Rename::Column { table, from, .. } if from == former && names.contains(&table.as_str()))
        });
        is_logged || tables.any(|table| table.column(former).is_some())
    }

    /// The former names of columns of a table that the snapshot has, for a suggestion.
    pub fn columns_of(&self, table: &str, table_was: Option<&str>) -> Vec<&str> {
        let names = self.names_of(table, table_was);
        let tables = names.iter().filter_map(|name| self.tables.get(*name));
        tables.flat_map(|table| table.columns.iter().map(|column| column.name.as_str())).collect()
    }

    /// Every name that a table has had.
    fn names_of<'s>(&'s self, table: &'s str, was: Option<&'s str>) -> Vec<&'s str> {
        let mut names: Vec<&str> = std::iter::once(table).chain(was).collect();
        let mut at = 0;
        while let Some(name) = names.get(at).copied() {
            let before: Vec<_> = self.former_tables().filter(|(_, to)| *to == name).map(|(from, _)| from).collect();
            names.extend(before.into_iter().filter(|from| !names.contains(from)).collect::<Vec<_>>());
            at += 1;
        }
        names
    }

    fn former_tables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.renamed.iter().filter_map(|rename| match rename {
            Rename::Table { from, to } => Some((from.as_str(), to.as_str())),
            Rename::Column { .. } => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::SchemaHash;

    #[test]
    fn a_former_name_is_known_from_the_tables_and_from_the_log() {
        let text = r#"
engine = 6
[tables.contacts]
model = "Contact"
entity = "Contact"
columns = [{ name = "id", field = "id", kind = "guid", source = "key" },
           { name = "fax", field = "fax", kind = "string", attributes = ["Fax"] }]
[log]
renamed = [{ table = "people", to = "persons" }, { table = "persons", to = "contacts" },
           { column = "people.name", to = "full_name" }]
"#;
        let snapshot = Snapshot::parse(text).unwrap();
        assert!(snapshot.knew_table("people") && snapshot.knew_table("contacts") && !snapshot.knew_table("firms"));
        let knew = |table, was, former| snapshot.knew_column(table, was, former);
        assert!(knew("contacts", None, "fax") && knew("contacts", None, "name"));
        assert!(!knew("contacts", None, "telex"));
        assert!(knew("clients", Some("contacts"), "name") && !knew("clients", Some("contacts"), "telex"));
        assert!(knew("firms", None, "telex"), "a table that is not migrated yet");
        assert_eq!(snapshot.columns_of("contacts", None), ["id", "fax"]);
        assert_ne!(snapshot.hash(), SchemaHash::of(text));
    }
}
