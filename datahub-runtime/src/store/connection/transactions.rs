//! Transactions, savepoints and locks of a connection.

use datahub_protocol::planted::{Planted, planted};
use diesel::connection::{Connection as DieselConnection, TransactionManager};
use diesel::result::Error;

use super::sqlite_rows::trouble_of_file;
use super::{Connection, Inner};
use crate::crash_points::{self, Moment, Step, pass_blocking};
use crate::store::failure::Trouble;
use crate::store::statement::Statement;

impl Connection {
    /// Locks these names in this space until the end of the transaction, and waits while another transaction has them
    /// locked.
    pub(crate) fn lock(&mut self, space: &str, names: impl IntoIterator<Item = String>) -> Result<(), Trouble> {
        self.send_lock(space, names)?;
        self.settle()
    }

    /// Like [`lock`](Connection::lock), but the names are locked only once the result of another statement is there.
    pub(crate) fn send_lock(&mut self, space: &str, names: impl IntoIterator<Item = String>) -> Result<(), Trouble> {
        let Some(sql) = self.dialect.lock else { return Ok(()) };
        let mut names: Vec<_> = names.into_iter().collect();
        if names.is_empty() {
            return Ok(());
        }
        // All transactions take several locks in the same order, so that they cannot deadlock.
        names.sort_unstable();
        let mut statement = Statement::new(sql, [space.into()]);
        statement.each(names);
        self.send(statement)
    }

    /// Runs `work` in one transaction, and commits it if it succeeds.
    pub(crate) fn write<T, E: From<Trouble>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        (self.dialect.begin)(self)?;
        self.meters.transaction();
        self.in_transaction(work)
    }

    /// Like [`write`](Connection::write), for work that may turn out to write nothing: on SQLite others can write until
    /// it calls [`will_write`](Connection::will_write). If they have, its first write fails as if the database were
    /// unavailable, so that it never writes over what it has not seen.
    pub(crate) fn maybe_write<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        self.begin()?;
        self.in_transaction(work)
    }

    /// Counts the transaction as one that writes.
    pub(crate) fn will_write(&mut self) {
        self.meters.transaction();
    }

    fn in_transaction<T, E: From<Trouble>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        self.drawn = None;
        match work(self) {
            Ok(value) => {
                let committed = self.commit();
                // If a rule that is checked at the commit fails, SQLite leaves the transaction open; so does a server if a
                // statement fails that was sent with the commit.
                if committed.is_err() && self.is_in_transaction() {
                    self.roll_back()?;
                }
                committed?;
                if let Some(drawn) = self.drawn.take() {
                    self.newest_known.note(drawn);
                }
                Ok(value)
            }
            Err(error) => {
                // Some errors end the transaction by themselves. If the rollback fails for another reason, the
                // connection is closed, which also undoes the transaction. The first error is the one to report.
                if planted(Planted::TransactionLeftOpen) {
                    return Err(error);
                }
                if let Err(trouble) = self.roll_back() {
                    tracing::debug!(?trouble, "a transaction could not be rolled back; its connection is closed");
                }
                Err(error)
            }
        }
    }

    /// Runs `work` in a savepoint and always undoes it.
    pub(crate) fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        self.begin()?;
        let value = work(self).and_then(|value| self.settle().map(|()| value));
        let undone = self.roll_back();
        let value = value?;
        undone.map(|()| value)
    }

    /// Runs `work` in a savepoint, and undoes it if it fails.
    pub(crate) fn savepoint<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        self.begin()?;
        match work(self) {
            Ok(value) => match self.commit() {
                Ok(()) => Ok(value),
                Err(trouble) => {
                    self.roll_back()?;
                    Err(trouble)
                }
            },
            Err(trouble) => {
                self.roll_back()?;
                Err(trouble)
            }
        }
    }

    /// Begins a transaction, or a savepoint if a transaction is open.
    pub(crate) fn begin(&mut self) -> Result<(), Trouble> {
        with_inner!(self, sqlite: connection => begin(connection), postgres: connection => connection.begin())
    }

    fn commit(&mut self) -> Result<(), Trouble> {
        with_inner!(self, sqlite: connection => commit(connection), postgres: connection => connection.commit())
    }

    fn roll_back(&mut self) -> Result<(), Trouble> {
        with_inner!(self, sqlite: connection => roll_back(connection), postgres: connection => connection.roll_back())
    }

    /// Whether a transaction is open, which must not be the case between two jobs.
    pub(crate) fn is_in_transaction(&mut self) -> bool {
        match &mut self.inner {
            Inner::Sqlite(connection) => is_in_transaction(connection),
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => connection.is_in_transaction(),
        }
    }

    /// Passes the point after a transaction's last statement. A test that stops the program here finds all statements
    /// run.
    pub(crate) fn pass_before_commit(&mut self, step: Step) -> Result<(), Trouble> {
        if crash_points::are_observed() {
            self.settle()?;
        }
        pass_blocking(step, Moment::InTransaction);
        Ok(())
    }
}

fn begin<C: DieselConnection>(connection: &mut C) -> Result<(), Error> {
    C::TransactionManager::begin_transaction(connection)
}

fn commit<C: DieselConnection>(connection: &mut C) -> Result<(), Error> {
    C::TransactionManager::commit_transaction(connection)
}

fn roll_back<C: DieselConnection>(connection: &mut C) -> Result<(), Error> {
    C::TransactionManager::rollback_transaction(connection)
}

pub(super) fn is_broken<C: DieselConnection>(connection: &mut C) -> bool {
    C::TransactionManager::is_broken_transaction_manager(connection)
}

fn is_in_transaction<C: DieselConnection>(connection: &mut C) -> bool {
    let status = C::TransactionManager::transaction_manager_status_mut(connection);
    matches!(status.transaction_depth(), Ok(Some(_)))
}
