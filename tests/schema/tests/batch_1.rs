//! The first of four batches of models: that they compile, and that random records survive them.

mod both_ways;

#[allow(missing_docs, unreachable_pub, dead_code, unused_imports, reason = "written by the build script")]
mod models {
    use chrono::{DateTime, NaiveDate, Utc};
    use datahub_runtime::prelude::*;
    use rust_decimal::Decimal;
    use uuid::Uuid;

    include!(concat!(env!("OUT_DIR"), "/project/batch_1.rs"));
}

#[test]
fn records_survive_every_model() {
    println!("{}", both_ways::survive(&models::all()));
}
