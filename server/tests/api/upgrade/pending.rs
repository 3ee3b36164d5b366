//! Flows that were started in the first version of the program are completed in this one.

use serde_json::{Value, json};

use super::upgraded;
use crate::{
    app::{Client, TestResponse},
    passkey_device::TestAuthenticator,
    passkeys::{ORIGIN, set_cookie_pair},
};

const NEW_PASSWORD: &str = "seven copper kettles sing";
const DEVICE_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn poll(client: &Client, code: &str) -> TestResponse {
    let form = [
        ("grant_type", DEVICE_CODE_GRANT),
        ("device_code", code),
        ("client_id", "strongroom-cli"),
    ];
    client
        .send(client.post_request("/auth/token").form(&form))
        .await
}

upgraded! {
    async fn an_old_reset_link_sets_a_password_once(old: Upgraded) {
        let confirm = json!({"token": old.secret("rita", "reset"), "new_password": NEW_PASSWORD});
        old.app
            .anonymous()
            .post("/auth/reset/confirm", confirm.clone())
            .await
            .expect_status(204);
        old.app
            .anonymous()
            .post("/auth/reset/confirm", confirm)
            .await
            .expect_status(403);
        old.sign_in("rita", NEW_PASSWORD).await.expect_status(200);
    }

    async fn an_old_invitation_makes_one_account(old: Upgraded) {
        let password = old.secret("", "password");
        let join = async |username: &str, invite: &str| {
            let body = json!({"username": username, "password": password, "invite": invite});
            old.app.anonymous().post("/auth/register", body).await
        };
        join("max", old.secret("", "used_invite")).await.expect_status(403);
        join("kim", old.secret("", "invite")).await.expect_status(201);
        join("max", old.secret("", "invite")).await.expect_status(403);
        let vaults = old
            .app
            .sign_in("kim")
            .await
            .get("/api/vaults")
            .await
            .expect_status(200)
            .body;
        assert_eq!(
            vaults,
            json!([{"name": "attic", "role": "manager"}, {"name": "main", "role": "editor"}])
        );
    }

    async fn an_old_email_link_confirms_its_address(old: Upgraded) {
        let eve = old.resume("eve").await;
        assert_eq!(eve.get("/auth/me").await.expect_status(200).body["email"], Value::Null);
        let token = json!({"token": old.secret("eve", "email_link")});
        old.app
            .anonymous()
            .post("/auth/me/email/confirm", token)
            .await
            .expect_status(204);
        let me = eve.get("/auth/me").await.expect_status(200).body;
        assert_eq!(
            (&me["email"], &me["email_verified"]),
            (&json!("eve@example.org"), &json!(true))
        );
    }

    async fn an_old_approved_device_code_gives_tokens(old: Upgraded) {
        let anonymous = old.app.anonymous();
        let tokens = poll(&anonymous, old.secret("eve", "device_code"))
            .await
            .expect_status(200)
            .body;
        assert_eq!(tokens["scope"], "files:read");
        let device = Client {
            token: tokens["access_token"].as_str().map(str::to_owned),
            ..anonymous
        };
        assert_eq!(device.get("/auth/me").await.expect_status(200).body["username"], "eve");
    }

    async fn an_old_user_code_can_be_approved(old: Upgraded) {
        let eve = old.resume("eve").await;
        let code = old.secret("eve", "user_code");
        let seen = eve
            .post("/auth/device/look", json!({"user_code": code}))
            .await
            .expect_status(200)
            .body;
        let decision =
            json!({"user_code": code, "request": seen["request"], "decision": "approve"});
        eve.post("/auth/device/decide", decision).await.expect_status(204);
        eve.post("/auth/device/look", json!({"user_code": code}))
            .await
            .expect_status(404);
        poll(&eve, old.secret("eve", "pending_device_code"))
            .await
            .expect_status(200);
    }

    async fn an_old_mfa_challenge_is_completed(old: Upgraded) {
        // The code of the present step has been used.
        let otp = old.totp("finn", "totp").shows(&old.app, 1);
        let anonymous = old.app.anonymous();
        let second = anonymous
            .post_request("/sign-in/second")
            .header("sec-fetch-site", "same-origin");
        let second = second
            .header("cookie", old.secret("finn", "mfa_cookie"))
            .form(&[("otp", otp)]);
        let signed_in = anonymous.send(second).await.expect_status(303);
        let session = set_cookie_pair(&signed_in, "__Host-strongroom").unwrap();
        assert_eq!(
            old.get_with_cookie(&session, "/auth/me").await.expect_status(200).body["username"],
            "finn"
        );
    }

    async fn an_old_totp_enrollment_is_confirmed(old: Upgraded) {
        let cleo = old.resume("cleo").await;
        let code = old.totp("cleo", "totp_enrollment").shows(&old.app, 0);
        let codes = cleo
            .post("/auth/totp/confirm", json!({"code": code}))
            .await
            .expect_status(201)
            .body;
        assert_eq!(codes["recovery_codes"].as_array().map(Vec::len), Some(10));
    }

    async fn an_old_passkey_registration_is_finished(old: Upgraded) {
        let cleo = old.resume("cleo").await;
        let begun: &Value = &old.secrets["cleo"]["passkey_registration"];
        let credential = TestAuthenticator::new(ORIGIN).create_credential(&begun["publicKey"]);
        let body = json!({"ceremony": begun["ceremony"], "name": "Key", "credential": credential});
        cleo.post("/auth/passkeys", body).await.expect_status(201);
    }
}
