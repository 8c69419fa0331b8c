//! The first contact, tried step by step: each step rests on those before it, and nothing is written.

mod words;

use std::collections::HashMap;

use cdms_odata::dialect::{Contact, ContactAnswer, HttpResponse, TrialAnswer};
use cdms_odata::metadata::{EntityUse, Metadata};
use http::StatusCode;

use super::client::{Broken, Client, Expecting};
use super::cookie_session::asks_for_password;
use super::documents::accepted;
use super::transport::{Lost, NoResponse, NotSent};
use super::troubles::Seen;
use crate::Error;
use crate::connection::{CheckedModel, ConnectionReport, State, Step, Topic};
use words::{CHECK_ADDRESS, LATER, SCHEMA_HELP};

/// What is asked for.
pub(crate) struct Questions {
    /// The models whose rights and schema are looked at.
    pub(crate) models: Vec<CheckedModel>,
    /// The organisation whose data the database holds, if there is a database that can be read; `None` inside if it holds none
    /// yet.
    pub(crate) known: Option<Result<Option<String>, Error>>,
    /// Whether `$metadata` is read even if no model needs it.
    pub(crate) wants_metadata: bool,
}

/// Why no further step is tried.
type Stop = &'static str;

const SILENT: Stop = "the address does not answer";
const INSECURE: Stop = "there is no secure connection";
const NO_SESSION: Stop = "there is no login";
const NO_ORGANISATION: Stop = "the organisation is not known";
const LOST: Stop = "CDMS no longer answers";

/// The steps that are planned, and what came of those that were tried: always of the first ones.
struct Steps {
    planned: Vec<(Topic, Option<String>)>,
    found: Vec<State>,
}

impl Steps {
    fn of(questions: &Questions) -> Self {
        let mut planned: Vec<_> = [Topic::Address, Topic::Tls, Topic::Login, Topic::Organisation, Topic::User]
            .into_iter()
            .map(|topic| (topic, None))
            .collect();
        let of_models = |topic, models: &mut dyn Iterator<Item = &CheckedModel>| -> Vec<_> {
            models.map(|model| (topic, Some(model.name.clone()))).collect()
        };
        planned.extend(of_models(Topic::Read, &mut questions.models.iter()));
        planned.extend(of_models(Topic::Write, &mut questions.models.iter().filter(|model| model.is_written)));
        planned.extend(of_models(Topic::Schema, &mut questions.models.iter()));
        if questions.models.is_empty() && questions.wants_metadata {
            planned.push((Topic::Schema, None));
        }
        Steps { planned, found: Vec::new() }
    }

    /// Notes what came of the next step.
    fn push(&mut self, state: State) {
        self.found.push(state);
    }

    /// The steps; those that were not tried say why.
    fn done(self, stop: Option<Stop>) -> Vec<Step> {
        let untried = std::iter::repeat_with(|| State::not_tried(stop.unwrap_or(LOST)));
        let states = self.found.into_iter().chain(untried);
        self.planned.into_iter().zip(states).map(|((topic, model), state)| Step { topic, model, state }).collect()
    }
}

impl Client {
    /// Tries the first contact, and returns the `$metadata` that it has read, too. Two requests and those of a login, one for a
    /// user that is named, one for each set of the models, and one for `$metadata`. Dropping the future stops between two
    /// requests; a login that was under way counts as tried.
    pub(crate) async fn check_connection(&self, questions: &Questions) -> (ConnectionReport, Option<Metadata>) {
        let mut steps = Steps::of(questions);
        let (metadata, stop) = match self.try_steps(&mut steps, questions).await {
            Ok(metadata) => (metadata, None),
            Err(stop) => (None, Some(stop)),
        };
        let address = self.dialect.organisation().as_str().trim_end_matches('/').to_owned();
        (ConnectionReport { address, steps: steps.done(stop), requests: 0 }, metadata)
    }

    async fn try_steps(&self, steps: &mut Steps, questions: &Questions) -> Result<Option<Metadata>, Stop> {
        let outside = self.try_address(steps).await?;
        let response = self.try_login(steps, &outside).await?;
        let state = self.organisation(&response, questions.known.as_ref());
        let is_known = matches!(state, State::Works { .. });
        steps.push(state);
        if !is_known {
            return Err(NO_ORGANISATION);
        }
        self.try_user(steps).await?;
        self.try_reads(steps, &questions.models).await?;
        for _ in questions.models.iter().filter(|model| model.is_written) {
            steps.push(State::not_tried("a try would change data"));
        }
        Ok(self.try_schema(steps, questions).await)
    }

