//! The conditions of lists, in CDMS's language: which records have changed, and which may belong to a model.

use cdms_odata::{Instant, Kind};
use datahub_model::filter::{ODataV2, Operand, Syntax};
use datahub_model::{Comparison, Filter, Literal, ModelDescriptor};

/// The longest condition that is sent; a longer one is evaluated here alone, so that the address does not become too long.
const LENGTH_MAX: usize = 800;

/// The condition that a record has changed at this time or later.
pub(crate) fn changed_since(model: &ModelDescriptor, since: Instant) -> Option<String> {
    let filter = Filter::compare(model.entity.modified, Comparison::GreaterOrEqual, Literal::Instant(since.0));
    filter.print(&ODataV2, |_| Some(Operand::of(Kind::DateTime))).ok()
}

/// A condition that every record of the model satisfies. Others may satisfy it too: parts of the model's condition that CDMS
/// cannot evaluate, or may evaluate to something else than the hub, are left out, and evaluated here.
pub(crate) fn of_model(model: &ModelDescriptor) -> Option<String> {
    let condition = wider(model, model.only?)?;
    let text = condition.print(&ODataV2, |name| operand(model, name)).ok()?;
    (text.len() <= LENGTH_MAX).then_some(text)
}

/// The condition without the parts that only the hub can evaluate; `None` if nothing is left of it.
fn wider(model: &ModelDescriptor, filter: &Filter) -> Option<Filter> {
    match filter {
        Filter::All(parts) => {
            let mut parts: Vec<_> = parts.iter().filter_map(|part| wider(model, part)).collect();
            if parts.len() > 1 { Some(Filter::All(parts.into())) } else { parts.pop() }
        }
        Filter::Any(parts) => {
            let parts: Option<Vec<_>> = parts.iter().map(|part| wider(model, part)).collect();
            Some(Filter::Any(parts?.into()))
        }
        Filter::Compare { attribute, operator, value } => {
            let Operand { kind, .. } = operand(model, attribute)?;
            ODataV2.operand(attribute, kind)?;
            ODataV2.literal(kind, value)?;
            let is_null = matches!(value, Literal::Null);
            let means_the_same = match operator {
                Comparison::Equal => true,
                // Null differs from every value here.
                Comparison::NotEqual => is_null,
                // CDMS orders text by its collation.
                _ => kind != Kind::String && !is_null,
            };
            means_the_same.then(|| filter.clone())
        }
        // What is wider inside would be narrower outside. Conditions that other versions know are evaluated here.
        _ => None,
    }
}

fn operand(model: &ModelDescriptor, name: &str) -> Option<Operand<'static>> {
    model.attribute(name).map(Operand::from)
}
