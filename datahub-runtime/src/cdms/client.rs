//! Reading and writing one record over HTTP, in the protocol's terms.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::Duration;

use cdms_odata::client::json::write_record;
use cdms_odata::client::{Meaning, Refusal, ServiceRoot};
use cdms_odata::{Attributes, Kind, Value};
use datahub_model::conversion::for_the_wire;
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::planted::{Planted, planted};
use datahub_protocol::{Answer, Fetched, LoginFailure, OperationId, Reply, ReplyBody, WriteKind};
use http::{Method, StatusCode};
use tracing::Instrument;
use uuid::Uuid;

use super::authenticator::Authenticator;
use super::login::Logins;
use super::refused_logins::RefusedLogins;
use super::shape::{RecordShape, Unreadable};
use super::transport::{ALWAYS, Exchange, HttpAnswer, HttpRequest, MaySend, Transport};
use crate::clock::Clock;
use crate::cost::Meters;
use crate::{Error, ErrorKind};

/// Limits and names of a client.
#[derive(Clone, Debug)]
pub(crate) struct ClientOptions {
    /// How long one request may take, its answer included.
    pub(crate) time_limit: Duration,
    /// The largest answer, after decompression, in bytes.
    pub(crate) body_max: usize,
    /// How many requests are under way at once, at most.
    pub(crate) concurrent_requests: usize,
    /// How long a login that failed stands at first.
    pub(crate) login_pause: Duration,
    /// The domain name of the CDMS user as whom the hub logs in.
    pub(crate) cdms_user: Option<String>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        ClientOptions {
            time_limit: Duration::from_secs(60),
            body_max: 8 * 1024 * 1024,
            concurrent_requests: 16,
            login_pause: Duration::from_secs(10),
            cdms_user: None,
        }
    }
}

/// A client of one CDMS.
pub(crate) struct Client {
    pub(super) transport: Transport,
    pub(super) options: ClientOptions,
    logins: Logins,
    shapes: SyncMutex<HashMap<&'static str, Arc<RecordShape>>>,
    /// Whether a link of CDMS's has named another origin.
    pub(super) met_foreign_link: AtomicBool,
    /// The sets that CDMS surely has.
    read_sets: SyncMutex<HashSet<&'static str>>,
}

/// Why there is no answer to a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// CDMS refuses the login, with its secret.
    LoginRefused(String),
    /// CDMS could not be reached, or takes no session just now.
    Unavailable(String),
}

impl From<LoginFailure> for Unanswered {
    fn from(failure: LoginFailure) -> Self {
        match failure {
            LoginFailure::Refused(reason) => Unanswered::LoginRefused(reason),
            LoginFailure::Failed(reason) => Unanswered::Unavailable(reason),
        }
    }
}

/// The address of CDMS's data service.
pub(crate) fn service_root(address: &str) -> Result<ServiceRoot, Error> {
    ServiceRoot::parse(address)
        .map_err(|error| Error::new(ErrorKind::Misconfigured, format!("the address of CDMS: {error}")))
}

impl Client {
    pub(crate) fn new(
        root: ServiceRoot,
        authenticator: Arc<dyn Authenticator>,
        refused: RefusedLogins,
        options: ClientOptions,
        clock: Arc<dyn Clock>,
        meters: Meters,
    ) -> Result<Self, Error> {
        Ok(Client {
            transport: Transport::new(root, &options, meters)?,
            logins: Logins::new(authenticator, clock, refused, options.login_pause),
            options,
            shapes: SyncMutex::default(),
            met_foreign_link: AtomicBool::new(false),
            read_sets: SyncMutex::default(),
        })
    }

    /// How long one request may take.
    pub(crate) fn time_limit(&self) -> Duration {
        self.options.time_limit
    }

