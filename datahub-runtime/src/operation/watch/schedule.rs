//! When a watch pulls and sweeps which model: a decision from times, without effects.

use std::time::Duration;

use fastrand::Rng;

/// What is done with a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Pull,
    Sweep,
}

/// How a piece of work ended, as far as it decides when the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// There is nothing to do before this time has passed.
    NotBefore(Duration),
    /// The model is at fault, for example because CDMS refuses its list.
    Failed,
    /// The model is at fault, and more attempts would do harm.
    Harmful,
    /// CDMS is away; once it is back, the work begins again.
    WithoutCdms,
}

/// How often a pull may fail in a row before its model is paused.
const FAILURES_MAX: u32 = 3;

/// The longest pause of a model or of CDMS, unless models are watched less often.
const PAUSE_MAX: Duration = Duration::from_secs(600);

/// The times at which the models of a watch are due, all by the monotonic clock.
pub(super) struct Schedule {
    every: Duration,
    sweep_every: Option<Duration>,
    rng: Rng,
    models: Vec<Planned>,
    outage: Option<Outage>,
}

struct Planned {
    /// The models whose pulls come first.
    before: Vec<usize>,
    pull: Line,
    sweep: Line,
}

/// The work of one kind on one model: one at a time.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    /// When it is due; while it runs, when the next one is due.
    due: Duration,
    is_running: bool,
    /// Whether it has ended at least once.
    has_ended: bool,
    failures: u32,
    pauses: u32,
}

#[derive(Clone, Copy, Debug)]
struct Outage {
    /// When CDMS is asked whether it is back.
    ask_at: Duration,
    pause: Duration,
}

impl Schedule {
    /// Pulls are due at once, and sweeps after them. `before` has for each model those whose pulls come first.
    pub(super) fn new(
        every: Duration,
        sweep_every: Option<Duration>,
        rng: Rng,
        before: Vec<Vec<usize>>,
        now: Duration,
    ) -> Self {
        let line = Line { due: now, ..Line::default() };
        let models = before.into_iter().map(|before| Planned { before, pull: line, sweep: line }).collect();
        Schedule { every, sweep_every, rng, models, outage: None }
    }

    /// The work that begins now.
    pub(super) fn take_due(&mut self, now: Duration) -> Vec<(usize, Work)> {
        if self.outage.is_some() {
            return Vec::new();
        }
        let mut due = Vec::new();
        for position in 0..self.models.len() {
            if self.waits_until(position, now).is_some_and(|at| at <= now) {
                due.push((position, Work::Pull));
            }
            let model = &self.models[position];
            if self.sweep_every.is_some() && model.pull.has_ended && !model.sweep.is_running && model.sweep.due <= now {
                due.push((position, Work::Sweep));
            }
        }
        for (position, work) in &due {
            let pause = match work {
                Work::Pull => self.every,
                Work::Sweep => self.sweep_every.unwrap_or(self.every),
            };
            let next = now.saturating_add(self.about(pause));
            let line = self.line(*position, *work);
            (line.is_running, line.due) = (true, next);
        }
        due
    }

    /// How long the work that has just begun may take before the next one of its kind is due.
    pub(super) fn until_next(&self, position: usize, now: Duration) -> Duration {
        self.models[position].pull.due.saturating_sub(now)
    }

    /// Notes that a piece of work has ended. Returns how long its model is paused, if it is.
    pub(super) fn ended(&mut self, position: usize, work: Work, outcome: Outcome, now: Duration) -> Option<Duration> {
        let every = self.every;
        let line = *self.line(position, work);
        let failures = if matches!(outcome, Outcome::Failed | Outcome::Harmful) { line.failures + 1 } else { 0 };
        let is_paused = work == Work::Pull
            && (outcome == Outcome::Harmful || outcome == Outcome::Failed && failures >= FAILURES_MAX);
        let pauses = line.pauses + u32::from(is_paused);
        let pause = self.about(growing(every.max(Duration::from_secs(10)), pauses, every.max(PAUSE_MAX)));
        let due = match outcome {
            // A pull that takes longer than its interval leaves some time before the next one.
            Outcome::Done => line.due.max(now + every / 10),
            Outcome::NotBefore(time) => now.saturating_add(time),
            _ if is_paused => now.saturating_add(pause),
            Outcome::Failed => line.due.min(now + growing(Duration::from_secs(60), failures - 1, PAUSE_MAX)),
            // A sweep that was stopped by its brake.
            Outcome::Harmful => line.due,
            Outcome::WithoutCdms => now,
        };
        let pauses = if outcome == Outcome::Done { 0 } else { pauses };
        // What another program does, and an outage, say nothing about a model's own faults.
        let failures =
            if let Outcome::NotBefore(_) | Outcome::WithoutCdms = outcome { line.failures } else { failures };
        *self.line(position, work) = Line { due, is_running: false, has_ended: true, failures, pauses };
        is_paused.then_some(pause)
    }

