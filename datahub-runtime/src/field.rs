//! Which Rust types can be fields, and how their values pass to and from a row.

use cdms_odata::{Instant, Kind, Reference, Value};
use chrono::{DateTime, NaiveDate, Utc};
use datahub_model::{Column, Fault};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{Id, Model};

/// A Rust type that a field can have.
///
/// Implement it for your own newtypes by passing through to the type inside.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a synced model",
    label = "no conversion to and from CDMS values",
    note = "use String, i32, i64, f64, bool, Decimal, DateTime<Utc>, NaiveDate, Uuid, Id<Model>, a #[derive(CdmsChoice)] enum, \
            or an Option of one; or implement `datahub_runtime::FieldType` for your type"
)]
pub trait FieldType: Sized + Send + Sync + 'static {
    /// The kinds of attribute that the type can hold.
    const KINDS: &'static [Kind];
    /// Whether the type has a value for null.
    const NULLABLE: bool = false;
    /// For a reference to one model: that model's logical name in CDMS.
    const TARGET: Option<&'static str> = None;

    /// The Rust value of a column's value.
    ///
    /// # Errors
    ///
    /// A value of another form, or null where the type has no value for it.
    fn from_value(value: &Value) -> Result<Self, Fault>;

    /// The column's value of a Rust value.
    fn to_value(&self) -> Value;
}

/// States that a [`FieldType`] can hold attributes of the kind `K` (see [`kind`](crate::kind)).
///
/// The derive asks it of every mapped field, so that a mismatch is reported on the field's type.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot hold a CDMS attribute of kind {K}",
    label = "the contract says the attribute's kind is {K}",
    note = "change the field's type, or convert with `with = \"module\"`"
)]
pub trait Carries<K>: FieldType {}

impl<K, T: Carries<K>> Carries<K> for Option<T> {}

/// The kinds of attribute as types, for [`Carries`].
pub mod kind {
    macro_rules! kinds {
        ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
            $($(#[$doc])* #[derive(Clone, Copy, Debug)] pub enum $name {})*
        };
    }
    kinds! {
        /// `string`
        String,
        /// `integer`
        Integer,
        /// `bigint`
        BigInt,
        /// `decimal`
        Decimal,
        /// `double`
        Double,
        /// `money`
        Money,
        /// `boolean`
        Boolean,
        /// `datetime`
        DateTime,
        /// `date`
        Date,
        /// `guid`
        Guid,
        /// `choice`
        Choice,
        /// `state`
        State,
        /// `status`
        Status,
        /// `lookup`
        Lookup,
    }
}

impl<T: FieldType> FieldType for Option<T> {
    const KINDS: &'static [Kind] = T::KINDS;
    const NULLABLE: bool = true;
    const TARGET: Option<&'static str> = T::TARGET;

    fn from_value(value: &Value) -> Result<Self, Fault> {
        if value.is_null() { Ok(None) } else { T::from_value(value).map(Some) }
    }

    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_value)
    }
}

impl FieldType for String {
    const KINDS: &'static [Kind] = &[Kind::String];

    fn from_value(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::Text(text) => Ok(text.clone()),
            // CDMS and the hub know no empty text but null; only a `default` can bring it here.
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
        $(impl Carries<kind::$kind> for $type {})*
    };
}

impl Carries<kind::String> for String {}
scalar!(i32, "an integer", [Integer, Choice, State, Status], Value::Integer(number) | Value::Choice(number) => *number, number => Value::Integer(*number));
scalar!(i64, "a 64-bit integer", [BigInt], Value::BigInt(number) => *number, number => Value::BigInt(*number));
scalar!(f64, "a double", [Double], Value::Double(number) => *number, number => Value::Double(*number));
scalar!(bool, "true or false", [Boolean], Value::Boolean(value) => *value, value => Value::Boolean(*value));
scalar!(Decimal, "a decimal", [Decimal, Money], Value::Decimal(number) | Value::Money(number) => *number, number => Value::Decimal(*number));
scalar!(NaiveDate, "a date", [Date], Value::Date(date) => *date, date => Value::Date(*date));
scalar!(Uuid, "a GUID", [Guid], Value::Guid(id) => *id, id => Value::Guid(*id));

impl Carries<kind::DateTime> for DateTime<Utc> {}
impl FieldType for DateTime<Utc> {
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

impl<T: Model> Carries<kind::Lookup> for Id<T> {}
impl<T: Model> FieldType for Id<T> {
    const KINDS: &'static [Kind] = &[Kind::Lookup];
    const TARGET: Option<&'static str> = Some(T::LOGICAL);

