//! Any text as a login page: its forms are read as they stand there, what is found is told, and no page is taken for the
//! form of a password unless it has exactly one field for it.

use datahub_login::adfs::{self, Page};
use datahub_login::{Document, FieldKind};
use url::Url;

/// Reads a page, fills it in, and reads its token.
pub fn run(data: &[u8]) {
    let Ok(html) = std::str::from_utf8(data) else { return };
    let url = Url::parse("https://sts.example.gov.uk/adfs/ls/").expect("it is an address");
    _ = adfs::lifetime(html);
    let Ok(document) = Document::read(html) else { return };
    let said = adfs::said(&document).unwrap_or_default();
    assert!(!said.contains(char::is_control), "{said:?}");
    for form in document.forms() {
        assert!(form.fields().iter().all(|field| !field.name.is_empty()), "a field without a name is not sent");
        assert!(form.of_kind(FieldKind::Button).count() <= 1, "one button is pressed");
    }
    match Page::read(&document, &url) {
        Page::SignIn(sign_in) => {
            let form = sign_in.filled("DOMAIN\\user", "hunter2");
            let passwords: Vec<_> = form.of_kind(FieldKind::Password).map(|field| field.value.as_str()).collect();
            assert_eq!(passwords, ["hunter2"], "the password goes into the one field for it");
            assert_eq!(
                form.pairs().iter().filter(|(_, value)| *value == "DOMAIN\\user").count(),
                1,
                "so does the user"
            );
            assert!(!format!("{form:?}").contains("hunter2"), "and is not shown");
        }
        Page::Token(form) => assert!(!form.value("wresult").unwrap_or_default().is_empty(), "no token"),
        // Its letters may stand in several elements.
        Page::Error(code) => {
            let digits = code.strip_prefix("MSIS").unwrap_or_default();
            assert!(digits.len() >= 3 && digits.bytes().all(|digit| digit.is_ascii_digit()), "{code}");
            assert!(document.text().contains(&code), "{code} is not shown");
        }
        Page::HomeRealm | Page::NewPassword | Page::SecondFactor(_) | Page::Changed | Page::Other => {}
    }
}
