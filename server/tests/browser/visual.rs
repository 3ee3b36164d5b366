//! Visual tests: phone size and dark mode.

use serde_json::json;

use crate::{app::PASSWORD, browser_test::BrowserTest, vault::row_selector, window::Window};

const LONG_NAME: &str = "fixtures/a-very-long-name-without-any-place-to-break-it-in-the-middle-of-the-night-0123456789.step";

const LONG_USERNAME: &str = "a.colleague.with.a.long.name@example.org";

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

    async fn expect_no_horizontal_overflow(&self) {
        let over = "[...document.querySelectorAll('body *')].filter((it) => it.checkVisibility() && !it.closest('.sr, \
                    .sprite') && it.getBoundingClientRect().right > innerWidth + 1).map((it) => it.outerHTML.slice(0, 120))";
        let wide = self
            .evaluate("document.scrollingElement.scrollWidth > innerWidth")
            .await;
        assert_eq!(
            wide,
            false,
            "{} is wider than the screen: {}",
            self.evaluate("location.pathname").await,
            self.evaluate(over).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, step by step")]
async fn pages_fit_a_phone_screen() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    let program = stage.app.editor(LONG_USERNAME).await;
    program.add(LONG_NAME, &[7; 4321]).await.expect_status(201);
    program
        .post(
            &crate::app::file_url(LONG_NAME, "/checkout"),
            json!({"note": "until the mill is free again, on Thursday"}),
        )
        .await
        .expect_status(200);
    ada.resize(360, 740).await;
    let pages = [
        "/v/main",
        "/v/main/f/fixtures",
        &format!("/v/main/h/{LONG_NAME}"),
        "/nothing",
        "/device",
    ];
    let of_the_account = [
        "/account",
        "/account/factors",
        "/account/security",
        "/account/tokens",
    ];
    let person = format!("/admin/users/{LONG_USERNAME}");
    let of_administrators = [
        "/admin/users",
        &person,
        "/admin/groups",
        "/admin/invites",
        "/admin/audit",
        "/admin/throttle",
    ];
    for path in pages
        .into_iter()
        .chain(of_the_account)
        .chain(of_administrators)
    {
        ada.goto(path).await;
        ada.expect_visible("main h1").await;
        ada.expect_no_horizontal_overflow().await;
    }
    ada.goto("/v/main/f/fixtures").await;
    ada.wait_until_live().await;
    ada.click_file_action(LONG_NAME, "override").await;
    ada.expect_no_horizontal_overflow().await;
    ada.expect_visible("#override-dialog [data-submit]").await;
    ada.click("#override-dialog [data-close]").await;
    ada.click("#user-menu summary").await;
    ada.expect_no_horizontal_overflow().await;
    ada.click("#sign-out").await;
    for path in [
        "/sign-in",
        "/sign-up",
        "/forgot",
        "/join",
        "/reset",
        "/confirm-email",
    ] {
        ada.goto(path).await;
        ada.expect_visible("main h1").await;
        ada.expect_no_horizontal_overflow().await;
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
