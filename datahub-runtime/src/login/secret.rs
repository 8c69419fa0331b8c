//! Secrets: where they come from, and who logs in with them.

use std::error::Error as StdError;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::future::Future;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use datahub_protocol::Reason;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::cdms::LoginError;

/// The largest file that can hold a secret, in bytes.
const FILE_MAX: usize = 64 * 1024;

/// How long a callback may take: all requests wait for it.
const TIME_MAX: Duration = Duration::from_secs(30);

/// Where a secret comes from: a password, a client's secret, a token. It is read before each login, so a rotated secret is
/// noticed without a restart. `Debug` shows where it comes from and never what it is. What was read is wiped from memory when
/// it is no longer needed; the secret of the last login is needed while the program runs, and docs/logins.md says what the
/// libraries below keep in plain copies.
///
/// ```
/// use datahub_runtime::login::Secret;
///
/// let password = Secret::env("DATAHUB_PASSWORD");
/// assert_eq!(format!("{password:?}"), "Secret(the environment variable DATAHUB_PASSWORD)");
/// ```
#[derive(Clone)]
pub struct Secret {
    source: Arc<Source>,
}

enum Source {
    Text(SecretString),
    Env(OsString),
    File(PathBuf),
    /// A callback, and the turn of the one who calls it.
    Callback(Box<Callback>, Mutex<()>),
}

type Callback = dyn Fn() -> BoxFuture<'static, Result<SecretString, Reason>> + Send + Sync;

impl Secret {
    /// A secret that the program has. It never changes; prefer [`Secret::from_fn`] where it can be rotated.
    pub fn new(text: impl Into<String>) -> Self {
        Secret::of(Source::Text(SecretString::from(text.into())))
    }

    /// The value of an environment variable.
    pub fn env(name: impl Into<OsString>) -> Self {
        Secret::of(Source::Env(name.into()))
    }

    /// The text of a file, without one line break at its end.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Secret::of(Source::File(path.into()))
    }

    /// What a callback returns, for example from a vault. It is called before each login and, while CDMS refuses what it
    /// returned or NTLM opens connections, at most once in a second, by one caller at a time; after 30 s it is given up. Its
    /// error is shown to the person who runs the hub.
    ///
    /// ```
    /// use datahub_runtime::login::{Secret, secrecy::SecretString};
    ///
    /// # async fn ask_the_vault() -> Result<String, std::io::Error> { Ok("hunter2".to_owned()) }
    /// let password = Secret::from_fn(|| async { ask_the_vault().await.map(SecretString::from) });
    /// ```
    pub fn from_fn<F, T, E>(callback: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Result<SecretString, E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let called = move || {
            let called = callback().map(|read| read.map_err(|error| Reason::from(error.into().to_string())));
            called.boxed()
        };
        Secret::of(Source::Callback(Box::new(called), Mutex::default()))
    }

    fn of(source: Source) -> Self {
        Secret { source: Arc::new(source) }
    }

    /// Reads the secret.
    ///
    /// Dropping the future is harmless, and breaks a callback off.
    ///
    /// # Errors
    ///
    /// It cannot be read, is empty, or is not UTF-8. The login was not tried.
    pub async fn read(&self) -> Result<SecretString, LoginError> {
        let read = match &*self.source {
            Source::Text(text) => Ok(text.clone()),
            Source::Env(name) => of_environment(name),
            Source::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || of_file(&path)).await;
                read.unwrap_or_else(|error| Err(Reason::of(error)))
            }
            Source::Callback(callback, turn) => {
                let _turn = turn.lock().await;
                tokio::time::timeout(TIME_MAX, callback())
                    .await
                    .unwrap_or_else(|_| Err(format!("it had not answered after {} s", TIME_MAX.as_secs()).into()))
            }
        };
        let read = read
            .and_then(|secret| if secret.expose_secret().is_empty() { Err("it is empty".into()) } else { Ok(secret) });
        read.map_err(|reason| {
            let words = format!("the login's secret cannot be read from {}: {reason}", self.source);
            LoginError::because(reason.in_words(words))
        })
    }

    /// Whether both are one secret, and not merely equal.
    pub(crate) fn is(&self, other: &Secret) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
    }
}

