//! The rules about one field.

use cdms_odata::{Kind, Value};

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::annotation::{DefaultValue, EngineField, FieldAnnotation, Placed};
use crate::source::contract::ContractAttribute;
use crate::source::nearest::meant_among;
use crate::source::writable::{Writable, writable};
use crate::{Class, EngineAttribute, Mode};

// A field has one source; keys that do not belong to it would be ignored silently. Returns whether the source is known.
pub(in crate::source) fn field_keys<P: Clone>(field: &FieldAnnotation<P>, diagnostics: &mut Diagnostics<P>) -> bool {
    let sources: Vec<(&str, P)> = [
        field.key.clone().map(|place| ("`key`", place)),
        field.engine.as_ref().map(|engine| (engine_key(engine.value), engine.place.clone())),
        field.flatten.as_ref().map(|flatten| ("`flatten`", flatten.place.clone())),
        field.local.clone().map(|place| ("`local`", place)),
        field.attributes.as_ref().map(|attributes| ("`attributes`", attributes.place.clone())),
        field.attribute.as_ref().map(|attribute| ("an attribute", attribute.place.clone())),
    ]
    .into_iter()
    .flatten()
    .collect();
    for (what, place) in sources.iter().skip(1) {
        let message = format!("`{}` cannot have both {} and {what}", field.name.value, sources[0].0);
        diagnostics.push(Diagnostic::of(Code::KeysExclude, place.clone(), message).cure("remove one of the two"));
    }
    let mapped = field.attribute.is_some() || field.attributes.is_some();
    let allowed = |used: bool, place: Option<P>, key: &str, needs: &str, diagnostics: &mut Diagnostics<P>| {
        if let (false, Some(place)) = (used, place) {
            let message = format!("`{key}` is only allowed {needs}");
            diagnostics.push(Diagnostic::of(Code::KeysExclude, place, message).cure(format!("remove `{key}`")));
        }
    };
    let place = |placed: &Option<Placed<String, P>>| placed.as_ref().map(|placed| placed.place.clone());
    allowed(mapped, place(&field.with), "with", "on fields with an attribute", diagnostics);
    let default = field.default.as_ref().map(|default| default.place.clone());
    allowed(
        (field.attribute.is_some() && field.with.is_none()) || field.local.is_some(),
        default,
        "default",
        "on local fields and fields with one attribute",
        diagnostics,
    );
    allowed(
        mapped || field.flatten.is_some(),
        field.read_only.clone(),
        "read_only",
        "on fields from CDMS",
        diagnostics,
    );
    allowed(mapped, field.create_only.clone(), "create_only", "on fields with an attribute", diagnostics);
    allowed(field.flatten.is_some(), place(&field.prefix), "prefix", "with `flatten`", diagnostics);
    allowed(field.flatten.is_none(), place(&field.column), "column", "on fields with one column", diagnostics);
    allowed(
        field.local.is_some(),
        place(&field.class),
        "class",
        "on local fields; the contract has the class of an attribute",
        diagnostics,
    );
    allowed(field.flatten.is_none(), place(&field.was), "was", "on fields with one column", diagnostics);
    // The contract states the kind of a single attribute. A lookup may be stored as another kind; that is checked later.
    let typed = field.local.is_some() || field.with.is_some() || mapped;
    allowed(
        typed,
        place(&field.sql_type),
        "sql_type",
        "with `local` or `with`; the contract has the kind of an attribute",
        diagnostics,
    );
    if let Some(attributes) =
        field.attributes.as_ref().filter(|attributes| attributes.value.is_empty() && !field.is_faulty)
    {
        let message = format!("`attributes` of `{}` must not be empty", field.name.value);
        let help = "write `attributes(\"A\", \"B\")`";
        diagnostics.push(Diagnostic::of(Code::WrongValue, attributes.place.clone(), message).cure(help));
    }
    if let (Some(attributes), None, false) = (&field.attributes, &field.with, field.is_faulty) {
        let message = format!("`{}` has several attributes but is missing `with`", field.name.value);
        let help = "add `with = \"module\"`, a module with the functions `decode` and `encode`";
        diagnostics.push(Diagnostic::of(Code::MissingKey, attributes.place.clone(), message).cure(help));
    }
    if let (Some(_), Some(place)) = (&field.read_only, &field.create_only) {
        let message = "`create_only` and `read_only` are mutually exclusive";
        diagnostics.push(Diagnostic::of(Code::KeysExclude, place.clone(), message).cure("remove one of the two"));
    }
    sources.len() <= 1
}

const fn engine_key(engine: EngineField) -> &'static str {
    match engine {
        EngineField::Modified => "`modified`",
        EngineField::Created => "`created`",
        EngineField::ModifiedBy => "`modified_by`",
    }
}

// CDMS may have a null in any attribute (docs/protocol.md, 1.1), so each field must have a value for it.
pub(in crate::source) fn nullability<P: Clone>(
    field: &FieldAnnotation<P>,
    attribute: &ContractAttribute,
    diagnostics: &mut Diagnostics<P>,
) {
    if field.is_option || field.is_opaque || field.default.is_some() || attribute.required || field.is_faulty {
        return;
    }
    let message = format!("`{}` can be null in CDMS, but `{}` cannot", attribute.name, field.name.value);
    let help = "make the field an `Option`, add `default`, or state `required = true` in the contract";
    diagnostics.push(Diagnostic::of(Code::Nullability, field.type_place.clone(), message).cure(help));
}

