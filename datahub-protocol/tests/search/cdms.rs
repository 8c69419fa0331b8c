//! CDMS with its one record, and the truth about each write, which only the search knows.

use std::collections::BTreeMap;

use cdms_odata::crm2011::{Body, outcome, refusal};
use cdms_odata::{Attributes, Value};
use datahub_protocol::{Answer, Created, Intent, OperationId, Record, WriteKind};

use crate::machine::RECORD;
use crate::store::Opened;
use crate::world::{OUR_USER, PERSON, facts};

/// A write as it is sent.
pub(crate) type Sent = (OperationId, WriteKind, Attributes);

#[derive(Clone, Debug)]
pub(crate) struct Cdms {
    pub(crate) record: Option<Record>,
    pub(crate) now: i64,
    /// Writes that CDMS may still carry out although no program is waiting for them.
    pub(crate) late: Vec<Sent>,
    /// Times of the record that CDMS has returned.
    pub(crate) times: Vec<i64>,
    pub(crate) truth: BTreeMap<OperationId, Truth>,
}

/// The truth about a write.
#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    /// How often it was carried out.
    pub(crate) carried_out: u8,
    /// It was sent past its lease, or carried out past its quiet period: not promised (docs/promises.md, 4).
    pub(crate) residual: bool,
    /// CDMS answered it with an error that proves nothing, so that its writer looks at the record.
    pub(crate) looked_at: bool,
    /// After it was carried out, and before it was settled, someone else restored the record's state from before it.
    pub(crate) put_back: bool,
    /// Before it was settled, the record looked as if it had been carried out, but it had not.
    pub(crate) looks_applied: bool,
    /// The same, but possibly after it was settled.
    pub(crate) looks_late: bool,
    /// While it was open, someone else changed what it would change, or removed the record.
    pub(crate) disturbed: bool,
    /// After it was carried out, someone else changed what it had changed.
    pub(crate) overwritten: bool,
}

/// What a person does with the record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Edit {
    /// A new value of the field `a`, within the second of the last change or after it.
    Types {
        tick: bool,
    },
    /// The field's first value again.
    PutsBack,
    Removes,
}

/// What a response of CDMS with this status and body means for a write.
fn reply(write: WriteKind, status: u16, body: Body<Created<String>>) -> Answer<String> {
    let write = write.in_dialects().expect("only writes that this version knows are sent");
    Answer::Reply(outcome(write, status, body))
}

pub(crate) fn refused(write: WriteKind, status: u16, code: i32) -> Answer<String> {
    reply(write, status, Body::Refusal(refusal(status, Some(code), "no")))
}

impl Cdms {
    /// Carries out a write, or refuses it because of the record's state.
    pub(crate) fn carry_out(&mut self, (operation, write, body): &Sent, opened: &[Opened]) -> Answer<String> {
        self.now += 1_000;
        let before = self.record.clone();
        match (write, &mut self.record) {
            (WriteKind::Create, Some(_)) => return refused(*write, 500, -2_147_220_937),
            (WriteKind::Update | WriteKind::Delete, None) => return refused(*write, 404, -2_147_220_969),
            (WriteKind::Create, none) => {
                *none = Some(Record { facts: facts(self.now, OUR_USER), attributes: body.clone() });
            }
            (WriteKind::Update, Some(record)) => {
                record.attributes.merge(body);
                record.facts = facts(self.now, OUR_USER);
            }
            (WriteKind::Delete, record) => *record = None,
            (other, _) => unreachable!("{other} was sent"),
        }
        self.times.push(self.now);
        self.truth.entry(*operation).or_default().carried_out += 1;
        self.changed(before.as_ref(), Some(*operation), opened);
        match (write, &self.record) {
            (WriteKind::Create, Some(record)) => reply(*write, 201, Body::Record((RECORD, Ok(record.clone())))),
            _ => reply(*write, 204, Body::Empty),
        }
    }

    pub(crate) fn edit(&mut self, edit: Edit, opened: &[Opened]) {
        let before = self.record.clone();
        self.now += if edit == (Edit::Types { tick: false }) { 0 } else { 1_000 };
        if edit == Edit::Removes {
            self.record = None;
        } else if let Some(record) = &mut self.record {
            let value = if edit == Edit::PutsBack { 1 } else { 9 };
            record.attributes.insert("a", Value::Integer(value));
            record.facts = facts(self.now, PERSON);
            self.times.push(self.now);
        }
        self.changed(before.as_ref(), None, opened);
    }

    /// Records how a change, by a write or a person, affects the other writes' evidence.
    fn changed(&mut self, before: Option<&Record>, by: Option<OperationId>, opened: &[Opened]) {
        for Opened { intent, verdict, .. } in opened.iter().filter(|opened| Some(opened.intent.operation) != by) {
            let truth = self.truth.entry(intent.operation).or_default();
            let now = self.record.as_ref();
            let differs = |(name, _): (&str, &Value)| value(before, name) != value(now, name);
            let touched = before.is_some() != now.is_some() || intent.evidence().any(differs);
            let (is_open, is_there) = (verdict.is_none(), truth.carried_out > 0);
            truth.disturbed |= is_open && touched;
            truth.overwritten |= is_there && touched;
            truth.put_back |= is_open && is_there && shows_before(intent, now);
            truth.looks_applied |= is_open && !is_there && shows_after(intent, now);
            truth.looks_late |= !is_there && shows_after(intent, now);
        }
    }

    /// Records what has happened to the evidence of a write since its program read the record.
    pub(crate) fn opened(&mut self, intent: &Intent) {
        let now = self.record.as_ref();
        let differs = (intent.write == WriteKind::Create) == now.is_some()
            || intent.evidence().any(|(name, _)| now.is_some() && value(now, name) != intent.pre_image.get(name));
        let looks_applied = shows_after(intent, now);
        let truth = self.truth.entry(intent.operation).or_default();
        truth.disturbed |= differs;
        truth.looks_applied |= looks_applied;
        truth.looks_late |= looks_applied;
    }
}

fn value<'r>(record: Option<&'r Record>, name: &str) -> Option<&'r Value> {
    record.and_then(|record| record.attributes.get(name))
}

fn shows_after(intent: &Intent, now: Option<&Record>) -> bool {
    match intent.write {
        WriteKind::Create => now.is_some(),
        WriteKind::Delete => now.is_none(),
        WriteKind::Update => now.is_some() && intent.evidence().all(|(name, new)| value(now, name) == Some(new)),
        other => unreachable!("{other} was noted"),
    }
}

fn shows_before(intent: &Intent, now: Option<&Record>) -> bool {
    match intent.write {
        WriteKind::Create => now.is_none(),
        WriteKind::Delete => now.is_some(),
        WriteKind::Update => {
            now.is_some() && intent.evidence().all(|(name, _)| value(now, name) == intent.pre_image.get(name))
        }
        other => unreachable!("{other} was noted"),
    }
}