fn of_environment(name: &OsString) -> Result<SecretString, Reason> {
    match std::env::var(name) {
        Ok(text) => Ok(SecretString::from(text)),
        // The error would show the value.
        Err(std::env::VarError::NotUnicode(_)) => Err("its value is not UTF-8".into()),
        Err(std::env::VarError::NotPresent) => Err("it is not set".into()),
    }
}

fn of_file(path: &Path) -> Result<SecretString, Reason> {
    // One buffer that never grows, because what it leaves behind would not be wiped.
    let mut buffer = Zeroizing::new(vec![0; FILE_MAX + 1]);
    let mut file = File::open(path).map_err(Reason::of)?;
    let mut length = 0;
    while length < buffer.len() {
        match file.read(&mut buffer[length..]).map_err(Reason::of)? {
            0 => break,
            count => length += count,
        }
    }
    if length > FILE_MAX {
        return Err(format!("it is larger than {FILE_MAX} bytes").into());
    }
    let text = std::str::from_utf8(&buffer[..length]).map_err(|_| "it is not UTF-8")?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    Ok(SecretString::from(text.strip_suffix('\r').unwrap_or(text)))
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Text(_) => f.write_str("the program"),
            Source::Env(name) => write!(f, "the environment variable {}", name.to_string_lossy()),
            Source::File(path) => write!(f, "the file {}", path.display()),
            Source::Callback(..) => f.write_str("the program's callback"),
        }
    }
}

impl Secret {
    /// Where it comes from, in words.
    pub(super) fn source(&self) -> &impl fmt::Display {
        &self.source
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.source)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Secret::new(text)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Secret::new(text)
    }
}

/// Who logs in, and with which secret. The hub tells by them whether what CDMS has refused has changed.
#[derive(Clone, Debug)]
pub struct Credentials {
    user: String,
    secrets: Vec<Secret>,
}

impl Credentials {
    /// This user with this secret. A login without a user, by a token for instance, has an empty name.
    pub fn new(user: impl Into<String>, secret: &Secret) -> Self {
        Credentials { user: user.into(), secrets: vec![secret.clone()] }
    }

    /// The same with another secret, for a login that presents several at once. What was refused is tried again when any of
    /// them changes.
    #[must_use]
    pub fn and(mut self, secret: &Secret) -> Self {
        self.secrets.push(secret.clone());
        self
    }

    /// The user; empty for a login without one.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }
}

/// What a login is made with, as it was read.
pub(crate) struct Presented {
    user: String,
    /// The secrets, each with its value.
    secrets: Vec<(Secret, SecretString)>,
}

impl Presented {
    /// Reads the secrets of these credentials.
    ///
    /// # Errors
    ///
    /// As [`Secret::read`].
    pub(crate) async fn read(credentials: Credentials) -> Result<Self, LoginError> {
        let mut secrets = Vec::new();
        for secret in credentials.secrets {
            let value = secret.read().await?;
            secrets.push((secret, value));
        }
        Ok(Presented { user: credentials.user, secrets })
    }

    /// The value, if it is this secret's.
    pub(crate) fn value_of(&self, secret: &Secret) -> Option<&SecretString> {
        self.secrets.iter().find(|(known, _)| known.is(secret)).map(|(_, value)| value)
    }

    /// The values of all secrets.
    pub(crate) fn values(&self) -> impl Iterator<Item = &SecretString> {
        self.secrets.iter().map(|(_, value)| value)
    }

    /// Whether this is one of the values.
    #[cfg(feature = "adfs")]
    pub(crate) fn is(&self, text: &str) -> bool {
        !text.is_empty() && self.values().any(|value| value.expose_secret() == text)
    }

    /// Who logs in.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// What a digest is made of: the user, and each secret after a line break.
    pub(crate) fn parts(&self) -> Vec<&[u8]> {
        let secrets = self.values().flat_map(|value| [&b"\n"[..], value.expose_secret().as_bytes()]);
        [self.user.as_bytes()].into_iter().chain(secrets).collect()
    }
}

