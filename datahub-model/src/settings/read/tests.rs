//! What a `[cdms]` says, and what is wrong with one.

use super::*;

fn read(lines: &str) -> Found<CdmsSettings> {
    CdmsSettings::parse(&format!("[cdms]\n{lines}")).map(Option::unwrap)
}

#[test]
fn every_login_is_read() {
    let url = "url = 'https://crm.example.gov.uk/ORG'\n";
    let login = |lines: &str| read(&format!("{url}{lines}")).unwrap().login;
    assert_eq!(login("login = 'none'"), LoginSettings::None);
    assert_eq!(
        login(
            "login = 'adfs'\nuser = 'EXAMPLE\\hub'\nsign-in = 'https://sts.example.gov.uk/adfs/ls/'\n\
             token-services = ['rsts', '[::1]:444']\ncdms-hosts = 'auth.crm'\nhome-realm = 'http://a/b'"
        ),
        LoginSettings::AdFs {
            user: Some("EXAMPLE\\hub".into()),
            sign_in: "https://sts.example.gov.uk/adfs/ls/".into(),
            token_services: vec!["rsts".into(), "[::1]:444".into()],
            cdms_hosts: vec!["auth.crm".into()],
            home_realm: Some("http://a/b".into()),
        }
    );
    assert_eq!(
        login("login = 'ntlm'\nuser = 'hub'\ndomain = 'EXAMPLE'"),
        LoginSettings::Ntlm { user: Some("hub".into()), domain: Some("EXAMPLE".into()) }
    );
    assert_eq!(
        login("login = 'oauth'\ntenant = 'example.onmicrosoft.com'\nclient-id = 'x'"),
        LoginSettings::OAuth {
            issuer: Issuer::Tenant("example.onmicrosoft.com".into()),
            client_id: "x".into(),
            audience: None
        }
    );
    assert_eq!(
        login("login = 'oauth'\ntoken-url = 'https://a/adfs/oauth2/token'\nclient-id = 'x'\nresource = 'https://c/'"),
        LoginSettings::OAuth {
            issuer: Issuer::TokenUrl("https://a/adfs/oauth2/token".into()),
            client_id: "x".into(),
            audience: Some(Audience::Resource("https://c/".into()))
        }
    );
    assert_eq!(CdmsSettings::parse("contracts = 3"), Ok(None));
}

#[test]
fn how_it_is_reached_is_read() {
    let network = |lines: &str| read(&format!("url = 'https://crm'\nlogin = 'none'\n{lines}")).map(|cdms| cdms.network);
    assert_eq!(network(""), Ok(NetworkSettings::default()));
    let lines = "ca-file = 'ca.pem'\nclient-certificate = 'hub.pem'\nproxy = 'http://proxy:8080'\n\
                 plain-http = ['crm.internal', '[fd00::1]']";
    assert_eq!(
        network(lines),
        Ok(NetworkSettings {
            ca_file: Some("ca.pem".into()),
            client_certificate: Some("hub.pem".into()),
            proxy: Some("http://proxy:8080".into()),
            plain_http: vec!["crm.internal".into(), "[fd00::1]".into()],
        })
    );
    assert_eq!(network("plain-http = 'crm.internal'").unwrap().plain_http, ["crm.internal"]);
    for (line, expected) in [
        ("plain-http = 'http://crm.internal'", "without a scheme, a port and a path"),
        ("plain-http = 'crm.internal:5555'", "without a scheme, a port and a path"),
        ("plain-http = true", "`plain-http` must be a host"),
        ("plain-http = '*'", "`plain-http` must be a host"),
        ("proxy = 'proxy:8080'", "`proxy` must begin with http:// or https://"),
        ("proxy = 'socks5://proxy:8080'", "`proxy` must begin with http:// or https://"),
        ("proxy = 'http://hub:canary@proxy:8080'", "HTTPS_PROXY"),
    ] {
        let error = network(line).unwrap_err().render("datahub.toml");
        assert!(error.contains(expected) && !error.contains("canary"), "{line}: {error}");
    }
}

