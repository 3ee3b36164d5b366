//! Live events: `GET /ws` and `GET /api/events` (the wire contract §3). One stream carries one vault.
//!
//! A follower per vault reads the event log and keeps the newest messages, each encoded once. A stream is a place in
//! that log: it takes what is newer, from memory or from the store, so nothing can be missed or come twice, and a slow
//! client holds up nobody but itself.
//!
//! Deliberately absent: who may open a stream. That is the door's; what is here asks again whether they still may.

mod follower;
mod guard;
mod hub;
mod message;
mod origin;
mod ring;
mod socket;
mod source;
mod sse;
mod subscription;
#[cfg(test)]
mod testing;

pub use guard::{Verdict, Viewer, Watcher};
pub use hub::Hub;
pub use origin::{refuse_foreign_socket, refuse_foreign_stream};
pub use socket::ws;
pub use source::{EventSource, VaultEvents};
pub use sse::events;
