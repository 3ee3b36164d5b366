//! The pages, used the way people use them: a real server, a real Chromium, one window for each person.
//!
//! Needs `chromedriver` and `chromium`. Where they are missing the tests say so and do nothing, except on CI.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

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
