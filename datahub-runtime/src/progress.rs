//! How long work gets on: a line that changes on a terminal, and lines of JSON elsewhere.

use std::io::{IsTerminal as _, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::Value;

/// How often a line is written if standard error is no terminal.
const LINES_EVERY: Duration = Duration::from_secs(1);

/// Shows how a pull, a backfill or a sweep gets on, on standard error: for their `on_page`.
///
/// On a terminal it is one line that changes. Elsewhere it is a line of JSON with the report so far, once a second and at
/// the end: `{"work":"Organisation","complete":false,"pages":26,"records":1300,…}`. CDMS does not report the total number of
/// records, so how much is left is unknown.
///
/// ```no_run
/// # use datahub_runtime::{prelude::*, progress};
/// # #[derive(Clone, CdmsSynced)]
/// # #[cdms(mapping = "account.toml", table = "organisations")]
/// # struct Organisation {
/// #     #[cdms(key)]
/// #     id: Id<Organisation>,
/// #     #[cdms("Name")]
/// #     name: String,
/// # }
/// # async fn example(hub: Hub) -> Result<(), Error> {
/// hub.pull::<Organisation>().on_page(progress("Organisation")).await?;
/// # Ok(()) }
/// ```
pub fn progress<R: Serialize>(work: impl Into<String>) -> impl FnMut(&R) + Send + 'static {
    let work = work.into();
    let mut shown: Box<dyn FnMut(&Value) + Send> = if std::io::stderr().is_terminal() {
        let bar = ProgressBar::new_spinner().with_prefix(work.clone());
        // The template is a constant; without it, the default one is shown.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {elapsed}: {msg}") {
            bar.set_style(style);
        }
        Box::new(move |report| {
            bar.set_message(counts(report));
            bar.tick();
            if is_complete(report) {
                bar.finish();
            }
        })
    } else {
        Box::new(lines(work.clone(), std::io::stderr(), LINES_EVERY))
    };
    // A report consists of numbers and flags, which always have a form in JSON.
    move |report: &R| shown(&serde_json::to_value(report).unwrap_or_default())
}

/// Writes reports as lines of JSON, at most one in each time, and the last one.
fn lines(work: String, mut to: impl Write + Send + 'static, every: Duration) -> impl FnMut(&Value) + Send {
    let mut written: Option<Instant> = None;
    move |report| {
        if !is_complete(report) && written.is_some_and(|written| written.elapsed() < every) {
            return;
        }
        written = Some(Instant::now());
        let mut line = serde_json::Map::from_iter([("work".to_owned(), Value::from(work.as_str()))]);
        line.extend(report.as_object().cloned().unwrap_or_default());
        // Work does not fail because its progress is not read.
        _ = writeln!(to, "{}", Value::Object(line));
    }
}

fn is_complete(report: &Value) -> bool {
    report["complete"] == true
}

/// What was counted, in words.
fn counts(report: &Value) -> String {
    let counts = report.as_object().into_iter().flatten().filter_map(|(name, count)| match count.as_u64() {
        None | Some(0) => None,
        Some(count) => Some(format!("{count} {}", name.replace('_', " "))),
    });
    counts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::PullReport;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_report_is_a_line_of_json_now_and_then_and_at_the_end() {
        let written = Written::default();
        let mut show = lines("Organisation".into(), written.clone(), Duration::from_secs(3_600));
        for pages in 1..=3 {
            let report = PullReport { pages, records: pages * 50, complete: pages == 3, ..PullReport::default() };
            show(&serde_json::to_value(report).unwrap());
        }
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let shown: Vec<_> = lines.iter().map(|line| (line["work"].as_str(), line["records"].as_u64())).collect();
        assert_eq!(shown, [(Some("Organisation"), Some(50)), (Some("Organisation"), Some(150))]);
        assert_eq!(counts(&lines[1]), "3 pages, 150 records");
    }
}
