//! One token service: it asks for the password or sends on to the service before it, and gives tokens.

use uuid::Uuid;

use super::{AdFs, AdFsTrouble, AdFsVersion, COOKIE, WINDOW_MS, cookies, encoded, field, found, page};
use crate::http::Answer;
use crate::login::Incoming;

/// The cookie in which a service counts its tokens.
const COUNTED: &str = "MSISLoopDetectionCookie";

impl AdFs {
    /// The answer of a token service.
    pub(crate) fn serve(&mut self, service: usize, incoming: &Incoming<'_>) -> Answer {
        let path = incoming.parts.uri.path().to_ascii_lowercase();
        if path.starts_with("/adfs/portal/updatepassword") {
            return Answer::html(200, page::NEW_PASSWORD);
        }
        if path.trim_end_matches('/') != "/adfs/ls" {
            return Answer::html(404, "<html><body>404</body></html>");
        }
        let query = incoming.parts.uri.query().unwrap_or_default().to_owned();
        match field(incoming.body, "wresult") {
            Some(result) => self.pass_on(service, incoming, &result),
            None if service > 0 => self.send_back(service, &query),
            None => self.ask(incoming, &query),
        }
    }

    /// Takes the token of the service before, and gives one for the service that asked.
    fn pass_on(&mut self, service: usize, incoming: &Incoming<'_>, result: &str) -> Answer {
        let issuer = page::id_in(result).and_then(|token| self.tokens.remove(&token));
        let Some(asked) = field(incoming.body, "wctx").filter(|_| service > 0 && issuer == Some(service - 1)) else {
            return Answer::html(200, &page::error("MSIS7012"));
        };
        self.give(service, incoming, &asked)
    }

    /// Sends a browser to the service before, once it is known which one.
    fn send_back(&self, service: usize, query: &str) -> Answer {
        let hint = field(query.as_bytes(), "whr");
        let is_last = service + 1 == self.services.len();
        if is_last && self.server.home_realm.is_some() && hint != self.server.home_realm {
            return Answer::html(200, page::HOME_REALM);
        }
        let hint = hint.map(|hint| format!("&whr={}", encoded(&hint))).unwrap_or_default();
        let realm = encoded(&format!("{}/adfs/ls/", self.base(service)));
        let before = self.base(service - 1);
        found(format!("{before}/adfs/ls/?wa=wsignin1.0&wtrealm={realm}&wctx={}{hint}", encoded(query)))
    }

    /// The sign-in service: shows its form, judges what was filled in, or knows the browser already.
    fn ask(&mut self, incoming: &Incoming<'_>, query: &str) -> Answer {
        match &self.trouble {
            Some(AdFsTrouble::RedirectTo(address)) => return found(address.clone()),
            Some(AdFsTrouble::RedirectLoop) => return found(format!("/adfs/ls/?{query}")),
            Some(AdFsTrouble::Unavailable) => return Answer::html(503, "<html><body><h1>503</h1></body></html>"),
            Some(AdFsTrouble::Error(code)) => return Answer::html(200, &page::error(code)),
            _ => {}
        }
        let is_known = cookies(incoming.parts).get(COOKIE).is_some_and(|ticket| self.known.contains(ticket));
        if is_known {
            return self.give(0, incoming, query);
        }
        match filled_in(self.server.version, incoming.body) {
            Some((user, password)) => self.judge(incoming, query, &user, &password),
            None => self.form(query, None),
        }
    }

    /// Judges a user and a password that were filled in.
    fn judge(&mut self, incoming: &Incoming<'_>, query: &str, user: &str, password: &str) -> Answer {
        self.passwords += 1;
        if !self.account.admits(user, password) {
            let echo = if self.trouble == Some(AdFsTrouble::EchoedPassword) { password } else { "" };
            return self.form(query, Some(&format!("Der Benutzername oder das Kennwort ist falsch. {echo}")));
        }
        match self.trouble {
            Some(AdFsTrouble::NewPassword) => return found("/adfs/portal/updatepassword/".to_owned()),
            Some(AdFsTrouble::SecondFactor) => return Answer::html(200, page::SECOND_FACTOR),
            _ => {}
        }
        let ticket = Uuid::new_v4().simple().to_string();
        self.known.push(ticket.clone());
        let answer = match self.server.version {
            AdFsVersion::Two => self.give(0, incoming, query),
            AdFsVersion::Three => found(format!("/adfs/ls/?{query}&client-request-id={}", Uuid::new_v4())),
        };
        answer.with_header("set-cookie", format!("{COOKIE}={ticket}; path=/adfs; HttpOnly"))
    }

    fn form(&self, query: &str, refusal: Option<&str>) -> Answer {
        let action = match &self.trouble {
            Some(AdFsTrouble::ActionAt(address)) => address.clone(),
            _ => format!("/adfs/ls/?{query}"),
        };
        let html = page::sign_in(self.server.version, &action, query, refusal);
        let html = match self.trouble {
            Some(AdFsTrouble::NoFields) => page::without_fields(&html),
            Some(AdFsTrouble::OtherFields) => html.replace("Password", "Geheimnis"),
            _ => html,
        };
        Answer::html(200, &html)
    }

    /// A token for the service that asked with this query, on a page that posts it there.
    fn give(&mut self, service: usize, incoming: &Incoming<'_>, query: &str) -> Answer {
        let known = cookies(incoming.parts);
        let counted = known.get(COUNTED).and_then(|counted| {
            let (count, since) = counted.split_once('-')?;
            Some((count.parse::<u64>().ok()?, since.parse::<i64>().ok()?))
        });
        let (count, since) = match counted {
            Some((count, since)) if incoming.now_ms - since < WINDOW_MS => (count + 1, since),
            _ => (1, incoming.now_ms),
        };
        let count_cookie = format!("{COUNTED}={count}-{since}; path=/adfs");
        if count > self.server.tokens_at_once {
            return Answer::html(200, &page::error("MSIS7042")).with_header("set-cookie", count_cookie);
        }
        let (Some(realm), context) = (field(query.as_bytes(), "wtrealm"), field(query.as_bytes(), "wctx")) else {
            return Answer::html(200, &page::error("MSIS7007"));
        };
        let token = Uuid::new_v4().simple().to_string();
        let result = page::token(&token, incoming.now_ms, self.server.lifetime);
        self.tokens.insert(token, service);
        let html = page::posting(&realm, &result, &context.unwrap_or_default());
        let answer = Answer::html(200, &html).with_header("set-cookie", count_cookie);
        // A part of an earlier, longer ticket that is not needed any more.
        let answer = answer.with_header("set-cookie", format!("{COOKIE}1=; path=/adfs"));
        answer.with_header("set-cookie", "MSISAuthenticated=MQ==; path=/adfs".to_owned())
    }
}

/// The user and the password of a form that was sent as a browser sends it.
fn filled_in(version: AdFsVersion, body: &[u8]) -> Option<(String, String)> {
    let field = |name: &str| field(body, name);
    match version {
        AdFsVersion::Two => {
            let place = |name: &str| field(&format!("ctl00$ContentPlaceHolder1${name}"));
            place("SubmitButton")?;
            field("__VIEWSTATE").filter(|state| state == page::VIEW_STATE)?;
            Some((place("UsernameTextBox")?, place("PasswordTextBox")?))
        }
        AdFsVersion::Three => {
            field("AuthMethod").filter(|way| way == "FormsAuthentication")?;
            Some((field("UserName")?, field("Password")?))
        }
    }
}
