//! What a contract leaves to be looked up: `"?"` instead of a value, as `datahub import` writes it.

use cdms_odata::Kind;

use super::{Contract, Stated};
use crate::diagnostic::Spot;
use crate::diagnostic::{Code, Diagnostic};

/// A fact of an attribute that the contract does not know yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The attribute.
    pub attribute: String,
    /// Its kind; `None` if that is missing or unknown.
    pub kind: Option<Kind>,
    /// The key whose value is not known, such as `max-length`.
    pub key: &'static str,
    /// Whether the attribute cannot be used without an answer.
    pub is_needed: bool,
    /// The place of the `"?"`.
    pub spot: Spot,
}

impl Question {
    pub(super) fn of(stated: &Stated, key: &'static str, spot: Spot) -> Self {
        let is_needed = matches!(
            (stated.kind, key),
            (Some(Kind::Decimal), "scale") | (Some(Kind::Lookup), "target") | (Some(Kind::Date), "zone")
        );
        Question { attribute: stated.name.clone(), kind: stated.kind, key, is_needed, spot }
    }

    /// The question as a diagnostic, with where to find the answer. It is no fault of a contract; a field that needs the
    /// answer is reported where it is.
    pub fn diagnostic(&self, contract: &Contract) -> Diagnostic<Spot> {
        let message = format!("{} is not known", self.subject());
        Diagnostic::of(Code::OpenQuestion, self.spot.clone(), message).cure(self.cure(contract))
    }

    /// What is asked for.
    pub(in crate::source) fn subject(&self) -> String {
        let Question { attribute, kind, key, .. } = self;
        match (kind, *key) {
            (Some(Kind::DateTime), "zone") => format!("whether `{attribute}` is a day or a time"),
            _ => format!("`{key}` of `{attribute}`"),
        }
    }

    /// Where to look, and what to write.
    pub(in crate::source) fn cure(&self, contract: &Contract) -> String {
        let Question { attribute, kind, key, .. } = self;
        let shown = match (kind, *key) {
            (_, "max-length") => "Maximum Length, and write it: `max-length = 100`".to_owned(),
            (_, "scale") => "Precision, and write it: `scale = 2`".to_owned(),
            (_, "target") => "Target Record Type, and write its logical name: `target = \"account\"`".to_owned(),
            (_, "choices") => {
                "Options, and write a name and the number of each: `choices = { active = 0, inactive = 1 }`".to_owned()
            }
            (Some(Kind::DateTime), _) => {
                "Format: for \"Date and Time\" remove `zone`; for \"Date Only\" write `kind = \
                 \"date\"` and the time zone of CDMS's users: `zone = \"Europe/London\"`"
                    .to_owned()
            }
            (_, "zone") => {
                return "write the time zone of CDMS's users, whose midnight CDMS stores for a day: `zone = \
                        \"Europe/London\"`"
                    .to_owned();
            }
            (_, key) => format!("it, and write it: `{key} = …`"),
        };
        format!(
            "in CDMS, open Settings, Customizations, Customize the System, Entities, {}, Fields, {attribute}; look up {shown}; \
             or import a solution that has the entity: `datahub import solution.zip --entity {0}`",
            contract.entity
        )
    }
}

impl Contract {
    /// The question without whose answer this attribute cannot be used, if there is one.
    pub fn needed_answer(&self, attribute: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.is_needed && question.attribute == attribute)
    }

    /// The fault of something that needs the answer, at its own place.
    pub(in crate::source) fn unanswered<P>(&self, attribute: &str, what: &str, place: P) -> Option<Diagnostic<P>> {
        let question = self.needed_answer(attribute)?;
        let message = format!("{what} cannot be used yet: {} is not known", question.subject());
        Some(Diagnostic::of(Code::OpenQuestion, place, message).cure(question.cure(self)))
    }
}