    /// How often the last pulls of a model have failed in a row.
    pub(super) fn failures(&self, position: usize) -> u32 {
        self.models[position].pull.failures
    }

    /// Whether CDMS is away.
    pub(super) fn is_without_cdms(&self) -> bool {
        self.outage.is_some()
    }

    /// Notes that CDMS is away, or still is. Returns how long it is left alone: longer each time.
    pub(super) fn cdms_is_away(&mut self, now: Duration) -> Duration {
        let pause = match self.outage {
            None => self.every.clamp(Duration::from_secs(1), Duration::from_secs(30)),
            Some(outage) => (outage.pause * 2).min(PAUSE_MAX),
        };
        let jittered = self.about(pause);
        self.outage = Some(Outage { ask_at: now.saturating_add(jittered), pause });
        jittered
    }

    /// Notes that CDMS is back: what is due begins.
    pub(super) fn cdms_is_back(&mut self) {
        self.outage = None;
    }

    /// Whether CDMS is to be asked now whether it is back.
    pub(super) fn asks_cdms(&self, now: Duration) -> bool {
        self.outage.is_some_and(|outage| outage.ask_at <= now)
    }

    /// When to look again, unless a piece of work ends before.
    pub(super) fn next(&self, now: Duration) -> Option<Duration> {
        if let Some(outage) = self.outage {
            return Some(outage.ask_at);
        }
        let pulls = (0..self.models.len()).filter_map(|position| self.waits_until(position, now));
        let sweeps = self.models.iter().filter(|model| model.pull.has_ended && !model.sweep.is_running);
        let sweeps = sweeps.map(|model| model.sweep.due).filter(|_| self.sweep_every.is_some());
        pulls.chain(sweeps).min()
    }

    /// When a pull may begin: when it is due, and those before it have ended. A model that was pulled before waits for
    /// others no longer than an interval. `None` while it runs, and while only the end of others lets it begin.
    fn waits_until(&self, position: usize, now: Duration) -> Option<Duration> {
        let Planned { before, pull, .. } = &self.models[position];
        let waits =
            before.iter().map(|other| &self.models[*other].pull).any(|other| other.is_running || other.due <= now);
        match (pull.is_running, waits && pull.due <= now) {
            (true, _) => None,
            (false, true) => pull.has_ended.then(|| pull.due.saturating_add(self.every)),
            (false, false) => Some(pull.due),
        }
    }

    fn line(&mut self, position: usize, work: Work) -> &mut Line {
        let Planned { pull, sweep, .. } = &mut self.models[position];
        match work {
            Work::Pull => pull,
            Work::Sweep => sweep,
        }
    }

    /// This time, up to a tenth shorter or longer, so that programs that were started together do not ask together.
    fn about(&mut self, time: Duration) -> Duration {
        time.mul_f64(0.9 + 0.2 * self.rng.f64())
    }
}

