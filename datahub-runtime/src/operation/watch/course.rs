//! The course of a watch: begins what is due, takes notice of how it ended, and tells.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use super::schedule::{Outcome, Schedule, Work};
use super::told::{WatchEvent, WatchReport, WatchState, WatchedModel};
use super::work::{Conditions, End, Ended, Watched};
use crate::engine::cost::{Cost, metered};
use crate::engine::metrics;
use crate::operation::{ModelFresh, SweepReport};
use crate::{Error, ErrorKind};

pub(super) type OnEvent = Box<dyn FnMut(&WatchEvent) + Send>;

pub(super) struct Course {
    watched: Vec<Watched>,
    conditions: Conditions,
    schedule: Schedule,
    report: Arc<Mutex<WatchReport>>,
    on_event: Option<OnEvent>,
    /// The models whose pulls this watch has the lease of.
    is_leased: Vec<bool>,
    /// The models whose last sweep was stopped by its brake.
    was_stopped: Vec<bool>,
    is_asking_cdms: bool,
}

/// What has ended, and its cost.
enum Finished {
    Pull(usize, Duration, End<ModelFresh>, Cost),
    Sweep(usize, End<SweepReport>, Cost),
    /// Whether CDMS is back.
    Asked(bool, Cost),
}

impl Course {
    pub(super) fn new(
        watched: Vec<Watched>,
        conditions: Conditions,
        schedule: Schedule,
        report: Arc<Mutex<WatchReport>>,
        on_event: Option<OnEvent>,
    ) -> Self {
        let (is_leased, was_stopped) = (vec![false; watched.len()], vec![false; watched.len()]);
        Course { watched, conditions, schedule, report, on_event, is_leased, was_stopped, is_asking_cdms: false }
    }

    /// Watches until it is halted, and then waits for what has begun.
    pub(super) async fn run(mut self) {
        let engine = Arc::clone(&self.conditions.hub.engine);
        let (clock, halt) = (Arc::clone(&engine.clock), self.conditions.halt.clone());
        let mut running = FuturesUnordered::new();
        while !halt.is_cancelled() {
            let now = clock.monotonic();
            running.extend(self.begin(now));
            let next = self.schedule.next(now).filter(|_| !self.is_asking_cdms);
            let wake = async {
                match next {
                    Some(next) => clock.wait_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = halt.cancelled() => {}
                Some(finished) = running.next() => self.finished(finished, clock.monotonic()),
                () = wake => {}
            }
        }
        while let Some(finished) = running.next().await {
            self.finished(finished, clock.monotonic());
        }
        for (watched, _) in self.watched.iter().zip(&self.is_leased).filter(|(_, is_leased)| **is_leased) {
            watched.release(&engine, &watched.pulls).await;
        }
    }

    /// Begins what is due.
    fn begin(&mut self, now: Duration) -> Vec<BoxFuture<'static, Finished>> {
        let mut begun: Vec<BoxFuture<'static, Finished>> = Vec::new();
        if self.schedule.asks_cdms(now) && !self.is_asking_cdms {
            self.is_asking_cdms = true;
            let (engine, halt) = (Arc::clone(&self.conditions.hub.engine), self.conditions.halt.clone());
            begun.push(Box::pin(async move {
                let answers = async {
                    tokio::select! {
                        answers = engine.cdms_answers() => answers,
                        () = halt.cancelled() => false,
                    }
                };
                let (answers, cost) = metered(answers).await;
                Finished::Asked(answers, cost)
            }));
        }
        for (position, work) in self.schedule.take_due(now) {
            let (watched, conditions) = (self.watched[position].clone(), self.conditions.clone());
            match work {
                Work::Pull => {
                    let until_next = self.schedule.until_next(position, now);
                    self.note(position, |model| model.state = WatchState::Pulling);
                    begun.push(Box::pin(async move {
                        let (end, cost) = metered(watched.pull(&conditions, until_next)).await;
                        Finished::Pull(position, until_next, end, cost)
                    }));
                }
                Work::Sweep => {
                    let was_stopped = self.was_stopped[position];
                    begun.push(Box::pin(async move {
                        let (end, cost) = metered(watched.sweep(&conditions, was_stopped)).await;
                        Finished::Sweep(position, end, cost)
                    }));
                }
            }
        }
        begun
    }

    fn finished(&mut self, finished: Finished, now: Duration) {
        let cost = match &finished {
            Finished::Pull(.., cost) | Finished::Sweep(.., cost) | Finished::Asked(_, cost) => *cost,
        };
        self.with_report(|report| report.cost += cost);
        match finished {
            Finished::Pull(position, until_next, end, _) => self.pulled(position, until_next, end, now),
            Finished::Sweep(position, end, _) => self.swept(position, end, now),
            Finished::Asked(..) if self.conditions.halt.is_cancelled() => {}
            Finished::Asked(answers, _) => {
                self.is_asking_cdms = false;
                if answers {
                    self.schedule.cdms_is_back();
                    self.with_report(|report| report.is_cdms_away = false);
                    tracing::info!("CDMS answers again; the watch goes on");
                    self.tell(&WatchEvent::CdmsBack);
                } else {
                    let pause = self.schedule.cdms_is_away(now);
                    tracing::debug!(?pause, "CDMS is still away");
                }
            }
        }
    }

