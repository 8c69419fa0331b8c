//! The walk through a machine's answers.

use std::fmt::Write as _;

use datahub_protocol::{Action, Answer, Committed, Event, Fetched, Loaded, LoginFailure, Machine, Version};

use crate::show::{Show, indented};

/// Answers by name, the ordinary one first.
pub(crate) type Answers<T> = Vec<(&'static str, T)>;

/// The answers to a machine's actions. The lists of a repeated action are used in turn, and the last one is reused.
#[derive(Clone)]
pub(crate) struct Scenario {
    pub(crate) loaded: Vec<Answers<Loaded>>,
    pub(crate) fetched: Vec<Answers<Fetched<String>>>,
    pub(crate) committed: Vec<Answers<Committed>>,
    pub(crate) answered: Vec<Answers<Answer<String>>>,
    pub(crate) logged_in: Answers<Result<(), LoginFailure>>,
    /// How many answers of one walk may differ from the ordinary ones.
    pub(crate) deviations: u8,
}

/// The possible results of a transaction; a successful one makes version 9.
pub(crate) fn commits() -> Answers<Committed> {
    vec![
        ("done", Committed::Done(Version(9))),
        ("lost", Committed::Lost),
        ("refused", Committed::Refused("CHECK".into())),
        ("store down", Committed::Unavailable("down".into())),
    ]
}

/// How often each action was requested so far.
#[derive(Clone, Copy, Default)]
struct Confirmation {
    loads: usize,
    fetches: usize,
    commits: usize,
    sends: usize,
}

/// More steps than any operation takes.
const STEPS_MAX: usize = 60;

/// The whole walk as text.
pub(crate) fn walk<M>(machine: M, scenario: &Scenario) -> String
where
    M: Machine<Fault = String> + Clone,
    M::Output: Show + Clone,
{
    let mut text = String::new();
    let mut machine = machine;
    let action = machine.step(Event::Start);
    _ = writeln!(text, "{} → {}", M::NAME, action.show());
    go_on(&mut text, 0, machine, action, Confirmation::default(), scenario, scenario.deviations);
    text
}

fn go_on<M>(
    text: &mut String,
    depth: usize,
    mut machine: M,
    mut action: Action<M::Output, String>,
    mut asked: Confirmation,
    scenario: &Scenario,
    deviations: u8,
) where
    M: Machine<Fault = String> + Clone,
    M::Output: Show + Clone,
{
    for _ in 0..STEPS_MAX {
        let mut events = scenario.answers(&action, &mut asked).into_iter();
        let Some((name, ordinary)) = events.next() else { return };
        for (name, event) in events.filter(|_| deviations > 0) {
            let mut other = machine.clone();
            let next = other.step(event);
            _ = writeln!(text, "{}{name} → {}", indented(depth + 1), next.show());
            go_on(text, depth + 2, other, next, asked, scenario, deviations - 1);
        }
        action = machine.step(ordinary);
        _ = writeln!(text, "{}{name} → {}", indented(depth), action.show());
    }
    panic!("an operation that takes more than {STEPS_MAX} steps:\n{text}");
}

impl Scenario {
    fn answers<O>(&self, action: &Action<O, String>, asked: &mut Confirmation) -> Answers<Event<String>> {
        match action {
            Action::Lock => vec![("locked", Event::Locked)],
            Action::Load => named(&self.loaded, &mut asked.loads, |loaded| Event::Loaded(Box::new(loaded))),
            Action::Fetch => named(&self.fetched, &mut asked.fetches, Event::Fetched),
            Action::Commit(_) => named(&self.committed, &mut asked.commits, Event::Committed),
            Action::Send { .. } => named(&self.answered, &mut asked.sends, Event::Answered),
            Action::Login => named(std::slice::from_ref(&self.logged_in), &mut 0, Event::LoggedIn),
            Action::Pause { .. } => vec![("resumed", Event::Resumed)],
            Action::Done(_) => Vec::new(),
        }
    }
}

fn named<T: Clone>(
    turns: &[Answers<T>],
    asked: &mut usize,
    event: impl Fn(T) -> Event<String>,
) -> Answers<Event<String>> {
    let turn = turns.get(*asked).or(turns.last()).expect("a scenario answers every action it meets");
    *asked += 1;
    turn.iter().map(|(name, answer)| (*name, event(answer.clone()))).collect()
}
