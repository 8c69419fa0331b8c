//! Diesel's traits of a model, which the derive's expansion asks for with one line each.

/// What Diesel reads a model by: its table, and the positions of its columns.
#[doc(hidden)]
#[macro_export]
macro_rules! __diesel_reading {
    ($model:ty, $table:ident, [$($column:tt)*]) => {
        #[automatically_derived]
        impl<__DB> $crate::__v1::diesel::Queryable<$table::SqlType, __DB> for $model
        where
            __DB: $crate::__v1::diesel::backend::Backend,
            ($($crate::__stored!($column),)*): $crate::__v1::diesel::deserialize::FromStaticSqlRow<$table::SqlType, __DB>,
        {
            type Row = ($($crate::__stored!($column),)*);

            fn build(__row: Self::Row) -> $crate::__v1::diesel::deserialize::Result<Self> {
                let __values = [$(__row.$column.0),*];
                $crate::__v1::Result::Ok($crate::__v1::model_of(&__values)?)
            }
        }

        #[automatically_derived]
        impl<__DB: $crate::__v1::diesel::backend::Backend> $crate::__v1::diesel::Selectable<__DB> for $model {
            type SelectExpression = <$table::table as $crate::__v1::diesel::Table>::AllColumns;

            fn construct_selection() -> Self::SelectExpression {
                <$table::table as $crate::__v1::diesel::Table>::all_columns()
            }
        }

        #[automatically_derived]
        impl $crate::__v1::diesel::associations::HasTable for $model {
            type Table = $table::table;

            fn table() -> Self::Table {
                $table::table
            }
        }
    };
}

/// Diesel's way from a model to its row, by the key's field.
#[doc(hidden)]
#[macro_export]
macro_rules! __diesel_identifiable {
    ($model:ty, $table:ident, $key:ident) => {
        #[automatically_derived]
        impl<'model> $crate::__v1::diesel::Identifiable for &'model $model {
            type Id = &'model $crate::Id<$model>;

            fn id(self) -> Self::Id {
                &self.$key
            }
        }
    };
}

/// Inserting a model as its row, by Diesel alone and past CDMS; each column comes with its position.
#[doc(hidden)]
#[macro_export]
macro_rules! __diesel_insertable {
    ($model:ty, $table:ident, [$(($position:tt $column:ident))*]) => {
        #[automatically_derived]
        impl<'model> $crate::__v1::diesel::Insertable<$table::table> for &'model $model {
            type Values = <(
                $($crate::__v1::diesel::dsl::Eq<$table::$column, $crate::__v1::Written>,)*
            ) as $crate::__v1::diesel::Insertable<$table::table>>::Values;

            fn values(self) -> Self::Values {
                let __row = $crate::__v1::written(self);
                let __values = (
                    $($crate::__v1::diesel::ExpressionMethods::eq($table::$column, ::core::clone::Clone::clone(&__row[$position])),)*
                );
                $crate::__v1::diesel::Insertable::values(__values)
            }
        }

        #[automatically_derived]
        impl $crate::__v1::diesel::Insertable<$table::table> for $model {
            type Values = <&'static $model as $crate::__v1::diesel::Insertable<$table::table>>::Values;

            fn values(self) -> Self::Values {
                $crate::__v1::diesel::Insertable::values(&self)
            }
        }

        #[automatically_derived]
        impl $crate::__v1::diesel::internal::derives::insertable::UndecoratedInsertRecord<$table::table> for $model {}
    };
}

/// Updating every column of a model's row but its key, by Diesel alone; each column comes with its position.
#[doc(hidden)]
#[macro_export]
macro_rules! __diesel_changeset {
    ($model:ty, $table:ident, [$(($position:tt $column:ident))*]) => {
        #[automatically_derived]
        impl<'model> $crate::__v1::diesel::AsChangeset for &'model $model {
            type Target = $table::table;
            type Changeset = <(
                $($crate::__v1::diesel::dsl::Eq<$table::$column, $crate::__v1::Written>,)*
            ) as $crate::__v1::diesel::AsChangeset>::Changeset;

            fn as_changeset(self) -> Self::Changeset {
                let __row = $crate::__v1::written(self);
                let __changes = (
                    $($crate::__v1::diesel::ExpressionMethods::eq($table::$column, ::core::clone::Clone::clone(&__row[$position])),)*
                );
                $crate::__v1::diesel::AsChangeset::as_changeset(__changes)
            }
        }

        #[automatically_derived]
        impl $crate::__v1::diesel::AsChangeset for $model {
            type Target = $table::table;
            type Changeset = <&'static $model as $crate::__v1::diesel::AsChangeset>::Changeset;

            fn as_changeset(self) -> Self::Changeset {
                $crate::__v1::diesel::AsChangeset::as_changeset(&self)
            }
        }
    };
}

/// The type that reads any column.
#[doc(hidden)]
#[macro_export]
macro_rules! __stored {
    ($column:tt) => {
        $crate::__v1::Stored
    };
}
