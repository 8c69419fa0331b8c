//! A report of the first contact for people: a line for each step, with a sign in front.

use std::fmt;

use super::{ConnectionReport, State, Step};

/// How wide the signs and the topics are.
const WIDTH: usize = 15;

/// Models of which a step says the same share a line.
impl fmt::Display for ConnectionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CDMS at {}", self.address)?;
        let mut rest = self.steps.as_slice();
        while let Some(first) = rest.first() {
            let same = |step: &Step| step.topic == first.topic && step.state == first.state;
            let count = rest.iter().take_while(|step| same(step)).count();
            let (alike, others) = rest.split_at(count);
            line(f, alike, first)?;
            rest = others;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = self.model.as_ref().map(|model| format!(" of {model}")).unwrap_or_default();
        write!(f, "{}{model}: {}", self.topic.name(), words(&self.state))?;
        match help(&self.state) {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

fn line(f: &mut fmt::Formatter<'_>, alike: &[Step], first: &Step) -> fmt::Result {
    let models: Vec<_> = alike.iter().filter_map(|step| step.model.as_deref()).collect();
    let models = if models.is_empty() { String::new() } else { format!("{}: ", models.join(", ")) };
    let title = format!("{} {}", sign(&first.state), first.topic.name());
    write!(f, "\n{title:<WIDTH$} {models}{}", words(&first.state))?;
    match help(&first.state) {
        Some(help) => write!(f, "\n{:WIDTH$} help: {help}", ""),
        None => Ok(()),
    }
}

fn sign(state: &State) -> char {
    match state {
        State::Works { .. } => '✓',
        State::Fails { .. } => '✗',
        State::Unknown { .. } => '?',
        State::NotTried { .. } => '–',
    }
}

fn words(state: &State) -> String {
    match state {
        State::Works { says } | State::Fails { says, .. } | State::Unknown { says, .. } => says.clone(),
        State::NotTried { because } => format!("not tried, because {because}"),
    }
}

fn help(state: &State) -> Option<&str> {
    match state {
        State::Fails { help, .. } | State::Unknown { help, .. } => Some(help),
        State::Works { .. } | State::NotTried { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Topic;
    use super::*;

    #[test]
    fn each_step_has_its_sign_and_equal_ones_share_a_line() {
        let step = |topic, model: Option<&str>, state| Step { topic, model: model.map(str::to_owned), state };
        let because = || State::not_tried("a try would change data");
        let report = ConnectionReport {
            address: "https://crm.example.gov.uk/ORG".to_owned(),
            steps: vec![
                step(Topic::Address, None, State::works("crm.example.gov.uk:443 answers")),
                step(Topic::User, None, State::not_tried("it was not named")),
                step(Topic::Read, Some("Organisation"), State::fails("it may not", "ask")),
                step(Topic::Read, Some("Contact"), State::unknown("CDMS is busy", "wait")),
                step(Topic::Write, Some("Organisation"), because()),
                step(Topic::Write, Some("Contact"), because()),
            ],
            requests: 4,
        };
        let expected = "CDMS at https://crm.example.gov.uk/ORG
✓ address       crm.example.gov.uk:443 answers
– user          not tried, because it was not named
✗ read          Organisation: it may not
                help: ask
? read          Contact: CDMS is busy
                help: wait
– write         Organisation, Contact: not tried, because a try would change data";
        assert_eq!(report.to_string(), expected);
        let faults: Vec<_> = report.faults().map(ToString::to_string).collect();
        assert_eq!(faults, ["read of Organisation: it may not; ask", "read of Contact: CDMS is busy; wait"]);
        assert!(!report.is_fine() && !report.is_reached());
        let json = serde_json::to_value(&report).unwrap();
        let fails = serde_json::json!({"step": "read", "model": "Organisation", "state": "fails", "says": "it may not", "help": "ask"});
        assert_eq!((&json["steps"][2], &json["requests"]), (&fails, &4.into()));
        assert_eq!(json["steps"][1]["because"], "it was not named");
    }
}
