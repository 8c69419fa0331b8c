//! Reading and writing one record over HTTP, in the protocol's terms.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::Duration;

use cdms_odata::client::json::write_record;
use cdms_odata::client::{Meaning, Refusal, ServiceRoot};
use cdms_odata::{Attributes, Kind, Value};
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::planted::{Planted, planted};
use datahub_protocol::{Answer, Fetched, OperationId, Reply, ReplyBody, WriteKind};
use http::{Method, StatusCode};
use tokio::sync::Mutex;
use tracing::Instrument;
use uuid::Uuid;

use super::authenticator::{Authenticator, LoginError, LoginRequests, Session};
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
    /// The domain name of the CDMS user as whom the hub logs in.
    pub(crate) cdms_user: Option<String>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        ClientOptions { time_limit: Duration::from_secs(60), body_max: 8 * 1024 * 1024, cdms_user: None }
    }
}

/// A client of one CDMS.
pub(crate) struct Client {
    pub(super) transport: Transport,
    pub(super) options: ClientOptions,
    authenticator: Arc<dyn Authenticator>,
    session: Mutex<LastLogin>,
    clock: Arc<dyn Clock>,
    /// The newest login that CDMS no longer takes.
    lost: AtomicU64,
    shapes: SyncMutex<HashMap<&'static str, Arc<RecordShape>>>,
}

/// What the last login came to.
#[derive(Debug, Default)]
enum LastLogin {
    #[default]
    None,
    Done(Login),
    /// Why it failed, and until when, by the monotonic clock, that is the answer.
    Failed {
        reason: String,
        until: Duration,
        number: u64,
    },
}

/// How long a failed login stands. Every try with a wrong password brings the user nearer to being locked out.
const LOGIN_PAUSE: Duration = Duration::from_secs(10);

/// How long a login may take: an authenticator with a client of its own may wait for ever, and all requests for it.
const LOGIN_TIME_MAX: Duration = Duration::from_secs(120);

/// A session and its number: later logins have larger ones.
#[derive(Clone, Debug)]
struct Login {
    number: u64,
    session: Session,
}

