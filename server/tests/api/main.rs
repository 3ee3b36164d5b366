//! Promises kept through HTTP, on a real server and both databases.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod app;
mod attacks;
mod audit;
mod authenticator;
mod authorize;
mod device;
mod device_codes;
mod docs;
mod ending;
mod enumeration;
mod factors;
mod families;
mod files;
mod groups;
mod headers;
mod invites;
mod live;
mod mailbox;
mod matrix;
mod names;
mod passkeys;
mod passwords;
mod people;
mod personal;
mod profile;
mod proof;
mod races;
mod refusals;
mod resets;
mod restart;
mod throttle;
mod tokens;
mod upstream;
