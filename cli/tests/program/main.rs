//! Promises of the `strongroom` program: the real binary, started in folders of its own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod audit;
mod breach;
mod crash;
mod dump;
mod help;
mod import;
mod keys;
mod program;
mod readme;
mod remote;
mod secrets;
mod settings;
mod stopping;
mod users;
mod verify;
