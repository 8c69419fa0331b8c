//! Other handles on the same hub: for a user, and on a budget.

use std::panic::Location;
use std::sync::Arc;

use crate::Hub;
use crate::engine::budget::{Budget, BudgetUse};

impl Hub {
    /// Returns another handle on the same hub that acts for this user. The history keeps the name with everything it
    /// writes.
    pub fn acting_as(&self, actor: impl Into<String>) -> Hub {
        Hub { actor: actor.into().into(), ..self.clone() }
    }

    /// The user for whom this handle acts; the program's name if none was set.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// Returns another handle on the same hub whose operations may send this number of requests to CDMS, all of them
    /// together, also those of its clones. When they are used up, the next operation that would ask CDMS is refused before
    /// its first request, with [`ErrorKind::BudgetExceeded`](crate::ErrorKind::BudgetExceeded). The error names the call sites with the most requests, so
    /// that a loop that reads records one by one is found by a test. An operation that has begun is never stopped, so more
    /// requests than these can be sent in the end.
    ///
    /// Operations that need no request pass: reads of the hub's database, and reads within an age that
    /// [`Freshness`](crate::Freshness) allows. A request that several callers share counts for the one that began it, and a
    /// revalidation in the background counts for none of them. A handle that is taken from one with a budget is bound by
    /// both.
    ///
    /// ```no_run
    /// # use datahub_runtime::prelude::*;
    /// # #[derive(Clone, CdmsSynced)]
    /// # #[cdms(mapping = "account.toml", table = "organisations")]
    /// # struct Organisation {
    /// #     #[cdms(key)]
    /// #     id: Id<Organisation>,
    /// #     #[cdms("Name")]
    /// #     name: String,
    /// # }
    /// # async fn report(hub: &Hub, ids: Vec<Id<Organisation>>) -> Result<(), Error> {
    /// let hub = hub.with_budget(10); // for one page of a web service, or one test
    /// for id in ids {
    ///     // The eleventh fails: "10 of 10 requests are used up (src/report.rs:14 × 10), so the get at … was refused".
    ///     println!("{}", Organisation::get(&hub, id).await?.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_budget(&self, requests: u64) -> Hub {
        Hub { budget: Some(Arc::new(Budget::new(requests, self.budget.clone()))), ..self.clone() }
    }

    /// What was spent of this handle's budget; `None` if it has none.
    pub fn budget(&self) -> Option<BudgetUse> {
        self.budget.as_ref().map(|budget| budget.so_far())
    }

    /// This handle, for an operation that the caller begins here.
    #[track_caller]
    pub(crate) fn called(&self) -> Hub {
        Hub { site: self.site.or(Some(Location::caller())), ..self.clone() }
    }
}