    fn from_value(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::Lookup(reference) => Ok(reference.id.into()),
            Value::Guid(id) => Ok((*id).into()),
            other => Err(unfit("a reference", other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Lookup(Reference { logical_name: T::LOGICAL.to_owned(), id: self.guid() })
    }
}

fn unfit(expected: &str, found: &Value) -> Fault {
    match found {
        Value::Null => Fault::new(format!("is null where {expected} is needed; make the field an Option")),
        other => Fault::new(format!("holds a {} where {expected} is needed", other.form())),
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
        let description = &self.columns[column];
        let value = crate::stored::of_column(description, &self.values[column]);
        T::from_value(&value).map_err(|fault| fault.at(description.field))
    }

    /// The record's id.
    ///
    /// # Errors
    ///
    /// The stored value is no GUID.
    pub fn key<T>(&self, column: usize) -> Result<Id<T>, Fault> {
        self.field::<Uuid>(column).map(Id::from)
    }

    /// A group of columns as one value; `members` names the group's keys in the order of its columns.
    ///
    /// # Errors
    ///
    /// A member's value does not fit its type.
    pub fn group<G: CdmsFields>(&self, first: usize, members: &'static [&'static str]) -> Result<G, Fault> {
        G::from_group(&GroupReader { row: *self, first, members })
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
    pub fn field<T: FieldType>(&mut self, column: usize, value: &T) {
        self.set(column, value.to_value());
    }

    /// Sets the record's id.
    pub fn key<T>(&mut self, column: usize, id: Id<T>) {
        self.set(column, Value::Guid(id.guid()));
    }

    /// Sets a group of columns from one value.
    pub fn group<G: CdmsFields>(&mut self, first: usize, members: &'static [&'static str], group: &G) {
        group.to_group(&mut GroupWriter { row: self, first, members });
    }

    /// Ends the writing.
    ///
    /// # Errors
    ///
    /// The first value that did not fit its column.
    pub fn finish(self) -> Result<(), Fault> {
        self.fault.map_or(Ok(()), Err)
    }

    fn set(&mut self, column: usize, value: Value) {
        let description = &self.columns[column];
        match datahub_model::conversion::fit(description.kind, value) {
            Ok(value) => self.values[column] = value,
            Err(fault) => {
                self.fault.get_or_insert(fault.at(description.field));
            }
        }
    }
}

/// A struct of fields that models embed with `flatten`; derived by `#[derive(CdmsFields)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be flattened into a synced model",
    label = "not a group of CDMS fields",
    note = "add #[derive(CdmsFields)] to it"
)]
pub trait CdmsFields: Clone + Send + Sync + 'static {
    /// The members, which must be the keys of the contract's group.
    const MEMBERS: &'static [Member];

    /// The value of a group of columns.
    ///
    /// # Errors
    ///
    /// A member's value does not fit its type.
    fn from_group(group: &GroupReader<'_>) -> Result<Self, Fault>;

    /// Sets the group's columns.
    fn to_group(&self, group: &mut GroupWriter<'_>);
}

/// One member of a group.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its key in the contract's group.
    pub name: &'static str,
    /// The kinds that its type can hold.
    pub kinds: &'static [Kind],
    /// Whether it has a value for null: its type's own or a default.
    pub nullable: bool,
    /// For a reference to one model: that model's logical name.
    pub target: Option<&'static str>,
}

/// A group's columns as derived code reads them.
#[derive(Clone, Copy, Debug)]
pub struct GroupReader<'r> {
    row: RowReader<'r>,
    first: usize,
    members: &'static [&'static str],
}

impl GroupReader<'_> {
    /// The value of one member.
    ///
    /// # Errors
    ///
    /// The stored value does not fit the member's type.
    pub fn member<T: FieldType>(&self, name: &str) -> Result<T, Fault> {
        self.row.field(self.first + position(self.members, name))
    }

    /// The value of one member, or the default where it is null.
    ///
    /// # Errors
    ///
    /// The stored value does not fit the member's type.
    pub fn member_or<T: FieldType>(&self, name: &str, default: fn() -> T) -> Result<T, Fault> {
        self.member::<Option<T>>(name).map(|value| value.unwrap_or_else(default))
    }
}

/// A group's columns as derived code writes them.
#[derive(Debug)]
pub struct GroupWriter<'w> {
    row: &'w mut dyn GroupTarget,
    first: usize,
    members: &'static [&'static str],
}

impl GroupWriter<'_> {
    /// Sets one member.
    pub fn member<T: FieldType>(&mut self, name: &str, value: &T) {
        self.row.put(self.first + position(self.members, name), value.to_value());
    }

    /// Sets one member to null while it equals its default.
    pub fn member_or<T: FieldType + PartialEq>(&mut self, name: &str, value: &T, default: fn() -> T) {
        let value = if *value == default() { Value::Null } else { value.to_value() };
        self.row.put(self.first + position(self.members, name), value);
    }
}

/// Where a group's values go; keeps the row's lifetime out of the derived signatures.
trait GroupTarget: std::fmt::Debug {
    fn put(&mut self, column: usize, value: Value);
}

impl GroupTarget for RowWriter<'_> {
    fn put(&mut self, column: usize, value: Value) {
        self.set(column, value);
    }
}

fn position(members: &[&str], name: &str) -> usize {
    // The derive's const assertion compared the two lists, so an absent name is a bug of the derive.
    members.iter().position(|known| *known == name).unwrap_or_else(|| panic!("no group member is called {name}"))
}
