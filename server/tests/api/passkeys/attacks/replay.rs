//! Assertions and challenges are used once, in time.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::passkeys::{PasskeyBrowser, editor_with_passkey, passkey_app, sign_in_with_passkey};

#[tokio::test(flavor = "multi_thread")]
async fn replayed_passkey_assertion_is_rejected() {
    let app = passkey_app().await;
    let (_, mut phone) = editor_with_passkey(&app, "ada").await;
    let browser = PasskeyBrowser::start_sign_in(&app).await;
    let credential = phone.get_assertion(&browser.options);
    browser.finish_sign_in(&credential).await.expect_status(204);
    browser.finish_sign_in(&credential).await.expect_status(410);
    // A recorded assertion does not match a new challenge.
    let again = PasskeyBrowser::start_sign_in(&app).await;
    again.finish_sign_in(&credential).await.expect_status(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_uses_of_an_assertion_sign_in_once() {
    let app = passkey_app().await;
    let (_, mut phone) = editor_with_passkey(&app, "ada").await;
    let browser = PasskeyBrowser::start_sign_in(&app).await;
    let credential = phone.get_assertion(&browser.options);
    let answers = join_all((0..50).map(|_| browser.finish_sign_in(&credential))).await;
    assert_eq!(
        answers
            .iter()
            .filter(|answer| answer.status() == 204)
            .count(),
        1
    );
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer.status(), 204 | 410))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_challenge_expires_after_five_minutes() {
    let app = passkey_app().await;
    let (_, mut phone) = editor_with_passkey(&app, "ada").await;
    let browser = PasskeyBrowser::start_sign_in(&app).await;
    app.advance_clock(Duration::from_secs(290));
    browser
        .finish_sign_in(&phone.get_assertion(&browser.options))
        .await
        .expect_status(204);
    let browser = PasskeyBrowser::start_sign_in(&app).await;
    app.advance_clock(Duration::from_secs(301));
    browser
        .finish_sign_in(&phone.get_assertion(&browser.options))
        .await
        .expect_status(410);
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_challenge_is_invalid_after_ending_other_sessions() {
    let app = passkey_app().await;
    let (ada, mut phone) = editor_with_passkey(&app, "ada").await;
    let browser = PasskeyBrowser::start_sign_in(&app).await;
    let credential = phone.get_assertion(&browser.options);
    app.advance_clock(Duration::from_secs(1));
    ada.post("/auth/sessions/end-others", Value::Null)
        .await
        .expect_status(200);
    browser.finish_sign_in(&credential).await.expect_status(410);
    sign_in_with_passkey(&app, &mut phone)
        .await
        .expect_status(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_sign_in_is_rejected_while_reset_required() {
    let app = passkey_app().await;
    let root = app.administrator("root").await;
    let (_, mut phone) = editor_with_passkey(&app, "ada").await;
    let browser = PasskeyBrowser::start_sign_in(&app).await;
    let required = json!({"reset_required": true});
    root.send(
        root.request_builder(reqwest::Method::PATCH, "/api/users/ada")
            .json(&required),
    )
    .await
    .expect_status(200);
    // The earlier ceremony has ended, and the present one is rejected.
    browser
        .finish_sign_in(&phone.get_assertion(&browser.options))
        .await
        .expect_status(410);
    app.advance_clock(Duration::from_secs(1));
    let refused = sign_in_with_passkey(&app, &mut phone)
        .await
        .expect_status(403);
    assert_eq!(refused.body["error"], "password_reset_required");
    root.send(
        root.request_builder(reqwest::Method::PATCH, "/api/users/ada")
            .json(&json!({"reset_required": false})),
    )
    .await
    .expect_status(200);
    sign_in_with_passkey(&app, &mut phone)
        .await
        .expect_status(204);
}
