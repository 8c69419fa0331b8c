//! Prints the story: numbered steps, each with its checks and its cost.

use std::error::Error;
use std::io::{IsTerminal as _, Write as _};

use datahub_runtime::{Cost, Hub};

/// The result of a step, or why it failed.
pub(crate) type StepResult<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The story so far.
pub(crate) struct Story {
    steps: usize,
    colour: bool,
}

/// One step, and the cost before it began.
pub(crate) struct Step {
    hub: Hub,
    begun: Cost,
    colour: bool,
}

impl Story {
    /// Begins with a title.
    pub(crate) fn begin(title: &str) -> Self {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let story = Story { steps: 0, colour };
        say(&format!("{}\n", paint(colour, "1", title)));
        story
    }

    /// Prints a line without a check.
    pub(crate) fn note(&self, text: &str) {
        say(&format!("  {text}"));
    }

    /// Begins a step.
    pub(crate) fn step(&mut self, hub: &Hub, title: &str) -> Step {
        self.steps += 1;
        say(&format!("\n{}", paint(self.colour, "1;36", &format!("{:2}. {title}", self.steps))));
        Step { hub: hub.clone(), begun: hub.cost(), colour: self.colour }
    }

    /// Ends after all steps passed.
    pub(crate) fn end(&self) {
        say(&format!("\n{}", paint(self.colour, "1;32", &format!("All {} steps passed.", self.steps))));
    }

    /// Ends after a step failed.
    pub(crate) fn broken(&self, error: &dyn std::fmt::Display) {
        say(&format!("\n{}", paint(self.colour, "1;31", &format!("Step {} failed: {error}", self.steps))));
    }
}

impl Step {
    /// Checks a claim of the story.
    pub(crate) fn check(&self, holds: bool, claim: &str) -> StepResult<()> {
        if !holds {
            return Err(format!("this does not hold: {claim}").into());
        }
        say(&format!("    {} {claim}", paint(self.colour, "32", "✓")));
        Ok(())
    }

    /// Prints the cost of the step so far, and checks the number of requests.
    pub(crate) fn cost(&self, requests: u64) -> StepResult<()> {
        let cost = self.hub.cost() - self.begun;
        say(&format!("    {}", paint(self.colour, "2", &cost.to_string())));
        if cost.requests != requests {
            return Err(format!("expected {requests} requests, found {}", cost.requests).into());
        }
        Ok(())
    }

    /// Quotes a text of the hub.
    pub(crate) fn says(&self, text: &str) {
        for line in text.lines() {
            say(&format!("    │ {line}"));
        }
    }
}

fn paint(colour: bool, code: &str, text: &str) -> String {
    if colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

fn say(line: &str) {
    // The checks go on even if the output is not read any more.
    _ = writeln!(std::io::stdout(), "{line}");
}
