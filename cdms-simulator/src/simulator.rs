//! The simulator as a library: built, started on its own thread, steered, stopped.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use cdms_odata::Attributes;
use cdms_odata::metadata::Metadata;
use serde::Serialize;
use tokio::sync::watch;
use uuid::Uuid;

use crate::clock::SimulatorClock;
use crate::fault::{Fault, FaultRule, Faults, Gate, Stage};
use crate::http;
use crate::refusal::Refusal;
use crate::world::{CommitEntry, Switches, World, human_author};

/// A running simulator. Dropping it stops the server; a panic of the server becomes a panic of the dropping thread,
/// so that a server that died never looks like a slow one.
#[derive(Debug)]
pub struct Simulator {
    state: Arc<State>,
    address: SocketAddr,
    listening: watch::Sender<Listening>,
    running: watch::Receiver<Listening>,
    thread: Option<JoinHandle<()>>,
}

/// What the server is asked to do, and what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listening {
    Open,
    Away,
    Stopped,
}

/// What the server's tasks and the handle share.
pub(crate) struct State {
    pub(crate) world: Mutex<World>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) requests: Mutex<VecDeque<RequestEntry>>,
    pub(crate) late: Mutex<Vec<LateCommit>>,
    pub(crate) sessions: Mutex<Sessions>,
    pub(crate) control: bool,
}

/// A write that will be carried out when told.
pub(crate) type LateCommit = Box<dyn FnOnce(&mut World) -> Result<(), Refusal> + Send>;

/// Who may enter, and who is in.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    pub(crate) login: Option<(String, String, Expiry)>,
    pub(crate) open: Vec<String>,
}

/// How the server answers a request without a valid session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expiry {
    /// 401.
    Unauthorized,
    /// 302 to the login page.
    Redirect,
    /// 200 with the login page.
    LoginForm,
}

/// One request as the server met it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RequestEntry {
    /// The method; a tunnelled one as it was meant.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// The `X-Datahub-Operation` header.
    pub operation: Option<String>,
    /// The request's body.
    pub body: String,
    /// The answer's status; `None` when the connection was closed instead, by either side.
    pub status: Option<u16>,
    /// The length of the answer's body in bytes.
    pub answered_bytes: usize,
    /// The faults that met it.
    pub faults: Vec<String>,
}

/// How many requests are remembered; older ones are forgotten.
const REQUESTS_MAX: usize = 100_000;

/// Builds a [`Simulator`]. The defaults are what the fact sheet is sure of, or takes for likely.
#[derive(Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct SimulatorBuilder {
    metadata: Option<Metadata>,
    clock: SimulatorClock,
    listen: SocketAddr,
    control: bool,
    switches: Switches,
    login: Option<(String, String, Expiry)>,
}

