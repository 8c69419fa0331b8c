//! Which fields of a record a form shows, as texts, and how texts are read into them.

use std::collections::HashMap;
use std::iter::once;

use datahub_runtime::prelude::*;
use datahub_runtime::query::Field;
use example_domain::{Phone, Sector};

use crate::organisations::sectors;

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
pub(crate) type Texts = HashMap<String, String>;

/// Reads what was sent into a record. A field that comes back as it was shown stays as it is, and so does one for which
/// the value of the others was chosen.
pub(crate) fn fill<T: Form>(record: &mut T, sent: &Texts) {
    for Input { field, slot, .. } in T::inputs() {
        let Some(text) = sent.get(field) else { continue };
        let text = lines(text);
        let is_theirs = sent.get(&format!("choice.{field}")).is_some_and(|choice| choice == "theirs");
        if lines(&slot(record).text()) != text && !is_theirs {
            slot(record).set(text.trim());
        }
    }
}

/// A text with its lines ended in one way: browsers send others than they were given.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// A field of a form, as it is shown.
pub(crate) struct Shown {
    pub(crate) field: &'static str,
    pub(crate) label: &'static str,
    pub(crate) text: String,
    /// What can be chosen, if not everything can be written: values and their names.
    pub(crate) options: Vec<(String, String)>,
    pub(crate) fault: Option<String>,
}

impl Shown {
    /// Whether the value needs a field of several lines. A field of one line would take the ends of lines away.
    pub(crate) fn is_long(&self) -> bool {
        self.field == "description" || self.text.contains(['\n', '\r'])
    }

    /// The value as people read it.
    pub(crate) fn in_words(&self) -> &str {
        let chosen = self.options.iter().find(|(value, _)| *value == self.text);
        chosen.map_or(&self.text, |(_, name)| name)
    }
}

/// A record's fields, as its form shows them.
pub(crate) async fn shown<T: Form>(hub: &Hub, record: &T) -> Result<Vec<Shown>, Error> {
    let mut record = record.clone();
    let mut fields = Vec::new();
    for Input { field, label, slot } in T::inputs() {
        let slot = slot(&mut record);
        let text = slot.text();
        let mut options = match slot {
            Slot::Flag(_) => vec![("true".to_owned(), "Yes".to_owned()), ("false".to_owned(), "No".to_owned())],
            Slot::Sector(_) => {
                let known = sectors(hub).await?;
                let known = known.iter().map(|sector| (sector.id.to_string(), sector.name.clone()));
                once((String::new(), "None".to_owned())).chain(known).collect()
            }
            Slot::Text(_) | Slot::Optional(_) | Slot::Phone(_) => Vec::new(),
        };
        // A form without what is chosen would choose something else.
        if !options.is_empty() && options.iter().all(|(value, _)| *value != text) {
            options.push((text.clone(), "One that the hub does not know yet".to_owned()));
        }
        fields.push(Shown { field, label, text, options, fault: None });
    }
    Ok(fields)
}
