//! Interactions: meetings, calls and letters.

use chrono::{DateTime, Utc};
use datahub_runtime::prelude::*;

use super::{Adviser, Contact, InteractionChannel, Organisation, Service, Team};

/// A meeting, a call or a letter.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "interaction.toml", table = "interactions")]
pub struct Interaction {
    #[cdms(key)]
    pub id: Id<Interaction>,
    #[cdms("Subject")]
    pub subject: Option<String>,
    #[cdms("optevia_Notes")]
    pub notes: Option<String>,
    /// When it took place.
    #[cdms("ActualStart", column = "took_place_at")]
    pub date: Option<DateTime<Utc>>,
    #[cdms("optevia_InteractionCommunicationChannel")]
    pub channel: Option<Id<InteractionChannel>>,
    #[cdms("optevia_Advisor")]
    pub adviser: Option<Id<Adviser>>,
    #[cdms("optevia_Contact")]
    pub contact: Option<Id<Contact>>,
    #[cdms("optevia_Organisation")]
    pub organisation: Option<Id<Organisation>>,
    #[cdms("optevia_ServiceProvider")]
    pub team: Option<Id<Team>>,
    #[cdms("optevia_Service")]
    pub service: Option<Id<Service>>,
}