/// A pause that doubles with each time, up to a longest one.
fn growing(first: Duration, times: u32, longest: Duration) -> Duration {
    first.saturating_mul(1 << times.min(16)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn schedule(before: Vec<Vec<usize>>) -> Schedule {
        Schedule::new(MINUTE, Some(MINUTE * 60), Rng::with_seed(7), before, Duration::ZERO)
    }

    /// A time that is this many seconds after the beginning.
    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn intervals_differ_and_depend_on_the_seed_alone() {
        let intervals = |seed| {
            let mut schedule = Schedule::new(MINUTE, None, Rng::with_seed(seed), vec![vec![]], Duration::ZERO);
            let mut now = Duration::ZERO;
            let mut intervals = Vec::new();
            for _ in 0..100 {
                assert_eq!(schedule.take_due(now), [(0, Work::Pull)]);
                schedule.ended(0, Work::Pull, Outcome::Done, now);
                let next = schedule.next(now).expect("the next pull");
                assert!(schedule.take_due(next - Duration::from_millis(1)).is_empty());
                intervals.push(next - now);
                now = next;
            }
            intervals
        };
        let some = intervals(1);
        assert!(some.iter().all(|interval| (at(54)..=at(66)).contains(interval)), "{some:?}");
        assert!(some.iter().min() < some.iter().max());
        assert_eq!(some, intervals(1));
        assert_ne!(some, intervals(2));
    }

    #[test]
    fn the_targets_of_lookups_come_first_but_do_not_hold_up_others_for_ever() {
        // 0 refers to 1.
        let mut schedule = schedule(vec![vec![1], vec![]]);
        assert_eq!(schedule.take_due(at(0)), [(1, Work::Pull)]);
        assert!(schedule.take_due(at(500)).is_empty(), "it was never pulled, so it waits for the first load");
        schedule.ended(1, Work::Pull, Outcome::Done, at(500));
        assert_eq!(schedule.take_due(at(500)), [(0, Work::Pull), (1, Work::Sweep)]);
        schedule.ended(0, Work::Pull, Outcome::Done, at(501));
        let pulls =
            |due: Vec<(usize, Work)>| due.into_iter().filter(|(_, work)| *work == Work::Pull).collect::<Vec<_>>();
        assert_eq!(pulls(schedule.take_due(at(600))), [(1, Work::Pull)]);
        // It was due by 566, and waits for a minute.
        assert!(pulls(schedule.take_due(at(610))).is_empty());
        assert_eq!(pulls(schedule.take_due(at(630))), [(0, Work::Pull)]);
    }

    #[test]
    fn a_model_that_fails_is_paused_for_longer_each_time_and_others_go_on() {
        let mut schedule = schedule(vec![vec![], vec![]]);
        schedule.sweep_every = None;
        let (mut now, mut pauses, mut pulls) = (at(0), Vec::new(), 0);
        while pauses.len() < 6 {
            for (position, work) in schedule.take_due(now) {
                let outcome = if position == 0 { Outcome::Failed } else { Outcome::Done };
                pulls += position;
                pauses.extend(schedule.ended(position, work, outcome, now));
            }
            now = schedule.next(now).expect("something is due");
        }
        assert!(pauses[0] > MINUTE && pauses[1] > pauses[0] && pauses[5] <= PAUSE_MAX.mul_f64(1.1), "{pauses:?}");
        assert!(pulls > 15, "{pulls}");
        assert_eq!(schedule.failures(0), 8, "two before the first pause");
        schedule.take_due(now);
        let now = now + PAUSE_MAX * 2;
        schedule.take_due(now);
        assert_eq!(schedule.ended(0, Work::Pull, Outcome::Done, now), None);
        assert_eq!(schedule.failures(0), 0);
        // Once is enough if it does harm.
        let now = now + MINUTE * 2;
        schedule.take_due(now);
        assert!(schedule.ended(0, Work::Pull, Outcome::Harmful, now).is_some());
    }

    #[test]
    fn nothing_begins_while_cdms_is_away_and_it_is_asked_less_and_less_often() {
        let mut schedule = schedule(vec![vec![], vec![]]);
        assert_eq!(schedule.take_due(at(0)).len(), 2);
        let mut now = at(1);
        schedule.ended(0, Work::Pull, Outcome::WithoutCdms, now);
        let mut pauses = vec![schedule.cdms_is_away(now)];
        for _ in 0..9 {
            assert!(!schedule.asks_cdms(now) && schedule.take_due(now).is_empty());
            now = schedule.next(now).expect("when it is asked");
            assert!(schedule.asks_cdms(now));
            pauses.push(schedule.cdms_is_away(now));
        }
        assert!(pauses[0] <= at(33) && pauses[3] > pauses[0] * 4 && pauses[9] <= PAUSE_MAX.mul_f64(1.1), "{pauses:?}");
        schedule.cdms_is_back();
        assert_eq!(schedule.take_due(now), [(0, Work::Pull), (0, Work::Sweep)], "the other pull still runs");
        assert_eq!(schedule.failures(0), 0);
    }

    #[test]
    fn one_pull_of_a_model_at_a_time_however_long_it_takes() {
        let mut schedule = schedule(vec![vec![]]);
        assert_eq!(schedule.take_due(at(0)), [(0, Work::Pull)]);
        assert!((at(54)..=at(66)).contains(&schedule.until_next(0, at(0))));
        for minutes in 1..100 {
            assert!(schedule.take_due(at(minutes * 60)).is_empty());
        }
        assert_eq!(schedule.next(at(6_000)), None);
        schedule.ended(0, Work::Pull, Outcome::Done, at(6_000));
        assert_eq!(schedule.take_due(at(6_000)), [(0, Work::Sweep)], "the next pull is not due yet");
        assert_eq!(schedule.next(at(6_000)), Some(at(6_006)));
        schedule.ended(0, Work::Sweep, Outcome::NotBefore(at(900)), at(6_000));
        assert_eq!(schedule.next(at(6_010)), Some(at(6_006)));
        let mut due = schedule.take_due(at(6_006));
        due.extend(schedule.take_due(at(6_899)));
        due.extend(schedule.take_due(at(6_900)));
        assert_eq!(due, [(0, Work::Pull), (0, Work::Sweep)]);
    }
}