    /// Reads one record. A session that is over is renewed once. Dropping the future is harmless.
    pub(crate) async fn fetch(&self, model: &'static ModelDescriptor, id: Uuid) -> Fetched<Fault> {
        let shape = self.shape(model);
        let root = self.transport.root();
        let url = root.select(root.record(model.entity.set, id), shape.names()).url;
        let fetched = match self.get(url, model.entity.set).await {
            Ok(answer) => fetched(model, id, &shape, &answer, self.has_read(model)),
            Err(Unanswered::LoginRefused(reason)) => Fetched::LoginRefused(reason),
            Err(Unanswered::Unavailable(reason)) => Fetched::Unavailable(reason),
        };
        if matches!(fetched, Fetched::Record(_) | Fetched::Gone) {
            self.read_sets.lock().unwrap_or_else(PoisonError::into_inner).insert(model.entity.set);
        }
        fetched
    }

    /// Whether CDMS has given, or told to be gone, a record of the model's set since this program began.
    fn has_read(&self, model: &ModelDescriptor) -> bool {
        self.read_sets.lock().unwrap_or_else(PoisonError::into_inner).contains(model.entity.set)
    }

    /// A GET with a login where one is needed.
    pub(super) async fn get(&self, url: String, set: &str) -> Result<HttpAnswer, Unanswered> {
        let answer = self.get_once(&url, set).await?;
        if answer.login_lost(self.logins.hosts()).is_none() {
            return Ok(answer);
        }
        self.login().await?;
        let answer = self.get_once(&url, set).await?;
        match answer.login_lost(self.logins.hosts()) {
            None => Ok(answer),
            Some(sign) => Err(Unanswered::Unavailable(format!("right after a login {sign}"))),
        }
    }

    async fn get_once(&self, url: &str, set: &str) -> Result<HttpAnswer, Unanswered> {
        let request = HttpRequest { method: Method::GET, url: url.to_owned(), headers: Vec::new(), body: None };
        match self.exchange(request, set, ALWAYS).await? {
            Exchange::NotSent(reason) | Exchange::Lost(reason) => Err(Unanswered::Unavailable(reason)),
            Exchange::Answered(answer) => Ok(answer),
        }
    }

    /// Sends one write, exactly once, if `may_send` holds when its turn has come. Dropping the future leaves open whether
    /// CDMS takes it.
    pub(crate) async fn send(
        &self,
        model: &'static ModelDescriptor,
        write: WriteKind,
        operation: OperationId,
        id: Uuid,
        body: &Attributes,
        may_send: MaySend<'_>,
    ) -> Answer<Fault> {
        let request = match self.write_request(model, write, operation, id, body) {
            Ok(request) => request,
            Err(reason) => return Answer::NotSent(reason),
        };
        let answer = match self.exchange(request, model.entity.set, may_send).await {
            Err(LoginFailure::Refused(reason)) => return Answer::LoginRefused(reason),
            Err(LoginFailure::Failed(reason)) | Ok(Exchange::NotSent(reason)) => return Answer::NotSent(reason),
            Ok(Exchange::Lost(reason)) => return Answer::Lost(reason),
            Ok(Exchange::Answered(answer)) => answer,
        };
        let body = self.reply_body(model, write, &answer);
        Answer::Reply(Reply { status: answer.status.as_u16(), body })
    }

