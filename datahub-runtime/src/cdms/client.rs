//! Reading and writing one record over HTTP, in the protocol's terms.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::Duration;

use cdms_odata::Attributes;
use cdms_odata::crm2011::Crm2011;
use cdms_odata::dialect::{
    AddressError, Dialect, HttpRequest, HttpResponse, Meaning, ReadAnswer, SetIs, WriteAnswer, WriteRequest,
};
use datahub_model::conversion::for_the_wire;
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::{Answer, Fetched, LoginFailure, OperationId, Reason, WriteKind};
use tokio_util::task::TaskTracker;
use tracing::Instrument;
use uuid::Uuid;

use super::authenticator::Authenticator;
use super::background::Background;
use super::client_options::ClientOptions;
use super::login::{LoginState, Logins, SessionEnd};
use super::refused_logins::RefusedLogins;
use super::repeated::hidden;
use super::shape::RecordShape;
pub(super) use super::transport::Expecting;
use super::transport::{self, ALWAYS, MaySend, NoResponse, Transport};
use super::troubles::{Seen, Troubles};
use crate::engine::clock::Clock;
use crate::engine::cost::Meters;
use crate::health::ModelTrouble;
use crate::reach::Reached;
use crate::{Error, ErrorKind};

/// A client of one CDMS.
pub(crate) struct Client {
    pub(super) dialect: Arc<dyn Dialect>,
    pub(super) transport: Arc<Transport>,
    pub(super) options: ClientOptions,
    pub(super) logins: Logins,
    shapes: SyncMutex<HashMap<&'static str, Arc<RecordShape>>>,
    /// Whether a link of CDMS's has named another origin.
    pub(super) met_foreign_link: AtomicBool,
    /// The sets that CDMS surely has.
    read_sets: SyncMutex<HashSet<&'static str>>,
    pub(super) troubles: Troubles,
    pub(super) background: Background,
    pub(super) clock: Arc<dyn Clock>,
}

/// Why there is no answer to a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// CDMS refuses the login, with its secret.
    LoginRefused(Reason),
    /// CDMS could not be reached, or takes no session just now.
    Unavailable(Reason),
}

impl From<LoginFailure> for Unanswered {
    fn from(failure: LoginFailure) -> Self {
        match failure {
            LoginFailure::Refused(reason) => Unanswered::LoginRefused(reason),
            LoginFailure::Failed(reason) => Unanswered::Unavailable(reason),
        }
    }
}

/// Why a request has no response that a dialect could read.
#[derive(Debug)]
pub(super) enum Broken {
    /// There is no session to send it in.
    NoSession(LoginFailure),
    /// No complete response came.
    NoResponse(NoResponse),
    /// The response says that its session cannot be used any more.
    SessionEnd(SessionEnd),
}

impl Broken {
    /// Whether CDMS refuses the user or the password.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Broken::NoSession(LoginFailure::Refused(_)) | Broken::SessionEnd(SessionEnd::Refused(_)))
    }
}

impl From<Broken> for Unanswered {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::NoSession(failure) => failure.into(),
            Broken::NoResponse(no_response) => Unanswered::Unavailable(Reason::of(no_response)),
            Broken::SessionEnd(SessionEnd::Refused(reason)) => Unanswered::LoginRefused(reason),
            Broken::SessionEnd(SessionEnd::Lost(sign)) => {
                Unanswered::Unavailable(format!("right after a login {sign}").into())
            }
        }
    }
}

impl<F> From<Broken> for Answer<F> {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::NoSession(LoginFailure::Refused(reason)) | Broken::SessionEnd(SessionEnd::Refused(reason)) => {
                Answer::LoginRefused(reason)
            }
            Broken::NoSession(LoginFailure::Failed(reason)) => Answer::NotSent(reason),
            Broken::NoResponse(NoResponse::NotSent(why)) => Answer::NotSent(Reason::of(why)),
            Broken::NoResponse(NoResponse::Lost(why)) => Answer::Lost(Reason::of(why)),
            Broken::SessionEnd(SessionEnd::Lost(sign)) => Answer::LoginLost(sign),
        }
    }
}

/// The dialect of the CDMS at an address, which may be one of plain http for these hosts.
pub(crate) fn cdms_at(address: &str, plain_http: &[String]) -> Result<Arc<dyn Dialect>, Error> {
    let fault = |error: &AddressError| Error::new(ErrorKind::Misconfigured, format!("the address of CDMS: {error}"));
    match Crm2011::at_with_plain(address, plain_http) {
        Ok(crm) => Ok(Arc::new(crm)),
        Err(error @ AddressError::PlainHttp { .. }) => Err(fault(&error).advise(
            "if the server has no https, and everybody between may read along, name its host: `plain_http_to(…)` on the \
             hub's builder, or `plain-http` in [cdms] of datahub.toml",
        )),
        Err(error) => Err(fault(&error)),
    }
}

