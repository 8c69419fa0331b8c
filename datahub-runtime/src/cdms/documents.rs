//! Documents of a CDMS that are read without a hub and its database: `$metadata`, and what the SOAP service answers.

use std::sync::Arc;

use cdms_odata::dialect::{Dialect, HttpRequest, HttpResponse};
use cdms_odata::metadata::Metadata;
use futures_util::future::BoxFuture;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::authenticator::{Authenticator, LoginRequests};
use super::client::{Client, Expecting, Unanswered, cdms_at};
use super::client_options::ClientOptions;
use super::connection_check::Questions;
use super::login_error::LoginError;
use super::network::NetworkOptions;
use super::refused_logins::RefusedLogins;
use super::session::{Session, SessionResponse, Standing};
use super::transport::{Lost, NoResponse};
use crate::connection::{CheckedModel, ConnectionReport};
use crate::engine::clock::SystemClock;
use crate::engine::cost::{Cost, Meters};
use crate::{Error, ErrorKind, TlsStack};

/// The path of the organisation's SOAP service, for SOAP 1.1.
const SOAP: &str = "XRMServices/2011/Organization.svc/web";

/// Reads documents of a CDMS through the logins and the connections of a hub, without a hub and its database: for tools such
/// as `datahub import`.
///
/// It logs in before its first request and again if the session is over, follows no redirect, and receives at most 128 MiB
/// in 180 s. A refused secret is not tried again by this value; unlike a hub, it does not remember it longer.
pub struct CdmsDocuments {
    client: Client,
    organisation: String,
    has_login: bool,
}

impl CdmsDocuments {
    /// The documents of the CDMS at the address of an organisation, or of its data service, with a login.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`] if the address cannot be used.
    pub fn with_login(address: &str, authenticator: impl Authenticator) -> Result<Self, Error> {
        CdmsDocuments::new(cdms_at(address, &[])?, Some(Arc::new(authenticator)), ClientOptions::default())
    }

    /// The documents of a CDMS that asks for no login.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`] if the address cannot be used.
    pub fn without_login(address: &str) -> Result<Self, Error> {
        CdmsDocuments::without_login_over(address, TlsStack::default())
    }

    /// As [`without_login`](CdmsDocuments::without_login), reached by this TLS.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`] if the address cannot be used.
    pub fn without_login_over(address: &str, tls: TlsStack) -> Result<Self, Error> {
        let network = NetworkOptions { tls: Some(tls), ..NetworkOptions::default() }.network()?;
        CdmsDocuments::new(cdms_at(address, &[])?, None, ClientOptions { network, ..ClientOptions::default() })
    }

    /// The documents of a CDMS, with a login if it asks for one.
    pub(crate) fn new(
        dialect: Arc<dyn Dialect>,
        authenticator: Option<Arc<dyn Authenticator>>,
        options: ClientOptions,
    ) -> Result<Self, Error> {
        let organisation = dialect.organisation().as_str().trim_end_matches('/').to_owned();
        let has_login = authenticator.is_some();
        let authenticator = authenticator.unwrap_or_else(|| Arc::new(NoLogin));
        let clock = Arc::new(SystemClock::default());
        let client = Client::new(dialect, authenticator, RefusedLogins::nowhere(), options, clock, Meters::default())?;
        Ok(CdmsDocuments { client, organisation, has_login })
    }

    /// The address of `$metadata`.
    pub fn metadata_url(&self) -> String {
        self.client.dialect.metadata().url
    }

    /// The address of the SOAP service.
    pub fn soap_url(&self) -> String {
        format!("{}/{SOAP}", self.organisation)
    }

    /// The `$metadata` document. Dropping the future is harmless.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LoginRefused`] if CDMS asks for another login or refuses this one, [`ErrorKind::Unavailable`] if it
    /// cannot be reached, [`ErrorKind::Misconfigured`] if it answers with something else than a document.
    pub async fn metadata(&self) -> Result<Vec<u8>, Error> {
        self.document(self.client.dialect.metadata()).await
    }

