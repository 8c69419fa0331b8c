//! What a field's type can hold, as far as its text shows: what the runtime's `FieldType` states about it to the compiler.

use cdms_odata::Kind;
use syn::{GenericArgument, Path, PathArguments, Type};

use super::TreeChoice;
use super::scope::{Meaning, Scope};
use crate::field_type::ungrouped;

/// The kinds that a choice can be of.
const CHOICES: &[Kind] = &[Kind::Choice, Kind::State, Kind::Status];

/// What a type can hold.
#[derive(Clone, Debug)]
pub(super) struct Held<'t> {
    pub(super) kinds: &'static [Kind],
    /// Whether it has a value for null.
    pub(super) has_null: bool,
    /// For a reference: the logical names of the models that it may point to.
    pub(super) targets: Vec<&'t str>,
    /// The enum of a choice.
    pub(super) choice: Option<&'t TreeChoice>,
}

impl<'t> Held<'t> {
    fn of_kinds(kinds: &'static [Kind]) -> Self {
        Held { kinds, has_null: false, targets: Vec::new(), choice: None }
    }

    /// What a type that is written in this file, in the model or group of this name, can hold; `None` if only the compiler
    /// knows.
    pub(super) fn by(text: &str, owner: &str, file: &str, scope: &Scope<'t>) -> Option<Self> {
        held(&syn::parse_str(text).ok()?, owner, file, scope)
    }

    /// Whether values of a kind fit; text does not fit a type whose text is a reference.
    pub(super) fn fits(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind) && (kind != Kind::String || self.targets.is_empty())
    }

    /// Whether its text names the model that it points to.
    pub(super) fn holds_which(&self) -> bool {
        self.kinds.contains(&Kind::String) && !self.targets.is_empty()
    }
}

fn held<'t>(ty: &Type, owner: &str, file: &str, scope: &Scope<'t>) -> Option<Held<'t>> {
    let Type::Path(path) = ungrouped(ty) else { return None };
    let path = Some(&path.path).filter(|_| path.qself.is_none())?;
    let last = path.segments.last()?;
    let mut held = match scope.meaning(path, file)? {
        Meaning::WellKnown(name) => {
            let argument = argument(path);
            match (name, argument) {
                ("Option", Some(inner)) => Held { has_null: true, ..held(inner, owner, file, scope)? },
                ("Id", Some(model)) => {
                    let targets = vec![logical(model, owner, file, scope)?];
                    Held { targets, ..Held::of_kinds(&[Kind::Lookup]) }
                }
                ("OneOf", Some(Type::Tuple(models))) => {
                    let targets = models.elems.iter().map(|model| logical(model, owner, file, scope));
                    Held { targets: targets.collect::<Option<_>>()?, ..Held::of_kinds(&[Kind::String]) }
                }
                ("DateTime", Some(Type::Path(zone))) if zone.path.segments.last()?.ident == "Utc" => {
                    Held::of_kinds(&[Kind::DateTime])
                }
                (name, None) => Held::of_kinds(match name {
                    "String" => &[Kind::String],
                    "i32" => &[Kind::Integer, Kind::Choice, Kind::State, Kind::Status],
                    "i64" => &[Kind::BigInt],
                    "f64" => &[Kind::Double],
                    "bool" => &[Kind::Boolean],
                    "Decimal" => &[Kind::Decimal, Kind::Money],
                    "NaiveDate" => &[Kind::Date],
                    "Uuid" => &[Kind::Guid],
                    _ => return None,
                }),
                _ => return None,
            }
        }
        Meaning::Choice(choice) if last.arguments.is_none() => Held { choice: Some(choice), ..Held::of_kinds(CHOICES) },
        _ => return None,
    };
    held.targets.dedup();
    Some(held)
}

/// The type's only argument.
fn argument(path: &Path) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &path.segments.last()?.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(ty) if arguments.args.len() == 1 => Some(ungrouped(ty)),
        _ => None,
    }
}

/// The logical name of a model.
fn logical<'t>(model: &Type, owner: &str, file: &str, scope: &Scope<'t>) -> Option<&'t str> {
    let Type::Path(path) = ungrouped(model) else { return None };
    let meaning = if path.path.is_ident("Self") { scope.own(owner, file) } else { scope.meaning(&path.path, file) };
    match meaning? {
        Meaning::Model(model) => Some(&model.mapping.contract.logical),
        _ => None,
    }
}
