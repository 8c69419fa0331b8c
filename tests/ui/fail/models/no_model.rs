//! A struct that is no model.

use datahub_runtime::prelude::*;

#[derive(Clone)]
struct Country;

fn main() {
    models![Country];
}
