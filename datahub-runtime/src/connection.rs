//! The first contact with a CDMS, step by step: what works, what does not, what was not tried, and what to do now.
//!
//! [`Hub::check_connection`](crate::Hub::check_connection) tries it with a hub, and
//! [`CdmsDocuments::check_connection`](crate::CdmsDocuments::check_connection) without one, as `datahub check --live` does.
//! Both return a [`ConnectionReport`], whose `Display` is for people and whose `Serialize` is for machines.

mod shown;

use cdms_odata::metadata::EntityUse;
use datahub_model::{Mode, ModelDescriptor};
use serde::Serialize;

use crate::cdms::RecordShape;
use crate::engine::call::Costed;
use crate::engine::cost::Cost;

/// What came of trying to reach a CDMS, step by step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConnectionReport {
    /// The organisation's address.
    pub address: String,
    /// The steps in their order: address, TLS, login, organisation, user; and then for each model the rights and the schema.
    pub steps: Vec<Step>,
    /// How many requests it took, those of a login included.
    pub requests: u64,
}

/// A step of the first contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Step {
    /// What it is about.
    #[serde(rename = "step")]
    pub topic: Topic,
    /// The model's name, where it is about a model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What came of it.
    #[serde(flatten)]
    pub state: State,
}

/// What a step is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Topic {
    /// Whether the host's name resolves, and whether it answers.
    Address,
    /// Whether the connection is secured, by a certificate that is trusted.
    Tls,
    /// Whether CDMS takes the login.
    Login,
    /// Whether the address is a data service of CRM 2011, and which organisation it is.
    Organisation,
    /// Which of CDMS's users the hub is, where it was named.
    User,
    /// Whether the user may read a model's records.
    Read,
    /// Whether the user may write a model's records. It is never tried, because that would change data.
    Write,
    /// Whether `$metadata` has what a model uses.
    Schema,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// It works.
    Works {
        /// What was found.
        says: String,
    },
    /// It does not work.
    Fails {
        /// What is wrong.
        says: String,
        /// What to do now.
        help: String,
    },
    /// It was tried, and CDMS did not show whether it works.
    Unknown {
        /// What happened.
        says: String,
        /// What to do now.
        help: String,
    },
    /// It was not tried.
    NotTried {
        /// Why not.
        because: String,
    },
}

/// What the first contact looks at of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedModel {
    /// The model's name.
    pub name: String,
    /// Whether its records are written, too.
    pub is_written: bool,
    /// What it uses of CDMS.
    pub uses: EntityUse,
}

impl ConnectionReport {
    /// Whether every step that was tried works.
    pub fn is_fine(&self) -> bool {
        self.steps.iter().all(|step| matches!(step.state, State::Works { .. } | State::NotTried { .. }))
    }

    /// Whether CDMS could be reached and looked at: what does not work then is about single models, or the user.
    pub fn is_reached(&self) -> bool {
        let has_stopped = |step: &Step| match step.state {
            State::Fails { .. } => {
                matches!(step.topic, Topic::Address | Topic::Tls | Topic::Login | Topic::Organisation)
            }
            State::Unknown { .. } => true,
            State::Works { .. } | State::NotTried { .. } => false,
        };
        !self.steps.iter().any(has_stopped)
    }

    /// The steps that do not work, or of which that is not known.
    pub fn faults(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| matches!(step.state, State::Fails { .. } | State::Unknown { .. }))
    }
}

impl State {
    pub(crate) fn works(says: impl Into<String>) -> Self {
        State::Works { says: says.into() }
    }

    pub(crate) fn fails(says: impl Into<String>, help: impl Into<String>) -> Self {
        State::Fails { says: says.into(), help: help.into() }
    }

    pub(crate) fn unknown(says: impl Into<String>, help: impl Into<String>) -> Self {
        State::Unknown { says: says.into(), help: help.into() }
    }

    pub(crate) fn not_tried(because: impl Into<String>) -> Self {
        State::NotTried { because: because.into() }
    }
}

impl Topic {
    /// Its name in a report for people.
    pub const fn name(self) -> &'static str {
        match self {
            Topic::Address => "address",
            Topic::Tls => "TLS",
            Topic::Login => "login",
            Topic::Organisation => "organisation",
            Topic::User => "user",
            Topic::Read => "read",
            Topic::Write => "write",
            Topic::Schema => "schema",
        }
    }
}

impl CheckedModel {
    /// A model of a hub; `None` if it is detached, because CDMS is not asked about it then.
    pub(crate) fn of(model: &'static ModelDescriptor) -> Option<Self> {
        if model.mode == Mode::Detached {
            return None;
        }
        let shape = RecordShape::of(model);
        let entity = shape.entity();
        let attributes = entity.attributes.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        Some(CheckedModel {
            name: model.name.to_owned(),
            is_written: model.mode == Mode::Sync,
            uses: EntityUse {
                entity: entity.name.to_owned(),
                set: entity.set.to_owned(),
                key: entity.key.to_owned(),
                attributes,
            },
        })
    }
}

impl Costed for ConnectionReport {
    fn set_cost(&mut self, cost: Cost) {
        self.requests = cost.requests;
    }
}
