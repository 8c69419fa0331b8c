//! The items of a Rust file: what derives would read, read by the derives' own code.

use std::fs;
use std::ops::Range;

use datahub_model::diagnostic::{Code, Diagnostic};
use proc_macro2::Span;
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, DeriveInput, Expr, ExprLit, Item, Lit, Macro, Meta, Path, Token};

use super::sources::SourceFile;
use super::{Tree, TreeChoice, TreeField, TreeGroup, TreeList, TreeMember, TreeModel, Written};
use crate::field_type::spelled;
use crate::fields::Listed;
use crate::project::{Package, Project};
use crate::shown::Shown;
use crate::synced::Default;
use crate::{Derive, choice, fields, item, synced};

/// Reads a file into a tree.
pub(super) struct Reader<'t> {
    project: &'t Project,
    tree: &'t mut Tree,
}

/// A file whose items are read.
struct Visitor<'t> {
    package: Package,
    tree: &'t mut Tree,
    file: &'t str,
    text: &'t str,
}

impl<'t> Reader<'t> {
    pub(super) fn new(project: &'t Project, tree: &'t mut Tree) -> Self {
        Reader { project, tree }
    }

    pub(super) fn file(self, SourceFile { path, shown }: &SourceFile) {
        let text = match fs::read_to_string(path) {
            // The parser's places are those without a byte-order mark.
            Ok(text) => text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text),
            Err(error) => {
                let message = format!("cannot read `{shown}`: {error}");
                let cure = "check that it is a file of UTF-8 text, and that you have permission to read it";
                return self.tree.unread(shown.clone(), message, cure);
            }
        };
        if has_items(&text) {
            let package = Package::compiled_with(path, self.project.root());
            match parsed(&text) {
                Ok(parsed) => Visitor { package, tree: self.tree, file: shown, text: &text }.visit_file(&parsed),
                Err((range, message)) => {
                    let fault = Diagnostic::of(Code::FaultyRust, (), message);
                    let cure = "run `cargo check`, which says more about it";
                    self.tree.fault(shown, &text, range, fault.cure(cure));
                }
            }
        }
        self.tree.files.insert(shown.clone(), text);
    }
}

/// Whether a file may have items of ours. Most files of a program have none, and parsing them all would take longer than
/// everything else.
pub(super) fn has_items(text: &str) -> bool {
    ["CdmsSynced", "CdmsFields", "CdmsChoice", "models!"].iter().any(|word| text.contains(word))
}

/// The syntax of a file, or where and why it has none.
fn parsed(text: &str) -> Result<syn::File, (Range<usize>, String)> {
    syn::parse_file(text).map_err(|error| (error.span().byte_range(), error.to_string()))
}

impl<'a> Visit<'a> for Visitor<'_> {
    fn visit_item(&mut self, item: &'a Item) {
        if is_for_tests(item) {
            return;
        }
        for derive in derives(item) {
            self.derived(derive, item);
        }
        visit::visit_item(self, item);
    }

    /// Items within functions belong to no module, and so to no program's models.
    fn visit_block(&mut self, block: &'a syn::Block) {
        let mut lists = Lists { visitor: self };
        visit::visit_block(&mut lists, block);
    }

    fn visit_macro(&mut self, called: &'a Macro) {
        self.list(called);
    }
}

/// Finds the lists of models in functions.
struct Lists<'v, 't> {
    visitor: &'v mut Visitor<'t>,
}

impl<'a> Visit<'a> for Lists<'_, '_> {
    fn visit_macro(&mut self, called: &'a Macro) {
        self.visitor.list(called);
    }
}

