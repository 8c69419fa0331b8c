//! Implementations of Diesel's traits for a model. The derive's expansion invokes each with one line.

/// How Diesel reads a model: its table, and the positions of its columns.
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

/// How Diesel identifies a model's row: by the key's field.
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

/// Inserts a model as its row, with Diesel alone and without CDMS. Each column comes with its position.
#[doc(hidden)]
#[macro_export]
macro_rules! __diesel_insertable {
    ($model:ty, $table:ident, [$(($position:tt $column:ident))*]) => {
        #[automatically_derived]
        impl<'model> $crate::__v1::diesel::Insertable<$table::table> for &'model $model {
            type Values = <(
                $($crate::__v1::diesel::dsl::Eq<$table::$column, $crate::__v1::BindValue>,)*
            ) as $crate::__v1::diesel::Insertable<$table::table>>::Values;

            fn values(self) -> Self::Values {
                let __row = $crate::__v1::bind_values(self);
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

/// Updates every column of a model's row except its key, with Diesel alone. Each column comes with its position.
#[doc(hidden)]
#[macro_export]
macro_rules! __diesel_changeset {
    ($model:ty, $table:ident, [$(($position:tt $column:ident))*]) => {
        #[automatically_derived]
        impl<'model> $crate::__v1::diesel::AsChangeset for &'model $model {
            type Target = $table::table;
            type Changeset = <(
                $($crate::__v1::diesel::dsl::Eq<$table::$column, $crate::__v1::BindValue>,)*
            ) as $crate::__v1::diesel::AsChangeset>::Changeset;

            fn as_changeset(self) -> Self::Changeset {
                let __row = $crate::__v1::bind_values(self);
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

/// Methods for columns of our SQL types, with the names and meanings of Diesel's: they accept what Diesel's accept, and
/// also plain values.
#[doc(hidden)]
#[macro_export]
macro_rules! __diesel_columns {
    ($table:ident, $column:ident, $($method:ident -> $form:ident),*) => {
        #[allow(dead_code, unreachable_pub, clippy::should_implement_trait)]
        impl $table::columns::$column {
            $(
                /// Diesel's method of this name, for plain values too.
                pub fn $method<__How, __Other>(self, other: __Other) -> $crate::__v1::diesel::dsl::$form<Self, __Other::Form>
                where
                    __Other: $crate::__v1::Operand<$crate::__v1::SqlTypeOf<Self>, __How>,
                {
                    $crate::__v1::diesel::ExpressionMethods::$method(self, __Other::form(other))
                }
            )*

            /// Diesel's method of this name, for plain values too.
            pub fn between<__Of, __Lower, __To, __Upper>(
                self,
                lower: __Lower,
                upper: __Upper,
            ) -> $crate::__v1::diesel::dsl::Between<Self, __Lower::Form, __Upper::Form>
            where
                __Lower: $crate::__v1::Operand<$crate::__v1::SqlTypeOf<Self>, __Of>,
                __Upper: $crate::__v1::Operand<$crate::__v1::SqlTypeOf<Self>, __To>,
            {
                $crate::__v1::diesel::ExpressionMethods::between(self, __Lower::form(lower), __Upper::form(upper))
            }

            /// Diesel's method of this name, for plain values too.
            pub fn not_between<__Of, __Lower, __To, __Upper>(
                self,
                lower: __Lower,
                upper: __Upper,
            ) -> $crate::__v1::diesel::dsl::NotBetween<Self, __Lower::Form, __Upper::Form>
            where
                __Lower: $crate::__v1::Operand<$crate::__v1::SqlTypeOf<Self>, __Of>,
                __Upper: $crate::__v1::Operand<$crate::__v1::SqlTypeOf<Self>, __To>,
            {
                $crate::__v1::diesel::ExpressionMethods::not_between(self, __Lower::form(lower), __Upper::form(upper))
            }
        }
    };
    ($table:ident, [$($column:tt)*]) => {$(
        $crate::__diesel_columns!($table, $column, eq -> Eq, ne -> NotEq, gt -> Gt, ge -> GtEq, lt -> Lt, le -> LtEq);
    )*};
}

/// A choice in Diesel's queries: columns can be compared with it, set to it, and read into it.
#[doc(hidden)]
#[macro_export]
macro_rules! __diesel_choice {
    ($choice:ty) => {
        $crate::__diesel_choice!($choice, $crate::__v1::diesel::sql_types::Integer);
        // A null is `None` and not a variant.
        $crate::__diesel_choice!(
            $choice,
            $crate::__v1::diesel::sql_types::Nullable<$crate::__v1::diesel::sql_types::Integer>
        );

        #[automatically_derived]
        impl<__DB: $crate::__v1::diesel::backend::Backend>
            $crate::__v1::diesel::deserialize::FromSql<$crate::__v1::diesel::sql_types::Integer, __DB> for $choice
        where
            ::core::primitive::i32:
                $crate::__v1::diesel::deserialize::FromSql<$crate::__v1::diesel::sql_types::Integer, __DB>,
        {
            fn from_sql(__value: __DB::RawValue<'_>) -> $crate::__v1::diesel::deserialize::Result<Self> {
                let __number = <::core::primitive::i32 as $crate::__v1::diesel::deserialize::FromSql<
                    $crate::__v1::diesel::sql_types::Integer,
                    __DB,
                >>::from_sql(__value)?;
                $crate::__v1::Result::Ok(<$choice as $crate::__v1::FieldType>::from_value(
                    &$crate::__v1::Value::Choice(__number),
                )?)
            }
        }

        #[automatically_derived]
        impl<__DB: $crate::__v1::diesel::backend::Backend>
            $crate::__v1::diesel::Queryable<$crate::__v1::diesel::sql_types::Integer, __DB> for $choice
        where
            $choice: $crate::__v1::diesel::deserialize::FromSql<$crate::__v1::diesel::sql_types::Integer, __DB>,
        {
            type Row = Self;

            fn build(__row: Self) -> $crate::__v1::diesel::deserialize::Result<Self> {
                $crate::__v1::Result::Ok(__row)
            }
        }
    };
    ($choice:ty, $sql:ty) => {
        #[automatically_derived]
        impl $crate::__v1::diesel::expression::AsExpression<$sql> for $choice {
            type Expression = $crate::__v1::Bound<$sql, Self>;

            fn as_expression(self) -> Self::Expression {
                $crate::__v1::Bound::new(self)
            }
        }

        #[automatically_derived]
        impl<'expr> $crate::__v1::diesel::expression::AsExpression<$sql> for &'expr $choice {
            type Expression = $crate::__v1::Bound<$sql, Self>;

            fn as_expression(self) -> Self::Expression {
                $crate::__v1::Bound::new(self)
            }
        }

        // Diesel prints bound values with `Debug`. A choice without it can still be a field, but not be used in
        // queries. The lifetime delays the check to the place where the value is bound.
        #[automatically_derived]
        impl<__DB: $crate::__v1::Database> $crate::__v1::diesel::serialize::ToSql<$sql, __DB> for $choice
        where
            for<'__any> $choice: ::core::fmt::Debug,
        {
            fn to_sql<'b>(
                &'b self,
                __out: &mut $crate::__v1::diesel::serialize::Output<'b, '_, __DB>,
            ) -> $crate::__v1::diesel::serialize::Result {
                $crate::__v1::bind_choice(self, __out)
            }
        }
    };
}

/// The type that can read any column.
#[doc(hidden)]
#[macro_export]
macro_rules! __stored {
    ($column:tt) => {
        $crate::__v1::StoredValue
    };
}
