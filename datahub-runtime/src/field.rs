//! Which Rust types can be fields, and how their values pass to and from a row.

mod of_type;

use std::borrow::Cow;

use cdms_odata::{Instant, Kind, Reference, Value};
use chrono::{DateTime, NaiveDate, Utc};
use datahub_model::{Column, Fault};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{Id, Model};

pub use of_type::{Field, Group, Holds, Key, KeyOf, Member, Slot, field, group, key};
pub(crate) use of_type::{Found, find};

/// A Rust type that a field can have.
///
/// Implement it for your own newtypes by delegating to the inner type. A field whose type cannot hold its attribute's
/// kind does not compile.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a synced model [wrong-type]",
    label = "no conversion to and from CDMS values",
    note = "use String, i32, i64, f64, bool, Decimal, DateTime<Utc>, NaiveDate, Uuid, Id<Model>, a #[derive(CdmsChoice)] enum, \
            or an `Option` of one; or implement `datahub_runtime::FieldType` for your type; a struct that derives CdmsFields needs `#[cdms(flatten)]`"
)]
pub trait FieldType: Sized + Send + Sync + 'static {
    /// The kinds of attribute that the type can hold.
    const KINDS: &'static [Kind];
    /// Whether the type has a value for null.
    const NULLABLE: bool = false;
    /// Whether the type accepts the initial value of a local column without a `default`: null for a text, zero,
    /// `false`.
    const TAKES_ZERO: bool = false;
    /// Whether the type accepts every value of its kinds (null too, if it has a value for it) and returns each one
    /// unchanged. Records can then be converted without making the Rust value to find out what the type keeps of it.
    /// Leave it `false` if values are refused, truncated or normalised; [`mapping_tests!`](crate::mapping_tests)
    /// detects a wrong `true`.
    const KEEPS_ALL: bool = false;
    /// For a reference: the logical names in CDMS of the models that it may point to. A type that holds texts and sets
    /// this is for lookups of several targets that are stored as text, such as [`OneOf`](crate::OneOf). A newtype
    /// passes it on with the other constants.
    const TARGETS: &'static [&'static str] = &[];
    /// For a choice: which options it accepts. [`CdmsChoice`](crate::CdmsChoice) sets it, so that an enum on an
    /// attribute with other options does not compile.
    const OPTIONS: ChoiceOptions = ChoiceOptions::ANY;

    /// Converts a column's value into a Rust value.
    ///
    /// # Errors
    ///
    /// A value of another form, or null if the type has no value for it.
    fn from_value(value: &Value) -> Result<Self, Fault>;

    /// Converts a Rust value into the column's value.
    fn to_value(&self) -> Value;
}

/// The options that the type of a choice accepts, see [`FieldType::OPTIONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChoiceOptions {
    /// The options with a name, and their numbers in CDMS.
    pub named: &'static [(&'static str, i32)],
    /// Whether it accepts all other options too.
    pub takes_rest: bool,
}

impl ChoiceOptions {
    /// All options.
    pub const ANY: Self = ChoiceOptions { named: &[], takes_rest: true };
}

impl<T: FieldType> FieldType for Option<T> {
    const KINDS: &'static [Kind] = T::KINDS;
    const NULLABLE: bool = true;
    const KEEPS_ALL: bool = T::KEEPS_ALL;
    const TARGETS: &'static [&'static str] = T::TARGETS;
    const OPTIONS: ChoiceOptions = T::OPTIONS;

    fn from_value(value: &Value) -> Result<Self, Fault> {
        if value.is_null() { Ok(None) } else { T::from_value(value).map(Some) }
    }

    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_value)
    }
}

impl FieldType for String {
    const KINDS: &'static [Kind] = &[Kind::String];
    const TAKES_ZERO: bool = true;
    const KEEPS_ALL: bool = true;

