//! What an import says it did: contract by contract, and what is left to a person.

use datahub_derive::project::{MARK, Project};
use datahub_import::{Change, Remark, United};
use serde_json::{Value, json};

use super::models::FirstModel;
use super::plan::Plan;
use crate::output::Output;

/// The names in a list that is longer than a reader wants.
const NAMES_MAX: usize = 8;

/// Everything that an import reports.
pub(super) struct Report<'r> {
    pub(super) project: &'r Project,
    pub(super) united: &'r United,
    pub(super) plans: &'r [Plan],
    pub(super) models: &'r [FirstModel],
    /// The snapshot, if it was written.
    pub(super) snapshot: Option<&'r str>,
    /// What an earlier run had left unfinished.
    pub(super) unfinished: &'r [String],
    /// What of it is still unfinished.
    pub(super) left: &'r [String],
    pub(super) is_dry: bool,
}

impl Report<'_> {
    /// Prints it; returns whether nothing is left to a person's decision.
    pub(super) fn print(&self, output: &Output) -> bool {
        self.unfinished(output);
        for remark in &self.united.remarks {
            let Remark { entity, text, is_contradiction } = remark;
            let sort = if *is_contradiction { "contradiction" } else { "note" };
            output.result(
                &format!("{sort}: {remark}"),
                &json!({"remark": text, "entity": entity, "contradiction": is_contradiction}),
            );
        }
        if let Some(snapshot) = self.snapshot {
            output.result(
                &format!("{snapshot}: {}", self.did("saved")),
                &json!({"snapshot": snapshot, "written": !self.is_dry}),
            );
        }
        for plan in self.plans {
            self.contract(plan, output);
        }
        for model in self.models {
            model.report(self.is_dry, output);
        }
        self.summary(output)
    }

    fn unfinished(&self, output: &Output) {
        if self.unfinished.is_empty() {
            return;
        }
        let text = format!("note: an earlier import was stopped before it had written {}", listed(self.unfinished));
        let text = match self.left {
            [] => format!("{text}; this one has"),
            left => format!("{text}; import the entities of {} again, which are still missing", listed(left)),
        };
        output.result(&text, &json!({"unfinished": self.unfinished, "left": self.left}));
    }

    fn did(&self, done: &str) -> String {
        if self.is_dry { format!("would be {done}") } else { done.to_owned() }
    }

    fn contract(&self, plan: &Plan, output: &Output) {
        let merged = &plan.merged;
        let (did, outcome) = match (plan.is_new(), plan.is_merged(), self.is_dry) {
            (true, _, false) => ("written", "written"),
            (true, _, true) => ("would be written", "would_write"),
            (false, true, false) => ("merged", "merged"),
            (false, true, true) => ("would be merged", "would_merge"),
            (false, false, _) => ("unchanged", "unchanged"),
        };
        let mut text = format!("{}: {did}", plan.shown);
        let open = plan.open();
        if plan.is_new() {
            text.push_str(&format!(", {}", counted(merged.base.attributes(), "attribute")));
        }
        if open > 0 {
            text.push_str(&format!(", {}", counted(open, "open question")));
        }
        let base = plan.changed_base();
        for change in &merged.changes {
            text.push_str(&format!("\n  {change}"));
        }
        for conflict in &merged.conflicts {
            text.push_str(&format!("\n  conflict: {conflict}; the contract stays as it is"));
        }
        let is_news = plan.is_changed() || !merged.changes.is_empty() || !merged.conflicts.is_empty();
        if !merged.unmentioned.is_empty() && !plan.is_new() && is_news {
            text.push_str(&format!("\n  not mentioned: {}", listed(&merged.unmentioned)));
        }
        // A contract that changes shows by itself that CDMS said something new.
        if let Some(base) = base.filter(|_| !plan.is_merged()) {
            text.push_str(&format!("\n  {base}: {}, for the next merge", self.did("written")));
        }
        let changes = |changes: &[Change]| -> Vec<Value> {
            changes.iter().map(|change| json!({"attribute": change.attribute, "text": change.text})).collect()
        };
        let json = json!({
            "contract": plan.shown,
            "outcome": outcome,
            "imported": base,
            "changes": changes(&merged.changes),
            "conflicts": changes(&merged.conflicts),
            "unmentioned": merged.unmentioned,
            "open": open,
        });
        // People want to see what happened, machines everything.
        if is_news || self.plans.len() == 1 {
            output.result(&text, &json);
        } else {
            output.only_json(&json);
        }
    }

    fn summary(&self, output: &Output) -> bool {
        let count = |wanted: fn(&Plan) -> bool| self.plans.iter().filter(|plan| wanted(plan)).count();
        let written = count(Plan::is_new);
        let merged = count(|plan| !plan.is_new() && plan.is_merged());
        let unchanged = count(|plan| !plan.is_merged());
        let conflicts: usize = self.plans.iter().map(|plan| plan.merged.conflicts.len()).sum();
        let contradictions = self.united.remarks.iter().filter(|remark| remark.is_contradiction).count();
        let open: usize = self.plans.iter().map(Plan::open).sum();
        let outcomes =
            [(written, self.did("written")), (merged, self.did("merged")), (unchanged, "unchanged".to_owned())];
        let outcomes = outcomes.iter().filter(|(count, _)| *count > 0);
        let outcomes: Vec<_> = outcomes.map(|(count, did)| format!("{} {did}", counted(*count, "contract"))).collect();
        let outcomes = if outcomes.is_empty() { "0 contracts".to_owned() } else { outcomes.join(", ") };
        let mut text =
            format!("{outcomes}; {}, {}", counted(conflicts, "conflict"), counted(contradictions, "contradiction"),);
        if open > 0 {
            text.push_str(&format!(
                "\n{}: `datahub check --questions` says what to look up, and where",
                counted(open, "open question")
            ));
        }
        if self.project.settings().metadata.is_none() {
            text.push_str(&format!(
                "\nno snapshot: write `metadata = \"{}/metadata.xml\"` into {MARK} and save $metadata there, and contracts are \
                 checked against it",
                self.project.settings().contracts
            ));
        }
        text.push_str(&super::models::next_steps(self.models));
        if conflicts > 0 {
            text.push_str(
                "\na conflict is reported until the contract says what CDMS does, or until you import with `--keep`",
            );
        }
        let mut json = json!({
            "contracts": self.plans.len(), "unchanged": unchanged,
            "conflicts": conflicts, "contradictions": contradictions, "open": open, "dry_run": self.is_dry,
        });
        let keys = if self.is_dry { ["would_write", "would_merge"] } else { ["written", "merged"] };
        for (key, count) in keys.into_iter().zip([written, merged]) {
            json[key] = count.into();
        }
        output.result(&text, &json);
        conflicts == 0 && contradictions == 0 && self.left.is_empty()
    }
}

/// A number with its noun.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Names, and how many more there are.
pub(super) fn listed(names: &[String]) -> String {
    let shown = names.iter().take(NAMES_MAX).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
