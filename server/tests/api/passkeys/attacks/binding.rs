//! A ceremony belongs to a browser, an origin, a session and an authenticator.

use serde_json::{Value, json};

use crate::passkey_device::{TestAuthenticator, USER_PRESENT, USER_VERIFIED};
use crate::passkeys::{
    ORIGIN, PasskeyBrowser, editor_with_passkey, passkey_app, register_passkey, set_cookie_pair,
    sign_in_with_passkey,
};

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
        assert_eq!(answer.status(), 401, "{origin}: {}", answer.text);
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
