//! What is traced of a login by NTLM: that it happened, and neither the password nor a message.

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use crate::login_ntlm::{login, scene, server};

/// Where a subscriber writes.
#[derive(Clone, Default)]
struct Traced(Arc<Mutex<Vec<u8>>>);

impl io::Write for Traced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Traced {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// A last message is enough to guess a password from, so it is as secret as one.
#[tokio::test]
async fn neither_password_nor_messages_are_traced() {
    let traced = Traced::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(traced.clone()).finish();
    // With one subscriber alone, whether an event is of interest is asked of the thread that meets it first, which may be
    // that of another test.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let guard = tracing::subscriber::set_default(subscriber);
    let scene = scene(server(), login()).await;
    scene.get().await.unwrap();
    drop(guard);
    let text = String::from_utf8_lossy(&traced.0.lock().unwrap()).into_owned();
    assert!(text.contains("logged in to CDMS") && text.contains("TRACE"), "{text}");
    // The beginnings of the three messages as base64, and as a list of numbers.
    for secret in ["pass & wörd", "TlRMTVNTUAAB", "TlRMTVNTUAAD", "78, 84, 76, 77, 83, 83, 80"] {
        let line = text.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is traced");
    }
}
