//! The order of plans, by the hashes of the schemas before and after each: one after the other, or two branches.

use std::collections::{BTreeMap, BTreeSet};

use datahub_migrate::{Migration, SchemaHash};

/// A plan, as its folders' metadata describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// Its first folder.
    pub(super) name: String,
    /// The hash of the schema before; `None` for the first plan.
    pub(super) from: Option<SchemaHash>,
    /// The hash of the schema after.
    pub(super) to: SchemaHash,
    /// All of its folders.
    pub(super) folders: BTreeSet<String>,
}

/// The plans, by their first folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Graph {
    pub(super) nodes: BTreeMap<String, Node>,
}

impl Graph {
    /// The plans of migrations; those that were written by hand are left out.
    pub(super) fn of<'m>(migrations: impl IntoIterator<Item = &'m Migration>) -> Self {
        let mut graph = Graph::default();
        for migration in migrations {
            let Some(to) = migration.metadata.to else { continue };
            let (name, from) = (migration.plan().to_owned(), migration.metadata.from);
            let node = Node { name: name.clone(), from, to, folders: BTreeSet::new() };
            graph.nodes.entry(name).or_insert(node).folders.insert(migration.name.clone());
        }
        graph
    }

    /// The plans after which no other plan comes, in the order of their names.
    pub(super) fn heads(&self) -> Vec<&Node> {
        let is_continued = |node: &&Node| !self.nodes.values().any(|other| other.from == Some(node.to));
        self.nodes.values().filter(is_continued).collect()
    }

    /// The plans that begin at a schema that no plan leaves, besides the first.
    pub(super) fn orphans(&self) -> Vec<&Node> {
        let is_known = |from: SchemaHash| self.nodes.values().any(|other| other.to == from);
        self.nodes.values().filter(|node| node.from.is_some_and(|from| !is_known(from))).collect()
    }

    /// A plan and those before it, the newest first.
    pub(super) fn line<'g>(&'g self, head: &'g Node) -> Vec<&'g Node> {
        let mut line = vec![head];
        while let Some(before) =
            line[line.len() - 1].from.and_then(|from| self.nodes.values().find(|node| node.to == from))
        {
            // A hash that leads back to itself cannot be made, but it can be written.
            if line.iter().any(|known| known.name == before.name) {
                break;
            }
            line.push(before);
        }
        line
    }

    /// The plans of one head that are not before another, oldest first.
    pub(super) fn only_in<'g>(&'g self, head: &'g Node, other: &'g Node) -> Vec<&'g Node> {
        let shared: BTreeSet<_> = self.line(other).into_iter().map(|node| node.name.as_str()).collect();
        let mut own: Vec<_> = self.line(head).into_iter().filter(|node| !shared.contains(node.name.as_str())).collect();
        own.reverse();
        own
    }
}

#[cfg(test)]
mod tests {
    use datahub_migrate::Metadata;

    use super::*;

    fn migration(name: &str, plan: &str, from: Option<&str>, to: &str) -> Migration {
        let metadata = Metadata {
            plan: Some(plan.to_owned()),
            from: from.map(SchemaHash::of),
            to: Some(SchemaHash::of(to)),
            ..Metadata::default()
        };
        Migration { name: name.to_owned(), up: String::new(), metadata }
    }

    #[test]
    fn two_branches_have_two_heads() {
        let migrations = [
            migration("1_a", "1_a", None, "one"),
            migration("2_b", "2_b", Some("one"), "two"),
            migration("3_b_contract", "2_b", Some("one"), "two"),
            migration("4_c", "4_c", Some("one"), "three"),
            migration("5_d", "5_d", Some("three"), "four"),
            Migration { name: "6_by_hand".to_owned(), up: String::new(), metadata: Metadata::default() },
        ];
        let graph = Graph::of(&migrations);
        let names = |nodes: Vec<&Node>| nodes.into_iter().map(|node| node.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(graph.heads()), ["2_b", "5_d"]);
        assert_eq!(graph.nodes["2_b"].folders.len(), 2);
        assert_eq!(names(graph.only_in(graph.heads()[1], graph.heads()[0])), ["4_c", "5_d"]);
        assert_eq!(names(graph.line(graph.heads()[0])), ["2_b", "1_a"]);
        assert!(graph.orphans().is_empty());
        assert_eq!(names(Graph::of(&migrations[1..2]).orphans()), ["2_b"]);
    }
}
