//! What CDMS cannot hold, or would round without a word, is refused before anything is sent, and waits in quarantine where
//! it comes from CDMS.

use datahub_runtime::Value;
use datahub_runtime::prelude::*;
use rust_decimal::Decimal;

use crate::scene::{Scene, failed, says};

/// A firm with a value of each kind that is not as wide as its type.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "limited_firms", diesel(table = false))]
struct LimitedFirm {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("CreditLimit")]
    credit: Option<Decimal>,
    #[cdms("Revenue")]
    revenue: Option<Decimal>,
    #[cdms("Address1_Latitude")]
    latitude: Option<f64>,
}

async fn read(scene: &Scene) -> (Hub, Synced<LimitedFirm>) {
    let hub = scene.kit.hub(models![LimitedFirm]).program("tests").connect().await.unwrap();
    let firm = LimitedFirm::get(&hub, scene.account.into()).await.unwrap();
    (hub, firm)
}

type Change = fn(&mut LimitedFirm);

const REFUSED: [(Change, &[&str]); 7] = [
    (|firm| firm.name = "Ac\u{B}me".into(), &["Name", "U+000B at position 3"]),
    (|firm| firm.name = "Acme\0".into(), &["Name", "U+0000 at position 5"]),
    (|firm| firm.credit = Some(Decimal::new(922_337_203_685_478, 0)), &["CreditLimit", "beyond ±922337203685477"]),
    (|firm| firm.credit = Some(Decimal::new(1, 5)), &["CreditLimit", "more than 4 decimal places; round it"]),
    (|firm| firm.revenue = Some(Decimal::new(100_051, 4)), &["Revenue", "more than 2 decimal places", "raise `scale`"]),
    (|firm| firm.latitude = Some(-1e12), &["Address1_Latitude", "beyond ±100000000000"]),
    (|firm| firm.latitude = Some(51.507_351), &["Address1_Latitude", "more than 5 decimal places; round it"]),
];

#[tokio::test]
async fn what_cdms_cannot_hold_is_refused_before_anything_is_sent() {
    let scene = Scene::new().await;
    let (hub, firm) = read(&scene).await;
    for (change, words) in REFUSED {
        let mut changed = firm.clone();
        change(&mut changed);
        says(&failed(changed.save(&hub).await, ErrorKind::Invalid), words);
        let mut new = LimitedFirm { name: "Beta".into(), ..LimitedFirm::draft().unwrap() };
        change(&mut new);
        says(&failed(LimitedFirm::create(&hub, new).await, ErrorKind::Invalid), words);
    }
    assert_eq!(scene.commits(), []);
    assert_eq!(scene.open_intents(), 0);
}

#[tokio::test]
async fn what_cdms_should_not_have_waits_in_quarantine() {
    let scene = Scene::new().await;
    let (hub, firm) = read(&scene).await;
    for (attribute, value, words) in [
        ("Name", Value::text("Ac\u{B}me"), "U+000B"),
        ("CreditLimit", Value::Money(Decimal::new(-922_337_203_685_478, 0)), "beyond ±922337203685477"),
        ("Address1_Latitude", Value::Double(1e12), "beyond ±100000000000"),
    ] {
        let before = scene.record();
        scene.kit.simulator.overwrite("Account", scene.account, [(attribute, value)]);
        says(&failed(LimitedFirm::get(&hub, firm.id()).await, ErrorKind::Quarantined), &[attribute, words]);
        scene.kit.simulator.overwrite("Account", scene.account, before);
    }
    // Digits that could not be written are read: there is room for them in the row.
    scene.kit.simulator.overwrite("Account", scene.account, [("Revenue", Value::Money(Decimal::new(100_051, 4)))]);
    assert_eq!(LimitedFirm::get(&hub, firm.id()).await.unwrap().revenue, Some(Decimal::new(100_051, 4)));
}
