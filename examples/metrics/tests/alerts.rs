//! The series are those of the table in `docs/metrics.md`, the example emits all of them, and the alerts use no other.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use datahub_runtime::metrics::{Measure, SERIES};
use datahub_runtime::testing::Kit;
use datahub_runtime::{Settling, Value};
use example_domain::Organisation;
use metrics_exporter_prometheus::PrometheusBuilder;
use saphyr::{LoadableYamlNode, Yaml};

const ALERTS: &str = include_str!("../../../docs/alerts.yml");
const TABLE: &str = include_str!("../../../docs/metrics.md");

/// The names of series in a text.
fn names_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.filter(|word| word.starts_with("datahub_") && *word != "datahub_runtime").collect()
}

/// The names under which Prometheus knows a series.
fn known() -> BTreeSet<String> {
    let names = SERIES.iter().flat_map(|series| match series.measure {
        Measure::Seconds => ["_bucket", "_sum", "_count"].map(|end| format!("{}{end}", series.name)).to_vec(),
        _ => vec![series.name.to_owned()],
    });
    names.collect()
}

/// The text of a key.
fn text<'y>(node: &'y Yaml<'_>, key: &str) -> &'y str {
    let value = node.as_mapping_get(key).and_then(Yaml::as_str);
    value.unwrap_or_else(|| panic!("no text {key:?} in {node:?}"))
}

#[test]
fn the_alerts_are_rules_that_use_known_series_only() {
    let documents = Yaml::load_from_str(ALERTS).expect("docs/alerts.yml is YAML");
    let [file] = &documents[..] else { panic!("{} documents", documents.len()) };
    let groups = file.as_mapping_get("groups").and_then(Yaml::as_vec).expect("groups");
    let rules = groups.iter().flat_map(|group| {
        assert!(!text(group, "name").is_empty());
        group.as_mapping_get("rules").and_then(Yaml::as_vec).expect("rules")
    });
    let (mut alerts, mut used) = (BTreeSet::new(), BTreeSet::new());
    for rule in rules {
        let keys = rule.as_mapping().expect("a rule is a mapping").keys().map(|key| key.as_str().expect("a key"));
        for key in keys {
            assert!(["alert", "expr", "for", "labels", "annotations"].contains(&key), "Prometheus knows no {key:?}");
        }
        let (alert, expression) = (text(rule, "alert"), text(rule, "expr"));
        assert!(alerts.insert(alert.to_owned()), "{alert} twice");
        let names = names_in(expression);
        assert!(!names.is_empty(), "{alert} is about no series");
        for name in names {
            assert!(known().contains(name), "{alert} uses the unknown series {name}");
            used.insert(name.to_owned());
        }
        let balanced = |open: char, close: char| expression.matches(open).count() == expression.matches(close).count();
        assert!(balanced('(', ')') && balanced('{', '}') && balanced('[', ']'), "{alert}: {expression}");
        let lasts = rule.as_mapping_get("for").map(|lasts| lasts.as_str().expect("a duration"));
        assert!(lasts.is_none_or(|lasts| lasts.ends_with(['m', 'h'])), "{alert}: {lasts:?}");
        assert!(["page", "ticket"].contains(&text(rule.as_mapping_get("labels").expect("labels"), "severity")));
        let annotations = rule.as_mapping_get("annotations").expect("annotations");
        assert!(!text(annotations, "summary").is_empty() && !text(annotations, "action").is_empty(), "{alert}");
    }
    // What an operator must not overlook has an alert.
    for name in [
        "datahub_login_refused",
        "datahub_oldest_open_write_seconds",
        "datahub_quarantined_records",
        "datahub_pulled_as_of_timestamp_seconds",
        "datahub_swept_as_of_timestamp_seconds",
        "datahub_errors_total",
    ] {
        assert!(used.contains(name), "no alert about {name}");
    }
}

