//! Budgets of requests: the next operation is refused before its first request, and one that has begun is never stopped.

use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::cost::with_account;
use crate::{Error, ErrorKind};

/// A place in a program.
type Site = &'static Location<'static>;

/// How many call sites an error names.
const NAMED_MAX: usize = 3;

/// A number of requests for all operations of some handles.
#[derive(Debug)]
pub(crate) struct Budget {
    allowed: u64,
    spent: Mutex<Spent>,
    /// The budget of the handle from which the one with this budget was taken.
    outer: Option<Arc<Budget>>,
}

#[derive(Debug, Default)]
struct Spent {
    requests: u64,
    /// Operations that were admitted and have not sent their first request yet.
    reserved: u64,
    by_site: HashMap<Site, u64>,
}

/// What was spent of a budget; see [`Hub::budget`](crate::Hub::budget).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetUse {
    /// How many requests the budget allows.
    pub allowed: u64,
    /// How many were sent. It can be more than is allowed, because an operation that has begun is not stopped.
    pub used: u64,
    /// The places in the program whose operations sent requests, and how many: those with the most first.
    pub call_sites: Vec<(&'static Location<'static>, u64)>,
}

impl Budget {
    pub(crate) fn new(allowed: u64, outer: Option<Arc<Budget>>) -> Self {
        Budget { allowed, spent: Mutex::default(), outer }
    }

    pub(crate) fn so_far(&self) -> BudgetUse {
        let spent = self.spent();
        let mut call_sites: Vec<_> = spent.by_site.iter().map(|(site, requests)| (*site, *requests)).collect();
        call_sites
            .sort_by_key(|(site, requests)| (std::cmp::Reverse(*requests), site.file(), site.line(), site.column()));
        BudgetUse { allowed: self.allowed, used: spent.requests, call_sites }
    }

    /// Makes room for the first request of an operation, on this budget and the outer ones.
    fn reserve(&self) -> Result<(), BudgetUse> {
        {
            let mut spent = self.spent();
            if spent.requests + spent.reserved < self.allowed {
                spent.reserved += 1;
            } else {
                drop(spent);
                return Err(self.so_far());
            }
        }
        match self.outer.as_ref().map_or(Ok(()), |outer| outer.reserve()) {
            Ok(()) => Ok(()),
            Err(exceeded) => {
                self.spent().reserved -= 1;
                Err(exceeded)
            }
        }
    }

    /// Gives back the room for a request that is not sent, or is now counted.
    fn release(&self) {
        self.and_outer(|spent| spent.reserved -= 1);
    }

    fn request(&self, site: Site) {
        self.and_outer(|spent| {
            spent.requests += 1;
            *spent.by_site.entry(site).or_default() += 1;
        });
    }

    fn and_outer(&self, change: impl Fn(&mut Spent)) {
        let mut budget = Some(self);
        while let Some(one) = budget {
            change(&mut one.spent());
            budget = one.outer.as_deref();
        }
    }

    fn spent(&self) -> std::sync::MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one operation on a budget.
#[derive(Debug)]
pub(crate) struct Account {
    budget: Arc<Budget>,
    /// Where the operation was called.
    site: Site,
    /// What it does, for the error.
    kind: &'static str,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It has sent nothing, and may never do so.
    Quiet,
    /// It may send its first request.
    Admitted,
    /// It has begun to send, and may go on.
    Begun,
}

impl Account {
    pub(crate) fn new(budget: Arc<Budget>, site: Site, kind: &'static str) -> Self {
        Account { budget, site, kind, state: Mutex::new(State::Quiet) }
    }

    fn admit(&self) -> Result<(), Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state == State::Quiet {
            self.budget.reserve().map_err(|so_far| self.refusal(&so_far))?;
            *state = State::Admitted;
        }
        Ok(())
    }

    /// Counts a request.
    pub(crate) fn request(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.budget.request(self.site);
        if std::mem::replace(&mut *state, State::Begun) == State::Admitted {
            self.budget.release();
        }
    }

    fn refusal(&self, so_far: &BudgetUse) -> Error {
        let Account { site, kind, .. } = self;
        let message = format!("{so_far}, so the {kind} at {site} was refused before its first request");
        Error::new(ErrorKind::BudgetExceeded, message).advise(
            "ask for many records at once with `find` or `get_many`, allow an age with `freshness`, or raise the budget",
        )
    }
}

/// An operation that ends without having sent what it was admitted for leaves the room to others.
impl Drop for Account {
    fn drop(&mut self) {
        if *self.state.get_mut().unwrap_or_else(PoisonError::into_inner) == State::Admitted {
            self.budget.release();
        }
    }
}

/// Refuses the current operation if it has not sent anything yet and its budget is used up. Called by every operation
/// where it is certain that it will ask CDMS, before it changes anything.
pub(crate) fn admit() -> Result<(), Error> {
    with_account(Account::admit).unwrap_or(Ok(()))
}

impl fmt::Display for BudgetUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BudgetUse { allowed, used, call_sites } = self;
        write!(f, "{used} of {allowed} requests are used up")?;
        for (position, (site, requests)) in call_sites.iter().take(NAMED_MAX).enumerate() {
            let before = if position == 0 { " (" } else { ", " };
            write!(f, "{before}{}:{} × {requests}", site.file(), site.line())?;
        }
        match call_sites.len() {
            0 => Ok(()),
            count if count > NAMED_MAX => write!(f, ", {} more places)", count - NAMED_MAX),
            _ => write!(f, ")"),
        }
    }
}
