//! Reads `[cdms]` of a `datahub.toml`: every key must be known, and belong to the login that is stated.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::DeTable;

use super::faulty::{BACKSLASH, faulty_toml};
use super::secrets::{secret_key, without_values};
use super::{Audience, CdmsSettings, Issuer, LoginSettings, NetworkSettings};
use crate::diagnostic::{Code, Cure, Diagnostic, Spot};
use crate::nearest::nearest;

pub(super) const NONE: &str = "none";
pub(super) const ADFS: &str = "adfs";
pub(super) const NTLM: &str = "ntlm";
pub(super) const OAUTH: &str = "oauth";

/// The words of the key `login`.
const LOGINS: [&str; 4] = [ADFS, NTLM, OAUTH, NONE];

/// The keys, each with the logins that have it.
const KEYS: [(&str, &[&str]); 17] = [
    ("url", &LOGINS),
    ("login", &LOGINS),
    ("ca-file", &LOGINS),
    ("client-certificate", &LOGINS),
    ("proxy", &LOGINS),
    ("plain-http", &LOGINS),
    ("user", &[ADFS, NTLM]),
    ("sign-in", &[ADFS]),
    ("token-services", &[ADFS]),
    ("cdms-hosts", &[ADFS]),
    ("home-realm", &[ADFS]),
    ("domain", &[NTLM]),
    ("tenant", &[OAUTH]),
    ("token-url", &[OAUTH]),
    ("client-id", &[OAUTH]),
    ("scope", &[OAUTH]),
    ("resource", &[OAUTH]),
];

type Found<T> = Result<T, Diagnostic<Spot>>;

/// What a `datahub.toml` says of CDMS.
pub(super) fn cdms(text: &str) -> Found<Option<CdmsSettings>> {
    let help = "write each key on a line of its own, such as `url = \"https://crm.example.gov.uk/ORG\"`";
    let root = DeTable::parse(text).map_err(|error| faulty_toml(text, &error, help))?;
    let Some(value) = root.get_ref().get("cdms") else { return Ok(None) };
    let Some(table) = value.get_ref().as_table() else {
        let spot = without_values(Spot::at(text, value.span().start));
        return Err(Diagnostic::of(Code::WrongValue, spot, "`cdms` must be a table")
            .cure("write `[cdms]` on a line of its own, and below it `url = …` and `login = …`"));
    };
    Reader { text, table, place: value.span().start }.settings().map(Some)
}

struct Reader<'t> {
    text: &'t str,
    table: &'t DeTable<'t>,
    /// Where the table begins.
    place: usize,
}

impl<'t> Reader<'t> {
    fn settings(&self) -> Found<CdmsSettings> {
        // Before anything else is shown of the table.
        for (key, _) in self.table {
            self.known(key)?;
        }
        let url = self
            .required("url", "write the organisation's address, such as `url = \"https://crm.example.gov.uk/ORG\"`")?;
        self.address("url", &url)?;
        let login = self.login()?;
        for (key, _) in self.table {
            self.belongs(key, login)?;
        }
        let login = match login {
            ADFS => self.adfs()?,
            NTLM => self.ntlm()?,
            OAUTH => self.oauth()?,
            _ => LoginSettings::None,
        };
        Ok(CdmsSettings { url, login, network: self.network()? })
    }

    fn network(&self) -> Found<NetworkSettings> {
        let proxy = self.text("proxy")?;
        if let Some(proxy) = &proxy {
            if proxy.contains('@') {
                let help = "a proxy that asks for a login belongs into HTTPS_PROXY in the environment: \
                            `http://user:password@proxy.example.gov.uk:8080`";
                return Err(self.wrong("proxy", "`proxy` must not contain a user or a password".to_owned(), help));
            }
            if !proxy.starts_with("https://") && !proxy.starts_with("http://") {
                let help = "write it like \"http://proxy.example.gov.uk:8080\"";
                return Err(self.wrong("proxy", "`proxy` must begin with http:// or https://".to_owned(), help));
            }
        }
        let plain_http = self.hosts("plain-http")?;
        if plain_http.iter().any(|host| host.contains('/') || (host.contains(':') && !host.ends_with(']'))) {
            let help = "write it like \"crm.example.internal\", without a scheme, a port and a path";
            return Err(self.wrong("plain-http", "`plain-http` must be the name of a host".to_owned(), help));
        }
        let (ca_file, client_certificate) = (self.text("ca-file")?, self.text("client-certificate")?);
        Ok(NetworkSettings { ca_file, client_certificate, proxy, plain_http })
    }

