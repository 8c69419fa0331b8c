//! Columns that are called like things which Diesel's `table!` leans on, as far as the validator lets them be.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "core", mode = "mirror", diesel(insertable, changeset))]
pub(crate) struct Named {
    #[cdms(key, column = "id")]
    id: Id<Named>,
    #[cdms("Name", column = "char")]
    a: String,
    #[cdms("Alias", column = "i32")]
    b: Option<String>,
    #[cdms("Token", column = "usize")]
    c: Option<uuid::Uuid>,
    #[cdms("Employees", column = "std")]
    d: Option<i32>,
    #[cdms("Views", column = "u8")]
    e: Option<i64>,
    #[cdms("Area", column = "alloc")]
    f: Option<f64>,
    #[cdms("Verified", column = "debug")]
    g: Option<bool>,
    #[cdms("LastCall", column = "derive")]
    h: Option<chrono::DateTime<chrono::Utc>>,
    #[cdms("Street", column = "sql_types")]
    i: Option<String>,
    #[cdms("Town", column = "size_of")]
    j: Option<String>,
    #[cdms("AreaCode", column = "vec")]
    k: Option<String>,
    #[cdms("PhoneNumber", column = "clone")]
    l: Option<String>,
    #[cdms("BillingTown", column = "main")]
    m: Option<String>,
    #[cdms("BillingStreet", column = "test")]
    n: Option<String>,
}

#[test]
fn they_are_columns_like_any_other() {
    use diesel::prelude::*;
    let query = core::table.filter(core::char.eq("x")).select(Named::as_select());
    let text = diesel::debug_query::<diesel::sqlite::Sqlite, _>(&query).to_string();
    assert!(text.contains("`core`.`size_of`, `core`.`vec`"), "{text}");
}
