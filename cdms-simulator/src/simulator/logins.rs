//! What a test sees of logins, and what it orders of them.

use super::Simulator;
use crate::login::{Account, AdFsTrouble, NtlmCounts, NtlmServer, TokenAnswer, TokenServer};
use crate::state::lock;

impl Simulator {
    /// Ends all sessions, as if their tokens had expired.
    pub fn expire_sessions(&self) {
        self.state.login.expire();
    }

    /// How many logins have failed because of a wrong user or password; 0 where no login is needed.
    pub fn failed_logins(&self) -> u64 {
        self.state.login.with_account(|account| account.failed).unwrap_or_default()
    }

    /// What was seen of logins by NTLM ([`SimulatorBuilder::ntlm`](crate::SimulatorBuilder::ntlm)).
    pub fn ntlm_counts(&self) -> NtlmCounts {
        self.state.login.ntlm_counts()
    }

    /// Makes the server log in by NTLM in another way from now on, with the same user. No connection is logged in any more.
    pub fn change_ntlm(&self, server: NtlmServer) {
        self.state.login.with_ntlm(|ntlm| ntlm.change(server));
    }

    /// Whether so many logins in a row have failed that the account is locked ([`SimulatorBuilder::lock_after`](crate::SimulatorBuilder::lock_after)).
    pub fn is_locked(&self) -> bool {
        self.state.login.with_account(|account| account.is_locked()).unwrap_or_default()
    }

    /// Unlocks the account, as an administrator does.
    pub fn unlock(&self) {
        self.state.login.with_account(Account::unlock);
    }

    /// The addresses of the token services of AD FS ([`SimulatorBuilder::adfs`](crate::SimulatorBuilder::adfs)), the sign-in service first.
    pub fn token_services(&self) -> Vec<String> {
        self.state.login.adfs().map(|adfs| lock(adfs).addresses()).unwrap_or_default()
    }

    /// Makes logins by AD FS go wrong in this way from now on, or right again.
    pub fn adfs_trouble(&self, trouble: impl Into<Option<AdFsTrouble>>) {
        if let Some(adfs) = self.state.login.adfs() {
            lock(adfs).trouble = trouble.into();
        }
    }

    /// How many passwords the sign-in service of AD FS has got, right or wrong.
    pub fn passwords_tried(&self) -> u64 {
        self.state.login.adfs().map(|adfs| lock(adfs).passwords).unwrap_or_default()
    }

    /// Changes the password of the account, as an administrator does. Open sessions stay open.
    pub fn set_password(&self, password: impl Into<String>) {
        self.state.login.with_account(|account| account.password = password.into());
    }

    /// The address of the token endpoint, in the form of AD FS.
    pub fn token_url(&self) -> String {
        format!("http://{}/adfs/oauth2/token", self.address)
    }

    /// Has the token endpoint answer its next request like this; several answers are given one after the other.
    pub fn answer_token_request(&self, answer: TokenAnswer) {
        self.state.login.with_tokens(|server| server.answer_with(answer));
    }

    /// The refresh token that the token endpoint accepts, if there is one.
    pub fn refresh_token(&self) -> Option<String> {
        self.state.login.with_tokens(|server| TokenServer::refresh_token(server)).flatten()
    }

    /// Removes the application user, so that good tokens are answered with this status, 401 or 403; `None` brings it back.
    pub fn without_application_user(&self, status: Option<u16>) {
        self.state.login.with_tokens(|server| server.set_userless(status));
    }
}
