//! server

pub mod live;
pub mod shape;
