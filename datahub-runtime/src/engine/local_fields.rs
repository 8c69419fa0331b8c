//! The local fields of a row: which columns they are, and values of some or all of them.

use std::collections::BTreeMap;

use cdms_odata::Value;
use datahub_model::{Column, ModelDescriptor, conversion};
use serde::{Deserialize, Deserializer, Serialize};

/// A model's local columns, each with its position among all columns.
pub(crate) fn local_columns(model: &ModelDescriptor) -> impl Iterator<Item = (usize, &'static Column)> {
    model.columns.iter().enumerate().filter(|(_, column)| column.is_local())
}

/// Values of local columns, each by its position among all columns of the model.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LocalFields(BTreeMap<usize, Value>);

impl LocalFields {
    /// All local values of a row.
    pub(crate) fn of_row(model: &ModelDescriptor, row: &[Value]) -> Self {
        local_columns(model).map(|(at, _)| (at, row[at].clone())).collect()
    }

    /// A null for each local column.
    pub(crate) fn nulls(model: &ModelDescriptor) -> Self {
        local_columns(model).map(|(at, _)| (at, Value::Null)).collect()
    }

    /// The values in a row that differ from those in the row before it.
    pub(crate) fn changed(model: &ModelDescriptor, before: &[Value], row: &[Value]) -> Self {
        let changed = local_columns(model).filter(|(at, _)| row[*at] != before[*at]);
        changed.map(|(at, _)| (at, row[at].clone())).collect()
    }

    /// The value of the column at a position.
    pub(crate) fn get(&self, at: usize) -> Option<&Value> {
        self.0.get(&at)
    }

    /// Whether there are no values.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values with their columns' positions.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &Value)> {
        self.0.iter().map(|(at, value)| (*at, value))
    }

    /// Gives a column another value.
    pub(crate) fn set(&mut self, at: usize, value: Value) {
        self.0.insert(at, value);
    }

    /// Removes the values that do not satisfy a condition.
    pub(crate) fn retain(&mut self, mut keeps: impl FnMut(usize, &Value) -> bool) {
        self.0.retain(|at, value| keeps(*at, value));
    }

    /// These values, with others set over them.
    pub(crate) fn with(mut self, others: &LocalFields) -> Self {
        self.0.extend(others.0.iter().map(|(at, value)| (*at, value.clone())));
        self
    }

    /// Puts the values into a row. A column that never got a value holds null.
    pub(crate) fn lay_over(self, model: &ModelDescriptor, row: &mut [Value]) {
        for (at, value) in self.0 {
            row[at] = if value.is_null() { conversion::initial(&model.columns[at]) } else { value };
        }
    }

    /// The columns to which someone else has given a value that is neither the caller's known value nor the wanted one.
    pub(crate) fn conflicts(&self, model: &ModelDescriptor, known: &LocalFields, wanted: &LocalFields) -> Vec<usize> {
        let differs = |at: usize, known: &Value| {
            let stored = self.get(at).filter(|now| !now.is_null()).cloned();
            let now = stored.unwrap_or_else(|| conversion::initial(&model.columns[at]));
            now != *known && wanted.get(at).is_none_or(|wanted| now != *wanted)
        };
        known.iter().filter(|(at, known)| differs(*at, known)).map(|(at, _)| at).collect()
    }

    /// The values under their columns' names.
    pub(crate) fn named(&self, model: &ModelDescriptor) -> NamedFields {
        let named = self.iter().filter_map(|(at, value)| Some((model.columns.get(at)?.name.to_owned(), value.clone())));
        NamedFields(named.collect())
    }
}

impl FromIterator<(usize, Value)> for LocalFields {
    fn from_iter<I: IntoIterator<Item = (usize, Value)>>(values: I) -> Self {
        LocalFields(values.into_iter().collect())
    }
}

/// Values of local columns by name: the form that survives a change of the model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct NamedFields(BTreeMap<String, Value>);

impl NamedFields {
    /// Whether there are no values.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values by position again, without those of columns that are no longer local.
    pub(crate) fn positioned(&self, model: &ModelDescriptor) -> LocalFields {
        let value = |column: &Column| self.0.get(column.name).or_else(|| self.0.get(column.was?));
        local_columns(model).filter_map(|(at, column)| Some((at, value(column)?.clone()))).collect()
    }
}

/// One local field's change, in column values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LocalChange {
    /// The field's name at that time.
    pub(crate) field: String,
    /// The column, if its name differed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<String>,
    /// Its value before.
    pub(crate) from: Value,
    /// Its value after; `None` if the row ended.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<Value>,
}

impl LocalChange {
    /// The column as the model has it now, possibly under another name.
    pub(crate) fn column_in(&self, model: &ModelDescriptor) -> Option<&'static Column> {
        let name = self.column.as_deref().unwrap_or(&self.field);
        local_columns(model).map(|(_, column)| column).find(|column| column.name == name || column.was == Some(name))
    }

    /// A change of a column, whose values are still to be filled in.
    pub(crate) fn of(column: &Column) -> Self {
        let other_name = (column.name != column.field).then(|| column.name.to_owned());
        LocalChange { field: column.field.to_owned(), column: other_name, from: Value::Null, to: None }
    }
}

/// Distinguishes a null from a missing value.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
