//! What each step of the first contact says, and what to do about it.

use cdms_odata::dialect::{HttpResponse, TrialAnswer};
use http::StatusCode;
use http::header::{LOCATION, WWW_AUTHENTICATE};

use crate::cdms::client::Broken;
use crate::cdms::transport::{NoResponse, NotSent};
use crate::connection::State;

pub(super) const CHECK_ADDRESS: &str =
    "check the address; it is the organisation's, as in a browser: https://crm.example.gov.uk/ORG";
pub(super) const LATER: &str = "try again later; if it stays, look at the CDMS server";
pub(super) const SCHEMA_HELP: &str =
    "save CDMS's present $metadata as the snapshot; then `datahub check` shows what must change in the contract";

pub(super) const PROXY_LOGIN: &str = "write the proxy's user and password into its address, in `.proxy(…)` or HTTPS_PROXY; \
                                      datahub.toml takes no password";
const CHECK_PROXY: &str = "check `proxy` in [cdms], or HTTPS_PROXY and NO_PROXY";

/// There is no secure connection.
pub(super) fn insecure(no_response: &NoResponse) -> State {
    State::fails(
        no_response.to_string(),
        "docs/logins.md, `TLS, proxies and certificates`, says more about this message; verification cannot be switched off",
    )
}

/// Nothing answers at an address.
pub(super) fn silent(host: &str, place: &str, no_response: &NoResponse) -> State {
    match no_response {
        NoResponse::NotSent(NotSent::Dns(_)) => State::fails(
            format!("the name {host} cannot be resolved: {no_response}"),
            "check the host in the address, and whether this machine's DNS knows it",
        ),
        NoResponse::NotSent(NotSent::Proxy { asks_for_login, .. }) => State::fails(
            format!("{place} is not reached by its proxy: {no_response}"),
            if *asks_for_login { PROXY_LOGIN } else { CHECK_PROXY },
        ),
        NoResponse::NotSent(NotSent::Connect(_)) => State::fails(
            format!("{place} cannot be reached: {no_response}"),
            "check host and port, whether CDMS runs, and what is in between: a firewall, or a proxy that this machine needs",
        ),
        NoResponse::NotSent(_) => State::unknown(format!("nothing was sent: {no_response}"), LATER),
        NoResponse::Lost(_) => State::fails(
            format!("{place} gives no whole answer: {no_response}"),
            "check whether a web server answers there, and what stands in between",
        ),
    }
}

/// Why the organisation did not say which one it is.
pub(super) fn no_organisation(answer: TrialAnswer) -> State {
    match answer {
        TrialAnswer::NoPrivilege(words) => State::fails(
            format!("CDMS answers, but its user may not read the organisation: {words}"),
            "give the CDMS user a role that may read the organisation",
        ),
        TrialAnswer::Forbidden(words) => State::fails(
            format!("the web server, or what stands in front of CDMS, forbids the request: it answered with {words}"),
            "check whether the user is a user of this organisation, and ask the administrator of the server",
        ),
        TrialAnswer::Unavailable(words) => State::unknown(format!("CDMS does not answer properly: {words}"), LATER),
        TrialAnswer::Served { .. } => State::unknown("CDMS does not show its organisation".to_owned(), LATER),
        TrialAnswer::NoSession(words)
        | TrialAnswer::ProxyLogin(words)
        | TrialAnswer::NoSet(words)
        | TrialAnswer::Refused(words)
        | TrialAnswer::NotCdms(words) => State::fails(
            format!("what answers there is no data service of CRM 2011 of an organisation: it answered with {words}"),
            CHECK_ADDRESS,
        ),
    }
}

/// What a trial read shows about the right to read.
pub(super) fn read(set: &str, answer: TrialAnswer) -> State {
    match answer {
        TrialAnswer::Served { has_record: true } => State::works(format!("CDMS shows a record of {set}")),
        TrialAnswer::Served { has_record: false } => {
            State::works(format!("CDMS answers, and shows no record of {set}: there is none, or none for this user"))
        }
        TrialAnswer::NoPrivilege(words) => State::fails(
            format!("the CDMS user may not read {set}: {words}"),
            "give the CDMS user a role with the privilege that CDMS's text names",
        ),
        TrialAnswer::Forbidden(words) => State::fails(
            format!(
                "the web server, or what stands in front of CDMS, forbids the read of {set}: it answered with {words}"
            ),
            "this is no matter of CDMS's roles; ask the administrator of the server",
        ),
        TrialAnswer::NoSet(words) => {
            State::fails(format!("CDMS has no set {set}: {words}"), "compare `set` in the contract with $metadata")
        }
        TrialAnswer::Refused(words) => State::fails(
            format!("CDMS does not accept the read of {set}: {words}"),
            "compare the contract with $metadata; the schema says what differs",
        ),
        TrialAnswer::NoSession(words)
        | TrialAnswer::ProxyLogin(words)
        | TrialAnswer::NotCdms(words)
        | TrialAnswer::Unavailable(words) => {
            State::unknown(format!("CDMS did not answer the read of {set} properly: {words}"), LATER)
        }
    }
}

/// Which login to state, as far as CDMS's answer to a request without a session says it.
pub(super) fn login_to_state(outside: &HttpResponse) -> String {
    const WHERE: &str = "as `[cdms]` in datahub.toml, or in `.cdms(address, login)`";
    if let Some(host) = token_service(outside) {
        return format!(
            "CDMS sends logins to {host}: write `login = \"adfs\"` and `sign-in = \"{host}\"` in [cdms] of datahub.toml, \
             or `AdFs` in `.cdms(address, login)`"
        );
    }
    let offers = outside.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|offer| offer.to_str().ok());
    let offers: Vec<_> = offers.map(str::to_ascii_lowercase).collect();
    let has = |scheme: &str| offers.iter().any(|offer| offer.contains(scheme));
    if outside.status == StatusCode::UNAUTHORIZED && (has("negotiate") || has("ntlm")) {
        return "CDMS asks for a Windows account: write `login = \"ntlm\"` in [cdms] of datahub.toml, or `Ntlm` in \
                `.cdms(address, login)`"
            .to_owned();
    }
    format!("state the login {WHERE}; docs/logins.md says which")
}

/// The host of AD FS, if CDMS redirects to its pages.
fn token_service(outside: &HttpResponse) -> Option<String> {
    let location = outside.headers.get(LOCATION).filter(|_| outside.status.is_redirection())?;
    let target = outside.url.join(location.to_str().ok()?).ok()?;
    let is_sign_in = target.query_pairs().any(|(name, value)| name == "wa" && value == "wsignin1.0");
    let host = target.host_str().filter(|host| is_sign_in && Some(*host) != outside.url.host_str())?;
    Some(host.to_owned())
}

/// Why there is no session.
pub(super) fn no_session(broken: Broken) -> State {
    let help = if broken.is_refusal() {
        "if the user, or the client id, and the secret are right, have the account, or the application, looked at: it may be \
         locked, disabled or expired"
    } else {
        "correct what the message says; \"Logging in to CDMS\" in the documentation of Data Hub Sync \
         (docs/logins.md) explains it"
    };
    State::fails(self::broken(broken), help)
}

/// What broke, in words.
pub(super) fn broken(broken: Broken) -> String {
    use crate::cdms::client::Unanswered::{LoginRefused, Unavailable};
    match broken.into() {
        LoginRefused(reason) | Unavailable(reason) => reason.to_string(),
    }
}
