//! The pages of AD FS, versions 2.0 to 2019, told apart by their forms and codes, never by their words, which are in the
//! server's language.

use std::time::Duration;

use chrono::DateTime;
use url::Url;

use crate::{Document, FieldKind, Form};

/// What a page asks for, or tells.
#[derive(Clone, Debug)]
pub enum Page {
    /// A user and a password.
    SignIn(SignIn),
    /// To post a token on, as a script of the page would.
    Token(Form),
    /// The organisation that the user belongs to.
    HomeRealm,
    /// A new password, because the old one has expired.
    NewPassword,
    /// Another proof besides the password, in this way, as the page says it.
    SecondFactor(String),
    /// A password, in fields with other names than those of AD FS.
    Changed,
    /// An error of AD FS's, by its code: `MSIS7042`, for instance.
    Error(String),
    /// Nothing that belongs to a login.
    Other,
}

/// The form for a user and a password.
#[derive(Clone, Debug)]
pub struct SignIn {
    form: Form,
    user: String,
    password: String,
}

impl SignIn {
    /// The form, filled in.
    pub fn filled(&self, user: &str, password: &str) -> Form {
        let mut form = self.form.clone();
        form.fill(&self.user, user);
        form.fill(&self.password, password);
        form
    }
}

/// The code of the error that too many tokens were fetched in a short time.
pub const TOO_MANY_TOKENS: &str = "MSIS7042";

impl Page {
    /// Reads the page at this address.
    pub fn read(document: &Document, url: &Url) -> Self {
        let forms = document.forms();
        let mut tokens = forms.iter().filter(|form| form.value("wresult").is_some_and(|token| !token.is_empty()));
        if let (Some(token), None) = (tokens.next(), tokens.next()) {
            return Page::Token(token.clone());
        }
        let asks_for_new = |form: &Form| {
            let leads_there = form.action().is_some_and(is_for_new_password);
            leads_there || form.of_kind(FieldKind::Password).count() > 1
        };
        if is_for_new_password(url.path()) || forms.iter().any(asks_for_new) {
            return Page::NewPassword;
        }
        let mut with_password = forms.iter().filter(|form| form.of_kind(FieldKind::Password).count() == 1);
        match (with_password.next(), with_password.next()) {
            (Some(form), None) => return sign_in(form).map_or(Page::Changed, Page::SignIn),
            (Some(_), Some(_)) => return Page::Changed,
            (None, _) => {}
        }
        // Only here: a form that comes back is a refusal, whatever else the page tells.
        if let Some(code) = code_in(document.text()) {
            return Page::Error(code);
        }
        let has = |form: &Form, end: &str| form.fields().iter().any(|field| named(&field.name, end));
        if forms.iter().any(|form| has(form, "HomeRealmSelection") || has(form, "PassiveIdentityProvidersDropDownList"))
        {
            return Page::HomeRealm;
        }
        // Every page of AD FS 3.0 and later has a second form, which names the way of logging in as well.
        let mut ways = forms.iter().filter_map(|form| form.value("AuthMethod"));
        match ways.find(|way| !way.is_empty() && *way != "FormsAuthentication") {
            Some(way) => Page::SecondFactor(way.to_owned()),
            None => Page::Other,
        }
    }
}

/// The form for a user and a password, if its fields are those of AD FS.
fn sign_in(form: &Form) -> Option<SignIn> {
    let password = form.of_kind(FieldKind::Password).next()?;
    let password = Some(&password.name).filter(|name| named(name, "Password") || named(name, "PasswordTextBox"))?;
    let mut users = form.of_kind(FieldKind::Text);
    let user = users.find(|field| named(&field.name, "UserName") || named(&field.name, "UsernameTextBox"))?;
    // A second field of a name would be filled in instead, and not as a password.
    let is_alone = |name: &str| form.fields().iter().filter(|field| field.name == name).count() == 1;
    if !is_alone(&user.name) || !is_alone(password) {
        return None;
    }
    Some(SignIn { form: form.clone(), user: user.name.clone(), password: password.clone() })
}

/// Whether a field has this name, alone or behind the names of the controls that contain it.
fn named(name: &str, wanted: &str) -> bool {
    name.rsplit('$').next().is_some_and(|last| last.eq_ignore_ascii_case(wanted))
}

fn is_for_new_password(address: &str) -> bool {
    address.to_ascii_lowercase().contains("/portal/updatepassword")
}

/// The code of an error in a page's text: `MSIS` and digits.
fn code_in(text: &str) -> Option<String> {
    let codes = text.match_indices("MSIS").filter_map(|(at, _)| {
        let digits = text[at + 4..].bytes().take_while(u8::is_ascii_digit).count();
        (3..=6).contains(&digits).then(|| text[at..at + 4 + digits].to_owned())
    });
    let codes: Vec<_> = codes.take(16).collect();
    let too_many = codes.iter().find(|code| *code == TOO_MANY_TOKENS);
    too_many.or(codes.first()).cloned()
}

/// What AD FS says about a login that it refused, in its own language, in one line of text. It may be long, and repeat what
/// was sent.
pub fn said(document: &Document) -> Option<String> {
    let said = document.text_where(|id| id == "errorText" || id.ends_with("ErrorTextLabel"))?;
    Some(said.chars().filter(|letter| !letter.is_control()).collect())
}

/// The name of the cookies of a session. Long ones are split: `MSISAuth`, `MSISAuth1`, `MSISAuth2`.
pub const COOKIE: &str = "MSISAuth";

/// Which part of the session a cookie of this name is: 0, 1, 2.
pub fn part_of(name: &str) -> Option<usize> {
    let digits = name.strip_prefix(COOKIE)?;
    match digits {
        "" => Some(0),
        _ if digits.starts_with('0') || !digits.bytes().all(|digit| digit.is_ascii_digit()) => None,
        _ => digits.parse().ok(),
    }
}

/// Whether cookies of these names are a whole session, and if not, the name of one that is missing. A missing last one is not
/// seen. A server may use other names: without any part, nothing is missing.
///
/// # Errors
///
/// The name of the cookie.
pub fn is_whole<'n>(names: impl Iterator<Item = &'n str>) -> Result<(), String> {
    let mut parts: Vec<_> = names.filter_map(part_of).collect();
    parts.sort_unstable();
    parts.dedup();
    let missing = parts.iter().enumerate().find(|(at, part)| at != *part).map(|(at, _)| at);
    match missing {
        None => Ok(()),
        Some(0) => Err(COOKIE.to_owned()),
        Some(part) => Err(format!("{COOKIE}{part}")),
    }
}

/// How long a token is good: the time between the two that it names, so the clocks of the servers do not matter.
pub fn lifetime(token: &str) -> Option<Duration> {
    let document = roxmltree::Document::parse(token).ok()?;
    let lifetime = document.descendants().find(|node| node.tag_name().name() == "Lifetime")?;
    let time = |name: &str| {
        let node = lifetime.children().find(|node| node.tag_name().name() == name)?;
        DateTime::parse_from_rfc3339(node.text()?.trim()).ok()
    };
    (time("Expires")? - time("Created")?).to_std().ok().filter(|lifetime| !lifetime.is_zero())
}
