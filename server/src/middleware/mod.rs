//! TODO: what lives here.

pub(crate) mod buffer_and_detach;
pub mod response;
