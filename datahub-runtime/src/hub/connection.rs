//! The first contact with CDMS, tried through a hub.

use crate::Error;
use crate::Hub;
use crate::cdms::Questions;
use crate::connection::{CheckedModel, ConnectionReport};
use crate::engine::budget::admit;
use crate::engine::call::Call;

/// The setting with the organisation whose data the database holds.
pub(crate) const ORGANISATION: &str = "organisation";

impl Hub {
    /// Tries the first contact with CDMS, step by step: address, TLS, login, organisation, user, and for each model the right
    /// to read and the schema. The report says of each step what works, what does not and what to do now; a step that rests
    /// on one that failed is not tried, and says why. The right to write is never tried, because that would change data.
    ///
    /// ```no_run
    /// # use datahub_runtime::{Error, Hub};
    /// # async fn example(hub: &Hub) -> Result<(), Error> {
    /// let report = hub.check_connection().await?;
    /// println!("{report}"); // a line for each step, with ✓ or ✗; `serde_json::to_string(&report)` for machines
    /// for step in report.faults() {
    ///     eprintln!("{step}");
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// It writes nothing, to neither side, and counts as no first contact: the operation that makes it still does. It sends
    /// two requests, one for a user that [`cdms_user`](crate::HubBuilder::cdms_user) names, one for each set of the models and
    /// one for `$metadata`; and logs in if there is no session, as every operation does: one login for all who wait, and a
    /// refused secret is not tried again. It reads one setting of the database. If CDMS stops answering, nothing more is sent.
    /// What it learns about rights and schema shows in [`Hub::health`].
    ///
    /// Dropping the future stops between two requests; a login that was under way counts as tried.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`](crate::ErrorKind::Misconfigured) if the hub has no CDMS,
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) after shutdown, and
    /// [`ErrorKind::BudgetExceeded`](crate::ErrorKind::BudgetExceeded). Everything about CDMS is in the report.
    #[track_caller]
    pub fn check_connection(&self) -> impl Future<Output = Result<ConnectionReport, Error>> + Send + use<> {
        let hub = self.called();
        async move { Call::new(&hub, "check_connection", "").run(checked(&hub)).await }
    }
}

async fn checked(hub: &Hub) -> Result<ConnectionReport, Error> {
    let engine = &hub.engine;
    engine.admit_any()?;
    let client = engine.client()?;
    admit()?;
    let known = engine.store.setting(ORGANISATION).await.map_err(Error::from);
    let models = engine.models.iter().filter_map(CheckedModel::of).collect();
    let questions = Questions { models, known: Some(known), wants_metadata: false };
    let (report, _) = client.check_connection(&questions).await;
    Ok(report)
}
