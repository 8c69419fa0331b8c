//! `datahub check`: the same validation as the derive's, for all contracts at once.

use std::path::Path;

use datahub_derive::project::{ContractFile, Project};
use datahub_model::diagnostic::Diagnostic;
use datahub_model::source::{Contract, Spot};
use serde_json::json;

use crate::output::Output;

/// Checks every contract of the project; returns whether none has a fault.
pub(crate) fn run(root: &Path, output: &Output) -> Result<bool, String> {
    let project = Project::open(root).map_err(|error| error.to_string())?;
    // Without the snapshot the contracts are checked by themselves, and the missing snapshot is reported at the end.
    let (metadata, unread) = match project.snapshot() {
        Ok(snapshot) => (snapshot.map(|snapshot| snapshot.metadata), None),
        Err(why) => (None, Some(why.to_string())),
    };
    let names = project.contract_names().map_err(|error| error.to_string())?;
    if names.is_empty() {
        return Err(format!(
            "{} has no contracts; a contract is a file such as account.toml, and `contracts` in datahub.toml names the \
             folder",
            project.contracts().display()
        ));
    }
    let (mut faults, mut reports) = (0, Vec::new());
    for name in &names {
        let ContractFile { shown, text, .. } = project.contract(name).map_err(|error| error.to_string())?;
        let (_, diagnostics) = Contract::parse_beside(&text, metadata.as_deref()).into_parts();
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
        "help": diagnostic.cure.text,
    })
}
