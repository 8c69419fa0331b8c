//! Texts without what differs from run to run: times in names, hashes, ids and addresses.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{NaiveDateTime, TimeDelta};
use regex::{Captures, Regex};

/// The form of times in names.
const FORMAT: &str = "%Y%m%d%H%M%S";

/// How the names of a plan's later parts end.
const PHASES: [&str; 5] = ["_fill", "_carry", "_validate", "_switch", "_contract"];

/// What stands for the time of a read.
const MOMENT: &str = "2026-12-01T09:00:00.000Z";

/// What stands for the time at which a migration was applied.
const APPLIED: &str = "2026-12-01 09:00:00";

/// An id that stands for none, and is the same everywhere.
const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// Replaces what differs from run to run by what does not, each time the same for the same.
#[derive(Debug, Default)]
pub(crate) struct Plain {
    known: BTreeMap<String, String>,
    /// The names of the plans, by the times of their parts.
    names: BTreeMap<String, String>,
    plans: u64,
    hashes: u64,
    ids: u64,
}

impl Plain {
    pub(crate) fn text(&mut self, text: &str) -> String {
        static VARYING: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(
                r"(?x)
                \b(?P<time>20\d{12})(?P<rest>_\w+)?
                |(?P<moment>\b20\d\d-\d\d-\d\dT[0-9:.]+Z)
                |(?P<applied>\b20\d\d-\d\d-\d\d\ \d\d:\d\d:\d\d)
                |(?P<id>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})
                |\b(?P<hash>[0-9a-f]{16})\b
                |X'(?P<blob>[0-9A-F]{32})'
                |(?P<url>(sqlite|postgres(ql)?)://[^\s,;]+|the\ database\ (/|\d+\.)[^\s,;]+)",
            )
            .unwrap()
        });
        let replaced = VARYING.replace_all(text, |found: &Captures<'_>| self.stands_for(found));
        replaced.into_owned()
    }

    fn stands_for(&mut self, found: &Captures<'_>) -> String {
        if let Some(time) = found.name("time") {
            let rest = found.name("rest").map_or("", |rest| rest.as_str());
            return format!("{}{rest}", self.time(time.as_str(), rest));
        }
        if found.name("moment").is_some() {
            return MOMENT.to_owned();
        }
        if found.name("applied").is_some() {
            return APPLIED.to_owned();
        }
        if found.name("url").is_some() {
            return "the database".to_owned();
        }
        // An id is a blob on SQLite.
        let whole = found.name("blob").map_or(&found[0], |blob| blob.as_str()).to_owned();
        if let Some(known) = self.known.get(&whole) {
            return known.clone();
        }
        if whole == NIL {
            return whole;
        }
        let new = if found.name("id").is_some() || found.name("blob").is_some() {
            self.ids += 1;
            format!("00000000-0000-4000-8000-{:012}", self.ids)
        } else {
            self.hashes += 1;
            format!("{:016x}", 0x5eed_0000_0000_0000_u64 + self.hashes)
        };
        self.known.insert(whole, new.clone());
        new
    }

    /// The time in the name of a migration: each plan is made on another day, and its parts follow each other by a second.
    fn time(&mut self, time: &str, rest: &str) -> String {
        if let Some(known) = self.known.get(time) {
            return known.clone();
        }
        let parsed = |time: &str| NaiveDateTime::parse_from_str(time, FORMAT).unwrap();
        let began = parsed(time);
        let name = PHASES.iter().find_map(|phase| rest.strip_suffix(phase)).unwrap_or(rest);
        // A part of a plan that is known, and not of another one that was made within seconds.
        let plan = (1..6).find_map(|seconds| {
            let before = (began - TimeDelta::seconds(seconds)).format(FORMAT).to_string();
            let known =
                self.known.get(&before).filter(|_| self.names.get(&before).is_some_and(|known| known == name))?;
            Some(parsed(known) + TimeDelta::seconds(seconds))
        });
        let new = match plan {
            Some(part) => part.format(FORMAT).to_string(),
            None => {
                self.plans += 1;
                format!("202612{:02}090000", self.plans)
            }
        };
        self.known.insert(time.to_owned(), new.clone());
        self.names.insert(time.to_owned(), name.to_owned());
        new
    }
}
