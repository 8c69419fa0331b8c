//! Cookies go where they were set, and only there, for as long as they last.
#![allow(clippy::unwrap_used, reason = "functions beside the tests unwrap what the tests made themselves")]

use datahub_login::{CookieFault, Cookies};
use url::Url;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn taken(from: &str, headers: &[&str]) -> Cookies {
    let mut cookies = Cookies::default();
    cookies.take(&url(from), headers.iter().copied()).unwrap();
    cookies
}

fn sent(cookies: &Cookies, to: &str) -> String {
    cookies.header(&url(to)).map(|header| header.to_string()).unwrap_or_default()
}

const STS: &str = "https://sts.example.gov.uk/adfs/ls/";

#[test]
fn a_cookie_goes_to_the_host_and_the_path_that_set_it() {
    let cookies = taken(STS, &["MSISAuth=a; path=/adfs; HttpOnly; Secure", "all=b; Path=/", "here=c"]);
    assert_eq!(sent(&cookies, "https://sts.example.gov.uk/adfs/ls/x?y"), "here=c; MSISAuth=a; all=b");
    assert_eq!(sent(&cookies, "https://sts.example.gov.uk/adfs"), "MSISAuth=a; all=b");
    assert_eq!(sent(&cookies, "https://sts.example.gov.uk/adfsx"), "all=b");
    assert_eq!(sent(&cookies, "http://sts.example.gov.uk/adfs"), "all=b", "a secure one never in clear text");
    for other in
        ["https://example.gov.uk/", "https://x.sts.example.gov.uk/", "https://sts.example.gov.uk.evil.example/"]
    {
        assert_eq!(sent(&cookies, other), "", "{other}");
    }
}

#[test]
fn a_host_can_set_cookies_for_its_domain_and_for_no_other() {
    let auth = "https://auth.example.gov.uk/";
    let cookies = taken(
        auth,
        &["MSISAuth=a; domain=.example.gov.uk; path=/", "x=1; domain=crm.example.gov.uk", "y=2; domain=other.example"],
    );
    assert_eq!(sent(&cookies, "https://crm.example.gov.uk/ORG"), "MSISAuth=a");
    assert_eq!(sent(&cookies, "https://other.example/"), "");
    let by_number = taken("http://127.0.0.1:5000/", &["a=1; domain=0.0.1", "b=2"]);
    assert_eq!(sent(&by_number, "http://127.0.0.1:6000/"), "b=2");
    assert_eq!(sent(&by_number, "http://10.0.0.1/"), "");
}

#[test]
fn a_cookie_is_replaced_and_deleted_by_its_name_and_path() {
    let mut cookies =
        taken(STS, &["MSISAuth=a; path=/adfs", "MSISAuth1=b; path=/adfs", "other=c; path=/adfs", "gone=d; path=/adfs"]);
    let now = [
        "MSISAuth=new; path=/adfs",
        "MSISAuth1=; path=/adfs",
        "MSISAuth1=; path=/",
        "other=x; path=/adfs; expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "gone=x; path=/adfs; Max-Age=0",
        "never=x; expires=Thu, 01-Jan-1970 00:00:00 GMT",
    ];
    cookies.take(&url(STS), now).unwrap();
    assert_eq!(sent(&cookies, STS), "MSISAuth=new");
}

#[test]
fn the_age_of_a_cookie_is_told() {
    let cookies = taken(STS, &["a=1; path=/; Max-Age=600; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "b=2; path=/"]);
    let url = url(STS);
    let lasts: Vec<_> = cookies.live(&url).iter().map(|cookie| cookie.lasts.map(|lasts| lasts.as_secs())).collect();
    assert!(matches!(lasts[..], [Some(598..=600), None]), "{lasts:?}");
}

#[test]
fn a_server_cannot_fill_the_memory_with_cookies() {
    let mut cookies = Cookies::default();
    let many: Vec<_> = (0..101).map(|number| format!("c{number}=x")).collect();
    assert_eq!(cookies.take(&url(STS), many.iter().map(String::as_str)), Err(CookieFault::Many));
    let long = format!("a={}", "x".repeat(16 * 1024));
    assert_eq!(Cookies::default().take(&url(STS), [long.as_str()]), Err(CookieFault::Long));
    let heavy: Vec<_> = (0..9).map(|number| format!("c{number}={}", "x".repeat(8_000))).collect();
    assert_eq!(Cookies::default().take(&url(STS), heavy.iter().map(String::as_str)), Err(CookieFault::Heavy));
}

#[test]
fn values_are_not_shown() {
    let cookies = taken(STS, &["MSISAuth=hunter2; path=/"]);
    let told = format!("{cookies:?} {:?}", cookies.live(&url(STS)));
    assert_eq!(told, "Cookies(1, hidden) [Live(\"MSISAuth\", hidden)]");
}

#[test]
fn what_is_no_cookie_is_left_out() {
    let cookies = taken(STS, &["", "=", "=x", "name", ";;;", "a=1; path=relative", "b=\"q\"; path=/"]);
    assert_eq!(sent(&cookies, STS), "a=1; b=\"q\"");
}
