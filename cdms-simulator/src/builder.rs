//! Building a simulator: its schema, its clock, and the behaviour that differs between servers.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;

use cdms_odata::metadata::Metadata;

use crate::clock::SimulatorClock;
use crate::log::{LIMIT, Log};
use crate::simulator::Simulator;
use crate::state::{Expiry, Sessions, State};
use crate::world::{Switches, World};

/// Builds a [`Simulator`]. The defaults are what docs/protocol.md marks as sure or likely.
#[derive(Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct SimulatorBuilder {
    metadata: Option<Metadata>,
    clock: SimulatorClock,
    listen: SocketAddr,
    control: bool,
    switches: Switches,
    login: Option<(String, String, Expiry)>,
    log_limit: Option<usize>,
}

impl SimulatorBuilder {
    pub(crate) fn new() -> Self {
        SimulatorBuilder {
            metadata: None,
            clock: SimulatorClock::system(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            control: false,
            switches: Switches::new(),
            login: None,
            log_limit: Some(LIMIT),
        }
    }

    /// The organisation's schema.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// The clock. Default: the machine's.
    pub fn clock(mut self, clock: SimulatorClock) -> Self {
        self.clock = clock;
        self
    }

    /// Where to listen; a loopback address. Default: a free port of 127.0.0.1.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Serves `/_control/…`, so that programs in any language can steer the simulator. Default: not.
    pub fn control(mut self, control: bool) -> Self {
        self.control = control;
        self
    }

    /// The longest text of an attribute, which `$metadata` does not tell.
    pub fn max_length(mut self, entity: impl Into<String>, attribute: impl Into<String>, length: usize) -> Self {
        self.switches.rule_mut(entity.into(), attribute.into()).max_length = Some(length);
        self
    }

    /// The options of an option set, which `$metadata` does not tell.
    pub fn options(mut self, entity: impl Into<String>, attribute: impl Into<String>, options: &[i32]) -> Self {
        self.switches.rule_mut(entity.into(), attribute.into()).options = Some(options.to_vec());
        self
    }

    /// The statuses that go with a state, which `$metadata` does not tell; the entity then has no others. Of accounts,
    /// contacts and custom entities the usual ones are known without this.
    pub fn statuses(mut self, entity: impl Into<String>, state: i32, statuses: &[i32]) -> Self {
        self.switches.statuses.entry(entity.into()).or_default().push((state, statuses.to_vec()));
        self
    }

    /// Whether a bare null for a complex property clears it, or is ignored (uncertain). Default: it clears.
    pub fn bare_null_clears(mut self, clears: bool) -> Self {
        self.switches.bare_null_clears = clears;
        self
    }

    /// Whether a lookup must point to a record that is there. Default: not, so that scenes need no whole world.
    pub fn refuse_dangling_lookups(mut self, refuse: bool) -> Self {
        self.switches.refuse_dangling_lookups = refuse;
        self
    }

    /// Whether values for `CreatedOn`, `StateCode` and the like are an error. Default: they are ignored.
    pub fn refuse_read_only(mut self, refuse: bool) -> Self {
        self.switches.refuse_read_only = refuse;
        self
    }

    /// The size of a page, which an organisation can raise. Default: 50.
    pub fn page_size(mut self, size: usize) -> Self {
        self.switches.page_size = size.max(1);
        self
    }

    /// How many decimals a number or an amount of money is rounded to, halves away from zero (uncertain). Default: it is
    /// kept as it was sent.
    pub fn precision(mut self, entity: impl Into<String>, attribute: impl Into<String>, digits: u32) -> Self {
        self.switches.rule_mut(entity.into(), attribute.into()).precision = Some(digits);
        self
    }

    /// Whether money is refused of a record whose `TransactionCurrencyId` is empty (uncertain). Default: not.
    pub fn money_needs_currency(mut self, needs: bool) -> Self {
        self.switches.money_needs_currency = needs;
        self
    }

    /// Whether the server reckons the `*_Base` value of each amount by the record's `ExchangeRate` and ignores what
    /// clients send for it. Default: it is an attribute like any other.
    pub fn base_amounts(mut self, reckoned: bool) -> Self {
        self.switches.base_amounts = reckoned;
        self
    }

    /// Says that a lookup is parental: the records that have it are deleted with the one that it points to. Default:
    /// only the addresses of an account are.
    pub fn parental(mut self, entity: impl Into<String>, lookup: impl Into<String>) -> Self {
        self.switches.parental.push((entity.into(), lookup.into()));
        self
    }

    /// How many commits and how many requests are remembered; older ones are dropped, and
    /// [`Simulator::log_dropped`] and [`Simulator::requests_dropped`] tell how many were. `None`: all are kept, as a
    /// check of a long run needs them. Default: 100,000 of each.
    pub fn log_limit(mut self, entries: impl Into<Option<usize>>) -> Self {
        self.log_limit = entries.into();
        self
    }

    /// Asks for a login at `/login` with the form fields `user` and `password`; requests without its cookie are
    /// answered as `expiry` says. Default: no login.
    pub fn login(mut self, user: impl Into<String>, password: impl Into<String>, expiry: Expiry) -> Self {
        self.login = Some((user.into(), password.into(), expiry));
        self
    }

    /// Starts the server on a thread of its own and returns when it listens.
    ///
    /// # Errors
    ///
    /// No metadata was given, the address is not a loopback one, or it cannot be listened at.
    pub fn start(self) -> io::Result<Simulator> {
        let invalid = |reason: &str| io::Error::new(io::ErrorKind::InvalidInput, reason.to_owned());
        let metadata = self.metadata.ok_or_else(|| invalid("the simulator needs a $metadata document"))?;
        if !self.listen.ip().is_loopback() {
            return Err(invalid("the simulator listens on loopback addresses only; it protects nothing"));
        }
        let listener = std::net::TcpListener::bind(self.listen)?;
        listener.set_nonblocking(true)?;
        let state = State {
            world: Mutex::new(World::new(metadata, self.clock, self.switches, self.log_limit)),
            faults: Mutex::default(),
            requests: Mutex::new(Log::new(self.log_limit)),
            late: Mutex::default(),
            sessions: Mutex::new(Sessions { login: self.login, open: Vec::new() }),
            control: self.control,
            begun: std::time::Instant::now(),
            met: std::sync::atomic::AtomicU64::new(0),
        };
        Simulator::run(state, listener)
    }
}
