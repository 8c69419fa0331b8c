//! Actions and outcomes in a few words, with everything in them that is not ordinary.

use std::collections::BTreeSet;
use std::fmt::Debug;

use cdms_odata::{Attributes, Facts, Value};
use datahub_protocol::{
    Action, Commit, Entry, Failure, Guard, IntentChange, Listed, NewRow, Note, QuarantineChange, RecordChange, Settled,
    Sighting, Snapshot, WriteOutcome,
};
use uuid::Uuid;

/// Something shown in one line.
pub(crate) trait Show {
    fn show(&self) -> String;
}

pub(crate) fn indented(depth: usize) -> String {
    "    ".repeat(depth)
}

fn id(id: Uuid) -> String {
    format!("#{}", id.as_u128())
}

fn values(values: &[Value]) -> String {
    values.iter().map(Show::show).collect::<Vec<_>>().join(", ")
}

impl Show for Value {
    fn show(&self) -> String {
        match self {
            Value::Null => "null".to_owned(),
            Value::Integer(number) => number.to_string(),
            other => format!("{other:?}"),
        }
    }
}

impl Show for Attributes {
    fn show(&self) -> String {
        let pairs: Vec<String> = self.iter().map(|(name, value)| format!("{name}={}", value.show())).collect();
        format!("{{{}}}", pairs.join(" "))
    }
}

fn facts(facts: Facts, seen: &Attributes, tags: &[u64], outdated: &BTreeSet<String>) -> String {
    let Facts { modified, created, modified_by: by } = facts;
    let created = created.map(|created| format!(" made@{}", created.0)).unwrap_or_default();
    let by = by.map(|by| format!(" by {}", id(by))).unwrap_or_default();
    let tags = if tags.is_empty() { String::new() } else { format!(" complete for {tags:?}") };
    let old = outdated.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let old = if old.is_empty() { old } else { format!(" older: {old}") };
    format!("@{}{created}{by} {}{tags}{old}", modified.0, seen.show())
}

impl Show for NewRow {
    fn show(&self) -> String {
        facts(self.facts, &self.seen, &self.complete_for, &self.outdated)
    }
}

impl Show for Snapshot {
    fn show(&self) -> String {
        let facts = facts(self.facts, &self.seen, &self.complete_for, &self.outdated);
        format!("v{} {facts}", self.version.0)
    }
}

impl Show for Entry {
    fn show(&self) -> String {
        let mut text = format!("{} by {:?}", self.kind.name(), self.origin).to_lowercase();
        if let Some(operation) = self.operation {
            text += &format!(" in {}", id(operation.0));
        }
        for change in &self.changes {
            let side = |value: &Option<Value>| value.as_ref().map_or_else(|| "?".to_owned(), Show::show);
            text += &format!(" {}:{}>{}", change.attribute, side(&change.from), side(&change.to));
            match &change.note {
                Note::Plain => {}
                Note::Conflict => text += "(conflict)",
                Note::Adjusted { sent } => text += &format!("(sent {})", sent.show()),
                Note::NotKept { sent } => text += &format!("(not kept {})", sent.show()),
                other => text += &format!("({other:?})"),
            }
        }
        if !self.constants.is_empty() {
            text += &format!(" with {}", self.constants.show());
        }
        if let Some(modified) = self.modified {
            text += &format!(" @{}", modified.0);
        }
        if let Some(by) = self.modified_by {
            text += &format!(" user {}", id(by));
        }
        if let Some(skew) = self.skew_ms {
            text += &format!(" back by {skew} ms");
        }
        format!("[{text}]")
    }
}

