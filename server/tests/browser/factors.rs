//! Second factors: enrollment, use and loss.

use std::time::Duration;

use serde_json::Value;

use crate::{
    app::{PASSWORD, TestApp},
    authenticator::App,
    stage::Stage,
    window::Window,
};

/// Enrolls an authenticator app on the page. Returns the app and the recovery codes.
async fn turns_on_an_app(ada: &Window, app: &TestApp) -> (App, Vec<String>) {
    ada.goto("/account/factors").await;
    ada.clicks("#app-begin").await;
    ada.finds("#app-qr").await;
    ada.sees("document.querySelector('#app-qr').naturalWidth > 100")
        .await;
    let secret = ada
        .value("document.querySelector('#app-secret').textContent")
        .await;
    let phone = App::typed(&secret.as_str().unwrap().replace(' ', ""));
    ada.writes("#app-form [name=code]", "000000").await;
    ada.clicks("#app-form [data-submit]").await;
    ada.finds("#app-form [data-error]").await;
    ada.writes("#app-form [name=code]", &phone.shows(app, 0))
        .await;
    ada.clicks("#app-form [data-submit]").await;
    ada.sees("document.querySelectorAll('#codes-list li').length === 10")
        .await;
    let codes = ada
        .value("[...document.querySelectorAll('#codes-list li')].map((it) => it.textContent)")
        .await;
    let codes = codes
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code.as_str().unwrap().to_owned())
        .collect();
    ada.clicks("#codes-dialog [data-submit]").await;
    ada.reads("#app", "On").await;
    ada.reads("#codes-left", "10 left").await;
    (phone, codes)
}

async fn comes_to_the_second_step(ada: &Window) {
    ada.goto("/").await;
    ada.clicks("#user-menu summary").await;
    ada.clicks("#sign-out").await;
    ada.arrives_at("/sign-in").await;
    ada.writes("#username", "ada").await;
    ada.writes("#password", PASSWORD).await;
    ada.clicks("#sign-in button.primary").await;
    ada.arrives_at("/sign-in/second").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn totp_is_enrolled_and_required_at_sign_in() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let (phone, _) = turns_on_an_app(&ada, &stage.app).await;
    stage.app.later(Duration::from_secs(30));
    comes_to_the_second_step(&ada).await;
    ada.writes("#otp", "000000").await;
    ada.clicks("#second-app button.primary").await;
    ada.reads("#message", "The code is wrong").await;
    ada.writes("#otp", &phone.shows(&stage.app, 0)).await;
    ada.clicks("#second-app button.primary").await;
    ada.arrives_at("/").await;
    ada.is_live().await;
    // No sign-in is pending, so the page redirects.
    ada.goto("/sign-in/second").await;
    ada.arrives_at("/").await;
    ada.complains_only_of(&["status of 401", "status of 422"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_code_signs_in_on_the_mfa_page() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let (_, codes) = turns_on_an_app(&ada, &stage.app).await;
    comes_to_the_second_step(&ada).await;
    ada.clicks("#second-recovery summary").await;
    ada.writes("#recovery", &codes[3].to_lowercase()).await;
    ada.clicks("#second-recovery button.primary").await;
    ada.arrives_at("/").await;
    ada.goto("/account/factors").await;
    ada.reads("#codes-left", "9 left").await;
    ada.clicks("#app-remove").await;
    ada.clicks("#remove-dialog [data-submit]").await;
    ada.finds("#app-begin").await;
    ada.misses("#codes").await;
    ada.complains_only_of(&["status of 422"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn step_up_dialog_confirms_and_resumes_the_action() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    stage.app.editor("ben").await;
    ada.goto("/admin/users").await;
    stage.app.later(Duration::from_mins(11));
    let disable = async || {
        ada.clicks("[data-user=ben] .more summary").await;
        ada.clicks("[data-user=ben] [data-action=disable]").await;
        ada.finds("#step-up-dialog [name=password]").await;
    };
    disable().await;
    ada.misses("#step-up-code").await;
    ada.clicks("#step-up-dialog [data-close]").await;
    ada.reads("#users-error", "Nothing was changed").await;
    disable().await;
    ada.writes("#step-up-dialog [name=password]", "wrong wrong wrong")
        .await;
    ada.clicks("#step-up-dialog [data-submit]").await;
    ada.reads("#step-up-dialog [data-error]", "is wrong").await;
    ada.writes("#step-up-dialog [name=password]", PASSWORD)
        .await;
    ada.clicks("#step-up-dialog [data-submit]").await;
    ada.reads("#notices", "ben is signed out and cannot sign in.")
        .await;
    // The recent sign-in covers further actions for some minutes.
    ada.clicks("[data-user=ben] .more summary").await;
    ada.clicks("[data-user=ben] [data-action=enable]").await;
    ada.reads("#notices", "ben can sign in again.").await;
    ada.complains_only_of(&["status of 401", "status of 403"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lock_override_on_page_requires_step_up() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let ada = stage.administrator("ada").await;
    let ben = stage.app.editor("ben").await;
    ben.add("gear.mcam", b"one").await.is(201);
    ben.check_out("gear.mcam").await.is(200);
    stage.app.later(Duration::from_mins(11));
    ada.goto("/v/main/h/gear.mcam").await;
    ada.is_live().await;
    ada.clicks("[data-action=override], .actions summary").await;
    ada.clicks("[data-action=override]").await;
    ada.writes("#override-dialog [name=reason]", "He is on holiday")
        .await;
    ada.clicks("#override-dialog [data-submit]").await;
    ada.writes("#step-up-dialog [name=password]", PASSWORD)
        .await;
    ada.clicks("#step-up-dialog [data-submit]").await;
    ada.misses("#override-dialog").await;
    let file = stage
        .app
        .sign_in("ben")
        .await
        .see("/api/files/gear.mcam")
        .await
        .body;
    assert_eq!(file["locked_by"], Value::Null);
    ada.complains_only_of(&["status of 401"]).await;
}
