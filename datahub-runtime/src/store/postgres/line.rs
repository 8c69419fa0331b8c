//! The line to a server: its socket is driven by the thread that waits for an answer, so that no other thread has to be
//! woken for it.
//!
//! A working server limits its own statements, and the operating system notices when a server is gone. Neither helps if
//! something between the hub and the server, such as a paused pooler, accepts the question and keeps the connection
//! alive but never answers. Then the thread would wait forever, so a line is given up if an answer takes too long.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};
use tokio_postgres::{Client, Error};

use super::failure::causes;
use crate::store::failure::Trouble;

/// What reads from the socket and writes to it, until the connection ends.
type Driver = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// The line of one connection. While it is open, it is used by one thread at a time.
pub(super) struct Line {
    client: Option<Client>,
    /// `None` once the connection has ended.
    driver: Option<Driver>,
    runtime: Option<Runtime>,
    /// How long an answer may take.
    patience: Duration,
    /// The limit that an answer exceeded, so that the line was given up.
    ran_out: Option<Duration>,
    /// How often it was asked.
    round_trips: u64,
}

impl Line {
    /// Opens a line with what `connect` returns. Blocks the thread, which must not be one of an asynchronous runtime.
    pub(super) fn open<C>(
        patience: Duration,
        connect: impl AsyncFnOnce() -> Result<(Client, C), Trouble>,
    ) -> Result<Self, Trouble>
    where
        C: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| Trouble::Unavailable(format!("its sockets cannot be watched: {error}")))?;
        let (client, driver) = runtime.block_on(connect())?;
        Ok(Line {
            client: Some(client),
            driver: Some(Box::pin(driver)),
            runtime: Some(runtime),
            patience,
            ran_out: None,
            round_trips: 0,
        })
    }

    /// Sets how long an answer may take.
    pub(super) fn limit(&mut self, limit: Duration) {
        self.patience = limit;
    }

    /// Sets how long an answer may take, unless the current limit is longer.
    pub(super) fn at_least(&mut self, limit: Duration) {
        self.patience = self.patience.max(limit);
    }

    /// The limit, if an answer took too long.
    pub(super) fn ran_out(&self) -> Option<Duration> {
        self.ran_out
    }

    /// How often it was asked since this was last called.
    pub(super) fn take_round_trips(&mut self) -> u64 {
        std::mem::take(&mut self.round_trips)
    }

    /// Asks and waits for the answer. If the connection ends before that, the answer is an error.
    pub(super) fn ask<A>(&mut self, ask: impl AsyncFnOnce(&Client) -> A) -> A {
        self.round_trips += 1;
        let Line { client, driver, runtime, patience, ran_out, .. } = self;
        let (client, runtime) = opened(client, runtime);
        runtime.block_on(async {
            let mut asked = pin!(ask(client));
            let mut over = pin!(tokio::time::sleep(*patience));
            poll_fn(|context| {
                // Puts the question into the driver's queue.
                if let Poll::Ready(answer) = asked.as_mut().poll(context) {
                    return Poll::Ready(answer);
                }
                drive(driver, context);
                // An answer that has arrived counts, even if the whole machine slept past the limit.
                if let Poll::Ready(answer) = asked.as_mut().poll(context) {
                    return Poll::Ready(answer);
                }
                ready!(over.as_mut().poll(context));
                tracing::warn!("a connection to the database is closed, because an answer took too long");
                *ran_out = Some(*patience);
                // Without a driver, the answer is that the connection is closed.
                *driver = None;
                asked.as_mut().poll(context)
            })
            .await
        })
    }

    /// Whether the connection has ended, also if that happened since it was last asked.
    pub(super) fn has_ended(&mut self) -> bool {
        let Line { client, driver, runtime, .. } = self;
        let (_, runtime) = opened(client, runtime);
        if driver.is_some() {
            runtime.block_on(async {
                // Lets the runtime look at the socket.
                tokio::task::yield_now().await;
                poll_fn(|context| {
                    drive(driver, context);
                    Poll::Ready(())
                })
                .await;
            });
        }
        driver.is_none()
    }
}

