//! What `datahub.toml` says of CDMS, in its table `[cdms]`: the address, and how to log in there. It never contains a secret.
//!
//! Programs, the derives and the command line read it with [`CdmsSettings::parse`], so a file means the same to all of them.

mod faulty;
mod read;
mod secrets;

use crate::diagnostic::{Diagnostic, Spot};

pub use faulty::faulty_toml;
pub use secrets::{secret_key, without_text, without_values};

/// CDMS, as the table `[cdms]` of `datahub.toml` states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CdmsSettings {
    /// The organisation's address.
    pub url: String,
    /// How to log in.
    pub login: LoginSettings,
    /// How its connections are made.
    pub network: NetworkSettings,
}

/// How connections to CDMS and to its token services are made. Files are relative to the folder of `datahub.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkSettings {
    /// The file with the certificates of private authorities.
    pub ca_file: Option<String>,
    /// The file with the certificate that is shown to servers, and its key.
    pub client_certificate: Option<String>,
    /// The address of the outgoing proxy, without a user.
    pub proxy: Option<String>,
    /// The hosts that may be reached by plain http.
    pub plain_http: Vec<String>,
}

/// How to log in to CDMS, without the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginSettings {
    /// CDMS asks for no login.
    None,
    /// The sign-in pages of AD FS.
    AdFs {
        /// The user, if the file names one.
        user: Option<String>,
        /// The host of the sign-in pages, or their address.
        sign_in: String,
        /// Other token services, which get tokens and not the password.
        token_services: Vec<String>,
        /// Other hosts of CDMS that take part in its logins.
        cdms_hosts: Vec<String>,
        /// The identity provider that the home-realm page would be asked for.
        home_realm: Option<String>,
    },
    /// NTLM.
    Ntlm {
        /// The user, if the file names one.
        user: Option<String>,
        /// The domain, if the user does not carry it.
        domain: Option<String>,
    },
    /// Client credentials of OAuth 2.
    OAuth {
        /// Where tokens come from.
        issuer: Issuer,
        /// The application's id.
        client_id: String,
        /// What the token is for; `None` for the origin of CDMS's address.
        audience: Option<Audience>,
    },
}

/// Who issues tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Issuer {
    /// A tenant of Entra ID, by its id or one of its domains.
    Tenant(String),
    /// A token endpoint, by its address.
    TokenUrl(String),
}

/// What a token is for, in one of the two ways of saying so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The parameter `scope`.
    Scope(String),
    /// The parameter `resource`, of AD FS before 2019.
    Resource(String),
}

impl CdmsSettings {
    /// What the text of a `datahub.toml` says of CDMS; `None` if it has no `[cdms]`. Its other keys are not looked at.
    ///
    /// # Errors
    ///
    /// The first fault, with its line. A line with a secret is not repeated.
    pub fn parse(text: &str) -> Result<Option<Self>, Diagnostic<Spot>> {
        read::cdms(text)
    }
}

impl LoginSettings {
    /// The word of the key `login`.
    pub fn name(&self) -> &'static str {
        match self {
            LoginSettings::None => read::NONE,
            LoginSettings::AdFs { .. } => read::ADFS,
            LoginSettings::Ntlm { .. } => read::NTLM,
            LoginSettings::OAuth { .. } => read::OAUTH,
        }
    }

    /// The user as whom to log in, in place of the one that the file names; `false` if this login has no user.
    pub fn set_user(&mut self, name: String) -> bool {
        match self {
            LoginSettings::AdFs { user, .. } | LoginSettings::Ntlm { user, .. } => *user = Some(name),
            LoginSettings::None | LoginSettings::OAuth { .. } => return false,
        }
        true
    }
}
