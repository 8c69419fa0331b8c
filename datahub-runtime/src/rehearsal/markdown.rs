//! The report as Markdown, for a pull request.

use std::fmt::Write as _;

use super::report::{FieldRehearsal, ModelRehearsal, RehearsalReport, Sample};

impl RehearsalReport {
    /// The report as Markdown, for a pull request: a table for each model with one line per field, then the reasons for
    /// quarantine and samples of what changes.
    pub fn to_markdown(&self) -> String {
        let mut page = String::from("## Rehearsal\n");
        for model in &self.models {
            model.write(&mut page);
        }
        page
    }
}

impl ModelRehearsal {
    fn write(&self, page: &mut String) {
        let ModelRehearsal { model, table, rows, .. } = self;
        _ = writeln!(page, "\n### {model}: {rows} rows of `{table}`\n");
        let counts = [
            (self.quarantined, "would go to quarantine"),
            (self.already_quarantined, "are in quarantine and would stay there"),
            (self.not_of_model, "would leave the table, because they do not satisfy `only`"),
            (self.incomplete, "lack something that must be read from CDMS first"),
        ];
        let counts: Vec<_> = counts.iter().filter(|(rows, _)| *rows > 0).collect();
        for (rows, what) in &counts {
            _ = writeln!(page, "- **{rows}** {what}");
        }
        for (attribute, rows) in &self.untouched_save {
            _ = writeln!(page, "- **{rows}** would send `{attribute}` when they are saved unchanged");
        }
        if counts.is_empty() && self.untouched_save.is_empty() {
            page.push_str("All rows convert, and saving them unchanged sends nothing.\n");
        }
        page.push_str(
            "\n| field | equal | changed | new | unknown | refused | lost | declared loss | not writable |\n",
        );
        page.push_str("|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
        for field in &self.fields {
            field.write_line(page);
        }
        if !self.refusals.is_empty() {
            page.push_str("\n| rows | would go to quarantine because | such as |\n|---:|---|---|\n");
            for refusal in &self.refusals {
                let records: Vec<_> = refusal.records.iter().map(|id| format!("`{id}`")).collect();
                _ = writeln!(page, "| {} | {} | {} |", refusal.rows, cell(&refusal.reason), records.join(", "));
            }
        }
        self.write_samples(page, "changes", "in the table", "as mapped", |field| &field.changes);
        self.write_samples(page, "would be lost", "in CDMS", "as it would be sent", |field| &field.losses);
        if !self.not_compared.is_empty() {
            page.push_str("\nNot compared:\n\n");
            self.not_compared.iter().for_each(|what| _ = writeln!(page, "- {what}"));
        }
    }

    fn write_samples(
        &self,
        page: &mut String,
        what: &str,
        before: &str,
        after: &str,
        samples: impl Fn(&FieldRehearsal) -> &Vec<Sample>,
    ) {
        if self.fields.iter().all(|field| samples(field).is_empty()) {
            return;
        }
        _ = writeln!(page, "\n| {what} | record | {before} | {after} |\n|---|---|---|---|");
        for field in &self.fields {
            for Sample { record, before, after } in samples(field) {
                _ = writeln!(page, "| `{}` | `{record}` | {} | {} |", field.field, cell(before), cell(after));
            }
        }
    }
}

impl FieldRehearsal {
    fn write_line(&self, page: &mut String) {
        let renamed = self.compared_with.as_ref().filter(|column| **column != self.column);
        let name = match renamed {
            Some(from) => format!("`{}` (from `{from}`)", self.field),
            None if self.compared_with.is_none() => format!("`{}` (new)", self.field),
            None => format!("`{}`", self.field),
        };
        let counts = [
            self.equal,
            self.changed,
            self.filled,
            self.unknown,
            self.refused,
            self.lossy,
            self.declared_loss,
            self.unwritable,
        ];
        // What is zero is no news.
        let counts = counts.map(|count| if count == 0 { String::new() } else { count.to_string() });
        _ = writeln!(page, "| {name} | {} |", counts.join(" | "));
    }
}

/// A text in a cell of a table: of one line, and without what Markdown would read as its own.
fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '|' | '<' | '[' | ']' | '*' | '_' | '\\' => cell.extend(['\\', letter]),
            '\n' | '\r' => cell.push(' '),
            letter => cell.push(letter),
        }
    }
    cell
}
