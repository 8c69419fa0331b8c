//! What is heard of a program: everything that is logged at any level, said by panics, shown and returned.

use std::fmt::Debug;
use std::io;
use std::sync::{Mutex, Once};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use datahub_runtime::Error;
use datahub_runtime::connection::ConnectionReport;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard};

/// What was logged at level TRACE, by this project and by every crate that it uses, and what panics said.
static HEARD: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Ear;

impl io::Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        HEARD.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Listens from now on, to one test at a time.
pub(crate) async fn listen() -> MutexGuard<'static, ()> {
    static BEGUN: Once = Once::new();
    static TURN: AsyncMutex<()> = AsyncMutex::const_new(());
    let turn = TURN.lock().await;
    BEGUN.call_once(|| {
        // `init` also listens to what crates tell to `log`.
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(|| Ear).init();
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            HEARD.lock().unwrap().extend_from_slice(panic.to_string().as_bytes());
            tell(panic);
        }));
    });
    HEARD.lock().unwrap().clear();
    turn
}

/// Everything that is told to anybody: what is logged, shown and returned.
#[derive(Default)]
pub(crate) struct Told(pub(crate) String);

impl Told {
    pub(crate) fn shown(&mut self, what: &impl Debug) {
        self.0.push_str(&format!("{what:?}\n{what:#?}\n"));
    }

    /// A report of the first contact, for people and for machines.
    pub(crate) fn report(&mut self, report: &ConnectionReport) {
        self.shown(report);
        self.0.push_str(&format!("{report}\n{}\n", serde_json::to_string(report).unwrap()));
    }

    /// An error, with everything that it was caused by.
    pub(crate) fn error(&mut self, error: &impl std::error::Error) {
        self.shown(error);
        self.0.push_str(&format!("{error}\n"));
        let mut cause = error.source();
        while let Some(error) = cause {
            self.0.push_str(&format!("{error}\n{error:?}\n"));
            cause = error.source();
        }
    }

    pub(crate) fn result<T: Debug>(&mut self, result: &Result<T, Error>) {
        match result {
            Ok(value) => self.shown(value),
            Err(error) => self.error(error),
        }
    }

    /// Asserts that this is in nothing that was told, however it may be encoded, and that there was something to hear.
    #[track_caller]
    pub(crate) fn is_silent_about(&self, canary: &str) {
        let heard = heard();
        assert!(!heard.is_empty(), "nothing was heard");
        for form in forms(canary) {
            for (from, text) in [("logs", &heard), ("what is shown", &self.0)] {
                if let Some(at) = text.find(&form) {
                    let start = text.floor_char_boundary(at.saturating_sub(200));
                    panic!("{from}: …{}", &text[start..text.floor_char_boundary(at + 60)]);
                }
            }
        }
    }
}

/// A text as it is, and as it stands in a form, in base64, in UTF-16 and in a list of bytes.
pub(crate) fn forms(canary: &str) -> Vec<String> {
    let encoded = canary
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    // In base64 three bytes are four letters, so it depends on what stands before; the edges depend on the neighbours.
    let in_base64 = (0..3).map(|before| {
        let letters = BASE64.encode([&b"xxx"[..before], canary.as_bytes()].concat());
        letters[4..letters.len() - 4].to_owned()
    });
    let wide: Vec<_> = canary.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let list = |bytes: &[u8]| format!("{bytes:?}").trim_matches(['[', ']']).to_owned();
    let others = [encoded, list(canary.as_bytes()), list(&wide), String::from_utf8_lossy(&wide).into_owned()];
    // A few letters of base64 would be found anywhere.
    let in_base64 = in_base64.filter(|letters| letters.len() > 8);
    [canary.to_owned()].into_iter().chain(others).chain(in_base64).collect()
}

/// Everything that was logged and said by panics since a test listens.
pub(crate) fn heard() -> String {
    String::from_utf8_lossy(&HEARD.lock().unwrap()).into_owned()
}
