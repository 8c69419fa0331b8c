//! Forms that two people may fill in at once: each field is merged, and who saves second decides about those that both
//! have changed.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect};
use datahub_runtime::prelude::*;
use datahub_runtime::{FieldFault, VersionToken};

use crate::failure::{Answer, Failure};
use crate::form::{Form, Shown, Texts, fill, shown};
use crate::page::{Page, html};
use crate::request::{Form as Sent, Path};
use crate::user::Acting;

#[derive(Template)]
#[template(path = "form.html")]
struct FormPage {
    page: Page,
    name: &'static str,
    title: String,
    action: String,
    back: String,
    token: Option<VersionToken>,
    /// Why the form was not saved, if it was sent before.
    why: Option<&'static str>,
    fields: Vec<Shown>,
}

impl FormPage {
    /// A form for a new record.
    async fn new<T: Form>(hub: &Hub, record: &T) -> Result<Self, Failure> {
        let list = format!("/{}s", T::NAME);
        Ok(FormPage {
            page: Page::of(hub),
            name: T::NAME,
            title: format!("New {}", T::NAME),
            action: list.clone(),
            back: list,
            token: None,
            why: None,
            fields: shown(hub, record).await?,
        })
    }

    /// A form for a record as it was with this token, with the changes that were made since.
    async fn edit<T: Form>(hub: &Hub, base: &T, token: VersionToken, changed: &T) -> Result<Self, Failure> {
        Ok(FormPage {
            page: Page::of(hub),
            name: T::NAME,
            title: format!("Edit {}", base.title()),
            action: base.url(),
            back: base.shown_at(),
            token: Some(token),
            why: None,
            fields: shown(hub, changed).await?,
        })
    }

    /// The form again, with what is wrong beside each field.
    fn refused(mut self, faults: &[FieldFault]) -> Answer {
        self.why = Some("CDMS would not accept this. Nothing was changed yet.");
        for shown in &mut self.fields {
            let fault = faults.iter().find(|fault| fault.field == shown.field);
            shown.fault = fault.map(|fault| format!("{} {fault}", shown.label));
        }
        Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&self)?).into_response())
    }

    /// The form again, because nothing was changed and it can be sent once more; otherwise a page about the error.
    fn failed(mut self, error: Error) -> Answer {
        match error.kind() {
            ErrorKind::Unavailable | ErrorKind::LoginRefused => self.page = self.page.away(None),
            // What was written for a record that is gone can still be copied.
            ErrorKind::Busy | ErrorKind::Gone | ErrorKind::Invalid | ErrorKind::Rejected | ErrorKind::Overloaded => {}
            _ => return Err(error.into()),
        }
        let failure = Failure::from(error);
        self.why = Some(failure.words);
        Ok((failure.status, html(&self)?).into_response())
    }
}

/// `GET /organisations/new`
pub(crate) async fn new<T: Form>(Acting(hub): Acting) -> Answer {
    html(&FormPage::new(&hub, &T::draft()?).await?)
}

/// `POST /organisations`
pub(crate) async fn create<T: Form>(Acting(hub): Acting, Sent(sent): Sent<Texts>) -> Answer {
    let mut new = T::draft()?;
    fill(&mut new, &sent);
    let form = FormPage::new(&hub, &new).await?;
    let faults = new.faults();
    if !faults.is_empty() {
        return form.refused(&faults);
    }
    match T::create(&hub, new).await {
        Ok(created) => Ok(Redirect::to(&created.shown_at()).into_response()),
        Err(failed) => form.failed(failed.into()),
    }
}

/// `GET /organisations/{id}/edit`, `GET /contacts/{id}/edit`
pub(crate) async fn edit<T: Form>(Acting(hub): Acting, Path(id): Path<Id<T>>) -> Answer {
    let record = T::get(&hub, id).or_local().await?;
    let form = FormPage::edit(&hub, &*record, record.version_token(), &*record).await?;
    html(&FormPage { page: Page::showing(&hub, record.checked()).await?, ..form })
}

/// `POST /organisations/{id}`, `POST /contacts/{id}`
pub(crate) async fn save<T: Form>(Acting(hub): Acting, Path(id): Path<Id<T>>, Sent(sent): Sent<Texts>) -> Answer {
    let token = sent.get("token").and_then(|token| token.parse().ok()).ok_or_else(Failure::bad_request)?;
    // As it was when the form was loaded, whatever happened since.
    let mut record = T::edit(&hub, id, token).await?;
    let base = (*record).clone();
    fill(&mut *record, &sent);
    let faults = record.faults();
    if !faults.is_empty() {
        return FormPage::edit(&hub, &base, token, &*record).await?.refused(&faults);
    }
    match record.save(&hub).on_conflict(OnConflict::Reject).await {
        Ok(_) => Ok(Redirect::to(&record.shown_at()).into_response()),
        Err(error) if error.kind() == ErrorKind::Conflict => conflict(&hub, &base, &*record, error.fields()).await,
        Err(error) => FormPage::edit(&hub, &base, token, &*record).await?.failed(error),
    }
}

#[derive(Template)]
#[template(path = "conflict.html")]
struct Conflict {
    page: Page,
    title: String,
    action: String,
    back: String,
    token: VersionToken,
    /// The other fields, as they would be saved.
    merged: Vec<(&'static str, String)>,
    /// The fields that both have changed: mine, and theirs.
    both: Vec<(Shown, Shown)>,
}

/// The fields that both have changed, each to be decided. What only one has changed is merged already.
async fn conflict<T: Form>(hub: &Hub, base: &T, mine: &T, conflicts: &[&str]) -> Answer {
    let theirs = T::get(hub, mine.id()).await?;
    let (before, mine) = (shown(hub, base).await?, shown(hub, mine).await?);
    let FormPage { page, action, back, fields, .. } =
        FormPage::edit(hub, &*theirs, theirs.version_token(), &*theirs).await?;
    let (mut merged, mut both) = (Vec::new(), Vec::new());
    for ((before, mine), theirs) in before.into_iter().zip(mine).zip(fields) {
        if conflicts.contains(&mine.field) {
            both.push((mine, theirs));
        } else {
            merged.push((mine.field, if mine.text == before.text { theirs.text } else { mine.text }));
        }
    }
    let conflict = Conflict { page, title: theirs.title(), action, back, token: theirs.version_token(), merged, both };
    Ok((StatusCode::CONFLICT, html(&conflict)?).into_response())
}
