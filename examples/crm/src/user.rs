//! On whose behalf a request acts: a name in a cookie here, your login in a service.

use std::convert::Infallible;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect};
use datahub_runtime::prelude::*;
use serde::Deserialize;

use crate::App;
use crate::failure::Answer;
use crate::page::{Page, html};
use crate::request::Form;

/// How many requests to CDMS one page may begin, so that a loop that reads one by one is found while it is written.
const REQUESTS_MAX: u64 = 10;

/// The hub as the user of a request uses it: the history has their name, and no page asks CDMS more than it may.
pub(crate) struct Acting(pub(crate) Hub);

impl FromRequestParts<App> for Acting {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let user = user(&parts.headers).unwrap_or_else(|| "guest".to_owned());
        Ok(Acting(app.hub.acting_as(user).with_budget(REQUESTS_MAX)))
    }
}

/// The name in the cookie, which is encoded like a form.
fn user(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let user = cookies.split("; ").find(|cookie| cookie.starts_with("user="))?;
    let (_, name) = form_urlencoded::parse(user.as_bytes()).next()?;
    Some(name.into_owned()).filter(|name| !name.is_empty())
}

#[derive(Template)]
#[template(path = "me.html")]
struct Me {
    page: Page,
}

/// `GET /me`
pub(crate) async fn show(Acting(hub): Acting) -> Answer {
    html(&Me { page: Page::of(&hub) })
}

#[derive(Deserialize)]
pub(crate) struct Name {
    name: String,
}

/// `POST /me`
pub(crate) async fn change(Form(Name { name }): Form<Name>) -> impl IntoResponse {
    let name: String = form_urlencoded::byte_serialize(name.trim().as_bytes()).collect();
    let cookie = format!("user={name}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000");
    ([(header::SET_COOKIE, cookie)], Redirect::to("/organisations"))
}
