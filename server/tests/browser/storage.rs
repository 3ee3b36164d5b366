//! Browser storage: cookies and nothing else (OWASP ASVS 5.0, 14.3.3).

use serde_json::json;

use crate::{browser_test::BrowserTest, window::Window};

impl Window {
    /// Checks every kind of storage that a page can use.
    async fn expect_empty_storage(&self, at: &str) {
        self.run_script(
            "window.kept = undefined; \
             Promise.all([indexedDB.databases(), caches.keys(), navigator.serviceWorker.getRegistrations()])\
             .then((of) => { window.kept = [Object.keys(localStorage), Object.keys(sessionStorage), \
             of[0].map((it) => it.name), of[1], of[2].map((it) => it.scope)] })",
        )
        .await;
        self.wait_for_js("window.kept").await;
        assert_eq!(
            self.evaluate("window.kept").await,
            json!([[], [], [], [], []]),
            "{at}"
        );
        // The session cookie is HttpOnly.
        assert_eq!(self.evaluate("document.cookie").await, "", "{at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_leave_nothing_in_browser_storage() {
    let Some(stage) = BrowserTest::at_localhost().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    ada.expect_empty_storage("after signing in").await;
    // Before enrollment, because programs can sign in with the password alone.
    stage
        .app
        .sign_in("ada")
        .await
        .add("vise.nc", b"G0 X0")
        .await
        .expect_status(201);
    let phone = ada.add_virtual_authenticator().await;
    ada.register_passkey("My phone").await;
    ada.click("#codes-dialog [data-submit]").await;
    ada.expect_visible("[data-kind=passkey]").await;
    ada.expect_empty_storage("after adding a passkey").await;
    for page in [
        "/v/main",
        "/v/main/h/vise.nc",
        "/account",
        "/account/security",
        "/account/tokens",
        "/account/factors",
        "/device",
        "/admin/users",
        "/admin/users/ada",
        "/admin/groups",
        "/admin/invites",
        "/admin/audit",
        "/admin/throttle",
        "/docs",
    ] {
        ada.goto(page).await;
        ada.expect_visible("body").await;
        ada.expect_empty_storage(page).await;
    }
    ada.goto("/").await;
    // Otherwise passkey autofill would sign her in again.
    phone.remove().await;
    ada.sign_out().await;
    for page in [
        "/sign-in",
        "/sign-up",
        "/forgot",
        "/reset#sr_rs_x",
        "/join#sr_iv_x",
    ] {
        ada.goto(page).await;
        ada.expect_visible("body").await;
        ada.expect_empty_storage(page).await;
    }
}
