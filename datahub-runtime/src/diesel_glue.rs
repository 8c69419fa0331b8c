//! Diesel's traits of a model, which the derive's expansion asks for with one line each.

/// The Diesel implementations of a model: its table, its key's field, and the positions of its columns.
#[doc(hidden)]
#[macro_export]
macro_rules! __diesel_reading {
    ($model:ty, $table:ident, $key:ident, [$($column:tt)*]) => {
        #[automatically_derived]
        impl<__DB> $crate::private::diesel::Queryable<$table::SqlType, __DB> for $model
        where
            __DB: $crate::private::diesel::backend::Backend,
            ($($crate::__stored!($column),)*): $crate::private::diesel::deserialize::FromStaticSqlRow<$table::SqlType, __DB>,
        {
            type Row = ($($crate::__stored!($column),)*);

            fn build(row: Self::Row) -> $crate::private::diesel::deserialize::Result<Self> {
                let columns = <Self as $crate::CdmsSynced>::DESCRIPTOR.columns;
                let values = [$(row.$column.0),*];
                let model = <Self as $crate::CdmsSynced>::from_row(&$crate::RowReader::new(columns, &values))?;
                $crate::private::Result::Ok(model)
            }
        }

        #[automatically_derived]
        impl<__DB: $crate::private::diesel::backend::Backend> $crate::private::diesel::Selectable<__DB> for $model {
            type SelectExpression = <$table::table as $crate::private::diesel::Table>::AllColumns;

            fn construct_selection() -> Self::SelectExpression {
                <$table::table as $crate::private::diesel::Table>::all_columns()
            }
        }

        #[automatically_derived]
        impl $crate::private::diesel::associations::HasTable for $model {
            type Table = $table::table;

            fn table() -> Self::Table {
                $table::table
            }
        }

        #[automatically_derived]
        impl<'model> $crate::private::diesel::Identifiable for &'model $model {
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
        impl<'model> $crate::private::diesel::Insertable<$table::table> for &'model $model {
            type Values = <(
                $($crate::private::diesel::dsl::Eq<$table::$column, $crate::private::Written>,)*
            ) as $crate::private::diesel::Insertable<$table::table>>::Values;

            fn values(self) -> Self::Values {
                let row = $crate::private::written(self);
                let values = (
                    $($crate::private::diesel::ExpressionMethods::eq($table::$column, row[$position].clone()),)*
                );
                $crate::private::diesel::Insertable::values(values)
            }
        }

        #[automatically_derived]
        impl $crate::private::diesel::Insertable<$table::table> for $model {
            type Values = <&'static $model as $crate::private::diesel::Insertable<$table::table>>::Values;

            fn values(self) -> Self::Values {
                $crate::private::diesel::Insertable::values(&self)
            }
        }

        #[automatically_derived]
        impl $crate::private::diesel::internal::derives::insertable::UndecoratedInsertRecord<$table::table> for $model {}
    };
}

/// Updating every column of a model's row but its key, by Diesel alone; each column comes with its position.
#[doc(hidden)]
#[macro_export]
macro_rules! __diesel_changeset {
    ($model:ty, $table:ident, [$(($position:tt $column:ident))*]) => {
        #[automatically_derived]
        impl<'model> $crate::private::diesel::AsChangeset for &'model $model {
            type Target = $table::table;
            type Changeset = <(
                $($crate::private::diesel::dsl::Eq<$table::$column, $crate::private::Written>,)*
            ) as $crate::private::diesel::AsChangeset>::Changeset;

            fn as_changeset(self) -> Self::Changeset {
                let row = $crate::private::written(self);
                let changes = (
                    $($crate::private::diesel::ExpressionMethods::eq($table::$column, row[$position].clone()),)*
                );
                $crate::private::diesel::AsChangeset::as_changeset(changes)
            }
        }

        #[automatically_derived]
        impl $crate::private::diesel::AsChangeset for $model {
            type Target = $table::table;
            type Changeset = <&'static $model as $crate::private::diesel::AsChangeset>::Changeset;

            fn as_changeset(self) -> Self::Changeset {
                $crate::private::diesel::AsChangeset::as_changeset(&self)
            }
        }
    };
}

/// The type that reads any column.
#[doc(hidden)]
#[macro_export]
macro_rules! __stored {
    ($column:tt) => {
        $crate::private::Stored
    };
}