#[test]
fn the_table_has_every_series_with_its_labels() {
    for series in SERIES {
        let row = TABLE.lines().find(|line| line.starts_with(&format!("| `{}` |", series.name)));
        let row = row.unwrap_or_else(|| panic!("docs/metrics.md lacks {}", series.name));
        let labels = row.split('|').nth(2).expect("a column of labels");
        let labels: Vec<_> = labels.split(',').map(|label| label.trim().trim_matches('`')).collect();
        assert_eq!(labels.join(","), series.labels.join(","), "{}", series.name);
    }
    let names: BTreeSet<_> = SERIES.iter().map(|series| series.name).collect();
    assert_eq!(names_in(TABLE), names);
}

#[tokio::test]
async fn a_program_tells_what_others_have_done_and_left() {
    let kit = Kit::new(example_domain::METADATA);
    kit.simulator.seed("Account", [("Name", Value::text("Acme"))]);
    kit.simulator.seed("Account", [("Name", Value::Null)]);
    let other = kit.hub(example_domain::models()).connect().await.unwrap();
    other.pull::<Organisation>().await.unwrap();
    other.sweep::<Organisation>().await.unwrap();

    let recorder = PrometheusBuilder::new().build_recorder();
    let page = recorder.handle();
    // All tasks of this test run on its thread.
    let _here = metrics::set_default_local_recorder(&recorder);
    let _hub = kit.hub(example_domain::models()).settling(Settling::InBackground).connect().await.unwrap();
    let seconds = kit.simulator.clock().now_ms() / 1_000;
    let lines = [
        format!("datahub_pulled_as_of_timestamp_seconds{{model=\"Organisation\"}} {seconds}"),
        format!("datahub_swept_as_of_timestamp_seconds{{model=\"Organisation\"}} {seconds}"),
        "datahub_quarantined_records 1".to_owned(),
        "datahub_open_writes 0".to_owned(),
    ];
    let all = async {
        while !lines.iter().all(|line| page.render().lines().any(|other| other == line)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let is_told = tokio::time::timeout(Duration::from_secs(60), all).await.is_ok();
    assert!(is_told, "{lines:#?} are not all in:\n{}", page.render());
    assert!(!page.render().contains("model=\"Contact\""), "no program has pulled it");
}

#[test]
fn the_example_emits_every_series_with_the_labels_of_the_table() {
    let run = Command::new(env!("CARGO_BIN_EXE_example-metrics")).output().expect("the example runs");
    let page = String::from_utf8(run.stdout).expect("text");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    for series in SERIES {
        assert!(page.contains(&format!("# HELP {} ", series.name)), "{} is not described:\n{page}", series.name);
        let name =
            if series.measure == Measure::Seconds { format!("{}_count", series.name) } else { series.name.into() };
        let line = page.lines().find(|line| line.strip_prefix(&*name).is_some_and(|rest| rest.starts_with(['{', ' '])));
        let line = line.unwrap_or_else(|| panic!("no {name} in:\n{page}"));
        let labels = line.split_once('{').map_or("", |(_, rest)| rest.split('}').next().unwrap_or_default());
        let labels = labels.split(',').filter(|label| !label.is_empty());
        let labels: Vec<_> = labels.map(|label| label.split('=').next().unwrap_or_default()).collect();
        assert_eq!(labels, series.labels, "{line}");
    }
    for line in [
        r#"datahub_errors_total{error="quarantined"} 1"#,
        r#"datahub_errors_total{error="unsettled"} 1"#,
        r#"datahub_errors_total{error="unavailable"} 1"#,
        r#"datahub_operations_total{kind="pull",model="Organisation",outcome="ok"} 1"#,
        r#"datahub_writes_settled_total{verdict="applied"} 1"#,
        r#"datahub_unreachable{side="CDMS"} 0"#,
        "datahub_quarantined_records 1",
        "datahub_open_writes 0",
    ] {
        assert!(page.lines().any(|other| other == line), "no {line} in:\n{page}");
    }
}
