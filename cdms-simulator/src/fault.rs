//! Faults to order: which requests they meet, and what they do to them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cdms_odata::Attributes;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// What a request does, for choosing which ones a fault meets.
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

/// A fault and the requests that it meets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Only requests that do this; `None`: any.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// Only requests to this entity, by its type's name; `None`: any.
    #[serde(default)]
    pub entity: Option<String>,
    /// How many matching requests pass first.
    #[serde(default)]
    pub skip: u32,
    /// How many matching requests are met; `None`: all.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens to them.
    pub fault: Fault,
}

/// What can happen to a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The request is carried out, and answered, so many milliseconds later.
    Latency(u64),
    /// The connection is closed before anything is done.
    DropBeforeCommit,
    /// The connection is closed after the request was carried out.
    DropAfterCommit,
    /// The connection is closed, and the write is carried out only when [`Simulator::commit_late`] says so.
    ///
    /// [`Simulator::commit_late`]: crate::Simulator::commit_late
    CommitLate,
    /// The answer breaks off in the middle of its body; one without a body does not come at all.
    Truncate,
    /// 401 without a body.
    Unauthorized,
    /// 302 to the login page.
    RedirectToLogin,
    /// 302 to another host.
    RedirectTo(String),
    /// 200 with the login page in place of data.
    LoginForm,
    /// This status with an HTML page.
    Html(u16),
    /// This status with CDMS's error JSON.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The platform's code; 0 for none.
        code: i32,
        /// The text.
        message: String,
    },
    /// 500 with CDMS's error JSON after the request was carried out.
    FailAfterCommit {
        /// The platform's code; 0 for none.
        code: i32,
        /// The text.
        message: String,
    },
    /// 500 `Generic SQL error`, as in a deadlock; nothing was written.
    Deadlock,
    /// 500 from a plug-in with its text; nothing was written.
    PlugIn(String),
    /// 403; nothing was written.
    NoPrivilege,
    /// 200 with a text that is no JSON.
    NotJson,
    /// The write does not move `ModifiedOn`.
    FreezeModifiedOn,
    /// A create gets another id than the one the client chose.
    OtherId,
    /// A plug-in sets these attributes along with the write.
    Adjust(Attributes),
    /// An attribute is shown as this JSON text instead of its value.
    Corrupt {
        /// The attribute.
        attribute: String,
        /// What stands in its place.
        json: String,
    },
    /// The page has a `__next`, be it the last one or not, that leads to this address.
    HostileNext(String),
    /// The server itself fails, which must become the failure of the test that uses it.
    Panic,
    /// The request waits until the gate is opened. A client that hangs up takes its waiting request along.
    #[serde(skip)]
    Hold(Stage, Gate),
}

/// When a held request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Before anything is done.
    BeforeCommit,
    /// After it was carried out, before the answer.
    AfterCommit,
}

/// How long a test waits for a request that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Holds requests until it is opened, and tells when one has arrived: what tests use instead of sleeping.
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

    /// Only for requests that do this.
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

    /// Only after so many matching requests.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// Only for so many matching requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }
}

impl Fault {
    /// The fault's name, by which hits are counted.
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

    /// Lets all held requests go on, and further ones pass.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// Waits until this many requests have arrived at the gate.
    ///
    /// # Panics
    ///
    /// When they have not come after a minute: what should have sent them failed before, or waits for something else.
    pub async fn arrived(&self, count: u32) {
        self.arrived_within(count, PATIENCE).await;
    }

    async fn arrived_within(&self, count: u32, patience: Duration) {
        let mut arrived = self.arrived.subscribe();
        let enough = arrived.wait_for(|arrived| *arrived >= count);
        if tokio::time::timeout(patience, enough).await.is_err() {
            let came = *self.arrived.borrow();
            panic!(
                "only {came} of {count} requests came to the gate within {} s; what should have sent the others failed \
                 before, or waits for something else",
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

/// The rules in force and how often each kind was met.
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

    /// The faults that meet a request. Each rule counts the requests that it matches.
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
        // A long run orders many faults, and each request is held against every rule.
        self.rules.retain(|(rule, matched)| rule.times.is_none_or(|times| *matched < rule.skip.saturating_add(times)));
        met
    }
}

/// The faults of one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Met(pub(crate) Vec<Fault>);

impl Met {
    /// Waits as long as was ordered. Where nothing was, no timer is touched: it would cost a millisecond.
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
    fn a_rule_that_is_spent_is_forgotten() {
        let mut faults = Faults::default();
        faults.order(FaultRule::new(Fault::Deadlock).on(Operation::Read).after(1).times(2));
        faults.order(FaultRule::new(Fault::NotJson));
        let mut met = |operation| faults.meet(operation, None).names();
        let deadlock = vec!["deadlock", "not_json"];
        assert_eq!([Operation::Read, Operation::List, Operation::Read].map(&mut met)[2], deadlock);
        assert_eq!([Operation::Read, Operation::Read].map(met), [deadlock, vec!["not_json"]]);
        assert_eq!(faults.rules.len(), 1, "the one without an end");
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
    #[should_panic(expected = "only 1 of 2 requests came to the gate")]
    async fn waiting_for_a_request_that_does_not_come_ends() {
        let gate = Gate::new();
        gate.open();
        gate.pass().await;
        gate.arrived(1).await;
        gate.arrived_within(2, Duration::ZERO).await;
    }
}
