//! Reads documents of a running CDMS through the runtime's connections, with the login that `[cdms]` in `datahub.toml` states.

use std::path::PathBuf;

use cdms_odata::crm2011::ServiceRoot;
use cdms_odata::dialect::{AddressError, without_secrets};
use cdms_odata::metadata::Metadata;
use clap::Args;
use datahub_derive::project::{MARK, Project};
use datahub_model::settings::LoginSettings;
use datahub_runtime::connection::{CheckedModel, ConnectionReport};
use datahub_runtime::login::Secret;
use datahub_runtime::{CdmsConfig, CdmsDocuments, Error, ErrorKind, TlsStack};
use tokio::runtime::Runtime;

use crate::environment;

/// The variables with the secret of a login, which the runtime reads from the environment itself.
const SECRETS: [&str; 2] = ["DATAHUB_PASSWORD", "DATAHUB_PASSWORD_FILE"];

/// The variable with the user, likewise.
const USER: &str = "DATAHUB_USER";

/// Who logs in to CDMS.
#[derive(Debug, Default, Args)]
pub(crate) struct Login {
    /// Logs in to CDMS as this user, instead of the one in datahub.toml or DATAHUB_USER.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Reads the secret of the login from a file, instead of DATAHUB_PASSWORD.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Which TLS reaches CDMS; the program says it, and no option.
    #[arg(skip)]
    pub(crate) tls: TlsStack,
}

impl Login {
    /// Checks that no user is named where no one logs in.
    pub(crate) fn is_for(&self, reads_cdms: bool) -> Result<(), String> {
        if !reads_cdms && (self.user.is_some() || self.password_file.is_some()) {
            return Err(
                "`--user` and `--password-file` are for reading a running CDMS; add `--live`, or an address".to_owned()
            );
        }
        Ok(())
    }
}

/// A CDMS whose documents can be read.
pub(crate) struct Live {
    documents: CdmsDocuments,
    /// Connections belong to a runtime.
    runtime: Runtime,
    /// Whether there is a login for it.
    has_login: bool,
    /// The command that tries the first contact with it.
    check: String,
}

/// The CDMS at an address, or the one that `datahub.toml` names. The login that it states is used for addresses of the same
/// server only.
///
/// # Errors
///
/// What is missing in the configuration, and where to write it.
pub(crate) fn open(project: &Project, address: Option<&ServiceRoot>, login: &Login) -> Result<Live, String> {
    let settings = project.settings().cdms.as_ref();
    let configured = match (settings, address) {
        (Some(settings), Some(address)) => {
            let configured = ServiceRoot::parse_with_plain(&settings.url, &settings.network.plain_http);
            configured.map_err(|error| unusable(&settings.url, &error))?.url().origin() == address.url().origin()
        }
        (Some(_), None) => true,
        (None, _) => false,
    };
    if configured {
        let mut config = CdmsConfig::read(project.file()).map_err(|error| error.to_string())?.tls(login.tls);
        if let Some(address) = address {
            config = config.at(address.organisation());
        }
        if let Some(user) = user(project, login)? {
            config = config.user(user);
        }
        if let Some(secret) = secret(project, login)? {
            config = config.secret(secret);
        }
        let documents = config.documents().map_err(|error| error.to_string())?;
        let has_login = settings.is_some_and(|settings| settings.login != LoginSettings::None);
        return Ok(Live { documents, runtime: runtime()?, has_login, check: check(address) });
    }
    let Some(address) = address else {
        return Err(format!(
            "{MARK} does not say where CDMS is; add `[cdms]` with `url` and `login` to it, or give the address of the \
             organisation, such as https://crm.example.gov.uk/ORG"
        ));
    };
    if login.user.is_some() || login.password_file.is_some() {
        let known = settings.map_or_else(|| "has no `[cdms]`".to_owned(), |cdms| format!("is about {}", cdms.url));
        return Err(format!("no login is known for {}: {MARK} {known}", address.organisation()));
    }
    let documents = CdmsDocuments::without_login_over(address.organisation().as_str(), login.tls);
    let documents = documents.map_err(|error| error.to_string())?;
    Ok(Live { documents, runtime: runtime()?, has_login: false, check: check(Some(address)) })
}

