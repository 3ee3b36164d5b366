//! Confirming that it is still oneself.

pub mod confirm;
pub mod needs;
