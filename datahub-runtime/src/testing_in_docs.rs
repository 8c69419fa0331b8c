//! Where the feature `testing` is off, documentation tells of it all the same: it is built from an application's ordinary
//! dependencies, and the feature is for its tests.

/// For tests, with the feature `testing`: a simulated CDMS, a temporary database and a clock to move, in one line.
///
/// This page stands in for the module's own, because this documentation was built without the feature. An application
/// has it among its `[dev-dependencies]`:
///
/// ```toml
/// [dev-dependencies]
/// datahub-runtime = { path = "…", features = ["testing"] }
/// ```
///
/// and `cargo doc --package datahub-runtime --features testing` shows the pages of these:
///
/// | item | what it is |
/// |---|---|
/// | `Kit::new(metadata)` | a CDMS simulated by the text of its `$metadata`, and a database; both go with the kit |
/// | `kit.hub(models![…])` | leads to a hub of both: `kit.hub(models![Organisation]).connect().await?` |
/// | `kit.simulator` | CDMS's records, its log, and faults to order |
/// | `kit.clock`, `kit.advance(time)` | the hub's clock; CDMS's moves with it |
/// | `kit.database()`, `kit.run_sql(sql)`, `kit.rows_of(table)` | the database past the hub |
/// | `FormLogin`, `Records` | a login to try, and random records of a model |
/// | [`mapping_tests!`](crate::mapping_tests) | tests of mappings, in one line |
///
/// Like the hub, a kit is on SQLite; with the feature `postgres`, and a server's address in `DATAHUB_TEST_DATABASE`, it
/// is on PostgreSQL.
#[doc(alias = "Kit")]
pub mod testing {}

/// Makes four tests of mappings, each over many random records of each model; it is there with the feature `testing`.
///
/// ```text
/// #[cfg(test)]
/// mod mappings {
///     datahub_runtime::mapping_tests!(super::Organisation, super::Contact);
/// }
/// ```
///
/// `cargo doc --package datahub-runtime --features testing` shows what each of them finds.
#[macro_export]
macro_rules! mapping_tests {
    ($($model:ty),+ $(,)?) => {};
}
