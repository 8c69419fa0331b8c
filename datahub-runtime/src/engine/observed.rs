//! Tracing of checks and writes: one span each, with what it was about, its cost and its outcome.

use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::{Failure, OperationId};
use tracing::field::Empty;
use tracing::{Instrument, Span};
use uuid::Uuid;

use crate::engine::cost::{Cost, metered};

/// An operation's outcome, in one word.
pub(crate) trait Outcome {
    /// The word: `ok`, or the kind of failure. Never a value.
    fn word(&self) -> &'static str;
}

impl<T, E> Outcome for Result<Result<T, Failure<Fault>>, E> {
    fn word(&self) -> &'static str {
        match self {
            Ok(Ok(_)) => "ok",
            Ok(Err(failure)) => failure.name(),
            Err(_) => "store",
        }
    }
}

/// Runs a check or a write of a record in a span of its own: `datahub_operation`, with the fields `kind`, `model`, `id`
/// and `operation` (of a write), and at its end its cost and its outcome.
pub(crate) async fn observed<T: Outcome>(
    kind: &'static str,
    model: &'static ModelDescriptor,
    id: Uuid,
    operation: Option<OperationId>,
    work: impl Future<Output = T>,
) -> T {
    let span = tracing::info_span!(
        "datahub_operation",
        kind,
        model = model.name,
        %id,
        operation = operation.map(tracing::field::display),
        requests = Empty,
        bytes_sent = Empty,
        bytes_received = Empty,
        statements = Empty,
        transactions = Empty,
        ms = Empty,
        outcome = Empty,
    );
    let (output, cost) = metered(work).instrument(span.clone()).await;
    record(&span, cost, output.word());
    output
}

/// Records in a span what an operation cost, and how it ended.
pub(crate) fn record(span: &Span, cost: Cost, outcome: &'static str) {
    span.record("requests", cost.requests);
    span.record("bytes_sent", cost.bytes_sent);
    span.record("bytes_received", cost.bytes_received);
    span.record("statements", cost.statements);
    span.record("transactions", cost.transactions);
    span.record("ms", u64::try_from(cost.time.as_millis()).unwrap_or(u64::MAX));
    span.record("outcome", outcome);
}