    fn from_value(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::Text(text) => Ok(text.clone()),
            // CDMS and the hub have no empty text, only null; only a `default` can bring it here.
            Value::Null => Ok(String::new()),
            other => Err(unfit("text", other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::text(self.as_str())
    }
}

macro_rules! scalar {
    ($type:ty, $expected:literal, [$($kind:ident),*], $pattern:pat => $value:expr, $this:ident => $to:expr) => {
        impl FieldType for $type {
            const KINDS: &'static [Kind] = &[$(Kind::$kind),*];
            // The derive refuses a local field of a kind without a zero.
            const TAKES_ZERO: bool = true;
            const KEEPS_ALL: bool = true;

            fn from_value(value: &Value) -> Result<Self, Fault> {
                match value {
                    $pattern => Ok($value),
                    other => Err(unfit($expected, other)),
                }
            }

            fn to_value(&self) -> Value {
                let $this = self;
                $to
            }
        }
    };
}

scalar!(i32, "an integer", [Integer, Choice, State, Status], Value::Integer(number) | Value::Choice(number) => *number, number => Value::Integer(*number));
scalar!(i64, "a 64-bit integer", [BigInt], Value::BigInt(number) => *number, number => Value::BigInt(*number));
scalar!(f64, "a double", [Double], Value::Double(number) => *number, number => Value::Double(*number));
scalar!(bool, "true or false", [Boolean], Value::Boolean(value) => *value, value => Value::Boolean(*value));
scalar!(Decimal, "a decimal", [Decimal, Money], Value::Decimal(number) | Value::Money(number) => *number, number => Value::Decimal(*number));
scalar!(NaiveDate, "a date", [Date], Value::Date(date) => *date, date => Value::Date(*date));
scalar!(Uuid, "a GUID", [Guid], Value::Guid(id) => *id, id => Value::Guid(*id));

impl FieldType for DateTime<Utc> {
    // Times outside chrono's calendar are refused, so the type does not keep all values.
    const KINDS: &'static [Kind] = &[Kind::DateTime];

    fn from_value(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::Instant(instant) => instant.to_utc().ok_or_else(|| Fault::new("is outside the calendar")),
            other => Err(unfit("an instant", other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Instant(Instant::from(*self))
    }
}

impl<T: Model> FieldType for Id<T> {
    const KINDS: &'static [Kind] = &[Kind::Lookup];
    // The conversion has already turned a reference to another model into null.
    const KEEPS_ALL: bool = true;
    // The name of a model with faults may be unknown; an empty name has no consequences.
    const TARGETS: &'static [&'static str] = &[T::LOGICAL];

    fn from_value(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::Lookup(reference) => Ok(reference.id.into()),
            Value::Guid(id) => Ok((*id).into()),
            other => Err(unfit("a reference", other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Lookup(Reference { logical_name: T::LOGICAL.into(), id: self.guid() })
    }
}

fn unfit(expected: &str, found: &Value) -> Fault {
    match found {
        Value::Null => Fault::new(format!("expected {expected}, found null; make the field an Option")),
        other => Fault::new(format!("expected {expected}, found a {}", other.form())),
    }
}

/// A row as the derived code reads it: one call per field.
#[derive(Clone, Copy, Debug)]
pub struct RowReader<'r> {
    columns: &'static [Column],
    values: &'r [Value],
}

impl<'r> RowReader<'r> {
    /// A reader over one value per column.
    pub fn new(columns: &'static [Column], values: &'r [Value]) -> Self {
        debug_assert_eq!(columns.len(), values.len(), "a row has one value per column");
        RowReader { columns, values }
    }

    /// The value of one column.
    ///
    /// # Errors
    ///
    /// The stored value does not fit the field's type.
    pub fn field<T: FieldType>(&self, column: usize) -> Result<T, Fault> {
        self.read(column, &of_type::field())
    }

    /// The value of one column, as a field's type.
    ///
    /// # Errors
    ///
    /// The stored value does not fit the field's type.
    pub fn read<T>(&self, column: usize, ty: &Field<T>) -> Result<T, Fault> {
        let description = &self.columns[column];
        ty.of(&self.value(column)).map_err(|fault| fault.at(description.field))
    }

    fn value(&self, column: usize) -> Cow<'_, Value> {
        crate::diesel::stored_value::of_column(&self.columns[column], &self.values[column])
    }

    /// The record's id.
    ///
    /// # Errors
    ///
    /// The stored value is not a GUID.
    pub fn key<M, T>(&self, column: usize, ty: &Key<M, T>) -> Result<T, Fault> {
        let id = Uuid::from_value(&self.value(column)).map_err(|fault| fault.at(self.columns[column].field))?;
        Ok((ty.of)(Id::from(id)))
    }

    /// A group of columns as one value; `members` names the group's keys in the order of its columns.
    ///
    /// # Errors
    ///
    /// A member's value does not fit its type.
    pub fn group<G>(&self, first: usize, members: &'static [&'static str], ty: &Group<G>) -> Result<G, Fault> {
        (ty.read)(&GroupReader { row: *self, first, members, within: None })
    }
}

/// A row as the derived code writes it: one call per field.
#[derive(Debug)]
pub struct RowWriter<'r> {
    columns: &'static [Column],
    values: &'r mut [Value],
    fault: Option<Fault>,
}

impl<'r> RowWriter<'r> {
    /// A writer over one value per column.
    pub fn new(columns: &'static [Column], values: &'r mut [Value]) -> Self {
        debug_assert_eq!(columns.len(), values.len(), "a row has one value per column");
        RowWriter { columns, values, fault: None }
    }

    /// Sets one column.
    pub fn write<T>(&mut self, column: usize, ty: &Field<T>, value: &T) {
        self.set(column, (ty.write)(value));
    }

    /// Sets the record's id.
    pub fn key<M, T>(&mut self, column: usize, ty: &Key<M, T>, key: &T) {
        self.set(column, Value::Guid(ty.id(key).guid()));
    }

    /// Sets a group of columns from one value.
    pub fn group<G>(&mut self, first: usize, members: &'static [&'static str], ty: &Group<G>, group: &G) {
        (ty.write)(group, &mut GroupWriter { row: self, first, members, within: None });
    }

