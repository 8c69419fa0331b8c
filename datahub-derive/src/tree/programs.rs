//! Whether the models of each program's `models![…]` can be stored together: what the compiler finds when it evaluates
//! `models_do_not_clash` of the runtime's `__v1/checks.rs`, in the same words, but each pair that clashes.

use std::ops::Range;

use datahub_model::diagnostic::{Code, Diagnostic};

use super::scope::{Meaning, Scope};
use super::{Fault, Spot, Tree, TreeList, TreeModel, Written};

impl Tree {
    /// The models of a program that cannot be stored together, each on its name in `models![…]`.
    pub fn program_faults(&self) -> Vec<Fault> {
        let scope = Scope::of(self);
        self.lists.iter().flat_map(|list| self.clashes(list, &scope)).collect()
    }

    /// The models that are in no `models![…]` although there is one, each on its name. It is no fault: a program of another
    /// project may have them.
    pub fn unlisted(&self) -> Vec<Fault> {
        if self.lists.is_empty() {
            return Vec::new();
        }
        let scope = Scope::of(self);
        let listed: Vec<_> = self.lists.iter().flat_map(|list| of_list(self, list, &scope)).collect();
        // What a name stands for is not always certain; then the name alone decides.
        let is_named = |name: &str| self.lists.iter().flat_map(|list| &list.models).any(|(listed, _)| listed == name);
        let is_listed =
            |model: &TreeModel| is_named(model.name()) || listed.iter().any(|(one, _)| std::ptr::eq(*one, model));
        let unlisted = self.models.iter().filter(|model| !is_listed(model)).map(|model| {
            let Written { name, file, range, .. } = &model.written;
            let text = &self.files[file];
            let message = format!("`{name}` is in no `models![…]`, so no hub of this project knows it");
            // The item begins with its attributes.
            let item = &text[range.clone()];
            let at = item.find(&format!("struct {name}")).map_or(0, |at| at + "struct ".len());
            let range = range.start + at..range.start + at + name.len();
            let diagnostic = Diagnostic::of(Code::UnlistedModel, Spot::at(text, range.start), message);
            let cure = format!("add `{name}` to the `models![…]` of the program that uses it");
            Fault { file: file.clone(), range, diagnostic: diagnostic.cure(cure) }
        });
        unlisted.collect()
    }

    fn clashes(&self, list: &TreeList, scope: &Scope<'_>) -> Vec<Fault> {
        let text = &self.files[&list.file];
        let known = of_list(self, list, scope);
        let pairs =
            known.iter().enumerate().flat_map(|(at, second)| known[..at].iter().map(move |first| (first, second)));
        let clash = pairs.filter_map(|((first, _), (second, range))| {
            let (message, cure) = clash(first, second)?;
            let diagnostic = Diagnostic::of(Code::ModelsClash, Spot::at(text, range.start), message).cure(cure);
            Some(Fault { file: list.file.clone(), range: (*range).clone(), diagnostic })
        });
        clash.collect()
    }
}

/// The models of a list that are known for certain, each with its bytes in the file.
fn of_list<'t>(tree: &'t Tree, list: &'t TreeList, scope: &Scope<'t>) -> Vec<(&'t TreeModel, &'t Range<usize>)> {
    let text = &tree.files[&list.file];
    let known = list.models.iter().filter_map(|(_, range)| {
        let path = syn::parse_str(text.get(range.clone())?).ok()?;
        match scope.meaning(&path, &list.file)? {
            Meaning::Model(model) => Some((model, range)),
            _ => None,
        }
    });
    known.collect()
}

/// Why two models cannot be stored together, and the cure.
fn clash(one: &TreeModel, other: &TreeModel) -> Option<(String, &'static str)> {
    let both = format!("`{}` and `{}`", one.name(), other.name());
    let (of_one, of_other) = (&one.mapping, &other.mapping);
    if of_one.table == of_other.table {
        let message = format!("{both} have the same table, `{}`", of_one.table);
        return Some((message, "give one of them another `table = \"…\"`, or list each model once"));
    }
    let entity = &of_one.contract.entity;
    if *entity != of_other.contract.entity || (of_one.only.is_some() && of_other.only.is_some()) {
        return None;
    }
    let without = if of_one.only.is_none() { one.name() } else { other.name() };
    let message = format!("{both} share the entity `{entity}`, but `{without}` is missing `only`");
    Some((message, "add `only = \"…\"` to both, so that each record belongs to one of them"))
}
