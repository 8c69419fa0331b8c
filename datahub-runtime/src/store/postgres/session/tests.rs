//! What a session does when its server refuses to.

use std::io::Write as _;
use std::sync::mpsc;

use super::*;
use crate::store::postgres::fake_server::{CANCELLED, GOODBYE, LONG, heard, heard_to_the_end, line};

#[test]
fn nothing_is_written_if_the_server_does_not_begin_the_transaction() {
    let (says, said) = mpsc::channel();
    let line = line(LONG, move |mut socket| {
        says.send(heard(&mut socket)).unwrap();
        socket.write_all(CANCELLED).unwrap();
        says.send(heard_to_the_end(socket)).unwrap();
    });
    let mut connection = PostgresConnection::on(line, None);
    connection.begin().unwrap();
    let written = connection.send(Statement::new("UPDATE t SET a = 1", []), None);
    assert!(matches!(written, Err(Problem::Told(..))), "{written:?}");
    drop(connection);
    let (first, rest) = (said.recv().unwrap(), said.recv().unwrap());
    assert!(first.contains("BEGIN") && !first.contains("UPDATE"), "{first:?}");
    assert_eq!(rest, GOODBYE);
}
