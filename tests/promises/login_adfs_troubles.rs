//! What can go wrong with a login by AD FS: each trouble has its own words, and is tried again or not.

use std::time::Duration;

use datahub_runtime::login::{AdFs, AdFsBuilder};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::AdFsTrouble;
use example_domain::Organisation;

use crate::login_adfs::{PASSWORD, USER, asked, hub, kit, login_of};
use crate::meddler::{Deed, Meddler, answer};
use crate::scene::says;

#[tokio::test]
async fn each_trouble_has_its_own_words_and_is_tried_again_after_a_pause() {
    use AdFsTrouble::{
        Error, HalfSession, NoFields, OtherFields, RedirectLoop, SessionsNotTaken, TokensNotTaken, Unavailable,
    };
    let rolled_over = "signs with a new certificate that CDMS does not know yet";
    let troubles: [(AdFsTrouble, &[&str]); 9] = [
        (NoFields, &["titled \"Anmelden\"", "no fields for user and password", "may have been changed"]),
        (OtherFields, &["fields that are not those of AD FS", "nothing was sent"]),
        (RedirectLoop, &["redirect more than 10 times"]),
        (Unavailable, &["503 Service Unavailable", "no fields for user and password"]),
        (Error("MSIS7042".to_owned()), &["gives no more tokens for now (MSIS7042", "time helps"]),
        (Error("MSIS7001".to_owned()), &["its error MSIS7001", "ask its administrator"]),
        (TokensNotTaken, &["CDMS does not take the token", rolled_over]),
        (SessionsNotTaken, &["CDMS does not take the token", rolled_over]),
        (HalfSession, &["half a session", "the cookie MSISAuth1 is missing"]),
    ];
    for (trouble, words) in troubles {
        let kit = kit(|adfs| adfs);
        let hub = hub(&kit, PASSWORD).await;
        kit.simulator.adfs_trouble(trouble.clone());
        let error = asked(&hub, ErrorKind::Unavailable).await;
        says(&error, words);
        says(&error, &["not tried again for 10 s"]);
        assert!(kit.simulator.passwords_tried() <= 1, "{trouble:?}");
        kit.simulator.adfs_trouble(None);
        kit.advance(Duration::from_secs(10));
        asked(&hub, ErrorKind::NotFound).await;
        assert_eq!(kit.simulator.failed_logins(), 0, "{trouble:?}");
    }
}

#[tokio::test]
async fn an_expired_password_and_a_second_factor_are_for_people_and_not_tried_again() {
    let troubles: [(AdFsTrouble, &[&str]); 2] = [
        (AdFsTrouble::NewPassword, &["asks for a new password", "has expired"]),
        (AdFsTrouble::SecondFactor, &["a second factor (`AzureMfaAuthentication`)", "`hub.retry_login()`"]),
    ];
    for (trouble, words) in troubles {
        let kit = kit(|adfs| adfs);
        kit.simulator.adfs_trouble(trouble.clone());
        let first = hub(&kit, PASSWORD).await;
        says(&asked(&first, ErrorKind::LoginRefused).await, words);
        kit.advance(Duration::from_secs(86_400));
        asked(&first, ErrorKind::LoginRefused).await;
        asked(&hub(&kit, PASSWORD).await, ErrorKind::LoginRefused).await;
        assert_eq!(kit.simulator.passwords_tried(), 1, "{trouble:?}");
        kit.simulator.adfs_trouble(None);
        first.retry_login().await.unwrap();
        asked(&first, ErrorKind::NotFound).await;
    }
}

#[tokio::test]
async fn the_home_realm_is_asked_for_unless_it_is_given() {
    let identifier = "http://sts.example.gov.uk/adfs/services/trust";
    let kit = kit(|adfs| adfs.token_services(2).home_realm(identifier));
    says(&asked(&hub(&kit, PASSWORD).await, ErrorKind::Unavailable).await, &["which organisation", "`home_realm`"]);
    let login = login_of(&kit, PASSWORD, Some(identifier)).unwrap();
    let hub = kit.hub_with(example_domain::models(), login).connect().await.unwrap();
    asked(&hub, ErrorKind::NotFound).await;
}

#[tokio::test]
async fn too_many_tokens_within_twenty_seconds_are_trouble_of_the_servers() {
    // CDMS does not take the first token, and asks for a second one.
    let kit = kit(|adfs| adfs.tokens_at_once(1));
    kit.simulator.adfs_trouble(AdFsTrouble::TokensNotTaken);
    let error = asked(&hub(&kit, PASSWORD).await, ErrorKind::Unavailable).await;
    says(&error, &["MSIS7042", "not with the password", "signs with a new certificate"]);
    assert_eq!(kit.simulator.failed_logins(), 0);
}

#[tokio::test]
async fn a_cdms_without_ad_fs_is_not_logged_in_to() {
    let open = Kit::new(example_domain::METADATA);
    let login = AdFs::builder("sts.example.gov.uk").user(USER).password(PASSWORD).build().unwrap();
    let hub = open.hub_with(example_domain::models(), login).connect().await.unwrap();
    let error = asked(&hub, ErrorKind::Unavailable).await;
    says(&error, &["did not send us to AD FS", "check the address of CDMS"]);
}

