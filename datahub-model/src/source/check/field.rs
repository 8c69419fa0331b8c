//! The rules about one field.

use cdms_odata::{Kind, Value};

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::annotation::{DefaultValue, FieldAnnotation, Placed};
use crate::source::contract::ContractAttribute;
use crate::source::nearest::meant_among;
use crate::source::writable::{Writable, writable};
use crate::{Class, EngineAttribute, Mode};

// A field has one source; keys of another sort beside it would be silently without effect. Whether it is known which.
pub(in crate::source) fn field_keys<P: Clone>(field: &FieldAnnotation<P>, diagnostics: &mut Diagnostics<P>) -> bool {
    let sources: Vec<(&str, P)> = [
        field.key.clone().map(|place| ("key", place)),
        field.engine.as_ref().map(|engine| ("modified, created or modified_by", engine.place.clone())),
        field.flatten.as_ref().map(|flatten| ("flatten", flatten.place.clone())),
        field.local.clone().map(|place| ("local", place)),
        field.attributes.as_ref().map(|attributes| ("attributes", attributes.place.clone())),
        field.attribute.as_ref().map(|attribute| ("an attribute", attribute.place.clone())),
    ]
    .into_iter()
    .flatten()
    .collect();
    for (what, place) in sources.iter().skip(1) {
        let message = format!("`{}` has {} already, so it cannot have {what}", field.name.value, sources[0].0);
        diagnostics.push(Diagnostic::of(Code::KeysExclude, place.clone(), message).cure("keep one of the two"));
    }
    let mapped = field.attribute.is_some() || field.attributes.is_some();
    let allowed = |used: bool, place: Option<P>, key: &str, needs: &str, diagnostics: &mut Diagnostics<P>| {
        if let (false, Some(place)) = (used, place) {
            let message = format!("`{key}` is for {needs}");
            diagnostics.push(Diagnostic::of(Code::KeysExclude, place, message).cure(format!("remove `{key}`")));
        }
    };
    let place = |placed: &Option<Placed<String, P>>| placed.as_ref().map(|placed| placed.place.clone());
    allowed(mapped, place(&field.with), "with", "fields with an attribute", diagnostics);
    let default = field.default.as_ref().map(|default| default.place.clone());
    allowed(
        (field.attribute.is_some() && field.with.is_none()) || field.local.is_some(),
        default,
        "default",
        "fields with one attribute, and for local ones",
        diagnostics,
    );
    allowed(mapped || field.flatten.is_some(), field.read_only.clone(), "read_only", "fields from CDMS", diagnostics);
    allowed(mapped, field.create_only.clone(), "create_only", "fields with an attribute", diagnostics);
    allowed(field.flatten.is_some(), place(&field.prefix), "prefix", "fields with `flatten`", diagnostics);
    allowed(field.flatten.is_none(), place(&field.column), "column", "fields with one column", diagnostics);
    allowed(
        field.local.is_some(),
        place(&field.class),
        "class",
        "local fields; of an attribute the contract states it",
        diagnostics,
    );
    allowed(field.flatten.is_none(), place(&field.was), "was", "fields with one column", diagnostics);
    // Of one attribute the contract states the kind; of a lookup it may be held otherwise, which is told where it is known.
    let typed = field.local.is_some() || field.with.is_some() || mapped;
    allowed(
        typed,
        place(&field.sql_type),
        "sql_type",
        "fields with `local` or `with`; the contract states the others",
        diagnostics,
    );
    if let Some(attributes) =
        field.attributes.as_ref().filter(|attributes| attributes.value.is_empty() && !field.is_faulty)
    {
        let message = format!("`{}` names no attributes", field.name.value);
        let help = "write `attributes(\"A\", \"B\")`";
        diagnostics.push(Diagnostic::of(Code::WrongValue, attributes.place.clone(), message).cure(help));
    }
    if let (Some(attributes), None, false) = (&field.attributes, &field.with, field.is_faulty) {
        let message = format!("`{}` has several attributes, but does not say how to join them", field.name.value);
        let help = "add `with = \"module\"`, which has `decode` and `encode`";
        diagnostics.push(Diagnostic::of(Code::MissingKey, attributes.place.clone(), message).cure(help));
    }
    if let (Some(_), Some(place)) = (&field.read_only, &field.create_only) {
        let message = "`create_only` and `read_only` exclude each other";
        diagnostics.push(Diagnostic::of(Code::KeysExclude, place.clone(), message).cure("keep one of the two"));
    }
    sources.len() <= 1
}

