//! Registration of passkeys and sign-in with them.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    ORIGIN, PasskeyBrowser, editor_with_passkey, get_with_cookie, passkey_app, register_passkey,
    set_cookie_pair, sign_in_with_passkey,
};
use crate::{app::TestApp, passkey_device::TestAuthenticator};

#[tokio::test(flavor = "multi_thread")]
async fn passkey_sign_in_counts_as_multi_factor() {
    let app = passkey_app().await;
    let (ada, mut phone) = editor_with_passkey(&app, "ada").await;
    let signed_in = sign_in_with_passkey(&app, &mut phone)
        .await
        .expect_status(204);
    let me = get_with_cookie(&app, &signed_in, "/auth/me")
        .await
        .expect_status(200);
    assert_eq!(
        (&me.body["username"], &me.body["mfa"]),
        (&json!("ada"), &json!(true))
    );
    let listed = ada.get("/auth/passkeys").await.expect_status(200).body;
    assert_eq!(listed[0]["name"], "Phone");
    assert!(
        listed[0]["last_used_at"].is_string() && listed[0]["synced"] == false,
        "{listed}"
    );
    // The list of sessions has it and can end it.
    let sessions = ada.get("/auth/sessions").await.expect_status(200).body;
    assert!(
        sessions
            .as_array()
            .unwrap()
            .iter()
            .any(|session| session["kind"] == "web"),
        "{sessions}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_cookies_are_http_only_secure_same_site() {
    let app = passkey_app().await;
    let (_, mut phone) = editor_with_passkey(&app, "ada").await;
    let signed_in = sign_in_with_passkey(&app, &mut phone)
        .await
        .expect_status(204);
    let set = signed_in.header("set-cookie").unwrap();
    assert!(
        set.contains("HttpOnly") && set.contains("Secure") && set.contains("SameSite=Lax"),
        "{set}"
    );
    let client = app.anonymous();
    let ask = client
        .post_request("/auth/passkeys/sign-in/options")
        .header("sec-fetch-site", "same-origin");
    let asked = client.send(ask).await.expect_status(200);
    let set = asked.header("set-cookie").unwrap();
    assert!(
        set.contains("HttpOnly") && set.contains("Secure") && set.contains("SameSite=Strict"),
        "{set}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_options_require_discoverable_verified_credentials() {
    let app = passkey_app().await;
    let ada = app.editor("ada").await;
    let asked = ada
        .post("/auth/passkeys/options", Value::Null)
        .await
        .expect_status(200)
        .body;
    let options = &asked["publicKey"];
    assert_eq!(options["rp"]["id"], "files.example.org");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(
        options["authenticatorSelection"]["userVerification"],
        "required"
    );
    assert_eq!(options["attestation"], "none");
    // 16 random bytes instead of the username.
    let handle = options["user"]["id"].as_str().unwrap();
    assert_eq!(handle.len(), 22, "{handle}");
    let browser = PasskeyBrowser::start_sign_in(&app).await;
    assert_eq!(browser.options["userVerification"], "required");
    assert_eq!(browser.options["allowCredentials"], json!([]));
    assert!(browser.options["challenge"].as_str().unwrap().len() >= 43);
}

#[tokio::test(flavor = "multi_thread")]
async fn account_can_have_several_named_passkeys() {
    let app = passkey_app().await;
    let (ada, mut phone) = editor_with_passkey(&app, "ada").await;
    let asked = ada
        .post("/auth/passkeys/options", Value::Null)
        .await
        .expect_status(200)
        .body;
    let excluded = &asked["publicKey"]["excludeCredentials"];
    assert_eq!(
        excluded[0]["id"],
        crate::passkey_device::base64url(&phone.id),
        "{excluded}"
    );
    let mut key = TestAuthenticator::new(ORIGIN);
    let added = register_passkey(&ada, &mut key, "  Key on the ring ")
        .await
        .expect_status(201);
    assert_eq!(added.body["passkey"]["name"], "Key on the ring");
    assert_eq!(key.handle, phone.handle);
    for device in [&mut phone, &mut key] {
        sign_in_with_passkey(&app, device).await.expect_status(204);
    }
    let id = added.body["passkey"]["id"].as_str().unwrap();
    let path = format!("/auth/passkeys/{id}");
    let renamed = ada
        .send(
            ada.request_builder(Method::PATCH, &path)
                .json(&json!({"name": "Spare key"})),
        )
        .await
        .expect_status(200);
    assert_eq!(renamed.body["name"], "Spare key");
    for name in ["", " ", &"x".repeat(65), "\u{202e}gnp.exe"] {
        let refused = ada
            .send(
                ada.request_builder(Method::PATCH, &path)
                    .json(&json!({"name": name})),
            )
            .await
            .expect_status(422);
        assert_eq!(refused.body["errors"][0]["pointer"], "/name");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn removed_passkey_ends_its_session() {
    let app = passkey_app().await;
    let (ada, mut phone) = editor_with_passkey(&app, "ada").await;
    let stolen = sign_in_with_passkey(&app, &mut phone)
        .await
        .expect_status(204);
    let id = crate::passkey_device::base64url(&phone.id);
    ada.send(ada.delete_request(&format!("/auth/passkeys/{id}")))
        .await
        .expect_status(204);
    get_with_cookie(&app, &stolen, "/auth/me")
        .await
        .expect_status(401);
    sign_in_with_passkey(&app, &mut phone)
        .await
        .expect_status(401);
    assert_eq!(
        ada.get("/auth/passkeys").await.expect_status(200).body,
        json!([])
    );
    ada.send(ada.delete_request(&format!("/auth/passkeys/{id}")))
        .await
        .expect_status(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_changes_require_a_recent_sign_in() {
    let app = passkey_app().await;
    let (ada, _) = editor_with_passkey(&app, "ada").await;
    app.advance_clock(Duration::from_mins(11));
    let id = ada.get("/auth/passkeys").await.expect_status(200).body[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/auth/passkeys/{id}");
    let challenge = "Bearer error=\"insufficient_user_authentication\", max_age=600";
    let rename = ada
        .request_builder(Method::PATCH, &path)
        .json(&json!({"name": "x"}));
    for request in [
        ada.post_request("/auth/passkeys/options"),
        rename,
        ada.delete_request(&path),
    ] {
        let answer = ada.send(request).await.expect_status(401);
        assert_eq!(answer.header("www-authenticate"), Some(challenge));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passkeys_are_unavailable_at_unsupported_origin() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    ada.post("/auth/passkeys/options", Value::Null)
        .await
        .expect_status(404);
    let anonymous = app.anonymous();
    let ask = anonymous
        .post_request("/auth/passkeys/sign-in/options")
        .header("sec-fetch-site", "same-origin");
    let refused = anonymous.send(ask).await.expect_status(404);
    assert!(set_cookie_pair(&refused, "strongroom-browser").is_none());
    assert_eq!(
        ada.get("/auth/passkeys").await.expect_status(200).body,
        json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn passkeys_per_account_are_limited_to_twenty() {
    let app = passkey_app().await;
    let ada = app.editor("ada").await;
    for n in 0..20 {
        register_passkey(
            &ada,
            &mut TestAuthenticator::new(ORIGIN),
            &format!("Key {n}"),
        )
        .await
        .expect_status(201);
    }
    let full = ada
        .post("/auth/passkeys/options", Value::Null)
        .await
        .expect_status(409);
    assert_eq!(
        full.body["detail"],
        "You already have 20 passkeys. Remove one first."
    );
}
