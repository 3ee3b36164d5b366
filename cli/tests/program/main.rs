//! Tests of the `strongroom` program: the real binary, started in temporary folders.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod audit;
mod breach;
mod crash;
mod database_dump;
mod descriptors;
mod disk_full;
mod help;
mod hostile_server;
mod import;
mod keys;
mod master_key;
#[path = "../../../server/tests/api/mock_provider.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest")]
mod mock_provider;
mod owners;
#[path = "../../../server/tests/api/passkey_device.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest")]
mod passkey_device;
mod read_only;
mod readme;
mod remote;
mod secrets_in_logs;
mod settings;
mod shutdown;
mod test_program;
#[path = "../../../server/tests/api/totp_device.rs"]
mod totp_device;
mod users;
mod verify;
