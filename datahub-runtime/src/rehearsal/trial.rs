//! The mapping of one model, tried on row after row.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cdms_odata::Value;
use datahub_model::conversion::{self, Row, class_of};
use datahub_model::{Class, Column, Fault, Mode, ModelDescriptor, Source, Write};
use datahub_protocol::{Decoded, merge};
use uuid::Uuid;

use super::report::{FieldRehearsal, ModelRehearsal, Refusal, Sample};
use crate::engine::mapping::ModelMapping;
use crate::models::ThroughModel;
use crate::store::{RowToTry, TableToTry, datum, value};

/// How many samples of each kind are kept for a field, and records for a reason.
const SAMPLES_MAX: usize = 5;

/// How many different reasons are kept for a model; further ones are counted as one.
const REASONS_MAX: usize = 50;

/// How many letters of a value are shown.
const SHOWN_MAX: usize = 80;

/// A mapping on trial.
pub(super) struct Trial {
    model: &'static ModelDescriptor,
    through: ThroughModel,
    actor: Arc<str>,
    /// For each column of the model, its place among the values that the table has.
    compared: Vec<Option<usize>>,
    report: ModelRehearsal,
    /// For each field of the report, the position of its column.
    columns: Vec<usize>,
    refusals: HashMap<String, (u64, Vec<Uuid>)>,
}

impl Trial {
    pub(super) fn new(model: &'static ModelDescriptor, through: ThroughModel, table: &TableToTry) -> Self {
        let of_cdms = |column: &Column| matches!(column.source, Source::Attribute { .. } | Source::Joined { .. });
        let columns: Vec<_> =
            model.columns.iter().enumerate().filter(|(_, column)| of_cdms(column)).map(|(at, _)| at).collect();
        let compared: Vec<_> = (0..model.columns.len())
            .map(|position| table.compared.iter().position(|compared| compared.position == position))
            .collect();
        let fields = columns.iter().map(|position| {
            let column = &model.columns[*position];
            FieldRehearsal {
                field: column.field.to_owned(),
                column: column.name.to_owned(),
                kind: column.kind.to_string(),
                class: class_of(model, column),
                compared_with: compared[*position].map(|place| table.compared[place].column.name.to_owned()),
                equal: 0,
                changed: 0,
                filled: 0,
                unknown: 0,
                refused: 0,
                lossy: 0,
                declared_loss: 0,
                unwritable: 0,
                changes: Vec::new(),
                losses: Vec::new(),
            }
        });
        let report = ModelRehearsal {
            model: model.name.to_owned(),
            table: model.table.to_owned(),
            entity: model.entity.name.to_owned(),
            mapping_id: model.mapping_id.to_string(),
            rows: 0,
            incomplete: 0,
            quarantined: 0,
            already_quarantined: 0,
            not_of_model: 0,
            refusals: Vec::new(),
            fields: fields.collect(),
            untouched_save: BTreeMap::new(),
            not_compared: table.not_compared.clone(),
        };
        let actor = Arc::from("rehearsal");
        Trial { model, through, actor, compared, report, columns, refusals: HashMap::new() }
    }

    /// Tries one row.
    pub(super) fn row(&mut self, row: RowToTry) {
        self.report.rows += 1;
        let unread = |name: &&str| !row.seen.contains(name);
        let is_old = |name: &str| row.outdated.contains(name);
        let lacks = |names: &[&str]| names.iter().any(|name| unread(name) || is_old(name));
        let is_incomplete = self.model.attributes.iter().any(|known| lacks(&[known.name]));
        self.report.incomplete += u64::from(is_incomplete);
        if let Some(only) = self.model.only
            && !only.attributes().iter().any(unread)
            && !self.model.includes(&row.seen)
        {
            self.report.not_of_model += 1;
            return;
        }
        let mut refused = None;
        for at in 0..self.columns.len() {
            if let Err(fault) = self.field(at, &row) {
                self.report.fields[at].refused += 1;
                refused.get_or_insert(fault);
            }
        }
        let tried = match refused {
            Some(fault) => Err(fault),
            None => self.whole(&row),
        };
        if let Err(fault) = tried {
            self.refuse(&row, &fault);
        }
    }

    /// Converts one field and compares it with the table.
    fn field(&mut self, at: usize, row: &RowToTry) -> Result<(), Fault> {
        let position = self.columns[at];
        let (column, field) = (&self.model.columns[position], &mut self.report.fields[at]);
        if column.attributes().iter().any(|name| !row.seen.contains(name)) {
            field.unknown += 1;
            return Ok(());
        }
        let mapped = conversion::decode_field(self.model, column, &row.seen)?;
        // As the table would have it.
        let mapped = value(column, datum(column, &mapped)?);
        let Some(place) = self.compared[position].filter(|_| row.is_there) else {
            field.filled += u64::from(!mapped.is_null());
            return Ok(());
        };
        let there = &row.there[place];
        if is_same(there, &mapped) {
            field.equal += 1;
        } else {
            field.changed += 1;
            sample(&mut field.changes, row.id, there, &mapped, field.class);
        }
        Ok(())
    }