impl Client {
    pub(crate) fn new(
        dialect: Arc<dyn Dialect>,
        authenticator: Arc<dyn Authenticator>,
        refused: RefusedLogins,
        options: ClientOptions,
        clock: Arc<dyn Clock>,
        meters: Meters,
    ) -> Result<Self, Error> {
        let transport = Arc::new(Transport::new(&*dialect, &options, Arc::clone(&clock), meters)?);
        let (to_log_in, pause) = (Arc::clone(&transport), options.login_pause);
        let background = Background::with(transport.background_turns(), options.background_per_second);
        Ok(Client {
            transport,
            dialect,
            logins: Logins::new(authenticator, to_log_in, Arc::clone(&clock), refused, pause),
            troubles: Troubles::new(Arc::clone(&clock)),
            background,
            clock,
            options,
            shapes: SyncMutex::default(),
            met_foreign_link: AtomicBool::new(false),
            read_sets: SyncMutex::default(),
        })
    }

    /// The tasks of its logins, which the hub waits for when it is shut down.
    pub(crate) fn tasks(&self) -> TaskTracker {
        self.logins.tasks().clone()
    }

    /// How long one request may take.
    pub(crate) fn time_limit(&self) -> Duration {
        self.options.time_limit
    }

    /// Reads one record. A session that is over is renewed once. Dropping the future is harmless.
    pub(crate) async fn fetch(&self, model: &'static ModelDescriptor, id: Uuid) -> Fetched<Fault> {
        let shape = self.shape(model);
        let request = self.dialect.read(shape.entity(), id);
        let response = match self.inquire(request, Expecting::Record).await.map_err(Unanswered::from) {
            Ok(response) => response,
            Err(Unanswered::LoginRefused(reason)) => return Fetched::LoginRefused(reason),
            Err(Unanswered::Unavailable(reason)) => return Fetched::Unavailable(reason),
        };
        let said = self.dialect.read_answer(shape.entity(), id, self.known_of(model), &response);
        match &said {
            ReadAnswer::Record(carried) => self.troubles.carried(model.name, std::iter::once(carried)),
            ReadAnswer::Refused(_) | ReadAnswer::Misconfigured(_) => {
                self.troubles.answered_to_contract(model.name, self.dialect.trial_answer(&response));
            }
            ReadAnswer::Gone | ReadAnswer::Unavailable(_) => {}
        }
        let fetched = match said {
            ReadAnswer::Record(carried) => match shape.record(carried) {
                Ok((_, Ok(record))) => Fetched::Record(record),
                Ok((_, Err(fault))) | Err(fault) => Fetched::Unreadable(fault),
            },
            ReadAnswer::Gone => Fetched::Gone,
            ReadAnswer::Refused(reason) => Fetched::Refused(reason),
            ReadAnswer::Unavailable(reason) => Fetched::Unavailable(reason.into()),
            ReadAnswer::Misconfigured(reason) => Fetched::Misconfigured(reason),
        };
        if matches!(fetched, Fetched::Record(_) | Fetched::Gone) {
            self.read_sets.lock().unwrap_or_else(PoisonError::into_inner).insert(model.entity.set);
        }
        fetched
    }

    /// Whether CDMS has returned a record of the model's set, or said that one is gone, since this program began.
    fn known_of(&self, model: &ModelDescriptor) -> SetIs {
        let read_sets = self.read_sets.lock().unwrap_or_else(PoisonError::into_inner);
        if read_sets.contains(model.entity.set) { SetIs::Known } else { SetIs::Untried }
    }

    /// The response to a request that only reads, with a login if one is needed.
    pub(super) async fn get(&self, request: HttpRequest) -> Result<HttpResponse, Unanswered> {
        Ok(self.inquire(request, Expecting::Answer).await?)
    }

    /// The same, with the step at which it failed, and also for a whole document.
    pub(super) async fn inquire(&self, request: HttpRequest, expecting: Expecting) -> Result<HttpResponse, Broken> {
        match self.exchange(request.clone(), ALWAYS, expecting).await {
            Err(Broken::SessionEnd(SessionEnd::Lost(_))) => {}
            response => return response,
        }
        // It is seldom needed, and would double the future of each request.
        Box::pin(async {
            self.login().await.map_err(Broken::NoSession)?;
            self.exchange(request, ALWAYS, expecting).await
        })
        .await
    }

