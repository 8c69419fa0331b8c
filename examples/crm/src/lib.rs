//! A small web application on a hub. Each file is what one page needs; `demo.rs` is what a service does not need.

mod contacts;
pub mod demo;
mod editing;
mod failure;
mod form;
mod history;
mod operator;
mod organisations;
mod page;
mod report;
mod request;
mod user;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use datahub_runtime::prelude::*;
use example_domain::{Contact, Organisation};

/// What every handler may use.
#[derive(Clone)]
pub struct App {
    /// The hub; handlers get one that acts for their user, see `user.rs`.
    pub hub: Hub,
    /// The hub's SQLite file, for the team's own queries.
    pub database: String,
}

/// The application's pages.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/", get(async || Redirect::to("/organisations")))
        .route("/organisations", get(organisations::list).post(editing::create::<Organisation>))
        .route("/organisations/new", get(editing::new::<Organisation>))
        .route("/organisations/{id}", get(organisations::show).post(editing::save::<Organisation>))
        .route("/organisations/{id}/edit", get(editing::edit::<Organisation>))
        .route("/organisations/{id}/history", get(history::show))
        .route("/organisations/{id}/revert", post(history::revert))
        .route("/contacts/{id}", post(editing::save::<Contact>))
        .route("/contacts/{id}/edit", get(editing::edit::<Contact>))
        .route("/report", get(report::show))
        .route("/operator", get(operator::show))
        .route("/operator/retry", post(operator::retry))
        .route("/operator/settle", post(operator::settle))
        .route("/me", get(user::show).post(user::change))
        .route("/style.css", get(async || ([(header::CONTENT_TYPE, "text/css")], include_str!("../assets/style.css"))))
        .fallback(async || failure::Failure::not_found())
        .layer(from_fn(guard))
        .with_state(app)
}

/// What the pages may load, and where their forms may go: nothing and nowhere else.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// Refuses forms of other sites, and tells browsers what pages may do.
async fn guard(request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::POST && is_from_elsewhere(request.headers()) {
        (StatusCode::FORBIDDEN, "this form was sent by another site").into_response()
    } else {
        next.run(request).await
    };
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether a browser says that a form is of another origin. Programs that are no browsers have no one's cookie.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
    let host = |origin: &str| origin.split_once("://").map(|(_, host)| host.to_owned());
    text(header::ORIGIN).is_some_and(|origin| host(origin).as_deref() != text(header::HOST))
}
