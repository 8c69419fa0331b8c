//! What `sum` and `avg` make of money, of decimals, and of whole numbers.

use diesel::deserialize::FromSqlRow;
use diesel::query_builder::QueryId;
use diesel::sql_types::{SqlOrd, SqlType};
use rust_decimal::Decimal;

/// A sum of money or decimals, in units of the last of `SCALE` digits. It is exact: SQLite refuses a sum beyond 64 bits,
/// PostgreSQL has no limit that a `rust_decimal::Decimal`, which it is read into, does not have first.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Long"))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 1700, array_oid = 1231)))]
pub struct Total<const SCALE: u32>;

/// An average of money or decimals. Read into a `rust_decimal::Decimal` it is rounded to `SCALE` digits, half a unit away
/// from zero; SQLite reckons it with 53 bits, so of sums beyond 2^53 units the last digits are lost.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Double"))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 1700, array_oid = 1231)))]
pub struct Mean<const SCALE: u32>;

impl<const SCALE: u32> SqlOrd for Total<SCALE> {}
impl<const SCALE: u32> SqlOrd for Mean<SCALE> {}

/// A number of Diesel's own type `Numeric`, which the sum of a `bigint` and the average of an `integer` or a `bigint` are:
/// `.select(sum(organisations::views)).first::<Option<Number>>(connection)`.
///
/// A sum is exact; SQLite refuses one beyond 64 bits. An average has 15 digits on SQLite and up to 28 on PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, FromSqlRow)]
pub struct Number(pub Decimal);
