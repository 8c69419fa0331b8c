//! Sending a write: whether it may be sent, and every possible response.

use cdms_odata::crm2011::{Body, outcome, refusal};
use cdms_odata::{Attributes, Value};
use datahub_protocol::planted::{Planted, planted};
use datahub_protocol::{Answer, Event, OperationId, Verdict, WriteKind};
use uuid::Uuid;

use super::process::Act;
use super::{Late, World};
use crate::cdms::{DUPLICATE, Deed, MISSING, Whims};
use crate::mapping::Model;
use crate::store::REQUEST_MS;

/// How long CDMS may continue to execute a request.
const EXECUTION_MS: i64 = 300_000;

impl World {
    pub(super) fn send(&mut self, at: usize) {
        let process = &self.processes[at];
        let Act::Send { operation, write, body } = &process.act else { unreachable!("only writes are sent") };
        let (operation, write, body, mut id) = (*operation, *write, body.clone(), process.id);
        if planted(Planted::NewIdOnRetry) && write == WriteKind::Create && process.has_sent {
            id = Uuid::from_u128(2_000_000 + operation.0.as_u128());
        }
        let covered =
            self.lease_left(at) >= REQUEST_MS || planted(Planted::NoIntent) || planted(Planted::IntentAfterSend);
        let paused_until = process.paused_until;
        match paused_until {
            None if !covered => {
                return self.deliver(at, Event::Answered(Answer::NotSent("the lease is over".into())));
            }
            None if self.happens("a pause past the lease", 8) => {
                self.processes[at].paused_until = Some(self.now + 600_000);
                return;
            }
            Some(until) if self.now < until && self.troubled => return,
            Some(_) => {
                self.processes[at].paused_until = None;
                self.delayed.insert(operation);
            }
            None => {}
        }
        self.processes[at].has_sent = true;
        self.check_sending(operation, id, &body);
        if self.delayed.contains(&operation) {
            self.count("sent past the lease");
        }
        let answer = self.exchange(operation, write, id, body);
        self.log_step(|_| format!("  process {at} sent {write} {operation}: {answer:?}"));
        self.processes[at].answer = Some(Event::Answered(answer));
    }

    /// A write sends what its intent says, and nothing else is in flight.
    fn check_sending(&mut self, operation: OperationId, id: Uuid, body: &Attributes) {
        let Some(opened) = self.store.intent(operation) else {
            return self.break_promise(format!("{operation} was sent without an intent"));
        };
        let delayed = self.delayed.contains(&operation);
        if opened.verdict.is_some() && !delayed {
            return self.break_promise(format!("{operation} was sent after it had been settled"));
        }
        let mut stated = opened.intent.constants.clone();
        stated.merge(&opened.intent.patch);
        if *body != stated {
            let names: Vec<_> = body.names().collect();
            return self.break_promise(format!("{operation} sent {names:?}, which is not its patch and the constants"));
        }
        // A create is judged by the record that it creates: a second try may find the first one's record.
        let is_there = opened.intent.write != WriteKind::Create && self.did(operation) > 0;
        if is_there && self.seems_undone(operation) {
            self.count("exempt from sent once: others had put the old state back before its writer looked");
        } else if is_there {
            return self.break_promise(format!("{operation} was sent again after it had been carried out"));
        }
        let others: Vec<_> = self.late.iter().filter(|late| late.id == id && late.operation != operation).collect();
        let others: Vec<_> = others.into_iter().map(|late| late.operation).collect();
        for other in others {
            // Others removed or created the record themselves, so it was settled as applied before it was carried out.
            let seemed_done = self.store.intent(other).is_some_and(|other| other.verdict == Some(Verdict::Applied));
            if seemed_done {
                self.count("exempt from one write in flight: others had done the same before it was carried out");
            } else if delayed || self.delayed.contains(&other) {
                self.count("exempt from one write in flight: past the lease or the quiet period");
            } else {
                self.break_promise(format!("two writes of {id} are in flight"));
            }
        }
    }

    /// Whether others have restored the record's state from before a write that was carried out. Then its writer, which
    /// looks after an error that proves nothing, cannot know that it was.
    pub(crate) fn seems_undone(&self, operation: OperationId) -> bool {
        let Some(opened) = self.store.intent(operation).filter(|_| self.looked_at.contains(&operation)) else {
            return false;
        };
        let Some(done) = self.cdms.log.iter().position(|happened| happened.by == Some(operation)) else { return false };
        let others = || self.cdms.log[done..].iter().filter(|deed| deed.id == opened.id && deed.by != Some(operation));
        match opened.intent.write {
            WriteKind::Create => others().any(|deed| deed.what == Deed::Removed),
            WriteKind::Delete => others().any(|deed| matches!(deed.what, Deed::Made(_))),
            _ => opened.intent.evidence().all(|(name, _)| {
                let before = opened.intent.pre_image.get(name).unwrap_or(&Value::Null);
                others().any(|deed| match &deed.what {
                    Deed::Made(values) => values.get(name).unwrap_or(&Value::Null) == before,
                    Deed::Set(values) => values.get(name) == Some(before),
                    Deed::Removed => false,
                })
            }),
        }
    }

