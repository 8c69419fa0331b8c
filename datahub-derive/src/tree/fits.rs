//! Whether the types of fields fit their attributes, as far as the source shows: what the compiler finds when it evaluates the
//! checks of an expansion, in the same order and the same words. The runtime's `__v1/asked.rs` has these checks for the
//! compiler.

use cdms_odata::Kind;
use datahub_model::diagnostic::{Code, Cure, Diagnostic};
use datahub_model::source::{Contract, ResolvedColumn, ResolvedSource, Shape, has_zero, plain_type};

use super::groups;
use super::scope::Scope;
use super::types::Held;
use super::{Fault, Spot, Tree, TreeField, TreeModel};
use crate::field_type::is_opaque;

/// A fault of a type, which has its place where the type is written.
pub(super) type Unfit = Diagnostic<()>;

impl Tree {
    /// The faults of the types of fields and groups that the source shows. The compiler reports them too, and more: what is
    /// behind an alias or a type of the user's own only it knows.
    pub fn type_faults(&self) -> Vec<Fault> {
        let scope = Scope::of(self);
        let of_model = |model: &TreeModel| {
            let fields = model.fields.iter().zip(&model.mapping.fields);
            let faults = fields.filter_map(|(field, resolved)| {
                let unfit = match &resolved.shape {
                    Shape::Key(_) => Ok(()),
                    Shape::Column(at) => column(field, &model.mapping.columns[*at], model, &scope),
                    Shape::Group { first, members } => {
                        groups::matches(field, members, &model.mapping.columns[*first..], model, &scope)
                    }
                };
                Some(self.fault_of_type(field, unfit.err()?))
            });
            faults.collect::<Vec<_>>()
        };
        self.models.iter().flat_map(of_model).collect()
    }

    /// A fault on the type of a field.
    fn fault_of_type(&self, field: &TreeField, unfit: Unfit) -> Fault {
        let end = field.written.range.end;
        let range = end - field.ty.len()..end;
        let spot = Spot::at(&self.files[&field.written.file], range.start);
        Fault { file: field.written.file.clone(), range, diagnostic: unfit.seen_at(|()| spot) }
    }
}

/// Checks the type of a column's field.
fn column(field: &TreeField, column: &ResolvedColumn, model: &TreeModel, scope: &Scope<'_>) -> Result<(), Unfit> {
    let contract = &model.mapping.contract;
    let Some(held) = Held::by(&field.ty, model.name(), &field.written.file, scope) else { return Ok(()) };
    let (name, attribute) = (field.written.name.as_str(), attribute_of(column));
    let about = if attribute.is_empty() {
        format!("`{name}` is of kind {}, but its type", column.kind)
    } else {
        format!("`{attribute}` is of kind {}, but the type of `{name}`", column.kind)
    };
    let other = || other_kind(&held, about, column.kind, column.nullable);
    let is_of_attribute = matches!(column.source, ResolvedSource::Attribute { .. });
    if is_of_attribute && column.kind == Kind::String && column.targets(contract).is_some() {
        names_its_models(&held, column, name)?;
    } else if matches!(column.source, ResolvedSource::Local | ResolvedSource::Joined { .. }) {
        if !held.kinds.contains(&column.kind) {
            return Err(or(other(), ", or correct `sql_type`"));
        }
    } else if !held.fits(column.kind) {
        let is_said = attribute.is_empty() || (column.kind == Kind::Lookup && held.holds_which());
        return Err(or(other(), if is_said { "" } else { ", or convert with `with = \"module\"`" }));
    }
    takes_null(&held, column, name)?;
    null(&held, field, column, contract)?;
    if let Some(targets) = column.targets(contract) {
        points_to(&held, name, attribute, targets)?;
    }
    if let Some(options) = options(contract, column) {
        takes_options(&held, name, attribute, options)?;
    }
    Ok(())
}

/// The attribute of a column; empty if it has none.
pub(super) fn attribute_of(column: &ResolvedColumn) -> &str {
    match &column.source {
        ResolvedSource::Attribute { attribute, .. } => attribute,
        _ => "",
    }
}

/// The options of a choice that a column holds as such.
pub(super) fn options<'c>(contract: &'c Contract, column: &ResolvedColumn) -> Option<&'c [(String, i32)]> {
    let is_choice = matches!(column.kind, Kind::Choice | Kind::State | Kind::Status);
    contract.attribute(attribute_of(column)).filter(|_| is_choice).map(|stated| stated.choices.as_slice())
}

pub(super) fn unfit(code: Code, message: impl Into<String>, cure: impl Into<Cure>) -> Unfit {
    Diagnostic::of(code, (), message).cure(cure)
}

/// The fault with more text in its cure.
pub(super) fn or(mut fault: Unfit, more: &str) -> Unfit {
    fault.cure.text.push_str(more);
    fault
}

/// The fault of a kind that does not fit, after the words that name what has this kind.
pub(super) fn other_kind(held: &Held<'_>, about: String, kind: Kind, nullable: bool) -> Unfit {
    let message = if held.holds_which() {
        format!("{about} holds references to several models, which are stored as text")
    } else {
        let names: Vec<_> = held.kinds.iter().map(|kind| kind.name()).collect();
        let list = match names.as_slice() {
            [] | [_] => names.concat(),
            [first @ .., last] => format!("{} or {last}", first.join(", ")),
        };
        format!("{about} holds {list}")
    };
    if kind == Kind::Lookup && held.holds_which() {
        return unfit(Code::WrongType, message, "add `sql_type = \"string\"` to the field");
    }
    let ty = if kind == Kind::Lookup { "Id<…>" } else { plain_type(kind) };
    let ty = if nullable { format!("Option<{ty}>") } else { ty.to_owned() };
    let is_choice = matches!(kind, Kind::Choice | Kind::State | Kind::Status);
    let or_enum = if is_choice { " or as an enum with #[derive(CdmsChoice)]" } else { "" };
    unfit(Code::WrongType, message, format!("write its type as `{ty}`{or_enum}"))
}

