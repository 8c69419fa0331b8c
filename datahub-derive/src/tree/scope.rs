//! What a type's name means, as far as the source shows: a well-known type, or one of the tree's own items.
//!
//! A name is known only if nothing in the tree speaks against it. Everything else is left to the compiler.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Path, Type, UseTree};

use super::items::has_items;
use super::{Tree, TreeChoice, TreeGroup, TreeModel, Written};

/// Types of other crates, with the crate that a `use` or a path must name for them.
const FOREIGN: [(&str, &str); 4] =
    [("Decimal", "rust_decimal"), ("DateTime", "chrono"), ("NaiveDate", "chrono"), ("Uuid", "uuid")];

/// Types that need no `use`, or come with the runtime's prelude.
const GIVEN: [&str; 8] = ["i32", "i64", "f64", "bool", "Option", "String", "Id", "OneOf"];

/// How many of them come first that are the compiler's own.
const PRIMITIVE: usize = 4;

/// The crates of [`GIVEN`].
const GIVERS: [&str; 4] = ["std", "core", "alloc", "datahub_runtime"];

/// Crates of which `use …::*` brings none of these names, or the type that is meant.
const HARMLESS: [&str; 11] =
    ["std", "core", "alloc", "datahub_runtime", "diesel", "chrono", "rust_decimal", "uuid", "serde", "crate", "super"];

/// Where the names of types are looked up, as far as the source shows. It reads every file of the tree, so make it once.
#[derive(Debug)]
pub struct Scope<'t> {
    tree: &'t Tree,
    /// The names that items of each file define, and how often.
    defined: BTreeMap<&'t str, BTreeMap<String, usize>>,
    /// What the items of each file use: the name, or `*`, and the path's first word.
    used: BTreeMap<&'t str, Vec<(String, String)>>,
}

/// What a name means.
#[derive(Clone, Copy)]
pub(super) enum Meaning<'t> {
    /// A well-known type.
    WellKnown(&'static str),
    Model(&'t TreeModel),
    Group(&'t TreeGroup),
    Choice(&'t TreeChoice),
}

impl<'t> Scope<'t> {
    /// The names of a tree.
    pub fn of(tree: &'t Tree) -> Self {
        let known = FOREIGN.iter().map(|(name, _)| *name).chain(GIVEN);
        let names: BTreeSet<&str> = known.chain(tree.written().map(|written| written.name.as_str())).collect();
        let (mut defined, mut used) = (BTreeMap::new(), BTreeMap::new());
        for (file, text) in tree.files.iter().filter(|(file, _)| file.ends_with(".rs")) {
            let has_items = has_items(text);
            // Only a file that seems to define such a name is read word by word.
            if has_items || seemingly_defined(text).any(|name| names.contains(name)) {
                defined.insert(file.as_str(), names_defined(text));
            }
            if has_items {
                used.insert(file.as_str(), names_used(text));
            }
        }
        Scope { tree, defined, used }
    }

    /// The group that a type names in a file, such as `Address` or `Box<Address>`; `None` if only the compiler knows.
    pub fn group(&self, ty: &str, file: &str) -> Option<&'t TreeGroup> {
        self.meanings(ty, file).into_iter().find_map(|meaning| match meaning {
            Meaning::Group(group) => Some(group),
            _ => None,
        })
    }

    /// The choice that a type names in a file, such as `Industry` or `Option<Industry>`; `None` if only the compiler knows.
    pub fn choice(&self, ty: &str, file: &str) -> Option<&'t TreeChoice> {
        self.meanings(ty, file).into_iter().find_map(|meaning| match meaning {
            Meaning::Choice(choice) => Some(choice),
            _ => None,
        })
    }

    /// What the paths in a type mean in a file, from the outermost on.
    fn meanings(&self, ty: &str, file: &str) -> Vec<Meaning<'t>> {
        struct Paths(Vec<Path>);
        impl<'a> Visit<'a> for Paths {
            fn visit_path(&mut self, path: &'a Path) {
                self.0.push(path.clone());
                visit::visit_path(self, path);
            }
        }
        let mut paths = Paths(Vec::new());
        // A field's type is Rust, since its item was read.
        if let Ok(ty) = syn::parse_str::<Type>(ty) {
            paths.visit_type(&ty);
        }
        paths.0.iter().filter_map(|path| self.meaning(path, file)).collect()
    }

    /// What a path means in a file; `None` if only the compiler knows.
    pub(super) fn meaning(&self, path: &Path, file: &str) -> Option<Meaning<'t>> {
        let name = path.segments.last()?.ident.to_string();
        let used = self.used.get(file)?;
        // What the path, or a `use`, says of the name's origin.
        let origins: BTreeSet<String> = match path.segments.first().filter(|_| path.segments.len() > 1) {
            Some(first) => [first.ident.to_string()].into(),
            None => used.iter().filter(|(used, _)| *used == name).map(|(_, first)| first.clone()).collect(),
        };
        let is_from = |crates: &[&str]| origins.iter().all(|origin| crates.contains(&origin.as_str()));
        if let Some(place) = GIVEN.iter().position(|given| *given == name) {
            let globs = used.iter().filter(|(used, _)| used == "*").map(|(_, first)| first);
            let mut foreign = globs.filter(|first| !HARMLESS.contains(&first.as_str()) && !self.is_defined(first));
            let is_it = is_from(&GIVERS) && !self.is_defined(&name);
            return (is_it && (place < PRIMITIVE || foreign.next().is_none()))
                .then_some(Meaning::WellKnown(GIVEN[place]));
        }
        if let Some((known, origin)) = FOREIGN.into_iter().find(|(known, _)| *known == name) {
            let is_it = !origins.is_empty() && is_from(&[origin]) && !self.is_defined(&name);
            return is_it.then_some(Meaning::WellKnown(known));
        }
        let is_own = |origin: &String| ["crate", "self", "super"].contains(&origin.as_str()) || self.is_defined(origin);
        origins.iter().all(is_own).then(|| self.own(&name, file)).flatten()
    }

    /// The item of the tree with this name: the file's own, or the only one that there is.
    pub(super) fn own(&self, name: &str, file: &str) -> Option<Meaning<'t>> {
        let times = |file: &str| self.defined.get(file).and_then(|names| names.get(name)).copied().unwrap_or(0);
        let total: usize = self.defined.keys().map(|file| times(file)).sum();
        let is_only = times(file) == 1 || (times(file) == 0 && total == 1);
        let is_meant = |written: &Written| written.name == name && (times(file) == 0 || written.file == file);
        let tree = self.tree;
        let models = tree.models.iter().filter(|model| is_meant(&model.written)).map(Meaning::Model);
        let groups = tree.groups.iter().filter(|group| is_meant(&group.written)).map(Meaning::Group);
        let choices = tree.choices.iter().filter(|choice| is_meant(&choice.written)).map(Meaning::Choice);
        models.chain(groups).chain(choices).next().filter(|_| is_only)
    }

    fn is_defined(&self, name: &str) -> bool {
        self.defined.values().any(|names| names.contains_key(name))
    }
}

