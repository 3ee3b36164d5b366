//! Flows that were started in the first version of the program are completed in this one.

use serde_json::{Value, json};

use super::upgraded;
use crate::{
    app::{Client, TestResponse},
    device::TestAuthenticator,
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
    client.ask(client.post("/auth/token").form(&form)).await
}

upgraded! {
    async fn an_old_reset_link_sets_a_password_once(old: Upgraded) {
        let confirm = json!({"token": old.secret("rita", "reset"), "new_password": NEW_PASSWORD});
        old.app
            .anonymous()
            .tell("/auth/reset/confirm", confirm.clone())
            .await
            .is(204);
        old.app
            .anonymous()
            .tell("/auth/reset/confirm", confirm)
            .await
            .is(403);
        old.sign_in("rita", NEW_PASSWORD).await.is(200);
    }

    async fn an_old_invitation_makes_one_account(old: Upgraded) {
        let password = old.secret("", "password");
        let join = async |username: &str, invite: &str| {
            let body = json!({"username": username, "password": password, "invite": invite});
            old.app.anonymous().tell("/auth/register", body).await
        };
        join("max", old.secret("", "used_invite")).await.is(403);
        join("kim", old.secret("", "invite")).await.is(201);
        join("max", old.secret("", "invite")).await.is(403);
        let vaults = old
            .app
            .sign_in("kim")
            .await
            .see("/api/vaults")
            .await
            .is(200)
            .body;
        assert_eq!(
            vaults,
            json!([{"name": "attic", "role": "manager"}, {"name": "main", "role": "editor"}])
        );
    }

    async fn an_old_email_link_confirms_its_address(old: Upgraded) {
        let eve = old.resume("eve").await;
        assert_eq!(eve.see("/auth/me").await.is(200).body["email"], Value::Null);
        let token = json!({"token": old.secret("eve", "email_link")});
        old.app
            .anonymous()
            .tell("/auth/me/email/confirm", token)
            .await
            .is(204);
        let me = eve.see("/auth/me").await.is(200).body;
        assert_eq!(
            (&me["email"], &me["email_verified"]),
            (&json!("eve@example.org"), &json!(true))
        );
    }

    async fn an_old_approved_device_code_gives_tokens(old: Upgraded) {
        let anonymous = old.app.anonymous();
        let tokens = poll(&anonymous, old.secret("eve", "device_code"))
            .await
            .is(200)
            .body;
        assert_eq!(tokens["scope"], "files:read");
        let device = Client {
            token: tokens["access_token"].as_str().map(str::to_owned),
            ..anonymous
        };
        assert_eq!(device.see("/auth/me").await.is(200).body["username"], "eve");
    }

    async fn an_old_user_code_can_be_approved(old: Upgraded) {
        let eve = old.resume("eve").await;
        let code = old.secret("eve", "user_code");
        let seen = eve
            .tell("/auth/device/look", json!({"user_code": code}))
            .await
            .is(200)
            .body;
        let decision =
            json!({"user_code": code, "request": seen["request"], "decision": "approve"});
        eve.tell("/auth/device/decide", decision).await.is(204);
        eve.tell("/auth/device/look", json!({"user_code": code}))
            .await
            .is(404);
        poll(&eve, old.secret("eve", "pending_device_code"))
            .await
            .is(200);
    }

    async fn an_old_mfa_challenge_is_completed(old: Upgraded) {
        // The code of the present step has been used.
        let otp = old.totp("finn", "totp").shows(&old.app, 1);
        let anonymous = old.app.anonymous();
        let second = anonymous
            .post("/sign-in/second")
            .header("sec-fetch-site", "same-origin");
        let second = second
            .header("cookie", old.secret("finn", "mfa_cookie"))
            .form(&[("otp", otp)]);
        let signed_in = anonymous.ask(second).await.is(303);
        let session = set_cookie_pair(&signed_in, "__Host-strongroom").unwrap();
        assert_eq!(
            old.get_with_cookie(&session, "/auth/me").await.is(200).body["username"],
            "finn"
        );
    }

    async fn an_old_totp_enrollment_is_confirmed(old: Upgraded) {
        let cleo = old.resume("cleo").await;
        let code = old.totp("cleo", "totp_enrollment").shows(&old.app, 0);
        let codes = cleo
            .tell("/auth/totp/confirm", json!({"code": code}))
            .await
            .is(201)
            .body;
        assert_eq!(codes["recovery_codes"].as_array().map(Vec::len), Some(10));
    }

    async fn an_old_passkey_registration_is_finished(old: Upgraded) {
        let cleo = old.resume("cleo").await;
        let begun: &Value = &old.secrets["cleo"]["passkey_registration"];
        let credential = TestAuthenticator::at(ORIGIN).create(&begun["publicKey"]);
        let body = json!({"ceremony": begun["ceremony"], "name": "Key", "credential": credential});
        cleo.tell("/auth/passkeys", body).await.is(201);
    }
}
