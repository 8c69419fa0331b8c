//! Forms that two people may fill in at once: each field is merged, and who saves second decides about those that both
//! have changed.

use std::collections::HashMap;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect};
use datahub_runtime::prelude::*;
use datahub_runtime::query::Field;
use datahub_runtime::FieldFault;
use example_domain::{Phone, Sector};

use crate::failure::{Answer, Failure, explained};
use crate::organisations::sectors;
use crate::page::{Notice, Page, html};
use crate::request::{Form as Sent, Path};
use crate::user::For;

/// A model with a form.
pub(crate) trait Form: Writable {
    /// The form's id.
    const NAME: &'static str;
    /// The fields that it shows.
    fn inputs() -> Vec<Input<Self>>;
    /// Where it is sent to.
    fn url(&self) -> String;
    /// What people call the record.
    fn title(&self) -> String;
    /// The page that shows the record.
    fn shown_at(&self) -> String;
}

/// A field on a form.
pub(crate) struct Input<T> {
    /// The field's path, by which the hub names it in faults and conflicts.
    field: &'static str,
    label: &'static str,
    slot: fn(&mut T) -> Slot<'_>,
}

impl<T: Form> Input<T> {
    pub(crate) fn new<V>(field: Field<T, V>, label: &'static str, slot: fn(&mut T) -> Slot<'_>) -> Self {
        Input { field: field.path(), label, slot }
    }
}

