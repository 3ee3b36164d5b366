//! Browser tests: a real server, a real Chromium, and one window for each user.
//!
//! They need `chromedriver` and `chromium`. Without them the tests print a message and pass, except
//! on CI.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic fails the test"
)]
#![expect(clippy::print_stderr, reason = "a skipped test prints a message")]

#[path = "browser/accessibility.rs"]
mod accessibility;
#[path = "api/app.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest")]
mod app;
#[path = "browser/axe.rs"]
mod axe;
#[path = "browser/browser_test.rs"]
mod browser_test;
#[path = "browser/consent.rs"]
mod consent;
#[path = "browser/console.rs"]
mod console;
#[path = "browser/deleted_files.rs"]
mod deleted_files;
#[path = "browser/docs.rs"]
mod docs;
#[path = "browser/driver.rs"]
mod driver;
#[path = "browser/factor_reset.rs"]
mod factor_reset;
#[path = "browser/factors.rs"]
mod factors;
#[path = "browser/fixtures.rs"]
mod fixtures;
#[path = "browser/hostile.rs"]
mod hostile;
#[path = "browser/invitations.rs"]
mod invitations;
#[path = "browser/keyboard.rs"]
mod keyboard;
#[path = "browser/layout.rs"]
mod layout;
#[path = "browser/live_updates.rs"]
mod live_updates;
#[path = "api/mailbox.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest")]
mod mailbox;
#[path = "api/mock_provider.rs"]
mod mock_provider;
#[path = "browser/passkeys.rs"]
mod passkeys;
#[path = "browser/people.rs"]
mod people;
#[path = "api/response.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest")]
mod response;
#[path = "browser/screenshots.rs"]
mod screenshots;
#[path = "browser/search.rs"]
mod search;
#[path = "browser/step_up.rs"]
mod step_up;
#[path = "browser/storage.rs"]
mod storage;
#[path = "browser/team.rs"]
mod team;
#[path = "api/totp.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest")]
mod totp;
#[path = "api/totp_device.rs"]
mod totp_device;
#[path = "browser/uploads.rs"]
mod uploads;
#[path = "browser/vault.rs"]
mod vault;
#[path = "browser/visual.rs"]
mod visual;
#[path = "browser/walkthrough.rs"]
mod walkthrough;
#[path = "browser/window.rs"]
mod window;
