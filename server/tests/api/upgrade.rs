//! The program opens a data folder that its first version made, and everything in it still works.
//! `tests/fixtures/v0/README.md` says what is in it.

mod files;
mod fixture;
mod pending;
mod rows;

use serde_json::{Value, json};

use crate::{
    accounts::refresh_token,
    app::Client,
    passkey_device::TestAuthenticator,
    passkeys::{self, ORIGIN},
};

/// Runs each test on both fixtures: `upgraded!(async fn a_promise(old: Upgraded) { … });`
macro_rules! upgraded {
    ($(async fn $name:ident($old:ident: Upgraded) $body:block)*) => {$(
        async fn $name($old: $crate::upgrade::fixture::Upgraded) $body

        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                super::$name($crate::upgrade::fixture::Upgraded::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgresql() {
                if let Some(old) = $crate::upgrade::fixture::Upgraded::postgresql().await {
                    super::$name(old).await;
                }
            }
        }
    )*};
}
use upgraded;

upgraded! {
    async fn old_refresh_tokens_give_new_tokens(old: Upgraded) {
        for (owner, token, scopes) in [
            ("ada", "refresh", "files:read files:write locks:override admin account"),
            ("eve", "device_refresh", "files:read files:write"),
            ("eve", "code_refresh", "files:read"),
        ] {
            let scopes: Vec<_> = scopes.split(' ').collect();
            let anonymous = old.app.anonymous();
            let tokens = refresh_token(&anonymous, old.secret(owner, token))
                .await
                .expect_status(200)
                .body;
            let client = Client {
                token: tokens["access_token"].as_str().map(str::to_owned),
                ..anonymous
            };
            let me = client.get("/auth/me").await.expect_status(200).body;
            assert_eq!(me["username"], owner);
            assert_eq!(me["scopes"], json!(scopes), "{token}");
            refresh_token(&client, tokens["refresh_token"].as_str().unwrap())
                .await
                .expect_status(200);
        }
    }

    async fn an_old_rotated_refresh_token_is_refused(old: Upgraded) {
        let refused = refresh_token(&old.app.anonymous(), old.secret("cleo", "rotated_refresh"))
            .await
            .expect_status(400);
        assert_eq!(refused.body["error"], "invalid_grant");
    }

    async fn an_old_access_token_is_accepted(old: Upgraded) {
        let client = Client {
            token: Some(old.secret("ada", "access").to_owned()),
            ..old.app.anonymous()
        };
        let me = client.get("/auth/me").await.expect_status(200).body;
        assert_eq!(
            (&me["username"], &me["display_name"]),
            (&json!("ada"), &json!("Ada Byron"))
        );
        assert_eq!(
            (&me["email"], &me["email_verified"]),
            (&json!("ada@example.org"), &json!(true))
        );
    }

    async fn old_cookies_are_accepted(old: Upgraded) {
        for owner in ["eve", "lin"] {
            let me = old
                .get_with_cookie(old.secret(owner, "cookie"), "/auth/me")
                .await
                .expect_status(200)
                .body;
            assert_eq!(me["username"], owner);
        }
    }

    async fn an_old_personal_token_keeps_its_limits(old: Upgraded) {
        let script = Client {
            token: Some(old.secret("eve", "personal_token").to_owned()),
            ..old.app.anonymous()
        };
        let me = script.get("/auth/me").await.expect_status(200).body;
        assert_eq!(
            (&me["username"], &me["scopes"]),
            (&json!("eve"), &json!(["files:read"]))
        );
        script.get("/api/files").await.expect_status(200);
        script.check_out("back.nc").await.expect_status(403);
        script.get("/auth/sessions").await.expect_status(403);
    }

    async fn passwords_of_every_old_hash_sign_in(old: Upgraded) {
        let password = old.secret("", "password");
        // The hash of `pia` uses the pepper of a replaced master key; that of `ivy` is bcrypt.
        for (username, password) in [
            ("pia", password),
            ("ivy", old.secret("ivy", "password")),
            ("root", password),
        ] {
            old.sign_in(username, password).await.expect_status(200);
        }
    }

    async fn disabled_deleted_and_reset_accounts_are_refused(old: Upgraded) {
        let password = old.secret("", "password");
        for username in ["dan", "gone"] {
            old.sign_in(username, password)
                .await
                .expect_status(401)
                .expect_detail("Incorrect username or password");
        }
        let refused = old.sign_in("remy", password).await.expect_status(403);
        assert_eq!(refused.body["error"], "password_reset_required");
        let taken = json!({"username": "gone", "password": password});
        old.app
            .anonymous()
            .post("/auth/register", taken)
            .await
            .expect_status(409);
    }

    async fn old_totp_and_recovery_codes_sign_in(old: Upgraded) {
        let password = old.secret("", "password");
        let refused = old.sign_in("ada", password).await.expect_status(401);
        assert_eq!(refused.body["error"], "mfa_required");
        let totp = old.totp("ada", "totp").shows(&old.app, 0);
        for (otp, status) in [
            (totp.as_str(), 200),
            (totp.as_str(), 401),
            (old.secret("ada", "used_recovery_code"), 401),
            (old.secret("ada", "recovery_code"), 200),
        ] {
            crate::totp::sign_in_with_otp(&old.app, "ada", Some(otp))
                .await
                .expect_status(status);
        }
    }

    async fn an_old_passkey_signs_in(old: Upgraded) {
        let mut phone = TestAuthenticator::from_json(&old.secrets["ada"]["passkey"], ORIGIN);
        // A signature counter that does not increase indicates a cloned authenticator (WebAuthn
        // §6.1.1).
        let counter = phone.counter;
        phone.counter = counter - 1;
        passkeys::sign_in_with_passkey(&old.app, &mut phone).await.expect_status(401);
        phone.counter = counter;
        let signed_in = passkeys::sign_in_with_passkey(&old.app, &mut phone).await.expect_status(204);
        let me = passkeys::get_with_cookie(&old.app, &signed_in, "/auth/me")
            .await
            .expect_status(200)
            .body;
        assert_eq!((&me["username"], &me["mfa"]), (&json!("ada"), &json!(true)));
    }

    async fn an_old_lockout_stands_and_known_sources_pass(old: Upgraded) {
        let password = old.secret("", "password");
        let anyone = old.app.anonymous();
        let form = [("username", "bob"), ("password", password)];
        let from = |address: &str| {
            anyone
                .post_request("/auth/token")
                .header("x-forwarded-for", address.to_owned())
                .form(&form)
        };
        anyone.send(from("198.51.100.250")).await.expect_status(429);
        anyone
            .send(from(old.secret("", "known_address")))
            .await
            .expect_status(200);
        let page = anyone
            .post_request("/sign-in")
            .header("sec-fetch-site", "same-origin")
            .form(&form);
        let page = page
            .header("x-forwarded-for", "198.51.100.251")
            .header("cookie", old.secret("bob", "device"));
        anyone.send(page).await.expect_status(303);
        let root = old.resume("root").await;
        let listed = root.get("/api/throttle").await.expect_status(200).body;
        let bob = listed
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["account"] == "bob")
            .unwrap();
        assert_eq!(bob["failures"], 100, "{bob}");
        root.send(root.delete_request("/api/throttle/accounts/bob"))
            .await
            .expect_status(204);
        anyone.send(from("198.51.100.250")).await.expect_status(200);
    }

    async fn answers_to_an_administrator_are_the_same(old: Upgraded) {
        let root = old.resume("root").await;
        let answers = old.secrets["answers"].as_object().unwrap();
        assert!(answers.len() > 10);
        for (path, before) in answers {
            let mut after = root.get(path).await.expect_status(200).body;
            remove_added_members(&mut after, before);
            assert_eq!(&after, before, "{path}");
        }
    }
}

/// Removes the members that later versions added, which old clients ignore.
fn remove_added_members(after: &mut Value, before: &Value) {
    match (after, before) {
        (Value::Array(after), Value::Array(before)) => {
            for (after, before) in after.iter_mut().zip(before) {
                remove_added_members(after, before);
            }
        }
        (Value::Object(after), Value::Object(before)) => {
            after.retain(|name, _| before.contains_key(name));
            for (name, after) in after {
                remove_added_members(after, &before[name]);
            }
        }
        _ => {}
    }
}
