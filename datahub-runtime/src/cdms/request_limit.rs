//! How many requests to CDMS may be under way at once, as its answers show: a decision without clock and socket.
//!
//! CRM 2011 does not say how much it bears, and others use it too. So the limit begins where one server is known to have
//! borne it, grows while all of it is used and CDMS answers as fast as before, shrinks slowly while answers are slow, and is
//! halved when CDMS says that it has too much to do, or says nothing.

use std::collections::HashMap;
use std::time::Duration;

/// Where the limit begins. A CRM 2011 is known to sustain as many of one client (docs/protocol.md, 10), so slow answers do
/// not bring it below.
const SUSTAINED: usize = 16;

/// The limit is never lower, so that a few slow requests do not hold up all others.
const LEAST: usize = 4;

/// While at most this many requests are under way, answers are as fast as CDMS gives them to others.
const FEW: usize = 4;

/// By how much the usual time of an answer moves towards the last one.
const USUAL_WEIGHT: u32 = 8;

/// How much slower than usual an answer may always be: nobody notices, and clocks and schedulers are no better.
const UNNOTICED: Duration = Duration::from_millis(20);

/// By how much the share of slow answers moves towards the last one.
const SLOW_WEIGHT: f32 = 1.0 / 16.0;

/// The limit, and what it is judged by.
#[derive(Debug)]
pub(super) struct RequestLimit {
    now: usize,
    max: usize,
    /// Below this, each answer raises the limit by one, so that it doubles in the time of one answer; from here on, each
    /// full round of answers does.
    fast_below: usize,
    /// Answers since the last slow step.
    answers: usize,
    round: Round,
    /// By set, how long CDMS takes for one record while it has little to do for this program.
    usual: HashMap<&'static str, Duration>,
    /// Which share of the last answers was slow, from 0 to 1.
    slow: f32,
}

/// Counts how often the limit was halved. What was sent before the last time says nothing about the limit after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Round(u64);

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// An answer. Only reads of one record are compared, because how long others take depends on what they ask for.
    Answer {
        /// The set of the record, and how long its answer took.
        record: Option<(&'static str, Duration)>,
    },
    /// CDMS has too much to do: it says so, takes no connection, or gives no answer in time.
    Overload,
    /// Nothing that says how much CDMS bears.
    Other,
}

impl RequestLimit {
    /// A limit that may grow up to `max`.
    pub(super) fn new(max: usize) -> Self {
        RequestLimit {
            now: SUSTAINED.min(max),
            max,
            fast_below: max,
            answers: 0,
            round: Round::default(),
            usual: HashMap::new(),
            slow: 0.0,
        }
    }

    /// How many requests may be under way at once.
    pub(super) fn now(&self) -> usize {
        self.now
    }

    /// The round in which a request is sent now.
    pub(super) fn round(&self) -> Round {
        self.round
    }

    /// Notes what came of a request that was sent in this round, while so many were under way.
    pub(super) fn note(&mut self, came: Came, sent: Round, under_way: usize) {
        match came {
            Came::Answer { record } => {
                match record {
                    Some((set, took)) => self.compare(set, took, under_way),
                    // What is not compared any more is forgotten.
                    None => self.slow -= self.slow * SLOW_WEIGHT / 4.0,
                }
                self.answered(under_way);
            }
            Came::Overload if sent == self.round => {
                self.now = (self.now / 2).max(LEAST.min(self.max));
                (self.fast_below, self.answers, self.round) = (self.now, 0, Round(self.round.0 + 1));
            }
            Came::Overload | Came::Other => {}
        }
    }

    fn compare(&mut self, set: &'static str, took: Duration, under_way: usize) {
        let usual = self.usual.entry(set).or_insert(took);
        let is_slow = took > *usual * 2 + UNNOTICED;
        if under_way <= FEW {
            *usual = (*usual * (USUAL_WEIGHT - 1) + took) / USUAL_WEIGHT;
        } else {
            // More requests at once make none of them faster.
            *usual = took.min(*usual);
        }
        self.slow += (f32::from(u8::from(is_slow)) - self.slow) * SLOW_WEIGHT;
    }

