//! Which fields of a contact its form shows.

use datahub_runtime::prelude::*;
use example_domain::Contact;

use crate::form::{Form, Input, Slot};

impl Form for Contact {
    const NAME: &'static str = "contact";

    fn inputs() -> Vec<Input<Self>> {
        let f = Contact::FIELDS;
        vec![
            Input::new(f.first_name, "First name", |contact| Slot::Optional(&mut contact.first_name)),
            Input::new(f.last_name, "Last name", |contact| Slot::Text(&mut contact.last_name)),
            Input::new(f.job_title, "Job title", |contact| Slot::Optional(&mut contact.job_title)),
            Input::new(f.email, "Email address", |contact| Slot::Optional(&mut contact.email)),
            Input::new(f.phone, "Telephone", |contact| Slot::Phone(&mut contact.phone)),
            Input::new(f.primary, "Primary contact", |contact| Slot::Flag(&mut contact.primary)),
        ]
    }

    fn url(&self) -> String {
        format!("/contacts/{}", self.id)
    }

    fn title(&self) -> String {
        format!("{} {}", self.first_name.as_deref().unwrap_or_default(), self.last_name).trim().to_owned()
    }

    fn shown_at(&self) -> String {
        self.organisation.map_or_else(|| format!("{}/edit", self.url()), |id| format!("/organisations/{id}"))
    }
}
