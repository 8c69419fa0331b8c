//! A condition as the Diesel query of the hub's rows that evaluates it, for messages. Values are left out.

use cdms_odata::{Kind, Value};

use super::compared::column;
use super::{Condition, RelatedModel};
use crate::filter::{Comparison, Matching};
use crate::{Mode, ModelDescriptor};

impl Condition {
    /// How to ask the hub's rows instead of CDMS: bring them up to date, and query them with Diesel. For messages.
    pub fn instead(&self, model: &ModelDescriptor) -> String {
        instead(model, self)
    }
}

/// What to write instead of a condition.
pub(super) fn instead(model: &ModelDescriptor, condition: &Condition) -> String {
    let mut models = vec![model.name];
    models.extend(condition.related_models().into_iter().map(|model| model.name));
    models.dedup();
    let filter = filter(model, condition, false);
    up_to_date(model, &models, &format!("{}::table.filter({filter})", model.table))
}

/// What to write instead of an order.
pub(super) fn instead_of_order(model: &ModelDescriptor, field: &str) -> String {
    let name = column(model, field).map_or(field, |column| column.name);
    up_to_date(model, &[model.name], &format!("{0}::table.order({0}::{name})", model.table))
}

fn up_to_date(model: &ModelDescriptor, models: &[&str], query: &str) -> String {
    if model.mode == Mode::Detached {
        return format!("query its rows with Diesel: `{query}`");
    }
    let models = models.join(", ");
    format!(
        "bring the hub up to date with `hub.ensure_fresh(models![{models}], Freshness::MaxAge(…)).await?`, and query its \
         rows with Diesel: `{query}`"
    )
}

/// A condition, or its opposite.
fn filter(model: &ModelDescriptor, condition: &Condition, is_negated: bool) -> String {
    let named = |field: &str| {
        let column = column(model, field).ok();
        let name = column.map_or(field, |column| column.name);
        (format!("{}::{name}", model.table), column.is_some_and(|column| column.nullable))
    };
    // SQL compares with null neither as equal nor as different.
    let or_null = |column: &str, text: String, is_nullable: bool| match is_nullable {
        true => format!("{text}.or({column}.is_null())"),
        false => text,
    };
    match condition {
        Condition::Compare { field, operator, value } => {
            let (column, is_nullable) = named(field);
            let of_null = operator.holds(&Value::Null, value) != is_negated;
            let operator = if is_negated { operator.complement() } else { *operator };
            match (operator, value) {
                (Comparison::Equal, Value::Null) => format!("{column}.is_null()"),
                (Comparison::NotEqual, Value::Null) => format!("{column}.is_not_null()"),
                (operator, _) => or_null(&column, format!("{column}.{}(…)", operator.name()), is_nullable && of_null),
            }
        }
        Condition::Text { field, matching, .. } => {
            let (column, is_nullable) = named(field);
            let pattern = match matching {
                Matching::Contains => "%…%",
                Matching::StartsWith => "…%",
                Matching::EndsWith => "%…",
            };
            let method = if is_negated { "not_like" } else { "like" };
            or_null(&column, format!("{column}.{method}(\"{pattern}\")"), is_nullable && is_negated)
        }
        Condition::Part { field, part, operator, .. } => {
            let kind = column(model, field).map(|column| column.kind);
            let name = named(field).0.replace("::", ".");
            let name = if kind == Ok(Kind::Date) { name } else { format!("{name} at time zone 'utc'") };
            let operator = if is_negated { operator.complement() } else { *operator };
            format!("sql::<Bool>(\"extract({} from {name}) {} …\")", part.name(), symbol(operator))
        }
        Condition::Related { field, model: RelatedModel(other), condition } => {
            let (column, is_nullable) = named(field);
            let id = other.columns.get(other.key_column()).map_or("id", |column| column.name);
            let id = format!("{}::{id}{}", other.table, if is_nullable { ".nullable()" } else { "" });
            let rows = format!("{}::table.filter({}).select({id})", other.table, filter(other, condition, false));
            let found = format!("{column}.eq_any({rows})");
            if is_negated { or_null(&column, format!("not({found})"), is_nullable) } else { found }
        }
        Condition::All(parts) | Condition::Any(parts) => {
            let is_all = matches!(condition, Condition::All(_)) != is_negated;
            let mut parts = parts.iter().map(|part| filter(model, part, is_negated));
            let Some(first) = parts.next() else { return format!("sql::<Bool>(\"{is_all}\")") };
            let word = if is_all { "and" } else { "or" };
            parts.fold(first, |joined, part| format!("{joined}.{word}({part})"))
        }
        Condition::Not(part) => filter(model, part, !is_negated),
    }
}

/// An operator in SQL.
fn symbol(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
    }
}
