//! Shows how a run gets on: a line that changes on a terminal, otherwise only what should be kept.

use std::io::IsTerminal as _;
use std::time::Duration;

use datahub_runtime::migration::MigrationEvent;
use indicatif::ProgressBar;

use super::shown;

/// A function that shows what happens, on standard error.
pub(super) fn shown() -> impl FnMut(&MigrationEvent) + Send + 'static {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    bar.enable_steady_tick(Duration::from_millis(120));
    move |event| {
        match shown::note(event) {
            Some((text, true)) if bar.is_hidden() => crate::output::note(&text),
            Some((text, true)) => bar.println(text),
            Some((text, false)) => bar.set_message(text),
            None => {}
        }
        if matches!(event, MigrationEvent::Applied(_)) {
            bar.tick();
        }
    }
}

/// Waits for a run, and shows meanwhile how it gets on.
pub(crate) fn wait<T>(run: impl Future<Output = T>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.map_err(|error| format!("cannot wait for the database: {error}"))?.block_on(run))
}
