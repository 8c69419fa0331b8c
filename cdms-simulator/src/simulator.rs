//! A running simulator on its own thread, controlled and stopped by its handle.

mod logins;

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

/// A running simulator. Dropping it stops the server. If the server panicked, the dropping thread panics too, so that a
/// dead server is never mistaken for a slow one.
#[derive(Debug)]
pub struct Simulator {
    state: Arc<State>,
    address: SocketAddr,
    listening: watch::Sender<Listening>,
    running: watch::Receiver<Listening>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Returns a builder; [`SimulatorBuilder::metadata`] must be called.
    pub fn builder() -> SimulatorBuilder {
        SimulatorBuilder::new()
    }

    /// Serves on its own thread.
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

    /// The id of the user on whose behalf HTTP requests act, `CDMS\datahub`.
    pub fn service_user(&self) -> Uuid {
        self.state.world().service_user
    }

    /// Changes the organisation's id, as if another organisation answered at this address; returns the new one.
    ///
    /// # Panics
    ///
    /// If the new organisation's record cannot be seeded because `$metadata` lacks its key.
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

    /// Adds a record without a commit and returns its id, which is generated if the attributes do not include the key.
    /// Unlike a client, a scene may set times, states and users.
    ///
    /// # Panics
    ///
    /// If `$metadata` does not have the entity or an attribute.
    #[track_caller]
    pub fn seed(&self, entity: &str, attributes: impl Into<Attributes>) -> Uuid {
        done(self.state.world().seed(entity, attributes.into()))
    }

    /// Adds records from JSON: a list of `{"entity": "Account", "attributes": {"Name": "Acme"}}`, with values in
    /// canonical form (see [`cdms_odata::Value`]).
    ///
    /// # Errors
    ///
    /// Describes what is wrong with the text, or with the first record that does not fit `$metadata`: an unknown entity
    /// or attribute, a value of the wrong form, a duplicate id.
    pub fn seed_json(&self, scene: &str) -> Result<(), String> {
        let scene = serde_json::from_str(scene).map_err(|error| format!("{error}; {}", crate::control::SCENE_FORM))?;
        crate::control::seed(&self.state, scene).map(drop)
    }

    /// The attributes of a record; `None` if there is no such record.
    pub fn record(&self, entity: &str, id: Uuid) -> Option<Attributes> {
        let world = self.state.world();
        let entity = world.entity(entity).ok()?;
        world.record(entity, id).ok()
    }

    /// Edits a record as a person in CDMS itself. Unlike clients, people may change states and owners.
    ///
    /// # Panics
    ///
    /// If CDMS would refuse the edit, or if `$metadata` does not have an attribute.
    #[track_caller]
    pub fn edit(&self, entity: &str, id: Uuid, attributes: impl Into<Attributes>) {
        let mut world = self.state.world();
        let author = human_author(world.human_user);
        done(world.update(entity, id, attributes.into(), false, &author));
    }

    /// Sets attributes of a record in ways that CDMS does not allow: earlier times, states, values of plug-ins.
    ///
    /// # Panics
    ///
    /// If the record does not exist.
    #[track_caller]
    pub fn overwrite(&self, entity: &str, id: Uuid, attributes: impl Into<Attributes>) {
        let mut world = self.state.world();
        let known = done(world.entity(entity));
        let (mut record, key) = (done(world.record(known, id)), known.key.clone());
        record.merge(&attributes.into());
        record.insert(key, cdms_odata::Value::Guid(id));
        done(world.seed(entity, record));
    }

    /// Edits a record as a person in CDMS itself, and returns whether the record existed.
    ///
    /// # Panics
    ///
    /// As [`Simulator::edit`], except if the record does not exist.
    #[track_caller]
    pub fn edit_if_there(&self, entity: &str, id: Uuid, attributes: impl Into<Attributes>) -> bool {
        let mut world = self.state.world();
        let author = human_author(world.human_user);
        was_there(world.update(entity, id, attributes.into(), false, &author))
    }

    /// Deletes a record as a person in CDMS itself.
    ///
    /// # Panics
    ///
    /// If the record does not exist.
    #[track_caller]
    pub fn remove(&self, entity: &str, id: Uuid) {
        let mut world = self.state.world();
        let author = human_author(world.human_user);
        done(world.delete(entity, id, &author));
    }

