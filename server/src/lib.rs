//! Strongroom over HTTP: REST API, web pages and live events. Deliberately absent: SQL (`store`),
//! the rules of files (`vault`), authentication and authorization (`auth`).

mod accept;
pub mod answer;
pub mod api;
pub mod config;
mod counting;
pub mod door;
pub mod error;
pub mod extract;
mod forwarded;
mod hold;
mod host;
pub mod live;
mod mail;
pub mod master;
mod packed;
pub mod router;
pub mod routes;
pub mod serve;
pub mod shape;
pub mod state;
pub mod telemetry;
mod upstream;
pub mod web;
mod whole;
pub mod witness;

pub use config::{Config, ConfigError, ConfigSource};
pub use serve::{RunningServer, start};
