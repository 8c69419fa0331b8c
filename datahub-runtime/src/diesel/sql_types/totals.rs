//! The results of `sum` and `avg` for money, decimals and integers.

use diesel::deserialize::FromSqlRow;
use diesel::query_builder::QueryId;
use diesel::sql_types::{SqlOrd, SqlType};
use rust_decimal::Decimal;

/// A sum of money or decimals, in units of the last of `SCALE` decimal places. It is exact and read into a
/// `rust_decimal::Decimal`. SQLite rejects a sum beyond 64 bits; PostgreSQL's limit is above that of
/// `rust_decimal::Decimal`.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Long"))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 1700, array_oid = 1231)))]
pub struct Total<const SCALE: u32>;

/// An average of money or decimals. When read into a `rust_decimal::Decimal`, it is rounded to `SCALE` decimal places,
/// with halves rounded away from zero. SQLite computes it with 53 bits, so the last digits of sums beyond 2^53 units
/// are lost.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Double"))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 1700, array_oid = 1231)))]
pub struct Mean<const SCALE: u32>;

impl<const SCALE: u32> SqlOrd for Total<SCALE> {}
impl<const SCALE: u32> SqlOrd for Mean<SCALE> {}

/// A number of Diesel's type `Numeric`, which is the type of a sum of `bigint`s and of an average of `integer`s or
/// `bigint`s: `.select(sum(organisations::views)).first::<Option<Number>>(connection)`.
///
/// A sum is exact; SQLite rejects one beyond 64 bits. An average has 15 digits on SQLite and up to 28 on PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, FromSqlRow)]
pub struct Number(pub Decimal);