/// Whether the user and the values are the same, wherever the values come from.
impl PartialEq for Presented {
    fn eq(&self, other: &Self) -> bool {
        self.user == other.user
            && self.values().map(|value| value.expose_secret()).eq(other.values().map(|value| value.expose_secret()))
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secrets: Vec<_> = self.secrets.iter().map(|(secret, _)| secret).collect();
        write!(f, "Presented({:?}, {secrets:?})", self.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(secret: Secret) -> Result<String, String> {
        let read = secret.read().await;
        read.map(|secret| secret.expose_secret().to_owned()).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_secret_is_read_from_where_it_is() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = |text: &[u8]| {
            let path = folder.path().join(text.len().to_string());
            std::fs::write(&path, text).expect("it is written");
            Secret::file(path)
        };
        for (text, expected) in
            [("a b", "a b"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" \u{e4}\t", " \u{e4}\t")]
        {
            assert_eq!(read(file(text.as_bytes())).await.as_deref(), Ok(expected));
        }
        assert_eq!(read(Secret::new("x\n")).await.as_deref(), Ok("x\n"));
        assert_eq!(read(Secret::env("CARGO_PKG_NAME")).await.as_deref(), Ok("datahub-runtime"));
        assert_eq!(read(Secret::from_fn(|| async { Ok::<_, String>("v".into()) })).await.as_deref(), Ok("v"));
        for (secret, words) in [
            (file(b""), "it is empty"),
            (file(b"\n"), "it is empty"),
            (file(b"hunter2\xff"), "it is not UTF-8"),
            (file(&[b'x'; FILE_MAX + 1]), "it is larger than 65536 bytes"),
            (Secret::file(folder.path().join("none")), "none: No such file"),
            (
                Secret::env("DATAHUB_NO_SUCH_VARIABLE"),
                "the environment variable DATAHUB_NO_SUCH_VARIABLE: it is not set",
            ),
            (Secret::from_fn(|| async { Err::<SecretString, _>("sealed") }), "the program's callback: sealed"),
        ] {
            let error = read(secret).await.expect_err(words);
            assert!(error.contains(words) && !error.contains("hunter2"), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_callback_is_not_waited_for_without_end() {
        let error = read(Secret::from_fn(std::future::pending::<Result<SecretString, String>>)).await;
        assert!(error.expect_err("it never answers").contains("had not answered after 30 s"));
    }

    #[test]
    fn debug_shows_the_source_and_never_the_secret() {
        let secret = Secret::new("hunter2");
        let credentials = Credentials::new("hub", &secret);
        let presented =
            Presented { user: "hub".to_owned(), secrets: vec![(secret.clone(), SecretString::from("hunter2"))] };
        let told = format!("{secret:?} {credentials:?} {presented:?} {:?}", Secret::file("/run/secrets/password"));
        assert!(told.contains("Secret(the program)") && told.contains("Secret(the file /run/secrets/password)"));
        assert!(!told.contains("hunter2"), "{told}");
    }

    #[test]
    fn credentials_are_the_same_by_user_and_value_and_a_secret_only_by_itself() {
        let secret = Secret::new("a");
        let presented = |user: &str, value: &str| Presented {
            user: user.to_owned(),
            secrets: vec![(secret.clone(), value.into())],
        };
        assert!(presented("hub", "a") == presented("hub", "a"));
        assert!(presented("hub", "a") != presented("hub", "b") && presented("hub", "a") != presented("other", "a"));
        assert!(presented("hub", "a").value_of(&secret.clone()).is_some());
        assert!(presented("hub", "a").value_of(&Secret::new("a")).is_none());
        let two = |other: &str| {
            let secrets = vec![(secret.clone(), "a".into()), (Secret::new("x"), other.into())];
            Presented { user: "hub".to_owned(), secrets }
        };
        assert!(two("b") == two("b") && two("b") != two("c") && two("b") != presented("hub", "a"));
        assert_eq!(two("b").parts().concat(), b"hub\na\nb");
    }
}
