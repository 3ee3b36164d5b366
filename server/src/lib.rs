//! Strongroom over HTTP: REST API, web pages and live events. Deliberately absent: SQL (`store`),
//! the rules of files (`vault`), authentication and authorization (`auth`).

pub mod api;
pub mod audit_checkpoint;
mod client_ip;
pub mod config;
mod connection;
mod data_folder;
mod descriptors;
pub mod door;
pub mod error;
pub mod extract;
mod host;
pub mod installation;
mod instance_lock;
pub mod live;
mod mail;
pub mod master_key;
mod metrics_tasks;
pub mod middleware;
pub mod open_streams;
pub mod operations;
mod override_mails;
pub mod problem_type;
mod readiness;
pub mod router;
pub mod routes;
pub mod serve;
pub mod site;
pub mod state;
mod static_content;
pub mod telemetry;
pub mod to_wire;
mod upstream_http;
mod url_host;
pub mod web;

pub use config::{Config, ConfigError, ConfigSource};
pub use serve::{RunningServer, start};
