//! Visual tests: tabs, phone size and dark mode.

use serde_json::json;

use crate::{app::PASSWORD, browser_test::BrowserTest, vault::row_selector, window::Window};

impl Window {
    /// Sets the viewport size in CSS pixels.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        self.send_cdp("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    /// Sets the preferred color scheme: `light` or `dark`.
    pub(crate) async fn set_color_scheme(&self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.send_cdp("Emulation.setEmulatedMedia", json!({"features": features}))
            .await;
    }

    /// A command of the `DevTools` protocol.
    pub(crate) async fn send_cdp(&self, command: &str, params: serde_json::Value) {
        let answer = self
            .driver
            .send_command(
                &self.browser,
                "goog/cdp/execute",
                json!({"cmd": command, "params": params}),
            )
            .await;
        assert!(answer["error"].is_null(), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn current_page_is_marked_in_the_tabs() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    for (path, tab) in [
        ("/account", "Account"),
        ("/account/factors", "Sign-in methods"),
        ("/account/security", "Security"),
        ("/account/tokens", "Access tokens"),
        ("/admin/users", "Users and vaults"),
        ("/admin/users/ada", "Users and vaults"),
        ("/admin/groups", "Groups"),
        ("/admin/invites", "Invitations"),
        ("/admin/audit", "Activity"),
        ("/admin/throttle", "Sign-in blocks"),
    ] {
        ada.goto(path).await;
        ada.expect_text(".tabs a[aria-current=page]", tab).await;
        assert_eq!(
            ada.evaluate("document.querySelectorAll('.tabs [aria-current]').length")
                .await,
            1,
            "{path}"
        );
    }
    // On a phone the tab bar scrolls to the open tab.
    ada.resize(360, 740).await;
    ada.reload().await;
    let whole = "(({left, right}) => left >= 0 && right <= innerWidth)(document.querySelector('.tabs [aria-current]').getBoundingClientRect())";
    ada.wait_for_js(whole).await;
    ada.expect_no_console_errors().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_out_and_check_in_work_on_phone() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    stage
        .app
        .editor("ada")
        .await
        .add("gear.mcam", b"one")
        .await
        .expect_status(201);
    let ada = stage.new_window("ada").await;
    ada.resize(360, 740).await;
    ada.sign_in(PASSWORD).await;
    ada.check_out("gear.mcam").await;
    ada.check_in(
        "gear.mcam",
        stage.local_file("gear.mcam", b"two"),
        "From the shop floor",
    )
    .await;
    ada.expect_revision("gear.mcam", 2).await;
    ada.expect_text(&row_selector("gear.mcam"), "Available")
        .await;
    ada.expect_no_console_errors().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_the_preferred_color_scheme() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let brightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b) / 3";
    ada.set_color_scheme("light").await;
    assert!(ada.evaluate(brightness).await.as_f64().unwrap() > 200.0);
    ada.set_color_scheme("dark").await;
    assert!(ada.evaluate(brightness).await.as_f64().unwrap() < 60.0);
    let ink = brightness.replace("backgroundColor", "color");
    assert!(ada.evaluate(&ink).await.as_f64().unwrap() > 200.0);
}
