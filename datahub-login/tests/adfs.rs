//! The pages of AD FS, in both versions and in any language.
#![allow(clippy::unwrap_used, reason = "functions beside the tests unwrap what the tests made themselves")]

use std::time::Duration;

use datahub_login::Document;
use datahub_login::adfs::{self, Page};
use url::Url;

const LS: &str = "https://sts.example.gov.uk/adfs/ls/?wa=wsignin1.0";

fn at(url: &str, html: &str) -> Page {
    Page::read(&Document::read(html).unwrap(), &Url::parse(url).unwrap())
}

/// The page of AD FS 2.0, shortened.
const OLD: &str = r#"<form name="aspnetForm" method="post" action="?wa=wsignin1.0" id="aspnetForm">
    <input type="hidden" name="__VIEWSTATE" value="/wEP" /><input type="hidden" name="__EVENTVALIDATION" value="/wEW" />
    <input type="hidden" name="__db" value="15" /><span id="ctl00_ContentPlaceHolder1_ErrorTextLabel"></span>
    <input name="ctl00$ContentPlaceHolder1$UsernameTextBox" type="text" />
    <input name="ctl00$ContentPlaceHolder1$PasswordTextBox" type="password" />
    <input type="submit" name="ctl00$ContentPlaceHolder1$SubmitButton" value="Anmelden" /></form>"#;

/// The page of AD FS 3.0 and later, shortened.
const NEW: &str = r#"<form method="post" id="loginForm" action="/adfs/ls/?wa=wsignin1.0&amp;client-request-id=1">
    <div id="error"><span id="errorText"></span></div><input id="userNameInput" name="UserName" type="email" value="">
    <input id="passwordInput" name="Password" type="password"><input type="checkbox" name="Kmsi" value="true">
    <span id="submitButton">Sign in</span><input type="hidden" name="AuthMethod" value="FormsAuthentication"/></form>
    <form id="options" method="post" action="/adfs/ls/?x"><input type="hidden" name="AuthMethod" />
    <input id="userNameOptions" name="UserName" type="hidden"></form>"#;

#[test]
fn the_form_of_either_version_is_filled_in_and_no_other() {
    let Page::SignIn(old) = at(LS, OLD) else { panic!("it is a login page") };
    let filled = old.filled("DOMAIN\\hub", "p&w");
    let names: Vec<_> = filled.pairs().into_iter().filter(|(name, _)| !name.starts_with("__")).collect();
    let place = |name: &str| format!("ctl00$ContentPlaceHolder1${name}");
    let (user, password, button) = (place("UsernameTextBox"), place("PasswordTextBox"), place("SubmitButton"));
    assert_eq!(names, [(&*user, "DOMAIN\\hub"), (&*password, "p&w"), (&*button, "Anmelden")]);
    assert_eq!(filled.value("__VIEWSTATE"), Some("/wEP"));

    let Page::SignIn(new) = at(LS, NEW) else { panic!("it is a login page") };
    let filled = new.filled("hub@example.gov.uk", "p&w");
    assert_eq!(filled.id(), Some("loginForm"));
    let expected = [("UserName", "hub@example.gov.uk"), ("Password", "p&w"), ("AuthMethod", "FormsAuthentication")];
    assert_eq!(filled.pairs(), expected);
}

#[test]
fn the_second_form_is_not_taken_whatever_its_place() {
    let (first, second) = NEW.split_once("<form id=\"options\"").unwrap();
    let Page::SignIn(page) = at(LS, &format!("<form id=\"options\"{second}{first}")) else {
        panic!("it is a login page")
    };
    assert_eq!(page.filled("u", "p").id(), Some("loginForm"));
}

#[test]
fn a_page_whose_fields_have_other_names_gets_no_password() {
    for changed in [
        NEW.replace("name=\"Password\"", "name=\"Secret\""),
        NEW.replace("name=\"UserName\" type=\"email\"", "name=\"Login\" type=\"email\""),
        NEW.replace("name=\"UserName\" type=\"email\"", "name=\"UserName\" type=\"hidden\""),
        format!("{NEW}{OLD}"),
        // A field of the same name would get the password, and is none for passwords.
        NEW.replace("<input id=\"passwordInput\"", "<input name=\"Password\"><input id=\"passwordInput\""),
    ] {
        assert!(matches!(at(LS, &changed), Page::Changed), "{changed}");
    }
    let without = NEW.replace("type=\"password\"", "type=\"text\"");
    assert!(matches!(at(LS, &without), Page::Other), "no field for a password is no login page");
}

#[test]
fn a_token_is_posted_on_as_it_is() {
    let page = r#"<form method="POST" name="hiddenform" action="https://crm.example.gov.uk:443/">
        <input type="hidden" name="wa" value="wsignin1.0" /><input type="hidden" name="wresult" value="&lt;t:R a=&quot;&amp;amp;&quot;/>" />
        <input type="hidden" name="wctx" value="rm=1&amp;id=x" /><noscript><p>Skript ist aus</p><input type="submit" value="Weiter" /></noscript></form>"#;
    let Page::Token(form) = at(LS, page) else { panic!("it has a token") };
    assert_eq!(form.pairs(), [("wa", "wsignin1.0"), ("wresult", "<t:R a=\"&amp;\"/>"), ("wctx", "rm=1&id=x")]);
    assert!(matches!(at(LS, &format!("{page}{page}")), Page::Other), "which of two is meant is not known");
}

