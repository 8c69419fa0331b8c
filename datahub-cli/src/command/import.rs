//! `datahub import`: contracts from what CDMS says of its entities, merged with what people wrote.

mod addresses;
mod files;
mod models;
mod plan;
mod report;
mod sources;

use std::path::Path;

use clap::Args;
use datahub_derive::project::Project;
use datahub_import::{Remark, Source, Unwanted, Wanted, unite, unwanted};

use crate::fetch::Login;
use crate::output::Output;
use files::Writing;
use sources::Sources;

/// The options of `datahub import`.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  datahub import metadata.xml --entity Account --entity Contact   first contracts of two entities
  datahub import --live --soap --all                              all entities of the CDMS in datahub.toml, logged in
  datahub import https://crm.example.gov.uk/ORG --all             all entities of the CDMS at an address
  datahub import OurSolution_1_0.zip                              lengths, options and targets, once exported
  datahub import --entity optevia_sector --model                  from the snapshot, with a first Rust struct
  datahub import metadata.xml --dry-run                           what CDMS changed since the last import

Sources are recognised by their contents:
  $metadata       save https://…/XRMServices/2011/OrganizationData.svc/$metadata in a browser that is logged in
  a solution      its zip, or the customizations.xml in it; export it in CDMS: Settings, Solutions
  SOAP replies    of the organisation service to RetrieveEntity, saved
If none of them is $metadata, the project's snapshot is read, too.

A contract keeps what people wrote in it. `mappings/imported/` holds what CDMS said at the last import; commit it.

Exit codes: 0 fine, 1 conflicts or contradictions were found, 2 a file or an option cannot be used.")]
pub(crate) struct Options {
    /// Files, or addresses: $metadata or the organisation's root, or its SOAP service, which is then asked about each entity.
    #[arg(value_name = "FILE|URL")]
    sources: Vec<String>,
    /// Reads $metadata of the CDMS that `[cdms]` in datahub.toml names, with the login that it states.
    #[arg(long)]
    live: bool,
    /// Asks the SOAP service of that CDMS about each entity.
    #[arg(long)]
    soap: bool,
    #[command(flatten)]
    pub(crate) login: Login,
    /// An entity, by its name or its logical name; may be repeated. Without one, the contracts that exist are imported again.
    #[arg(long = "entity", value_name = "NAME")]
    entities: Vec<String>,
    /// Imports every entity.
    #[arg(long, conflicts_with = "entities")]
    all: bool,
    /// Also writes a first Rust struct for each contract that no model uses.
    #[arg(long)]
    model: bool,
    /// Also adds the attributes that CDMS has and an existing contract does not mention.
    #[arg(long)]
    complete: bool,
    /// The time zone of CDMS's users, such as `Europe/London`, for attributes that hold a day.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Decides all conflicts for the contracts: they stay as they are, and the conflicts are not reported again.
    #[arg(long)]
    keep: bool,
    /// Shows what would be written, and writes nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Imports; returns whether nothing is left to a person's decision.
pub(crate) fn run(root: &Path, options: &Options, output: &Output) -> Result<bool, String> {
    let project = Project::open(root).map_err(|error| error.to_string())?;
    let names = wanted_names(options, &plan::existing(&project)?)?;
    let zone = options.zone.clone().map(known_zone).transpose()?;
    let wanted = Wanted { entities: names, zone };
    let are_named = !options.entities.is_empty();
    let Sources { sources, new_snapshot, remarks } = sources::read(&project, options, &wanted, are_named)?;
    let mut united = unite(&sources, &wanted)?;
    united.remarks.extend(remarks);
    if !are_named {
        united.remarks.extend(passed_over(unwanted(&sources, &wanted)));
    }
    // Sources may take minutes to arrive, and people edit contracts meanwhile.
    let contracts = plan::existing(&project)?;
    let organisation = sources.iter().find_map(Source::metadata).map(|(metadata, _)| metadata);
    let mut plans = plan::plans(&project, &contracts, &united, organisation, options)?;
    let models = if options.model { models::plan(&project, &mut plans, &united, organisation)? } else { Vec::new() };
    let mut writing = Writing::begin(&project, options.dry_run)?;
    let unfinished = writing.unfinished().to_vec();
    writing.expect(plans.iter().filter(|plan| plan.is_changed()).map(|plan| plan.file.clone()))?;
    let snapshot = sources::save_snapshot(&project, new_snapshot, &mut writing)?;
    for plan in &plans {
        plan.write(&mut writing)?;
    }
    for model in &models {
        model.write(&mut writing)?;
    }
    let left = writing.end(plans.iter().map(|plan| plan.file.as_str()))?;
    let report = report::Report {
        project: &project,
        united: &united,
        plans: &plans,
        models: &models,
        snapshot: snapshot.as_deref(),
        unfinished: &unfinished,
        left: &left,
        is_dry: options.dry_run,
    };
    Ok(report.print(output))
}

/// The entities that are asked for; `None` for all of them.
fn wanted_names(options: &Options, contracts: &[plan::Existing]) -> Result<Option<Vec<String>>, String> {
    if options.all {
        return Ok(None);
    }
    if !options.entities.is_empty() {
        return Ok(Some(options.entities.clone()));
    }
    if contracts.is_empty() {
        return Err("which entities? name them with `--entity Account`, or import all with `--all`".to_owned());
    }
    Ok(Some(contracts.iter().map(|contract| contract.entity.clone()).collect()))
}

/// What a person should know of the entities that a source describes and that have no contract.
fn passed_over(Unwanted { known, lacked }: Unwanted) -> Vec<Remark> {
    let known = match known.as_slice() {
        [] => None,
        [one] => {
            Some(format!("the sources also describe {one}, which has no contract: add `--entity {one}` or `--all`"))
        }
        several => Some(format!(
            "the sources also describe {}, which have no contract: name them with `--entity`, or add `--all`",
            report::listed(several)
        )),
    };
    let remark = |text| Remark { entity: None, text, is_contradiction: false };
    known.into_iter().chain(lacked.iter().map(ToString::to_string)).map(remark).collect()
}

/// A time zone that a contract can state.
fn known_zone(zone: String) -> Result<String, String> {
    let contract = format!("entity = \"A\"\n[attributes]\nA = {{ kind = \"date\", zone = {zone:?} }}\n");
    match datahub_model::source::Contract::parse(&contract).into_result() {
        Ok(_) => Ok(zone),
        Err(faults) => {
            let fault = faults.into_iter().next().map(|fault| format!("{}; {}", fault.message, fault.cure));
            Err(format!("`--zone`: {}", fault.unwrap_or_default()))
        }
    }
}