/// The value of a field, as text can be read from it and into it.
pub(crate) enum Slot<'r> {
    Text(&'r mut String),
    Optional(&'r mut Option<String>),
    Phone(&'r mut Option<Phone>),
    Flag(&'r mut bool),
    Sector(&'r mut Option<Id<Sector>>),
}

impl Slot<'_> {
    fn text(&self) -> String {
        match self {
            Slot::Text(text) => (*text).clone(),
            Slot::Optional(text) => text.as_deref().unwrap_or_default().to_owned(),
            Slot::Phone(phone) => phone.as_ref().map_or("", Phone::as_str).to_owned(),
            Slot::Flag(flag) => flag.to_string(),
            Slot::Sector(sector) => sector.map_or_else(String::new, |id| id.to_string()),
        }
    }

    fn set(self, text: &str) {
        let some = Some(text).filter(|text| !text.is_empty());
        match self {
            Slot::Text(value) => *value = text.to_owned(),
            Slot::Optional(value) => *value = some.map(str::to_owned),
            Slot::Phone(value) => *value = some.map(Phone::new),
            Slot::Flag(value) => *value = text == "true",
            Slot::Sector(value) => *value = some.and_then(|id| id.parse().ok()),
        }
    }
}

/// The texts of a sent form, by the names of its fields.
type Texts = HashMap<String, String>;

/// Reads what was sent into a record. A field that comes back as it was shown stays as it is, and so does one for which
/// the value of the others was chosen.
fn fill<T: Form>(record: &mut T, sent: &Texts) {
    for Input { field, slot, .. } in T::inputs() {
        let Some(text) = sent.get(field) else { continue };
        let text = text.replace("\r\n", "\n");
        let is_theirs = sent.get(&format!("choice.{field}")).is_some_and(|choice| choice == "theirs");
        if slot(record).text() != text && !is_theirs {
            slot(record).set(text.trim());
        }
    }
}

#[derive(Template)]
#[template(path = "form.html")]
struct FormPage {
    page: Page,
    name: &'static str,
    title: String,
    action: String,
    back: String,
    token: Option<String>,
    /// Why the form was not saved, if it was sent before.
    why: Option<&'static str>,
    fields: Vec<Shown>,
}

/// A field of a form, as it is shown.
struct Shown {
    field: &'static str,
    label: &'static str,
    text: String,
    /// What can be chosen, if not everything can be written: values and their names.
    options: Vec<(String, String)>,
    fault: Option<String>,
}

impl Shown {
    /// The value as people read it.
    fn in_words(&self) -> &str {
        let chosen = self.options.iter().find(|(value, _)| *value == self.text);
        chosen.map_or(&self.text, |(_, name)| name)
    }
}

impl FormPage {
    async fn of<T: Form>(hub: &Hub, record: &T, token: Option<String>) -> Result<Self, Failure> {
        let mut copy = record.clone();
        let mut fields = Vec::new();
        for Input { field, label, slot } in T::inputs() {
            let slot = slot(&mut copy);
            let options = match slot {
                Slot::Flag(_) => vec![("true".to_owned(), "Yes".to_owned()), ("false".to_owned(), "No".to_owned())],
                Slot::Sector(_) => {
                    let known = sectors(hub).await?.into_iter().map(|sector| (sector.id.to_string(), sector.name.clone()));
                    std::iter::once((String::new(), "None".to_owned())).chain(known).collect()
                }
                _ => Vec::new(),
            };
            fields.push(Shown { field, label, text: slot.text(), options, fault: None });
        }
        let (title, back) = match token {
            Some(_) => (format!("Edit {}", record.title()), record.shown_at()),
            None => (format!("New {}", T::NAME), format!("/{}s", T::NAME)),
        };
        let action = if token.is_some() { record.url() } else { format!("/{}s", T::NAME) };
        Ok(FormPage { page: Page::of(hub), name: T::NAME, title, action, back, token, why: None, fields })
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
        let (status, why) = explained(&error);
        match error.kind() {
            ErrorKind::Unavailable | ErrorKind::LoginRefused => self.page.notice = Some(Notice::Away(None)),
            ErrorKind::Busy | ErrorKind::Invalid | ErrorKind::Rejected | ErrorKind::Overloaded => {}
            _ => return Err(error.into()),
        }
        tracing::warn!(%error, "a form was not saved");
        self.why = Some(why);
        Ok((status, html(&self)?).into_response())
    }
}

/// `GET /organisations/new`
pub(crate) async fn new<T: Form>(For(hub): For) -> Answer {
    html(&FormPage::of(&hub, &T::draft()?, None).await?)
}

/// `POST /organisations`
pub(crate) async fn create<T: Form>(For(hub): For, Sent(sent): Sent<Texts>) -> Answer {
    let mut new = T::draft()?;
    fill(&mut new, &sent);
    let form = FormPage::of(&hub, &new, None).await?;
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
pub(crate) async fn edit<T: Form>(For(hub): For, Path(id): Path<Id<T>>) -> Answer {
    let record = T::get(&hub, id).or_local().await?;
    let form = FormPage::of(&hub, &*record, Some(record.version_token().to_string())).await?;
    html(&FormPage { page: Page::showing(&hub, record.checked()), ..form })
}

/// `POST /organisations/{id}`, `POST /contacts/{id}`
pub(crate) async fn save<T: Form>(For(hub): For, Path(id): Path<Id<T>>, Sent(sent): Sent<Texts>) -> Answer {
    let token = sent.get("token").and_then(|token| token.parse().ok()).ok_or_else(Failure::bad_request)?;
    // As it was when the form was loaded, whatever happened since.
    let mut record = T::edit(&hub, id, token).await?;
    let base = (*record).clone();
    fill(&mut *record, &sent);
    let faults = record.faults();
    if !faults.is_empty() {
        return FormPage::of(&hub, &*record, Some(token.to_string())).await?.refused(&faults);
    }
    match record.save(&hub).on_conflict(OnConflict::Reject).await {
        Ok(_) => Ok(Redirect::to(&record.shown_at()).into_response()),
        Err(error) if error.kind() == ErrorKind::Conflict => conflict(&hub, &base, &*record, error.fields()).await,
        Err(error) => FormPage::of(&hub, &*record, Some(token.to_string())).await?.failed(error),
    }
}

#[derive(Template)]
#[template(path = "conflict.html")]
struct Conflict {
    page: Page,
    title: String,
    action: String,
    back: String,
    token: String,
    /// The other fields, as they would be saved.
    merged: Vec<(&'static str, String)>,
    /// The fields that both have changed: mine, and theirs.
    both: Vec<(Shown, Shown)>,
}

/// The fields that both have changed, each to be decided. What only one has changed is merged already.
async fn conflict<T: Form>(hub: &Hub, base: &T, mine: &T, conflicts: &[&str]) -> Answer {
    let theirs = T::get(hub, mine.id()).await?;
    let token = theirs.version_token().to_string();
    let before = FormPage::of(hub, base, None).await?.fields;
    let mine = FormPage::of(hub, mine, None).await?.fields;
    let FormPage { page, title, action, back, fields, .. } = FormPage::of(hub, &*theirs, Some(token.clone())).await?;
    let (mut merged, mut both) = (Vec::new(), Vec::new());
    for ((before, mine), theirs) in before.into_iter().zip(mine).zip(fields) {
        if conflicts.contains(&mine.field) {
            both.push((mine, theirs));
        } else {
            merged.push((mine.field, if mine.text == before.text { theirs.text } else { mine.text }));
        }
    }
    Ok((StatusCode::CONFLICT, html(&Conflict { page, title, action, back, token, merged, both })?).into_response())
}
