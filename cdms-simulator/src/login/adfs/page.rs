//! The pages of AD FS, with the forms and fields of the real ones, on a server whose language is German.

use std::time::Duration;

use super::AdFsVersion;

/// What ASP.NET expects back.
pub(super) const VIEW_STATE: &str = "/wEPDwULLTE2/+=";

/// The page for a new password.
pub(super) const NEW_PASSWORD: &str = r#"<!DOCTYPE html><html><head><title>Kennwort aktualisieren</title></head><body>
<form method="post" id="updatePasswordForm" action="/adfs/portal/updatepassword/">
<input id="userNameInput" name="UserName" type="text"><input id="oldPasswordInput" name="OldPassword" type="password">
<input id="newPasswordInput" name="NewPassword" type="password">
<input id="confirmNewPasswordInput" name="ConfirmNewPassword" type="password"></form></body></html>"#;

/// The page for a second factor.
pub(super) const SECOND_FACTOR: &str = r#"<!DOCTYPE html><html><head><title>Anmelden</title></head><body>
<form method="post" id="loginForm" action="/adfs/ls/"><input id="authMethod" type="hidden" name="AuthMethod" value="AzureMfaAuthentication"/>
<input id="context" type="hidden" name="Context" value="x"/><p>Wir haben Ihr Telefon angerufen.</p></form>
<form id="options" method="post" action="/adfs/ls/"><input type="hidden" id="optionSelection" name="AuthMethod"/></form></body></html>"#;

/// The page that asks for the organisation.
pub(super) const HOME_REALM: &str = r#"<!DOCTYPE html><html><head><title>Anmelden</title></head><body>
<form id="hrd" method="post" action="/adfs/ls/"><select name="HomeRealmSelection">
<option value="http://one.example.gov.uk/adfs/services/trust">Eins</option>
<option value="http://two.example.gov.uk/adfs/services/trust">Zwei</option></select></form></body></html>"#;

/// The page of an error.
pub(super) fn error(code: &str) -> String {
    format!(
        "<!DOCTYPE html><html><head><title>Fehler</title></head><body><div id=\"errorArea\">Ein Fehler ist aufgetreten. \
         <p>{code}: Wenden Sie sich an den Administrator.</p></div></body></html>"
    )
}

/// The page for user and password.
pub(super) fn sign_in(version: AdFsVersion, action: &str, query: &str, refusal: Option<&str>) -> String {
    let (action, query, refusal) = (escaped(action), escaped(query), escaped(refusal.unwrap_or_default()));
    match version {
        AdFsVersion::Two => format!(
            r#"<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"><html><head><title>Anmelden</title></head><body>
<form name="aspnetForm" method="post" action="{action}" id="MainForm">
<input type="hidden" name="__VIEWSTATE" id="__VIEWSTATE" value="{VIEW_STATE}" />
<input type="hidden" name="__VIEWSTATEGENERATOR" value="0EE29E36" /><input type="hidden" name="__EVENTVALIDATION" value="/wEdAAU=" />
<input type="hidden" name="__db" value="15" />
<input name="ctl00$ContentPlaceHolder1$UsernameTextBox" type="text" id="ctl00_ContentPlaceHolder1_UsernameTextBox" />
<input name="ctl00$ContentPlaceHolder1$PasswordTextBox" type="password" id="ctl00_ContentPlaceHolder1_PasswordTextBox" />
<span id="ctl00_ContentPlaceHolder1_ErrorTextLabel" class="error">{refusal}</span>
<input type="submit" name="ctl00$ContentPlaceHolder1$SubmitButton" value="Anmelden" /></form></body></html>"#
        ),
        AdFsVersion::Three => format!(
            r#"<!DOCTYPE html><html lang="de-DE"><head><title>Anmelden</title>
<script type="text/javascript">document.write('<form id="nothing"><input type="password"></form>');</script></head><body>
<form id="options" method="post" action="/adfs/ls/?{query}"><input type="hidden" id="optionSelection" name="AuthMethod"/>
<input id="userNameOptions" name="UserName" type="hidden"/></form>
<form method="post" id="loginForm" autocomplete="off" novalidate="novalidate" action="{action}">
<div id="error"><span id="errorText" for="">{refusal}</span></div>
<input id="userNameInput" name="UserName" type="email" value="" spellcheck="false"/>
<input id="passwordInput" name="Password" type="password" autocomplete="off"/>
<input type="checkbox" name="Kmsi" id="kmsiInput" value="true"/><span id="submitButton" class="submit">Anmelden</span>
<input id="optionForms" type="hidden" name="AuthMethod" value="FormsAuthentication"/></form></body></html>"#
        ),
    }
}

/// The same page without the fields that a person fills in.
pub(super) fn without_fields(html: &str) -> String {
    let lines = html.lines().filter(|line| !line.contains("type=\"password\"") && !line.contains("type=\"text\""));
    lines.filter(|line| !line.contains("type=\"email\"")).collect::<Vec<_>>().join("\n")
}

/// The page that posts a token on, by a script or by hand.
pub(super) fn posting(action: &str, result: &str, context: &str) -> String {
    let (action, result, context) = (escaped(action), escaped(result), escaped(context));
    format!(
        r#"<html><head><title>Working...</title></head><body><form method="POST" name="hiddenform" action="{action}">
<input type="hidden" name="wa" value="wsignin1.0" /><input type="hidden" name="wresult" value="{result}" />
<input type="hidden" name="wctx" value="{context}" /><noscript><p>Script is disabled. Click Submit to continue.</p>
<input type="submit" value="Submit" /></noscript></form>
<script language="javascript">window.setTimeout('document.forms[0].submit()', 0);</script></body></html>"#
    )
}

/// A token with its id and its times.
pub(super) fn token(id: &str, now_ms: i64, lifetime: Duration) -> String {
    let time = |ms: i64| chrono::DateTime::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339();
    let end = now_ms.saturating_add(i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX));
    format!(
        "<t:RequestSecurityTokenResponse xmlns:t=\"http://schemas.xmlsoap.org/ws/2005/02/trust\"><t:Lifetime>\
         <wsu:Created xmlns:wsu=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd\">{}\
         </wsu:Created><wsu:Expires xmlns:wsu=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd\">\
         {}</wsu:Expires></t:Lifetime><t:RequestedSecurityToken><saml:Assertion AssertionID=\"_{id}\" \
         xmlns:saml=\"urn:oasis:names:tc:SAML:1.0:assertion\">R&amp;D</saml:Assertion></t:RequestedSecurityToken>\
         </t:RequestSecurityTokenResponse>",
        time(now_ms),
        time(end)
    )
}

/// The id in a token that came back unchanged.
pub(super) fn id_in(result: &str) -> Option<String> {
    let (_, rest) = result.split_once("AssertionID=\"_")?;
    let (id, rest) = rest.split_once('"')?;
    // A client that decodes or encodes once too often breaks the signature of a real token.
    rest.contains(">R&amp;D<").then(|| id.to_owned())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