// CDMS may have a null in any attribute (docs/protocol.md, 1.1), so each field says what becomes of it.
pub(in crate::source) fn nullability<P: Clone>(
    field: &FieldAnnotation<P>,
    attribute: &ContractAttribute,
    diagnostics: &mut Diagnostics<P>,
) {
    if field.is_option || field.is_opaque || field.default.is_some() || attribute.required || field.is_faulty {
        return;
    }
    let message = format!("`{}` can be null in CDMS, but `{}` cannot", attribute.name, field.name.value);
    let help = "make the field an Option, add `default`, or state `required = true` in the contract";
    diagnostics.push(Diagnostic::of(Code::Nullability, field.type_place.clone(), message).cure(help));
}

// A default of an Option would never be told from none, and one of a required attribute would be left out of the create
// that needs it; one that is too long could never be sent.
pub(in crate::source) fn default<P: Clone>(
    field: &FieldAnnotation<P>,
    attribute: Option<&ContractAttribute>,
    diagnostics: &mut Diagnostics<P>,
) {
    let Some(default) = &field.default else { return };
    if field.is_option {
        let message = "an Option has `None` for a null already";
        let help = "remove `default`, or the Option";
        diagnostics.push(Diagnostic::of(Code::KeysExclude, default.place.clone(), message).cure(help));
    }
    let Some(attribute) = attribute else { return };
    if attribute.required {
        let message = format!("`{}` is required, so there is no null for a default to stand for", attribute.name);
        let help = "remove `default`, or the contract's `required = true` if CDMS can have a null there";
        diagnostics.push(Diagnostic::of(Code::DefaultOfRequired, default.place.clone(), message).cure(help));
    }
    if let DefaultValue::Text(text) = &default.value
        && let Err(why) = Value::text(text).check_domain()
    {
        let message = format!("the default {why}");
        let fault = Diagnostic::of(Code::WrongValue, default.place.clone(), message);
        diagnostics.push(fault.cure("remove the character"));
    }
    if let (DefaultValue::Text(text), Some(limit)) = (&default.value, attribute.max_length)
        && text.encode_utf16().count() > limit as usize
    {
        let message = format!("the default is longer than the {limit} characters of `{}`", attribute.name);
        diagnostics.push(Diagnostic::of(Code::DefaultTooLong, default.place.clone(), message).cure("shorten it"));
    }
}

// What is not known to be public is not shown. Of a field with an attribute the contract says it.
pub(in crate::source) fn class<P: Clone>(
    field: &FieldAnnotation<P>,
    diagnostics: &mut Diagnostics<P>,
) -> Option<Class> {
    let Placed { value: said, place } = field.class.as_ref()?;
    let class = Class::named(said);
    if class.is_none() {
        let message = format!("no class is called `{said}`");
        let help = meant_among(said, &Class::ALL.map(Class::name));
        diagnostics.push(Diagnostic::of(Code::WrongValue, place.clone(), message).cure(help));
    }
    class
}

// A change of such a field would be refused or ignored by CDMS, and the two sides would differ.
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
                "`{}` is kept by CDMS only where a create sets it, but `{}` would be written by updates too",
                attribute.name, field.name.value
            );
            let help = "add `create_only` to the field, or `read_only`";
            diagnostics.push(Diagnostic::of(Code::ReadOnly, field.name.place.clone(), message).cure(help));
        }
    }
}

// CDMS's users do not write what CDMS is not asked about, so a new record has none.
pub(in crate::source) fn engine_of_detached<P: Clone>(
    field: &FieldAnnotation<P>,
    engine: EngineAttribute,
    mode: Option<Mode>,
    diagnostics: &mut Diagnostics<P>,
) {
    if mode == Some(Mode::Detached) && engine == EngineAttribute::ModifiedBy && !field.is_option {
        let message = format!("a record that CDMS never saw has no user of CDMS for `{}`", field.name.value);
        let help = "make the field an Option; who changed the record is in its history";
        diagnostics.push(Diagnostic::of(Code::Nullability, field.type_place.clone(), message).cure(help));
    }
}

/// Whether a kind has a value for nothing, with which a local column can begin.
pub const fn has_zero(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::String | Kind::Integer | Kind::BigInt | Kind::Decimal | Kind::Double | Kind::Money | Kind::Boolean
    )
}

// A record first seen in CDMS gives its row no value for a local field, so there must be one for nothing.
pub(in crate::source) fn local<P: Clone>(field: &FieldAnnotation<P>, kind: Kind, diagnostics: &mut Diagnostics<P>) {
    if !field.is_option && field.default.is_none() && !has_zero(kind) && !field.is_faulty {
        let message = format!("a local {kind} has no value when a record is first read from CDMS");
        let help = "make the field an Option, or say what it holds then with `default = …`";
        diagnostics.push(Diagnostic::of(Code::Nullability, field.type_place.clone(), message).cure(help));
    }
}