    fn answered(&mut self, under_way: usize) {
        if under_way < self.now {
            // Others than this limit keep requests from being sent.
            return;
        }
        let is_slow = self.slow > 0.5;
        if is_slow {
            self.fast_below = self.fast_below.min(self.now);
        }
        self.answers += 1;
        if !is_slow && self.now < self.fast_below {
            self.now += 1;
        } else if self.answers >= self.now {
            self.answers = 0;
            match is_slow {
                true if self.now > SUSTAINED => self.now -= 1,
                // An overload has brought it below, and is over.
                true => self.now = (self.now + 1).min(SUSTAINED).min(self.max),
                false => self.now = (self.now + 1).min(self.max),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A round of answers to as many reads as there may be, each after so many milliseconds.
    fn answers(limit: &mut RequestLimit, ms: u64) {
        let under_way = limit.now();
        for _ in 0..under_way {
            note(limit, Came::Answer { record: Some(("AccountSet", Duration::from_millis(ms))) }, limit.now());
        }
    }

    fn note(limit: &mut RequestLimit, came: Came, under_way: usize) {
        limit.note(came, limit.round(), under_way);
    }

    #[test]
    fn it_begins_where_a_server_is_known_to_bear_it_and_no_higher_than_its_maximum() {
        assert_eq!([1, 3, 16, 64].map(|max| RequestLimit::new(max).now()), [1, 3, 16, 16]);
    }

    #[test]
    fn slow_answers_keep_it_from_what_is_sustained_only_for_as_long_as_an_overload_lasts() {
        let mut limit = RequestLimit::new(64);
        for _ in 0..8 {
            note(&mut limit, Came::Answer { record: Some(("AccountSet", Duration::from_millis(10))) }, 1);
        }
        // By day every answer takes this long, and it is never seen how long one takes alone.
        for _ in 0..64 {
            answers(&mut limit, 60);
        }
        let all = limit.now();
        note(&mut limit, Came::Overload, all);
        assert_eq!(limit.now(), 8);
        for _ in 0..20 {
            answers(&mut limit, 60);
        }
        assert_eq!(limit.now(), 16);
    }

    #[test]
    fn slow_answers_are_forgotten_when_no_others_can_be_compared_with_them() {
        let mut limit = RequestLimit::new(64);
        note(&mut limit, Came::Answer { record: Some(("AccountSet", Duration::from_millis(10))) }, 1);
        answers(&mut limit, 500);
        answers(&mut limit, 500);
        for _ in 0..200 {
            let all = limit.now();
            note(&mut limit, Came::Answer { record: None }, all);
        }
        assert!(limit.now() > 16, "{}", limit.now());
    }

    #[test]
    fn it_doubles_in_the_time_of_an_answer_while_all_of_it_is_used() {
        let mut limit = RequestLimit::new(64);
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(limit.now());
            answers(&mut limit, 50);
        }
        assert_eq!(seen, [16, 32, 64, 64]);
    }

    #[test]
    fn it_does_not_grow_while_others_than_itself_keep_requests_away() {
        let mut limit = RequestLimit::new(64);
        for _ in 0..1_000 {
            note(&mut limit, Came::Answer { record: None }, 15);
        }
        assert_eq!(limit.now(), 16);
    }

    #[test]
    fn an_overload_halves_it_once_for_all_that_were_sent_before_and_then_it_grows_slowly() {
        let mut limit = RequestLimit::new(64);
        let sent = limit.round();
        for _ in 0..16 {
            limit.note(Came::Overload, sent, 16);
        }
        assert_eq!(limit.now(), 8);
        answers(&mut limit, 50);
        assert_eq!(limit.now(), 9, "one more for a round of answers");
        for _ in 0..10 {
            note(&mut limit, Came::Overload, 8);
        }
        assert_eq!(limit.now(), 4, "not lower, so that a few slow requests do not hold up all");
        for _ in 0..12 {
            answers(&mut limit, 50);
        }
        assert_eq!(limit.now(), 16);
        let mut single = RequestLimit::new(1);
        note(&mut single, Came::Overload, 1);
        assert_eq!(single.now(), 1);
    }

    #[test]
    fn slow_answers_bring_it_back_to_what_a_server_is_known_to_bear() {
        let mut limit = RequestLimit::new(64);
        for _ in 0..10 {
            note(&mut limit, Came::Answer { record: Some(("AccountSet", Duration::from_millis(50))) }, 1);
        }
        answers(&mut limit, 50);
        answers(&mut limit, 119);
        assert_eq!(limit.now(), 64, "a little slower than twice the usual time is not slow");
        for _ in 0..60 {
            answers(&mut limit, 200);
        }
        assert_eq!(limit.now(), 16);
        for _ in 0..100 {
            answers(&mut limit, 60_000);
        }
        assert_eq!(limit.now(), 16, "only CDMS itself brings it lower");
        for _ in 0..4 {
            answers(&mut limit, 50);
        }
        assert!((18..=20).contains(&limit.now()), "and then it grows slowly: {}", limit.now());
    }

    #[test]
    fn a_few_slow_answers_among_many_change_nothing() {
        let mut limit = RequestLimit::new(64);
        for at in 0..200 {
            let ms = if at % 4 == 0 { 5_000 } else { 50 };
            let under_way = limit.now();
            note(&mut limit, Came::Answer { record: Some(("AccountSet", Duration::from_millis(ms))) }, under_way);
        }
        assert_eq!(limit.now(), 64);
    }

    #[test]
    fn what_is_usual_is_learned_while_few_requests_are_under_way_and_by_set() {
        let mut limit = RequestLimit::new(64);
        let read = |limit: &mut RequestLimit, set, ms, under_way| {
            note(limit, Came::Answer { record: Some((set, Duration::from_millis(ms))) }, under_way);
        };
        read(&mut limit, "AccountSet", 50, 1);
        // CDMS has become slower for everybody.
        for _ in 0..100 {
            read(&mut limit, "AccountSet", 500, 1);
        }
        for _ in 0..100 {
            let now = limit.now();
            read(&mut limit, "AccountSet", 500, now);
            read(&mut limit, "ContactSet", 5_000, now);
        }
        assert_eq!(limit.now(), 64);
    }
}
