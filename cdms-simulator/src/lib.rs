//! A faithful Dynamics CRM 2011 REST server to develop and test against, with faults on demand.
//!
//! It is a server, not a mock: any HTTP client in any language can use it, over real sockets. It accepts any
//! `$metadata` document, so it can stand in for any organisation's CDMS. Where the real server's behaviour is
//! uncertain, a switch selects it; see [`SimulatorBuilder`].
//!
//! **Invariant: this crate contains nothing of the hub.** Its JSON, addresses and error texts are its own, so that
//! client and server cannot make the same mistake.

mod builder;
mod clock;
mod control;
mod fault;
mod http;
mod json;
mod log;
mod login;
mod offline;
mod refusal;
mod simulator;
mod state;
mod world;

pub use builder::SimulatorBuilder;
pub use clock::SimulatorClock;
pub use fault::{Fault, FaultRule, Gate, Operation, Stage};
pub use log::{CommitEntry, CommitKind};
pub use login::{
    AdFsServer, AdFsTrouble, AdFsVersion, ChannelBinding, NtlmCounts, NtlmServer, OAuthServer, TokenAnswer,
};
pub use offline::{ntlm_accepts, pages};
pub use simulator::Simulator;
pub use state::{Expiry, RequestEntry};
