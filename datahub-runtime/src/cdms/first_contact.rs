//! First contact: which organisation this CDMS is, and which of its users the hub is.

use cdms_odata::client::Refusal;
use cdms_odata::client::json::{Page, read_page};
use cdms_odata::{Kind, Value};
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
        let root = self.transport.root();
        let url = format!("{}?$select=OrganizationId", root.set("OrganizationSet"));
        let organisations = self.ids(url, "OrganizationSet", "OrganizationId").await?;
        let [organisation] = organisations[..] else {
            let message = format!("CDMS has {} organisations where one is expected", organisations.len());
            return Err(Error::new(ErrorKind::Misconfigured, message).advise("check the address of CDMS"));
        };
        let Some(name) = &self.options.cdms_user else { return Ok(FirstContact { organisation, user: None }) };
        let url = root.find_text("SystemUserSet", "DomainName", name, "SystemUserId");
        let users = self.ids(url, "SystemUserSet", "SystemUserId").await?;
        let [user] = users[..] else {
            let message = format!("CDMS has {} users called {name:?}", users.len());
            return Err(Error::new(ErrorKind::Misconfigured, message)
                .advise("name the user as its DomainName in CDMS says, for example DOMAIN\\user"));
        };
        Ok(FirstContact { organisation, user: Some(user) })
    }

    /// Whether CDMS answers at all: one request. Dropping the future is harmless.
    pub(crate) async fn answers(&self) -> bool {
        let url = format!("{}?$select=OrganizationId", self.transport.root().set("OrganizationSet"));
        self.ids(url, "OrganizationSet", "OrganizationId").await.is_ok()
    }

    async fn ids(&self, url: String, set: &'static str, key: &'static str) -> Result<Vec<Uuid>, Error> {
        let unavailable = |reason: String| {
            Error::new(ErrorKind::Unavailable, format!("CDMS cannot be asked who it is: {reason}"))
                .advise("try again later")
        };
        let answer = self.get(url, set).await.map_err(|unanswered| match unanswered {
            Unanswered::LoginRefused(reason) => Error::login_refused(reason),
            Unanswered::Unavailable(reason) => unavailable(reason),
        })?;
        let status = answer.status.as_u16();
        if status != 200 {
            let refusal = Refusal::read(status, &answer.body);
            let said = refusal.as_ref().map_or_else(|| answer.in_words(), |refusal| refusal.message.clone());
            return Err(match status {
                408 | 429 => unavailable(format!("it has too much to do: {said} (status {status})")),
                300..=499 => Error::new(ErrorKind::Misconfigured, format!("CDMS answered {status} for {set}: {said}"))
                    .advise("check the address of CDMS and the rights of its user"),
                _ => unavailable(format!("it answered {status}: {said}")),
            });
        }
        let Page { records, .. } = read_page(&answer.body, &[(key, Kind::Guid)])
            .map_err(|error| unavailable(format!("{} instead of {set}: {error}", answer.in_words())))?;
        records
            .into_iter()
            .map(|record| match record.map(|mut attributes| attributes.remove(key)) {
                Ok(Some(Value::Guid(id))) => Ok(id),
                _ => Err(Error::new(
                    ErrorKind::Misconfigured,
                    format!("CDMS gave a record of {set} without a readable {key}"),
                )),
            })
            .collect()
    }
}