    /// Finishes writing.
    ///
    /// # Errors
    ///
    /// The first value that did not fit its column.
    pub fn finish(self) -> Result<(), Fault> {
        self.fault.map_or(Ok(()), Err)
    }

    fn set(&mut self, column: usize, value: Value) {
        let description = &self.columns[column];
        match datahub_model::conversion::fit_column(description, value) {
            Ok(value) => self.values[column] = value,
            Err(fault) => {
                self.fault.get_or_insert(fault.at(description.field));
            }
        }
    }
}

/// A struct of fields that models embed with `flatten`; derived by `#[derive(CdmsFields)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be flattened into a synced model [group-shape]",
    label = "not a group of CDMS fields",
    note = "add #[derive(CdmsFields)] to it; a group itself cannot be an Option, but its members can"
)]
pub trait CdmsFields: Clone + Send + Sync + 'static {
    /// The members, which must be the keys of the contract's group.
    const MEMBERS: &'static [Member];
    /// The handles of the members as fields of the model `M`.
    type Fields<M>;
    /// Whether this is a placeholder for a group with faults, so that nothing is checked against it.
    #[doc(hidden)]
    const IS_STUB: bool = false;

    /// The value of a group of columns.
    ///
    /// # Errors
    ///
    /// A member's value does not fit its type.
    fn from_group(group: &GroupReader<'_>) -> Result<Self, Fault>;

    /// Sets the group's columns.
    fn to_group(&self, group: &mut GroupWriter<'_>);
}

/// A group's columns as derived code reads them.
#[derive(Clone, Copy, Debug)]
pub struct GroupReader<'r> {
    row: RowReader<'r>,
    first: usize,
    members: &'static [&'static str],
    within: Option<&'r Within<'r>>,
}

/// The key of a group within a group, and those of the groups around it.
#[derive(Clone, Copy, Debug)]
struct Within<'w> {
    around: Option<&'w Within<'w>>,
    key: &'w str,
}

impl GroupReader<'_> {
    /// The value of one member, or its default if the value is null.
    ///
    /// # Errors
    ///
    /// The stored value does not fit the member's type.
    pub fn member<T>(&self, name: &str, ty: &Field<T>, members: &[Member]) -> Result<T, Fault> {
        let column = self.first + position(self.members, self.within, name);
        // A row has the default in place of CDMS's null; a row that was stored before the default was added has null.
        let default = || members.iter().find(|member| member.name == name).and_then(Member::default);
        match self.row.value(column).is_null().then(default).flatten() {
            Some(default) => ty.of(&default).map_err(|fault| fault.at(self.row.columns[column].field)),
            None => self.row.read(column, ty),
        }
    }

    /// The value of a group within this one.
    ///
    /// # Errors
    ///
    /// A member's value does not fit its type.
    pub fn group<G>(&self, key: &str, ty: &Group<G>) -> Result<G, Fault> {
        let within = Within { around: self.within, key };
        (ty.read)(&GroupReader { within: Some(&within), ..*self })
    }
}

/// A group's columns as derived code writes them.
#[derive(Debug)]
pub struct GroupWriter<'w> {
    row: &'w mut dyn GroupTarget,
    first: usize,
    members: &'static [&'static str],
    within: Option<&'w Within<'w>>,
}

impl GroupWriter<'_> {
    /// Sets one member.
    pub fn member<T>(&mut self, name: &str, ty: &Field<T>, value: &T) {
        self.row.put(self.first + position(self.members, self.within, name), (ty.write)(value));
    }

    /// Sets the columns of a group within this one.
    pub fn group<G>(&mut self, key: &str, ty: &Group<G>, group: &G) {
        let within = Within { around: self.within, key };
        let GroupWriter { first, members, .. } = *self;
        (ty.write)(group, &mut GroupWriter { row: &mut *self.row, first, members, within: Some(&within) });
    }
}

/// The target of a group's values; keeps the row's lifetime out of the derived signatures.
trait GroupTarget: std::fmt::Debug {
    fn put(&mut self, column: usize, value: Value);
}

impl GroupTarget for RowWriter<'_> {
    fn put(&mut self, column: usize, value: Value) {
        self.set(column, value);
    }
}

fn position(members: &[&str], within: Option<&Within<'_>>, name: &str) -> usize {
    let position = members.iter().position(|path| is_path(path, within, name));
    // The derive's const assertion compared the two lists, so a missing name is a bug in the derive.
    position.unwrap_or_else(|| panic!("unknown group member {name}"))
}

/// Whether a path of keys is this key within the groups around it.
fn is_path(path: &str, within: Option<&Within<'_>>, key: &str) -> bool {
    match (path.strip_suffix(key), within) {
        (None, _) => false,
        (Some(rest), None) => rest.is_empty(),
        (Some(rest), Some(within)) => {
            rest.strip_suffix('.').is_some_and(|rest| is_path(rest, within.around, within.key))
        }
    }
}