impl Client {
    pub(crate) fn new(
        root: &str,
        authenticator: Arc<dyn Authenticator>,
        options: ClientOptions,
        clock: Arc<dyn Clock>,
        meters: Meters,
    ) -> Result<Self, Error> {
        let root = ServiceRoot::parse(root)
            .map_err(|error| Error::new(ErrorKind::Misconfigured, format!("the address of CDMS: {error}")))?;
        Ok(Client {
            transport: Transport::new(root, options.time_limit, options.body_max, meters)?,
            options,
            authenticator,
            session: Mutex::default(),
            clock,
            lost: AtomicU64::new(0),
            shapes: SyncMutex::new(HashMap::new()),
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
        match self.get(url, model.entity.set).await {
            Ok(answer) => fetched(model, id, &shape, &answer),
            Err(reason) => Fetched::Unavailable(reason),
        }
    }

    /// A GET with a login where one is needed. Fails with a reason in words.
    pub(super) async fn get(&self, url: String, set: &str) -> Result<HttpAnswer, String> {
        let answer = self.get_once(&url, set).await?;
        if answer.login_lost(self.authenticator.login_hosts()).is_none() {
            return Ok(answer);
        }
        self.login().await?;
        let answer = self.get_once(&url, set).await?;
        match answer.login_lost(self.authenticator.login_hosts()) {
            None => Ok(answer),
            Some(sign) => Err(format!("right after a login {sign}")),
        }
    }

    async fn get_once(&self, url: &str, set: &str) -> Result<HttpAnswer, String> {
        let request = HttpRequest { method: Method::GET, url: url.to_owned(), headers: Vec::new(), body: None };
        match self.exchange(request, set, ALWAYS).await? {
            Exchange::NotSent(reason) | Exchange::Lost(reason) => Err(reason),
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
            Err(reason) | Ok(Exchange::NotSent(reason)) => return Answer::NotSent(reason),
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
            values.push((name, stated.kind, value));
        }
        let key = Value::Guid(id);
        let set = model.entity.set;
        let (method, url) = match write {
            WriteKind::Create => {
                values.push((model.entity.key, Kind::Guid, &key));
                (Method::POST, root.set(set))
            }
            WriteKind::Update => {
                headers.push(("x-http-method", "MERGE".to_owned()));
                (Method::POST, root.record(set, id))
            }
            WriteKind::Delete => (Method::DELETE, root.record(set, id)),
        };
        let body = match write {
            WriteKind::Delete => None,
            WriteKind::Create | WriteKind::Update => Some(write_record(values).map_err(|error| error.to_string())?),
        };
        Ok(HttpRequest { method, url, headers, body })
    }

    fn reply_body(&self, model: &'static ModelDescriptor, write: WriteKind, answer: &HttpAnswer) -> ReplyBody<Fault> {
        if let Some(sign) = answer.login_lost(self.authenticator.login_hosts()) {
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
    pub(crate) async fn login(&self) -> Result<(), String> {
        self.session().await.map(drop)
    }

    /// The current session, which is begun where there is none that CDMS takes.
    async fn session(&self) -> Result<Login, String> {
        let mut last = self.session.lock().await;
        let number = match &*last {
            LastLogin::Done(login) if login.number > self.lost.load(Ordering::Acquire) => return Ok(login.clone()),
            LastLogin::Failed { reason, until, .. } if self.clock.monotonic() < *until => return Err(reason.clone()),
            LastLogin::None => 1,
            LastLogin::Done(Login { number, .. }) | LastLogin::Failed { number, .. } => number + 1,
        };
        let span = tracing::info_span!("cdms_login", host = self.transport.root().host());
        let login = self.authenticator.login(LoginRequests::new(&self.transport)).instrument(span);
        let login = tokio::time::timeout(LOGIN_TIME_MAX, login).await.unwrap_or_else(|_| {
            let seconds = LOGIN_TIME_MAX.as_secs();
            Err(LoginError::new(format!("the authenticator had not answered after {seconds} s, so it was given up")))
        });
        match login {
            Ok(session) => {
                let login = Login { number, session };
                *last = LastLogin::Done(login.clone());
                Ok(login)
            }
            Err(error) => {
                let reason =
                    format!("the login failed: {error}; it is not tried again for {} s", LOGIN_PAUSE.as_secs());
                *last =
                    LastLogin::Failed { reason: reason.clone(), until: self.clock.monotonic() + LOGIN_PAUSE, number };
                Err(reason)
            }
        }
    }

    /// One exchange within the current session, which is begun where there is none.
    async fn exchange(&self, request: HttpRequest, set: &str, may_send: MaySend<'_>) -> Result<Exchange, String> {
        let login = self.session().await?;
        let span = tracing::info_span!("cdms_request", method = %request.method, set, status = tracing::field::Empty);
        let exchange = self.transport.data_request(request, &login.session, may_send).instrument(span.clone()).await;
        if let Exchange::Answered(answer) = &exchange {
            span.record("status", answer.status.as_u16());
            if answer.login_lost(self.authenticator.login_hosts()).is_some() {
                self.lost.fetch_max(login.number, Ordering::AcqRel);
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
fn fetched(model: &'static ModelDescriptor, id: Uuid, shape: &RecordShape, answer: &HttpAnswer) -> Fetched<Fault> {
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
        (404, refusal) => {
            let said = refusal.map_or_else(|| answer.in_words(), |refusal| refusal.message);
            Fetched::Misconfigured(format!(
                "CDMS does not know the set {} ({said}); check its address, the organisation and `set` in the contract",
                entity.set
            ))
        }
        (400, Some(refusal)) => Fetched::Misconfigured(format!(
            "CDMS does not take the read of {}: {}; compare the contract with $metadata",
            entity.set, refusal.message
        )),
        (401..=499, Some(refusal)) => Fetched::Refused(format!("{} (status {status})", refusal.message)),
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
        let client =
            Client::new("http://127.0.0.1:9/Org", Arc::new(Silent), options, clock, Meters::default()).unwrap();
        let begun = tokio::time::Instant::now();
        let (first, second) = tokio::join!(client.login(), client.login());
        assert_eq!(begun.elapsed().as_secs(), 120, "the second takes what the first learned");
        for told in [first, second] {
            let reason = told.unwrap_err();
            assert!(reason.contains("had not answered after 120 s"), "{reason}");
        }
    }
}
