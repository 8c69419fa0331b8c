//! Addresses: the service root, sets, records, lists with their query options, and the links between their pages.

#[cfg(test)]
mod tests;

use std::fmt;

use ::url::Url;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

use crate::dialect::{AddressError, Direction, ListError, ListQuery, checked_address_with_plain};

const SERVICE: &str = "/XRMServices/2011/OrganizationData.svc";

/// The longest URI that is sent, in characters; servers accept about 2,000 (docs/protocol.md, 3.1).
pub const MAX_URI: usize = 1_900;

/// What the first page's address leaves free for each attribute of the order, whose value the next page's address carries.
const ORDER_ROOM: usize = 64;

/// What is encoded in a query option. Besides what the query syntax requires these are the quotes, because URL parsers encode
/// them anyway, and the length must be known.
pub(super) const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'(')
    .remove(b')')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b'$');

/// The validated root of a CDMS's data service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRoot {
    url: Url,
}

/// An address with the attributes to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// The address.
    pub url: String,
    /// Whether naming the attributes would have made it too long, so that the whole record is read instead.
    pub whole_record: bool,
}

impl ServiceRoot {
    /// Parses the address of the organisation or of its data service; the service's path is added if it is missing.
    ///
    /// # Errors
    ///
    /// See [`AddressError`]; plain http is accepted for loopback addresses only.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        ServiceRoot::parse_with_plain(text, &[])
    }

    /// As [`parse`](ServiceRoot::parse), with plain http also to the hosts with these names.
    ///
    /// # Errors
    ///
    /// See [`AddressError`].
    pub fn parse_with_plain(text: &str, plain_http: &[String]) -> Result<Self, AddressError> {
        let mut url = checked_address_with_plain(text, plain_http)?;
        let path = url.path().trim_end_matches('/').to_owned();
        let service = path.to_ascii_lowercase().find(&SERVICE.to_ascii_lowercase());
        if let Some(at) = service {
            if at + SERVICE.len() < path.len() {
                return Err(AddressError::Superfluous { what: "anything after OrganizationData.svc" });
            }
            url.set_path(&path);
        } else {
            url.set_path(&format!("{path}{SERVICE}"));
        }
        Ok(ServiceRoot { url })
    }

    /// The host, for logs.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The root as a URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The organisation's address, where logins start.
    pub fn organisation(&self) -> Url {
        let mut url = self.url.clone();
        let path = url.path()[..url.path().len() - SERVICE.len()].to_owned();
        url.set_path(&path);
        url
    }

    /// The address of a set.
    pub fn set(&self, set: &str) -> String {
        format!("{}/{set}", self.url)
    }

    /// The address of a record.
    pub fn record(&self, set: &str, id: Uuid) -> String {
        format!("{}/{set}(guid'{id}')", self.url)
    }

    /// Adds the attributes to read to an address, unless that would make it longer than [`MAX_URI`].
    pub fn select<'n>(&self, url: String, names: impl IntoIterator<Item = &'n str>) -> Selected {
        let names = names.into_iter();
        // About as long as it will be, for names of usual length.
        let mut long = String::with_capacity(url.len() + 24 * (1 + names.size_hint().0));
        long.push_str(&url);
        long.push_str("?$select=");
        for (position, name) in names.enumerate() {
            if position > 0 {
                long.push(',');
            }
            long.push_str(name);
        }
        let whole_record = long.len() > MAX_URI;
        Selected { url: if whole_record { url } else { long }, whole_record }
    }

    /// The address of a list's first page. If naming the attributes would make it too long, whole records are read.
    ///
    /// # Errors
    ///
    /// It is longer than [`MAX_URI`], even without the attributes.
    pub fn list<'n>(
        &self,
        set: &'static str,
        names: impl IntoIterator<Item = &'n str>,
        query: &ListQuery,
    ) -> Result<String, ListError> {
        let ListQuery { filter, order, top, expand } = query;
        let mut names: Vec<_> = names.into_iter().map(str::to_owned).collect();
        names.extend(expand.iter().map(|expand| format!("{}/{}", expand.navigation, expand.key)));
        let order: Vec<_> = order
            .iter()
            .map(|(name, direction)| match direction {
                Direction::Ascending => name.to_string(),
                Direction::Descending => format!("{name} desc"),
            })
            .collect();
        let option = |name: &str, value: &str| format!("${name}={}", utf8_percent_encode(value, ENCODED));
        let rest: Vec<_> = [
            filter.as_ref().map(|filter| option("filter", filter)),
            (!order.is_empty()).then(|| option("orderby", &order.join(","))),
            top.map(|top| option("top", &top.to_string())),
            expand.as_ref().map(|expand| option("expand", &expand.navigation)),
        ]
        .into_iter()
        .flatten()
        .collect();
        let limit = MAX_URI.saturating_sub(order.len() * ORDER_ROOM);
        let address = |options: &[String]| {
            let mark = if options.is_empty() { "" } else { "?" };
            format!("{}{mark}{}", self.set(set), options.join("&"))
        };
        let selected = address(&[vec![option("select", &names.join(","))], rest.clone()].concat());
        if selected.len() <= limit {
            return Ok(selected);
        }
        let whole = address(&rest);
        if whole.len() <= limit { Ok(whole) } else { Err(ListError::TooLong { set, length: whole.len(), limit }) }
    }

    /// The records of a set whose text attribute has a value.
    pub fn find_text(&self, set: &str, attribute: &str, text: &str, select: &str) -> String {
        let literal = text.replace('\'', "''");
        let literal: String = ::url::form_urlencoded::byte_serialize(literal.as_bytes()).collect();
        // Form encoding writes blanks as `+`, which this service interprets literally in a query string.
        let literal = literal.replace('+', "%20");
        format!("{}/{set}?$select={select}&$filter={attribute}%20eq%20'{literal}'", self.url)
    }

    /// The next page of a list, given the link that the server returned. The link itself is never followed: it must
    /// name the requested set, with the options that were sent and no others except `$skiptoken` and `$top`, and its
    /// query is sent to this root. So neither a server under another name (TLS offloading, an internal host name) nor a
    /// hostile one can redirect the request.
    ///
    /// # Errors
    ///
    /// Why the link is not the next page of the requested list.
    pub fn next_page(&self, sent: &str, link: &str) -> Result<NextPage, BadLink> {
        let sent = Url::parse(sent).map_err(|_| BadLink::NotAUrl)?;
        let link = Url::parse(link).map_err(|_| BadLink::NotAUrl)?;
        let set = last_segment(&sent);
        if last_segment(&link) != set {
            return Err(BadLink::AnotherSet);
        }
        let wanted = options(&sent);
        let found = options(&link);
        if wanted != found {
            let differs = |option: &&(String, String)| !wanted.contains(option) || !found.contains(option);
            let option = wanted.iter().chain(&found).find(differs).map(|(name, _)| name.clone());
            return Err(BadLink::OtherOptions { option: option.unwrap_or_default() });
        }
        let query = link.query().map_or_else(String::new, |query| format!("?{query}"));
        Ok(NextPage { url: format!("{}{query}", self.set(&set)), is_foreign: link.origin() != self.url.origin() })
    }
}

/// The address of a list's next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextPage {
    /// The address, under the service root.
    pub url: String,
    /// Whether the server's link named another origin.
    pub is_foreign: bool,
}

/// Why a link is not the next page of a list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadLink {
    /// It is not a URL.
    #[error("it is not a valid URL")]
    NotAUrl,
    /// The list whose page it should be cannot be requested.
    #[error(transparent)]
    NotRequested(#[from] ListError),
    /// It names another set.
    #[error("it names another set")]
    AnotherSet,
    /// Its options differ from those that were sent.
    #[error("its option {option:?} differs from the request")]
    OtherOptions {
        /// The first option that differs.
        option: String,
    },
}

fn last_segment(url: &Url) -> String {
    let segment = url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// The options of a query, sorted, without those that the server changes from page to page.
fn options(url: &Url) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = url.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let pairs = pairs.map(|(name, value)| (decoded(name), decoded(value)));
    let mut options: Vec<_> = pairs.filter(|(name, _)| !["$skiptoken", "$top"].contains(&&**name)).collect();
    options.sort();
    options
}

impl fmt::Display for ServiceRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}