#[test]
fn what_a_person_must_do_is_told_apart() {
    let new_password = r#"<form action="?" method="post"><input name="UserName"><input type="password" name="OldPassword">
        <input type="password" name="NewPassword"><input type="password" name="ConfirmNewPassword"></form>"#;
    assert!(matches!(at(LS, new_password), Page::NewPassword));
    assert!(matches!(at("https://sts.example.gov.uk/adfs/portal/UpdatePassword/", NEW), Page::NewPassword));
    let second = r#"<form id="loginForm" method="post"><input type="hidden" name="AuthMethod" value="AzureMfaAuthentication"/>
        <input type="hidden" name="Context" value="x"/></form><form id="options"><input type="hidden" name="AuthMethod"/></form>"#;
    assert!(matches!(at(LS, second), Page::SecondFactor(way) if way == "AzureMfaAuthentication"));
    for realm in ["HomeRealmSelection", "ctl00$ContentPlaceHolder1$PassiveIdentityProvidersDropDownList"] {
        let page = format!("<form id=hrd method=post><select name=\"{realm}\"><option value=a>A</select></form>");
        assert!(matches!(at(LS, &page), Page::HomeRealm), "{page}");
    }
}

#[test]
fn errors_are_known_by_their_codes() {
    let page = |text: &str| at(LS, &format!("<html><script>MSIS1111</script><body><p>{text}</p></body></html>"));
    assert!(matches!(page("Fehler MSIS7042: ..."), Page::Error(code) if code == adfs::TOO_MANY_TOKENS));
    assert!(matches!(page("MSIS9605 und MSIS7042"), Page::Error(code) if code == adfs::TOO_MANY_TOKENS));
    assert!(matches!(page("MSIS7001."), Page::Error(code) if code == "MSIS7001"));
    assert!(matches!(page("MSISAuth MSIS MSIS12"), Page::Other));
    let refused = format!("<p>MSIS7042</p>{NEW}");
    assert!(matches!(at(LS, &refused), Page::SignIn(_)), "a form that comes back is a refusal");
}

#[test]
fn what_it_says_about_a_refusal_is_passed_on_in_its_own_language() {
    let said = |html: String| adfs::said(&Document::read(&html).unwrap());
    assert_eq!(said(OLD.to_owned()), None);
    let new = NEW.replace("errorText\">", "errorText\">Falscher Benutzer\n oder falsches Kennwort.");
    assert_eq!(said(new).as_deref(), Some("Falscher Benutzer oder falsches Kennwort."));
    let old = OLD.replace("ErrorTextLabel\">", &format!("ErrorTextLabel\">\u{1b}[31m{}", "x".repeat(1_000)));
    // Whoever shows it cuts it off, after what must not be shown was taken out.
    assert_eq!(said(old), Some(format!("[31m{}", "x".repeat(1_000))));
}

#[test]
fn a_session_needs_all_parts_of_its_cookie() {
    let whole = |names: &[&str]| adfs::is_whole(names.iter().copied());
    assert_eq!(whole(&["MSISAuth"]), Ok(()));
    assert_eq!(whole(&["MSISAuth2", "other", "MSISAuth", "MSISAuth1", "MSISAuthenticated"]), Ok(()));
    assert_eq!(whole(&["MSISAuth", "MSISAuth2"]), Err("MSISAuth1".to_owned()));
    assert_eq!(whole(&["MSISAuth1"]), Err("MSISAuth".to_owned()));
    assert_eq!(whole(&["MSISAuth", "MSISAuth01", "MSISAuth99999999999999999999999"]), Ok(()));
    assert_eq!(whole(&["FedAuth"]), Ok(()));
}

#[test]
fn the_lifetime_of_a_token_is_the_time_between_its_two() {
    let token = |lifetime: &str| {
        format!(
            "<t:RequestSecurityTokenResponse xmlns:t='http://schemas.xmlsoap.org/ws/2005/02/trust'>{lifetime}\
             <t:RequestedSecurityToken/></t:RequestSecurityTokenResponse>"
        )
    };
    let of = |created: &str, expires: &str| {
        adfs::lifetime(&token(&format!(
            "<t:Lifetime><u:Created xmlns:u='u'>{created}</u:Created><u:Expires xmlns:u='u'>{expires}</u:Expires></t:Lifetime>"
        )))
    };
    let hour = of("2026-07-28T12:00:00.000Z", " 2026-07-28T13:00:00.000Z ");
    assert_eq!(hour, Some(Duration::from_secs(3_600)));
    assert_eq!(of("2026-07-28T12:00:00Z", "2026-07-28T12:00:00Z"), None);
    assert_eq!(of("2026-07-28T12:00:00Z", "2025-07-28T12:00:00Z"), None);
    assert_eq!(of("soon", "later"), None);
    for odd in ["", "<a", "<!DOCTYPE a [<!ENTITY e 'x'>]><Lifetime>&e;</Lifetime>", &token("")] {
        assert_eq!(adfs::lifetime(odd), None, "{odd}");
    }
}
