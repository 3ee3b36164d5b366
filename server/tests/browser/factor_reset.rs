//! A user enrolls a passkey and an authenticator app, loses the phone that holds both, recovers the
//! account, and reads all of it on the security page.

use crate::{app::PASSWORD, browser_test::BrowserTest, totp::TotpDevice, window::Window};

impl Window {
    async fn element_text(&self, css: &str) -> String {
        self.expect_visible(css).await;
        let text = self
            .evaluate(&format!(
                "document.querySelector({}).innerText",
                serde_json::json!(css)
            ))
            .await;
        text.as_str().unwrap().to_owned()
    }

    /// The number of entries with this action on the security page.
    async fn audit_count(&self, action: &str) -> u64 {
        let count =
            format!("document.querySelectorAll('#activity [data-action=\"{action}\"]').length");
        self.evaluate(&count).await.as_u64().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, step by step")]
async fn lost_phone_recovery_is_shown_in_activity() {
    let Some(stage) = BrowserTest::at_localhost().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    // Both factors are on one phone; the recovery codes are stored elsewhere.
    let phone = ada.add_virtual_authenticator().await;
    ada.register_passkey("My phone").await;
    let code = ada.element_text("#codes-list li:nth-child(3)").await;
    ada.click("#codes-dialog [data-submit]").await;
    ada.expect_visible("[data-kind=passkey]").await;
    ada.click("#app-begin").await;
    ada.click("#app-dialog details summary").await;
    let app = TotpDevice::from_base32(&ada.element_text("#app-secret").await.replace(' ', ""));
    ada.fill("#app-form [name=code]", &app.shows(&stage.app, 0))
        .await;
    ada.click("#app-form [data-submit]").await;
    ada.expect_visible("#app-remove").await;
    ada.goto("/").await;
    ada.wait_until_live().await;
    phone.set_user_verified(false.into()).await;
    ada.sign_out().await;
    phone.remove().await;
    // Without the phone, the password is not enough and a guessed code fails.
    ada.fill("#username", "ada").await;
    ada.fill("#password", PASSWORD).await;
    ada.click("#sign-in button.primary").await;
    ada.expect_path("/sign-in/second").await;
    ada.goto("/v/main").await;
    ada.expect_path("/sign-in").await;
    ada.goto("/sign-in/second").await;
    ada.fill("#otp", "000000").await;
    ada.click("#second-app button.primary").await;
    ada.expect_visible("#message").await;
    // A recovery code.
    ada.click("#second-recovery summary").await;
    ada.fill("#recovery", &code.to_lowercase()).await;
    ada.click("#second-recovery button.primary").await;
    ada.expect_path("/").await;
    // The new phone replaces the old one.
    let _new_phone = ada.add_virtual_authenticator().await;
    ada.goto("/account/factors").await;
    ada.expect_text("#codes-left", "9 left").await;
    ada.click("[data-kind=passkey] [data-action=remove-factor]")
        .await;
    ada.click("#remove-dialog [data-submit]").await;
    ada.expect_hidden("[data-kind=passkey]").await;
    ada.register_passkey("New phone").await;
    ada.expect_text("[data-kind=passkey]", "New phone").await;
    ada.click("#app-remove").await;
    ada.click("#remove-dialog [data-submit]").await;
    ada.expect_visible("#app-begin").await;
    // The security page lists all of it.
    ada.goto("/account/security").await;
    ada.expect_visible("#activity").await;
    for (action, least) in [
        ("factor.added", 3),
        ("factor.removed", 2),
        ("recovery_code.used", 1),
        ("sign_in.refused", 1),
        ("sign_in", 2),
    ] {
        assert!(
            ada.audit_count(action).await >= least,
            "{action}: {}",
            ada.element_text("#activity").await
        );
    }
    ada.expect_only_console_errors(&["status of 401", "status of 403"])
        .await;
}
