//! First contact: which organisation this CDMS is, and which of its users the hub is.

use cdms_odata::dialect::{Contact, ContactAnswer};
use datahub_protocol::Reason;
use uuid::Uuid;

use super::client::{Client, Unanswered};
use crate::{Error, ErrorKind};

/// What the first contact told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FirstContact {
    /// The organisation's id.
    pub(crate) organisation: Uuid,
    /// The id of the hub's CDMS user, where it was named.
    pub(crate) user: Option<Uuid>,
}

impl Client {
    /// Asks CDMS who it is and, where the hub's user is named, who we are: one or two requests.
    pub(crate) async fn first_contact(&self) -> Result<FirstContact, Error> {
        let organisations = self.ids(Contact::Organisation).await?;
        let [organisation] = organisations[..] else {
            let message = format!("CDMS has {} organisations where one is expected", organisations.len());
            return Err(Error::new(ErrorKind::Misconfigured, message).advise("check the address of CDMS"));
        };
        let Some(name) = &self.options.cdms_user else { return Ok(FirstContact { organisation, user: None }) };
        let users = self.ids(Contact::User(name)).await?;
        let [user] = users[..] else {
            let message = format!("CDMS has {} users called {name:?}", users.len());
            return Err(Error::new(ErrorKind::Misconfigured, message)
                .advise("name the user as its DomainName in CDMS says, for example DOMAIN\\user"));
        };
        Ok(FirstContact { organisation, user: Some(user) })
    }

    /// Whether CDMS answers at all: one request. Dropping the future is harmless.
    pub(crate) async fn answers(&self) -> bool {
        self.ids(Contact::Organisation).await.is_ok()
    }

    async fn ids(&self, question: Contact<'_>) -> Result<Vec<Uuid>, Error> {
        let unavailable = |reason: Reason| {
            let message = format!("CDMS cannot be asked who it is: {reason}");
            Error::because(ErrorKind::Unavailable, reason.in_words(message)).advise("try again later")
        };
        let response = self.get(self.dialect.contact(question)).await.map_err(|unanswered| match unanswered {
            Unanswered::LoginRefused(reason) => Error::login_refused(reason),
            Unanswered::Unavailable(reason) => unavailable(reason),
        })?;
        match self.dialect.contact_answer(question, &response) {
            ContactAnswer::Found(ids) => Ok(ids),
            ContactAnswer::Refused(reason) => Err(Error::new(ErrorKind::Misconfigured, reason)
                .advise("check the address of CDMS and the rights of its user")),
            ContactAnswer::Unreadable(reason) => Err(Error::new(ErrorKind::Misconfigured, reason)),
            ContactAnswer::Unavailable(reason) => Err(unavailable(reason.into())),
        }
    }
}
