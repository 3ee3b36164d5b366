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

#[path = "api/app.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest")]
mod app;
#[path = "api/authenticator.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest")]
mod authenticator;
#[path = "browser/confirming.rs"]
mod confirming;
#[path = "browser/console.rs"]
mod console;
#[path = "browser/deleted.rs"]
mod deleted;
#[path = "browser/docs.rs"]
mod docs;
#[path = "browser/driver.rs"]
mod driver;
#[path = "browser/factors.rs"]
mod factors;
#[path = "browser/hostile.rs"]
mod hostile;
#[path = "browser/invited.rs"]
mod invited;
#[path = "browser/keyboard.rs"]
mod keyboard;
#[path = "browser/letting_in.rs"]
mod letting_in;
#[path = "browser/looks.rs"]
mod looks;
#[path = "browser/lost_phone.rs"]
mod lost_phone;
#[path = "api/mailbox.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest")]
mod mailbox;
#[path = "browser/news.rs"]
mod news;
#[path = "browser/passkeys.rs"]
mod passkeys;
#[path = "browser/people.rs"]
mod people;
#[path = "api/phone.rs"]
mod phone;
#[path = "api/provider.rs"]
mod provider;
#[path = "browser/screen_reader.rs"]
mod screen_reader;
#[path = "browser/screenshots.rs"]
mod screenshots;
#[path = "browser/stage.rs"]
mod stage;
#[path = "browser/storage.rs"]
mod storage;
#[path = "browser/story.rs"]
mod story;
#[path = "browser/uploads.rs"]
mod uploads;
#[path = "browser/vault.rs"]
mod vault;
#[path = "browser/window.rs"]
mod window;
#[path = "browser/workshop.rs"]
mod workshop;
