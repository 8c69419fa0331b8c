//! `datahub docs`: the documentation of a project's mappings, as a site or as Markdown, and the digests that are committed.

mod folder;

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use datahub_derive::project::Project;
use datahub_derive::tree::Tree;
use datahub_docs::{Atlas, Changes, Digest, Digests, ENDING, Since, Standing, html, markdown};
use serde_json::json;

use super::check;
use crate::output::Output;
use crate::revision::Revision;

/// What `datahub docs` is told.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  datahub docs                            the site, in the folder `site` below `docs` of datahub.toml, and the digests
  datahub docs --since main               with a page of what changed since the branch main
  datahub docs --format markdown          Markdown for the repository, below `docs` of datahub.toml
  datahub docs --check                    in CI: fails if a mapping has changed and its digest has not")]
pub(crate) struct Options {
    /// The folder to write to; default: `site` below `docs` of datahub.toml, and for Markdown that folder itself.
    #[arg(long, value_name = "FOLDER", conflicts_with = "check")]
    out: Option<PathBuf>,
    /// Writes nothing, and compares the committed digests with the project; exit code 1 if the documentation of a model is
    /// stale.
    #[arg(long, conflicts_with_all = ["since", "format"])]
    check: bool,
    /// Adds a page of what changed since a revision of git, such as `main` or `HEAD~10`.
    #[arg(long, value_name = "REV")]
    since: Option<String>,
    /// The form of the documentation.
    #[arg(long, value_enum, default_value_t = Format::Html)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A site, with a search.
    Html,
    /// Files for a repository.
    Markdown,
}

/// Writes the documentation, or checks the digests; returns whether nothing is faulty and nothing stale.
pub(crate) fn run(root: &Path, options: &Options, output: &Output) -> Result<bool, String> {
    let project = Project::open(root).map_err(|error| error.to_string())?;
    let tree = Tree::read(&project).map_err(|error| error.to_string())?;
    if !tree.faults.is_empty() {
        return Ok(refuse(root, &tree, output));
    }
    let atlas = Atlas::new(&title(root), &tree);
    let digests = Digests::of(&atlas);
    let committed = project.root().join(&project.settings().docs);
    if options.check {
        return compare(&digests, &committed, &project.settings().docs, output);
    }
    let old = replaceable(&digests, &committed)?;
    let since = options.since.as_ref().map(|revision| since(root, revision, &tree)).transpose()?;
    let (files, first) = match options.format {
        Format::Html => (html::site(&atlas, since.as_ref()), "index.html"),
        Format::Markdown => (markdown::files(&atlas, since.as_ref()), "README.md"),
    };
    let files = files.map_err(|error| format!("cannot render the documentation: {error}; please report it"))?;
    let out = options.out.clone().unwrap_or_else(|| match options.format {
        Format::Html => committed.join("site"),
        Format::Markdown => committed.clone(),
    });
    folder::write(&out, &files)?;
    if options.out.is_none() && options.format == Format::Html {
        // The site is made again by CI, and its pages would only be in the way of merges.
        folder::keep_out_of_git(&out)?;
    }
    let renewed = renew(&digests, &old, &committed)?;
    let first = out.join(first);
    let mut text = format!("{} files in {}; begin with {}", files.len(), out.display(), first.display());
    if renewed > 0 {
        let plural = if renewed == 1 { "digest" } else { "digests" };
        text += &format!("\n{renewed} {plural} in {} changed; commit them", committed.display());
    }
    output.result(&text, &json!({"folder": out, "first": first, "files": files.len(), "digests": renewed}));
    Ok(true)
}

/// Reports the faults, because of which a part of the documentation would be missing.
fn refuse(root: &Path, tree: &Tree, output: &Output) -> bool {
    let faults = check::print_faults(root, tree, "docs", output);
    let plural = if faults == 1 { "fault" } else { "faults" };
    let them = if faults == 1 { "it" } else { "them" };
    let text = format!("no documentation was written, because of {faults} {plural}; correct {them} first");
    output.result(&text, &json!({"faults": faults}));
    false
}

