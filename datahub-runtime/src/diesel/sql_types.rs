//! The SQL types of a synced table's columns, where Diesel itself has no exact one for every database, and the Rust types
//! that such columns take and give.
//!
//! A column that is not null takes the value itself, one that may be null takes `Some` of it; both are read into the same
//! types. [`CdmsSynced`](macro@crate::CdmsSynced) has the table of all kinds.

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

/// A GUID: `uuid` on PostgreSQL, 16 bytes on SQLite. Columns of kind `guid` and `lookup`, and the key. It is compared with
/// a `Uuid` or an [`Id`](crate::Id), and read into either.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Binary"))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 2950, array_oid = 2951)))]
pub struct Guid;

/// A point in time: `timestamptz` on PostgreSQL, microseconds since 1970 UTC on SQLite. Columns of kind `datetime`. It is
/// compared with a `DateTime<Utc>` or an [`Instant`](crate::Instant), and read into either, as whole milliseconds.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Long"))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 1184, array_oid = 1185)))]
pub struct Instant;

/// An amount of money as an integer in units of 1/10,000. Columns of kind `money`. It is compared with a
/// `rust_decimal::Decimal` and read into one; a value with more digits than a column has ends the query with an error.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Long"))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 20, array_oid = 1016)))]
pub struct Money;

/// A decimal as an integer in units of the last of its `SCALE` digits after the point. Columns of kind `decimal`, with the
/// `scale` of their contract. It is compared with a `rust_decimal::Decimal` and read into one; a value with more digits
/// than a column has ends the query with an error, and columns of different scales cannot be compared.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Long"))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 20, array_oid = 1016)))]
pub struct Decimal<const SCALE: u32>;

// `table!` goes by a type's name and takes this one for a number. A number in units of a scale can be added to its like
// and multiplied by a plain one; a quotient is cut to the scale.
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

/// A database that the hub knows: what is bound as a plain number there.
pub trait Database: Backend {
    /// Binds the number of a choice's option.
    ///
    /// # Errors
    ///
    /// The statement has no place for it.
    fn integer(number: i32, out: &mut Output<'_, '_, Self>) -> serialize::Result;

    /// Binds a number of units.
    ///
    /// # Errors
    ///
    /// The statement has no place for it.
    fn bigint(number: i64, out: &mut Output<'_, '_, Self>) -> serialize::Result;

    /// Binds a time in microseconds since 1970.
    ///
    /// # Errors
    ///
    /// The statement has no place for it, or the database no such time.
    fn instant(microseconds: i64, out: &mut Output<'_, '_, Self>) -> serialize::Result;

    /// Binds a number of units in the form that this database adds them up in.
    ///
    /// # Errors
    ///
    /// The statement has no place for it.
    fn total(number: i64, out: &mut Output<'_, '_, Self>) -> serialize::Result;

    /// Binds a number of units in the form that this database makes an average in.
    ///
    /// # Errors
    ///
    /// The statement has no place for it.
    fn mean(number: i64, out: &mut Output<'_, '_, Self>) -> serialize::Result;
}