    /// Deletes a record as a person in CDMS itself, and returns whether the record existed.
    ///
    /// # Panics
    ///
    /// If `$metadata` does not have the entity.
    #[track_caller]
    pub fn remove_if_there(&self, entity: &str, id: Uuid) -> bool {
        let mut world = self.state.world();
        let author = human_author(world.human_user);
        was_there(world.delete(entity, id, &author))
    }

    /// Creates a record as a person in CDMS itself; unlike a seeded record, it is a commit in the log.
    ///
    /// # Panics
    ///
    /// If CDMS would refuse the record, or if `$metadata` does not have an attribute.
    #[track_caller]
    pub fn add(&self, entity: &str, attributes: impl Into<Attributes>) -> Uuid {
        let mut world = self.state.world();
        let author = human_author(world.human_user);
        done(world.create(entity, attributes.into(), &author))
    }

    /// The commits in order: the authority on what happened in CDMS. Only the newest are kept
    /// ([`SimulatorBuilder::log_limit`]); [`Simulator::log_dropped`] counts the others.
    pub fn log(&self) -> Vec<CommitEntry> {
        self.state.world().commits().iter().cloned().collect()
    }

    /// The number of commits, the oldest ones, that the log no longer has.
    pub fn log_dropped(&self) -> u64 {
        self.state.world().commits().dropped()
    }

    /// The requests in the order in which they ended. Only the newest are kept ([`SimulatorBuilder::log_limit`]);
    /// [`Simulator::requests_dropped`] counts the others.
    pub fn requests(&self) -> Vec<RequestEntry> {
        lock(&self.state.requests).iter().cloned().collect()
    }

    /// The requests since the last call, in the order in which they ended. They are removed from the log, so a long run
    /// that takes them from time to time misses none.
    pub fn take_requests(&self) -> Vec<RequestEntry> {
        lock(&self.state.requests).take()
    }

    /// The number of requests that were dropped before they were taken.
    pub fn requests_dropped(&self) -> u64 {
        lock(&self.state.requests).dropped()
    }

    /// The number of all requests, including those that were dropped or taken.
    pub fn requests_met(&self) -> u64 {
        self.state.met.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// How many records the server has looked at for lists, relations and deletes, also to make the indexes that it keeps
    /// from then on: a measure of its work that other load on the machine does not change.
    pub fn records_looked_at(&self) -> u64 {
        self.state.world().looked_at()
    }

    /// Orders a fault.
    pub fn fault(&self, rule: FaultRule) {
        lock(&self.state.faults).order(rule);
    }

    /// Orders that requests be held at a gate, which is returned.
    pub fn hold(&self, stage: Stage, rule: impl FnOnce(Fault) -> FaultRule) -> Gate {
        let gate = Gate::new();
        self.fault(rule(Fault::Hold(stage, gate.clone())));
        gate
    }

    /// Cancels all faults.
    pub fn clear_faults(&self) {
        lock(&self.state.faults).clear();
    }

    /// How often each kind of fault affected a request.
    pub fn faults_hit(&self) -> BTreeMap<String, u64> {
        lock(&self.state.faults).hits()
    }

    /// Carries out the writes that [`Fault::CommitLate`] deferred, and returns the number that CDMS accepted.
    pub fn commit_late(&self) -> usize {
        self.state.commit_late()
    }

    /// Stops listening and closes every connection; new connections are refused.
    pub fn go_away(&self) {
        self.ask(Listening::Away);
    }

    /// Listens again at the same address.
    pub fn come_back(&self) {
        self.ask(Listening::Open);
    }

    /// Stops the server and waits until it has ended.
    pub fn stop(self) {
        drop(self);
    }

    /// Waits until the server ends, which is when the process is stopped.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            propagate(thread);
        }
    }

    fn ask(&self, listening: Listening) {
        // The server must not drop its connections if nothing changes.
        self.listening.send_if_modified(|asked| std::mem::replace(asked, listening) != listening);
        let mut running = self.running.clone();
        // Called inside and outside async runtimes, so it waits without one.
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
        Err(refusal) => panic!("invalid scene: {} ({})", refusal.message, refusal.status),
    }
}
