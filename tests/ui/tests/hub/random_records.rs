//! Random records are of every sort that CDMS has, and the tests that draw them heed what variables say of their seeds.

use std::collections::BTreeSet;
use std::process::Command;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Records;
use datahub_runtime::{Attributes, Value};
use rust_decimal::Decimal;

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "lots", diesel(table = false))]
struct Lot {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("Employees")]
    employees: Option<i32>,
    #[cdms("Views")]
    views: Option<i64>,
    #[cdms("Score")]
    score: Option<Decimal>,
    #[cdms("Area")]
    area: Option<f64>,
    #[cdms("Verified")]
    verified: Option<bool>,
}

datahub_runtime::mapping_tests!(Lot);

#[test]
fn they_are_of_every_sort_and_the_same_for_the_same_seed() {
    let records = |seed| Records::of(Lot::DESCRIPTOR, seed).take(500).collect::<Vec<Attributes>>();
    let drawn = records(7);
    assert_eq!(drawn, records(7));
    assert_ne!(drawn, records(8));
    for (name, least) in
        [("Name", 400), ("Employees", 200), ("Views", 200), ("Score", 200), ("Area", 300), ("Verified", 3)]
    {
        let values = || drawn.iter().filter_map(|record| record.get(name));
        let sorts: BTreeSet<String> = values().map(|value| format!("{value:?}")).collect();
        assert!(sorts.len() >= least, "{name} has {} values", sorts.len());
        assert_eq!(values().any(Value::is_null), name != "Name", "{name}");
    }
    let views: Vec<_> = drawn.iter().filter_map(|record| record.get("Views")).collect();
    for end in [i64::MIN, 0, i64::MAX] {
        assert!(views.contains(&&Value::BigInt(end)), "{end}");
    }
}

#[test]
fn a_variable_says_which_seeds_are_tried() {
    let run = |name: &str, value: &str| {
        let mut tests = Command::new(std::env::current_exe().unwrap());
        tests.args(["--exact", "random_records::attributes_survive_the_model"]);
        tests.env_remove("DATAHUB_SEED").env_remove("DATAHUB_SEEDS").env(name, value).output().unwrap()
    };
    for (name, value) in [("DATAHUB_SEED", "7"), ("DATAHUB_SEEDS", "3")] {
        let run = run(name, value);
        assert!(run.status.success() && String::from_utf8_lossy(&run.stdout).contains("1 passed"), "{name}={value}");
    }
    for name in ["DATAHUB_SEED", "DATAHUB_SEEDS"] {
        let run = run(name, "many");
        let told = [run.stdout, run.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert!(!run.status.success() && told.contains(&format!("{name} must be a number, found \"many\"")), "{told}");
    }
}
