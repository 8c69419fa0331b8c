//! Everything that derived code refers to, and nothing else. Not for use by hand: after a change that is incompatible
//! with the derives of another version, this module gets another name.

pub use datahub_model::filter::{CalendarPart, Matching};
pub use datahub_model::{
    Attribute, Class, Column, Comparison, Constant, EngineAttribute, Entity, Filter, Literal, MappingId, MaybeStatic,
    Mode, ModelDescriptor, Source, Write,
};
pub use diesel;
pub use diesel::internal::derives::as_expression::Bound;
pub use std::option::Option;
pub use std::result::Result;

mod asked;
mod checks;
mod diagnostics;
mod text;

use cdms_odata::Attributes;

pub use asked::{Asked, asked};
pub(crate) use checks::same;
pub use checks::{GroupKey, group_matches, models_do_not_clash};

pub use crate::diesel::bind_value::{BindValue, bind_values};
pub use crate::diesel::stored_value::StoredValue;
pub use crate::field::{Field, Group, Key, KeyOf, field, group, key};
pub use crate::query::{Field as Handle, GroupAt, Handles, HandlesOf, NoGroup, Probe};
pub use crate::sql_types::Database;
pub use crate::sql_types::operand::Operand;
pub use crate::{
    __diesel_changeset, __diesel_choice, __diesel_columns, __diesel_identifiable, __diesel_insertable,
    __diesel_reading, __group_handles,
};
pub use crate::{
    CdmsFields, CdmsSynced, ChoiceOptions, Fault, FieldType, GroupReader, GroupWriter, Id, Kind, Member, Model,
    RowReader, RowWriter, Value, Writable, sql_types,
};

/// The model of a row's values.
pub fn model_of<T: CdmsSynced>(values: &[Value]) -> Result<T, Fault> {
    crate::model::model_of(values)
}

/// The parameter of a `with` module's functions: the attributes.
#[diagnostic::on_unimplemented(
    message = "a function of this `with` module must take `&Attributes`, found `{Self}`",
    label = "one of its functions has another signature",
    note = "write them as `pub fn decode(attributes: &Attributes) -> Result<T, Fault>` and \
            `pub fn encode(value: &T, seen: &Attributes) -> Result<Attributes, Fault>`, where T is the field's type"
)]
pub trait TakesAttributes<'a> {
    /// The attributes as the function takes them.
    fn of(attributes: &'a Attributes) -> Self;
}

impl<'a> TakesAttributes<'a> for &'a Attributes {
    fn of(attributes: &'a Attributes) -> Self {
        attributes
    }
}

/// The first parameter of `encode` in a `with` module: the field's value.
#[diagnostic::on_unimplemented(
    message = "`encode` of this `with` module must take `&{T}`, the field's value, found `{Self}`",
    label = "its `encode` has another signature",
    note = "write it as `pub fn encode(value: &{T}, seen: &Attributes) -> Result<Attributes, Fault>`"
)]
pub trait TakesValue<'a, T> {
    /// The value as the function takes it.
    fn of(value: &'a T) -> Self;
}

impl<'a, T> TakesValue<'a, T> for &'a T {
    fn of(value: &'a T) -> Self {
        value
    }
}

/// The return value of a `with` module's functions: the expected value, or a fault.
#[diagnostic::on_unimplemented(
    message = "a function of this `with` module must return `Result<{T}, Fault>`, found `{Self}`",
    label = "one of its functions has another signature",
    note = "`decode` returns the field's value, `Result<T, Fault>`, and `encode` returns `Result<Attributes, Fault>`; a function that \
            cannot fail ends in `Ok(…)`"
)]
pub trait Gives<T> {
    /// Returns the expected value.
    fn given(self) -> Result<T, Fault>;
}

impl<T> Gives<T> for Result<T, Fault> {
    fn given(self) -> Result<T, Fault> {
        self
    }
}

/// The column's value of the attributes that a `with` module joins.
pub fn joined<'a, T, A: TakesAttributes<'a>, R: Gives<T>>(
    ty: &Field<T>,
    decode: fn(A) -> R,
    attributes: &'a Attributes,
) -> Result<Value, Fault> {
    decode(A::of(attributes)).given().map(|value| ty.value(value))
}

/// The attributes that a `with` module makes of a field's value.
pub fn parted<'a, T, V: TakesValue<'a, T>, A: TakesAttributes<'a>, R: Gives<Attributes>>(
    value: &'a T,
    encode: fn(V, A) -> R,
    seen: &'a Attributes,
) -> Result<Attributes, Fault> {
    encode(V::of(value), A::of(seen)).given()
}

/// The descriptor of a model that was not derived because it has faults.
pub const fn faulty(name: &'static str, table: &'static str) -> ModelDescriptor {
    ModelDescriptor { name, table, ..FAULTY }
}

const FAULTY: ModelDescriptor = ModelDescriptor {
    name: "",
    table: "",
    mode: Mode::Sync,
    entity: Entity { name: "", set: "", key: "", logical: "", modified: "", created: "", modified_by: "" },
    attributes: &[],
    captured: &[],
    columns: &[],
    constants: &[],
    only: None,
    mapping_id: MappingId(0),
    epoch: 0,
};

/// The registry of models that `models!` has checked against each other.
pub fn registry(
    descriptors: &'static [&'static ModelDescriptor],
    through: &[crate::models::ThroughModel],
) -> crate::Models {
    crate::Models::of(descriptors, through)
}

/// The value that replaces null from CDMS, made when it is first needed.
pub type Default = std::sync::LazyLock<Value>;

/// The kinds of attribute that a choice enum can hold.
pub const CHOICE_KINDS: &[Kind] = &[Kind::Choice, Kind::State, Kind::Status];

/// The SQL type of a column.
pub type SqlTypeOf<C> = <C as diesel::Expression>::SqlType;

/// Binds the number of a choice's option.
pub fn bind_choice<T: FieldType, DB: Database>(
    choice: &T,
    out: &mut diesel::serialize::Output<'_, '_, DB>,
) -> diesel::serialize::Result {
    match choice.to_value() {
        Value::Choice(number) => DB::integer(number, out),
        // A choice with faults, which was not derived.
        other => Err(format!("{other:?} is not an option of a choice").into()),
    }
}

/// The fault of a number without a variant.
pub fn no_such_option(attribute: &'static str, number: i32) -> Fault {
    Fault::new("has an option that is unknown to the contract; add it there and to the enum")
        .at(attribute)
        .value(&Value::Choice(number))
}