/// The name of the project: that of the package at its root, if there is one.
fn title(root: &Path) -> String {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let manifest: toml_edit::DocumentMut = manifest.parse().unwrap_or_default();
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(|name| name.as_str());
    name.unwrap_or("Mappings").to_owned()
}

/// What changed since a revision.
fn since(root: &Path, name: &str, tree: &Tree) -> Result<Since, String> {
    let revision = Revision::check_out(root, name)?;
    let before = revision.tree()?;
    let mut unread: Vec<_> = before.faults.iter().map(|fault| fault.file.clone()).collect();
    unread.dedup();
    // What has faults is left out of a tree, and would look as if it were new.
    let changes = if unread.is_empty() { Changes::between(&before, tree) } else { Changes::default() };
    Ok(Since { revision: name.to_owned(), changes, unread })
}

/// Compares the committed digests with the project's.
fn compare(digests: &Digests, folder: &Path, shown: &str, output: &Output) -> Result<bool, String> {
    let found = digests.against(&committed(digests, folder)?);
    for (file, subject, standing) in &found {
        let (word, why) = match standing {
            Standing::Missing => ("missing", "it has no documentation yet"),
            Standing::Stale => ("stale", "it has changed since its documentation was made"),
            Standing::Leftover => ("leftover", "it does not exist any more, and its digest does"),
        };
        output.result(
            &format!("error: the documentation of {subject} is {word}: {why}\n  --> {shown}/{file}"),
            &json!({"file": format!("{shown}/{file}"), "subject": subject, "standing": word}),
        );
    }
    let (pages, count) = (digests.0.len(), found.len());
    let text = match count {
        0 => format!("the documentation of {pages} models and contracts is up to date"),
        1 => format!("\n1 of {pages} is not up to date; run `datahub docs` and commit {shown}"),
        _ => format!("\n{count} of {pages} are not up to date; run `datahub docs` and commit {shown}"),
    };
    output.result(&text, &json!({"pages": pages, "stale": count}));
    Ok(found.is_empty())
}

/// The texts of the committed digests by the names of their files: what stands where a digest belongs, and what else an earlier
/// run wrote. Other files of the folder are other people's.
pub(super) fn committed(digests: &Digests, folder: &Path) -> Result<BTreeMap<String, String>, String> {
    let failed = |error| format!("cannot read {}: {error}", folder.display());
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries.map_err(failed)?,
    };
    let mut committed = BTreeMap::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        // A name that is not UTF-8 is none of ours, and neither is a folder or a link.
        let (Ok(name), true) = (entry.file_name().into_string(), entry.file_type().map_err(failed)?.is_file()) else {
            continue;
        };
        if name.ends_with(ENDING) {
            let path = entry.path();
            let content = fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            if digests.0.contains_key(&name) || Digest::of_file(&name, &content).is_some() {
                committed.insert(name, String::from_utf8_lossy(&content).into_owned());
            }
        }
    }
    Ok(committed)
}

/// The committed digests, if none stands in place of a file of others. A merge may have left a digest on each side.
fn replaceable(digests: &Digests, folder: &Path) -> Result<BTreeMap<String, String>, String> {
    let committed = committed(digests, folder)?;
    for (name, text) in &committed {
        if !text.lines().any(|line| Digest::of_file(name, line.as_bytes()).is_some()) {
            return Err(format!(
                "{} exists and was not written by `datahub docs`; name another folder as `docs` in datahub.toml, or remove it",
                folder.join(name).display()
            ));
        }
    }
    Ok(committed)
}

/// Writes the digests that differ, and removes those of what does not exist any more; returns how many.
fn renew(digests: &Digests, old: &BTreeMap<String, String>, folder: &Path) -> Result<usize, String> {
    let mut renewed = 0;
    for (name, text) in digests.files().filter(|(name, text)| old.get(*name) != Some(text)) {
        folder::write_file(&folder.join(name), &text)?;
        renewed += 1;
    }
    for name in old.keys().filter(|name| !digests.0.contains_key(*name)) {
        let path = folder.join(name);
        fs::remove_file(&path).map_err(|error| format!("cannot remove {}: {error}", path.display()))?;
        renewed += 1;
    }
    Ok(renewed)
}
