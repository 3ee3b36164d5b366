//! Promises of the `strongroom` program: the real binary, started in folders of its own.

mod crash;
mod help;
mod import;
mod program;
mod settings;
mod stopping;
mod users;
mod verify;
