//! The SOAP organisation service, as far as its metadata goes: recorded replies to `RetrieveEntity`.

use super::answer::Answer;

/// The end of the service's path, in lowercase.
const PATH: &str = "/xrmservices/2011/organization.svc/web";

/// Whether this is the path of the service.
pub(super) fn is_service(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(PATH)
}

/// The reply about the entity that a request names, or the service's error.
pub(super) fn answer(replies: &[(String, String)], content_type: Option<&str>, body: &[u8]) -> Answer {
    if !content_type.is_some_and(|kind| kind.starts_with("text/xml")) {
        return Answer::empty(415);
    }
    let body = String::from_utf8_lossy(body);
    let known = replies.iter().find(|(entity, _)| body.contains(&format!(">{entity}</")));
    match known {
        Some((_, reply)) => xml(200, reply.clone()),
        None => xml(
            500,
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault>\
             <faultcode>s:Client</faultcode><faultstring>Could not find an entity with this name.</faultstring>\
             </s:Fault></s:Body></s:Envelope>"
                .to_owned(),
        ),
    }
}

fn xml(status: u16, body: String) -> Answer {
    Answer { status, headers: vec![("content-type", "text/xml; charset=utf-8".to_owned())], body }
}