/// Reads and writes what is possible now.
fn drive(driver: &mut Option<Driver>, context: &mut Context<'_>) {
    let Some(open) = driver else { return };
    if let Poll::Ready(ended) = open.as_mut().poll(context) {
        if let Err(error) = ended {
            tracing::warn!(error = %causes(&error), "a connection to the database has ended");
        }
        *driver = None;
    }
}

fn opened<'l>(client: &'l Option<Client>, runtime: &'l Option<Runtime>) -> (&'l Client, &'l Runtime) {
    let both = client.as_ref().zip(runtime.as_ref());
    both.expect("only dropping the line takes its parts")
}

/// How long saying goodbye to the server may take.
const GOODBYE_TIME_MAX: Duration = Duration::from_millis(200);

impl Drop for Line {
    /// Tells the server that the connection ends, unless the thread must not block.
    fn drop(&mut self) {
        self.client = None;
        let Some(runtime) = self.runtime.take() else { return };
        if let Some(driver) = self.driver.take()
            && Handle::try_current().is_err()
        {
            // Whatever it says, the connection is closed.
            _ = runtime.block_on(async { tokio::time::timeout(GOODBYE_TIME_MAX, driver).await });
        }
        runtime.shutdown_background();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::sync::mpsc;
    use std::time::Instant;

    use super::super::fake_server::{DONE, GOODBYE, LONG, heard_to_the_end, line};
    use super::*;

    #[test]
    fn an_answer_that_takes_too_long_ends_the_line() {
        let limit = Duration::from_millis(50);
        let (release, held) = mpsc::channel::<()>();
        let mut line = line(limit, move |_socket| _ = held.recv());
        let begun = Instant::now();
        let answer = line.ask(async |client: &Client| client.batch_execute("SELECT 1").await);
        assert!(answer.unwrap_err().is_closed() && begun.elapsed() >= limit);
        assert_eq!((line.ran_out(), line.has_ended()), (Some(limit), true));
        drop(release);
    }

    #[test]
    fn many_quick_answers_with_idle_time_between_do_not_add_up() {
        let mut line = line(Duration::from_secs(1), |mut socket| {
            let mut bytes = [0; 1024];
            while socket.read(&mut bytes).is_ok_and(|read| read > 0) {
                _ = socket.write_all(DONE);
            }
        });
        for _ in 0..3 {
            line.ask(async |client: &Client| client.batch_execute("SELECT 1").await).unwrap();
            std::thread::sleep(Duration::from_millis(500));
        }
        assert_eq!((line.take_round_trips(), line.take_round_trips(), line.ran_out()), (3, 0, None));
    }

    #[test]
    fn a_server_that_hung_up_while_the_line_was_idle_is_noticed() {
        let (closed, is_closed) = mpsc::channel();
        let mut line = line(LONG, move |socket| {
            drop(socket);
            closed.send(()).unwrap();
        });
        is_closed.recv().unwrap();
        // The end travels through the network, if only that of the machine.
        let begun = Instant::now();
        while !line.has_ended() {
            assert!(begun.elapsed() < LONG, "it was not noticed");
            std::thread::yield_now();
        }
        assert_eq!(line.ran_out(), None);
    }

    #[test]
    fn the_server_is_told_when_the_line_is_dropped() {
        let (says, said) = mpsc::channel();
        let line = line(LONG, move |socket| says.send(heard_to_the_end(socket)).unwrap());
        drop(line);
        assert_eq!(said.recv().unwrap(), GOODBYE);
    }

    #[tokio::test]
    async fn a_line_may_be_dropped_in_a_runtime() {
        let line = tokio::task::spawn_blocking(|| line(LONG, |_| {})).await.unwrap();
        drop(line);
    }
}
