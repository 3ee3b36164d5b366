//! Live events: `GET /ws` and `GET /api/events` (docs/api.md), and downloads under way. One stream
//! has one vault.
//!
//! A follower per vault reads the event log and keeps the newest messages, each encoded once. A
//! stream is a position in that log and takes newer events, from memory or from the store. It
//! therefore misses and repeats no event, and a slow client delays only itself.
//!
//! Deliberately absent: the authorization to open a stream, which is the door's. This module checks
//! again while the stream is open.

mod content;
mod follower;
mod hub;
mod message;
mod origin;
mod replay_buffer;
mod session_watch;
mod socket;
mod source;
mod sse;
mod subscription;
#[cfg(test)]
mod testing;

pub use content::authorized_content;
pub use hub::Hub;
pub use origin::{check_socket_origin, check_stream_origin};
pub use session_watch::{StreamAccess, StreamAuthorizer, VaultViewer};
pub use socket::ws;
pub use source::{EventSource, VaultEvents};
pub use sse::events;
