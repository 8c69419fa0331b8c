//! `datahub check --fix`: makes the corrections that bring no other fault.
//!
//! A correction brings a fault if the derive would report it, or if a type does not fit at the corrected field, or if models of
//! a program clash because of the corrected keys of one of them.
//!
//! Corrections are tried on a copy of the project, again and again until none is left, because one may make another possible.
//! Only files of which all corrections hold are written, each at once and only if it has not changed meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use datahub_derive::project::Project;
use datahub_derive::tree::{Edit, Fault, Tree, Written, edited};
use datahub_model::diagnostic::Code;
use datahub_model::source::Spot;
use serde_json::json;
use similar::TextDiff;

use super::report::counted;
use super::scratch::Scratch;
use crate::file::{self, Before};
use crate::output::Output;

/// How often corrections are made again; each makes at least one.
const ROUNDS: usize = 20;

/// Corrects a project's files, or shows what would be corrected; returns whether there is anything to correct.
pub(super) fn run(project: &Project, tree: &Tree, is_trial: bool, output: &Output) -> Result<bool, String> {
    let corrections = Corrections::of(project, tree)?;
    for Known { file, line, message } in &corrections.left {
        let text = format!("not corrected, because other faults would follow: {file}:{line}: {message}");
        output.result(&text, &json!({"not_corrected": file, "line": line, "message": message}));
    }
    let changed: Vec<_> = corrections.files.iter().filter(|(file, text)| tree.files.get(*file) != Some(text)).collect();
    for (file, text) in &changed {
        let before = &tree.files[*file];
        if is_trial {
            let diff = TextDiff::from_lines(before.as_str(), text.as_str());
            let diff = diff.unified_diff().header(&format!("a/{file}"), &format!("b/{file}")).to_string();
            output.result(diff.trim_end(), &json!({"would_correct": file, "diff": diff}));
        } else {
            write(&project.root().join(file), before, text)?;
            output.result(&format!("corrected {file}"), &json!({"corrected": file}));
        }
    }
    let number = counted(corrections.number, "correction");
    let text = if is_trial { format!("{number} would be made\n") } else { format!("{number} made\n") };
    output.result(&text, &json!({"corrections": corrections.number, "dry_run": is_trial}));
    Ok(!changed.is_empty())
}

/// The corrections that hold.
struct Corrections {
    /// The texts of all files afterwards.
    files: BTreeMap<String, String>,
    number: usize,
    /// Those that would bring other faults.
    left: Vec<Known>,
}

/// Corrections that were tried, and hold: the texts that changed, and how many there were.
struct Tried {
    texts: BTreeMap<String, String>,
    number: usize,
}

/// A fault, as it is recognised in a text that has changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Known {
    file: String,
    /// It stays the same, because a correction never makes or removes a line.
    line: usize,
    message: String,
}

/// Faults by file and message, without their places, which change.
type Faults = BTreeMap<(String, String), usize>;

impl Corrections {
    fn of(project: &Project, tree: &Tree) -> Result<Self, String> {
        let scratch = Scratch::of(project, tree)?;
        let mut made = Corrections { files: tree.files.clone(), number: 0, left: Vec::new() };
        let correctable =
            |tree: &Tree| tree.faults.iter().filter(|fault| edit(fault, tree).is_some()).cloned().collect();
        let all: Vec<Fault> = correctable(tree);
        if all.is_empty() {
            return Ok(made);
        }
        if let Some(Tried { texts, number }) = tried(&scratch, tree, &all)? {
            made.files.extend(texts);
            made.number = number;
            return Ok(made);
        }
        // At least one brings another fault: each is tried by itself, on top of those that hold.
        let (mut now, mut refused) = (scratch_reset(&scratch, tree)?, BTreeSet::new());
        while let Some(fault) =
            now.faults.iter().find(|fault| edit(fault, &now).is_some() && !refused.contains(&known(fault)))
        {
            let fault = fault.clone();
            match tried(&scratch, &now, std::slice::from_ref(&fault))? {
                Some(Tried { texts, number }) => {
                    made.files.extend(texts);
                    made.number += number;
                    now = scratch.tree()?;
                }
                None => {
                    refused.insert(known(&fault));
                    made.left.push(known(&fault));
                    now = scratch_reset(&scratch, &now)?;
                }
            }
        }
        Ok(made)
    }
}

/// Puts the copy back to a tree.
fn scratch_reset(scratch: &Scratch, tree: &Tree) -> Result<Tree, String> {
    scratch.write_all(&tree.files)?;
    scratch.tree()
}

