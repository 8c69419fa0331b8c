//! The table of read responses: what the response to a request that only reads means, and the records in it.

use ::url::Url;
use uuid::Uuid;

use super::error::read_refusal;
use super::json::{self, JsonPage};
use super::root::{BadLink, NextPage};
use crate::dialect::{
    Carried, ContactAnswer, Continuation, EntityShape, HttpResponse, Meaning, Next, Page, PageAnswer, ReadAnswer,
    ReadError, Refusal, SetIs, Shape, TrialAnswer,
};
use crate::planted::{Planted, planted};
use crate::{Attributes, Kind, Value};

/// What a response without data means for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sense {
    /// The record does not exist.
    Gone,
    /// The set does not exist, or the server that responded is not CDMS.
    NoSet,
    /// The CDMS user may not read it.
    Forbidden,
    /// The request was too slow, or there were too many; it is not wrong in itself.
    Busy,
    /// CDMS refuses the request.
    NotTaken,
    /// CDMS refuses the address: the list may have changed since it was stored.
    Stale,
    /// The server that responded is not CDMS, or CDMS does not serve this user.
    Misplaced,
    /// A redirect to a host that is not a login host.
    Redirected,
    /// CDMS cannot be reached or does not work properly.
    Away,
}

/// The table: what a status, together with the meaning of CDMS's own error if there is one, means for the read of a
/// record, for a list and for the first contact.
fn sense(status: u16, said: Option<Meaning>) -> (Sense, Sense, Sense) {
    use Meaning::{NoPrivilege, RecordMissing};
    use Sense::{Away, Busy, Forbidden, Gone, Misplaced, NoSet, NotTaken, Redirected, Stale};
    match (status, said) {
        (404, Some(RecordMissing)) => (Gone, Stale, Misplaced),
        (404, Some(_)) => (NoSet, Stale, Misplaced),
        (404, None) => (NoSet, Misplaced, Misplaced),
        (403, Some(_)) => (Forbidden, NotTaken, Misplaced),
        (408 | 429, Some(NoPrivilege)) => (Forbidden, Busy, Busy),
        (408 | 429, _) => (Busy, Busy, Busy),
        (400, Some(NoPrivilege)) => (Forbidden, Stale, Misplaced),
        (400, Some(_)) => (NotTaken, Stale, Misplaced),
        (401..=499, Some(NoPrivilege)) => (Forbidden, NotTaken, Misplaced),
        (401..=499, Some(_)) => (NotTaken, NotTaken, Misplaced),
        (400..=499, None) => (Away, Misplaced, Misplaced),
        (300..=399, Some(NoPrivilege)) => (Forbidden, Misplaced, Misplaced),
        (300..=399, Some(_)) => (Away, Misplaced, Misplaced),
        (300..=399, None) => (Redirected, Misplaced, Misplaced),
        (_, Some(NoPrivilege)) => (Forbidden, Away, Away),
        _ => (Away, Away, Away),
    }
}

/// A response without data, and how it is described.
struct Said {
    status: u16,
    refusal: Option<Refusal>,
    /// CDMS's text, or what the response carries.
    words: String,
}

impl Said {
    /// Describes a response that carries no data; `None` if it does.
    fn by(response: &HttpResponse) -> Option<Self> {
        let status = response.status.as_u16();
        let refusal = (status != 200).then(|| read_refusal(status, &response.body))?;
        let words = refusal.as_ref().map_or_else(|| response.in_words(), |refusal| refusal.message.clone());
        Some(Said { status, refusal, words })
    }

    fn sense(&self) -> (Sense, Sense, Sense) {
        sense(self.status, self.refusal.as_ref().map(|refusal| refusal.meaning))
    }
}

