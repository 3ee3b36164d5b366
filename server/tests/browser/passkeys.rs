//! Passkeys with Chromium's virtual authenticator (`WebAuthn` §11), which is independent of this
//! project.

use serde_json::{Value, json};

use crate::{app::PASSWORD, browser_test::BrowserTest, window::Window};

impl Window {
    /// Adds a virtual authenticator that stores passkeys and verifies its user.
    pub(crate) async fn add_virtual_authenticator(&self) -> VirtualAuthenticator<'_> {
        let kind = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
            "isUserVerified": true, "isUserConsenting": true,
        });
        let id = self
            .driver
            .send_command(&self.browser, "webauthn/authenticator", kind)
            .await;
        VirtualAuthenticator {
            window: self,
            id: id.as_str().expect("an authenticator").to_owned(),
        }
    }

    /// Adds a passkey, from the account page to the recovery codes of a first factor.
    pub(crate) async fn register_passkey(&self, name: &str) {
        self.goto("/account/factors").await;
        self.click("#passkey-add").await;
        self.fill("#passkey-form [name=name]", name).await;
        self.click("#passkey-form [data-submit]").await;
    }

    pub(crate) async fn sign_out(&self) {
        self.click("#user-menu summary").await;
        self.click("#sign-out").await;
        self.expect_path("/sign-in").await;
    }
}

pub(crate) struct VirtualAuthenticator<'a> {
    window: &'a Window,
    id: String,
}

impl VirtualAuthenticator<'_> {
    /// Sets whether user verification succeeds from now on.
    pub(crate) async fn set_user_verified(&self, known: Value) {
        let command = format!("webauthn/authenticator/{}/uv", self.id);
        self.window
            .driver
            .send_command(
                &self.window.browser,
                &command,
                json!({"isUserVerified": known}),
            )
            .await;
    }

    /// Removes the authenticator.
    pub(crate) async fn remove(self) {
        let path = format!("webauthn/authenticator/{}", self.id);
        self.window
            .driver
            .delete_resource(&self.window.browser, &path)
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_is_added_signs_in_and_is_removed() {
    let Some(stage) = BrowserTest::at_localhost().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let device = ada.add_virtual_authenticator().await;
    ada.register_passkey("My phone").await;
    ada.expect_visible("#codes-list li").await;
    assert_eq!(
        ada.evaluate("document.querySelectorAll('#codes-list li').length")
            .await,
        10
    );
    ada.click("#codes-dialog [data-submit]").await;
    ada.expect_text("[data-kind=passkey]", "My phone").await;
    ada.expect_text("[data-kind=passkey]", "never used").await;
    // An authenticator cannot be registered twice.
    ada.register_passkey("My phone again").await;
    ada.expect_text("#passkey-form [data-error]", "already has a passkey")
        .await;
    ada.goto("/").await;
    // The browser offers no passkey while user verification fails.
    device.set_user_verified(json!(false)).await;
    ada.sign_out().await;
    ada.click("#passkey-button").await;
    ada.expect_visible("#passkey [data-error]").await;
    device.set_user_verified(json!(true)).await;
    ada.click("#passkey-button").await;
    ada.expect_path("/").await;
    ada.wait_until_live().await;
    ada.goto("/account/factors").await;
    ada.expect_text("[data-kind=passkey]", "last used").await;
    ada.click("[data-kind=passkey] [data-action=rename-factor]")
        .await;
    ada.fill("#rename-dialog [name=name]", "Old phone").await;
    ada.click("#rename-dialog [data-submit]").await;
    ada.expect_text("[data-kind=passkey] [data-slot=name]", "Old phone")
        .await;
    ada.click("[data-kind=passkey] [data-action=remove-factor]")
        .await;
    ada.click("#remove-dialog [data-submit]").await;
    ada.expect_hidden("[data-kind=passkey]").await;
    ada.goto("/").await;
    ada.sign_out().await;
    ada.click("#passkey-button").await;
    ada.expect_text("#passkey [data-error]", "This passkey was not accepted.")
        .await;
    ada.fill("#username", "ada").await;
    ada.fill("#password", PASSWORD).await;
    ada.click("#sign-in button.primary").await;
    ada.expect_path("/").await;
    ada.expect_only_console_errors(&["status of 401"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_completes_mfa_in_the_browser() {
    let Some(stage) = BrowserTest::at_localhost().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let device = ada.add_virtual_authenticator().await;
    ada.register_passkey("Key").await;
    ada.click("#codes-dialog [data-submit]").await;
    ada.expect_visible("[data-kind=passkey]").await;
    ada.goto("/").await;
    device.set_user_verified(json!(false)).await;
    ada.sign_out().await;
    ada.fill("#username", "ada").await;
    ada.fill("#password", PASSWORD).await;
    ada.click("#sign-in button.primary").await;
    ada.expect_path("/sign-in/second").await;
    ada.click("#passkey-button").await;
    ada.expect_visible("#passkey [data-error]").await;
    device.set_user_verified(json!(true)).await;
    ada.click("#passkey-button").await;
    ada.expect_path("/").await;
    ada.wait_until_live().await;
    ada.expect_no_console_errors().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_page_names_the_passkey_origin() {
    let Some(stage) = BrowserTest::at_localhost().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let elsewhere = stage.app.url("");
    ada.browser
        .goto(&format!("{elsewhere}/sign-in"))
        .await
        .unwrap();
    ada.expect_text("#passkey-elsewhere", "Passkeys work at http://localhost:")
        .await;
    ada.expect_hidden("#passkey-button").await;
}

/// Records how the page requests passkeys. `conditional` means autofill in the username field.
const RECORD_CREDENTIAL_REQUESTS: &str = "const ask = CredentialsContainer.prototype.get;
    CredentialsContainer.prototype.get = function (how) {
        sessionStorage.asked = [sessionStorage.asked ?? '', how.mediation ?? 'modal'].join(' ').trim();
        return ask.call(this, how);
    };";

#[tokio::test(flavor = "multi_thread")]
async fn passkey_autofill_signs_in_from_username_field() {
    let Some(stage) = BrowserTest::at_localhost().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let device = ada.add_virtual_authenticator().await;
    ada.register_passkey("My phone").await;
    ada.click("#codes-dialog [data-submit]").await;
    ada.expect_visible("[data-kind=passkey]").await;
    ada.send_cdp(
        "Page.addScriptToEvaluateOnNewDocument",
        json!({"source": RECORD_CREDENTIAL_REQUESTS}),
    )
    .await;
    ada.goto("/").await;
    // A user who ignores the offer sees no error and can use the form.
    device.set_user_verified(json!(false)).await;
    ada.sign_out().await;
    ada.expect_visible("#username[autocomplete='username webauthn']")
        .await;
    ada.expect_visible("#password[autocomplete=current-password]")
        .await;
    ada.wait_for_js("sessionStorage.asked === 'conditional'")
        .await;
    ada.expect_hidden("#passkey [data-error]").await;
    // A user who accepts it is signed in without a button or typing.
    device.set_user_verified(json!(true)).await;
    ada.reload().await;
    ada.expect_path("/").await;
    ada.wait_until_live().await;
    ada.wait_for_js("sessionStorage.asked === 'conditional conditional'")
        .await;
    ada.goto("/account").await;
    ada.expect_text("[data-current]", "signed in with passkey")
        .await;
    ada.expect_no_console_errors().await;
}
