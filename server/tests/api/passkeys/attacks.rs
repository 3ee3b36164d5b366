//! Attacks with a passkey of the attacker, a recorded assertion, or stolen credential ids.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use server::ConfigSource;

use super::{
    ORIGIN, PasskeyBrowser, editor_with_passkey, passkey_app, register_passkey, set_cookie_pair,
    sign_in_with_passkey,
};
use crate::{
    app::{Client, TestApp},
    passkey_device::{TestAuthenticator, USER_PRESENT, USER_VERIFIED},
};

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

#[tokio::test(flavor = "multi_thread")]
async fn passkey_ceremony_is_bound_to_its_browser() {
    let app = passkey_app().await;
    let (_, mut phone) = editor_with_passkey(&app, "ada").await;
    let theirs = PasskeyBrowser::start_sign_in(&app).await;
    let credential = phone.get_assertion(&theirs.options);
    // The victim's browser sends the attacker's ceremony and assertion (login CSRF). It would sign
    // in as the attacker.
    let mut victim = PasskeyBrowser::start_sign_in(&app).await;
    victim.ceremony = theirs.ceremony.clone();
    victim.finish_sign_in(&credential).await.expect_status(410);
    victim.cookie = "x=y".to_owned();
    victim.finish_sign_in(&credential).await.expect_status(410);
    let other = PasskeyBrowser::start_sign_in(&app).await;
    let foreign = other
        .client
        .post_request("/auth/passkeys/sign-in")
        .header("sec-fetch-site", "cross-site");
    let body =
        json!({"ceremony": other.ceremony, "credential": phone.get_assertion(&other.options)});
    other
        .client
        .send(foreign.header("cookie", &other.cookie).json(&body))
        .await
        .expect_status(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_assertion_for_another_origin_is_rejected() {
    let app = passkey_app().await;
    let (_, mut phone) = editor_with_passkey(&app, "ada").await;
    for origin in [
        "https://files.example.org.evil.example",
        "https://evil.example",
        "http://files.example.org",
        "https://files.example.org:8443",
        "https://sub.files.example.org",
        "null",
    ] {
        phone.origin = origin.to_owned();
        let answer = sign_in_with_passkey(&app, &mut phone).await;
        assert!(
            matches!(answer.status(), 401 | 422),
            "{origin}: {} {}",
            answer.status(),
            answer.text
        );
        assert!(set_cookie_pair(&answer, "__Host-strongroom").is_none());
    }
    phone.origin = ORIGIN.to_owned();
    let browser = PasskeyBrowser::start_sign_in(&app).await;
    let mut elsewhere = browser.options.clone();
    elsewhere["rpId"] = json!("evil.example");
    browser
        .finish_sign_in(&phone.get_assertion(&elsewhere))
        .await
        .expect_status(401);
    // In an iframe of another site.
    phone.cross_origin = true;
    sign_in_with_passkey(&app, &mut phone)
        .await
        .expect_status(422);
    phone.cross_origin = false;
    sign_in_with_passkey(&app, &mut phone)
        .await
        .expect_status(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_without_user_verification_is_rejected() {
    let app = passkey_app().await;
    let (ada, mut phone) = editor_with_passkey(&app, "ada").await;
    for flags in [0, USER_PRESENT, USER_VERIFIED] {
        phone.flags = flags;
        sign_in_with_passkey(&app, &mut phone)
            .await
            .expect_status(401);
        let mut key = TestAuthenticator::new(ORIGIN);
        key.flags = flags;
        register_passkey(&ada, &mut key, "Key")
            .await
            .expect_status(422);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cloned_passkey_is_rejected() {
    let app = passkey_app().await;
    let root = app.administrator("root").await;
    app.register_with_verified_email("ada").await;
    let ada = app.sign_in("ada").await;
    let mut phone = TestAuthenticator::new(ORIGIN);
    register_passkey(&ada, &mut phone, "Phone")
        .await
        .expect_status(201);
    app.wait_for_mail("ada@example.org", 1).await;
    app.clear_mails();
    phone.counter = 40;
    sign_in_with_passkey(&app, &mut phone)
        .await
        .expect_status(204);
    // The clone continues from the counter at the time of the copy.
    phone.counter = 12;
    let refused = sign_in_with_passkey(&app, &mut phone)
        .await
        .expect_status(401);
    assert_eq!(refused.body["detail"], "This passkey was not accepted.");
    assert!(set_cookie_pair(&refused, "__Host-strongroom").is_none());
    phone.counter = 40;
    let refused = sign_in_with_passkey(&app, &mut phone)
        .await
        .expect_status(401);
    assert!(set_cookie_pair(&refused, "__Host-strongroom").is_none());
    let mail = app.wait_for_mail("ada@example.org", 1).await;
    assert_eq!(mail.subject, "A passkey may have been cloned");
    let entries = root
        .get("/api/audit?action=passkey.copied&subject=ada")
        .await
        .expect_status(200)
        .body;
    assert_eq!(entries.as_array().unwrap().len(), 2, "{entries}");
    phone.counter = 41;
    sign_in_with_passkey(&app, &mut phone)
        .await
        .expect_status(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_passkey_sign_ins_are_indistinguishable() {
    let app = passkey_app().await;
    let root = app.administrator("root").await;
    let (_, mut disabled) = editor_with_passkey(&app, "ben").await;
    let (_, mut wrong) = editor_with_passkey(&app, "ada").await;
    let mut unknown = TestAuthenticator::new(ORIGIN);
    unknown.handle = vec![7; 16];
    let change = root
        .request_builder(reqwest::Method::PATCH, "/api/users/ben")
        .json(&json!({"disabled": true}));
    root.send(change).await.expect_status(200);
    wrong.origin = "https://evil.example".to_owned();
    let mut answers = Vec::new();
    for device in [&mut unknown, &mut disabled, &mut wrong] {
        let mut answer = sign_in_with_passkey(&app, device).await.expect_status(401);
        answer.body.as_object_mut().unwrap().remove("request_id");
        for own in ["x-request-id", "date"] {
            answer.headers.remove(own);
        }
        answers.push((answer.body.to_string(), format!("{:?}", answer.headers)));
    }
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_sign_in_options_do_not_reveal_accounts() {
    let app = passkey_app().await;
    editor_with_passkey(&app, "ada").await;
    let client = app.anonymous();
    let mut shapes = Vec::new();
    for body in [
        Value::Null,
        json!({"username": "ada"}),
        json!({"username": "nobody"}),
    ] {
        let request = client
            .post_request("/auth/passkeys/sign-in/options")
            .header("sec-fetch-site", "same-origin");
        let mut asked = client
            .send(if body.is_null() {
                request
            } else {
                request.json(&body)
            })
            .await
            .expect_status(200)
            .body;
        asked["ceremony"] = json!("");
        asked["publicKey"]["challenge"] = json!("");
        shapes.push(asked);
    }
    assert!(
        shapes.iter().all(|shape| *shape == shapes[0]),
        "{shapes:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_cannot_sign_in_to_another_account() {
    let app = passkey_app().await;
    let (_, ada) = editor_with_passkey(&app, "ada").await;
    let (_, mut eve) = editor_with_passkey(&app, "eve").await;
    let (id, handle) = (eve.id.clone(), eve.handle.clone());
    eve.handle.clone_from(&ada.handle);
    sign_in_with_passkey(&app, &mut eve)
        .await
        .expect_status(401);
    eve.handle = Vec::new();
    sign_in_with_passkey(&app, &mut eve)
        .await
        .expect_status(401);
    // Ada's credential id, signed with Eve's key.
    (eve.id, eve.handle) = (ada.id.clone(), ada.handle.clone());
    sign_in_with_passkey(&app, &mut eve)
        .await
        .expect_status(401);
    (eve.id, eve.handle) = (id, handle);
    sign_in_with_passkey(&app, &mut eve)
        .await
        .expect_status(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_cannot_be_changed_by_another_account() {
    let app = passkey_app().await;
    let (_, mut phone) = editor_with_passkey(&app, "ada").await;
    let eve = app.editor("eve").await;
    register_passkey(&eve, &mut phone, "Mine now")
        .await
        .expect_status(409);
    let path = format!(
        "/auth/passkeys/{}",
        crate::passkey_device::base64url(&phone.id)
    );
    eve.send(
        eve.request_builder(reqwest::Method::PATCH, &path)
            .json(&json!({"name": "x"})),
    )
    .await
    .expect_status(404);
    eve.send(eve.delete_request(&path)).await.expect_status(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_registration_is_bound_to_its_session() {
    let app = passkey_app().await;
    let ada = app.editor("ada").await;
    let asked = ada
        .post("/auth/passkeys/options", Value::Null)
        .await
        .expect_status(200)
        .body;
    let mut phone = TestAuthenticator::new(ORIGIN);
    let body = json!({"ceremony": asked["ceremony"], "name": "Phone", "credential": phone.create_credential(&asked["publicKey"])});
    let again = || async {
        ada.post("/auth/passkeys/options", Value::Null)
            .await
            .expect_status(200)
            .body
    };
    for other in [app.editor("eve").await, app.sign_in("ada").await] {
        other
            .post("/auth/passkeys", body.clone())
            .await
            .expect_status(410);
    }
    // The attempt consumed the ceremony.
    ada.post("/auth/passkeys", body.clone())
        .await
        .expect_status(410);
    // A response to one challenge does not match another.
    let mut crossed = body.clone();
    crossed["ceremony"] = again().await["ceremony"].clone();
    ada.post("/auth/passkeys", crossed).await.expect_status(422);
    // A sign-in ceremony cannot register a passkey.
    let browser = PasskeyBrowser::start_sign_in(&app).await;
    let mut mixed = body.clone();
    mixed["ceremony"] = browser.ceremony.clone();
    ada.post("/auth/passkeys", mixed).await.expect_status(410);
    app.anonymous()
        .post("/auth/passkeys", body)
        .await
        .expect_status(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_passkey_attempts_throttle_only_their_network() {
    let settings = ConfigSource {
        public_url: Some(ORIGIN.to_owned()),
        trusted_proxies: Some(vec!["127.0.0.1".parse().unwrap()]),
        ..ConfigSource::default()
    };
    let app = TestApp::with_settings(settings).await;
    let (_, mut phone) = editor_with_passkey(&app, "ada").await;
    let mut forged = TestAuthenticator::new(ORIGIN);
    (forged.id, forged.handle) = (phone.id.clone(), phone.handle.clone());
    let mut refused = 0;
    for _ in 0..300 {
        let Some(status) = sign_in_from_address("203.0.113.9", &app, &mut forged).await else {
            refused += 1;
            break;
        };
        assert_eq!(status, 401);
    }
    assert_eq!(refused, 1, "the attacker was not throttled");
    assert_eq!(
        sign_in_from_address("198.51.100.4", &app, &mut phone).await,
        Some(204)
    );
}

/// An attempt from an address; `None` if the address is throttled.
async fn sign_in_from_address(
    address: &str,
    app: &TestApp,
    device: &mut TestAuthenticator,
) -> Option<u16> {
    let client: Client = app.anonymous();
    let request = |path| {
        client
            .post_request(path)
            .header("sec-fetch-site", "same-origin")
            .header("x-forwarded-for", address)
    };
    let asked = client.send(request("/auth/passkeys/sign-in/options")).await;
    if asked.status() == 429 {
        return None;
    }
    let body = json!({"ceremony": asked.body["ceremony"], "credential": device.get_assertion(&asked.body["publicKey"])});
    let cookie = set_cookie_pair(&asked, "__Host-strongroom-browser").unwrap();
    let answer = client
        .send(
            request("/auth/passkeys/sign-in")
                .header("cookie", cookie)
                .json(&body),
        )
        .await;
    Some(answer.status()).filter(|status| *status != 429)
}
