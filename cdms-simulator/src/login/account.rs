//! The account that logs in: its password, how often that was wrong, and the lock that follows.

/// A user of the directory.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) password: String,
    /// How many wrong passwords in a row lock it.
    pub(crate) lock_after: Option<u64>,
    /// How many wrong passwords came, ever.
    pub(crate) failed: u64,
    in_a_row: u64,
}

impl Account {
    pub(crate) fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Account { user: user.into(), password: password.into(), lock_after: None, failed: 0, in_a_row: 0 }
    }

    /// Whether this user may enter with this password. A locked account refuses the right one, too.
    pub(crate) fn admits(&mut self, user: &str, password: &str) -> bool {
        self.judge(user.eq_ignore_ascii_case(&self.user) && password == self.password)
    }

    /// Whether who shows to know the password, or not, may enter. What is wrong counts.
    pub(crate) fn judge(&mut self, is_right: bool) -> bool {
        if !is_right {
            self.failed += 1;
            self.in_a_row += 1;
        }
        if !is_right || self.is_locked() {
            return false;
        }
        self.in_a_row = 0;
        true
    }

    pub(crate) fn is_locked(&self) -> bool {
        self.lock_after.is_some_and(|most| self.in_a_row >= most)
    }

    pub(crate) fn unlock(&mut self) {
        self.in_a_row = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_account_refuses_the_right_password() {
        let mut account = Account { lock_after: Some(2), ..Account::new("hub", "secret") };
        assert!(!account.admits("hub", "wrong") && account.admits("HUB", "secret"), "one wrong password is forgiven");
        assert!(!account.admits("hub", "wrong") && !account.admits("hub", "wrong"));
        assert!(account.is_locked() && !account.admits("hub", "secret"));
        assert_eq!(account.failed, 3, "the right password does not count");
        account.unlock();
        assert!(account.admits("hub", "secret"));
    }
}
