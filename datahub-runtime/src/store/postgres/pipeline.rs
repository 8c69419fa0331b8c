//! Questions to a server that are sent one after the other without waiting for the answers in between: a round trip for
//! all of them.

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use crate::store::rows::Bound;
use crate::store::statement::Statement;

/// The maximum number of questions that wait for the next answer; another one is sent with them.
pub(super) const WAITING_MAX: usize = 16;

/// What is to be run.
#[derive(Debug)]
pub(super) enum Question<'s> {
    /// Begins a transaction, or the savepoint of this depth if it is greater than one.
    Begin { depth: usize, sql: String },
    /// Ends the transaction.
    Commit,
    /// Undoes everything since the savepoint of this depth, and removes the savepoint.
    RollBackTo { depth: usize },
    /// SQL without values.
    Batch(Cow<'s, str>),
    /// A statement, which has rows if they are wanted and not only their number.
    Statement { statement: Cow<'s, Statement>, has_rows: bool },
}

/// A question, and the model's table that its error is about.
#[derive(Debug)]
pub(super) struct Waiting<'s> {
    pub(super) question: Question<'s>,
    pub(super) table: Option<&'static str>,
}

/// The name of the savepoint of a depth, which is greater than one.
pub(super) fn savepoint(depth: usize) -> String {
    format!("datahub_{}", depth - 1)
}

/// The answer to a question.
#[derive(Debug)]
pub(super) enum Answer {
    /// The number of rows that were touched.
    Touched(u64),
    /// The rows.
    Rows(Vec<Row>),
}

/// A question in the form in which it is sent.
pub(super) enum Message<'q> {
    Batch(Cow<'q, str>),
    Prepared { statement: tokio_postgres::Statement, values: Vec<Bound<'q>>, has_rows: bool },
    Typed { sql: String, values: Vec<Bound<'q>>, has_rows: bool },
}

impl Message<'_> {
    async fn answer(&self, client: &Client) -> Result<Answer, Error> {
        match self {
            Message::Batch(sql) => client.batch_execute(sql).await.map(|()| Answer::Touched(0)),
            Message::Prepared { statement, values, has_rows } => {
                let values: Vec<_> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
                match has_rows {
                    true => client.query(statement, &values).await.map(Answer::Rows),
                    false => client.execute(statement, &values).await.map(Answer::Touched),
                }
            }
            Message::Typed { sql, values, has_rows } => {
                let values: Vec<(&(dyn ToSql + Sync), Type)> =
                    values.iter().map(|value| (value as _, value.sql_type())).collect();
                match has_rows {
                    true => client.query_typed(sql, &values).await.map(Answer::Rows),
                    false => client.execute_typed(sql, &values).await.map(Answer::Touched),
                }
            }
        }
    }
}

/// Sends messages in their order, and waits for all answers.
pub(super) async fn answers(client: &Client, messages: &[Message<'_>]) -> Vec<Result<Answer, Error>> {
    if let [message] = messages {
        return vec![message.answer(client).await];
    }
    // A future puts its message into the connection's queue when it is polled for the first time.
    let mut asked: Vec<Pin<Box<dyn Future<Output = _> + '_>>> = Vec::with_capacity(messages.len());
    asked.extend(messages.iter().map(|message| Box::pin(message.answer(client)) as _));
    let mut answers: Vec<Option<_>> = messages.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (asked, answer) in asked.iter_mut().zip(&mut answers).filter(|(_, answer)| answer.is_none()) {
            if let Poll::Ready(ready) = asked.as_mut().poll(context) {
                *answer = Some(ready);
            }
        }
        if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}
