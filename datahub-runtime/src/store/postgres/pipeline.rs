//! Questions to a server that are sent one after the other without waiting for the answers in between: a round trip for
//! all of them.

use std::borrow::Cow;
use std::future::poll_fn;
use std::task::Poll;

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
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

impl Question<'_> {
    /// Whether it changes nothing in a server that has begun no transaction.
    pub(super) fn only_reads(&self) -> bool {
        match self {
            Question::Begin { .. } | Question::Commit => true,
            Question::RollBackTo { .. } | Question::Batch(_) => false,
            Question::Statement { statement, .. } => statement.is_select(),
        }
    }
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

/// Sends messages in their order, and waits for all answers. If one cannot be sent, the others after it are not sent
/// either, and its error is the last answer: the server, which does not know of it, would go on without it.
pub(super) async fn answers(client: &Client, messages: &[Message<'_>]) -> Vec<Result<Answer, Error>> {
    if let [message] = messages {
        return vec![message.answer(client).await];
    }
    // A future puts its message into the connection's queue when it is polled for the first time.
    let mut asked: Vec<LocalBoxFuture<'_, _>> =
        messages.iter().map(|message| message.answer(client).boxed_local()).collect();
    let mut answers: Vec<Option<_>> = messages.iter().map(|_| None).collect();
    let mut is_sent = false;
    poll_fn(|context| {
        if !std::mem::replace(&mut is_sent, true) {
            for (at, asked) in asked.iter_mut().enumerate() {
                match asked.as_mut().poll(context) {
                    // Only the server's own errors are answers.
                    Poll::Ready(Err(error)) if error.as_db_error().is_none() => {
                        answers[at] = Some(Err(error));
                        answers.truncate(at + 1);
                        break;
                    }
                    Poll::Ready(answer) => answers[at] = Some(answer),
                    Poll::Pending => {}
                }
            }
        }
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

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::mpsc;

    use cdms_odata::Instant;

    use super::super::fake_server::{DONE, GOODBYE, LONG, heard, heard_to_the_end, line};
    use super::*;
    use crate::store::statement::Datum;

    #[test]
    fn what_follows_a_message_that_cannot_be_sent_is_not_sent() {
        let (says, said) = mpsc::channel();
        let mut line = line(LONG, move |mut socket| {
            says.send(heard(&mut socket)).unwrap();
            socket.write_all(DONE).unwrap();
            says.send(heard_to_the_end(socket)).unwrap();
        });
        let beyond = Datum::Instant(Some(Instant(i64::MAX)));
        let values = vec![Bound::One(&beyond)];
        let messages = [
            Message::Batch("SELECT 1".into()),
            Message::Typed { sql: "UPDATE t SET at = $1".to_owned(), values, has_rows: false },
            Message::Batch("COMMIT".into()),
        ];
        let answers = line.ask(async |client: &Client| answers(client, &messages).await);
        assert!(matches!(answers[..], [Ok(_), Err(_)]), "{answers:?}");
        drop(line);
        let (first, rest) = (said.recv().unwrap(), said.recv().unwrap());
        assert!(first.contains("SELECT 1") && !first.contains("COMMIT"), "{first:?}");
        assert_eq!(rest, GOODBYE);
    }
}
