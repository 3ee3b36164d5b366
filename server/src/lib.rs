//! server
pub mod web;
