//! Local fields hold what the database can hold; anything else is refused before anything is written.

use datahub_runtime::Value;
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use rust_decimal::Decimal;

use crate::METADATA;

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "plots", diesel(table = false))]
struct Plot {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms(local, sql_type = "double")]
    share: Option<f64>,
    #[cdms(local, sql_type = "decimal")]
    weight: Decimal,
    #[cdms(local, sql_type = "choice")]
    soil: Option<i32>,
}

#[tokio::test]
async fn what_the_database_cannot_hold_is_refused_before_anything_is_written() {
    let kit = Kit::new(METADATA);
    let hub = kit.hub(models![Plot]).create_tables().connect().await.unwrap();
    let plot = Plot { id: Id::new(), name: "North".into(), share: Some(0.5), weight: Decimal::ONE, soil: Some(3) };
    let plot = Plot::create(&hub, plot).await.unwrap();
    let written = kit.simulator.log().len();
    for (share, weight, says) in [
        (Some(f64::NAN), Decimal::ONE, "`share`: is NaN, which the database cannot store"),
        (None, Decimal::MAX, "`weight`: cannot be stored exactly with 4 decimal places in 64 bits"),
        (None, Decimal::new(1, 5), "`weight`: cannot be stored exactly with 4 decimal places in 64 bits"),
    ] {
        let mut changed = plot.clone();
        (changed.name, changed.share, changed.weight) = ("South".into(), share, weight);
        let error = changed.save(&hub).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    assert_eq!(kit.simulator.log().len(), written);
    let kept = Plot::get(&hub, plot.id()).freshness(Freshness::LocalOnly).await.unwrap();
    assert_eq!(*kept, *plot);
}

#[tokio::test]
async fn their_changes_are_told_in_their_kind() {
    let kit = Kit::new(METADATA);
    let hub = kit.hub(models![Plot]).create_tables().connect().await.unwrap();
    let plot = Plot { id: Id::new(), name: "North".into(), share: None, weight: Decimal::ONE, soil: Some(3) };
    let mut plot = Plot::create(&hub, plot).await.unwrap();
    (plot.share, plot.weight, plot.soil) = (Some(0.5), Decimal::new(25, 1), Some(4));
    plot.save(&hub).await.unwrap();
    let history = Plot::history(&hub, plot.id()).await.unwrap();
    let told: Vec<_> = history[1].changes.iter().map(|change| (change.from.clone(), change.to.clone())).collect();
    let expected = [
        (Some(Value::Null), Some(Value::Double(0.5))),
        (Some(Value::Decimal(Decimal::ONE)), Some(Value::Decimal(Decimal::new(25, 1)))),
        (Some(Value::Choice(3)), Some(Value::Choice(4))),
    ];
    assert_eq!(told, expected);
}
