//! Contracts that people laid out in their own way: a merge leaves them valid.
#![cfg(test)]

use datahub_import::{Entity, Source, Wanted, merge, unite};
use datahub_model::source::Contract;

const METADATA: &str = include_str!("fixtures/metadata.xml");
const SOLUTION: &str = include_str!("fixtures/customizations.xml");

fn order(sources: &[&str]) -> Entity {
    let sources: Vec<_> = sources.iter().map(|text| Source::read("source", text.as_bytes()).unwrap()).collect();
    let wanted = Wanted { entities: Some(vec!["acme_shipmentorder".to_owned()]), zone: None };
    unite(&sources, &wanted).unwrap().entities.remove(0)
}

fn replaced(text: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in {text}");
        text.replacen(from, to, 1)
    })
}

#[test]
fn a_contract_with_tables_on_one_line_stays_valid() {
    let start = "entity = \"acme_shipmentorder\"\nattributes = { acme_Parcels = { kind = \"integer\" }, acme_Weight = { kind = \"decimal\", scale = \"?\" }, \
                 acme_name = { kind = \"string\", max-length = 100, required = \"on-forms\" } }\n";
    for tables in ["", "unmapped = { acme_Factor = \"too many digits\" }\n"] {
        let ours = format!("{start}{tables}");
        let now = order(&[METADATA, SOLUTION]);
        let merged = merge(Some(&ours), None, &now, true).unwrap();
        assert!(Contract::parse(&merged.text).into_result().is_ok(), "{}", merged.text);
        for expected in ["acme_Weight = { kind = \"decimal\", scale = 3 }, ", ", acme_remarks = { kind = \"string\", "]
        {
            assert!(merged.text.contains(expected), "{}", merged.text);
        }
        let changed = order(&[
            &replaced(
                METADATA,
                &[("    <Property Name=\"acme_Parcels\" Type=\"Edm.Int32\" Nullable=\"true\"/>\n", "")],
            ),
            &replaced(SOLUTION, &[("<Accuracy>3</Accuracy>", "<Accuracy>4</Accuracy>")]),
        ]);
        let merged = merge(Some(&merged.text), Some(&merged.base), &changed, false).unwrap();
        assert!(Contract::parse(&merged.text).into_result().is_ok(), "{}", merged.text);
        assert!(
            merged.text.contains("attributes = { acme_Weight = { kind = \"decimal\", scale = 4 }, "),
            "{}",
            merged.text
        );
    }
}

/// Inline tables over several lines, dotted keys, tables of their own: the merge is valid and keeps the comments, or is refused.
#[test]
fn every_layout_is_merged_or_refused() {
    let now = order(&[METADATA, SOLUTION]);
    let mut merged = 0;
    for layout in [
        "attributes = {\n    acme_Parcels = { kind = \"integer\" }, # counted\n    acme_Weight = { kind = \"decimal\", scale = \"?\" }, # in kilograms\n}\n",
        "attributes = {\n    acme_Parcels = { kind = \"integer\" }, # counted\n    acme_Weight = { kind = \"decimal\", scale = \"?\" } # in kilograms\n}\n",
        "attributes.acme_Parcels = { kind = \"integer\" } # counted\nattributes.acme_Weight = { kind = \"decimal\", scale = \"?\" } # in kilograms\n",
        "[attributes]\nacme_Parcels.kind = \"integer\" # counted\nacme_Weight.kind = \"decimal\" # in kilograms\nacme_Weight.scale = \"?\"\n",
        "[attributes.acme_Parcels] # counted\nkind = \"integer\"\n\n[attributes.acme_Weight] # in kilograms\nkind = \"decimal\"\nscale = \"?\"\n",
    ] {
        let ours = format!("entity = \"acme_shipmentorder\"\n{layout}");
        match merge(Some(&ours), None, &now, true) {
            Ok(result) => {
                assert!(Contract::parse(&result.text).into_result().is_ok(), "{}", result.text);
                for kept in ["# counted\n", "# in kilograms\n", "acme_remarks"] {
                    assert!(result.text.contains(kept), "{kept} in {}", result.text);
                }
                merged += 1;
            }
            Err(error) => assert!(error.contains("as it is laid out"), "{error}"),
        }
    }
    assert!(merged >= 3, "{merged}");
}
