//! Passkeys with Chromium's virtual authenticator (`WebAuthn` §11), which is independent of this
//! project.

use serde_json::{Value, json};

use crate::{app::PASSWORD, stage::Stage, window::Window};

impl Window {
    /// Adds a virtual authenticator that stores passkeys and verifies its user.
    pub(crate) async fn has_a_device(&self) -> Authenticator<'_> {
        let kind = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
            "isUserVerified": true, "isUserConsenting": true,
        });
        let id = self
            .driver
            .tell(&self.browser, "webauthn/authenticator", kind)
            .await;
        Authenticator {
            window: self,
            id: id.as_str().expect("an authenticator").to_owned(),
        }
    }

    /// Adds a passkey, from the account page to the recovery codes of a first factor.
    pub(crate) async fn adds_a_passkey(&self, name: &str) {
        self.goto("/account/factors").await;
        self.clicks("#passkey-add").await;
        self.writes("#passkey-form [name=name]", name).await;
        self.clicks("#passkey-form [data-submit]").await;
    }

    pub(crate) async fn signs_out(&self) {
        self.clicks("#user-menu summary").await;
        self.clicks("#sign-out").await;
        self.arrives_at("/sign-in").await;
    }
}

pub(crate) struct Authenticator<'a> {
    window: &'a Window,
    id: String,
}

impl Authenticator<'_> {
    /// Sets whether user verification succeeds from now on.
    pub(crate) async fn knows_its_user(&self, known: Value) {
        let command = format!("webauthn/authenticator/{}/uv", self.id);
        self.window
            .driver
            .tell(
                &self.window.browser,
                &command,
                json!({"isUserVerified": known}),
            )
            .await;
    }

    /// Removes the authenticator.
    pub(crate) async fn gets_lost(self) {
        let path = format!("webauthn/authenticator/{}", self.id);
        self.window.driver.remove(&self.window.browser, &path).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_is_added_signs_in_and_is_removed() {
    let Some(stage) = Stage::at_localhost().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let device = ada.has_a_device().await;
    ada.adds_a_passkey("My phone").await;
    ada.finds("#codes-list li").await;
    assert_eq!(
        ada.value("document.querySelectorAll('#codes-list li').length")
            .await,
        10
    );
    ada.clicks("#codes-dialog [data-submit]").await;
    ada.reads("[data-kind=passkey]", "My phone").await;
    ada.reads("[data-kind=passkey]", "never used").await;
    // An authenticator cannot be registered twice.
    ada.adds_a_passkey("My phone again").await;
    ada.reads("#passkey-form [data-error]", "already has a passkey")
        .await;
    ada.goto("/").await;
    // The browser offers no passkey while user verification fails.
    device.knows_its_user(json!(false)).await;
    ada.signs_out().await;
    ada.clicks("#passkey-button").await;
    ada.finds("#passkey [data-error]").await;
    device.knows_its_user(json!(true)).await;
    ada.clicks("#passkey-button").await;
    ada.arrives_at("/").await;
    ada.is_live().await;
    ada.goto("/account/factors").await;
    ada.reads("[data-kind=passkey]", "last used").await;
    ada.clicks("[data-kind=passkey] [data-action=rename-factor]")
        .await;
    ada.writes("#rename-dialog [name=name]", "Old phone").await;
    ada.clicks("#rename-dialog [data-submit]").await;
    ada.reads("[data-kind=passkey] [data-slot=name]", "Old phone")
        .await;
    ada.clicks("[data-kind=passkey] [data-action=remove-factor]")
        .await;
    ada.clicks("#remove-dialog [data-submit]").await;
    ada.misses("[data-kind=passkey]").await;
    ada.goto("/").await;
    ada.signs_out().await;
    ada.clicks("#passkey-button").await;
    ada.reads("#passkey [data-error]", "This passkey was not accepted.")
        .await;
    ada.writes("#username", "ada").await;
    ada.writes("#password", PASSWORD).await;
    ada.clicks("#sign-in button.primary").await;
    ada.arrives_at("/").await;
    ada.complains_only_of(&["status of 401"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_completes_mfa_in_the_browser() {
    let Some(stage) = Stage::at_localhost().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let device = ada.has_a_device().await;
    ada.adds_a_passkey("Key").await;
    ada.clicks("#codes-dialog [data-submit]").await;
    ada.finds("[data-kind=passkey]").await;
    ada.goto("/").await;
    device.knows_its_user(json!(false)).await;
    ada.signs_out().await;
    ada.writes("#username", "ada").await;
    ada.writes("#password", PASSWORD).await;
    ada.clicks("#sign-in button.primary").await;
    ada.arrives_at("/sign-in/second").await;
    ada.clicks("#passkey-button").await;
    ada.finds("#passkey [data-error]").await;
    device.knows_its_user(json!(true)).await;
    ada.clicks("#passkey-button").await;
    ada.arrives_at("/").await;
    ada.is_live().await;
    ada.has_no_complaints().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_page_names_the_passkey_origin() {
    let Some(stage) = Stage::at_localhost().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let elsewhere = stage.app.url("");
    ada.browser
        .goto(&format!("{elsewhere}/sign-in"))
        .await
        .unwrap();
    ada.reads("#passkey-elsewhere", "Passkeys work at http://localhost:")
        .await;
    ada.misses("#passkey-button").await;
}

/// Records how the page requests passkeys. `conditional` means autofill in the username field.
const LISTENS: &str = "const ask = CredentialsContainer.prototype.get;
    CredentialsContainer.prototype.get = function (how) {
        sessionStorage.asked = [sessionStorage.asked ?? '', how.mediation ?? 'modal'].join(' ').trim();
        return ask.call(this, how);
    };";

#[tokio::test(flavor = "multi_thread")]
async fn passkey_autofill_signs_in_from_username_field() {
    let Some(stage) = Stage::at_localhost().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let device = ada.has_a_device().await;
    ada.adds_a_passkey("My phone").await;
    ada.clicks("#codes-dialog [data-submit]").await;
    ada.finds("[data-kind=passkey]").await;
    ada.cdp(
        "Page.addScriptToEvaluateOnNewDocument",
        json!({"source": LISTENS}),
    )
    .await;
    ada.goto("/").await;
    // A user who ignores the offer sees no error and can use the form.
    device.knows_its_user(json!(false)).await;
    ada.signs_out().await;
    ada.finds("#username[autocomplete='username webauthn']")
        .await;
    ada.finds("#password[autocomplete=current-password]").await;
    ada.sees("sessionStorage.asked === 'conditional'").await;
    ada.misses("#passkey [data-error]").await;
    // A user who accepts it is signed in without a button or typing.
    device.knows_its_user(json!(true)).await;
    ada.reload().await;
    ada.arrives_at("/").await;
    ada.is_live().await;
    ada.sees("sessionStorage.asked === 'conditional conditional'")
        .await;
    ada.goto("/account").await;
    ada.reads("[data-current]", "signed in with passkey").await;
    ada.has_no_complaints().await;
}
