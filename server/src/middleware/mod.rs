//! Layers around every route: request ids, security headers, problem responses, buffered bodies.
//!
//! Deliberately absent: authorization, which is a handler's first argument (`door.rs`).

pub(crate) mod buffer_and_detach;
mod problem_body;
pub mod response;