/// Reads the response to the read of a record.
pub(super) fn record(entity: &EntityShape, id: Uuid, set: SetIs, response: &HttpResponse) -> ReadAnswer {
    let Some(said) = Said::by(response) else { return given(entity, id, response) };
    let Said { status, refusal, words } = &said;
    if *status == 403 && planted(Planted::ForbiddenIsGone) || *status == 404 && planted(Planted::AnyNotFoundReadIsGone)
    {
        return ReadAnswer::Gone;
    }
    let (name, stated) = (entity.set, format!("{words} (status {status})"));
    match said.sense().0 {
        Sense::Gone => ReadAnswer::Gone,
        Sense::NoSet if set == SetIs::Known => ReadAnswer::Unavailable(format!(
            "CDMS answered 404 for the record without saying that it is gone ({words}), although it has the set {name}; \
             check what stands between this program and CDMS"
        )),
        Sense::NoSet => ReadAnswer::Misconfigured(format!(
            "CDMS does not know the set {name} ({words}); check its address, the organisation and `set` in the contract"
        )),
        Sense::Forbidden => ReadAnswer::Refused(stated),
        Sense::Busy => ReadAnswer::Unavailable(format!("CDMS is too busy: {stated}")),
        Sense::NotTaken => ReadAnswer::Misconfigured(format!(
            "CDMS refused the read of {name}: {stated}; compare the contract with $metadata"
        )),
        Sense::Redirected => ReadAnswer::Misconfigured(format!(
            "CDMS answered with {words}, which is not among the login hosts of the authenticator"
        )),
        Sense::Away if refusal.is_some() => ReadAnswer::Unavailable(stated),
        Sense::Away | Sense::Stale | Sense::Misplaced => {
            ReadAnswer::Unavailable(format!("CDMS answered {status}: {words}"))
        }
    }
}

/// Reads the record in a successful response.
fn given(entity: &EntityShape, id: Uuid, response: &HttpResponse) -> ReadAnswer {
    match carried(entity, &response.body) {
        Ok(Carried { id: Some(read), attributes: Ok(_), .. }) if read != id => {
            ReadAnswer::Misconfigured(format!("CDMS answered the read of {} {id} with the record {read}", entity.name))
        }
        Ok(carried) => ReadAnswer::Record(carried),
        Err(error) => ReadAnswer::Unavailable(format!("{} ({error})", response.in_words())),
    }
}

/// Reads the response to a request for a page. `follow` checks the link to the next page.
pub(super) fn page(
    entity: &EntityShape,
    response: &HttpResponse,
    follow: impl FnOnce(&str) -> Result<NextPage, BadLink>,
) -> PageAnswer {
    let set = entity.set;
    if let Some(said) = Said::by(response) {
        let stated = format!("{} (status {})", said.words, said.status);
        return match said.sense().1 {
            Sense::Busy => PageAnswer::Unavailable(format!("CDMS is too busy to list {set}: {stated}")),
            Sense::Stale => PageAnswer::Refused(format!("CDMS refused to list {set}: {stated}")),
            Sense::NotTaken => PageAnswer::Misconfigured(format!("CDMS did not return a list of {set}: {stated}")),
            Sense::Misplaced => PageAnswer::Misconfigured(format!(
                "CDMS did not return a list of {set}: {stated}; check its address and the rights of its user"
            )),
            _ => PageAnswer::Unavailable(format!("CDMS did not return a list of {set}: {stated}")),
        };
    }
    match records(entity, &response.body) {
        Ok((records, link)) => PageAnswer::Page(Page { records, next: next(set, link.as_deref(), follow) }),
        Err(error) => PageAnswer::Unavailable(format!(
            "expected a list of {set}, CDMS returned {} ({error})",
            response.in_words()
        )),
    }
}

fn next(set: &str, link: Option<&str>, follow: impl FnOnce(&str) -> Result<NextPage, BadLink>) -> Next {
    let Some(link) = link else { return Next::End };
    match follow(link) {
        Ok(NextPage { url, is_foreign }) => {
            let host = || Url::parse(link).ok().and_then(|link| link.host_str().map(str::to_owned));
            Next::Page { at: Continuation(url), other_host: is_foreign.then(|| host().unwrap_or_default()) }
        }
        Err(bad) => Next::Unusable(format!(
            "the list of {set} continues with an unusable link: {bad}; check what stands between this program \
             and CDMS"
        )),
    }
}

/// Reads the response to a question of the first contact, which requests the keys of a set.
pub(super) fn contact(set: &str, key: &'static str, response: &HttpResponse) -> ContactAnswer {
    if let Some(said) = Said::by(response) {
        let Said { status, words, .. } = &said;
        return match said.sense().2 {
            Sense::Busy => ContactAnswer::Unavailable(format!("it is too busy: {words} (status {status})")),
            Sense::Misplaced => ContactAnswer::Refused(format!("CDMS answered {status} for {set}: {words}")),
            _ => ContactAnswer::Unavailable(format!("it answered {status}: {words}")),
        };
    }
    let JsonPage { records, .. } = match json::read_page(&response.body, &[(key, Kind::Guid)]) {
        Ok(page) => page,
        Err(error) => {
            return ContactAnswer::Unavailable(format!(
                "expected {set}, CDMS returned {}: {error}",
                response.in_words()
            ));
        }
    };
    let ids = records.into_iter().map(|record| id_of(key, &record.ok()?));
    match ids.collect() {
        Some(ids) => ContactAnswer::Found(ids),
        None => ContactAnswer::Unreadable(format!("CDMS returned a record of {set} without a readable {key}")),
    }
}