/// Makes corrections in the copy, and those that they make possible; returns the texts that changed and the number of
/// corrections, or nothing if a fault appears that was not there before.
fn tried(scratch: &Scratch, before: &Tree, first: &[Fault]) -> Result<Option<Tried>, String> {
    let known = faults_of(before);
    let known_of_whole = counted_by_key(&of_whole_models(before));
    let (mut after, mut number) = (BTreeMap::new(), 0);
    let mut corrected = BTreeSet::new();
    let mut tree = before.clone();
    let mut wanted: Vec<Fault> = first.to_vec();
    for _ in 0..ROUNDS {
        let edits = edits(&wanted, &tree);
        if edits.is_empty() {
            break;
        }
        number += edits.values().map(Vec::len).sum::<usize>();
        for (file, edits) in &edits {
            let text = &tree.files[file];
            corrected.extend(edits.iter().map(|edit| (file.clone(), Spot::at(text, edit.range.start).line)));
        }
        let texts = edits.into_iter().map(|(file, edits)| {
            let text = edited(&tree.files[&file], edits);
            (file, text)
        });
        let texts: BTreeMap<_, _> = texts.collect();
        scratch.write_all(&texts)?;
        after.extend(texts);
        tree = scratch.tree()?;
        // What was at fault before and is not corrected now stays for its own turn.
        let mut left = known.clone();
        wanted = tree.faults.iter().filter(|fault| !take(&mut left, fault)).cloned().collect();
    }
    let is_more = |now: &Faults, before: &Faults| {
        now.iter().any(|(fault, times)| before.get(fault).is_none_or(|known| times > known))
    };
    let brought: Vec<Fault> =
        of_whole_models(&tree).into_iter().filter(|fault| is_at(fault, &corrected, &tree)).collect();
    let is_worse = is_more(&faults_of(&tree), &known) || is_more(&counted_by_key(&brought), &known_of_whole);
    Ok((!is_worse).then_some(Tried { texts: after, number }))
}

/// The faults that are only seen in models that have no other.
fn of_whole_models(tree: &Tree) -> Vec<Fault> {
    [tree.type_faults(), tree.program_faults()].concat()
}

/// Whether such a fault is where something was corrected: at the field whose type does not fit, or at the keys of a model that
/// clashes with another. Elsewhere the fault was there before, and was only hidden by the one that is corrected.
fn is_at(fault: &Fault, corrected: &BTreeSet<(String, usize)>, tree: &Tree) -> bool {
    let is_corrected = |written: &Written| {
        let line = |at: usize| Spot::at(&tree.files[&written.file], at).line;
        let lines = line(written.range.start)..=line(written.range.end);
        corrected.iter().any(|(file, line)| *file == written.file && lines.contains(line))
    };
    if fault.diagnostic.code == Code::ModelsClash {
        let mut named =
            tree.models.iter().filter(|model| fault.diagnostic.message.contains(&format!("`{}`", model.name())));
        return named.any(|model| {
            let in_a_field = model.fields.iter().any(|field| is_corrected(&field.written));
            is_corrected(&model.written) && !in_a_field
        });
    }
    let mut fields = tree.models.iter().flat_map(|model| &model.fields).map(|field| &field.written);
    fields.any(|field| field.file == fault.file && field.range.contains(&fault.range.start) && is_corrected(field))
}

/// The edits of faults, by file; overlapping ones once.
fn edits(faults: &[Fault], tree: &Tree) -> BTreeMap<String, Vec<Edit>> {
    let mut edits: BTreeMap<String, Vec<Edit>> = BTreeMap::new();
    for fault in faults {
        let Some(edit) = edit(fault, tree) else { continue };
        let of_file = edits.entry(fault.file.clone()).or_default();
        if of_file.iter().all(|other| other.range.end <= edit.range.start || edit.range.end <= other.range.start) {
            of_file.push(edit);
        }
    }
    edits
}

/// The edit of a fault, unless its file has conflicts of a merge.
fn edit(fault: &Fault, tree: &Tree) -> Option<Edit> {
    let text = tree.files.get(&fault.file)?;
    let in_conflict = text.lines().any(|line| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> "));
    fault.edit(text).filter(|_| !in_conflict)
}

fn known(fault: &Fault) -> Known {
    let Fault { file, diagnostic, .. } = fault;
    Known { file: file.clone(), line: diagnostic.place.line, message: diagnostic.message.clone() }
}

fn key(fault: &Fault) -> (String, String) {
    (fault.file.clone(), fault.diagnostic.message.clone())
}

fn faults_of(tree: &Tree) -> Faults {
    counted_by_key(&tree.faults)
}

fn counted_by_key(all: &[Fault]) -> Faults {
    let mut faults = Faults::new();
    all.iter().for_each(|fault| *faults.entry(key(fault)).or_default() += 1);
    faults
}

/// Whether a fault is among these; it is taken away from them.
fn take(faults: &mut Faults, fault: &Fault) -> bool {
    match faults.get_mut(&key(fault)) {
        Some(times) if *times > 0 => {
            *times -= 1;
            true
        }
        _ => false,
    }
}

/// Writes a file if it still has the text that was corrected.
fn write(path: &Path, before: &str, after: &str) -> Result<(), String> {
    const MARK: &str = "\u{feff}";
    let now = fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let has_mark = now.strip_prefix(MARK) == Some(before);
    let (mark, expected) = if has_mark { (MARK, now.as_str()) } else { ("", before) };
    Ok(file::write(path, &format!("{mark}{after}"), Before::Text(expected))?)
}
