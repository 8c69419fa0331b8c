//! A PostgreSQL for the tests: the server that the environment names, or a private cluster on a free port.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::check::say;
use crate::package::{self, is_root};

/// A server to test on. Dropping it ends a private server and removes its files.
pub(crate) struct Server {
    url: String,
    private: Option<Private>,
}

struct Private {
    process: Child,
    folder: PathBuf,
}

/// Whether a private server's commits wait for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// They do not: the tests kill programs but not the machine.
    Forgone,
    /// They do, as on a server with PostgreSQL's own settings.
    Kept,
}

/// The variable with the address of a server.
pub(crate) const URL: &str = "DATAHUB_TESTS_POSTGRES";

/// How long a new server may take to accept connections.
const PATIENCE: Duration = Duration::from_secs(60);

impl Server {
    /// The server that the environment names, or a private cluster. Missing programs are installed from the
    /// distribution's packages if this user may do so. `None` if PostgreSQL is left out on purpose.
    pub(crate) fn start() -> Result<Option<Self>, String> {
        match wanted(|variable| std::env::var(variable).ok())? {
            Wanted::None => {
                say("DATAHUB_TESTS=sqlite-only: PostgreSQL is not tested");
                return Ok(None);
            }
            Wanted::Given(url) => return Ok(Some(Server { url, private: None })),
            Wanted::Private => {}
        }
        private(&found_or_installed()?, Durability::Forgone).map(Some)
    }

    /// A private cluster, also if the environment names a server. `None` if PostgreSQL is left out on purpose.
    pub(crate) fn private(durability: Durability) -> Result<Option<Self>, String> {
        match wanted(|variable| std::env::var(variable).ok())? {
            Wanted::None => Ok(None),
            Wanted::Given(_) | Wanted::Private => private(&found_or_installed()?, durability).map(Some),
        }
    }

    /// The address of the server, for the tests.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// Which server to use.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    /// None, on purpose.
    None,
    /// The server at this address.
    Given(String),
    /// A private server.
    Private,
}

/// Which server the environment selects.
fn wanted(variable: impl Fn(&str) -> Option<String>) -> Result<Wanted, String> {
    if variable("DATAHUB_TESTS").as_deref() == Some("sqlite-only") {
        let is_ci = variable("CI").is_some();
        return if is_ci {
            Err("CI never leaves PostgreSQL out; unset DATAHUB_TESTS".to_owned())
        } else {
            Ok(Wanted::None)
        };
    }
    Ok(variable(URL).map_or(Wanted::Private, Wanted::Given))
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(Private { process, folder }) = &mut self.private {
            // Its data is not needed any more, so it is killed.
            _ = process.kill();
            _ = process.wait();
            _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// The folder with `initdb` and `postgres`: on the path, or where Debian and others put them.
fn programs() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&on_path).collect();
    for (root, tail) in [("/usr/lib/postgresql", "bin"), ("/usr/local/opt", "bin"), ("/opt/homebrew/opt", "bin")] {
        let versions = std::fs::read_dir(root).into_iter().flatten().flatten();
        let mut found: Vec<_> = versions.map(|version| version.path().join(tail)).collect();
        // The newest first.
        found.sort();
        folders.extend(found.into_iter().rev());
    }
    folders.into_iter().find(|folder| ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file()))
}

/// The folder with PostgreSQL's programs, which are installed if they are missing.
fn found_or_installed() -> Result<PathBuf, String> {
    if let Some(programs) = programs() {
        return Ok(programs);
    }
    install()?;
    programs().ok_or_else(|| {
        "the package postgresql is installed, but initdb and postgres are not in a known folder".to_owned()
    })
}

fn install() -> Result<(), String> {
    let advice = format!(
        "PostgreSQL is not installed; install it (on Debian: apt-get install postgresql), or set {URL} to a server's \
         address, or set DATAHUB_TESTS=sqlite-only to leave it out on purpose"
    );
    package::install("postgresql").map_err(|()| advice)
}

fn private(programs: &Path, durability: Durability) -> Result<Server, String> {
    let port = free_port().map_err(|error| format!("no free port: {error}"))?;
    let folder = std::env::temp_dir().join(format!("datahub-postgres-{}-{port}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let data = folder.join("data");
    if is_root() {
        passed(Command::new("chown").arg(UNPRIVILEGED).arg(&folder))?;
    }
    let mut initdb = unprivileged(&programs.join("initdb"));
    initdb.arg("-D").arg(&data).args(["-U", "datahub", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]);
    passed(initdb.stdout(Stdio::null()))?;
    let log_path = folder.join("log");
    let log = std::fs::File::create(&log_path).map_err(|error| error.to_string())?;
    let mut postgres = unprivileged(&programs.join("postgres"));
    postgres.arg("-D").arg(&data).args(["-p", &port.to_string()]);
    let forgone: &[&str] = match durability {
        Durability::Forgone => &["fsync=off", "synchronous_commit=off", "full_page_writes=off"],
        Durability::Kept => &[],
    };
    let settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=400"];
    for setting in settings.iter().chain(forgone) {
        postgres.args(["-c", setting]);
    }
    let process = postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
    let process = process.map_err(|error| format!("cannot start postgres: {error}"))?;
    let url = format!("postgres://datahub@127.0.0.1:{port}/postgres");
    let server = Server { url, private: Some(Private { process, folder }) };
    let begun = Instant::now();
    // It accepts connections a moment before it can serve them; the log says when it can.
    let is_ready = || std::fs::read_to_string(&log_path).is_ok_and(|log| log.contains("ready to accept connections"));
    while !is_ready() {
        if begun.elapsed() > PATIENCE {
            let log = std::fs::read_to_string(&log_path).unwrap_or_default();
            return Err(format!("the private PostgreSQL did not start; its log:\n{log}"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(server)
}

/// The user that PostgreSQL runs as if this is root, as which it refuses to run.
const UNPRIVILEGED: &str = "nobody";

fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", UNPRIVILEGED, "--regid", "nogroup", "--clear-groups", "--"]).arg(program);
    // It complains about a working directory that this user cannot enter.
    command.current_dir("/");
    command
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn passed(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().display().to_string();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program}: {status}")),
        Err(error) => Err(format!("cannot run {program}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(set: &[(&str, &str)]) -> Result<Wanted, String> {
        let value = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        wanted(value)
    }

    #[test]
    fn postgresql_is_left_out_only_on_purpose_and_never_by_ci() {
        assert_eq!(of(&[]), Ok(Wanted::Private));
        assert_eq!(of(&[("DATAHUB_TESTS", "")]), Ok(Wanted::Private));
        assert_eq!(of(&[(URL, "postgres://here")]), Ok(Wanted::Given("postgres://here".to_owned())));
        assert_eq!(of(&[("DATAHUB_TESTS", "sqlite-only"), (URL, "postgres://here")]), Ok(Wanted::None));
        let refused = of(&[("DATAHUB_TESTS", "sqlite-only"), ("CI", "true")]).unwrap_err();
        assert!(refused.contains("unset DATAHUB_TESTS"), "{refused}");
        assert_eq!(of(&[("CI", "true")]), Ok(Wanted::Private));
    }
}
