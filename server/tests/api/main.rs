//! Promises kept through HTTP, on a real server and both databases.

mod accounts;
mod app;
mod attacks;
mod docs;
mod files;
mod live;
mod matrix;
mod names;
mod races;
mod restart;
mod tokens;