    fn write_request(
        &self,
        model: &'static ModelDescriptor,
        write: WriteKind,
        operation: OperationId,
        id: Uuid,
        body: &Attributes,
    ) -> Result<HttpRequest, String> {
        let root = self.transport.root();
        let mut headers = vec![("x-datahub-operation", operation.to_string())];
        let mut values = Vec::with_capacity(body.len() + 1);
        for (name, stated, value) in model.stated(body) {
            let stated = stated.ok_or_else(|| format!("the attribute `{name}` is not mapped"))?;
            let value = for_the_wire(stated, value).map_err(|fault| fault.to_string())?;
            values.push((name, stated.kind, value));
        }
        let key = Value::Guid(id);
        let set = model.entity.set;
        let (method, url) = match write {
            WriteKind::Create => {
                values.push((model.entity.key, Kind::Guid, Cow::Borrowed(&key)));
                (Method::POST, root.set(set))
            }
            WriteKind::Update => {
                headers.push(("x-http-method", "MERGE".to_owned()));
                (Method::POST, root.record(set, id))
            }
            WriteKind::Delete => (Method::DELETE, root.record(set, id)),
            other => {
                return Err(format!("this version has no request for a write of the kind {other}"));
            }
        };
        let body = match write {
            WriteKind::Create | WriteKind::Update => {
                let values = values.iter().map(|(name, kind, value)| (*name, *kind, value.as_ref()));
                Some(write_record(values).map_err(|error| error.to_string())?)
            }
            _ => None,
        };
        Ok(HttpRequest { method, url, headers, body })
    }

    fn reply_body(&self, model: &'static ModelDescriptor, write: WriteKind, answer: &HttpAnswer) -> ReplyBody<Fault> {
        if let Some(sign) = answer.login_lost(self.logins.hosts()) {
            return ReplyBody::LoginLost(sign);
        }
        if write == WriteKind::Create && answer.status == StatusCode::CREATED {
            return match self.shape(model).read(&answer.body) {
                Ok((id, record)) => ReplyBody::Created { id, record },
                Err(Unreadable::Value(Some(id), fault)) => ReplyBody::Created { id, record: Err(fault) },
                Err(Unreadable::Value(None, fault)) => {
                    ReplyBody::Other(format!("a record without a readable id: {fault}"))
                }
                Err(Unreadable::NoRecord(reason)) => ReplyBody::Other(reason),
            };
        }
        if let Some(refusal) = Refusal::read(answer.status.as_u16(), &answer.body) {
            return ReplyBody::Refusal(refusal);
        }
        if answer.body.is_empty() && !answer.status.is_redirection() {
            return ReplyBody::Empty;
        }
        ReplyBody::Other(answer.in_words())
    }

    /// Logs in again, once for all who ask. Dropping the future leaves it to the next who asks.
    pub(crate) async fn login(&self) -> Result<(), LoginFailure> {
        self.logins.session(&self.transport).await.map(drop)
    }

    /// Has the next request log in again, whatever was refused before.
    pub(crate) async fn retry_login(&self) {
        self.logins.retry().await;
    }

    /// One exchange within the current session, which is begun where there is none.
    async fn exchange(&self, request: HttpRequest, set: &str, may_send: MaySend<'_>) -> Result<Exchange, LoginFailure> {
        let login = self.logins.session(&self.transport).await?;
        let span = tracing::info_span!("cdms_request", method = %request.method, set, status = tracing::field::Empty);
        let exchange = self.transport.data_request(request, &login.session, may_send).instrument(span.clone()).await;
        if let Exchange::Answered(answer) = &exchange {
            span.record("status", answer.status.as_u16());
            match answer.login_lost(self.logins.hosts()) {
                Some(sign) => self.logins.lost(&login, &sign).await,
                // What stands in front of CDMS answers without looking at the login.
                None if answer.status.is_server_error() => {}
                None => self.logins.taken(&login).await,
            }
        }
        Ok(exchange)
    }

    pub(super) fn shape(&self, model: &'static ModelDescriptor) -> Arc<RecordShape> {
        let mut shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(shapes.entry(model.table).or_insert_with(|| Arc::new(RecordShape::of(model))))
    }
}