    /// Takes the row through the model's own type and back, and looks what a write of each field, and a save without a
    /// change, would send.
    fn whole(&mut self, row: &RowToTry) -> Result<(), Fault> {
        let model = self.model;
        let (mut values, incomplete) = conversion::decode_known(model, row.id, &row.facts, &row.seen)?;
        for (column, value) in model.columns.iter().zip(&mut values).filter(|(column, _)| column.is_local()) {
            *value = conversion::initial(column);
        }
        let mine = (self.through)(&values)?;
        for at in 0..self.columns.len() {
            let position = self.columns[at];
            if !incomplete.contains(&position) {
                self.write(at, &mine, row);
            }
        }
        if model.mode == Mode::Sync {
            let mapping = ModelMapping::new(model, row.id, Arc::clone(&self.actor)).without(incomplete);
            let base = Decoded { seen: &row.seen, values: &values };
            for name in merge(&mapping, base, &mine, base)?.patch.names() {
                *self.report.untouched_save.entry(name.to_string()).or_default() += 1;
            }
        }
        Ok(())
    }

    /// What a write of a field would send, compared with what CDMS has.
    fn write(&mut self, at: usize, mine: &Row, row: &RowToTry) {
        let position = self.columns[at];
        let (column, field) = (&self.model.columns[position], &mut self.report.fields[at]);
        let sent = match conversion::encode(self.model, column, &mine[position], &row.seen) {
            Ok(sent) => sent,
            Err(_) => {
                field.unwritable += u64::from(column.write() != Write::Never);
                return;
            }
        };
        let other = |(name, _): &(&str, &Value)| row.seen.get(name) != sent.get(name);
        let Some((name, after)) = sent.iter().find(other) else { return };
        let before = row.seen.get(name).unwrap_or(&Value::Null);
        if is_declared(column, before, &mine[position]) {
            field.declared_loss += 1;
        } else {
            field.lossy += 1;
            sample(&mut field.losses, row.id, before, after, field.class);
        }
    }

    fn refuse(&mut self, row: &RowToTry, fault: &Fault) {
        if row.quarantined {
            self.report.already_quarantined += 1;
        } else {
            self.report.quarantined += 1;
        }
        // The values differ from row to row; what is wrong with them does not.
        let place = fault.place().map(|place| format!("`{place}`: ")).unwrap_or_default();
        let mut reason = format!("{place}{}", fault.reason());
        if self.refusals.len() >= REASONS_MAX && !self.refusals.contains_key(&reason) {
            reason = "other reasons".to_owned();
        }
        let (rows, records) = self.refusals.entry(reason).or_default();
        *rows += 1;
        if records.len() < SAMPLES_MAX {
            records.push(row.id);
        }
    }

    pub(super) fn into_report(self) -> ModelRehearsal {
        let mut report = self.report;
        let refusals = self.refusals.into_iter().map(|(reason, (rows, records))| Refusal { reason, rows, records });
        report.refusals = refusals.collect();
        report.refusals.sort_by(|one, other| (other.rows, &one.reason).cmp(&(one.rows, &other.reason)));
        report
    }
}

/// Whether a column has a value, also if its kind was another one: then they must read alike. Text without letters is no
/// text.
fn is_same(there: &Value, mapped: &Value) -> bool {
    let is_empty = |value: &Value| value.is_null() || matches!(value, Value::Text(text) if text.is_empty());
    let bare = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        value => value.to_string(),
    };
    there == mapped || (is_empty(there) && is_empty(mapped)) || (!is_empty(there) && bare(there) == bare(mapped))
}

/// Whether an annotation says that this value is lost: a default that stands for a null, a conversion of the team's own, or
/// a reference to a model that the field cannot point to.
fn is_declared(column: &Column, before: &Value, mine: &Value) -> bool {
    match column.source {
        Source::Joined { .. } => true,
        Source::Attribute { targets, .. } => {
            let stands_for_null = || conversion::default_of(column).ok().flatten().is_some_and(|value| value == *mine);
            let of_another_model = matches!(
                before, Value::Lookup(reference) if !targets.is_empty() && !targets.contains(&&*reference.logical_name)
            );
            (before.is_null() && stands_for_null()) || of_another_model
        }
        Source::Key | Source::Engine(_) | Source::Local => false,
    }
}

fn sample(samples: &mut Vec<Sample>, record: Uuid, before: &Value, after: &Value, class: Class) {
    if samples.len() < SAMPLES_MAX {
        samples.push(Sample { record, before: shown(before, class), after: shown(after, class) });
    }
}

/// A value as a report shows it.
fn shown(value: &Value, class: Class) -> String {
    if class != Class::Public && !value.is_null() {
        return format!("{} of class {}, hidden", value.form(), class.name());
    }
    let text = value.to_string();
    if text.chars().count() <= SHOWN_MAX { text } else { text.chars().take(SHOWN_MAX).chain(['…']).collect() }
}