    fn pulled(&mut self, position: usize, until_next: Duration, end: End<ModelFresh>, now: Duration) {
        let model = self.watched[position].model.name;
        self.is_leased[position] = end.is_leased;
        if let Some(from) = end.from {
            tracing::info!(model, from, "the watch has taken over");
            self.tell(&WatchEvent::TakenOver { model, from });
        }
        let had_failed = self.schedule.failures(position) > 0;
        let (outcome, state) = match &end.ended {
            Ended::Done(_) => (Outcome::Done, WatchState::Waiting),
            Ended::NotYet(left) => (Outcome::NotBefore(*left), WatchState::Waiting),
            Ended::LeftToOthers(who, lease) => {
                (Outcome::NotBefore((*lease).min(until_next)), WatchState::LeftToOthers(who.clone()))
            }
            Ended::Stopped => (Outcome::NotBefore(until_next), WatchState::Waiting),
            Ended::WithoutCdms(_) => (Outcome::WithoutCdms, WatchState::Waiting),
            Ended::Failed(error) if error.kind() == ErrorKind::Quarantined => (Outcome::Harmful, WatchState::Waiting),
            Ended::Failed(_) => (Outcome::Failed, WatchState::Waiting),
        };
        let pause = self.schedule.ended(position, Work::Pull, outcome, now);
        let (state, failures) = (pause.map_or(state, |_| WatchState::Paused), self.schedule.failures(position));
        self.note(position, |model| (model.state, model.failures) = (state, failures));
        metrics::paused(model, pause.is_some());
        match end.ended {
            Ended::Done(fresh) => {
                self.note(position, |model| {
                    (model.checked_at, model.pull_error) = (fresh.checked_at, None);
                    model.deletions_as_of = fresh.deletions_as_of.max(model.deletions_as_of);
                    model.pulls += 1;
                });
                if had_failed {
                    tracing::info!(model, "the model is up to date again");
                    self.tell(&WatchEvent::Recovered { model });
                }
                self.tell(&WatchEvent::Pulled(fresh));
            }
            Ended::LeftToOthers(who, lease) => self.tell(&WatchEvent::LeftToOthers { model, who, lease }),
            Ended::WithoutCdms(error) => self.without_cdms(error, now),
            Ended::Failed(error) => {
                tracing::warn!(model, %error, failures, "a pull of the watch has failed");
                self.note(position, |model| model.pull_error = Some(error.clone()));
                self.tell(&WatchEvent::PullFailed { model, error, failures });
            }
            Ended::NotYet(_) | Ended::Stopped => {}
        }
        if let Some(pause) = pause {
            tracing::warn!(model, ?pause, "the watch pauses the model");
            self.tell(&WatchEvent::Paused { model, pause });
        }
    }

    fn swept(&mut self, position: usize, end: End<SweepReport>, now: Duration) {
        let model = self.watched[position].model.name;
        let longest = self.conditions.sweep_every.unwrap_or(self.conditions.every);
        // The brake is an error of this kind; what else is misconfigured also stays so for a while.
        let was_stopped = matches!(&end.ended, Ended::Failed(error) if error.kind() == ErrorKind::Misconfigured);
        self.was_stopped[position] = was_stopped;
        let outcome = match &end.ended {
            Ended::Done(_) => Outcome::Done,
            Ended::NotYet(left) => Outcome::NotBefore(*left),
            Ended::LeftToOthers(_, lease) => Outcome::NotBefore((*lease).min(longest)),
            Ended::Stopped => Outcome::NotBefore(longest),
            Ended::WithoutCdms(_) => Outcome::WithoutCdms,
            Ended::Failed(_) if was_stopped => Outcome::Harmful,
            Ended::Failed(_) => Outcome::Failed,
        };
        self.schedule.ended(position, Work::Sweep, outcome, now);
        match end.ended {
            Ended::Done(report) => {
                self.note(position, |model| {
                    model.sweep_error = None;
                    model.sweeps += 1;
                });
                self.tell(&WatchEvent::Swept { model, report });
            }
            Ended::WithoutCdms(error) => self.without_cdms(error, now),
            Ended::Failed(error) => {
                tracing::warn!(model, %error, "a sweep of the watch has failed");
                self.note(position, |model| model.sweep_error = Some(error.clone()));
                self.tell(&WatchEvent::SweepFailed { model, error });
            }
            Ended::NotYet(_) | Ended::LeftToOthers(..) | Ended::Stopped => {}
        }
    }

    /// Leaves CDMS alone for a while, and says so once.
    fn without_cdms(&mut self, error: Error, now: Duration) {
        if self.schedule.is_without_cdms() {
            return;
        }
        let pause = self.schedule.cdms_is_away(now);
        self.with_report(|report| report.is_cdms_away = true);
        tracing::warn!(%error, ?pause, "the watch waits for CDMS");
        self.tell(&WatchEvent::CdmsAway { error });
    }

    fn tell(&mut self, event: &WatchEvent) {
        if let Some(on_event) = &mut self.on_event {
            on_event(event);
        }
    }

    fn note(&self, position: usize, change: impl FnOnce(&mut WatchedModel)) {
        self.with_report(|report| change(&mut report.models[position]));
    }

    fn with_report<T>(&self, change: impl FnOnce(&mut WatchReport) -> T) -> T {
        change(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
