//! The rules about a model's columns: their names, their former names, and the size of Diesel's table.

use std::collections::HashMap;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::annotation::{DieselGlue, ModelAnnotation};
use crate::source::mapping::{ResolvedColumn, ResolvedSource};
use crate::source::names;

/// A column's name, and its field; a member's name follows a dot.
#[derive(Clone, Copy)]
pub(super) struct Named<'c> {
    pub(super) name: &'c str,
    pub(super) field: &'c str,
}

// A name that a database truncates, or that needs quotes everywhere, would be noticed only when someone writes SQL.
pub(super) fn column_names<P: Clone>(
    model: &ModelAnnotation<P>,
    columns: &[Named<'_>],
    diagnostics: &mut Diagnostics<P>,
) {
    let mut known: HashMap<&str, &str> = HashMap::new();
    for column in columns {
        let root = column.field.split('.').next().unwrap_or(column.field);
        let field = model.fields.iter().find(|field| field.name.value.trim_start_matches("r#") == root);
        let place = field.map_or_else(
            || model.name.place.clone(),
            |field| field.column.as_ref().map_or_else(|| field.name.place.clone(), |column| column.place.clone()),
        );
        let table = model.table.as_ref().filter(|_| model.diesel.no_table.is_none());
        let beside = || table.and_then(|table| names::fault_beside_diesel(column.name, &table.value));
        if let Some(fault) = names::name_fault(column.name).or_else(beside) {
            let message = format!("invalid column name `{}`: it {fault}", column.name);
            let help = "choose another name with `column = \"…\"`, or `prefix = \"…\"` for a group";
            diagnostics.push(Diagnostic::of(Code::ColumnName, place.clone(), message).cure(help));
        }
        if let Some(other) = known.insert(column.name, column.field) {
            let message = format!("`{}` and `{other}` have the same column, `{}`", column.field, column.name);
            let help = "rename one of them with `column = \"…\"`, or `prefix = \"…\"` for a group";
            diagnostics.push(Diagnostic::of(Code::ColumnClash, place, message).cure(help));
        }
    }
}

// A former name that is invalid, or still in use, would rename the wrong column, with its values.
pub(super) fn former_names<P: Clone>(
    model: &ModelAnnotation<P>,
    columns: &[Named<'_>],
    diagnostics: &mut Diagnostics<P>,
) {
    if let Some(was) = &model.was {
        let mut fault = |code, message: String, help: &str| {
            diagnostics.push(Diagnostic::of(code, was.place.clone(), message).cure(help));
        };
        if let Some(reason) = names::name_fault(&was.value) {
            let help = "write the name that the table had in the database";
            fault(Code::ColumnName, format!("invalid former table name `{}`: it {reason}", was.value), help);
        } else if model.table.as_ref().is_some_and(|table| table.value == was.value) {
            fault(Code::ColumnClash, format!("`{}` in `was` is still the table's name", was.value), "remove `was`");
        }
    }
    let mut known: HashMap<&str, &str> = HashMap::new();
    let named = model.fields.iter().filter_map(|field| field.was.as_ref().map(|was| (field, was)));
    for (field, was) in named {
        let mut fault = |code, message: String, help: &str| {
            diagnostics.push(Diagnostic::of(code, was.place.clone(), message).cure(help));
        };
        if let Some(reason) = names::name_fault(&was.value) {
            fault(
                Code::ColumnName,
                format!("invalid former column name `{}`: it {reason}", was.value),
                "write the name that the column had in the database",
            );
        }
        if let Some(column) = columns.iter().find(|column| column.name == was.value) {
            fault(
                Code::ColumnClash,
                format!("`{}` in `was` is still the column of `{}`", was.value, column.field),
                "remove `was`, or rename in two steps",
            );
        }
        if let Some(other) = known.insert(&was.value, &field.name.value) {
            fault(
                Code::MappedTwice,
                format!("`{}` is already the former column of `{other}`", was.value),
                "keep `was` on the field that has the column's values",
            );
        }
    }
}

/// The largest number of columns of a table of Diesel, by the features that it was built with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColumnLimit {
    /// Diesel's default.
    #[default]
    Columns32,
    /// With the feature `64-column-tables`.
    Columns64,
    /// With the feature `128-column-tables`, the largest that Diesel has.
    Columns128,
}

impl ColumnLimit {
    /// The limit of this number of columns; `None` if Diesel has no such limit.
    pub const fn of(columns: usize) -> Option<Self> {
        match columns {
            32 => Some(ColumnLimit::Columns32),
            64 => Some(ColumnLimit::Columns64),
            128 => Some(ColumnLimit::Columns128),
            _ => None,
        }
    }

    /// The number of columns.
    pub const fn columns(self) -> usize {
        match self {
            ColumnLimit::Columns32 => 32,
            ColumnLimit::Columns64 => 64,
            ColumnLimit::Columns128 => 128,
        }
    }

    /// The smallest limit for this number of columns.
    fn for_columns(columns: usize) -> Option<Self> {
        let limits = [ColumnLimit::Columns32, ColumnLimit::Columns64, ColumnLimit::Columns128];
        limits.into_iter().find(|limit| columns <= limit.columns())
    }
}

// Above the size that it was built for, Diesel's `table!` fails with an error that does not say so.
pub(super) fn diesel_glue<P: Clone>(
    model: &ModelAnnotation<P>,
    columns: &[Named<'_>],
    limit: ColumnLimit,
    diagnostics: &mut Diagnostics<P>,
) {
    let DieselGlue { no_table, insertable, changeset } = &model.diesel;
    if no_table.is_some() {
        for (key, place) in [("insertable", insertable), ("changeset", changeset)] {
            if let Some(place) = place {
                let message = format!("`{key}` requires Diesel's table, which `table = false` leaves out");
                let help = format!("remove `table = false`, or remove `{key}`");
                diagnostics.push(Diagnostic::of(Code::KeysExclude, place.clone(), message).cure(help));
            }
        }
        return;
    }
    if columns.len() > limit.columns() {
        let message =
            format!("`{}` has {} columns, more than Diesel's {}", model.name.value, columns.len(), limit.columns());
        let help = match ColumnLimit::for_columns(columns.len()).map(ColumnLimit::columns) {
            Some(columns) => format!(
                "enable `{columns}-column-tables` of diesel in your Cargo.toml and write `diesel-columns = {columns}` in \
                 datahub.toml, or write `diesel(table = false)` to use no Diesel table for this model"
            ),
            None => "write `diesel(table = false)`; only Diesel's table has this limit, not the hub's".to_owned(),
        };
        diagnostics.push(Diagnostic::of(Code::TooManyColumns, model.name.place.clone(), message).cure(help));
    }
}

// Diesel cannot derive a changeset without columns.
pub(super) fn changeset<P: Clone>(
    model: &ModelAnnotation<P>,
    columns: &[ResolvedColumn],
    diagnostics: &mut Diagnostics<P>,
) {
    let changes = columns.iter().any(|column| column.source != ResolvedSource::Key);
    let asked = model.diesel.changeset.as_ref().filter(|_| model.diesel.no_table.is_none());
    if let (Some(place), false) = (asked, changes) {
        let message = format!("`changeset` requires a column besides the key, but `{}` has none", model.name.value);
        diagnostics.push(Diagnostic::of(Code::KeysExclude, place.clone(), message).cure("remove `changeset`"));
    }
}
