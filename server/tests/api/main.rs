//! HTTP tests of a real server, on both databases.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic fails the test"
)]

mod account_search;
mod accounts;
mod addresses;
mod app;
mod attacks;
mod audit;
mod audit_coverage;
mod authorization_code;
mod concurrency;
mod conventions;
mod cryptography;
mod denied_requests;
mod device_codes;
mod docs;
mod downloads;
mod enumeration;
mod error_pages;
mod factors;
mod files;
mod groups;
mod headers;
mod hostile_text;
mod http_clients;
mod invitations;
mod limits;
mod live;
mod mailbox;
mod malformed_input;
mod master_key;
mod matrix;
mod mock_provider;
mod moved_files;
mod overrides;
mod page_account;
mod pagination;
mod passkey_device;
mod passkeys;
mod password_reset;
mod passwords;
mod pending_flows;
mod personal_tokens;
mod profile;
mod protocol;
mod refresh_rotation;
mod refused_uploads;
mod response;
mod restart;
mod search;
mod session_end;
mod sign_in_notices;
mod site_files;
mod slow_bodies;
mod staying_signed_in;
mod strict_client;
mod throttle;
mod tokens;
mod totp;
mod totp_device;
mod upgrade;
mod upstream;
