//! `datahub migrate check`: whether models, schema and migrations agree.

use datahub_derive::project::Project;
use datahub_migrate::{Answers, Summary, folder_of, plan};
use serde_json::json;

use super::ask;
use super::fault::Fault;
use super::models;
use super::state::State;
use crate::output::Output;

pub(super) fn run(project: &Project, output: &Output) -> Result<bool, String> {
    let state = State::read(project)?;
    let edited: Vec<_> = state
        .migrations
        .iter()
        .flat_map(|(database, migrations)| migrations.iter().map(move |migration| (*database, migration)))
        .filter(|(_, migration)| migration.is_edited())
        .map(|(database, migration)| state.at(&format!("{}/{}/up.sql", folder_of(database), migration.name)))
        .collect();
    for path in &edited {
        output.note(&format!("{path} was edited since it was planned"));
    }
    let base = match state.base() {
        Ok(base) => base,
        Err(faults) => {
            Fault::print(&faults, output);
            return Ok(false);
        }
    };
    let needed = match models::needed(project)? {
        Ok(needed) => needed,
        Err(faults) => {
            Fault::print(&faults, output);
            return Ok(false);
        }
    };
    match plan(&base.snapshot, &needed, &Answers::default()) {
        Ok(planned) if planned.is_empty() => {}
        Ok(planned) => {
            let (message, help) = ("the models need a migration", "run `datahub migrate new`");
            let summary = Summary::of(&planned);
            let json = json!({ "place": state.shown, "message": message, "help": help, "changes": summary.changes });
            output.result(&format!("error: {}: {message}\nhelp: {help}\n\n{}", state.shown, summary.text()), &json);
            return Ok(false);
        }
        Err(undecided) => {
            let message = "the models need a migration, for which something must be decided";
            let mut json = ask::json(&undecided);
            json["message"] = message.into();
            output.result(&format!("error: {}: {message}\n\n{}", state.shown, ask::text(&undecided)), &json);
            return Ok(false);
        }
    }
    let count = state.migrations.first().map_or(0, |(_, migrations)| migrations.len());
    let databases: Vec<_> = state.migrations.iter().map(|(database, _)| folder_of(*database)).collect();
    let plural = if count == 1 { "migration" } else { "migrations" };
    output.result(
        &format!("models, schema and {count} {plural} for {} agree", databases.join(" and ")),
        &json!({ "migrations": count, "databases": databases, "edited": edited }),
    );
    Ok(true)
}