    /// Checks that a key exists.
    fn known(&self, key: &Spanned<Cow<'t, str>>) -> Found<()> {
        let name = key.get_ref().as_ref();
        if KEYS.iter().any(|(known, _)| *known == name) {
            return Ok(());
        }
        let at = key.span().start;
        if let Some(secret) = secret_key(self.text, name, at) {
            return Err(secret);
        }
        let names = KEYS.map(|(known, _)| known);
        let cure = nearest(name, names)
            .map_or_else(|| format!("expected one of: {}", names.join(", ")), |near| format!("did you mean `{near}`?"));
        let spot = without_values(Spot::at(self.text, at));
        Err(Diagnostic::of(Code::UnknownKey, spot, format!("unknown key `{name}` in [cdms]")).cure(cure))
    }

    fn login(&self) -> Found<&'static str> {
        let all = "\"adfs\" (sign-in pages), \"ntlm\", \"oauth\", or \"none\" if CDMS asks for no login";
        let said = self.required("login", format!("write how to log in: {all}"))?;
        LOGINS.into_iter().find(|login| *login == said).ok_or_else(|| {
            let cure = match nearest(&said, LOGINS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write {all}"),
            };
            self.wrong("login", format!("unknown login {said:?}"), cure)
        })
    }

    /// Checks that a key means something to the login.
    fn belongs(&self, key: &Spanned<Cow<'t, str>>, login: &str) -> Found<()> {
        let name = key.get_ref().as_ref();
        let of = KEYS.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, of)| of);
        if of.contains(&login) {
            return Ok(());
        }
        let quoted: Vec<_> = of.iter().map(|login| format!("`login = \"{login}\"`")).collect();
        let message = format!("`{name}` belongs to {}, and `login` is \"{login}\"", quoted.join(" and "));
        let spot = Spot::at(self.text, key.span().start);
        Err(Diagnostic::of(Code::KeysExclude, spot, message).cure(format!("remove `{name}`, or change `login`")))
    }

    fn adfs(&self) -> Found<LoginSettings> {
        let help = "write the host of the sign-in pages, such as `sign-in = \"sts.example.gov.uk\"`: the password goes to no \
                    other";
        let sign_in = self.required("sign-in", help)?;
        self.host("sign-in", self.place_of("sign-in"), &sign_in)?;
        Ok(LoginSettings::AdFs {
            user: self.text("user")?,
            sign_in,
            token_services: self.hosts("token-services")?,
            cdms_hosts: self.hosts("cdms-hosts")?,
            home_realm: self.text("home-realm")?,
        })
    }

    fn ntlm(&self) -> Found<LoginSettings> {
        let (user, domain) = (self.text("user")?, self.text("domain")?);
        if domain.is_some() && user.as_ref().is_some_and(|user| user.contains(['\\', '@'])) {
            let message = "`domain` and a user that carries its domain are mutually exclusive";
            return Err(self.excludes("domain", message, "write the domain in one of the two"));
        }
        Ok(LoginSettings::Ntlm { user, domain })
    }

    fn oauth(&self) -> Found<LoginSettings> {
        let issuer = match (self.text("tenant")?, self.text("token-url")?) {
            (Some(_), Some(_)) => {
                let message = "`tenant` and `token-url` are mutually exclusive";
                return Err(self.excludes("token-url", message, "keep `tenant` for Entra ID, `token-url` for AD FS"));
            }
            (Some(tenant), None) => {
                if !tenant.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.')) {
                    let help = "write the tenant's id, or a domain of it such as \"example.onmicrosoft.com\"";
                    return Err(self.wrong("tenant", format!("{tenant:?} is not a tenant of Entra ID"), help));
                }
                Issuer::Tenant(tenant)
            }
            (None, Some(url)) => {
                self.address("token-url", &url)?;
                Issuer::TokenUrl(url)
            }
            (None, None) => {
                let help = "write `tenant` for Entra ID, or `token-url` for AD FS, such as \
                            \"https://login.example.gov.uk/adfs/oauth2/token\"";
                return Err(self.missing("`tenant` or `token-url`", help));
            }
        };
        let client_id = self.required("client-id", "write the id of the application that is registered for the hub")?;
        let audience = match (self.text("scope")?, self.text("resource")?) {
            (Some(_), Some(_)) => {
                let message = "`scope` and `resource` are mutually exclusive";
                return Err(self.excludes("resource", message, "keep the one that the token service expects"));
            }
            (Some(scope), None) => Some(Audience::Scope(scope)),
            (None, Some(resource)) => Some(Audience::Resource(resource)),
            (None, None) => None,
        };
        Ok(LoginSettings::OAuth { issuer, client_id, audience })
    }

    /// One host, or a list of them.
    fn hosts(&self, key: &str) -> Found<Vec<String>> {
        let Some(value) = self.table.get(key) else { return Ok(Vec::new()) };
        let one = [value.clone()];
        let values = value.get_ref().as_array().map_or(&one[..], |array| array);
        let mut hosts = Vec::new();
        for value in values {
            let host = value.get_ref().as_str().unwrap_or_default();
            self.host(key, value.span().start, host)?;
            hosts.push(host.to_owned());
        }
        Ok(hosts)
    }

    /// Checks that this can be a host, or an address at one.
    fn host(&self, key: &str, place: usize, host: &str) -> Found<()> {
        let name = host.strip_prefix("https://").or_else(|| host.strip_prefix("http://")).unwrap_or(host);
        let is_of_an_address = |letter: char| letter.is_ascii_alphanumeric() || "-._:[]/".contains(letter);
        if !name.is_empty() && !name.starts_with('/') && name.chars().all(is_of_an_address) {
            return Ok(());
        }
        let spot = without_values(Spot::at(self.text, place));
        let message = format!("`{key}` must be a host");
        Err(Diagnostic::of(Code::WrongValue, spot, message).cure("write it like \"sts.example.gov.uk\""))
    }

    /// Checks what can be told of an address without a network; the rest is checked when it is used.
    fn address(&self, key: &str, address: &str) -> Found<()> {
        let help = "write an address such as \"https://crm.example.gov.uk/ORG\"";
        if !address.starts_with("https://") && !address.starts_with("http://") {
            return Err(self.wrong(key, format!("`{key}` must begin with https://"), help));
        }
        if address.contains('@') {
            let message = format!("`{key}` must not contain a user or a password");
            return Err(self.wrong(key, message, "write `user` as a key, and set the password in DATAHUB_PASSWORD"));
        }
        Ok(())
    }

    /// A string, if the key is there.
    fn text(&self, key: &str) -> Found<Option<String>> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        match value.get_ref().as_str() {
            Some("") => Err(self.wrong(key, format!("`{key}` must not be empty"), "write a value, or remove the key")),
            Some(text) if text.chars().any(char::is_control) => {
                let stated = &self.text[value.span()];
                let help = if stated.starts_with('"') && stated.contains('\\') { BACKSLASH } else { "remove them" };
                Err(self.wrong(key, format!("`{key}` must not contain control characters"), help))
            }
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(self.wrong(key, format!("`{key}` must be a string"), "write it in quotes")),
        }
    }

    fn required(&self, key: &str, help: impl Into<Cure>) -> Found<String> {
        self.text(key)?.ok_or_else(|| self.missing(&format!("`{key}`"), help))
    }

    fn missing(&self, keys: &str, help: impl Into<Cure>) -> Diagnostic<Spot> {
        let message = format!("missing key {keys} in [cdms]");
        Diagnostic::of(Code::MissingKey, without_values(Spot::at(self.text, self.place)), message).cure(help)
    }

    fn wrong(&self, key: &str, message: String, help: impl Into<Cure>) -> Diagnostic<Spot> {
        let spot = without_values(Spot::at(self.text, self.place_of(key)));
        Diagnostic::of(Code::WrongValue, spot, message).cure(help)
    }

    fn excludes(&self, key: &str, message: &str, help: &str) -> Diagnostic<Spot> {
        Diagnostic::of(Code::KeysExclude, Spot::at(self.text, self.place_of(key)), message).cure(help)
    }

    /// Where the value of a key begins, or else the table.
    fn place_of(&self, key: &str) -> usize {
        self.table.get(key).map_or(self.place, |value| value.span().start)
    }
}

#[cfg(test)]
mod tests;
