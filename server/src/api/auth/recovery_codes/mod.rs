//! TODO: what lives here.

pub mod create;
