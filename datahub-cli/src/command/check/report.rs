//! A finding as text with an excerpt of the source, as JSON, or as a command of GitHub's workflows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level as Shown, Renderer, Snippet};
use datahub_derive::tree::Edit;
use datahub_model::source::Spot;
use serde_json::{Value, json};

use super::checks::{Finding, Level};
use crate::output::{Format, Output};

/// The texts of files that findings are about, by their paths from the root.
pub(super) type Files = BTreeMap<String, String>;

/// A number of things.
pub(super) fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Prints a finding of a check.
pub(super) fn print(check: &str, finding: &Finding, files: &Files, places: &Places, output: &Output) {
    match output.format() {
        Format::Text => output.line(&text(finding, files)),
        Format::Json => output.line(&as_json(check, finding, files).to_string()),
        Format::Github => output.line(&places.command(finding, files)),
    }
}

/// The edit that corrects a finding, if it is safe to make.
pub(super) fn edit(finding: &Finding, files: &Files) -> Option<Edit> {
    finding.fault.edit(files.get(&finding.fault.file)?)
}

/// The message with an excerpt of the source, as rustc shows it.
fn text(finding: &Finding, files: &Files) -> String {
    let Finding { level, fault } = finding;
    let diagnostic = &fault.diagnostic;
    let title = format!("{}{}", diagnostic.message, diagnostic.code.bracketed());
    let shown = match level {
        Level::Error => Shown::ERROR,
        Level::Note => Shown::NOTE,
    };
    if *level == Level::Note && diagnostic.place.line == 0 {
        return Renderer::styled().render(&[Group::with_title(shown.primary_title(title))]).trim_end().to_owned();
    }
    let cure = Shown::HELP.message(diagnostic.cure.text.as_str());
    let excerpt = files.get(&fault.file).filter(|_| !finding.is_about_a_file()).map(|text| {
        Snippet::source(text.as_str())
            .path(fault.file.as_str())
            .annotation(AnnotationKind::Primary.span(fault.range.clone()))
    });
    let group = match excerpt {
        Some(excerpt) => shown.primary_title(title).element(excerpt).element(cure),
        None => shown.primary_title(title).element(cure),
    };
    format!("{}\n", Renderer::styled().render(&[group]))
}

fn as_json(check: &str, finding: &Finding, files: &Files) -> Value {
    let Finding { level, fault } = finding;
    let Spot { line, column, .. } = fault.diagnostic.place;
    let correction = edit(finding, files);
    let mut json = json!({
        "check": check,
        "level": level.name(),
        "file": fault.file,
        "line": line,
        "column": column,
        "range": [fault.range.start, fault.range.end],
        "code": fault.diagnostic.code.name(),
        "message": fault.diagnostic.message,
        "help": fault.diagnostic.cure.text,
        "fixable": correction.is_some(),
    });
    if let Some(Edit { range, text }) = correction {
        json["correction"] = json!({"range": [range.start, range.end], "text": text});
    }
    json
}

/// Where the project is in its repository: GitHub wants paths from there.
pub(super) struct Places {
    /// The path from the repository's root to the project's, with a slash at its end; empty if they are the same.
    before: String,
}

impl Places {
    pub(super) fn of(root: &Path) -> Self {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
        let repository = root.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_path_buf);
        let below: Option<PathBuf> = repository.and_then(|top| Some(root.strip_prefix(top).ok()?.to_path_buf()));
        let parts = below.iter().flat_map(|below| below.components());
        let before = parts.map(|part| format!("{}/", part.as_os_str().to_string_lossy())).collect();
        Places { before }
    }

    /// A workflow command, which annotates a line of a changed file.
    fn command(&self, finding: &Finding, files: &Files) -> String {
        let Finding { level, fault } = finding;
        let diagnostic = &fault.diagnostic;
        let name = match level {
            Level::Error => "error",
            Level::Note => "notice",
        };
        let file = property(&format!("{}{}", self.before, fault.file));
        let place = match files.get(&fault.file).filter(|_| diagnostic.place.line > 0) {
            Some(text) => {
                let end = Spot::at(text, fault.range.end);
                let Spot { line, column, .. } = diagnostic.place;
                format!(",line={line},endLine={},col={column},endColumn={}", end.line, end.column)
            }
            None => String::new(),
        };
        let title = property(&format!("datahub: {}", diagnostic.code));
        let message = data(&format!("{}\nhelp: {}", diagnostic.message, diagnostic.cure));
        format!("::{name} file={file}{place},title={title}::{message}")
    }
}

/// A text in a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a workflow command's property, which a comma or a colon would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_property_is_escaped() {
        assert_eq!(property("a: 100%,\r\nb"), "a%3A 100%25%2C%0D%0Ab");
        assert_eq!(data("a: 100%,\nb::c"), "a: 100%25,%0Ab::c");
    }

    #[test]
    fn paths_begin_at_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("services/hub");
        std::fs::create_dir_all(&project).unwrap();
        assert_eq!(Places::of(&project).before, "");
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        assert_eq!(Places::of(&project).before, "services/hub/");
        assert_eq!(Places::of(folder.path()).before, "");
    }
}