    /// How often CDMS carried out a write.
    pub(crate) fn did(&self, operation: OperationId) -> usize {
        self.cdms.log.iter().filter(|happened| happened.by == Some(operation)).count()
    }

    fn exchange(&mut self, operation: OperationId, write: WriteKind, id: Uuid, body: Attributes) -> Answer<String> {
        let asked = write.in_dialects().expect("only writes that this version knows are sent");
        let reply = |status, body| Answer::Reply(outcome(asked, status, body));
        let refused = |status, code| reply(status, Body::Refusal(refusal(status, Some(code), "no")));
        let other = |status| reply(status, Body::Other("a page".to_owned()));
        let lost = || Answer::Lost("lost".into());
        if write == WriteKind::Create && self.cdms.records.contains_key(&id) {
            let is_lost = self.happens("a taken id whose answer is lost", 60);
            return if is_lost { lost() } else { refused(500, DUPLICATE) };
        }
        if self.happens("a write lost on its way", 40) {
            return lost();
        }
        if self.happens("a write refused by a plug-in", 25) {
            return refused(500, -2_147_220_891);
        }
        if self.happens("a write refused for its form", 15) {
            return refused(400, 0);
        }
        if self.happens("a write without privilege", 15) {
            return refused(403, -2_147_220_960);
        }
        if self.happens("a lookup's target is missing", 12) {
            return refused(404, MISSING);
        }
        if self.happens("a deadlock", 25) {
            self.looked_at.insert(operation);
            return refused(500, -2_147_204_784);
        }
        if self.happens("a session that is over", 25) {
            return Answer::LoginLost("401".to_owned());
        }
        if self.happens("an unexpected error before the write", 12) {
            self.looked_at.insert(operation);
            return refused(500, -2_147_220_970);
        }
        if self.happens("a write that is carried out late", 30) {
            let within = self.rng.i64(1_000..EXECUTION_MS);
            let (at, dated) = if self.happens("a write that is carried out past the quiet period", 150) {
                self.delayed.insert(operation);
                (self.now + 900_000, None)
            } else {
                (
                    self.now + within,
                    self.happens("a change that is dated earlier than it is committed", 500).then_some(self.now),
                )
            };
            self.late.push(Late { at, dated, operation, write, id, body });
            return lost();
        }
        let whims = Whims {
            adjusts_by: self.happens("a value that a plug-in adjusts", 30).then_some(10_000_000),
            freezes: self.happens("a frozen time", 20),
            other_id: (write == WriteKind::Create && self.happens("an id that is not kept", 10))
                .then(|| Uuid::from_u128(1_000_000 + operation.0.as_u128())),
            dated: None,
        };
        let done = self.cdms.write((operation, write), id, &body, whims);
        let made_by_it = |happened: &&crate::cdms::Happened| {
            happened.by == Some(operation) && matches!(happened.what, Deed::Made(_))
        };
        let made: Vec<_> = self.cdms.log.iter().filter(made_by_it).map(|happened| happened.id).collect();
        if made.len() > 1 && self.looked_at.contains(&operation) && made[0] != id {
            self.count("exempt from made once: created under an id that only a lost answer had");
        } else if made.len() > 1 && !self.seems_undone(operation) {
            self.break_promise(format!("the create {operation} made two records"));
        }
        if self.happens("a write whose answer is lost", 40) {
            return lost();
        }
        if self.happens("an unexpected error after the write", 12) {
            self.looked_at.insert(operation);
            return refused(500, -2_147_220_970);
        }
        if self.happens("an SQL error after the write", 25) {
            self.looked_at.insert(operation);
            return refused(500, -2_147_204_784);
        }
        if self.happens("a gateway's page", 12) {
            return other(if self.rng.bool() { 502 } else { 404 });
        }
        match done {
            Err((status, code)) => refused(status, code),
            Ok(None) => reply(204, Body::Empty),
            Ok(Some(made)) => {
                let record = self.cdms.read(Model::Wide, made).ok_or_else(|| "gone".to_owned());
                let record = if self.happens("a create's answer that cannot be parsed", 15) {
                    Err("not of its kind".to_owned())
                } else {
                    record
                };
                reply(201, Body::Record((made, record)))
            }
        }
    }
}
