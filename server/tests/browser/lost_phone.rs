//! A user enrolls a passkey and an authenticator app, loses the phone that holds both, recovers the
//! account, and reads all of it on the security page.

use crate::{app::PASSWORD, authenticator::App, stage::Stage, window::Window};

impl Window {
    async fn text(&self, css: &str) -> String {
        self.finds(css).await;
        let text = self
            .value(&format!(
                "document.querySelector({}).innerText",
                serde_json::json!(css)
            ))
            .await;
        text.as_str().unwrap().to_owned()
    }

    /// The number of entries with this action on the security page.
    async fn counts(&self, action: &str) -> u64 {
        let count =
            format!("document.querySelectorAll('#activity [data-action=\"{action}\"]').length");
        self.value(&count).await.as_u64().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_phone_recovery_is_shown_in_activity() {
    let Some(stage) = Stage::at_localhost().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    // Both factors are on one phone; the recovery codes are stored elsewhere.
    let phone = ada.has_a_device().await;
    ada.adds_a_passkey("My phone").await;
    let code = ada.text("#codes-list li:nth-child(3)").await;
    ada.clicks("#codes-dialog [data-submit]").await;
    ada.finds("[data-kind=passkey]").await;
    ada.clicks("#app-begin").await;
    ada.clicks("#app-dialog details summary").await;
    let app = App::typed(&ada.text("#app-secret").await.replace(' ', ""));
    ada.writes("#app-form [name=code]", &app.shows(&stage.app, 0))
        .await;
    ada.clicks("#app-form [data-submit]").await;
    ada.finds("#app-remove").await;
    ada.goto("/").await;
    ada.is_live().await;
    phone.knows_its_user(false.into()).await;
    ada.signs_out().await;
    phone.gets_lost().await;
    // Without the phone, the password is not enough and a guessed code fails.
    ada.writes("#username", "ada").await;
    ada.writes("#password", PASSWORD).await;
    ada.clicks("#sign-in button.primary").await;
    ada.arrives_at("/sign-in/second").await;
    ada.goto("/v/main").await;
    ada.arrives_at("/sign-in").await;
    ada.goto("/sign-in/second").await;
    ada.writes("#otp", "000000").await;
    ada.clicks("#second-app button.primary").await;
    ada.finds("#message").await;
    // A recovery code.
    ada.clicks("#second-recovery summary").await;
    ada.writes("#recovery", &code.to_lowercase()).await;
    ada.clicks("#second-recovery button.primary").await;
    ada.arrives_at("/").await;
    // The new phone replaces the old one.
    let _new_phone = ada.has_a_device().await;
    ada.goto("/account/factors").await;
    ada.reads("#codes-left", "9 left").await;
    ada.clicks("[data-kind=passkey] [data-action=remove-factor]")
        .await;
    ada.clicks("#remove-dialog [data-submit]").await;
    ada.misses("[data-kind=passkey]").await;
    ada.adds_a_passkey("New phone").await;
    ada.reads("[data-kind=passkey]", "New phone").await;
    ada.clicks("#app-remove").await;
    ada.clicks("#remove-dialog [data-submit]").await;
    ada.finds("#app-begin").await;
    // The security page lists all of it.
    ada.goto("/account/security").await;
    ada.finds("#activity").await;
    for (action, least) in [
        ("factor.added", 3),
        ("factor.removed", 2),
        ("recovery_code.used", 1),
        ("sign_in.refused", 1),
        ("sign_in", 2),
    ] {
        assert!(
            ada.counts(action).await >= least,
            "{action}: {}",
            ada.text("#activity").await
        );
    }
    ada.complains_only_of(&["status of 401", "status of 403"])
        .await;
}