/// The command that tries the first contact with the CDMS at an address, or with the one that `datahub.toml` names.
fn check(address: Option<&ServiceRoot>) -> String {
    let address = address.map(|address| format!(" {}", address.organisation())).unwrap_or_default();
    format!("datahub check --live{address}")
}

/// The user, if neither the environment of the command nor its `datahub.toml` has the say.
fn user(project: &Project, login: &Login) -> Result<Option<String>, String> {
    match &login.user {
        Some(user) => Ok(Some(user.clone())),
        None if std::env::var_os(USER).is_some() => Ok(None),
        None => environment::in_file(project, USER),
    }
}

/// Where the secret comes from, if neither the environment of the command nor its `datahub.toml` knows it.
fn secret(project: &Project, login: &Login) -> Result<Option<Secret>, String> {
    if let Some(file) = &login.password_file {
        return Ok(Some(Secret::file(file)));
    }
    if SECRETS.iter().any(|name| std::env::var_os(name).is_some()) {
        return Ok(None);
    }
    if let Some(password) = environment::in_file(project, SECRETS[0])? {
        return Ok(Some(Secret::new(password)));
    }
    Ok(environment::in_file(project, SECRETS[1])?.map(|file| Secret::file(project.root().join(file))))
}

impl Live {
    /// The address and the bytes of `$metadata`. The way out is what a person can do without a login.
    pub(crate) fn metadata_bytes(&self, way_out: &str) -> Result<(String, Vec<u8>), String> {
        let read = self.runtime.block_on(self.documents.metadata());
        Ok((self.documents.metadata_url(), read.map_err(|error| self.shown(&error, way_out))?))
    }

    /// Tries the first contact, and reads `$metadata`.
    pub(crate) fn check(&self, models: &[CheckedModel]) -> (ConnectionReport, Option<Metadata>) {
        self.runtime.block_on(self.documents.check_connection(models))
    }

    /// The address of the SOAP service.
    pub(crate) fn soap_url(&self) -> String {
        self.documents.soap_url()
    }

    /// What the SOAP service answers to each of these requests that only read.
    pub(crate) fn soap(&self, action: &str, envelopes: Vec<String>, way_out: &str) -> Result<Vec<Vec<u8>>, String> {
        let answers = self.runtime.block_on(async {
            let mut answers = Vec::new();
            for envelope in envelopes {
                answers.push(self.documents.soap(action, envelope).await?);
            }
            Ok::<_, Error>(answers)
        });
        answers.map_err(|error| self.shown(&error, way_out))
    }

    fn shown(&self, error: &Error, way_out: &str) -> String {
        let steps = format!("`{}` shows at which step it fails", self.check);
        match error.kind() {
            ErrorKind::LoginRefused if !self.has_login => format!(
                "{error}; state the login in `[cdms]` of {MARK}, or open the address in a browser, {way_out}; {steps}"
            ),
            ErrorKind::NotFound => format!("{error}; leave out `--soap`, or check the address with `{}`", self.check),
            // It would be one more try with a refused secret, which may lock the account.
            ErrorKind::LoginRefused => error.to_string(),
            _ => format!("{error}; {steps}"),
        }
    }
}

/// The service of an organisation, from its address or from that of the service.
pub(crate) fn root(address: &str) -> Result<ServiceRoot, String> {
    ServiceRoot::parse(address).map_err(|error| unusable(address, &error))
}

fn unusable(address: &str, error: &AddressError) -> String {
    let address = without_secrets(address);
    match error {
        AddressError::Credentials => format!(
            "cannot use the address {address}: it must not contain a user or a password; write `user` in [cdms] of {MARK}, and \
             set DATAHUB_PASSWORD"
        ),
        error => format!("cannot use the address {address}: {error}"),
    }
}

fn runtime() -> Result<Runtime, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| format!("cannot start: {error}"))
}
