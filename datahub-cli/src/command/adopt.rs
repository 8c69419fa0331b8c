//! `datahub adopt`: takes over a copy of another environment's database.

use std::path::Path;

use clap::Args;
use datahub_derive::project::Project;
use datahub_runtime::{ErrorKind, environment};
use serde_json::json;

use super::address::Address;
use super::migrate::progress;
use crate::output::Output;

/// What to take over.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Exit codes: 0 taken over, 1 the database is not the copy that was named, 2 an option or the database cannot be used.

Examples:
  datahub adopt staging --from production    after production's backup was restored for staging
  datahub adopt ada --database sqlite://copy.db
                                             a copy of a database that belongs to no environment"
)]
pub(crate) struct Options {
    /// The environment that the copy belongs to from now on; its programs state it with `.environment(…)`.
    name: String,
    /// The environment of the original.
    #[arg(long, value_name = "NAME")]
    from: Option<String>,
    #[command(flatten)]
    address: Address,
}

/// Takes it over; returns whether it was the copy that was named.
pub(crate) fn run(root: &Path, options: &Options, output: &Output) -> Result<bool, String> {
    let project = Project::open(root).map_err(|error| error.to_string())?;
    if options.name.trim().is_empty() {
        return Err("the environment has no name; write `datahub adopt NAME`".to_owned());
    }
    let located = options.address.locate(&project)?;
    let adopt = environment::adopt(located.url, &options.name);
    let adopt = match &options.from {
        Some(from) => adopt.from(from),
        None => adopt,
    };
    match progress::wait(adopt.into_future())? {
        Ok(adopted) => {
            let closed = match adopted.closed {
                0 => "no write was open".to_owned(),
                1 => "1 write was open, and is closed unsent".to_owned(),
                count => format!("{count} writes were open, and are closed unsent"),
            };
            let text = format!(
                "the database belongs to `{}` now; {closed}\nits hubs read from CDMS and do not write to it; start their \
                 programs again, with `.environment({:?})`",
                options.name, options.name
            );
            output.result(&text, &json!({"environment": options.name, "from": adopted.from, "closed": adopted.closed}));
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::Misconfigured => {
            output.error(&error.to_string());
            Ok(false)
        }
        Err(error) => Err(error.to_string()),
    }
}
