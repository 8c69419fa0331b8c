//! The text of a first model's file.

use std::fmt::Write as _;

use super::field::{Choice, Field, Group, Parts, parts};
use super::{First, Written};
use crate::naming::in_a_comment;

pub(super) fn write(first: &First<'_>) -> Written {
    let parts = parts(first);
    let name = &first.name.type_name;
    let mut text = String::new();
    // Writing to a string cannot fail.
    let mut line = |said: &str| _ = writeln!(text, "{said}");
    line(&format!(
        "//! Records of `{}` in CDMS. `datahub import` wrote this first model; it is yours to change.",
        first.contract.entity
    ));
    line("");
    let types: String = types(&parts).collect::<Vec<_>>().join(" ");
    let mut crates = Vec::new();
    let mut uses = vec!["use datahub_runtime::prelude::*;".to_owned()];
    let chrono: Vec<_> = ["DateTime", "NaiveDate", "Utc"].into_iter().filter(|name| types.contains(name)).collect();
    match chrono.as_slice() {
        [] => {}
        [one] => uses.insert(0, format!("use chrono::{one};")),
        several => uses.insert(0, format!("use chrono::{{{}}};", several.join(", "))),
    }
    if !chrono.is_empty() {
        crates.push("chrono");
    }
    for (krate, ty) in [("rust_decimal", "Decimal"), ("uuid", "Uuid")] {
        if types.contains(ty) {
            uses.push(format!("use {krate}::{ty};"));
            crates.push(krate);
        }
    }
    line(&uses.join("\n"));
    let mut models: Vec<_> = parts.used.iter().filter(|target| target.type_name != *name).collect();
    models.sort_by(|one, other| one.module.cmp(&other.module));
    if !models.is_empty() {
        line("");
        for target in models {
            line(&format!("use {}::{};", target.module, target.type_name));
        }
    }
    let columns = 1 + parts.fields.iter().map(|field| field.columns).sum::<usize>();
    line("");
    line(&format!("/// A record of `{}`.", first.contract.entity));
    line("#[derive(Clone, Debug, PartialEq, CdmsSynced)]");
    let table = if columns > first.columns_max { ", diesel(table = false)" } else { "" };
    line(&format!("#[cdms(mapping = \"{}\", table = \"{}\", mode = \"mirror\"{table})]", first.file, first.name.table));
    line(&format!("pub struct {name} {{"));
    line("    #[cdms(key)]");
    line(&format!("    pub id: Id<{name}>,"));
    for Field { name, docs, annotation, ty, .. } in &parts.fields {
        if let Some(docs) = docs {
            line(&format!("    /// {}", sentence(docs)));
        }
        line(&format!("    #[cdms({annotation})]"));
        line(&format!("    pub {name}: {ty},"));
    }
    if !parts.waiting.is_empty() {
        line("    // Not mapped yet:");
        for (attribute, reason) in &parts.waiting {
            line(&format!("    // `{attribute}` {reason}"));
        }
    }
    if !parts.plumbing.is_empty() {
        line("    // Left out, because CDMS needs them for itself:");
        for attribute in &parts.plumbing {
            line(&format!("    // `{attribute}`"));
        }
    }
    line("}");
    for group in &parts.groups {
        line(&self::group(group));
    }
    for choice in &parts.choices {
        line(&self::choice(choice, first.file));
    }
    let text = format!("{}\n", text.trim_end());
    Written { text, crates, fields: parts.fields.len() + 1, waiting: parts.waiting }
}

fn types(parts: &Parts) -> impl Iterator<Item = &str> {
    let members = parts.groups.iter().flat_map(|group| group.members.iter().map(|(_, ty)| ty.as_str()));
    // The names of enums and models are not the types that are looked for.
    let is_plain = |ty: &&str| !ty.contains("Id<") && !ty.contains("OneOf<");
    let own = |ty: &&str| !parts.choices.iter().any(|choice| ty.contains(choice.name.as_str()));
    let group = |ty: &&str| !parts.groups.iter().any(|group| group.name == *ty);
    parts.fields.iter().map(|field| field.ty.as_str()).filter(is_plain).filter(own).filter(group).chain(members)
}

fn group(group: &Group) -> String {
    let mut text =
        format!("\n/// {}\n#[derive(Clone, Debug, PartialEq, CdmsFields)]\npub struct {} {{\n", group.docs, group.name);
    for (name, ty) in &group.members {
        _ = writeln!(text, "    pub {name}: {ty},");
    }
    text + "}"
}

fn choice(choice: &Choice, file: &str) -> String {
    let mut text = format!(
        "\n/// {}\n#[derive(Clone, Copy, Debug, PartialEq, Eq, CdmsChoice)]\n#[cdms(mapping = \"{file}\", attribute = \"{}\")]\npub \
         enum {} {{\n",
        choice.docs, choice.attribute, choice.name
    );
    for (name, option, is_found) in &choice.variants {
        if !is_found {
            _ = writeln!(text, "    #[cdms({option:?})]");
        }
        _ = writeln!(text, "    {name},");
    }
    if let Some(rest) = choice.rest {
        _ = writeln!(text, "    #[cdms(other)]\n    {rest}(i32),");
    }
    text + "}"
}

/// A label as a sentence of documentation, on one line.
fn sentence(label: &str) -> String {
    let label = in_a_comment(label);
    if label.ends_with(['.', '?', '!']) { label } else { format!("{label}.") }
}
