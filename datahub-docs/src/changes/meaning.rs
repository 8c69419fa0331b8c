//! What a difference means for CDMS and for the program's own code; what it means for the database, a migration's plan says.

use super::{Aspect, Change, Detail, FROM, Subject, Turn};

/// What a difference means, as sentences without a final period. `None`: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    /// For CDMS: what is read and sent differently.
    pub cdms: Option<String>,
    /// For code that uses the model.
    pub callers: Option<String>,
}

impl Meaning {
    fn of(cdms: impl Into<Option<&'static str>>, callers: impl Into<Option<&'static str>>) -> Self {
        Meaning { cdms: cdms.into().map(str::to_owned), callers: callers.into().map(str::to_owned) }
    }
}

impl Change {
    /// What it means that a whole model is new or gone; for a contract, and for a model that only differs, its
    /// [details](Detail::meaning) say it.
    pub fn meaning(&self) -> Meaning {
        match (self.subject, self.turn) {
            (Subject::Model, Turn::Added) => {
                Meaning::of("its records are read from now on", "a new struct and a new table")
            }
            (Subject::Model, Turn::Removed) => Meaning::of(
                "its records are neither read nor written any more; CDMS keeps them",
                "code that uses the struct does not compile",
            ),
            (Subject::Model, Turn::Changed) | (Subject::Contract, _) => Meaning::default(),
        }
    }
}

impl Detail {
    /// What the difference means in a model or in a contract. A contract means something for a model that uses it.
    pub fn meaning(&self, subject: Subject) -> Meaning {
        match subject {
            Subject::Model => self.of_model(),
            Subject::Contract => self.of_contract(),
        }
    }

    fn of_model(&self) -> Meaning {
        let is_whole = self.part.is_empty();
        match self.aspect {
            Aspect::Existence => match (self.is_mapped(), &self.after) {
                (true, Some(_)) => {
                    Meaning::of("the attribute is read from now on", "code that builds the struct must name the field")
                }
                (true, None) => Meaning::of(
                    "the attribute is neither read nor sent any more; CDMS keeps its values",
                    "code that uses the field does not compile",
                ),
                (false, Some(_)) => Meaning::of(None, "code that builds the struct must name the field"),
                (false, None) => Meaning::of(None, "code that uses the field does not compile"),
            },
            Aspect::Name => Meaning::of(None, "code must use the new name"),
            Aspect::Table => Meaning::of(None, "queries of the table must use its new name"),
            Aspect::Column => Meaning::of(None, "queries of the column must use its new name"),
            Aspect::Mode => Meaning::of(
                match self.after.as_deref() {
                    Some("mirror") => "its records are only read from now on",
                    Some("detached") => "its records are neither read nor written any more",
                    _ => "its records are read, and written from now on",
                },
                match (self.before.as_deref(), self.after.as_deref()) {
                    (_, Some("mirror")) => Some("code that writes it does not compile"),
                    (Some("mirror"), _) => Some("it can be written"),
                    _ => None,
                },
            ),
            Aspect::Contract => Meaning::of("other records are read and written", None),
            Aspect::Only => Meaning::of(
                "other records belong to the model",
                "rows of records that left the model become tombstones when they are read",
            ),
            Aspect::Capture => match self.after.as_deref() {
                Some(_) => Meaning::of("reads ask for other attributes", None),
                None => Meaning::default(),
            },
            Aspect::Constant => Meaning::of(
                match self.after {
                    Some(_) => "every create and update sends this value",
                    None => "the value is not sent any more; CDMS keeps what it has",
                },
                None,
            ),
            Aspect::Kind | Aspect::Scale => {
                Meaning::of("its values are read and sent in another form", "the field's type may differ")
            }
            Aspect::Type => Meaning::of(None, "code that uses the field finds another type"),
            Aspect::Variants => Meaning::of(None, "code that names or matches its variants may not compile"),
            Aspect::Nullable => Meaning::of(
                None,
                match self.after.as_deref() {
                    Some("yes") => "code must deal with `None`",
                    _ => "the field always has a value",
                },
            ),
            Aspect::Attributes => Meaning::of(
                "other attributes are read and sent; the old ones keep their values in CDMS",
                "the field shows other values",
            ),
            Aspect::Default => Meaning::of(None, "an empty attribute reads as another value"),
            Aspect::Conversion => {
                Meaning::of("its values may be sent in another form", "its values may read in another form")
            }
            Aspect::Target => Meaning::of(None, "the field refers to another model"),
            Aspect::Written => match self.after.as_deref() {
                Some("never") => Meaning::of("it is not sent any more", "changes of the field are not sent"),
                Some("with creates only") => {
                    Meaning::of("only creates send it", "later changes of the field are not sent")
                }
                _ => Meaning::of("creates and changes send it", "changes of the field are sent"),
            },
            Aspect::Class => Meaning::of(None, "its values are shown, or hidden, in messages and logs"),
            _ if is_whole => Meaning::default(),
            _ => self.of_contract(),
        }
    }

    fn of_contract(&self) -> Meaning {
        match self.aspect {
            Aspect::MaxLength => Meaning::of(None, "longer text is rejected before it is sent"),
            Aspect::Zone => Meaning::of("days are sent as midnights of another zone", "days may read as other days"),
            Aspect::Required => Meaning::of(
                None,
                match self.after.as_deref() {
                    Some("yes") => "a record without a value goes to quarantine",
                    _ => "a record without a value is accepted",
                },
            ),
            Aspect::ReadOnly => match self.after.as_deref() {
                Some("yes") => Meaning::of("it is not sent any more", "a field that writes it does not compile"),
                _ => Meaning::of("a field may send it", None),
            },
            Aspect::Options => Meaning::of(None, "an option that the contract does not state goes to quarantine"),
            Aspect::Entity => Meaning::of("requests use this name", None),
            Aspect::Class => Meaning::of(None, "its values are shown, or hidden, in messages and logs"),
            // What a contract states of kinds, targets and names is seen in the models that use it.
            _ => Meaning::default(),
        }
    }

    /// Whether a field that is new or gone maps attributes of CDMS.
    fn is_mapped(&self) -> bool {
        self.after.as_deref().or(self.before.as_deref()).is_some_and(|said| said.contains(FROM))
    }
}
