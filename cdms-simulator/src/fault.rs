//! Faults on demand: which requests they affect, and how.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cdms_odata::Attributes;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// What a request does; selects the requests that a fault affects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// A GET of one record.
    Read,
    /// A GET of a set.
    List,
    /// A POST to a set.
    Create,
    /// A MERGE or PUT of one record.
    Update,
    /// A DELETE.
    Delete,
    /// `$metadata`, the service document, the login.
    Other,
}

/// A fault and the requests that it affects.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Only requests with this operation; `None`: all.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// Only requests to this entity, by the name of its type; `None`: all.
    #[serde(default)]
    pub entity: Option<String>,
    /// The number of matching requests that are not affected first.
    #[serde(default)]
    pub skip: u32,
    /// The number of matching requests that are affected after these; `None`: all.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens to them.
    pub fault: Fault,
}

/// What can happen to a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The request is carried out and answered this many milliseconds later.
    Latency(u64),
    /// The connection is closed before anything is done.
    DropBeforeCommit,
    /// The connection is closed after the request was carried out.
    DropAfterCommit,
    /// The connection is closed, and the write is carried out only when [`Simulator::commit_late`] is called.
    ///
    /// [`Simulator::commit_late`]: crate::Simulator::commit_late
    CommitLate,
    /// The response breaks off in the middle of its body; a response without a body is not sent at all.
    Truncate,
    /// 401 without a body.
    Unauthorized,
    /// 302 to the login page.
    RedirectToLogin,
    /// 302 to another host.
    RedirectTo(String),
    /// 200 with the login page instead of data.
    LoginForm,
    /// This status with an HTML page.
    Html(u16),
    /// This status with CDMS's error JSON.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The platform's error code; 0 if there is none.
        code: i32,
        /// The message.
        message: String,
    },
    /// 500 with CDMS's error JSON after the request was carried out.
    FailAfterCommit {
        /// The platform's error code; 0 if there is none.
        code: i32,
        /// The message.
        message: String,
    },
    /// 500 `Generic SQL error`, as after a deadlock; nothing is written.
    Deadlock,
    /// 500 from a plug-in with this message; nothing is written.
    PlugIn(String),
    /// 403; nothing is written.
    NoPrivilege,
    /// 200 with text that is not JSON.
    NotJson,
    /// The write does not change `ModifiedOn`.
    FreezeModifiedOn,
    /// A created record gets a different id than the client chose.
    OtherId,
    /// A plug-in sets these attributes along with the write.
    Adjust(Attributes),
    /// An attribute is shown as this JSON text instead of its value.
    Corrupt {
        /// The attribute.
        attribute: String,
        /// The JSON text that replaces its value.
        json: String,
    },
    /// The page has a `__next` with this address, whether it is the last page or not.
    HostileNext(String),
    /// The server itself panics, which must fail the test that uses it.
    Panic,
    /// The request waits until the gate is opened. If the client disconnects, its waiting request is dropped.
    #[serde(skip)]
    Hold(Stage, Gate),
}

/// When a held request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Before anything is done.
    BeforeCommit,
    /// After the request was carried out, before it is answered.
    AfterCommit,
}

/// How long a test waits for a request.
const PATIENCE: Duration = Duration::from_secs(60);

/// Holds requests until it is opened, and reports their arrival. Tests use it instead of sleeping.
#[derive(Clone, Debug)]
pub struct Gate {
    open: Arc<watch::Sender<bool>>,
    arrived: Arc<watch::Sender<u32>>,
}

impl FaultRule {
    /// A fault for every request.
    pub fn new(fault: Fault) -> Self {
        FaultRule { operation: None, entity: None, skip: 0, times: None, fault }
    }

    /// Only for requests with this operation.
    #[must_use]
    pub fn on(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Only for requests to this entity.
    #[must_use]
    pub fn entity(mut self, entity: impl Into<String>) -> Self {
        self.entity = Some(entity.into());
        self
    }

    /// Only after this number of matching requests.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// Only for this number of matching requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }
}

impl Fault {
    /// The name of the fault, under which hits are counted.
    pub fn name(&self) -> &'static str {
        match self {
            Fault::Latency(_) => "latency",
            Fault::DropBeforeCommit => "drop_before_commit",
            Fault::DropAfterCommit => "drop_after_commit",
            Fault::CommitLate => "commit_late",
            Fault::Truncate => "truncate",
            Fault::Unauthorized => "unauthorized",
            Fault::RedirectToLogin => "redirect_to_login",
            Fault::RedirectTo(_) => "redirect_to",
            Fault::LoginForm => "login_form",
            Fault::Html(_) => "html",
            Fault::Refuse { .. } => "refuse",
            Fault::FailAfterCommit { .. } => "fail_after_commit",
            Fault::Deadlock => "deadlock",
            Fault::PlugIn(_) => "plug_in",
            Fault::NoPrivilege => "no_privilege",
            Fault::NotJson => "not_json",
            Fault::FreezeModifiedOn => "freeze_modified_on",
            Fault::OtherId => "other_id",
            Fault::Adjust(_) => "adjust",
            Fault::Corrupt { .. } => "corrupt",
            Fault::HostileNext(_) => "hostile_next",
            Fault::Panic => "panic",
            Fault::Hold(..) => "hold",
        }
    }
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Gate { open: Arc::new(watch::Sender::new(false)), arrived: Arc::new(watch::Sender::new(0)) }
    }

    /// Lets all held requests continue and all later ones pass.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// Waits until this many requests have arrived at the gate.
    ///
    /// # Panics
    ///
    /// If they have not arrived after a minute: their sender failed earlier, or waits for something else.
    pub async fn arrived(&self, count: u32) {
        self.arrived_within(count, PATIENCE).await;
    }

    async fn arrived_within(&self, count: u32, patience: Duration) {
        let mut arrived = self.arrived.subscribe();
        let enough = arrived.wait_for(|arrived| *arrived >= count);
        if tokio::time::timeout(patience, enough).await.is_err() {
            let came = *self.arrived.borrow();
            panic!(
                "only {came} of {count} requests arrived at the gate within {} s; the sender of the others failed \
                 earlier, or waits for something else",
                patience.as_secs()
            );
        }
    }

    pub(crate) async fn pass(&self) {
        self.arrived.send_modify(|arrived| *arrived += 1);
        _ = self.open.subscribe().wait_for(|open| *open).await;
    }
}

