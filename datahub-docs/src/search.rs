//! The index of the search: one entry for each thing that a reader may look for, with the page where it is.

use serde::Serialize;

use crate::MARK;
use crate::atlas::{Atlas, Choice};

/// The index as a script that gives it to the page. A script is also loaded from a folder, where a request for data is not.
pub(crate) fn script(atlas: &Atlas) -> Result<String, askama::Error> {
    let index = Index::of(atlas);
    let json = serde_json::to_string(&index).map_err(askama::Error::custom)?;
    Ok(format!("// {MARK}.\ndatahubIndex({json});\n"))
}

/// What can be found. Pages are named once, since many entries share one.
#[derive(Debug, Default, Serialize)]
struct Index {
    /// The pages' paths.
    pages: Vec<String>,
    /// The kinds of entries.
    kinds: [&'static str; 7],
    /// Kind, name, what it belongs to, page, anchor (empty: the page itself).
    entries: Vec<(usize, String, String, usize, String)>,
}

const KINDS: [&str; 7] = ["model", "field", "attribute", "option", "contract", "group", "left out"];
const MODEL: usize = 0;
const FIELD: usize = 1;
const ATTRIBUTE: usize = 2;
const OPTION: usize = 3;
const CONTRACT: usize = 4;
const GROUP: usize = 5;
const LEFT_OUT: usize = 6;

impl Index {
    fn of(atlas: &Atlas) -> Self {
        let mut index = Index { kinds: KINDS, ..Index::default() };
        for model in &atlas.models {
            let page = index.page(format!("models/{}.html", model.slug));
            index.add(MODEL, &model.name, &model.summary(), page, "");
            for field in &model.fields {
                let behind = field.attribute_names().join(", ");
                let of = if behind.is_empty() { model.name.clone() } else { format!("{} ← {behind}", model.name) };
                index.add(FIELD, &field.path, &of, page, &field.anchor);
            }
        }
        for contract in &atlas.contracts {
            let page = index.page(format!("contracts/{}.html", contract.slug));
            index.add(CONTRACT, &contract.entity, &contract.file, page, "");
            let mut groups: Vec<&str> = Vec::new();
            for attribute in &contract.attributes {
                let uses: Vec<_> =
                    attribute.uses.iter().map(|place| format!("{}.{}", place.model, place.field)).collect();
                let of = if uses.is_empty() {
                    contract.entity.clone()
                } else {
                    format!("{} → {}", contract.entity, uses.join(", "))
                };
                index.add(ATTRIBUTE, &attribute.name, &of, page, &attribute.anchor);
                for Choice { number, label, .. } in &attribute.options {
                    let of = format!("{number} of {} in {}", attribute.name, contract.entity);
                    index.add(OPTION, label, &of, page, &attribute.anchor);
                }
                groups.extend(attribute.groups.iter().map(String::as_str));
            }
            groups.sort_unstable();
            groups.dedup();
            for group in groups {
                index.add(GROUP, group, &contract.entity, page, "groups");
            }
            for (name, reason) in &contract.unmapped {
                index.add(LEFT_OUT, name, &format!("{}: {reason}", contract.entity), page, "left-out");
            }
            for (name, _) in contract.not_mentioned.iter().flatten() {
                index.add(LEFT_OUT, name, &format!("{}: not mentioned", contract.entity), page, "not-mentioned");
            }
        }
        index
    }

    fn page(&mut self, path: String) -> usize {
        self.pages.push(path);
        self.pages.len() - 1
    }

    fn add(&mut self, kind: usize, name: &str, of: &str, page: usize, anchor: &str) {
        self.entries.push((kind, name.to_owned(), of.to_owned(), page, anchor.to_owned()));
    }
}