impl Simulator {
    /// Begins to build a simulator; [`SimulatorBuilder::metadata`] is needed.
    pub fn builder() -> SimulatorBuilder {
        SimulatorBuilder {
            metadata: None,
            clock: SimulatorClock::system(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            control: false,
            switches: Switches {
                max_lengths: std::collections::HashMap::new(),
                options: std::collections::HashMap::new(),
                bare_null_clears: true,
                refuse_dangling_lookups: false,
                refuse_read_only: false,
                page_size: 50,
            },
            login: None,
        }
    }

    /// The organisation's address, which the hub connects to.
    pub fn root(&self) -> String {
        format!("http://{}/ORG", self.address)
    }

    /// The service root, which `curl` and other clients use.
    pub fn service_root(&self) -> String {
        format!("{}/XRMServices/2011/OrganizationData.svc", self.root())
    }

    /// The clock.
    pub fn clock(&self) -> SimulatorClock {
        self.state.world().clock.clone()
    }

    /// The organisation's id.
    pub fn organisation(&self) -> Uuid {
        self.state.world().organisation
    }

    /// The id of the user that HTTP requests act as, `CDMS\datahub`.
    pub fn service_user(&self) -> Uuid {
        self.state.world().service_user
    }

    /// Changes the organisation's id, as if another organisation answered at this address.
    ///
    /// # Panics
    ///
    /// When the new organisation's record cannot be seeded, which a `$metadata` without its key would cause.
    pub fn become_another_organisation(&self) -> Uuid {
        let mut world = self.state.world();
        let old = world.organisation;
        let new = Uuid::new_v4();
        world.organisation = new;
        let user = world.human_user;
        let result = world.delete("Organization", old, &human_author(user));
        let seeded = world.seed("Organization", Attributes::from([("OrganizationId", cdms_odata::Value::Guid(new))]));
        assert!(result.is_ok() && seeded.is_ok(), "the organisation's record can be replaced");
        new
    }

    /// Adds a record that was there before anything happened; returns its id, chosen where the key is not among the
    /// attributes. Unlike clients, the scene may state times, states and users.
    ///
    /// # Panics
    ///
    /// On an entity or attribute that `$metadata` does not have: a mistake in the scene.
    #[track_caller]
    pub fn seed(&self, entity: &str, attributes: impl Into<Attributes>) -> Uuid {
        done(self.state.world().seed(entity, attributes.into()))
    }

    /// Adds records from JSON: a list of `{"entity": "Account", "attributes": {"Name": "Acme"}}`, with values in their
    /// canonical form (see [`cdms_odata::Value`]).
    ///
    /// # Errors
    ///
    /// What is wrong with the text or the first record that does not fit `$metadata`.
    pub fn seed_json(&self, scene: &str) -> Result<(), String> {
        let scene = serde_json::from_str(scene).map_err(|error| error.to_string())?;
        crate::control::seed(&self.state, scene).map(drop)
    }

    /// A record's attributes; `None` when there is no such record.
    pub fn record(&self, entity: &str, id: Uuid) -> Option<Attributes> {
        let world = self.state.world();
        let entity = world.entity(entity).ok()?;
        world.record(entity, id).ok().cloned()
    }

    /// An edit by a person in CDMS itself. Unlike clients, people may change states and owners.
    ///
    /// # Panics
    ///
    /// Where CDMS would refuse it, or on an attribute that `$metadata` does not have: a mistake in the scene.
    #[track_caller]
    pub fn edit(&self, entity: &str, id: Uuid, attributes: impl Into<Attributes>) {
        let mut world = self.state.world();
        let author = human_author(world.human_user);
        done(world.update(entity, id, attributes.into(), false, &author));
    }

    /// Sets attributes of a record as they never could be through CDMS: times going back, states, values of plug-ins.
    ///
    /// # Panics
    ///
    /// On a record that is not there: a mistake in the scene.
    #[track_caller]
    pub fn overwrite(&self, entity: &str, id: Uuid, attributes: impl Into<Attributes>) {
        let mut world = self.state.world();
        let known = done(world.entity(entity)).clone();
        let mut record = done(world.record(&known, id)).clone();
        record.merge(&attributes.into());
        record.insert(known.key, cdms_odata::Value::Guid(id));
        done(world.seed(entity, record));
    }

    /// A deletion by a person in CDMS itself.
    ///
    /// # Panics
    ///
    /// On a record that is not there: a mistake in the scene.
    #[track_caller]
    pub fn remove(&self, entity: &str, id: Uuid) {
        let mut world = self.state.world();
        let author = human_author(world.human_user);
        done(world.delete(entity, id, &author));
    }

    /// Every commit, in order: the authority on what happened in CDMS.
    pub fn log(&self) -> Vec<CommitEntry> {
        self.state.world().commits().to_vec()
    }

    /// The requests met, in order of their ends; the newest 100,000.
    pub fn requests(&self) -> Vec<RequestEntry> {
        lock(&self.state.requests).iter().cloned().collect()
    }

    /// Orders a fault.
    pub fn fault(&self, rule: FaultRule) {
        lock(&self.state.faults).order(rule);
    }

    /// Orders requests to be held at a gate.
    pub fn hold(&self, stage: Stage, rule: impl FnOnce(Fault) -> FaultRule) -> Gate {
        let gate = Gate::new();
        self.fault(rule(Fault::Hold(stage, gate.clone())));
        gate
    }

    /// Takes all orders back.
    pub fn clear_faults(&self) {
        lock(&self.state.faults).clear();
    }

    /// How often each kind of fault met a request.
    pub fn faults_hit(&self) -> BTreeMap<String, u64> {
        lock(&self.state.faults).hits()
    }

    /// Carries out the writes that [`Fault::CommitLate`] put off; returns how many CDMS took.
    pub fn commit_late(&self) -> usize {
        self.state.commit_late()
    }

    /// Ends all sessions, as a token's lifetime would.
    pub fn expire_sessions(&self) {
        lock(&self.state.sessions).open.clear();
    }

    /// Stops listening and closes every connection, so that connecting is refused.
    pub fn go_away(&self) {
        self.ask(Listening::Away);
    }

    /// Listens again at the same address.
    pub fn come_back(&self) {
        self.ask(Listening::Open);
    }

    /// Stops the server and waits for its end.
    pub fn stop(self) {
        drop(self);
    }

    /// Waits until the server ends, which it does when the process is told to.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            propagate(thread);
        }
    }

    fn ask(&self, listening: Listening) {
        self.listening.send_replace(listening);
        let mut running = self.running.clone();
        // Asked from tests inside and outside of runtimes, so it waits without one.
        while *running.borrow_and_update() != listening && running.has_changed().is_ok() {
            std::thread::yield_now();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.listening.send_replace(Listening::Stopped);
        if let Some(thread) = self.thread.take() {
            propagate(thread);
        }
    }
}