impl Show for Commit<String> {
    fn show(&self) -> String {
        let mut parts = vec![match self.guard {
            Guard::Unchanged { version, late } => {
                let at = version.map_or("never seen".to_owned(), |version| format!("at v{}", version.0));
                let late = late.map_or(String::new(), |late| format!(", {} being late", id(late.0)));
                format!("commit if {at}{late}")
            }
            Guard::Intent(operation) => format!("commit if {} is open", id(operation.0)),
        }];
        if let Some(trial) = &self.trial {
            parts.push(match trial {
                datahub_protocol::Trial::Put(row) => format!("try {}", values(row)),
                datahub_protocol::Trial::Remove => "try to remove".to_owned(),
            });
        }
        match &self.record {
            RecordChange::Keep => {}
            RecordChange::Put { row, .. } => parts.push(format!("put {}", row.show())),
            RecordChange::Tombstone { reason, last } => parts.push(format!("bury as {reason:?} {}", last.show())),
            RecordChange::LocalOnly => parts.push("put local fields".to_owned()),
            RecordChange::Touch => parts.push("new version".to_owned()),
        }
        parts.extend(self.history.iter().map(|entry| format!("note {}", entry.show())));
        match &self.intent {
            IntentChange::Keep => {}
            IntentChange::Open(intent) => parts.push(format!(
                "open {} {} {} with {} before {} @{:?} over {}",
                intent.write,
                id(intent.operation.0),
                intent.patch.show(),
                intent.constants.show(),
                intent.pre_image.show(),
                intent.modified_before.map(|at| at.0),
                intent.conflicts.show(),
            )),
            IntentChange::Close { operation, verdict } => {
                parts.push(format!("close {} as {}", id(operation.0), short(verdict)));
            }
            IntentChange::Ended { operation } => parts.push(format!("note the end of {}", id(operation.0))),
            IntentChange::Release { operation, has_ended: false } => {
                parts.push(format!("release {}", id(operation.0)));
            }
            IntentChange::Release { operation, has_ended: true } => {
                parts.push(format!("release {}, which has ended", id(operation.0)));
            }
        }
        match &self.quarantine {
            QuarantineChange::Keep => {}
            QuarantineChange::Put(fault) => parts.push(format!("quarantine ({fault})")),
            QuarantineChange::PutOrphan { id: orphan, operation } => {
                parts.push(format!("quarantine orphan {} of {}", id(*orphan), id(operation.0)));
            }
            QuarantineChange::Clear => parts.push("leave quarantine".to_owned()),
        }
        if self.insist {
            parts.push("insist".to_owned());
        }
        parts.join("; ")
    }
}

impl<O: Show> Show for Action<O, String> {
    fn show(&self) -> String {
        match self {
            Action::Lock => "lock".to_owned(),
            Action::Load => "load".to_owned(),
            Action::Fetch => "GET".to_owned(),
            Action::Commit(commit) => commit.show(),
            Action::Send { write, operation, body } => {
                format!("send {write} {} {}", id(operation.0), body.show())
            }
            Action::Login => "log in".to_owned(),
            Action::Pause { attempt } => format!("pause before try {attempt}"),
            Action::Done(output) => output.show(),
        }
    }
}

impl<T: Show> Show for Result<T, Failure<String>> {
    fn show(&self) -> String {
        match self {
            Ok(output) => format!("OK {}", output.show()),
            Err(failure) => format!("FAILED {}", short(failure)),
        }
    }
}

/// The debug form, with short ids.
fn short(value: &impl Debug) -> String {
    let mut text = format!("{value:?}");
    for number in 0..10 {
        text = text.replace(&Uuid::from_u128(number).to_string(), &format!("#{number}"));
    }
    text
}

impl Show for Sighting {
    fn show(&self) -> String {
        match self {
            Sighting::Current { snapshot, finding, .. } => format!("{finding:?} {}", snapshot.show()),
            Sighting::Pending { snapshot, operation } => format!("pending {} {}", id(operation.0), snapshot.show()),
        }
    }
}

impl Show for WriteOutcome {
    fn show(&self) -> String {
        format!("{} {} conflicts {:?}", short(&self.confirmation), self.snapshot.show(), self.conflicts)
    }
}

impl Show for Settled {
    fn show(&self) -> String {
        short(self)
    }
}

impl Show for Listed<String> {
    fn show(&self) -> String {
        let stores = self.commit().map(|commit| format!(": {}", commit.show())).unwrap_or_default();
        match self {
            Listed::Store(seen, _) => format!("{seen:?}{stores}"),
            Listed::Left(_) => format!("left{stores}"),
            Listed::Quarantined(_) => format!("quarantined{stores}"),
            Listed::Foreign(_) => format!("foreign{stores}"),
            Listed::AsIs | Listed::ReadAgain | Listed::Pending(_) | Listed::LocalNewer => short(self),
        }
    }
}
