//! HTTP tests of a real server, on both databases.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic fails the test"
)]

mod accounts;
mod app;
mod attacks;
mod audit;
mod authenticator;
mod authorize;
mod conventions;
mod cryptography;
mod deeds;
mod device;
mod device_codes;
mod docs;
mod ending;
mod enumeration;
mod factors;
mod families;
mod files;
mod garbage;
mod groups;
mod headers;
mod held_back;
mod invites;
mod left_behind;
mod limits;
mod live;
mod mailbox;
mod master;
mod matrix;
mod names;
mod pages;
mod passkeys;
mod passwords;
mod people;
mod personal;
mod phone;
mod profile;
mod proof;
mod protocol;
mod provider;
mod races;
mod refusals;
mod resets;
mod restart;
mod strict_client;
mod texts;
mod throttle;
mod tokens;
mod unusual;
mod upgrade;
mod upstream;
mod upstream_attacks;