/// Reads the response to a trial read.
pub(super) fn trial(response: &HttpResponse) -> TrialAnswer {
    let Some(Said { status, refusal, words }) = Said::by(response) else {
        return match json::read_page(&response.body, &Vec::new()) {
            Ok(JsonPage { records, .. }) => TrialAnswer::Served { has_record: !records.is_empty() },
            Err(_) => TrialAnswer::NotCdms(response.in_words()),
        };
    };
    let stated = format!("{words} (status {status})");
    match (status, refusal.map(|refusal| refusal.meaning)) {
        (_, Some(Meaning::NoPrivilege)) | (403, Some(_)) => TrialAnswer::NoPrivilege(stated),
        (403, None) => TrialAnswer::Forbidden(stated),
        (401, _) | (300..=399, _) => TrialAnswer::NoSession(stated),
        (407, _) => TrialAnswer::ProxyLogin(stated),
        (404, Some(_)) => TrialAnswer::NoSet(stated),
        (408 | 429 | 500.., _) => TrialAnswer::Unavailable(stated),
        (_, Some(_)) => TrialAnswer::Refused(stated),
        (_, None) => TrialAnswer::NotCdms(stated),
    }
}

/// Reads the record in a body.
///
/// # Errors
///
/// If the body does not hold a record.
pub(super) fn carried(entity: &EntityShape, body: &[u8]) -> Result<Carried, ReadError> {
    let attributes = json::read_record(body, &entity.attributes);
    let (attributes, left_out) = without_optional(entity, attributes, |shape| json::read_record(body, shape));
    let id = match &attributes {
        Ok(attributes) => id_of(entity.key, attributes),
        Err(ReadError::Missing { .. } | ReadError::Value { .. }) => {
            // If something cannot be read, read at least the id.
            json::read_record(body, &[(entity.key, Kind::Guid)]).ok().and_then(|key| id_of(entity.key, &key))
        }
        Err(error) => return Err(error.clone()),
    };
    Ok(Carried { id, attributes, left_out, version: None })
}

/// Reads the records of a page, and the link to the next one.
fn records(entity: &EntityShape, body: &[u8]) -> Result<(Vec<Carried>, Option<String>), ReadError> {
    let JsonPage { records, next } = json::read_page(body, &entity.attributes)?;
    let again = |at: usize, shape: &Shape| match json::read_page(body, shape)?.records.into_iter().nth(at) {
        Some(record) => record,
        None => Err(ReadError::NotARecord { expected: "a record" }),
    };
    let records = records.into_iter().enumerate();
    let records = records.map(|(at, record)| without_optional(entity, record, |shape| again(at, shape)));
    let records: Vec<_> = records.collect();
    // If something cannot be read, read at least the ids.
    let keys = if records.iter().all(|(record, _)| record.is_ok()) {
        Vec::new()
    } else {
        json::read_page(body, &[(entity.key, Kind::Guid)])?.records
    };
    let carried = records.into_iter().enumerate().map(|(at, (attributes, left_out))| {
        let id = match &attributes {
            Ok(attributes) => id_of(entity.key, attributes),
            Err(_) => keys.get(at).and_then(|key| id_of(entity.key, key.as_ref().ok()?)),
        };
        Carried { id, attributes, left_out, version: None }
    });
    Ok((carried.collect(), next))
}

/// A record without those optional attributes that cannot be read, and why they cannot. A record that can be read is left as
/// it is; another one is read again without the attribute at fault.
fn without_optional(
    entity: &EntityShape,
    mut record: Result<Attributes, ReadError>,
    read: impl Fn(&Shape) -> Result<Attributes, ReadError>,
) -> (Result<Attributes, ReadError>, Vec<ReadError>) {
    let (mut shape, mut left_out) = (Vec::new(), Vec::new());
    while let Err(error @ (ReadError::Missing { attribute } | ReadError::Value { attribute, .. })) = &record
        && entity.optional.contains(attribute)
    {
        if left_out.is_empty() {
            shape.clone_from(&entity.attributes);
        }
        shape.retain(|(name, _)| name != attribute);
        left_out.push(error.clone());
        record = read(&shape);
    }
    (record, left_out)
}

fn id_of(key: &str, attributes: &Attributes) -> Option<Uuid> {
    match attributes.get(key) {
        Some(Value::Guid(id)) => Some(*id),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