/// The words that come before a name that an item defines.
const DEFINING: [&str; 7] = ["struct", "enum", "union", "type", "trait", "mod", "as"];

/// The names that a text may define, comments and strings included.
fn seemingly_defined(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let words = text.split(move |letter: char| !is_word(letter)).filter(|word| !word.is_empty());
    words.clone().zip(words.skip(1)).filter(|(before, name)| defines(before, name)).map(|(_, name)| name)
}

/// The names that a text defines, also within functions and macros.
fn names_defined(text: &str) -> BTreeMap<String, usize> {
    fn collect(tokens: TokenStream, names: &mut BTreeMap<String, usize>) {
        let mut before = String::new();
        for token in tokens {
            let word = match token {
                TokenTree::Ident(word) => word.to_string(),
                TokenTree::Group(group) => {
                    collect(group.stream(), names);
                    String::new()
                }
                _ => String::new(),
            };
            if !word.is_empty() && defines(&before, &word) {
                *names.entry(word.clone()).or_default() += 1;
            }
            before = word;
        }
    }
    let mut names = BTreeMap::new();
    // What is not Rust is reported elsewhere.
    collect(text.parse().unwrap_or_default(), &mut names);
    names
}

/// Whether a word before a name makes it an item's. A cast names a primitive type after `as`.
fn defines(before: &str, name: &str) -> bool {
    DEFINING.contains(&before) && !(before == "as" && GIVEN[..PRIMITIVE].contains(&name))
}

/// The names that a file's `use` items bring, each with its path's first word.
fn names_used(text: &str) -> Vec<(String, String)> {
    struct Uses(Vec<(String, String)>);
    impl<'a> Visit<'a> for Uses {
        fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
            names_in(&item.tree, None, &mut self.0);
        }
    }
    let mut uses = Uses(Vec::new());
    if let Ok(file) = syn::parse_file(text) {
        uses.visit_file(&file);
    }
    uses.0
}

fn names_in(tree: &UseTree, first: Option<&str>, names: &mut Vec<(String, String)>) {
    let origin = |name: &syn::Ident| first.map_or_else(|| name.to_string(), str::to_owned);
    match tree {
        UseTree::Path(path) => names_in(&path.tree, Some(&origin(&path.ident)), names),
        UseTree::Name(name) => names.push((name.ident.to_string(), origin(&name.ident))),
        // Its other name counts as a definition.
        UseTree::Rename(renamed) => names.push((renamed.rename.to_string(), origin(&renamed.ident))),
        UseTree::Group(group) => group.items.iter().for_each(|tree| names_in(tree, first, names)),
        UseTree::Glob(_) => names.push(("*".to_owned(), first.unwrap_or_default().to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_defined_by_an_item_and_not_by_a_comment_or_a_cast() {
        let text = "pub struct A<T>(T); type B = u8; use x::{y as C, D}; macro_rules! m { () => { enum E {} } }\n\
                    // type F\n/// as String\nconst G: i32 = 1 as i32; mod h { struct A; }";
        let names = names_defined(text);
        let names: Vec<_> = names.iter().map(|(name, times)| (name.as_str(), *times)).collect();
        assert_eq!(names, [("A", 2), ("B", 1), ("C", 1), ("E", 1), ("h", 1)]);
        assert!(seemingly_defined(text).any(|name| name == "String"));
    }

    #[test]
    fn a_use_says_where_a_name_is_from() {
        let names = names_used("use chrono::{DateTime, Utc}; mod a { use super::*; use crate::b::C; use d::E as F; }");
        let pairs: Vec<_> = names.iter().map(|(name, first)| (name.as_str(), first.as_str())).collect();
        assert_eq!(pairs, [("DateTime", "chrono"), ("Utc", "chrono"), ("*", "super"), ("C", "crate"), ("F", "d")]);
    }
}
