//! Jobs run to their end or leave nothing behind, whatever happens to their callers.

use std::task::{Context, Poll, Waker};

use super::*;
use crate::store::connection::Connection;
use crate::store::failure::Trouble;
use crate::store::{StoreError, sequence};

#[tokio::test]
async fn a_dropped_future_leaves_no_open_transaction() {
    let (bench, store) = Bench::open().await;
    let mut future = Box::pin(store.commit(first_sight("Acme")));
    // The first poll puts the job into the queue.
    let _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    drop(future);
    store.close().await;
    assert_eq!(bench.count("organisations"), 1, "the job ran to its end");
    let other = bench.program().await;
    let version = match load(&other).await.loaded.stored {
        datahub_protocol::Stored::Row(snapshot) => snapshot.version,
        stored => panic!("{stored:?}"),
    };
    done(&other, refresh(version, "Beta")).await;
}

#[tokio::test]
async fn a_job_that_panics_leaves_nothing_and_the_store_goes_on() {
    let (_bench, store) = Bench::open().await;
    let result = store
        .write(|connection| -> Result<(), Trouble> {
            connection.write(|connection: &mut Connection| {
                sequence::next(connection)?;
                panic!("a test's panic");
            })
        })
        .await;
    assert!(matches!(result, Err(StoreError::Unavailable { .. })), "{result:?}");
    assert_eq!(load(&store).await.loaded, StoredRecord::default().loaded, "nothing is left of it");
    done(&store, first_sight("Acme")).await;
}

#[tokio::test]
async fn versions_come_from_one_sequence_for_all_programs() {
    let (bench, here) = Bench::open().await;
    let there = bench.program().await;
    let first = done(&here, first_sight("Acme")).await;
    let mut other = first_sight("Beta");
    other.id = Uuid::from_u128(0xD);
    let second = done(&there, other).await;
    let third = done(&here, refresh(first, "Acme 2")).await;
    assert!(first < second && second < third);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let (_bench, store) = Bench::open().await;
    store.close().await;
    let error = store.load(&ORGANISATION, ID, Stage::Begins).await.unwrap_err();
    assert!(matches!(error, StoreError::Closed { .. }), "{error}");
    let Committed::Unavailable(reason) = store.commit(first_sight("Acme")).await.unwrap() else { panic!("committed") };
    assert!(reason.contains("shut down"), "{reason}");
}

#[tokio::test]
async fn a_closed_file_has_no_log_next_to_it() {
    let (bench, store) = Bench::on_file().await;
    done(&store, first_sight("Acme")).await;
    store.close().await;
    let log = format!("{}-wal", bench.url().strip_prefix("sqlite://").unwrap());
    for number in 1..40_u128 {
        let store = bench.program_with(8).await;
        let mut job = first_sight("Beta");
        job.id = Uuid::from_u128(number << 64);
        let written = async { done(&store, job).await };
        let read = futures_util::future::join_all((0..16).map(|_| load(&store)));
        futures_util::future::join(written, read).await;
        assert!(std::path::Path::new(&log).exists());
        store.close().await;
        assert!(!std::path::Path::new(&log).exists(), "round {number}");
    }
}

#[tokio::test]
async fn readers_cannot_write() {
    let (_bench, store) = Bench::on_file().await;
    let error = store.read(sequence::next).await.unwrap_err();
    assert!(error.to_string().contains("readonly"), "{error}");
}

#[tokio::test]
async fn records_can_be_stored_and_loaded_at_the_same_time() {
    let (_bench, store) = Bench::open().await;
    let jobs = (1..=40_u128).map(|number| {
        let store = store.clone();
        async move {
            let id = Uuid::from_u128(number);
            let mut job = first_sight("Acme");
            job.id = id;
            done(&store, job).await;
            assert!(store.load(&ORGANISATION, id, Stage::Begins).await.unwrap().row_present);
        }
    });
    futures_util::future::join_all(jobs).await;
}

#[tokio::test]
async fn a_caller_above_the_limit_is_rejected_at_once() {
    let bench = Bench::empty();
    let store = bench.program_with(1).await;
    let (release, writing) = keep_busy(|work| store.write(work));
    let mut at_once = Context::from_waker(Waker::noop());
    let mut callers = Vec::new();
    let refused = loop {
        let mut caller = Box::pin(store.write(|_| Ok(())));
        match caller.as_mut().poll(&mut at_once) {
            Poll::Pending => callers.push(caller),
            Poll::Ready(answer) => break answer,
        }
        assert!(callers.len() < 10_000, "the queue grows without bound");
    };
    assert_eq!(callers.len(), 1_024);
    assert!(matches!(refused, Err(StoreError::Overloaded { .. })), "{refused:?}");
    let refused = store.commit(first_sight("Acme")).await;
    assert!(matches!(refused, Err(StoreError::Overloaded { .. })), "{refused:?}");
    drop(release);
    writing.await.unwrap();
    for caller in callers {
        caller.await.unwrap();
    }
    store.write(|_| Ok(())).await.unwrap();
}

#[tokio::test]
async fn a_caller_that_stops_waiting_makes_room() {
    let bench = Bench::empty();
    let store = bench.program_with(1).await;
    let (release, busy) = keep_busy(|work| store.read(work));
    let asked = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let question = || {
        let asked = Arc::clone(&asked);
        begin(store.read(move |_| {
            asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Ok(())
        }))
    };
    drop((0..1_024).map(|_| question()).collect::<Vec<_>>());
    let last = question();
    drop(release);
    busy.await.unwrap();
    last.await.unwrap();
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1, "the other jobs were cancelled");
}