impl Visitor<'_> {
    fn derived(&mut self, derive: Derive, item: &Item) {
        self.tree.items += 1;
        // Read again as the compiler passes it, from its own tokens.
        let input = match item::read(item.to_token_stream()) {
            Ok(input) => input,
            Err(found) => return self.report(found),
        };
        let written = self.written(&input.ident.to_string(), &input.attrs, item.span());
        match derive {
            Derive::Synced => self.model(&input, written),
            Derive::Fields => self.group(&input, written),
            Derive::Choice => self.choice(&input, written),
        }
    }

    fn model(&mut self, input: &DeriveInput, written: Written) {
        let (read, found) = synced::mapping_of(input, &self.package).into_parts();
        self.report(found);
        let Some((mapping, contract)) = read else { return };
        let fields = self.named_fields(input);
        self.tree.models.push(TreeModel { written, contract, mapping, fields });
    }

    fn group(&mut self, input: &DeriveInput, written: Written) {
        let (members, found) = fields::members_of(input).into_parts();
        if !found.is_empty() {
            return self.report(found);
        }
        let fields = self.named_fields(input);
        let member = |(field, listed): (TreeField, Listed)| TreeMember {
            field,
            key: listed.key,
            is_group: listed.is_group,
            default: listed.default.map(|default| match default {
                Default::OfType(_) => String::new(),
                Default::Expression(value) => spelled(&*value),
            }),
        };
        let members = fields.into_iter().zip(members).map(member).collect();
        self.tree.groups.push(TreeGroup { written, members });
    }

    fn choice(&mut self, input: &DeriveInput, written: Written) {
        let (read, found) = choice::options_of(input, &self.package).into_parts();
        let is_faulty = !found.is_empty();
        self.report(found);
        let (Some(read), false) = (read, is_faulty) else { return };
        let syn::Data::Enum(data) = &input.data else { return };
        let variant = |ident: &syn::Ident| data.variants.iter().find(|variant| variant.ident == *ident);
        let variants = read.variants.into_iter().filter_map(|(ident, name, number)| {
            let variant = variant(&ident)?;
            let written = self.written(&ident.to_string(), &variant.attrs, variant.span());
            Some((TreeField { written, ty: String::new() }, name, number))
        });
        let variants = variants.collect();
        let rest = read.rest.map(|rest| rest.to_string());
        let (contract, attribute) = (read.contract, read.attribute);
        self.tree.choices.push(TreeChoice { written, contract, attribute, variants, rest });
    }

    fn named_fields(&self, input: &DeriveInput) -> Vec<TreeField> {
        let syn::Data::Struct(data) = &input.data else { return Vec::new() };
        let fields = data.fields.iter().filter_map(|field| {
            let ident = field.ident.as_ref()?;
            let written = self.written(&ident.to_string(), &field.attrs, field.span());
            let ty = self.text[field.ty.span().byte_range()].to_owned();
            Some(TreeField { written, ty })
        });
        fields.collect()
    }

    fn written(&self, name: &str, attributes: &[Attribute], span: Span) -> Written {
        let range = span.byte_range();
        let line = self.text[..range.start].matches('\n').count() + 1;
        let name = name.trim_start_matches("r#").to_owned();
        Written { name, docs: docs(attributes), file: self.file.to_owned(), range, line }
    }

    /// Adds the faults of an item. Faults of its contract are reported with the contract.
    fn report(&mut self, found: Vec<Diagnostic<Shown>>) {
        for diagnostic in found.into_iter().filter(|diagnostic| diagnostic.place.drawing.is_none()) {
            let words = diagnostic.place.words;
            let (start, end) = (words.start.byte_range(), words.end.byte_range());
            let range = start.start..end.end.max(start.end);
            self.tree.fault(self.file, self.text, range, diagnostic.seen_at(|_| ()));
        }
    }

    fn list(&mut self, called: &Macro) {
        if called.path.segments.last().is_none_or(|last| last.ident != "models") {
            return;
        }
        // What is not a list of paths is the compiler's to report.
        let Ok(paths) = called.parse_body_with(Punctuated::<Path, Token![,]>::parse_terminated) else { return };
        let models = paths.iter().filter_map(|path| {
            let last = path.segments.last()?;
            Some((last.ident.to_string(), path.span().byte_range()))
        });
        self.tree.lists.push(TreeList { file: self.file.to_owned(), models: models.collect() });
    }
}

/// The derives of ours on an item.
fn derives(item: &Item) -> Vec<Derive> {
    let attributes = attributes(item);
    let lists = attributes.iter().filter(|attribute| attribute.path().is_ident("derive"));
    let paths = lists.filter_map(|list| list.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok());
    let named = paths.flatten().filter_map(|path| {
        let last = path.segments.last()?.ident.to_string();
        Derive::ALL.into_iter().find(|derive| derive.name() == last)
    });
    named.collect()
}

/// Whether an item is compiled only for tests.
fn is_for_tests(item: &Item) -> bool {
    attributes(item).iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<Path>().is_ok_and(|what| what.is_ident("test"))
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Struct(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        _ => &[],
    }
}

/// The documentation of an item, without comment marks and the blank that follows each of them.
fn docs(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    let lines: Vec<_> = lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned()).collect();
    lines.join("\n").trim().to_owned()
}
