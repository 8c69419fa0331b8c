//! The columns of a query's result, declared once: the select list, the types, and how a row is read.

use cdms_odata::Instant;
use datahub_protocol::{OperationId, Version};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::failure::Trouble;
use super::row::Cells;
use super::statement::ColumnType;

/// A value that can be read from one cell of a result.
pub(crate) trait Cell: Sized {
    /// The type of its column.
    const TYPE: ColumnType;

    /// Takes the next cell of a row.
    fn take(row: &mut Cells) -> Result<Self, Trouble>;
}

/// A value that can be read from a row of a result, cell by cell.
pub(crate) trait FromRow: Sized {
    /// The types of its columns, in order.
    const TYPES: &'static [ColumnType];

    /// Takes the cells of a row.
    fn take(row: &mut Cells) -> Result<Self, Trouble>;
}

/// A text column that contains JSON.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

/// A text column that contains the one-word name of a serializable value.
#[derive(Debug)]
pub(crate) struct Word<T>(pub(crate) T);

macro_rules! cell {
    ($($({$($generic:tt)+})? $type:ty: $column:ident, $take:expr;)*) => {$(
        impl $(<$($generic)+>)? Cell for $type {
            const TYPE: ColumnType = ColumnType::$column;

            fn take(row: &mut Cells) -> Result<Self, Trouble> {
                $take(row)
            }
        }
    )*};
}

cell! {
    bool: Bool, Cells::flag;
    i64: BigInt, Cells::number;
    Option<i64>: BigInt, Cells::optional_number;
    Instant: Instant, Cells::instant;
    Option<Instant>: Instant, Cells::optional_instant;
    OperationId: Guid, |row: &mut Cells| row.guid().map(OperationId);
    Option<OperationId>: Guid, |row: &mut Cells| Ok(row.optional_guid()?.map(OperationId));
    String: Text, Cells::text;
    Option<String>: Text, Cells::optional_text;
    Uuid: Guid, Cells::guid;
    Option<Uuid>: Guid, Cells::optional_guid;
    Version: BigInt, |row: &mut Cells| row.number().map(Version);
    Option<Version>: BigInt, |row: &mut Cells| Ok(row.optional_number()?.map(Version));
    {T: DeserializeOwned} Json<T>: Text, |row: &mut Cells| row.json().map(Json);
    {T: DeserializeOwned} Option<Json<T>>: Text, |row: &mut Cells| Ok(row.optional_json()?.map(Json));
    {T: DeserializeOwned} Word<T>: Text, |row: &mut Cells| row.word().map(Word);
    {T: DeserializeOwned} Option<Word<T>>: Text, |row: &mut Cells| Ok(row.optional_word()?.map(Word));
}

impl<C: Cell> FromRow for C {
    const TYPES: &'static [ColumnType] = &[C::TYPE];

    fn take(row: &mut Cells) -> Result<Self, Trouble> {
        C::take(row)
    }
}

macro_rules! tuple {
    ($($cell:ident),+) => {
        impl<$($cell: Cell),+> FromRow for ($($cell,)+) {
            const TYPES: &'static [ColumnType] = &[$($cell::TYPE),+];

            fn take(row: &mut Cells) -> Result<Self, Trouble> {
                Ok(($(<$cell as Cell>::take(row)?,)+))
            }
        }
    };
}

tuple!(A, B);
tuple!(A, B, C);
tuple!(A, B, C, D);
tuple!(A, B, C, D, E);

/// Declares the columns of a select list as a struct: each field with its type and the SQL that selects it. `SELECT` is
/// the list, in the order of the fields.
macro_rules! columns {
    (
        $(#[$meta:meta])*
        struct $name:ident {
            $(#[$first_meta:meta])*
            $first:ident: $first_type:ty = $first_sql:expr,
            $($(#[$field_meta:meta])* $field:ident: $type:ty = $sql:expr,)*
        }
    ) => {
        $(#[$meta])*
        struct $name {
            $(#[$first_meta])*
            $first: $first_type,
            $($(#[$field_meta])* $field: $type,)*
        }

        impl $name {
            /// The list that a statement selects.
            const SELECT: &'static str = concat!($first_sql $(, ", ", $sql)*);
        }

        impl $crate::store::columns::FromRow for $name {
            const TYPES: &'static [$crate::store::statement::ColumnType] = &[
                <$first_type as $crate::store::columns::Cell>::TYPE,
                $(<$type as $crate::store::columns::Cell>::TYPE,)*
            ];

            fn take(row: &mut $crate::store::row::Cells) -> Result<Self, $crate::store::failure::Trouble> {
                Ok($name {
                    $first: <$first_type as $crate::store::columns::Cell>::take(row)?,
                    $($field: <$type as $crate::store::columns::Cell>::take(row)?,)*
                })
            }
        }
    };
}

pub(crate) use columns;