// The default of an `Option` could not be distinguished from `None`, and the default of a required attribute would be left
// out of the create that needs it. A default that is too long could never be sent.
pub(in crate::source) fn default<P: Clone>(
    field: &FieldAnnotation<P>,
    attribute: Option<&ContractAttribute>,
    diagnostics: &mut Diagnostics<P>,
) {
    let Some(default) = &field.default else { return };
    if field.is_option {
        let message = "`default` is not allowed on an `Option`, which has `None` for null";
        let help = "remove `default`, or the `Option`";
        diagnostics.push(Diagnostic::of(Code::KeysExclude, default.place.clone(), message).cure(help));
    }
    let Some(attribute) = attribute else { return };
    if attribute.required {
        let message = format!("`default` is not allowed for `{}`, which is required and never null", attribute.name);
        let help = "remove `default`, or remove `required = true` from the contract if CDMS can have a null there";
        diagnostics.push(Diagnostic::of(Code::DefaultOfRequired, default.place.clone(), message).cure(help));
    }
    if let DefaultValue::Text(text) = &default.value
        && let Err(why) = Value::text(text).check_domain()
    {
        let message = format!("the default for `{}` {why}", attribute.name);
        let fault = Diagnostic::of(Code::WrongValue, default.place.clone(), message);
        diagnostics.push(fault.cure("remove the character"));
    }
    if let (DefaultValue::Text(text), Some(limit)) = (&default.value, attribute.max_length)
        && text.encode_utf16().count() > limit as usize
    {
        let message = format!("the default for `{}` is longer than its `max-length` of {limit}", attribute.name);
        let help = "shorten the default, or correct `max-length`";
        diagnostics.push(Diagnostic::of(Code::DefaultTooLong, default.place.clone(), message).cure(help));
    }
}

// A value that is not known to be public is not shown. For a field with an attribute, the contract states the class.
pub(in crate::source) fn class<P: Clone>(
    field: &FieldAnnotation<P>,
    diagnostics: &mut Diagnostics<P>,
) -> Option<Class> {
    let Placed { value: said, place } = field.class.as_ref()?;
    let class = Class::named(said);
    if class.is_none() {
        let message = format!("unknown class `{said}`");
        let help = meant_among(said, &Class::ALL.map(Class::name));
        diagnostics.push(Diagnostic::of(Code::WrongValue, place.clone(), message).cure(help));
    }
    class
}

// CDMS would reject or ignore a change of such a field, and the two sides would differ.
pub(in crate::source) fn read_only<'a, P: Clone>(
    field: &FieldAnnotation<P>,
    attributes: impl IntoIterator<Item = &'a ContractAttribute>,
    diagnostics: &mut Diagnostics<P>,
) {
    for attribute in attributes {
        if attribute.read_only && !field.is_faulty {
            let message =
                format!("`{}` is read-only in CDMS, but `{}` would be written", attribute.name, field.name.value);
            let help = "add `read_only` to the field";
            diagnostics.push(Diagnostic::of(Code::ReadOnly, field.name.place.clone(), message).cure(help));
        } else if writable(&attribute.name, attribute.kind) == Writable::AtCreate
            && field.create_only.is_none()
            && !field.is_faulty
        {
            let message = format!(
                "CDMS accepts `{}` only with a create, but `{}` would also be written by updates",
                attribute.name, field.name.value
            );
            let help = "add `create_only` to the field, or `read_only`";
            diagnostics.push(Diagnostic::of(Code::ReadOnly, field.name.place.clone(), message).cure(help));
        }
    }
}

// A new record of a detached model is not in CDMS, so it was not modified by one of CDMS's users.
pub(in crate::source) fn engine_of_detached<P: Clone>(
    field: &FieldAnnotation<P>,
    engine: EngineAttribute,
    mode: Option<Mode>,
    diagnostics: &mut Diagnostics<P>,
) {
    if mode == Some(Mode::Detached) && engine == EngineAttribute::ModifiedBy && !field.is_option {
        let message = format!("a record that is not in CDMS has no user for `{}`", field.name.value);
        let help = "make the field an `Option`; the record's history says who changed it";
        diagnostics.push(Diagnostic::of(Code::Nullability, field.type_place.clone(), message).cure(help));
    }
}

/// Whether a kind has a zero or an empty value, with which a local column can begin.
pub const fn has_zero(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::String | Kind::Integer | Kind::BigInt | Kind::Decimal | Kind::Double | Kind::Money | Kind::Boolean
    )
}

/// The Rust type that most fields of a kind have. A lookup whose model is not known is the id of its record.
pub const fn plain_type(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "String",
        Kind::Integer | Kind::Choice | Kind::State | Kind::Status => "i32",
        Kind::BigInt => "i64",
        Kind::Decimal | Kind::Money => "Decimal",
        Kind::Double => "f64",
        Kind::Boolean => "bool",
        Kind::DateTime => "DateTime<Utc>",
        Kind::Date => "NaiveDate",
        Kind::Guid | Kind::Lookup => "Uuid",
    }
}

// A record that was first seen in CDMS has no value for a local field, so there must be a zero, an empty value or a default.
pub(in crate::source) fn local<P: Clone>(field: &FieldAnnotation<P>, kind: Kind, diagnostics: &mut Diagnostics<P>) {
    if !field.is_option && field.default.is_none() && !has_zero(kind) && !field.is_faulty {
        let message =
            format!("`{}` of kind {kind} has no value when a record is first read from CDMS", field.name.value);
        let help = "make the field an `Option`, or state its first value with `default = …`";
        diagnostics.push(Diagnostic::of(Code::Nullability, field.type_place.clone(), message).cure(help));
    }
}
