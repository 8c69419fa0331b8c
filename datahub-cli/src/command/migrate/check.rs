//! `datahub migrate check`: whether models, schema and migrations agree.

use datahub_derive::project::Project;
use datahub_derive::tree::Tree;
use datahub_migrate::{Answers, Plan, Summary, Undecided, folder_of, plan};
use serde_json::json;

use super::ask;
use super::fault::Fault;
use super::models;
use super::state::State;
use crate::output::Output;

/// How models stand to migrations.
enum Standing {
    Agree,
    /// The files of the migrations do not agree with each other, or the models have faults.
    Faulty(Vec<Fault>),
    /// A migration is needed.
    Needed(Box<Plan>),
    /// A migration is needed, for which something must be decided.
    Undecided(Undecided),
}

impl Standing {
    fn of(state: &State, project: &Project, tree: &Tree) -> Self {
        let compared = state.base().and_then(|base| {
            let needed = models::needed_by(project, tree)?;
            Ok(plan(&base.snapshot, &needed, &Answers::default()))
        });
        match compared {
            Err(faults) => Standing::Faulty(faults),
            Ok(Ok(planned)) if planned.is_empty() => Standing::Agree,
            Ok(Ok(planned)) => Standing::Needed(Box::new(planned)),
            Ok(Err(undecided)) => Standing::Undecided(undecided),
        }
    }
}

pub(super) fn run(project: &Project, output: &Output) -> Result<bool, String> {
    let state = State::read(project)?;
    let edited: Vec<_> = state
        .migrations
        .iter()
        .flat_map(|(database, migrations)| migrations.iter().map(move |migration| (*database, migration)))
        .filter(|(_, migration)| migration.is_edited())
        .map(|(database, migration)| state.at(&format!("{}/{}", folder_of(database), migration.name)))
        .collect();
    for path in &edited {
        output.note(&format!("{path} was edited since it was planned"));
    }
    let tree = Tree::read(project).map_err(|error| error.to_string())?;
    match Standing::of(&state, project, &tree) {
        Standing::Agree => {}
        Standing::Faulty(faults) => {
            Fault::print(&faults, output);
            return Ok(false);
        }
        Standing::Needed(planned) => {
            let (message, help) = ("the models need a migration", "run `datahub migrate new`");
            let summary = Summary::of(&planned);
            let json = json!({ "place": state.shown, "message": message, "help": help, "changes": summary.changes });
            output.result(&format!("error: {}: {message}\nhelp: {help}\n\n{}", state.shown, summary.text()), &json);
            return Ok(false);
        }
        Standing::Undecided(undecided) => {
            let message = "the models need a migration, for which something must be decided";
            let mut json = ask::json(&undecided);
            json["message"] = message.into();
            output.result(&format!("error: {}: {message}\n\n{}", state.shown, ask::text(&undecided)), &json);
            return Ok(false);
        }
    }
    let count = state.count();
    let databases: Vec<_> = state.migrations.iter().map(|(database, _)| folder_of(*database)).collect();
    let plural = if count == 1 { "migration" } else { "migrations" };
    output.result(
        &format!("models, schema and {count} {plural} for {} agree", databases.join(" and ")),
        &json!({ "migrations": count, "databases": databases, "edited": edited }),
    );
    Ok(true)
}

/// A project's migrations, for `datahub check`.
pub(crate) struct Migrations(State);

impl Migrations {
    /// Reads them; `None` if there is nothing in their folder.
    ///
    /// # Errors
    ///
    /// A file that exists and cannot be read.
    pub(crate) fn read(project: &Project) -> Result<Option<Self>, String> {
        let state = State::read(project)?;
        Ok((!state.is_empty()).then_some(Migrations(state)))
    }

    /// How many there are for one database.
    pub(crate) fn count(&self) -> usize {
        self.0.count()
    }

    /// What is left to do before they agree with the models of a tree; nothing if they do.
    pub(crate) fn left(&self, project: &Project, tree: &Tree) -> Vec<String> {
        match Standing::of(&self.0, project, tree) {
            Standing::Agree => Vec::new(),
            Standing::Faulty(faults) => faults.iter().map(Fault::in_one_line).collect(),
            Standing::Needed(_) => vec!["the models need another one; run `datahub migrate new`".to_owned()],
            Standing::Undecided(_) => {
                let left =
                    "the models need another one, for which something must be decided; run `datahub migrate new`";
                vec![left.to_owned()]
            }
        }
    }
}
