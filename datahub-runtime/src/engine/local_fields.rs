//! The hub's own fields of a row: which columns they are, and the values of some of them or of all.

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
    /// All of a row's.
    pub(crate) fn of_row(model: &ModelDescriptor, row: &[Value]) -> Self {
        local_columns(model).map(|(at, _)| (at, row[at].clone())).collect()
    }

    /// A null for each.
    pub(crate) fn nulls(model: &ModelDescriptor) -> Self {
        local_columns(model).map(|(at, _)| (at, Value::Null)).collect()
    }

    /// Those that have other values in a row than in the one before it.
    pub(crate) fn changed(model: &ModelDescriptor, before: &[Value], row: &[Value]) -> Self {
        let changed = local_columns(model).filter(|(at, _)| row[*at] != before[*at]);
        changed.map(|(at, _)| (at, row[at].clone())).collect()
    }

    /// The value of the column at a position.
    pub(crate) fn get(&self, at: usize) -> Option<&Value> {
        self.0.get(&at)
    }

    /// Whether there is no value of any column.
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

    /// Leaves out the values that do not satisfy a condition.
    pub(crate) fn retain(&mut self, mut keeps: impl FnMut(usize, &Value) -> bool) {
        self.0.retain(|at, value| keeps(*at, value));
    }

    /// These values, and others over them.
    pub(crate) fn with(mut self, others: &LocalFields) -> Self {
        self.0.extend(others.0.iter().map(|(at, value)| (*at, value.clone())));
        self
    }

    /// Puts the values into a row. Null is what a column holds before anybody gave it a value.
    pub(crate) fn lay_over(self, model: &ModelDescriptor, row: &mut [Value]) {
        for (at, value) in self.0 {
            row[at] = if value.is_null() { conversion::initial(&model.columns[at]) } else { value };
        }
    }

    /// The columns that somebody else has given another value than a caller knows them with and wants.
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

/// Values of local columns by their names: the form that outlives a change of the model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct NamedFields(BTreeMap<String, Value>);

impl NamedFields {
    /// Whether there is no value of any column.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values by position again; those of columns that are not local any more are left out.
    pub(crate) fn positioned(&self, model: &ModelDescriptor) -> LocalFields {
        let value = |column: &Column| self.0.get(column.name).or_else(|| self.0.get(column.was?));
        local_columns(model).filter_map(|(at, column)| Some((at, value(column)?.clone()))).collect()
    }
}

/// One local field's change, in column values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LocalChange {
    /// The field by its name of that day.
    pub(crate) field: String,
    /// The column, where its name was another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<String>,
    /// Its value before.
    pub(crate) from: Value,
    /// Its value after; `None` where the row ended.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<Value>,
}

impl LocalChange {
    /// The column as the model has it now, perhaps under another name.
    pub(crate) fn column_in(&self, model: &ModelDescriptor) -> Option<&'static Column> {
        let name = self.column.as_deref().unwrap_or(&self.field);
        local_columns(model).map(|(_, column)| column).find(|column| column.name == name || column.was == Some(name))
    }

    /// A change of a column, in which its values are to be filled.
    pub(crate) fn of(column: &Column) -> Self {
        let other_name = (column.name != column.field).then(|| column.name.to_owned());
        LocalChange { field: column.field.to_owned(), column: other_name, from: Value::Null, to: None }
    }
}

/// Tells a null that is there from a value that is not.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
