//! Builds a simulator: its schema, its clock, and the behaviour that differs between servers.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;

use cdms_odata::metadata::Metadata;

use crate::clock::SimulatorClock;
use crate::log::{LIMIT, Log};
use crate::login::{Account, AdFs, AdFsServer, FormServer, Login, Ntlm, NtlmServer, OAuthServer, TokenServer};
use crate::simulator::Simulator;
use crate::state::{Expiry, State};
use crate::world::{Declared, Switches, World, declare};

/// Builds a [`Simulator`]. The defaults follow what docs/protocol.md marks as sure or likely.
#[derive(Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct SimulatorBuilder {
    metadata: Option<Metadata>,
    clock: SimulatorClock,
    listen: SocketAddr,
    control: bool,
    switches: Switches,
    login: Login,
    adfs: Option<AdFsServer>,
    lock_after: Option<u64>,
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
            login: Login::None,
            adfs: None,
            lock_after: None,
            log_limit: Some(LIMIT),
        }
    }

    /// The organisation's schema.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// The clock. Default: the system clock.
    pub fn clock(mut self, clock: SimulatorClock) -> Self {
        self.clock = clock;
        self
    }

    /// The address to listen on, which must be a loopback address. Default: a free port of 127.0.0.1.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Serves `/_control/…`, so that programs in any language can control the simulator. Default: `false`.
    pub fn control(mut self, control: bool) -> Self {
        self.control = control;
        self
    }

    /// The maximum length of a text attribute, which `$metadata` does not state.
    pub fn max_length(mut self, entity: impl Into<String>, attribute: impl Into<String>, length: usize) -> Self {
        self.switches.rule_mut(entity.into(), attribute.into()).max_length = Some(length);
        self
    }

    /// The options of an option set, which `$metadata` does not state.
    pub fn options(mut self, entity: impl Into<String>, attribute: impl Into<String>, options: &[i32]) -> Self {
        self.switches.rule_mut(entity.into(), attribute.into()).options = Some(options.to_vec());
        self
    }

    /// The statuses that belong to a state, which `$metadata` does not state; the entity then has no others. The usual
    /// statuses of accounts, contacts and custom entities are built in.
    pub fn statuses(mut self, entity: impl Into<String>, state: i32, statuses: &[i32]) -> Self {
        self.switches.statuses.entry(entity.into()).or_default().push((state, statuses.to_vec()));
        self
    }

    /// Whether a bare null clears a complex property or is ignored (uncertain). Default: it clears the property.
    pub fn bare_null_clears(mut self, clears: bool) -> Self {
        self.switches.bare_null_clears = clears;
        self
    }

    /// Whether a lookup must refer to an existing record. Default: `false`, so that scenes can be incomplete.
    pub fn refuse_dangling_lookups(mut self, refuse: bool) -> Self {
        self.switches.refuse_dangling_lookups = refuse;
        self
    }

    /// Whether values for `CreatedOn`, `StateCode` and similar attributes are refused. Default: they are ignored.
    pub fn refuse_read_only(mut self, refuse: bool) -> Self {
        self.switches.refuse_read_only = refuse;
        self
    }

    /// The number of records in a page, which an organisation can raise. Default: 50.
    pub fn page_size(mut self, size: usize) -> Self {
        self.switches.page_size = size.max(1);
        self
    }

    /// Whether accents count when text is compared. Default: `false`, as in the collation that CRM installs by default.
    pub fn accents_count(mut self, count: bool) -> Self {
        self.switches.comparing.collation.accents = count;
        self
    }

    /// Whether `%`, `_` and `[…]` in the text of `substringof`, `startswith` and `endswith` stand for other text, as in SQL's
    /// `LIKE` (uncertain). Default: they are text like any other.
    pub fn like_has_wildcards(mut self, has: bool) -> Self {
        self.switches.comparing.collation.wildcards = has;
        self
    }

    /// Whether `ne`, and `not` before a function, find records without a value (likely). Default: `true`; with `false`, null
    /// satisfies no comparison with a value, as in plain SQL.
    pub fn null_differs(mut self, differs: bool) -> Self {
        self.switches.comparing.null_differs = differs;
        self
    }

    /// Whether a condition on related records finds records without one, whose values then are null (uncertain). Default:
    /// `false`.
    pub fn unrelated_is_null(mut self, is_null: bool) -> Self {
        self.switches.unrelated_is_null = is_null;
        self
    }

    /// Whether `$skip` beyond the last record is an error. Default: `false`, an empty list. Real servers give both.
    pub fn refuse_skip_beyond_end(mut self, refuse: bool) -> Self {
        self.switches.refuse_skip_beyond_end = refuse;
        self
    }

    /// Declares a relation: records of `child` refer to records of `parent` by `lookup`. If `$metadata` lacks it, it gets a
    /// navigation property of this name at both ends; if an entity refers to itself, `Referencing` and `Referenced` are put
    /// before the name. `$metadata` never names a relation's lookup; without this, the one whose name is contained in the
    /// relation's name is followed.
    pub fn relation(
        mut self,
        name: impl Into<String>,
        child: impl Into<String>,
        lookup: impl Into<String>,
        parent: impl Into<String>,
    ) -> Self {
        let (name, child, lookup, parent) = (name.into(), child.into(), lookup.into(), parent.into());
        self.switches.relations.push(Declared { name, child, lookup, parent });
        self
    }

    /// The number of decimal places that a number or an amount of money is rounded to, half away from zero (uncertain).
    /// Default: it is kept as sent.
    pub fn precision(mut self, entity: impl Into<String>, attribute: impl Into<String>, digits: u32) -> Self {
        self.switches.rule_mut(entity.into(), attribute.into()).precision = Some(digits);
        self
    }

    /// Whether money is refused for a record whose `TransactionCurrencyId` is empty (uncertain). Default: `false`.
    pub fn money_needs_currency(mut self, needs: bool) -> Self {
        self.switches.money_needs_currency = needs;
        self
    }

    /// Whether the server computes the `*_Base` value of each amount from the record's `ExchangeRate` and ignores what
    /// clients send for it. Default: it is an attribute like any other.
    pub fn base_amounts(mut self, reckoned: bool) -> Self {
        self.switches.base_amounts = reckoned;
        self
    }

    /// Makes a lookup parental: its records are deleted together with the record that it refers to. Default: only the
    /// addresses of an account are.
    pub fn parental(mut self, entity: impl Into<String>, lookup: impl Into<String>) -> Self {
        self.switches.parental.push((entity.into(), lookup.into()));
        self
    }

    /// The number of commits, and of requests, to keep. Older ones are dropped, and counted by
    /// [`Simulator::log_dropped`] and [`Simulator::requests_dropped`]. `None` keeps all, for checks of long runs.
    /// Default: 100,000 of each.
    pub fn log_limit(mut self, entries: impl Into<Option<usize>>) -> Self {
        self.log_limit = entries.into();
        self
    }

    /// Has the SOAP service answer `RetrieveEntity` about the entity of this logical name with a recorded reply. Default: the
    /// organisation has no SOAP service.
    pub fn soap_reply(mut self, logical_name: impl Into<String>, reply: impl Into<String>) -> Self {
        self.switches.soap.push((logical_name.into(), reply.into()));
        self
    }

    /// Requires a login at `/login` with the form fields `user` and `password`; requests without its cookie are
    /// answered according to `expiry`. Default: no login.
    pub fn login(mut self, user: impl Into<String>, password: impl Into<String>, expiry: Expiry) -> Self {
        self.login = Login::Form(Mutex::new(FormServer::new(Account::new(user, password), expiry)));
        self
    }

    /// Requires a login by NTLM on each connection. Default: no login.
    pub fn ntlm(mut self, server: NtlmServer) -> Self {
        self.login = Login::Ntlm(Mutex::new(Ntlm::new(server)));
        self
    }

    /// Requires a login by AD FS, whose token services get servers of their own ([`Simulator::token_services`]). Default: no
    /// login.
    pub fn adfs(mut self, server: AdFsServer) -> Self {
        self.adfs = Some(server);
        self
    }

    /// Requires tokens of this endpoint: [`Simulator::token_url`] is its address. Replaces [`login`](SimulatorBuilder::login).
    pub fn oauth(mut self, server: OAuthServer) -> Self {
        self.login = Login::OAuth(Mutex::new(TokenServer::new(server)));
        self
    }

    /// Locks the account that logs in after so many wrong passwords in a row ([`Simulator::is_locked`]). Default: never.
    pub fn lock_after(mut self, failures: u64) -> Self {
        self.lock_after = Some(failures);
        self
    }

    /// Starts the server on its own thread and returns once it listens.
    ///
    /// # Errors
    ///
    /// Fails if there is no metadata, if a relation is not between its entities, if the address is not a loopback address, or
    /// if the server cannot listen on it.
    pub fn start(self) -> io::Result<Simulator> {
        let invalid = |reason: &str| io::Error::new(io::ErrorKind::InvalidInput, reason.to_owned());
        let mut metadata = self.metadata.ok_or_else(|| invalid("the simulator needs a $metadata document"))?;
        for declared in &self.switches.relations {
            declare(&mut metadata, declared).map_err(|reason| invalid(&reason))?;
        }
        if !self.listen.ip().is_loopback() {
            return Err(invalid("the simulator must listen on a loopback address, because it has no access control"));
        }
        let listener = std::net::TcpListener::bind(self.listen)?;
        listener.set_nonblocking(true)?;
        let login = match self.adfs {
            Some(server) => Login::AdFs(Box::new(Mutex::new(AdFs::start(server)?))),
            None => self.login,
        };
        login.with_account(|account| account.lock_after = self.lock_after);
        let state = State {
            world: Mutex::new(World::new(metadata, self.clock, self.switches, self.log_limit)),
            faults: Mutex::default(),
            requests: Mutex::new(Log::new(self.log_limit)),
            late: Mutex::default(),
            login,
            control: self.control,
            begun: std::time::Instant::now(),
            met: std::sync::atomic::AtomicU64::new(0),
        };
        Simulator::run(state, listener)
    }
}
