//! A caller's operation as a whole: where it was called, what it cost, and how it ended.

use std::convert::Infallible;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;

use tracing::Instrument;
use tracing::field::Empty;
use uuid::Uuid;

use crate::engine::Engine;
use crate::engine::budget::{Account, Budget};
use crate::engine::cost::{Cost, is_within_call, metered_call};
use crate::engine::metrics;
use crate::engine::observed::record;
use crate::{Error, Hub};

/// One operation of a caller, from the moment it is awaited.
pub(crate) struct Call {
    engine: Arc<Engine>,
    budget: Option<Arc<Budget>>,
    site: Option<&'static Location<'static>>,
    /// What it does, in one word.
    kind: &'static str,
    /// The model's name; empty if it is about several.
    model: &'static str,
    id: Option<Uuid>,
}

/// What an operation returns; most of it says what it cost.
pub(crate) trait Costed {
    /// Keeps the cost of the operation, if there is a place for it.
    fn set_cost(&mut self, _cost: Cost) {}
}

impl Costed for () {}
impl Costed for bool {}
impl Costed for u64 {}
impl<T> Costed for Option<T> {}
impl<T> Costed for Box<T> {}
impl<T> Costed for Vec<T> {}

/// What an operation fails with.
pub(crate) trait Failed {
    fn error(&self) -> &Error;
}

impl Failed for Error {
    fn error(&self) -> &Error {
        self
    }
}

impl Failed for Infallible {
    fn error(&self) -> &Error {
        match *self {}
    }
}

impl Call {
    /// A call through this handle, which knows where it was called.
    pub(crate) fn new(hub: &Hub, kind: &'static str, model: &'static str) -> Self {
        Call { engine: Arc::clone(&hub.engine), budget: hub.budget.clone(), site: hub.site, kind, model, id: None }
    }

    /// It is about this record.
    pub(crate) fn on(mut self, id: Uuid) -> Self {
        self.id = Some(id);
        self
    }

    /// Runs the operation in a span of its own: `datahub_call`, with the fields `kind`, `model`, `id` and `at` (where it
    /// was called), and at its end its cost and its outcome.
    pub(crate) fn run<T: Costed, E: Failed>(
        self,
        work: impl Future<Output = Result<T, E>>,
    ) -> impl Future<Output = Result<T, E>> {
        // Each layer around a future moves it; only what points to it is moved here.
        self.run_boxed(Box::pin(work))
    }

    async fn run_boxed<T: Costed, E: Failed>(self, work: Pin<Box<impl Future<Output = Result<T, E>>>>) -> Result<T, E> {
        let Call { engine, budget, site, kind, model, id } = self;
        let span = tracing::info_span!(
            "datahub_call",
            kind,
            model,
            id = id.map(tracing::field::display),
            at = site.map(tracing::field::display),
            requests = Empty,
            bytes_sent = Empty,
            bytes_received = Empty,
            statements = Empty,
            transactions = Empty,
            ms = Empty,
            outcome = Empty,
        );
        // An operation within another one is on that one's account.
        let is_outermost = !is_within_call();
        let account = budget.zip(site).filter(|_| is_outermost);
        let account = account.map(|(budget, site)| Account::new(budget, site, kind));
        let (mut output, cost) = metered_call(account, work).instrument(span.clone()).await;
        let outcome = output.as_ref().err().map_or("ok", |failed| failed.error().kind().word());
        record(&span, cost, outcome);
        if is_outermost {
            engine.meters.took(cost.time);
            metrics::operation(kind, model, outcome, cost.time);
        }
        if let Ok(output) = &mut output {
            output.set_cost(cost);
        }
        output
    }
}
