//! The hub's errors as HTTP responses: a status for each `ErrorKind`, when to retry, and where to ask for the outcome.
//!
//! `cargo run --example statuses` replays requests against a simulated CDMS and prints each response. A service does
//! the same in the error type of its web framework, for example in axum's `IntoResponse`.

use std::error::Error as StdError;
use std::io::{self, Write as _};

use datahub_runtime::http::header::{LOCATION, RETRY_AFTER};
use datahub_runtime::http::{Response, StatusCode};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation};
use datahub_runtime::{Value, VersionToken};

use example_domain::Organisation;

/// The status that a client of the service gets for an error of the hub.
fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Gone | ErrorKind::Erased => StatusCode::GONE,
        // Another write came first: read again and decide.
        ErrorKind::AlreadyExists | ErrorKind::Busy | ErrorKind::Conflict => StatusCode::CONFLICT,
        // The hub, its database or CDMS does not accept what the client sent.
        ErrorKind::Invalid | ErrorKind::Rejected => StatusCode::UNPROCESSABLE_ENTITY,
        // Not a failure: the write may have been carried out, and the outcome will be known later.
        ErrorKind::Unsettled => StatusCode::ACCEPTED,
        // CDMS has a record that the hub cannot use.
        ErrorKind::LocalNewer | ErrorKind::Quarantined => StatusCode::BAD_GATEWAY,
        ErrorKind::LoginRefused
        | ErrorKind::Outdated
        | ErrorKind::Overloaded
        | ErrorKind::Store
        | ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        // `Misconfigured`, `BudgetExceeded` and `TooExpensive` (the service asks too often or for too much), and the kinds of later versions.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The response for an error. The error's text belongs in the service's log only: it repeats what CDMS says, which can
/// contain any value.
fn response(error: &Error) -> Response<String> {
    let mut response = Response::builder().status(status(error.kind()));
    if let Some(pause) = error.retry_after() {
        response = response.header(RETRY_AFTER, pause.as_secs().max(1));
    }
    if let Some(operation) = error.operation_id() {
        response = response.header(LOCATION, format!("/operations/{operation}"));
    }
    let body = format!(r#"{{"error":"{:?}"}}"#, error.kind());
    response.body(body).expect("a number and an id are valid in headers")
}

/// `GET /organisations/{id}`
async fn show(hub: &Hub, id: Id<Organisation>) -> Result<Response<String>, Error> {
    let organisation = Organisation::get(hub, id).await?;
    let page = format!("{} (version {})", organisation.name, organisation.version_token());
    Ok(Response::new(page))
}

/// `PUT /organisations/{id}/name`, from a form that contains the version that it was loaded with.
async fn rename(hub: &Hub, id: Id<Organisation>, token: VersionToken, name: &str) -> Result<Response<String>, Error> {
    let mut organisation = Organisation::edit(hub, id, token).await?;
    organisation.name = name.into();
    organisation.save(hub).on_conflict(OnConflict::Reject).await?;
    Ok(Response::new(organisation.version_token().to_string()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    for (request, response) in play().await? {
        let headers = response.headers().iter().map(|(name, value)| format!("  {name}: {value:?}"));
        let headers: String = headers.collect();
        writeln!(io::stdout(), "{request:<34} {}{headers}  {}", response.status(), response.body())?;
    }
    Ok(())
}

/// Requests of a client, and their responses.
async fn play() -> Result<Vec<(&'static str, Response<String>)>, Box<dyn StdError>> {
    let kit = Kit::new(example_domain::METADATA);
    let hub = kit.hub(example_domain::models()).program("web").connect().await?.acting_as("ada@example.gov.uk");
    let account = kit.simulator.seed("Account", [("Name", Value::text("Acme"))]);
    let id = account.into();
    let answer = |result: Result<_, Error>| result.unwrap_or_else(|error| response(&error));

    let mut played = vec![("a record", answer(show(&hub, id).await))];
    played.push(("a record that does not exist", answer(show(&hub, Id::new()).await)));

    let token = Organisation::get(&hub, id).await?.version_token();
    played.push(("a name that is too long", answer(rename(&hub, id, token, &"x".repeat(200)).await)));

    kit.simulator.fault(FaultRule::new(Fault::NoPrivilege).on(Operation::Update).times(1));
    played.push(("a write that CDMS refuses", answer(rename(&hub, id, token, "Acme Ltd").await)));

    kit.simulator.edit("Account", account, [("Name", Value::text("Acme Inc"))]);
    played.push(("a field that a person changed too", answer(rename(&hub, id, token, "Acme Ltd").await)));

    let token = Organisation::get(&hub, id).await?.version_token();
    kit.simulator.fault(FaultRule::new(Fault::DropAfterCommit).on(Operation::Update).times(1));
    played.push(("a write whose answer is lost", answer(rename(&hub, id, token, "Acme Ltd").await)));
    played.push(("another write meanwhile", answer(rename(&hub, id, token, "Acme").await)));

    // A different record: one with an open write would be shown as it was before.
    let other = kit.simulator.seed("Account", [("Name", Value::text("Beta"))]).into();
    kit.simulator.go_away();
    played.push(("CDMS cannot be reached", answer(show(&hub, other).await)));
    Ok(played)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_request_gets_its_status() {
        let played = play().await.unwrap();
        let statuses: Vec<_> = played.iter().map(|(_, response)| response.status().as_u16()).collect();
        assert_eq!(statuses, [200, 404, 422, 422, 409, 202, 409, 503], "{played:#?}");
    }

    #[tokio::test]
    async fn a_response_says_when_to_retry_and_where_to_ask() {
        let played = play().await.unwrap();
        let of = |request: &str| &played.iter().find(|(played, _)| *played == request).unwrap().1;
        let lost = of("a write whose answer is lost").headers()[LOCATION].to_str().unwrap();
        let busy = of("another write meanwhile").headers();
        assert!(lost.starts_with("/operations/"), "{lost}");
        assert_eq!(busy[LOCATION], lost);
        assert!(busy.contains_key(RETRY_AFTER));
    }

    #[tokio::test]
    async fn a_response_shows_nothing_of_what_cdms_says() {
        let played = play().await.unwrap();
        let (_, refused) = played.iter().find(|(request, _)| *request == "a write that CDMS refuses").unwrap();
        assert_eq!(refused.body(), r#"{"error":"Rejected"}"#);
    }
}