fn propagate(thread: JoinHandle<()>) {
    if let Err(panic) = thread.join()
        && !std::thread::panicking()
    {
        std::panic::resume_unwind(panic);
    }
}

impl SimulatorBuilder {
    /// The organisation's schema.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// The clock. Default: the machine's.
    pub fn clock(mut self, clock: SimulatorClock) -> Self {
        self.clock = clock;
        self
    }

    /// Where to listen; a loopback address. Default: a free port of 127.0.0.1.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Serves `/_control/…`, so that programs in any language can steer the simulator. Default: not.
    pub fn control(mut self, control: bool) -> Self {
        self.control = control;
        self
    }

    /// The longest text of an attribute, which `$metadata` does not tell.
    pub fn max_length(mut self, entity: impl Into<String>, attribute: impl Into<String>, length: usize) -> Self {
        self.switches.max_lengths.insert((entity.into(), attribute.into()), length);
        self
    }

    /// The options of an option set, which `$metadata` does not tell.
    pub fn options(mut self, entity: impl Into<String>, attribute: impl Into<String>, options: &[i32]) -> Self {
        self.switches.options.insert((entity.into(), attribute.into()), options.to_vec());
        self
    }

    /// Whether a bare null for a complex property clears it, or is ignored (uncertain). Default: it clears.
    pub fn bare_null_clears(mut self, clears: bool) -> Self {
        self.switches.bare_null_clears = clears;
        self
    }

    /// Whether a lookup must point to a record that is there. Default: not, so that scenes need no whole world.
    pub fn refuse_dangling_lookups(mut self, refuse: bool) -> Self {
        self.switches.refuse_dangling_lookups = refuse;
        self
    }

    /// Whether values for `CreatedOn`, `StateCode` and the like are an error. Default: they are ignored.
    pub fn refuse_read_only(mut self, refuse: bool) -> Self {
        self.switches.refuse_read_only = refuse;
        self
    }

    /// The size of a page, which an organisation can raise. Default: 50.
    pub fn page_size(mut self, size: usize) -> Self {
        self.switches.page_size = size.max(1);
        self
    }

    /// Asks for a login at `/login` with the form fields `user` and `password`; requests without its cookie are
    /// answered as `expiry` says. Default: no login.
    pub fn login(mut self, user: impl Into<String>, password: impl Into<String>, expiry: Expiry) -> Self {
        self.login = Some((user.into(), password.into(), expiry));
        self
    }

    /// Starts the server on a thread of its own and returns when it listens.
    ///
    /// # Errors
    ///
    /// No metadata was given, the address is not a loopback one, or it cannot be listened at.
    pub fn start(self) -> io::Result<Simulator> {
        let invalid = |reason: &str| io::Error::new(io::ErrorKind::InvalidInput, reason.to_owned());
        let metadata = self.metadata.ok_or_else(|| invalid("the simulator needs a $metadata document"))?;
        if !self.listen.ip().is_loopback() {
            return Err(invalid("the simulator listens on loopback addresses only; it protects nothing"));
        }
        let listener = std::net::TcpListener::bind(self.listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            world: Mutex::new(World::new(metadata, self.clock, self.switches)),
            faults: Mutex::default(),
            requests: Mutex::default(),
            late: Mutex::default(),
            sessions: Mutex::new(Sessions { login: self.login, open: Vec::new() }),
            control: self.control,
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (listening, asked) = watch::channel(Listening::Open);
        let (report, running) = watch::channel(Listening::Open);
        let serving = Arc::clone(&state);
        let thread = std::thread::Builder::new().name("cdms-simulator".to_owned()).spawn(move || {
            runtime.block_on(http::serve(serving, listener, address, asked, report));
        })?;
        Ok(Simulator { state, address, listening, running, thread: Some(thread) })
    }
}

impl State {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    pub(crate) fn commit_late(&self) -> usize {
        let late = std::mem::take(&mut *lock(&self.late));
        let mut world = self.world();
        late.into_iter().map(|commit| commit(&mut world)).filter(Result::is_ok).count()
    }

    pub(crate) fn remember(&self, entry: RequestEntry) {
        let mut requests = lock(&self.requests);
        if requests.len() >= REQUESTS_MAX {
            requests.pop_front();
        }
        requests.push_back(entry);
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[track_caller]
fn done<T>(result: Result<T, Refusal>) -> T {
    match result {
        Ok(value) => value,
        Err(refusal) => panic!("the scene cannot be set: {} ({})", refusal.message, refusal.status),
    }
}
