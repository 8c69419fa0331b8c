//! The harness itself: a server that dies fails the test that uses it, and a failed start gives its reason.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cdms_odata::metadata::Metadata;
use cdms_simulator::{Fault, FaultRule, Simulator};

use crate::scene::{Cdms, document};

#[test]
fn a_panic_of_the_server_becomes_a_panic_of_the_test() {
    for end in [drop as fn(Simulator), Simulator::stop, Simulator::wait] {
        let cdms = Cdms::start();
        cdms.simulator.fault(FaultRule::new(Fault::Panic));
        assert_eq!(cdms.raw("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "");
        let panic = catch_unwind(AssertUnwindSafe(|| end(cdms.simulator))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"a fault makes the simulator panic"));
    }
}

#[test]
fn a_test_that_fails_already_is_not_aborted_by_the_servers_panic() {
    let cdms = Cdms::start();
    cdms.simulator.fault(FaultRule::new(Fault::Panic));
    cdms.raw("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let panic = catch_unwind(AssertUnwindSafe(move || {
        let _simulator = cdms.simulator;
        panic!("the test's own failure");
    }));
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"the test's own failure"));
}

#[test]
fn a_healthy_server_ends_quietly() {
    let cdms = Cdms::start();
    cdms.simulator.stop();
    drop(Cdms::start());
}

#[test]
fn what_cannot_start_says_why() {
    let metadata = || Metadata::parse(&document()).unwrap();
    let without = Simulator::builder().start().unwrap_err();
    assert!(without.to_string().contains("$metadata"), "{without}");
    let open = Simulator::builder().metadata(metadata()).listen("0.0.0.0:0".parse().unwrap()).start().unwrap_err();
    assert!(open.to_string().contains("loopback"), "{open}");
    let first = Simulator::builder().metadata(metadata()).start().unwrap();
    let taken = first.root().trim_start_matches("http://").trim_end_matches("/ORG").parse().unwrap();
    let second = Simulator::builder().metadata(metadata()).listen(taken).start().unwrap_err();
    assert_eq!(second.kind(), std::io::ErrorKind::AddrInUse);
}

#[test]
fn simulators_do_not_share_anything() {
    let (first, second) = (Cdms::start(), Cdms::start());
    let id = first.simulator.seed("Account", [("Name", cdms_odata::Value::text("Acme"))]);
    assert_ne!(first.simulator.root(), second.simulator.root());
    assert_eq!(second.simulator.record("Account", id), None);
}
