//! How many bytes each table has on the disk, with its indexes.

use crate::places::Place;
use crate::report::Measurement;
use crate::turns::Quartiles;

const SUITE: &str = "size";

/// The hub's table of rows, and the floor's.
const ROWS: [&str; 2] = ["organisations", "bare_organisations"];

/// Prints the bytes for each record of the tables at a place: of the hub's one by one, and in sum beside the rows'.
pub(crate) async fn print(place: &Place, records: u64) {
    let sizes = place.sizes().await;
    let each = |bytes: u64| bytes as f64 / records as f64;
    let of_rows = ROWS.map(|rows| each(sizes.iter().find(|(table, _)| table == rows).unwrap().1));
    let measurement = |what: String, bytes: f64, rows: Option<f64>| Measurement {
        suite: SUITE,
        what,
        database: place.kind.name().to_owned(),
        measure: "bytes per record",
        unit: "B",
        samples: usize::try_from(records).unwrap(),
        hub: Quartiles::once(bytes),
        floor: rows.map(Quartiles::once),
        ratio: rows.map(|rows| Quartiles::once(bytes / rows)),
        ..Measurement::default()
    };
    let beside =
        |prefix: &str| sizes.iter().filter(|(table, _)| table.starts_with(prefix)).map(|(_, bytes)| bytes).sum();
    for (table, bytes) in sizes.iter().filter(|(table, _)| table == ROWS[0] || table.starts_with("datahub_")) {
        // An empty table has a page or two, whatever the number of records.
        if each(*bytes) >= 1.0 {
            measurement(format!("`{table}`"), each(*bytes), None).print();
        }
    }
    measurement("the engine's tables, beside the model's".to_owned(), each(beside("datahub_")), Some(of_rows[0]))
        .print();
    let of_floor: u64 = beside("bare_");
    let kept = each(of_floor) - of_rows[1];
    measurement("what the floor keeps, beside its rows".to_owned(), kept, Some(of_rows[1])).print();
}
