//! Documentation of the feature `testing` when it is off: an application's documentation is built from its ordinary
//! dependencies, and the feature is for its tests.

/// For tests, with the feature `testing`: a simulated CDMS, a temporary database and a clock to move, in one line.
///
/// This page replaces the module's own, because this documentation was built without the feature. An application enables
/// it in its `[dev-dependencies]`:
///
/// ```toml
/// [dev-dependencies]
/// datahub-runtime = { path = "…", features = ["testing"] }
/// ```
///
/// `cargo doc --package datahub-runtime --features testing` builds the pages of these items:
///
/// | item | what it is |
/// |---|---|
/// | `Kit::new(metadata)` | a CDMS simulated from the text of its `$metadata`, and a database; both end with the kit |
/// | `kit.hub(models![…])` | a builder for a hub on both: `kit.hub(models![Organisation]).connect().await?` |
/// | `kit.simulator` | CDMS's records, its log, and faults on demand |
/// | `kit.clock`, `kit.advance(time)` | the hub's clock; CDMS's moves with it |
/// | `kit.database()`, `kit.run_sql(sql)`, `kit.rows_of(table)` | direct access to the database |
/// | `FormLogin`, `Records` | a login for tests, and random records of a model |
/// | [`mapping_tests!`](crate::mapping_tests) | tests of mappings, in one line |
///
/// Like the hub, a kit uses SQLite; with the feature `postgres`, and a server's address in `DATAHUB_TEST_DATABASE`, it
/// uses PostgreSQL.
#[doc(alias = "Kit")]
pub mod testing {}

/// Generates four tests of mappings, each over many random records of each model. Needs the feature `testing`.
///
/// ```text
/// #[cfg(test)]
/// mod mappings {
///     datahub_runtime::mapping_tests!(super::Organisation, super::Contact);
/// }
/// ```
///
/// `cargo doc --package datahub-runtime --features testing` shows what each of them detects.
#[macro_export]
macro_rules! mapping_tests {
    ($($model:ty),+ $(,)?) => {};
}