fn names_its_models(held: &Held<'_>, column: &ResolvedColumn, name: &str) -> Result<(), Unfit> {
    if held.holds_which() {
        return Ok(());
    }
    let attribute = attribute_of(column);
    let message = format!(
        "`{attribute}` is a lookup stored as text, but the type of `{name}` does not name the models that it may point to"
    );
    let cure = if column.nullable { "`Option<OneOf<(…)>>`" } else { "`OneOf<(…)>`" };
    let cure = format!(
        "write its type as {cure} of those models, or remove `sql_type`; a type of your own names them in \
         `FieldType::TARGETS`"
    );
    Err(unfit(Code::WrongType, message, cure))
}

/// Checks for a value for null, if the column may be null.
fn takes_null(held: &Held<'_>, column: &ResolvedColumn, name: &str) -> Result<(), Unfit> {
    if held.has_null || !column.nullable {
        return Ok(());
    }
    let message = match attribute_of(column) {
        "" => format!("`{name}` is written as an `Option`, but its type has no value for null"),
        attribute => format!("`{attribute}` can be null in CDMS, but `{name}` cannot"),
    };
    let cure = "make the field an `Option`, add `default`, or state `required = true` in the contract";
    Err(unfit(Code::Nullability, message, cure))
}

/// Checks for no value for null, if the text of the type does not show it to the derive.
fn null(held: &Held<'_>, field: &TreeField, column: &ResolvedColumn, contract: &Contract) -> Result<(), Unfit> {
    let is_opaque = syn::parse_str(&field.ty).is_ok_and(|ty| is_opaque(&ty));
    let is_attribute = matches!(column.source, ResolvedSource::Attribute { .. });
    if column.nullable || !is_opaque || (is_attribute && column.default.is_none()) {
        return Ok(());
    }
    let name = &field.written.name;
    if column.default.is_some() {
        let message = format!("`default` is not allowed for `{name}`, whose type has a value for null");
        let fault = unfit(Code::KeysExclude, message, "remove `default`, or use a type without a value for null");
        return if held.has_null { Err(fault) } else { Ok(()) };
    }
    // A type of the tree's own that is a choice takes no zero; for its kind the validator has already reported that.
    if held.has_null && (column.source != ResolvedSource::Local || !contract.is_of_cdms() || has_zero(column.kind)) {
        let message = format!("the type of `{name}` has a value for null, but its column is not nullable");
        let cure = "write the type as `Option<…>`; without a contract, only that makes the column nullable";
        return Err(unfit(Code::Nullability, message, cure));
    }
    Ok(())
}

/// Checks that a reference may point to what the contract allows, and to all of it if it is never null.
pub(super) fn points_to(held: &Held<'_>, name: &str, attribute: &str, targets: &[String]) -> Result<(), Unfit> {
    if let Some(target) = held.targets.iter().find(|target| !targets.iter().any(|allowed| allowed == *target)) {
        let list: Vec<_> = targets.iter().map(|target| format!("`{target}`")).collect();
        let message = format!("`{attribute}` points to {}, but `{name}` is an id of `{target}`", list.join(" or "));
        return Err(unfit(Code::LookupTarget, message, "change the type of the field, or the contract's `target`"));
    }
    let missing = targets.iter().find(|target| !held.targets.contains(&target.as_str()));
    match missing.filter(|_| !held.has_null && !held.targets.is_empty()) {
        None => Ok(()),
        Some(target) => {
            let message = format!("`{attribute}` may also point to `{target}`, which `{name}` cannot hold");
            let cure = "make it an `Option`, which is `None` then and leaves the reference unchanged; or hold every target \
                        with `OneOf<(…)>` and `sql_type = \"string\"`; or state one `target` in the contract";
            Err(unfit(Code::LookupTarget, message, cure))
        }
    }
}

/// Checks that the enum of a choice has this attribute's options.
pub(super) fn takes_options(
    held: &Held<'_>,
    name: &str,
    attribute: &str,
    choices: &[(String, i32)],
) -> Result<(), Unfit> {
    let Some(choice) = held.choice else { return Ok(()) };
    let named: Vec<_> = choice.variants.iter().map(|(_, name, number)| (name, *number)).collect();
    let about = format!("the type of `{name}`");
    if choices.is_empty() && !named.is_empty() {
        let message = format!("{about} has options, but the contract states none for `{attribute}`");
        let cure = "state the attribute's `choices` in the contract, so that the two can be compared";
        return Err(unfit(Code::UnknownChoice, message, cure));
    }
    let cure = "use the enum of this attribute, or correct `choices` in the contract";
    let has = |option: &(&String, i32)| choices.iter().any(|(name, number)| (name, *number) == *option);
    if let Some((option, _)) = named.iter().find(|option| !has(option)) {
        let message =
            format!("{about} has the option `{option}`, which `{attribute}` does not have, or has with another number");
        return Err(unfit(Code::UnknownChoice, message, cure));
    }
    let missing = choices.iter().find(|(name, number)| !named.contains(&(name, *number)));
    match missing.filter(|_| choice.rest.is_none()) {
        None => Ok(()),
        Some((option, _)) => {
            let message = format!("{about} is missing the option `{option}` of `{attribute}`");
            Err(unfit(Code::UnknownChoice, message, cure))
        }
    }
}