/// Polls a future once, which must be pending then.
fn begin<F: Future>(future: F) -> std::pin::Pin<Box<F>> {
    let mut future = Box::pin(future);
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    future
}

type Work = Box<dyn FnOnce(&mut Connection) -> Result<(), Trouble> + Send>;

/// Keeps a connection busy until the sender is dropped, with a job that `bring` puts into the queue.
fn keep_busy<F: Future>(bring: impl FnOnce(Work) -> F) -> (std::sync::mpsc::Sender<()>, std::pin::Pin<Box<F>>) {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (begins, begun) = std::sync::mpsc::channel();
    let busy = begin(bring(Box::new(move |_| {
        begins.send(()).unwrap();
        _ = held.recv();
        Ok(())
    })));
    begun.recv().unwrap();
    (release, busy)
}

#[tokio::test]
async fn callers_are_served_in_the_order_of_arrival() {
    let bench = Bench::empty();
    let store = bench.program_with(1).await;
    let (release, busy) = keep_busy(|work| store.write(work));
    let served = Arc::new(std::sync::Mutex::new(Vec::new()));
    let callers = (0..300).map(|number| {
        let served = Arc::clone(&served);
        begin(store.write(move |_| {
            served.lock().unwrap().push(number);
            Ok(())
        }))
    });
    let callers: Vec<_> = callers.collect();
    drop(release);
    for answer in futures_util::future::join_all(callers).await {
        answer.unwrap();
    }
    busy.await.unwrap();
    let served = served.lock().unwrap();
    assert!(served.iter().copied().eq(0..300), "{served:?}");
}

#[tokio::test]
async fn no_caller_waits_forever_for_a_turn() {
    let bench = Bench::empty();
    let store = bench.program_with(1).await;
    let (release, busy) = keep_busy(|work| store.write(work));
    // From here on, time advances whenever all tasks are idle.
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let ran = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let run = Arc::clone(&ran);
    let refused = store.write(move |_| {
        run.store(true, std::sync::atomic::Ordering::SeqCst);
        Ok(())
    });
    let refused = refused.await.unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 30);
    assert!(refused.to_string().contains("waited 30 s for its turn"), "{refused}");
    // The busy job has exceeded the time too, but a thread has taken it, so its result is returned.
    let mut busy = busy;
    assert!(busy.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    tokio::time::resume();
    drop(release);
    busy.await.unwrap();
    store.write(|_| Ok(())).await.unwrap();
    assert!(!ran.load(std::sync::atomic::Ordering::SeqCst), "a rejected job does not run");
}

/// A relay between the hub and PostgreSQL that can be paused.
struct Relay {
    address: std::net::SocketAddr,
    is_paused: Arc<tokio::sync::RwLock<()>>,
}

impl Relay {
    fn before(server: String) -> Relay {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let is_paused = Arc::new(tokio::sync::RwLock::new(()));
        let paused = Arc::clone(&is_paused);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = std::net::TcpStream::connect(&server).unwrap();
                let ways = [(client.try_clone(), server.try_clone()), (Ok(server), Ok(client))];
                for (from, to) in ways {
                    let (mut from, mut to, paused) = (from.unwrap(), to.unwrap(), Arc::clone(&paused));
                    std::thread::spawn(move || pass_on(&mut from, &mut to, &paused));
                }
            }
        });
        Relay { address, is_paused }
    }
}

/// Passes bytes on until one side closes the connection, except while paused.
fn pass_on(from: &mut std::net::TcpStream, to: &mut std::net::TcpStream, paused: &tokio::sync::RwLock<()>) {
    use std::io::{Read as _, Write as _};
    let mut bytes = [0; 4096];
    while let Ok(1..) = from.read(&mut bytes).inspect(|count| {
        let _passing = paused.blocking_read();
        _ = to.write_all(&bytes[..*count]);
    }) {}
    _ = to.shutdown(std::net::Shutdown::Both);
}

#[tokio::test]
async fn a_pooler_that_falls_silent_does_not_block_the_hub_forever() {
    let bench = Bench::empty();
    if !bench.is_on_postgres() {
        return;
    }
    let mut url = url::Url::parse(&bench.url()).unwrap();
    let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
    let relay = Relay::before(server);
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(relay.address.port())).unwrap();
    let options = StoreOptions { grace: Duration::from_secs(1), connections: Some(1), ..StoreOptions::default() };
    let clock = Arc::new(bench.clock.clone());
    // The address of the test's schema ends with options for the server.
    let url = format!("{url}%20-c%20statement_timeout%3D2s");
    let store = Store::open(&url, clock, options, Meters::default()).await.unwrap();
    store.create_tables(&[&ORGANISATION]).await.unwrap();
    done(&store, first_sight("Acme")).await;

    let pause = relay.is_paused.write().await;
    let silent = store.load(&ORGANISATION, ID, Stage::Begins).await.unwrap_err().to_string();
    assert!(silent.contains("did not answer for 3 s") && silent.contains("pooler"), "{silent}");
    drop(pause);
    assert!(load(&store).await.row_present, "the next job gets a new connection");
}
