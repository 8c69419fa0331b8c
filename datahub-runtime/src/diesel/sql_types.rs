//! The SQL types of a synced table's columns for which Diesel has no exact type for every database, and the Rust types
//! that such columns accept and return.
//!
//! A column that is not nullable accepts the value itself, a nullable one accepts `Some` of it. Both are read into the
//! same types. [`CdmsSynced`](macro@crate::CdmsSynced) has the table of all kinds.

mod bound;
#[doc(hidden)]
pub mod operand;
mod read;
mod sqlite;
mod totals;

#[cfg(feature = "postgres")]
mod postgres;

use diesel::backend::Backend;
use diesel::query_builder::QueryId;
use diesel::serialize::{self, Output};
use diesel::sql_types::{BigInt, Foldable, Nullable, SqlOrd, SqlType, ops};

pub use totals::{Mean, Number, Total};

use super::stored_value::MONEY_SCALE;

/// A GUID: `uuid` on PostgreSQL, 16 bytes on SQLite. For columns of kind `guid` and `lookup`, and for the key. It can
/// be compared with a `Uuid` or an [`Id`](crate::Id), and read into either.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Binary"))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 2950, array_oid = 2951)))]
pub struct Guid;

/// A point in time: `timestamptz` on PostgreSQL, microseconds since 1970, UTC, on SQLite. For columns of kind
/// `datetime`. It can be compared with a `DateTime<Utc>` or an [`Instant`](crate::Instant), and read into either, in
/// whole milliseconds.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Long"))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 1184, array_oid = 1185)))]
pub struct Instant;

/// An amount of money as an integer in units of 1/10,000. For columns of kind `money`. It can be compared with a
/// `rust_decimal::Decimal` and read into one. A value with more decimal places than the column makes the query fail.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Long"))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 20, array_oid = 1016)))]
pub struct Money;

/// A decimal as an integer in units of its last decimal place, of which there are `SCALE`. For columns of kind
/// `decimal`, with the `scale` of their contract. It can be compared with a `rust_decimal::Decimal` and read into one.
/// A value with more decimal places than the column makes the query fail, and columns of different scales cannot be
/// compared.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Long"))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 20, array_oid = 1016)))]
pub struct Decimal<const SCALE: u32>;

// `table!` treats this type as numeric because of its name. Numbers of the same scale can be added, and a number can be
// multiplied by a plain one; a quotient is truncated to the scale.
impl<const SCALE: u32> ops::Add for Decimal<SCALE> {
    type Rhs = Self;
    type Output = Self;
}

impl<const SCALE: u32> ops::Sub for Decimal<SCALE> {
    type Rhs = Self;
    type Output = Self;
}

impl<const SCALE: u32> ops::Mul for Decimal<SCALE> {
    type Rhs = BigInt;
    type Output = Self;
}

impl<const SCALE: u32> ops::Div for Decimal<SCALE> {
    type Rhs = BigInt;
    type Output = Self;
}

impl SqlOrd for Instant {}
impl SqlOrd for Money {}
impl<const SCALE: u32> SqlOrd for Decimal<SCALE> {}

impl Foldable for Money {
    type Sum = Nullable<Total<MONEY_SCALE>>;
    type Avg = Nullable<Mean<MONEY_SCALE>>;
}

impl<const SCALE: u32> Foldable for Decimal<SCALE> {
    type Sum = Nullable<Total<SCALE>>;
    type Avg = Nullable<Mean<SCALE>>;
}

/// A database that the hub supports: how plain numbers are bound.
pub trait Database: Backend {
    /// Binds the number of a choice's option.
    ///
    /// # Errors
    ///
    /// The statement cannot take the value.
    fn integer(number: i32, out: &mut Output<'_, '_, Self>) -> serialize::Result;

    /// Binds a number of units.
    ///
    /// # Errors
    ///
    /// The statement cannot take the value.
    fn bigint(number: i64, out: &mut Output<'_, '_, Self>) -> serialize::Result;

    /// Binds a time in microseconds since 1970.
    ///
    /// # Errors
    ///
    /// The statement cannot take the value, or the time is out of the database's range.
    fn instant(microseconds: i64, out: &mut Output<'_, '_, Self>) -> serialize::Result;

    /// Binds a number of units in the form of this database's sums.
    ///
    /// # Errors
    ///
    /// The statement cannot take the value.
    fn total(number: i64, out: &mut Output<'_, '_, Self>) -> serialize::Result;

    /// Binds a number of units in the form of this database's averages.
    ///
    /// # Errors
    ///
    /// The statement cannot take the value.
    fn mean(number: i64, out: &mut Output<'_, '_, Self>) -> serialize::Result;
}
