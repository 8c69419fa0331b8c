//! One connection to a server. Statements run on the driver directly, so that error codes are available.
//!
//! If the session is the hub's own, statements stay prepared and settings stay set. A pooler that gives every
//! transaction another session keeps neither: then each transaction begins with the settings that the promises depend
//! on, and no statement is prepared by name, because the name may belong to another program.
//!
//! A statement of a transaction whose result is not needed waits for the next one whose result is, or for the end of the
//! transaction, and is sent in the same round trip. The transaction's end goes the same way, and its beginning with what
//! only reads. If one of them fails, the server refuses the others, and the first error is the one to report.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use tokio_postgres::{Client, Error, Row};
use uuid::Uuid;

use super::address::Address;
use super::connecting::{TOKEN, connect};
use super::failure::{self, Problem};
use super::line::Line;
use super::pipeline::{self, Answer, Message, Question, WAITING_MAX, Waiting, savepoint};
use super::values;
use crate::store::failure::Trouble;
use crate::store::row::Cells;
use crate::store::rows::Bound;
use crate::store::statement::{ColumnType, Datum, Statement};

/// A connection for the store's threads: each waits for its own answers.
pub(crate) struct PostgresConnection {
    line: Line,
    /// The token that identifies the session, if it is the hub's own.
    token: Option<String>,
    /// The statements that the server has prepared, by text.
    prepared: HashMap<String, tokio_postgres::Statement>,
    /// The statements that begin a transaction.
    begin: String,
    /// What is sent with the next question.
    waiting: Vec<Waiting<'static>>,
    /// The number of open transactions and savepoints, which are nested.
    depth: usize,
    /// The number of those among them that the server was told of.
    begun: usize,
    /// Whether the open transaction can only be rolled back.
    is_failed: bool,
    /// Whether it is unknown which transactions are open.
    is_broken: bool,
}

impl PostgresConnection {
    /// Connects, to another machine only over TLS unless the address says `sslmode=disable`.
    pub(crate) fn establish(address: &Address, patience: Duration) -> Result<PostgresConnection, Trouble> {
        let token = Uuid::new_v4().simple().to_string();
        let line = Line::open(patience, async || connect(address, &token).await)?;
        Ok(PostgresConnection::on(line, Some(token)))
    }

    fn on(line: Line, token: Option<String>) -> Self {
        PostgresConnection {
            line,
            token,
            prepared: HashMap::new(),
            begin: BEGIN.to_owned(),
            waiting: Vec::new(),
            depth: 0,
            begun: 0,
            is_failed: false,
            is_broken: false,
        }
    }

    /// Whether the session is the one that this connection started, which no other program uses.
    pub(super) fn is_own(&mut self) -> Result<bool, Problem> {
        let asked = Statement::new("SELECT current_setting(?, true)", [TOKEN.into()]);
        let found = self.query(&asked, &[ColumnType::Text])?.into_iter().next();
        let found = found.map(|mut row| row.optional_text()).transpose().map_err(Problem::Row)?.flatten();
        if found.is_none() || found != self.token {
            self.token = None;
            self.prepared.clear();
        }
        Ok(self.token.is_some())
    }

    /// Whether it keeps the settings of its session.
    pub(crate) fn has_own_session(&self) -> bool {
        self.token.is_some()
    }

    /// Lets every transaction begin with these statements in addition.
    pub(super) fn begin_with(&mut self, settings: &str) {
        self.begin = format!("{BEGIN}; {settings}");
    }

    /// Sets how long an answer of the server may take.
    pub(crate) fn limit_patience(&mut self, limit: Duration) {
        self.line.limit(limit);
    }

    /// Lets an answer of the server take at least this long.
    pub(crate) fn be_patient(&mut self, limit: Duration) {
        self.line.at_least(limit);
    }

    /// The limit, if an answer took too long, so that the connection was given up.
    pub(crate) fn ran_out(&self) -> Option<Duration> {
        self.line.ran_out()
    }

    /// Whether the server has closed the connection. Asks the operating system and not the server.
    pub(crate) fn is_gone(&mut self) -> bool {
        self.line.has_ended()
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken
    }

    pub(crate) fn is_in_transaction(&self) -> bool {
        self.depth > 0
    }

    /// How many round trips it has taken since this was last called.
    pub(crate) fn take_round_trips(&mut self) -> u64 {
        self.line.take_round_trips()
    }

