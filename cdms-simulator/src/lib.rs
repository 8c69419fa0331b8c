//! A faithful Dynamics CRM 2011 REST server, to develop and test against, with faults to order.
//!
//! It is a server, not a mock: any HTTP client in any language can use it, over real sockets. It takes any `$metadata`
//! document and so stands in for any organisation's CDMS. Where the real server's behaviour is not sure, a switch
//! chooses; see [`SimulatorBuilder`].
//!
//! **Invariant: nothing of the hub is in here.** JSON, addresses and error texts are its own, so that client and server
//! cannot agree on a mistake.

mod builder;
mod clock;
mod control;
mod fault;
mod http;
mod json;
mod log;
mod refusal;
mod simulator;
mod state;
mod world;

pub use builder::SimulatorBuilder;
pub use clock::SimulatorClock;
pub use fault::{Fault, FaultRule, Gate, Operation, Stage};
pub use log::{CommitEntry, CommitKind};
pub use simulator::Simulator;
pub use state::{Expiry, RequestEntry};
