//! Every entity of a whole `$metadata` document as a contract and a model: what writes them, for the build and the tests.
//!
//! The build script makes a document as large and as irregular as a real one (`document`), writes a project for it
//! (`project`), and the test programs `batch_1` to `batch_4` compile its models and convert random records both ways. The
//! test `census` has the counts, and holds every contract against the document. `DATAHUB_METADATA` names a real document in
//! place of the generated one, by its whole path, because a build script does not know from where cargo was called:
//!
//! ```console
//! $ DATAHUB_METADATA=$PWD/metadata.xml cargo test --package datahub-schema-tests -- --nocapture
//! ```

pub mod census;
pub mod document;
pub mod mapping;
pub mod names;
pub mod project;
pub mod vocabulary;