#[test]
fn a_login_that_lacks_something_is_not_built() {
    let fails = |builder: AdFsBuilder, word: &str| {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured, "{error}");
        says(&error, &[word]);
    };
    let full = || AdFs::builder("sts.example.gov.uk").user(USER).password(PASSWORD);
    fails(AdFs::builder("sts.example.gov.uk").password(PASSWORD), "has no user");
    fails(AdFs::builder("sts.example.gov.uk").user(USER), "has no password");
    fails(AdFs::builder("").user(USER).password(PASSWORD), "invalid login host");
    fails(full().token_service("ftp://sts.example.gov.uk"), "expected https");
    fails(full().cdms_host("https://hub:secret@crm.example.gov.uk"), "must not contain a user or a password");
    assert!(!format!("{:?}", full().build().unwrap()).contains(PASSWORD));
}

#[tokio::test]
async fn a_locked_account_is_refused_like_a_wrong_password_and_tried_again_when_someone_says_so() {
    let kit = kit(|adfs| adfs);
    for wrong in ["one", "two", "three"] {
        asked(&hub(&kit, wrong).await, ErrorKind::LoginRefused).await;
    }
    assert!(kit.simulator.is_locked());
    let hub = hub(&kit, PASSWORD).await;
    says(&asked(&hub, ErrorKind::LoginRefused).await, &["locked, disabled or expired"]);
    asked(&hub, ErrorKind::LoginRefused).await;
    assert_eq!(kit.simulator.passwords_tried(), 4, "the right one was tried once");
    kit.simulator.unlock();
    hub.retry_login().await.unwrap();
    asked(&hub, ErrorKind::NotFound).await;
}

#[tokio::test]
async fn a_chain_of_more_than_six_token_services_is_not_followed() {
    // The services share a host here, and so the cookie in which they count.
    let six = kit(|adfs| adfs.token_services(6).tokens_at_once(6));
    asked(&hub(&six, PASSWORD).await, ErrorKind::NotFound).await;
    let seven = kit(|adfs| adfs.token_services(7).tokens_at_once(7));
    let error = asked(&hub(&seven, PASSWORD).await, ErrorKind::Unavailable).await;
    says(&error, &["6 tokens", "none of them for CDMS"]);
}

/// The names of the fields of AD FS 2.0, and of 3.0 and later.
const FIELDS: [(&str, &str); 2] = [
    ("ctl00$ContentPlaceHolder1$UsernameTextBox", "ctl00$ContentPlaceHolder1$PasswordTextBox"),
    ("UserName", "Password"),
];

/// A CDMS whose own host shows the form of AD FS with these fields, and this page after the password.
async fn answered_with(kit: &Kit, (user, password): (&str, &str), page: String, secret: &str) -> (Meddler, Hub) {
    let form = format!("<input name={user}><input type=password name={password}>");
    let form = format!("<form method=post action=/adfs/ls/>{form}</form>");
    let cdms = Meddler::before(&kit.simulator.root(), move |line| {
        let page = if line.starts_with("POST") { &page } else { &form };
        Deed::Answer(answer("200 OK", "Content-Type: text/html\r\nConnection: close\r\n", page.as_bytes()))
    });
    let login = AdFs::builder(cdms.root()).user(USER).password(secret).build().unwrap();
    let hub = kit.hub(example_domain::models()).cdms(cdms.root(), login).connect().await.unwrap();
    (cdms, hub)
}

#[tokio::test]
async fn any_page_that_asks_for_a_password_right_after_it_was_sent_is_a_refusal() {
    for (user, password) in FIELDS {
        let field = |name: &str| format!("<input type=password name={name}>");
        let form = |fields: &str| format!("<p id=errorText>Wrong.</p><form method=post>{fields}</form>");
        let again = format!("<input name={user}>{}", field(password));
        for page in [
            // A second form for a password, other names, and the same name twice.
            form(&again) + &form(&field("Pin")),
            form(&format!("<input name=Login>{}", field("Pwd"))),
            form(&format!("<input name={user}>{again}")),
        ] {
            let kit = Kit::new(example_domain::METADATA);
            let (cdms, hub) = answered_with(&kit, (user, password), page.clone(), PASSWORD).await;
            for _ in 0..3 {
                let error = asked(&hub, ErrorKind::LoginRefused).await;
                says(&error, &["refuses the user `EXAMPLE\\datahub` or its password", "`Wrong.`"]);
                assert!(!error.to_string().contains("nothing was sent"), "{error}");
                kit.advance(Duration::from_secs(600));
            }
            let sent = cdms.requests().iter().filter(|line| line.starts_with("POST")).count();
            assert_eq!(sent, 1, "{page}");
        }
    }
}

#[tokio::test]
async fn a_page_that_repeats_the_password_does_not_put_it_into_a_message() {
    let canary = "Canary  & pw";
    let long = "x".repeat(195);
    for page in [
        format!("<title>{canary} is not right</title><p>no</p>"),
        format!("<title>{} {canary} is not right</title><p>no</p>", &long[..74]),
        "<title>CANARY &amp; PW</title><p>no</p>".to_owned(),
        format!("<form method=post><input type=hidden name=AuthMethod value='{canary}'></form>"),
        format!("<p id=errorText>{canary}</p><form method=post><input type=password name=Pin></form>"),
        format!("<p id=errorText>{long} {canary}</p><form method=post><input type=password name=Pin></form>"),
    ] {
        let kit = Kit::new(example_domain::METADATA);
        let (_cdms, hub) = answered_with(&kit, FIELDS[1], page.clone(), canary).await;
        let error = Organisation::get(&hub, Id::new()).await.unwrap_err();
        assert!(error.to_string().contains('…'), "{page}: {error}");
        assert!(!format!("{error} {error:?}").to_lowercase().contains("canary"), "{page}: {error}");
    }
}
