//! Tests of the `strongroom` program: the real binary, started in temporary folders.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod audit;
mod breach;
mod crash;
#[path = "../../../server/tests/api/device.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest")]
mod device;
mod dump;
mod help;
mod hostile;
mod import;
mod keys;
mod master;
#[path = "../../../server/tests/api/phone.rs"]
mod phone;
mod program;
#[path = "../../../server/tests/api/provider.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest")]
mod provider;
mod readme;
mod remote;
mod secrets;
mod settings;
mod stopping;
mod users;
mod verify;
