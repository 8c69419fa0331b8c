//! The rule that a former name must be known from the last migration.

use crate::diagnostic::{Code, Cure, Diagnostic};
use crate::schema::Snapshot;
use crate::source::annotation::{ModelAnnotation, Placed};
use crate::source::nearest::meant;

/// Reports each `was` that names what the schema after the last migration does not have and its log does not know: nothing
/// would be renamed, and the values would stay behind under another name. A table that is not migrated yet may have had any
/// names.
pub fn unknown_former_names<P: Clone>(model: &ModelAnnotation<P>, schema: &Snapshot) -> Vec<Diagnostic<P>> {
    let Some(Placed { value: table, .. }) = &model.table else { return Vec::new() };
    let mut unknown = Vec::new();
    let mut fault = |was: &Placed<String, P>, message: String, near: Option<Cure>| {
        // A correction would decide whose values are kept under which name, which only a person may.
        let near = near.map(|near| Cure::from(near.text));
        let help = near.unwrap_or_else(|| "remove `was`, or write the name that the last migration left".into());
        unknown.push(Diagnostic::of(Code::UnknownFormerName, was.place.clone(), message).cure(help));
    };
    let table_was = model.was.as_ref();
    if let Some(was) = table_was.filter(|was| !schema.tables.is_empty() && !schema.knew_table(&was.value)) {
        let message = format!("table `{}` was never called `{}` in a migration", table, was.value);
        fault(was, message, meant(&was.value, schema.tables.keys().map(String::as_str)));
    }
    let table_was = table_was.map(|was| was.value.as_str());
    for was in model.fields.iter().filter_map(|field| field.was.as_ref()) {
        if !schema.knew_column(table, table_was, &was.value) {
            let message = format!("no column of table `{table}` was ever called `{}` in a migration", was.value);
            fault(was, message, meant(&was.value, schema.columns_of(table, table_was)));
        }
    }
    unknown
}