#[test]
fn faults_have_their_line_and_a_cure() {
    for (lines, expected) in [
        ("url = 'https://crm'", "missing key `login` in [cdms] [missing-key]"),
        ("login = 'none'", "missing key `url`"),
        ("login = 'addfs'\nurl = 'https://crm'", "help: did you mean `adfs`?"),
        ("login = 'kerberos'\nurl = 'https://crm'", "\"adfs\" (sign-in pages), \"ntlm\", \"oauth\""),
        (
            "url = 'https://crm'\nlogin = 'none'\nuzer = 'a'",
            "4:1\n  |\n4 | uzer = 'a'\n  | ^\nhelp: did you mean `user`?",
        ),
        (
            "url = 'https://crm'\nlogin = 'none'\nuser = 'a'",
            "`user` belongs to `login = \"adfs\"` and `login = \"ntlm\"`",
        ),
        ("url = 'https://crm'\nlogin = 'adfs'", "missing key `sign-in`"),
        ("url = 'https://crm'\nlogin = 'adfs'\nsign-in = 'sts and'", "4:11\n"),
        ("url = 'https://crm'\nlogin = 'adfs'\nsign-in = 'https://'", "`sign-in` must be a host"),
        ("url = 'https://crm'\nlogin = 'adfs'\nsign-in = 'a'\ntoken-services = ['b', 3]", "5:24\n"),
        ("url = 'https://crm'\nlogin = 'ntlm'\nuser = 'A\\b'\ndomain = 'A'", "mutually exclusive [keys-exclude]"),
        ("url = 'https://crm'\nlogin = 'oauth'", "missing key `tenant` or `token-url` in [cdms] [missing-key]"),
        ("url = 'https://crm'\nlogin = 'oauth'\ntenant = 'a/b'", "is not a tenant"),
        ("url = 'https://crm'\nlogin = 'oauth'\ntenant = 'a'", "missing key `client-id`"),
        ("url = 'https://crm'\nlogin = 'oauth'\ntenant = 'a'\ntoken-url = 'https://a'", "mutually exclusive"),
        (
            "url = 'https://crm'\nlogin = 'oauth'\ntenant = 'a'\nclient-id = 'b'\nscope = 'c'\nresource = 'd'",
            "mutually exclusive",
        ),
        ("url = 'crm.example.gov.uk'\nlogin = 'none'", "`url` must begin with https://"),
        ("url = 3\nlogin = 'none'", "`url` must be a string"),
        ("url = 'https://crm'\nlogin = ''", "`login` must not be empty"),
        ("url = \"https://crm\\u0007\"\nlogin = 'none'", "control characters"),
        ("url =", "[faulty-toml]"),
    ] {
        let error = read(lines).unwrap_err().render("datahub.toml");
        assert!(error.contains(expected), "{lines}: {error}");
    }
    let error = CdmsSettings::parse("cdms = 3").unwrap_err().render("datahub.toml");
    assert!(error.contains("`cdms` must be a table"), "{error}");
}

/// What is refused must not be shown: messages go to logs of CI.
#[test]
fn a_secret_is_refused_and_not_repeated() {
    for text in [
        "[cdms]\npassword = 'canary'",
        "[cdms]\nurl = 'https://crm'\nlogin = 'ntlm'\npasword = 'canary'",
        "[cdms]\nclient-secret = 'canary'",
        "[cdms]\nrefresh_token = 'canary'",
        "[cdms]\nurl = 'https://hub:canary@crm/ORG'\nlogin = 'none'",
        "[cdms]\npassword = 'canary",
        "cdms = { password = 'canary' }",
        "cdms = { url = 'https://crm', login = 'nome', password = 'canary' }",
        "cdms = 'password=canary'",
        // As it is written in YAML, and what else is no TOML.
        "[cdms]\npassword: canary",
        "[cdms]\npassword 'canary'",
        "[cdms]\npassword canary = 1",
        "[cdms]\npassword =\n'canary'",
        "[cdms]\ncanary",
        "[cdms]\ntoken-services = ['a',\n'canary' x]",
        "[cdms]\nurl: https://hub:canary@crm/ORG",
        "[cdms]\nurl = 'a'\nurl = 'canary'",
        "[cdms]\nuser = canary",
        "[cdms]\nuser = 'a' canary",
        "[cdms.canary\n",
        "[cdms]\npassword = \"\"\"\ncanary\n\"\"",
        "[cdms]\npassword = \"\\canary\"",
    ] {
        let error = CdmsSettings::parse(text).unwrap_err();
        let shown = format!("{} {error:?}", error.render("datahub.toml"));
        assert!(!shown.contains("canary"), "{text}: {shown}");
    }
    let error = read("password: canary").unwrap_err().render("datahub.toml");
    assert!(error.contains("--> datahub.toml:2:11\n"), "{error}");
    let error = read("password = 'canary'").unwrap_err().render("datahub.toml");
    assert!(error.contains("`password` must not be in datahub.toml") && error.contains("DATAHUB_PASSWORD_FILE"));
}

#[test]
fn a_backslash_in_double_quotes_gets_its_help() {
    let lines = "url = 'https://crm'\nlogin = 'ntlm'\n";
    for user in ["\\datahub", "\\backup", "\\nathan", "\\ursula", "\\user", "\\xaver", "\\xa", "\\Ude", "\\tom"] {
        let error = read(&format!("{lines}user = \"CANARY{user}\"\n")).unwrap_err().render("datahub.toml");
        assert!(error.contains("use single quotes: `user = 'EXAMPLE\\datahub'`"), "{user}: {error}");
    }
    for line in ["user = 'a\tb'", "user = \"a\tb\"", "user = 'EXAMPLE\\datahub"] {
        let error = read(&format!("{lines}{line}\n")).unwrap_err().render("datahub.toml");
        assert!(!error.contains("single quotes"), "{line}: {error}");
    }
}
