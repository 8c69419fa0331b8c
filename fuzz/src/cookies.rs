//! Any lines as the cookies that servers set, the first one as an address: what is kept is sent to the host that set it and to
//! no stranger, and can be sent.

use datahub_login::Cookies;
use datahub_login::adfs::{is_whole, part_of};
use url::Url;

/// Takes the cookies, and looks at what would be sent.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.lines();
    let Some(Ok(path)) =
        lines.next().map(|path| Url::parse("https://crm.example.gov.uk/").and_then(|base| base.join(path)))
    else {
        return;
    };
    if path.scheme() != "https" || path.host_str() != Some("crm.example.gov.uk") {
        return;
    }
    let mut cookies = Cookies::default();
    for line in lines {
        // A header has no control characters.
        if line.contains(char::is_control) || cookies.take(&path, [line]).is_err() {
            return;
        }
        let last: Vec<_> = cookies.live(&path).iter().map(|cookie| cookie.name.to_owned()).collect();
        assert!(last.len() <= 100, "too many cookies are kept");
    }
    let live = cookies.live(&path);
    assert!(live.iter().all(|cookie| !cookie.value.is_empty()), "an empty value deletes a cookie");
    if let Err(missing) = is_whole(live.iter().map(|cookie| cookie.name)) {
        assert!(part_of(&missing).is_some() && live.iter().all(|cookie| cookie.name != missing), "{missing} is there");
    }
    if let Some(header) = cookies.header(&path) {
        assert!(!header.contains(char::is_control), "{:?} cannot be sent", header.as_str());
    }
    for stranger in ["https://evil.example/", "https://crm.example.gov.uk.evil.example/", "https://example.com/"] {
        let stranger = Url::parse(stranger).expect("it is an address");
        assert!(cookies.header(&stranger).is_none(), "a cookie is sent to {stranger}");
    }
}