    /// What the organisation's SOAP service answers to a request that only reads, also if that is an error of its own. The
    /// request may be sent twice, if the session has ended. Dropping the future is harmless.
    ///
    /// # Errors
    ///
    /// As [`metadata`](CdmsDocuments::metadata), but [`ErrorKind::NotFound`] if there is no such service; also if the action is
    /// no value of a header.
    pub async fn soap(&self, action: &str, envelope: String) -> Result<Vec<u8>, Error> {
        let action = HeaderValue::try_from(action)
            .map_err(|_| Error::new(ErrorKind::Invalid, format!("the SOAP action {action:?} cannot be sent")))?;
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("text/xml")),
            (CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8")),
            (HeaderName::from_static("soapaction"), action),
        ]);
        let body = Some(envelope.into_bytes());
        self.document(HttpRequest { about: "SOAP", method: Method::POST, url: self.soap_url(), headers, body }).await
    }

    /// Tries the first contact with this CDMS step by step, and says of each step what works, what does not and what to do;
    /// returns the `$metadata` that it has read, too, if it could. It writes nothing, logs in once, and sends two requests
    /// more than the login, one for each set of the models, and one for `$metadata`, which is read even without models.
    ///
    /// ```no_run
    /// # use datahub_runtime::{CdmsConfig, Error};
    /// # async fn example() -> Result<(), Error> {
    /// let documents = CdmsConfig::read("datahub.toml")?.documents()?;
    /// let (report, metadata) = documents.check_connection(&[]).await;
    /// println!("{report}");
    /// if let Some(metadata) = metadata {
    ///     println!("{} entities", metadata.entities.len());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// Dropping the future stops between two requests; a login that was under way counts as tried.
    pub async fn check_connection(&self, models: &[CheckedModel]) -> (ConnectionReport, Option<Metadata>) {
        let questions = Questions { models: models.to_vec(), known: None, wants_metadata: true };
        let ((mut report, metadata), cost) = Cost::of(self.client.check_connection(&questions)).await;
        report.requests = cost.requests;
        (report, metadata)
    }

    async fn document(&self, request: HttpRequest) -> Result<Vec<u8>, Error> {
        let url = request.url.clone();
        let is_soap = url == self.soap_url();
        let unread = |kind, reason: String| Error::new(kind, format!("cannot read {url}: {reason}"));
        match self.client.inquire(request, Expecting::Document).await.map_err(Unanswered::from) {
            Ok(response) if is_soap && response.status == StatusCode::NOT_FOUND => {
                Err(unread(ErrorKind::NotFound, "this organisation has no SOAP service (status 404)".to_owned()))
            }
            Ok(response) => accepted(response, self.has_login).map_err(|(kind, reason)| unread(kind, reason)),
            Err(Unanswered::LoginRefused(reason)) => Err(unread(ErrorKind::LoginRefused, reason.to_string())),
            Err(Unanswered::Unavailable(reason)) => {
                let cause = reason.source().and_then(|error| error.downcast_ref::<NoResponse>());
                Err(match cause {
                    Some(NoResponse::Lost(Lost::TooLarge { max })) => {
                        unread(ErrorKind::Misconfigured, format!("the document is larger than {} MiB", max >> 20))
                    }
                    _ => unread(ErrorKind::Unavailable, reason.to_string()),
                })
            }
        }
    }
}

impl std::fmt::Debug for CdmsDocuments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CdmsDocuments({})", self.organisation)
    }
}

/// The document of a response, if it has one.
pub(super) fn accepted(response: HttpResponse, has_login: bool) -> Result<Vec<u8>, (ErrorKind, String)> {
    let status = response.status;
    let login = |what: &str| Err((ErrorKind::LoginRefused, format!("CDMS {what} (status {})", status.as_u16())));
    match status {
        StatusCode::OK if response.page().is_some() => login("sent a web page; most likely it asks for a login"),
        StatusCode::OK => Ok(response.body),
        // The SOAP service's errors are documents that say more.
        StatusCode::INTERNAL_SERVER_ERROR if is_xml(&response) => Ok(response.body),
        StatusCode::FORBIDDEN if has_login => login("does not let this user read it"),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => login("asks for a login"),
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            Err((ErrorKind::Unavailable, "the proxy asks for a login (status 407)".to_owned()))
        }
        status if status.is_redirection() => login("redirects; most likely it asks for a login"),
        StatusCode::NOT_FOUND => Err((
            ErrorKind::Misconfigured,
            "CDMS has no service at this address (status 404); write the address of the organisation, such as \
             https://crm.example.gov.uk/ORG"
                .to_owned(),
        )),
        status => {
            let kind = if status.is_server_error() { ErrorKind::Unavailable } else { ErrorKind::Misconfigured };
            Err((kind, format!("CDMS answered with status {}", status.as_u16())))
        }
    }
}

fn is_xml(response: &HttpResponse) -> bool {
    let media = response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media.starts_with("text/xml")
}

/// No login. A response that asks for one is left to its reader, who can say what to do.
struct NoLogin;

impl Authenticator for NoLogin {
    fn login<'a>(&'a self, _: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async { Ok(NoLogin.boxed()) })
    }
}

impl Session for NoLogin {
    fn prepare(&self, _: &mut HeaderMap) {}

    fn observe(&self, _: &SessionResponse<'_>) -> Standing {
        Standing::Unknown
    }
}
