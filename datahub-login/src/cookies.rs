//! Cookies by host and path, as many and as long as a login has, and no more.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cookie_store::{Cookie, CookieExpiration, CookieStore};
use url::Url;
use zeroize::Zeroizing;

/// The most cookies that are kept.
const COOKIES_MAX: usize = 100;

/// The longest header that sets a cookie, in bytes.
const HEADER_MAX: usize = 16 * 1024;

/// The most that is sent to an address, in bytes. Servers of CRM 2011's age take little more.
const SENT_MAX: usize = 64 * 1024;

/// The cookies of a login. `Debug` shows how many there are.
#[derive(Clone, Default)]
pub struct Cookies {
    store: CookieStore,
}

/// A cookie that is sent to an address. `Debug` shows its name.
pub struct Live<'c> {
    /// The name.
    pub name: &'c str,
    /// The value.
    pub value: &'c str,
    /// How long it is still good, if the server said so.
    pub lasts: Option<Duration>,
}

/// Why cookies are not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CookieFault {
    /// A server sets too many.
    #[error("more than {COOKIES_MAX} cookies")]
    Many,
    /// A header is too long.
    #[error("a cookie of more than {HEADER_MAX} bytes")]
    Long,
    /// All that would be sent to an address is too long.
    #[error("cookies of more than {SENT_MAX} bytes together")]
    Heavy,
}

impl Cookies {
    /// Takes what an answer from this address sets with its `Set-Cookie` headers. An empty value deletes a cookie, as a date in
    /// the past does. What is no cookie, or one for another host, is left out, as browsers do.
    ///
    /// # Errors
    ///
    /// A server sets more or longer cookies than a login needs. What came before is kept.
    pub fn take<'h>(&mut self, url: &Url, headers: impl IntoIterator<Item = &'h str>) -> Result<(), CookieFault> {
        for header in headers {
            if header.len() > HEADER_MAX {
                return Err(CookieFault::Long);
            }
            let Ok(cookie) = Cookie::parse(header, url) else { continue };
            let cookie = cookie.into_owned();
            if cookie.value().is_empty() && cookie.domain.matches(url) {
                let (domain, path) = (String::from(&cookie.domain), String::from(&cookie.path));
                self.store.remove(&domain, &path, cookie.name());
                continue;
            }
            // What is refused is for another host.
            _ = self.store.insert(cookie, url);
            if self.store.iter_any().count() > COOKIES_MAX {
                return Err(CookieFault::Many);
            }
        }
        if self.header(url).is_some_and(|header| header.len() > SENT_MAX) {
            return Err(CookieFault::Heavy);
        }
        Ok(())
    }

    /// The cookies that are sent to this address: those of longer paths first, then by name.
    pub fn live(&self, url: &Url) -> Vec<Live<'_>> {
        let mut matching = self.store.matches(url);
        matching.sort_by(|a, b| b.path.len().cmp(&a.path.len()).then_with(|| a.name().cmp(b.name())));
        let live = matching.into_iter().map(|cookie| Live {
            name: cookie.name(),
            value: cookie.value(),
            lasts: match cookie.expires {
                CookieExpiration::AtUtc(end) => Some(left_until(end.unix_timestamp())),
                CookieExpiration::SessionEnd => None,
            },
        });
        live.collect()
    }

    /// The `Cookie` header of a request to this address, if any cookie is sent there. It is wiped from memory.
    pub fn header(&self, url: &Url) -> Option<Zeroizing<String>> {
        let live = self.live(url);
        let length = live.iter().map(|cookie| cookie.name.len() + cookie.value.len() + 3).sum();
        let mut header = Zeroizing::new(String::with_capacity(length));
        for cookie in &live {
            if !header.is_empty() {
                header.push_str("; ");
            }
            header.push_str(cookie.name);
            header.push('=');
            header.push_str(cookie.value);
        }
        (!header.is_empty()).then_some(header)
    }
}

/// How long it is until a time, in seconds since 1970 UTC.
fn left_until(end: i64) -> Duration {
    let end = UNIX_EPOCH + Duration::from_secs(u64::try_from(end).unwrap_or_default());
    end.duration_since(SystemTime::now()).unwrap_or_default()
}

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cookies({}, hidden)", self.store.iter_any().count())
    }
}

impl fmt::Debug for Live<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Live({:?}, hidden)", self.name)
    }
}
