//! The order in which models are brought up to date: the targets of lookups first, so that a row's references lead somewhere.

use cdms_odata::Kind;
use datahub_model::ModelDescriptor;

/// For each model, the positions of those that come before it: those that its lookups point to. Where lookups lead in a
/// circle, the models of it are in the order in which they are listed, as far as that opens the circle.
pub(in crate::operation) fn before(models: &[&ModelDescriptor]) -> Vec<Vec<usize>> {
    let targets: Vec<Vec<usize>> = models.iter().map(|model| targets(model, models)).collect();
    let mut order =
        Order { targets: &targets, marks: vec![Mark::New; models.len()], before: vec![Vec::new(); models.len()] };
    (0..models.len()).for_each(|model| order.visit(model));
    order.before
}

fn targets(model: &ModelDescriptor, models: &[&ModelDescriptor]) -> Vec<usize> {
    let lookups = || model.attributes.iter().filter(|attribute| attribute.kind == Kind::Lookup);
    let is_target = |other: &ModelDescriptor| {
        other.table != model.table && lookups().any(|lookup| lookup.targets.contains(&other.entity.logical))
    };
    models.iter().enumerate().filter(|(_, other)| is_target(other)).map(|(position, _)| position).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    /// Its targets are being visited.
    Open,
    Done,
}

struct Order<'t> {
    targets: &'t [Vec<usize>],
    marks: Vec<Mark>,
    before: Vec<Vec<usize>>,
}

impl Order<'_> {
    fn visit(&mut self, model: usize) {
        if self.marks[model] != Mark::New {
            return;
        }
        self.marks[model] = Mark::Open;
        for target in &self.targets[model] {
            // A target that is open waits for this model, in a circle.
            if self.marks[*target] != Mark::Open {
                self.visit(*target);
                self.before[model].push(*target);
            }
        }
        self.marks[model] = Mark::Done;
    }
}
