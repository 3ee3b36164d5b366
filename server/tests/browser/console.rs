//! Browser console messages: blocked scripts and styles, errors, failed requests.

use serde_json::json;

use crate::window::Window;

impl Window {
    /// The console has no message since the window was opened or since the last check.
    pub(crate) async fn expect_no_console_errors(&self) {
        self.expect_only_console_errors(&[]).await;
    }

    /// Every console message contains one of these words. Chromium logs each response of 400 and
    /// above, so a test that expects such a response lists it here.
    pub(crate) async fn expect_only_console_errors(&self, expected: &[&str]) {
        let log = self
            .driver
            .send_command(&self.browser, "se/log", json!({"type": "browser"}))
            .await;
        let entries = log.as_array().unwrap_or_else(|| panic!("no log: {log}"));
        let bad: Vec<_> = entries
            .iter()
            .filter(|entry| ["SEVERE", "WARNING"].contains(&entry["level"].as_str().unwrap()))
            .filter_map(|entry| entry["message"].as_str())
            .filter(|message| !expected.iter().any(|word| message.contains(word)))
            .collect();
        assert!(
            bad.is_empty(),
            "{}'s browser complains: {bad:#?}",
            self.name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blocked_inline_script_is_logged_by_the_browser() {
    let Some(stage) = crate::browser_test::BrowserTest::start().await else {
        return;
    };
    let ada = stage.new_window("ada").await;
    ada.goto("/sign-in").await;
    ada.expect_no_console_errors().await;
    ada.run_script("const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s);")
        .await;
    assert!(
        ada.evaluate("window.ran").await.is_null(),
        "an inline script ran"
    );
    let log = stage
        .driver
        .send_command(&ada.browser, "se/log", json!({"type": "browser"}))
        .await;
    assert!(log.to_string().contains("Content Security Policy"), "{log}");
}
