//! What people see, in a real browser: the generated documentation, of the example domain and of a project of a real CDMS's
//! size, and the example application, running on a simulated CDMS.
//!
//! Chromium and Node come from the distribution's packages, the driver and axe from npm with a committed lock file; what is
//! missing is installed if this user may do so.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::check::{passed, say};
use crate::many;
use crate::package;
use crate::source::root;

/// What can be opened in a browser.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum What {
    /// The generated documentation.
    Documentation,
    /// The example application.
    Application,
}

/// Makes both sites and checks them.
pub(crate) fn documentation_works() -> Result<(), String> {
    let folder = root().join("target/browser");
    let tests = installed(&folder.join("node"))?;
    let (whole, many) = (folder.join("whole"), folder.join("many"));
    documentation(root(), &whole, None)?;
    let project = folder.join("many-project");
    many::write(&project, many::ENTITIES)?;
    commit(&project)?;
    remodel(&project)?;
    documentation(&project, &many, Some("HEAD"))?;
    for (site, kind) in [(&whole, "whole"), (&many, "many")] {
        let mut check = Command::new("node");
        check.arg(tests.join("documentation.mjs")).arg(site).arg(kind).arg(folder.join("screenshots"));
        passed(&mut check)?;
    }
    Ok(())
}

/// Starts the example application, tries everything that people do with it, and ends it.
pub(crate) fn application_works() -> Result<(), String> {
    let folder = root().join("target/browser");
    let tests = installed(&folder.join("node"))?;
    let application = Application::start()?;
    let mut check = Command::new("node");
    check.arg(tests.join("crm.mjs")).args([&application.address, &application.control]);
    passed(check.arg(folder.join("screenshots")))?;
    application.stop()
}

/// The example application on a new database and a simulated CDMS. Dropping it ends it.
struct Application {
    process: Child,
    address: String,
    control: String,
}

/// The seed of the application's records; `DATAHUB_SEED` is another one.
const SEED: &str = "19";

/// How long the application may take to serve, and to end.
const PATIENCE: Duration = Duration::from_secs(180);

impl Application {
    fn start() -> Result<Self, String> {
        passed(cargo().args(["build", "--quiet", "--package", "example-crm"]))?;
        let seed = std::env::var("DATAHUB_SEED").unwrap_or_else(|_| SEED.to_owned());
        let mut command = cargo();
        command.args(["run", "--quiet", "--package", "example-crm", "--", "--listen=127.0.0.1:0"]);
        let process = command.arg(format!("--seed={seed}")).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let process = process.map_err(|error| format!("cannot start the application: {error}"))?;
        let mut application = Application { process, address: String::new(), control: String::new() };
        let lines = application.lines()?;
        application.address = stated(&lines, "Data Hub CRM: ")?;
        application.control = stated(&lines, "CDMS control: ")?;
        say(&format!("the application serves {}, with records from the seed {seed}", application.address));
        Ok(application)
    }

    /// Ends it as a service manager does. It must finish what it does, and end well.
    fn stop(mut self) -> Result<(), String> {
        passed(Command::new("kill").arg(self.process.id().to_string()))?;
        let until = Instant::now() + PATIENCE;
        loop {
            match self.process.try_wait().map_err(|error| format!("cannot wait for the application: {error}"))? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("the application ended with {status}")),
                None if Instant::now() > until => return Err("the application does not end".to_owned()),
                None => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// The lines that it prints; all of them are read, so that it never waits for a reader.
    fn lines(&mut self) -> Result<Receiver<String>, String> {
        let output = self.process.stdout.take().ok_or("the application has no output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            // The receiver is gone once the addresses are known.
            BufReader::new(output).lines().map_while(Result::ok).for_each(|line| _ = sender.send(line));
        });
        Ok(lines)
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// What the line with this label states.
fn stated(lines: &Receiver<String>, label: &str) -> Result<String, String> {
    let until = Instant::now() + PATIENCE;
    loop {
        let line = lines.recv_timeout(until.saturating_duration_since(Instant::now()));
        let line =
            line.map_err(|_| format!("the application ended, or has not printed `{label}…` within three minutes"))?;
        if let Some(rest) = line.strip_prefix(label) {
            return Ok(rest.trim().to_owned());
        }
    }
}

fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// Copies the tests to a folder and installs there what they need, so that nothing of it is among the sources. The browser,
/// Node and npm are installed if they are missing.
fn installed(folder: &Path) -> Result<PathBuf, String> {
    package::chromium()?;
    copy(&root().join("tests/browser"), folder)?;
    passed(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder))?;
    Ok(folder.to_path_buf())
}

/// Copies the files of a folder, and those of its folders.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let fault = |error: std::io::Error| format!("{}: {error}", from.display());
    fs::create_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    for entry in fs::read_dir(from).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}

/// Runs `datahub docs` for a project, into a folder that is empty before.
fn documentation(project: &Path, site: &Path, since: Option<&str>) -> Result<(), String> {
    if site.exists() {
        fs::remove_dir_all(site).map_err(|error| format!("{}: {error}", site.display()))?;
    }
    let mut docs = cargo();
    docs.args(["run", "--quiet", "--package", "datahub-cli", "--", "docs", "--root"]).arg(project);
    docs.arg("--out").arg(site).args(since.map(|since| format!("--since={since}")));
    passed(&mut docs)
}

/// Puts a project under version control, so that there is a revision to compare with.
fn commit(project: &Path) -> Result<(), String> {
    for arguments in [
        &["init", "--quiet"][..],
        &["add", "--all"],
        &["-c", "user.name=tests", "-c", "user.email=tests@example.org", "commit", "--quiet", "--message=As it was"],
    ] {
        passed(Command::new("git").args(arguments).current_dir(project))?;
    }
    Ok(())
}

/// Changes a model and a contract, for the page of changes.
fn remodel(project: &Path) -> Result<(), String> {
    let edit = |name: &str, from: &str, to: &str| {
        let path: PathBuf = project.join(name);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if !text.contains(from) {
            return Err(format!("{} has no `{from}`", path.display()));
        }
        fs::write(&path, text.replace(from, to)).map_err(|error| format!("{}: {error}", path.display()))
    };
    edit("src/account_record.rs", "pub our_notes", "pub internal_notes")?;
    edit("mappings/account_record.toml", "max-length = 40", "max-length = 60")
}