/// What the answer to a GET by id says.
fn fetched(
    model: &'static ModelDescriptor,
    id: Uuid,
    shape: &RecordShape,
    answer: &HttpAnswer,
    has_read: bool,
) -> Fetched<Fault> {
    let entity = &model.entity;
    if answer.status == StatusCode::OK {
        return match shape.read(&answer.body) {
            Ok((read, _)) if read != id => {
                Fetched::Misconfigured(format!("CDMS answered the read of {} {id} with the record {read}", entity.name))
            }
            Ok((_, Ok(record))) => Fetched::Record(record),
            Ok((_, Err(fault))) | Err(Unreadable::Value(_, fault)) => Fetched::Unreadable(fault),
            Err(Unreadable::NoRecord(reason)) => Fetched::Unavailable(format!("{} ({reason})", answer.in_words())),
        };
    }
    let status = answer.status.as_u16();
    let refusal = Refusal::read(status, &answer.body);
    match (status, refusal) {
        (404, Some(refusal)) if refusal.meaning() == Meaning::RecordMissing => Fetched::Gone,
        (403, _) if planted(Planted::ForbiddenIsGone) => Fetched::Gone,
        (404, _) if planted(Planted::AnyNotFoundReadIsGone) => Fetched::Gone,
        (404, refusal) if has_read => {
            let said = refusal.map_or_else(|| answer.in_words(), |refusal| refusal.message);
            Fetched::Unavailable(format!(
                "CDMS answered 404 for the record without saying that it is gone ({said}), though it has the set {}; check \
                 what stands between this program and CDMS",
                entity.set
            ))
        }
        (404, refusal) => {
            let said = refusal.map_or_else(|| answer.in_words(), |refusal| refusal.message);
            Fetched::Misconfigured(format!(
                "CDMS does not know the set {} ({said}); check its address, the organisation and `set` in the contract",
                entity.set
            ))
        }
        (403, Some(refusal)) => Fetched::Refused(format!("{} (status {status})", refusal.message)),
        (_, Some(refusal)) if refusal.meaning() == Meaning::NoPrivilege => {
            Fetched::Refused(format!("{} (status {status})", refusal.message))
        }
        // Too slow a request or too many of them: it is not the read that is wrong.
        (408 | 429, said) => {
            let said = said.map_or_else(|| answer.in_words(), |refusal| refusal.message);
            Fetched::Unavailable(format!("CDMS has too much to do: {said} (status {status})"))
        }
        (400..=499, Some(refusal)) => Fetched::Misconfigured(format!(
            "CDMS does not take the read of {}: {} (status {status}); compare the contract with $metadata",
            entity.set, refusal.message
        )),
        (_, Some(refusal)) => Fetched::Unavailable(format!("{} (status {status})", refusal.message)),
        (300..=399, None) => Fetched::Misconfigured(format!(
            "CDMS answered with {}, which is not among the login hosts of the authenticator",
            answer.in_words()
        )),
        (_, None) => Fetched::Unavailable(format!("CDMS answered {status} with {}", answer.in_words())),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;

    use super::*;
    use crate::cdms::authenticator::{LoginError, LoginRequests, Session};
    use crate::clock::ManualClock;

    /// Never answers.
    struct Silent;

    impl Authenticator for Silent {
        fn login<'a>(&'a self, _: LoginRequests<'a>) -> BoxFuture<'a, Result<Session, LoginError>> {
            Box::pin(std::future::pending())
        }
    }

    /// Time passes as soon as there is nothing else to do.
    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_login_for_ever() {
        let clock = Arc::new(ManualClock::at(cdms_odata::Instant(0)));
        let options = ClientOptions::default();
        let client = Client::new(
            service_root("http://127.0.0.1:9/Org").unwrap(),
            Arc::new(Silent),
            RefusedLogins::nowhere(),
            options,
            clock,
            Meters::default(),
        )
        .unwrap();
        let begun = tokio::time::Instant::now();
        let (first, second) = tokio::join!(client.login(), client.login());
        assert_eq!(begun.elapsed().as_secs(), 120, "the second takes what the first learned");
        for told in [first, second] {
            let LoginFailure::Failed(reason) = told.unwrap_err() else { panic!("it was not refused") };
            assert!(reason.contains("had not answered after 120 s"), "{reason}");
        }
    }
}
