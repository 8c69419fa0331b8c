//! `datahub check`: the same validation as the derive's, for all contracts at once.

use std::fs;
use std::path::Path;

use cdms_odata::metadata::Metadata;
use datahub_model::diagnostic::Diagnostic;
use datahub_model::source::{Contract, Project, Spot};
use serde_json::json;

use crate::output::Output;

/// Checks every contract of the project; whether all are faultless.
pub(crate) fn run(root: &Path, output: &Output) -> Result<bool, String> {
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let project = Project::parse(&read(&root.join("datahub.toml"))?).map_err(|fault| fault.render("datahub.toml"))?;
    let snapshot = |path: &String| {
        read(&root.join(path)).and_then(|text| Metadata::parse(&text).map_err(|error| format!("{path}: {error}")))
    };
    // Without the snapshot the contracts are checked by themselves, and that it is lacking is told at the end.
    let (metadata, unread) = match project.metadata.as_ref().map(snapshot).transpose() {
        Ok(metadata) => (metadata, None),
        Err(reason) => (None, Some(reason)),
    };
    let folder = root.join(&project.contracts);
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<_> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "toml"))
        .collect();
    if names.is_empty() {
        return Err(format!(
            "{} has no contract; a contract is a file such as account.toml, and `contracts` in datahub.toml says in which \
             folder they are",
            folder.display()
        ));
    }
    names.sort();
    let (mut faults, mut reports) = (0, Vec::new());
    for name in &names {
        let shown = format!("{}/{name}", project.contracts);
        let (_, diagnostics) = Contract::parse_beside(&read(&folder.join(name))?, metadata.as_ref()).into_parts();
        faults += diagnostics.len();
        reports.extend(diagnostics.into_iter().map(|diagnostic| (shown.clone(), diagnostic)));
    }
    for (shown, diagnostic) in &reports {
        output.result(&format!("error: {}\n", diagnostic.render(shown)), &as_json(shown, diagnostic));
    }
    let against = if metadata.is_some() { "by themselves and against $metadata" } else { "by themselves" };
    let plural = if faults == 1 { "fault" } else { "faults" };
    output.result(
        &format!("{} contracts checked {against}: {faults} {plural}", names.len()),
        &json!({"contracts": names.len(), "faults": faults, "metadata": metadata.is_some()}),
    );
    unread.map_or(Ok(faults == 0), Err)
}

fn as_json(shown: &str, diagnostic: &Diagnostic<Spot>) -> serde_json::Value {
    json!({
        "contract": shown,
        "line": diagnostic.place.line,
        "column": diagnostic.place.column,
        "code": diagnostic.code.name(),
        "message": diagnostic.message,
        "help": diagnostic.cure.text(),
    })
}
