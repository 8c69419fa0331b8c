//! NTLM's messages, made and read by `sspi`.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use sspi::ntlm::NtlmConfig;
use sspi::{
    AuthIdentityBuffers, BufferType, ClientRequestFlags, DataRepresentation, NTLM_HASH_PREFIX, SecurityBuffer,
    Sspi as _, SspiImpl as _,
};
use tracing::subscriber::NoSubscriber;

/// Who logs in.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user's domain; empty if the user's name states it after an at sign.
    pub domain: String,
    /// The user.
    pub user: String,
    /// The name of the machine from which the user logs in.
    pub workstation: Option<String>,
}

/// Why a message cannot be made, in words without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.name())
    }
}

impl Identity {
    /// The user with the domain, as Windows shows it: `DOMAIN\user`.
    pub fn name(&self) -> String {
        if self.domain.is_empty() { self.user.clone() } else { format!("{}\\{}", self.domain, self.user) }
    }
}

/// One exchange of messages: the client's first, the server's challenge, the client's last.
///
/// ```
/// use datahub_login::ntlm::{Exchange, Identity};
/// use secrecy::SecretString;
///
/// let ada = Identity { domain: "CDMS".into(), user: "ada".into(), workstation: None };
/// let (exchange, first) = Exchange::begin(&ada, &SecretString::from("secret")).unwrap();
/// assert!(first.starts_with(b"NTLMSSP\0\x01"));
/// assert!(exchange.answer(b"no challenge".to_vec(), None).is_err());
/// ```
pub struct Exchange {
    ntlm: sspi::Ntlm,
    credentials: Option<AuthIdentityBuffers>,
}

impl Exchange {
    /// Begins an exchange with its first message.
    ///
    /// # Errors
    ///
    /// The user or the password cannot be used.
    pub fn begin(identity: &Identity, password: &SecretString) -> Result<(Self, Vec<u8>), Unusable> {
        if identity.user.is_empty() {
            return Err(Unusable("the login needs the name of a user".to_owned()));
        }
        let password = password.expose_secret();
        if password.starts_with(NTLM_HASH_PREFIX) {
            return Err(Unusable(format!("a password that begins with `{NTLM_HASH_PREFIX}` cannot be used")));
        }
        let credentials = AuthIdentityBuffers::from_utf8(&identity.user, &identity.domain, password);
        let ntlm = match &identity.workstation {
            Some(name) => sspi::Ntlm::with_config(NtlmConfig::new(name.clone())),
            None => sspi::Ntlm::new(),
        };
        let mut exchange = Exchange { ntlm, credentials: Some(credentials) };
        let first = exchange.step(None)?;
        Ok((exchange, first))
    }

    /// The last message, in answer to the server's challenge. `end_point` binds it to the TLS connection.
    ///
    /// # Errors
    ///
    /// The challenge cannot be read.
    pub fn answer(mut self, challenge: Vec<u8>, end_point: Option<&[u8]>) -> Result<Vec<u8>, Unusable> {
        if let Some(end_point) = end_point {
            self.ntlm.set_channel_bindings(end_point);
        }
        self.step(Some(challenge))
    }

    fn step(&mut self, challenge: Option<Vec<u8>>) -> Result<Vec<u8>, Unusable> {
        // Its events show messages, from which passwords can be guessed.
        tracing::subscriber::with_default(NoSubscriber::default(), || {
            let mut input = vec![SecurityBuffer::new(challenge.unwrap_or_default(), BufferType::Token)];
            let mut output = vec![SecurityBuffer::new(Vec::new(), BufferType::Token)];
            let mut step = self
                .ntlm
                .initialize_security_context()
                .with_credentials_handle(&mut self.credentials)
                // HTTP signs nothing; asking for it makes clear which key the messages are checked with.
                .with_context_requirements(ClientRequestFlags::INTEGRITY)
                .with_target_data_representation(DataRepresentation::Native)
                .with_input(&mut input)
                .with_output(&mut output);
            let taken =
                self.ntlm.initialize_security_context_impl(&mut step).and_then(|mut step| step.resolve_to_result());
            match taken {
                Ok(_) => Ok(output.swap_remove(0).buffer),
                Err(error) => Err(Unusable(error.to_string())),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Identity {
        Identity { domain: "CDMS".to_owned(), user: "ada".to_owned(), workstation: Some("HUB01".to_owned()) }
    }

    #[test]
    fn what_cannot_be_tried_is_said_before_it_is() {
        let unnamed = Identity { user: String::new(), ..ada() };
        let error = Exchange::begin(&unnamed, &SecretString::from("secret")).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("the login needs the name of a user"));
        // The crate would take it for a hash.
        let error = Exchange::begin(&ada(), &SecretString::from("$NTLM$:0123")).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("a password that begins with `$NTLM$:` cannot be used"));
    }

    #[test]
    fn the_first_message_names_the_machine_and_not_the_user() {
        let (_, first) = Exchange::begin(&ada(), &SecretString::from("secret")).unwrap();
        assert!(first.windows(5).any(|window| window == b"HUB01"));
        assert!(!first.windows(3).any(|window| window == b"ada"));
        assert_eq!(format!("{:?}", ada()), r#""CDMS\\ada""#);
    }
}