    /// Runs SQL without values.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Problem> {
        self.asks(Question::Batch(sql.into())).map(drop)
    }

    /// Runs a statement and returns the number of affected rows.
    pub(crate) fn execute(&mut self, statement: &Statement, table: Option<&'static str>) -> Result<usize, Problem> {
        sendable(statement)?;
        match self.asks_about(Question::Statement { statement: Cow::Borrowed(statement), has_rows: false }, table)? {
            Answer::Touched(rows) => Ok(usize::try_from(rows).unwrap_or(usize::MAX)),
            Answer::Rows(rows) => Ok(rows.len()),
        }
    }

    /// Runs a statement in the round trip of the next one, whose error may then be this one's. Outside a transaction, it
    /// runs at once.
    pub(crate) fn send(&mut self, statement: Statement, table: Option<&'static str>) -> Result<(), Problem> {
        sendable(&statement)?;
        self.wait(Question::Statement { statement: Cow::Owned(statement), has_rows: false }, table)
    }

    /// The same for SQL without values.
    pub(crate) fn send_batch(&mut self, sql: &'static str, table: Option<&'static str>) -> Result<(), Problem> {
        self.wait(Question::Batch(sql.into()), table)
    }

    /// Runs a statement and returns its rows.
    pub(crate) fn query(&mut self, statement: &Statement, types: &[ColumnType]) -> Result<Vec<Cells>, Problem> {
        sendable(statement)?;
        cells_of(self.asks(Question::Statement { statement: Cow::Borrowed(statement), has_rows: true })?, types)
    }

    /// The results of a handwritten statement that returns one text column.
    pub(crate) fn texts(&mut self, sql: &str) -> Result<Vec<String>, Problem> {
        self.settle()?;
        let rows = self.line.ask(async |client: &Client| client.query_typed(sql, &[]).await);
        let rows = self.told(rows, None)?;
        let texts = cells_of(Answer::Rows(rows), &[ColumnType::Text])?;
        texts.into_iter().map(|mut row| row.text().map_err(Problem::Row)).collect()
    }

    /// Begins a transaction, or a savepoint if a transaction is open.
    pub(crate) fn begin(&mut self) -> Result<(), Problem> {
        // What fails before a savepoint must not look as if it failed within.
        self.settle()?;
        self.depth += 1;
        let depth = self.depth;
        let sql = if depth == 1 { self.begin.clone() } else { format!("SAVEPOINT {}", savepoint(depth)) };
        self.waiting.push(Waiting { question: Question::Begin { depth, sql }, table: None });
        Ok(())
    }

    /// Commits the innermost transaction or releases the innermost savepoint. If that fails, a transaction has ended,
    /// unless one of its statements failed that was still waiting; a savepoint must be rolled back.
    pub(crate) fn commit(&mut self) -> Result<(), Problem> {
        if self.is_failed {
            // The server would accept the COMMIT and roll back.
            return Err(Problem::Failed);
        }
        if self.is_empty() {
            self.waiting.clear();
            self.depth -= 1;
            return Ok(());
        }
        if self.depth > 1 {
            let release = Question::Batch(format!("RELEASE SAVEPOINT {}", savepoint(self.depth)).into());
            self.asks(release)?;
            self.depth -= 1;
            self.begun = self.depth;
            return Ok(());
        }
        let committed = self.asks(Question::Commit).map(drop);
        if self.begun == 0 {
            self.depth = 0;
            self.is_failed = false;
            // Without an answer from the server, the commit may have happened or not.
            self.is_broken |= matches!(&committed, Err(Problem::Told(error, _)) if error.as_db_error().is_none());
        }
        committed
    }

    /// Whether nothing was done since the innermost transaction or savepoint began.
    fn is_empty(&self) -> bool {
        matches!(self.waiting.last(), Some(Waiting { question: Question::Begin { .. }, .. }))
    }

    /// Rolls back the innermost transaction or savepoint.
    pub(crate) fn roll_back(&mut self) -> Result<(), Problem> {
        let depth = self.depth;
        if depth == 0 {
            return Ok(());
        }
        self.depth -= 1;
        // What is still waiting was done since then, because a savepoint is begun only when nothing waits.
        self.waiting.clear();
        let was_failed = std::mem::take(&mut self.is_failed);
        if self.begun < depth {
            return Ok(());
        }
        let undone = match depth {
            1 => {
                self.begun = 0;
                self.asks(Question::Batch("ROLLBACK".into())).map(drop)
            }
            _ if was_failed => self.asks(Question::RollBackTo { depth }).map(drop),
            _ => self.wait(Question::RollBackTo { depth }, None),
        };
        self.is_broken |= undone.is_err();
        undone
    }

    /// Lets a question wait for the next one, unless there is no transaction or enough are waiting.
    fn wait(&mut self, question: Question<'static>, table: Option<&'static str>) -> Result<(), Problem> {
        if self.depth == 0 {
            return self.asks_about(question, table).map(drop);
        }
        self.let_it_begin(&question)?;
        self.waiting.push(Waiting { question, table });
        if self.waiting.len() >= WAITING_MAX { self.settle() } else { Ok(()) }
    }

    /// Waits for the beginning of the transaction if the question may write. A server that does not begin it, because it
    /// was asked to cancel a statement, would make a transaction of its own of each question that was sent with it.
    fn let_it_begin(&mut self, question: &Question<'_>) -> Result<(), Problem> {
        let begins = |waiting: &Waiting<'_>| matches!(waiting.question, Question::Begin { depth: 1, .. });
        if !question.only_reads() && self.waiting.iter().any(begins) { self.settle() } else { Ok(()) }
    }

    /// Sends what is waiting.
    pub(crate) fn settle(&mut self) -> Result<(), Problem> {
        let waiting = std::mem::take(&mut self.waiting);
        self.send_in_order(&waiting).map(drop)
    }

    /// Sends what is waiting, and this.
    fn asks(&mut self, question: Question<'_>) -> Result<Answer, Problem> {
        self.asks_about(question, None)
    }

    fn asks_about(&mut self, question: Question<'_>, table: Option<&'static str>) -> Result<Answer, Problem> {
        self.let_it_begin(&question)?;
        let mut all: Vec<Waiting<'_>> = std::mem::take(&mut self.waiting);
        all.push(Waiting { question, table });
        match self.send_in_order(&all) {
            // Outside a transaction nothing has been executed yet, so the statement can be repeated.
            Err(Problem::Told(error, _)) if self.depth == 0 && failure::is_forgotten(&error) => {
                self.send_in_order(&all)
            }
            answer => answer,
        }
    }

    /// Sends these, and returns the last answer or the first error. What was not sent because of an error is dropped.
    fn send_in_order(&mut self, waiting: &[Waiting<'_>]) -> Result<Answer, Problem> {
        let mut sent = 0;
        let mut messages = Vec::with_capacity(waiting.len());
        for (at, Waiting { question, table }) in waiting.iter().enumerate() {
            let message = match question {
                Question::Begin { sql, .. } => Message::Batch(sql.into()),
                Question::Batch(sql) => Message::Batch(Cow::Borrowed(sql)),
                Question::Commit => Message::Batch("COMMIT".into()),
                Question::RollBackTo { depth } => {
                    let name = savepoint(*depth);
                    Message::Batch(format!("ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}").into())
                }
                Question::Statement { statement, has_rows } => {
                    let has_rows = *has_rows;
                    let (sql, values) = statement.numbered();
                    if self.token.is_none() || !statement.is_kept() {
                        Message::Typed { sql, values, has_rows }
                    } else if let Some(statement) = self.known(&sql, &values) {
                        Message::Prepared { statement, values, has_rows }
                    } else {
                        // It is prepared in its place, because an error ends the transaction.
                        self.send_messages(&waiting[sent..at], &messages)?;
                        messages.clear();
                        sent = at;
                        let statement = self.prepare(sql, &values, *table)?;
                        Message::Prepared { statement, values, has_rows }
                    }
                }
            };
            messages.push(message);
        }
        self.send_messages(&waiting[sent..], &messages)
    }

    /// The prepared statement with this text, for values of these types.
    fn known(&self, sql: &str, values: &[Bound<'_>]) -> Option<tokio_postgres::Statement> {
        let is_for = |known: &&tokio_postgres::Statement| {
            let types = values.iter().map(|value| value.sql_type());
            known.params().iter().cloned().eq(types)
        };
        self.prepared.get(sql).filter(is_for).cloned()
    }

    fn prepare(
        &mut self,
        sql: String,
        values: &[Bound<'_>],
        table: Option<&'static str>,
    ) -> Result<tokio_postgres::Statement, Problem> {
        let types: Vec<_> = values.iter().map(|value| value.sql_type()).collect();
        let prepared = self.line.ask(async |client: &Client| client.prepare_typed(&sql, &types).await);
        let statement = self.told(prepared, table)?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }

    /// Sends messages in one round trip, and returns the last answer or the first error.
    fn send_messages(&mut self, waiting: &[Waiting<'_>], messages: &[Message<'_>]) -> Result<Answer, Problem> {
        let mut last = Answer::Touched(0);
        if messages.is_empty() {
            return Ok(last);
        }
        let answers = self.line.ask(async |client: &Client| pipeline::answers(client, messages).await);
        for Waiting { question, .. } in &waiting[..answers.len()] {
            match question {
                Question::Begin { depth, .. } => self.begun = *depth,
                Question::Commit => self.begun = 0,
                Question::RollBackTo { depth } => self.begun = *depth - 1,
                Question::Batch(_) | Question::Statement { .. } => {}
            }
        }
        for (answer, Waiting { table, .. }) in answers.into_iter().zip(waiting) {
            last = self.told(answer, *table)?;
        }
        Ok(last)
    }

    /// Records whether an answer makes the transaction fail.
    fn told<A>(&mut self, answer: Result<A, Error>, table: Option<&'static str>) -> Result<A, Problem> {
        answer.map_err(|error| {
            self.is_failed |= self.depth > 0;
            if failure::is_forgotten(&error) {
                // The change may affect other statements as well.
                self.prepared.clear();
            }
            Problem::Told(error, table)
        })
    }
}

/// Whether all values have a form for the server.
fn sendable(statement: &Statement) -> Result<(), Problem> {
    let reason = statement.values().find_map(Datum::unsendable);
    reason.map_or(Ok(()), |reason| Err(Problem::Value(reason)))
}

fn cells_of(answer: Answer, types: &[ColumnType]) -> Result<Vec<Cells>, Problem> {
    match answer {
        Answer::Rows(rows) => rows.iter().map(|row: &Row| values::cells(row, types).map_err(Problem::Row)).collect(),
        Answer::Touched(_) => Ok(Vec::new()),
    }
}

/// Each statement sees what was committed before it, whatever the server's settings are: a transaction waits for its
/// record's lock first, and must see what was stored in the meantime.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

#[cfg(test)]
mod tests;
