//! From `[cdms]` to who logs in, by the ways that the program was built with.

use std::sync::Arc;

use datahub_model::settings::LoginSettings;

use super::CdmsConfig;
use crate::login::Authenticator;
use crate::{Anonymous, Error, ErrorKind};

/// Who logs in.
///
/// # Errors
///
/// The user or the secret is missing, or the program was built without the way.
pub(super) fn authenticator(config: &CdmsConfig) -> Result<Arc<dyn Authenticator>, Error> {
    match &config.settings.login {
        LoginSettings::None => Ok(Arc::new(Anonymous)),
        #[cfg(feature = "adfs")]
        LoginSettings::AdFs { user, sign_in, token_services, cdms_hosts, home_realm } => {
            let builder = crate::login::AdFs::builder(sign_in)
                .user(credentials::user(config, user.as_deref())?)
                .password(credentials::secret(config)?);
            let builder = token_services.iter().fold(builder, |builder, host| builder.token_service(host));
            let builder = cdms_hosts.iter().fold(builder, |builder, host| builder.cdms_host(host));
            let builder = home_realm.iter().fold(builder, |builder, realm| builder.home_realm(realm));
            let built = builder.build();
            let login = built
                .map_err(|error| Error::new(ErrorKind::Misconfigured, format!("{}: {error}", config.file.display())))?;
            Ok(Arc::new(login))
        }
        #[cfg(feature = "ntlm")]
        LoginSettings::Ntlm { user, domain } => {
            let user = credentials::user(config, user.as_deref())?;
            if let Some(domain) = domain.as_ref().filter(|_| user.contains(['\\', '@'])) {
                let file = config.file.display();
                let message = format!(
                    "the user {user:?} carries its domain, and `domain` in {file} is {domain:?}; no login was tried"
                );
                return Err(Error::new(ErrorKind::Misconfigured, message).advise(
                    "write the domain in one of the two; the user may come from the program or from DATAHUB_USER",
                ));
            }
            let login = crate::login::Ntlm::new(user, credentials::secret(config)?);
            Ok(Arc::new(match domain {
                Some(domain) => login.domain(domain),
                None => login,
            }))
        }
        #[cfg(feature = "oauth")]
        LoginSettings::OAuth { issuer, client_id, audience } => {
            use crate::login::OAuth;
            use datahub_model::settings::{Audience, Issuer};

            let secret = credentials::secret(config)?;
            let login = match issuer {
                Issuer::Tenant(tenant) => OAuth::entra(tenant, client_id, secret)?,
                Issuer::TokenUrl(url) => OAuth::client_credentials(url, client_id, secret)?,
            };
            Ok(Arc::new(match audience {
                Some(Audience::Scope(scope)) => login.scope(scope),
                Some(Audience::Resource(resource)) => login.resource(resource),
                None => login,
            }))
        }
        #[allow(unreachable_patterns, reason = "with every feature, no way is missing")]
        other => {
            let (file, name) = (config.file.display(), other.name());
            let message = format!("{file}: this program was built without `login = \"{name}\"`");
            Err(Error::new(ErrorKind::Misconfigured, message)
                .advise(format!("add the feature `{name}` of datahub-runtime in Cargo.toml")))
        }
    }
}

/// The user and the secret, which a login by the file alone does not have.
#[cfg(any(feature = "adfs", feature = "ntlm", feature = "oauth"))]
mod credentials {
    use crate::config::CdmsConfig;
    use crate::login::Secret;
    use crate::{Error, ErrorKind};

    /// The variable with the user who logs in, in place of the one in the file.
    #[cfg(any(feature = "adfs", feature = "ntlm"))]
    const USER: &str = "DATAHUB_USER";

    /// The variable with the secret.
    const PASSWORD: &str = "DATAHUB_PASSWORD";

    /// The variable with the path of a file that contains the secret.
    const PASSWORD_FILE: &str = "DATAHUB_PASSWORD_FILE";

    fn fault(message: String) -> Error {
        Error::new(ErrorKind::Misconfigured, message)
    }

    /// The user who logs in, as the program, the environment or the file says.
    #[cfg(any(feature = "adfs", feature = "ntlm"))]
    pub(super) fn user(config: &CdmsConfig, stated: Option<&str>) -> Result<String, Error> {
        let of_environment = || std::env::var(USER).ok().filter(|user| !user.is_empty());
        let user = config.user.clone().or_else(of_environment).or_else(|| stated.map(str::to_owned));
        user.ok_or_else(|| {
            fault(format!("{}: the login to CDMS has no user", config.file.display()))
                .advise(format!("write `user` in [cdms], or set {USER} in the environment"))
        })
    }

    /// Where the secret comes from, as the program or the environment says.
    pub(super) fn secret(config: &CdmsConfig) -> Result<Secret, Error> {
        if let Some(secret) = &config.secret {
            return Ok(secret.clone());
        }
        match (std::env::var_os(PASSWORD), std::env::var_os(PASSWORD_FILE)) {
            (Some(_), Some(_)) => {
                Err(fault(format!("{PASSWORD} and {PASSWORD_FILE} are mutually exclusive")).advise("unset one of them"))
            }
            (Some(_), None) => Ok(Secret::env(PASSWORD)),
            (None, Some(file)) => Ok(Secret::file(file)),
            (None, None) => Err(fault("the login to CDMS has no secret".to_owned()).advise(format!(
                "set {PASSWORD} in the environment, or {PASSWORD_FILE} to the path of a file that contains the secret"
            ))),
        }
    }
}
