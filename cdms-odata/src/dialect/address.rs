//! The configured address of CDMS, checked before a password is sent there.

use ::url::{Host, Url};

/// Why an address cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It is not a URL.
    #[error("{text:?} is not a valid URL: {reason}; write it like https://crm.example.gov.uk/ORG")]
    NotAUrl {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It is neither http nor https.
    #[error("unsupported scheme {scheme:?}; use https://")]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// Plain http to another machine.
    #[error(
        "http:// to {host} would send records and passwords unprotected; use https:// (plain http is for this machine only)"
    )]
    PlainHttp {
        /// The host.
        host: String,
    },
    /// It carries a user or a password.
    #[error("the address must not contain a user or password; they belong to the login")]
    Credentials,
    /// It carries a query or a fragment.
    #[error("the address must not contain {what}; remove it")]
    Superfluous {
        /// What it carries.
        what: &'static str,
    },
}

/// Parses an address that records and passwords may be sent to.
///
/// # Errors
///
/// See [`AddressError`]. Plain http is accepted for loopback addresses only.
pub fn checked_address(text: &str) -> Result<Url, AddressError> {
    checked_address_with_plain(text, &[])
}

/// As [`checked_address`], with plain http also to the hosts with these names, whatever their letters' case.
///
/// # Errors
///
/// See [`AddressError`].
pub fn checked_address_with_plain(text: &str, plain_http: &[String]) -> Result<Url, AddressError> {
    let url = Url::parse(text)
        .map_err(|error| AddressError::NotAUrl { text: without_secrets(text), reason: error.to_string() })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::Credentials);
    }
    let superfluous = [(url.query().is_some(), "a query"), (url.fragment().is_some(), "a fragment")];
    if let Some((_, what)) = superfluous.into_iter().find(|(found, _)| *found) {
        return Err(AddressError::Superfluous { what });
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) || is_named(&url, plain_http) => Ok(url),
        "http" => Err(AddressError::PlainHttp { host: url.host_str().unwrap_or_default().to_owned() }),
        scheme => Err(AddressError::Scheme { scheme: scheme.to_owned() }),
    }
}

/// An address as it can be shown to people, also where it is no URL: without a user and a password, and without a query and a
/// fragment, which may contain a token.
pub fn without_secrets(address: &str) -> String {
    let (scheme, rest) = match address.find("://") {
        Some(at) => address.split_at(at + "://".len()),
        None => ("", address),
    };
    // The last `@`, because a password may contain others.
    let (user, rest) = match rest.rsplit_once('@') {
        // A password with a `?`, or an `@` in a query: which of the two cannot be told.
        Some((before, _)) if before.contains(['?', '#']) => return format!("{scheme}…"),
        Some((_, rest)) => ("…@", rest),
        None => ("", rest),
    };
    let (place, query) = match rest.find(['?', '#']) {
        Some(at) => (&rest[..at], format!("{}…", &rest[at..=at])),
        None => (rest, String::new()),
    };
    format!("{scheme}{user}{place}{query}")
}

fn is_named(url: &Url, hosts: &[String]) -> bool {
    url.host_str().is_some_and(|host| hosts.iter().any(|named| named.eq_ignore_ascii_case(host)))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_addresses_are_refused_with_the_way_out() {
        for (text, expected) in [
            ("crm.example.gov.uk", "is not a valid URL"),
            ("ftp://crm", "use https://"),
            ("http://crm.example.gov.uk/ORG", "plain http is for this machine only"),
            ("http://localhost.example.org/ORG", "plain http is for this machine only"),
            ("http://127.0.0.1.example.org/ORG", "plain http is for this machine only"),
            ("http://crm.localhost/ORG", "plain http is for this machine only"),
            ("http://notlocalhost/ORG", "plain http is for this machine only"),
            ("http://128.0.0.1/ORG", "plain http is for this machine only"),
            ("http://0.0.0.0/ORG", "plain http is for this machine only"),
            ("http://[::2]/ORG", "plain http is for this machine only"),
            ("http://[::ffff:10.0.0.1]/ORG", "plain http is for this machine only"),
            ("http://localhost@crm.example.org/ORG", "a user or password"),
            ("https://ada:secret@crm/ORG", "a user or password"),
            ("https://crm/ORG?x=1", "a query"),
            ("https://crm/ORG#x", "a fragment"),
            ("https://ada:secret@crm:99999/ORG", "is not a valid URL"),
        ] {
            let error = checked_address(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
        for text in ["http://127.0.0.1:8080/ORG", "http://127.9.9.9/ORG", "http://[::1]/ORG", "http://LocalHost/ORG"] {
            checked_address(text).unwrap();
        }
    }

    #[test]
    fn what_may_be_secret_is_not_shown() {
        for (address, shown) in [
            ("https://crm.example.gov.uk/ORG", "https://crm.example.gov.uk/ORG"),
            ("https://bob:secret@crm/ORG", "https://…@crm/ORG"),
            ("https://bob:secret@x@crm/ORG", "https://…@crm/ORG"),
            ("https://bob:secret?x@crm/ORG", "https://…"),
            ("https://crm/ORG?token=secret", "https://crm/ORG?…"),
            ("https://crm/ORG#secret", "https://crm/ORG#…"),
            ("https://crm/ORG?mail=secret@example.org&token=secret", "https://…"),
            ("bob:secret@crm", "…@crm"),
            ("bob://secret@crm", "bob://…@crm"),
        ] {
            assert_eq!(without_secrets(address), shown);
        }
    }

    #[test]
    fn plain_http_is_for_the_named_hosts_alone() {
        let hosts = ["crm.intern".to_owned(), "10.0.0.7".to_owned()];
        for text in ["http://CRM.intern/ORG", "http://crm.intern:5555/ORG", "http://10.0.0.7/ORG", "https://other/ORG"]
        {
            checked_address_with_plain(text, &hosts).unwrap();
        }
        for text in
            ["http://crm.intern.example.org/ORG", "http://sts.intern/ORG", "http://intern/ORG", "http://10.0.0.70/"]
        {
            let error = checked_address_with_plain(text, &hosts).unwrap_err();
            assert!(matches!(error, AddressError::PlainHttp { .. }), "{text}: {error}");
        }
    }
}