impl Default for Gate {
    fn default() -> Self {
        Gate::new()
    }
}

/// The rules in force, and how often each kind of fault was hit.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<(FaultRule, u32)>,
    hits: BTreeMap<&'static str, u64>,
}

impl Faults {
    pub(crate) fn order(&mut self, rule: FaultRule) {
        self.rules.push((rule, 0));
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn hits(&self) -> BTreeMap<String, u64> {
        self.hits.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    /// The faults that affect a request. Each rule counts the requests that it matches.
    pub(crate) fn meet(&mut self, operation: Operation, entity: Option<&str>) -> Met {
        let mut met = Met::default();
        for (rule, matched) in &mut self.rules {
            let matches = rule.operation.is_none_or(|wanted| wanted == operation)
                && rule.entity.as_deref().is_none_or(|wanted| entity == Some(wanted));
            if !matches {
                continue;
            }
            *matched += 1;
            let past_skip = *matched > rule.skip;
            let in_times = rule.times.is_none_or(|times| *matched - rule.skip.min(*matched) <= times);
            if past_skip && in_times {
                *self.hits.entry(rule.fault.name()).or_default() += 1;
                met.0.push(rule.fault.clone());
            }
        }
        // A long run orders many faults, and each request is compared with every rule.
        self.rules.retain(|(rule, matched)| rule.times.is_none_or(|times| *matched < rule.skip.saturating_add(times)));
        met
    }
}

/// The faults of one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Met(pub(crate) Vec<Fault>);

impl Met {
    /// Waits for the ordered latency. Without one it starts no timer, which would cost a millisecond.
    pub(crate) async fn delay(&self) {
        let latency = self.latency();
        if latency > Duration::ZERO {
            tokio::time::sleep(latency).await;
        }
    }

    fn latency(&self) -> Duration {
        let ms = self.0.iter().map(|fault| if let Fault::Latency(ms) = fault { *ms } else { 0 });
        Duration::from_millis(ms.fold(0, u64::saturating_add))
    }

    pub(crate) fn gates(&self, stage: Stage) -> impl Iterator<Item = &Gate> {
        self.0.iter().filter_map(move |fault| match fault {
            Fault::Hold(at, gate) if *at == stage => Some(gate),
            _ => None,
        })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|fault| fault.name() == name)
    }

    pub(crate) fn adjustments(&self) -> Attributes {
        let mut all = Attributes::new();
        for fault in &self.0 {
            if let Fault::Adjust(attributes) = fault {
                all.merge(attributes);
            }
        }
        all
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(Fault::name).collect()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn a_rule_that_is_used_up_is_dropped() {
        let mut faults = Faults::default();
        faults.order(FaultRule::new(Fault::Deadlock).on(Operation::Read).after(1).times(2));
        faults.order(FaultRule::new(Fault::NotJson));
        let mut met = |operation| faults.meet(operation, None).names();
        let deadlock = vec!["deadlock", "not_json"];
        assert_eq!([Operation::Read, Operation::List, Operation::Read].map(&mut met)[2], deadlock);
        assert_eq!([Operation::Read, Operation::Read].map(met), [deadlock, vec!["not_json"]]);
        assert_eq!(faults.rules.len(), 1, "the rule without a limit");
        assert_eq!(faults.hits(), BTreeMap::from([("deadlock".to_owned(), 2), ("not_json".to_owned(), 5)]));
    }

    #[tokio::test]
    async fn a_request_without_ordered_latency_does_not_wait() {
        assert_eq!(Met::default().delay().now_or_never(), Some(()));
        let ordered = |ms| Met(vec![Fault::Deadlock, Fault::Latency(ms)]);
        assert_eq!(ordered(0).delay().now_or_never(), Some(()));
        assert_eq!(ordered(60_000).delay().now_or_never(), None);
    }

    #[tokio::test]
    #[should_panic(expected = "only 1 of 2 requests arrived at the gate")]
    async fn waiting_for_a_request_that_does_not_arrive_ends() {
        let gate = Gate::new();
        gate.open();
        gate.pass().await;
        gate.arrived(1).await;
        gate.arrived_within(2, Duration::ZERO).await;
    }
}
