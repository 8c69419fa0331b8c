//! Addresses of requests, parsed. Those of one model's records differ in their path, and share a long query, which is
//! parsed once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use url::{ParseError, Url};

/// How many queries are known at most. A model has one for all of its records.
const KNOWN_MAX: usize = 64;

/// The addresses of one data service.
#[derive(Debug)]
pub(super) struct Addresses {
    service: Url,
    /// By its query: an address that was parsed.
    known: Mutex<HashMap<String, Url>>,
}

impl Addresses {
    pub(super) fn of(service: Url) -> Self {
        Addresses { service, known: Mutex::default() }
    }

    /// As [`Url::parse`].
    ///
    /// # Errors
    ///
    /// It is not an address.
    pub(super) fn parse(&self, address: &str) -> Result<Url, ParseError> {
        let Some((path, query)) = self.plain_parts(address) else { return Url::parse(address) };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(url) = known.get(query) {
            let mut url = url.clone();
            drop(known);
            url.set_path(path);
            return Ok(url);
        }
        let url = Url::parse(address)?;
        if known.len() < KNOWN_MAX {
            known.insert(query.to_owned(), url.clone());
        }
        Ok(url)
    }

    /// The path and the query of the address of a record in the service. Nothing in its path has another meaning, or another
    /// form, once it is parsed.
    fn plain_parts<'a>(&self, address: &'a str) -> Option<(&'a str, &'a str)> {
        let resource = address.strip_prefix(self.service.as_str())?;
        let (resource, query) = resource.split_once('?')?;
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'(' | b')' | b'\'' | b'-' | b'_');
        let is_record = resource.starts_with('/') && resource.ends_with(')') && resource.bytes().all(is_plain);
        let path = &address[self.service.as_str().len() - self.service.path().len()..address.len() - query.len() - 1];
        (is_record && !query.contains('#')).then_some((path, query))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str = "https://crm:8443/Org/XRMServices/2011/OrganizationData.svc";

    #[test]
    fn an_address_is_parsed_as_if_it_were_the_first() {
        let addresses = Addresses::of(Url::parse(SERVICE).unwrap());
        let resources = [
            "/AccountSet(guid'0d2f3c60-0000-4000-8000-000000000001')?$select=AccountId,Name",
            "/AccountSet(guid'0d2f3c60-0000-4000-8000-000000000002')?$select=AccountId,Name",
            "/ContactSet(guid'0d2f3c60-0000-4000-8000-000000000002')?$select=AccountId,Name",
            "/ContactSet(guid'0d2f3c60-0000-4000-8000-000000000002')?$select=ContactId",
            "/AccountSet(guid'1')?",
            "/AccountSet(guid'1')",
            "/AccountSet?$select=AccountId&$filter=Name%20eq%20'a b'",
            "/AccountSet/../(guid'1')?$select=AccountId,Name",
            "/Account%2e%2e(guid'1')?$select=AccountId,Name",
            "/Account\\Set(guid'1')?$select=AccountId,Name",
            "/Accountä(guid'1')?$select=AccountId,Name",
            "/AccountSet(guid'1')?$select=AccountId,Name#part",
            "/AccountSet(guid'1')?$select=a b'\"<>\u{e4}\t",
            "/AccountSet(guid'2')?$select=a b'\"<>\u{e4}\t",
            "x/AccountSet(guid'1')?$select=AccountId,Name",
        ];
        for address in resources.iter().chain(&resources).map(|resource| format!("{SERVICE}{resource}")) {
            assert_eq!(addresses.parse(&address), Url::parse(&address), "{address}");
        }
        for other in ["http://other/Org/AccountSet(guid'1')?$select=AccountId,Name", "no address"] {
            assert_eq!(addresses.parse(other), Url::parse(other));
        }
    }

    #[test]
    fn what_is_known_is_limited() {
        let addresses = Addresses::of(Url::parse(SERVICE).unwrap());
        for number in 0..2 * KNOWN_MAX {
            let address = format!("{SERVICE}/AccountSet(guid'1')?$select=Name{number}");
            assert_eq!(addresses.parse(&address), Url::parse(&address));
        }
        assert_eq!(addresses.known.lock().unwrap().len(), KNOWN_MAX);
    }
}