    /// Whether the address answers at all, and over TLS: one request without a session, whose answer is returned.
    async fn try_address(&self, steps: &mut Steps) -> Result<HttpResponse, Stop> {
        let service = self.dialect.root();
        let host = service.host_str().unwrap_or_default();
        let place = match service.port_or_known_default() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let no_response = match self.transport.plain_request().await {
            Ok(response) if response.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                let says = format!("the proxy on the way to {place} asks for a login of its own (status 407)");
                steps.push(State::fails(says, words::PROXY_LOGIN));
                return Err(SILENT);
            }
            Ok(response) => {
                steps.push(State::works(format!("{place} answers")));
                steps.push(if service.scheme() == "https" {
                    State::works(format!("the certificate is one of {host}, from an authority that is trusted"))
                } else {
                    State::not_tried("the address begins with http://, so nothing is encrypted")
                });
                return Ok(response);
            }
            Err(no_response) => no_response,
        };
        if let NoResponse::NotSent(NotSent::Tls { .. }) = &no_response {
            steps.push(State::works(format!("{place} accepts connections")));
            steps.push(words::insecure(&no_response));
            return Err(INSECURE);
        }
        steps.push(words::silent(host, &place, &no_response));
        Err(SILENT)
    }

    /// Logs in unless there is a session, and asks in it for the organisation: the answer shows whether CDMS takes it.
    /// `outside` is what was answered without a session.
    async fn try_login(&self, steps: &mut Steps, outside: &HttpResponse) -> Result<HttpResponse, Stop> {
        let question = self.dialect.contact(Contact::Organisation);
        let user = self.logins.user();
        let is_asked_for =
            matches!(self.dialect.trial_answer(outside), TrialAnswer::NoSession(_)) || asks_for_password(outside);
        let response = match self.inquire(question, Expecting::Answer).await {
            Ok(response) => response,
            Err(Broken::NoResponse(no_response)) => {
                steps.push(State::unknown(format!("no answer came in a session: {no_response}"), LATER));
                return Err(LOST);
            }
            Err(broken) if user.is_none() && is_asked_for && !broken.is_refusal() => {
                steps.push(State::fails(words::broken(broken), words::login_to_state(outside)));
                return Err(NO_SESSION);
            }
            Err(broken) => {
                steps.push(words::no_session(broken));
                return Err(NO_SESSION);
            }
        };
        let answer = self.dialect.trial_answer(&response);
        let is_of_cdms = !matches!(answer, TrialAnswer::NotCdms(_));
        let asks = match answer {
            TrialAnswer::NoSession(words) => Some(words),
            _ if asks_for_password(&response) => Some("a page that asks for a password".to_owned()),
            _ => None,
        };
        if let Some(words) = asks {
            steps.push(match user {
                None => State::fails(
                    format!("CDMS asks for a login: it answered with {words}"),
                    words::login_to_state(outside),
                ),
                Some(_) => State::fails(
                    format!("CDMS does not take the session: it answered with {words}"),
                    "check in docs/logins.md whether this is the login of this server, and name all of its hosts",
                ),
            });
            return Err(NO_SESSION);
        }
        if !is_of_cdms && !is_asked_for {
            let status = response.status.as_u16();
            steps.push(State::not_tried(format!("the server answered without asking for a login (status {status})")));
            return Ok(response);
        }
        steps.push(State::works(match user.as_deref() {
            None => "CDMS takes requests, and no user is stated for them".to_owned(),
            Some("") => "CDMS takes the login".to_owned(),
            Some(user) => format!("CDMS takes the login of {user}"),
        }));
        Ok(response)
    }

    /// Which organisation it is, and whether it is the one whose data the database holds.
    fn organisation(&self, response: &HttpResponse, known: Option<&Result<Option<String>, Error>>) -> State {
        let id = match self.dialect.contact_answer(Contact::Organisation, response) {
            ContactAnswer::Found(ids) => match ids[..] {
                [id] => id,
                _ => {
                    let says = format!("CDMS has {} organisations where one is expected", ids.len());
                    return State::fails(says, CHECK_ADDRESS);
                }
            },
            ContactAnswer::Unreadable(reason) => return State::fails(reason, CHECK_ADDRESS),
            ContactAnswer::Refused(_) | ContactAnswer::Unavailable(_) => {
                return words::no_organisation(self.dialect.trial_answer(response));
            }
        };
        match known {
            Some(Ok(Some(known))) if *known != id.to_string() => State::fails(
                format!("the database holds data of organisation {known}, but CDMS is {id}"),
                "connect to the right CDMS, or use a new database",
            ),
            Some(Err(error)) => State::unknown(
                format!(
                    "CDMS is organisation {id}; whether the database holds its data is not known: {}",
                    error.reason()
                ),
                "see `hub.health()` about the database",
            ),
            _ => State::works(format!("CDMS is organisation {id}")),
        }
    }

    /// Which user the hub is, if it was named: CRM 2011's data service does not say who asks.
    async fn try_user(&self, steps: &mut Steps) -> Result<(), Stop> {
        let Some(name) = &self.options.cdms_user else {
            steps.push(State::not_tried(
                "CRM 2011's data service does not say who asks; `.cdms_user(…)` on the hub's builder names the user",
            ));
            return Ok(());
        };
        let question = Contact::User(name);
        let response = match self.inquire(self.dialect.contact(question), Expecting::Answer).await {
            Ok(response) => response,
            Err(broken) => return Err(lost(steps, broken)),
        };
        steps.push(match self.dialect.contact_answer(question, &response) {
            ContactAnswer::Found(ids) => match ids[..] {
                [id] => State::works(format!("{name} is the CDMS user {id}")),
                _ => State::fails(
                    format!("CDMS has {} users called {name:?}", ids.len()),
                    "name the user as its DomainName in CDMS says, for example DOMAIN\\user",
                ),
            },
            ContactAnswer::Refused(reason) => {
                State::fails(reason, "give the CDMS user a role that may read users, or name no user")
            }
            ContactAnswer::Unreadable(reason) => State::fails(reason, CHECK_ADDRESS),
            ContactAnswer::Unavailable(reason) => State::unknown(format!("CDMS cannot be asked: {reason}"), LATER),
        });
        Ok(())
    }

    /// Whether the user may read each model's records: one request for each set.
    async fn try_reads(&self, steps: &mut Steps, models: &[CheckedModel]) -> Result<(), Stop> {
        let mut tried: HashMap<(&str, &str), TrialAnswer> = HashMap::new();
        for CheckedModel { name, uses: EntityUse { set, key, .. }, .. } in models {
            let answer = match tried.get(&(set.as_str(), key.as_str())) {
                Some(answer) => answer.clone(),
                None => match self.inquire(self.dialect.trial(set, key), Expecting::Answer).await {
                    Ok(response) => self.dialect.trial_answer(&response),
                    Err(broken) => return Err(lost(steps, broken)),
                },
            };
            tried.insert((set, key), answer.clone());
            self.troubles.answered(name, answer.clone());
            steps.push(words::read(set, answer));
        }
        Ok(())
    }

    /// Whether `$metadata` has what each model uses: one request.
    async fn try_schema(&self, steps: &mut Steps, questions: &Questions) -> Option<Metadata> {
        if questions.models.is_empty() && !questions.wants_metadata {
            return None;
        }
        let metadata = match self.metadata().await {
            Ok(metadata) => metadata,
            Err(state) => {
                (0..questions.models.len().max(1)).for_each(|_| steps.push(state.clone()));
                return None;
            }
        };
        if questions.models.is_empty() {
            steps.push(State::works("$metadata can be read, and no model uses it yet"));
        }
        for model in &questions.models {
            let misfits: Vec<_> = metadata.misfits(&model.uses).iter().map(ToString::to_string).collect();
            if misfits.is_empty() {
                self.troubles.ended(&model.name, Seen::InMetadata);
                steps.push(State::works(format!("$metadata has all that is used of {}", model.uses.entity)));
            } else {
                let misfits = misfits.join("; ");
                self.troubles.began(&model.name, Seen::InMetadata, misfits.clone());
                steps.push(State::fails(misfits, SCHEMA_HELP));
            }
        }
        Some(metadata)
    }

    async fn metadata(&self) -> Result<Metadata, State> {
        let unread = |says: String| State::unknown(format!("$metadata cannot be read: {says}"), LATER);
        let response = match self.inquire(self.dialect.metadata(), Expecting::Document).await {
            Ok(response) => response,
            Err(Broken::NoResponse(NoResponse::Lost(Lost::TooLarge { max }))) => {
                return Err(unread(format!("the document is larger than {} MiB", max >> 20)));
            }
            Err(broken) => return Err(unread(words::broken(broken))),
        };
        let bytes = accepted(response, self.logins.user().is_some()).map_err(|(_, reason)| unread(reason))?;
        let text = String::from_utf8(bytes).map_err(|_| unread("the document is not UTF-8".to_owned()))?;
        // A document can be tens of megabytes, and requests of others go on meanwhile.
        let parsed = tokio::task::spawn_blocking(move || Metadata::parse(&text)).await;
        let parsed = parsed.map_err(|error| unread(error.to_string()))?;
        parsed.map_err(|error| unread(format!("the document is not valid: {error}")))
    }
}

/// Notes that CDMS, which answered before, answers no more.
fn lost(steps: &mut Steps, broken: Broken) -> Stop {
    steps.push(State::unknown(words::broken(broken), LATER));
    LOST
}
