//! A running simulator: on a thread of its own, steered and stopped by its handle.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use cdms_odata::Attributes;
use tokio::sync::watch;
use uuid::Uuid;

use crate::builder::SimulatorBuilder;
use crate::clock::SimulatorClock;
use crate::fault::{Fault, FaultRule, Gate, Stage};
use crate::http;
use crate::log::CommitEntry;
use crate::refusal::{RECORD_MISSING, Refusal};
use crate::state::{Listening, RequestEntry, State, lock};
use crate::world::human_author;

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

impl Simulator {
    /// Begins to build a simulator; [`SimulatorBuilder::metadata`] is needed.
    pub fn builder() -> SimulatorBuilder {
        SimulatorBuilder::new()
    }

    /// Serves on a thread of its own.
    pub(crate) fn run(state: State, listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let state = Arc::new(state);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (listening, asked) = watch::channel(Listening::Open);
        let (report, running) = watch::channel(Listening::Open);
        let serving = Arc::clone(&state);
        let thread = std::thread::Builder::new().name("cdms-simulator".to_owned()).spawn(move || {
            runtime.block_on(http::serve(serving, listener, address, asked, report));
        })?;
        Ok(Simulator { state, address, listening, running, thread: Some(thread) })
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
    /// What is wrong with the text, or with the first record that does not fit `$metadata`: an entity or attribute that
    /// it does not have, a value of another form than the attribute's, an id that is there twice.
    pub fn seed_json(&self, scene: &str) -> Result<(), String> {
        let scene = serde_json::from_str(scene).map_err(|error| format!("{error}; {}", crate::control::SCENE_FORM))?;
        crate::control::seed(&self.state, scene).map(drop)
    }

    /// A record's attributes; `None` when there is no such record.
    pub fn record(&self, entity: &str, id: Uuid) -> Option<Attributes> {
        let world = self.state.world();
        let entity = world.entity(entity).ok()?;
        world.record(entity, id).ok()
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
        let known = done(world.entity(entity));
        let (mut record, key) = (done(world.record(known, id)), known.key.clone());
        record.merge(&attributes.into());
        record.insert(key, cdms_odata::Value::Guid(id));
        done(world.seed(entity, record));
    }

    /// An edit by a person in CDMS itself, where somebody else may have removed the record: whether it was there.
    ///
    /// # Panics
    ///
    /// As [`Simulator::edit`], but for a record that is not there.
    #[track_caller]
    pub fn edit_if_there(&self, entity: &str, id: Uuid, attributes: impl Into<Attributes>) -> bool {
        let mut world = self.state.world();
        let author = human_author(world.human_user);
        was_there(world.update(entity, id, attributes.into(), false, &author))
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

    /// A deletion by a person in CDMS itself, where somebody else may have removed the record: whether it was there.
    ///
    /// # Panics
    ///
    /// On an entity that `$metadata` does not have: a mistake in the scene.
    #[track_caller]
    pub fn remove_if_there(&self, entity: &str, id: Uuid) -> bool {
        let mut world = self.state.world();
        let author = human_author(world.human_user);
        was_there(world.delete(entity, id, &author))
    }

    /// A record that a person makes in CDMS itself; unlike one that is seeded it is a commit in the log.
    ///
    /// # Panics
    ///
    /// Where CDMS would refuse it, or on an attribute that `$metadata` does not have: a mistake in the scene.
    #[track_caller]
    pub fn add(&self, entity: &str, attributes: impl Into<Attributes>) -> Uuid {
        let mut world = self.state.world();
        let author = human_author(world.human_user);
        done(world.create(entity, attributes.into(), &author))
    }

    /// The commits, in order: the authority on what happened in CDMS. The newest 100,000, unless the builder was told
    /// otherwise; [`Simulator::log_dropped`] says how many came before them.
    pub fn log(&self) -> Vec<CommitEntry> {
        self.state.world().commits().iter().cloned().collect()
    }

    /// How many commits the log does not have any more, the oldest ones.
    pub fn log_dropped(&self) -> u64 {
        self.state.world().commits().dropped()
    }

    /// The requests met, in order of their ends. The newest 100,000, unless the builder was told otherwise;
    /// [`Simulator::requests_dropped`] says how many were dropped.
    pub fn requests(&self) -> Vec<RequestEntry> {
        lock(&self.state.requests).iter().cloned().collect()
    }

    /// The requests met since they were last taken, in order of their ends; they are forgotten, so that a long run that takes
    /// them from time to time misses none.
    pub fn take_requests(&self) -> Vec<RequestEntry> {
        lock(&self.state.requests).take()
    }

    /// How many requests were dropped before they were taken.
    pub fn requests_dropped(&self) -> u64 {
        lock(&self.state.requests).dropped()
    }

    /// How many requests there were, those that are forgotten among them.
    pub fn requests_met(&self) -> u64 {
        self.state.met.load(std::sync::atomic::Ordering::Relaxed)
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
        // Asked for what it does already, the server must not drop its connections.
        self.listening.send_if_modified(|asked| std::mem::replace(asked, listening) != listening);
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

#[track_caller]
fn was_there(result: Result<(), Refusal>) -> bool {
    match result {
        Err(refusal) if refusal.code == RECORD_MISSING => false,
        result => {
            done(result);
            true
        }
    }
}

#[track_caller]
fn done<T>(result: Result<T, Refusal>) -> T {
    match result {
        Ok(value) => value,
        Err(refusal) => panic!("the scene cannot be set: {} ({})", refusal.message, refusal.status),
    }
}
