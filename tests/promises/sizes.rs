//! How many bytes a record takes in the database: the engine's tables beside the model's own.

use std::collections::BTreeMap;

use datahub_runtime::Value;
use datahub_runtime::testing::Kit;
use example_domain::Organisation;
use uuid::Uuid;

/// How many records there are.
const RECORDS: u64 = 1_000;

/// An organisation as real ones are: half of its attributes have a value. Its id is always the same.
fn organisation(number: u64) -> [(&'static str, Value); 16] {
    let text = |what: &str| Value::text(format!("{what} {number:04}"));
    let id = u128::from(number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    [
        ("AccountId", Value::Guid(Uuid::from_u128(id))),
        ("Name", text("Firm")),
        ("optevia_Alias", text("Alias")),
        ("optevia_CompaniesHouseNumber", Value::text(format!("{number:08}"))),
        ("Description", text("A company that does business with government, since the year")),
        ("WebSiteURL", Value::text(format!("https://firm-{number:04}.example"))),
        ("optevia_ukorganisation", Value::Boolean(true)),
        ("optevia_Address1", text("High Street")),
        ("optevia_TownCity", Value::text("Leeds")),
        ("optevia_PostCode", Value::text("LS1 1AA")),
        ("optevia_CountryCode", Value::text("+44")),
        ("optevia_AreaCode", Value::text("113")),
        ("optevia_TelephoneNumber", Value::text(format!("{number:07}"))),
        ("EMailAddress1", Value::text(format!("office@firm-{number:04}.example"))),
        ("CreditLimit", Value::Money((10_000 + number).into())),
        ("Address1_Latitude", Value::Double(53.75)),
    ]
}

/// The bytes of a file's pages for each record, by table, with its indexes.
fn bytes_by_table(kit: &Kit) -> BTreeMap<String, u64> {
    kit.run_sql(
        "CREATE TABLE sizes AS SELECT part.tbl_name AS name, sum(page.pgsize) AS bytes FROM dbstat AS page \
         JOIN sqlite_master AS part ON part.name = page.name GROUP BY part.tbl_name",
    )
    .unwrap();
    let found = kit.rows_of("sizes").into_iter().map(|row| {
        let (name, bytes) = row.strip_prefix("name='").unwrap().split_once("' bytes=").unwrap();
        (name.to_owned(), bytes.parse::<u64>().unwrap() / RECORDS)
    });
    let found = found.collect();
    kit.run_sql("DROP TABLE sizes").unwrap();
    found
}

/// The pages of a SQLite file are the same in every run, so these are exact. A change that makes them larger must be worth it.
#[tokio::test]
async fn a_first_load_takes_so_many_bytes_for_each_record() {
    let kit = Kit::on_sqlite(example_domain::METADATA);
    for number in 0..RECORDS {
        kit.simulator.seed("Account", organisation(number));
    }
    let hub = kit.hub(example_domain::models()).connect().await.unwrap();
    assert_eq!(hub.pull::<Organisation>().await.unwrap().first_seen, RECORDS);
    let bytes = bytes_by_table(&kit);
    let (model, records, history) = (bytes["organisations"], bytes["datahub_records"], bytes["datahub_history"]);
    assert_eq!((model, records, history), (294, 548, 196));
    // With names in each record, it would be 4.5 times the bytes of the model's table.
    assert!((records + history) * 10 < model * 26, "{bytes:?}");
}