    /// Sends one write, exactly once, if `may_send` holds when its turn has come. Dropping the future leaves open whether
    /// CDMS takes it.
    pub(crate) async fn send(
        &self,
        model: &'static ModelDescriptor,
        kind: WriteKind,
        operation: OperationId,
        id: Uuid,
        body: &Attributes,
        may_send: MaySend<'_>,
    ) -> Answer<Fault> {
        let Some(write) = kind.in_dialects() else {
            return Answer::NotSent(format!("this version has no request for a write of the kind {kind}").into());
        };
        let shape = self.shape(model);
        let entity = shape.entity();
        let mut values = Vec::with_capacity(body.len());
        for (name, stated, value) in model.stated(body) {
            let Some(stated) = stated else {
                return Answer::NotSent(format!("the attribute `{name}` is not mapped").into());
            };
            match for_the_wire(stated, value) {
                Ok(value) => values.push((name, stated.kind, value)),
                Err(fault) => return Answer::NotSent(fault.to_string().into()),
            }
        }
        let request = WriteRequest { entity, id, write, operation: operation.0, values: &values, precondition: None };
        let request = match self.dialect.write(&request) {
            Ok(request) => request,
            Err(error) => return Answer::NotSent(Reason::of(error)),
        };
        let response = match self.exchange(request, may_send, Expecting::Answer).await {
            Ok(response) => response,
            Err(broken) => return broken.into(),
        };
        let answer = hidden(self.dialect.write_answer(entity, write, &response), model, body);
        match &answer {
            WriteAnswer::Refused(refusal) if refusal.meaning == Meaning::NoPrivilege => {
                let reason = format!("CDMS refuses a {write}: {} ({})", refusal.message, refusal.mark);
                self.troubles.began(model.name, Seen::Writing, reason);
            }
            WriteAnswer::Applied(_) => self.troubles.ended(model.name, Seen::Writing),
            _ => {}
        }
        Answer::Reply(answer.with_record(|carried| {
            shape.record(carried).map_err(|fault| {
                format!("CDMS answered {} with a record without a readable id: {fault}", response.status.as_u16())
            })
        }))
    }

    /// Logs in again, once for all who ask. Dropping the future ends the wait, and not the login.
    pub(crate) async fn login(&self) -> Result<(), LoginFailure> {
        self.logins.session().await.map(drop)
    }

    /// Whether CDMS could be reached when it was last needed.
    pub(crate) fn reached(&self) -> Reached {
        self.transport.reached()
    }

    /// How many requests may be under way at once, as CDMS's answers show.
    pub(crate) fn requests_at_once(&self) -> usize {
        self.transport.requests_at_once()
    }

    /// Where the login stands.
    pub(crate) fn login_state(&self) -> LoginState {
        self.logins.state()
    }

    /// The troubles with rights, and those with the schema, that requests have met.
    pub(crate) fn troubles(&self) -> (Vec<ModelTrouble>, Vec<ModelTrouble>) {
        self.troubles.known()
    }

    /// Has the next request log in again, whatever was refused before.
    pub(crate) async fn retry_login(&self) {
        self.logins.retry().await;
    }

    /// One exchange within the current session; logs in if there is none.
    async fn exchange(
        &self,
        request: HttpRequest,
        may_send: MaySend<'_>,
        expecting: Expecting,
    ) -> Result<HttpResponse, Broken> {
        let login = self.logins.session().await.map_err(Broken::NoSession)?;
        let HttpRequest { method, about: set, .. } = &request;
        let span = tracing::info_span!("cdms_request", %method, set, status = tracing::field::Empty);
        let session = self.logins.of(&login);
        let sent = self.transport.data_request(request, &session, login.presented(), may_send, expecting);
        let received = sent.instrument(span.clone()).await;
        let received = match received {
            Ok(received) => received,
            Err(transport::Unanswered::NoResponse(no_response)) => return Err(Broken::NoResponse(no_response)),
            Err(transport::Unanswered::NotOpened(error)) => {
                return Err(Broken::SessionEnd(self.logins.not_opened(&login, error).await));
            }
        };
        span.record("status", received.response.status.as_u16());
        // Until then the response holds its connection: no other request may follow in a session that is over.
        self.logins.observe(&login, &received).await.map_err(Broken::SessionEnd)?;
        drop(received.turn);
        Ok(received.response)
    }

    pub(crate) fn shape(&self, model: &'static ModelDescriptor) -> Arc<RecordShape> {
        let mut shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(shapes.entry(model.table).or_insert_with(|| Arc::new(RecordShape::of(model))))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;

    use super::*;
    use crate::cdms::authenticator::LoginRequests;
    use crate::cdms::login_error::LoginError;
    use crate::cdms::session::Session;
    use crate::engine::clock::ManualClock;

    /// Never answers.
    struct Silent;

    impl Authenticator for Silent {
        fn login<'a>(&'a self, _: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
            Box::pin(std::future::pending())
        }
    }

    /// Time passes as soon as there is nothing else to do.
    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_login_for_ever() {
        let clock = Arc::new(ManualClock::at(cdms_odata::Instant(0)));
        let options = ClientOptions::default();
        let client = Client::new(
            cdms_at("http://127.0.0.1:9/Org", &[]).unwrap(),
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
            assert!(reason.as_str().contains("had not answered after 120 s"), "{reason}");
        }
    }
}
