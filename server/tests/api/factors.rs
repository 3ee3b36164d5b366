//! Second factors: enrollment, verification, single use and removal.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use server::{
    ConfigSource,
    config::factors::{FactorRequirementSetting, FactorsSection},
};

use crate::{
    accounts::refresh_token,
    app::{Client, PASSWORD, TestApp},
    both,
    passkey_device::TestAuthenticator,
    passkeys::{ORIGIN, passkey_app, register_passkey, sign_in_with_passkey},
    session_end::session_cookie,
    totp::{client_from, enroll_totp, sign_in_with_otp},
};

const TOTP_STEP: Duration = Duration::from_secs(30);

/// A personal token that works.
async fn create_ci_token(app: &TestApp, owner: &Client) -> Client {
    let token = json!({"name": "ci", "scopes": ["files:read"], "expires_in_days": 30});
    let made = owner.post("/auth/tokens", token).await.expect_status(201);
    let token = made.body["token"].as_str().unwrap().to_owned();
    let personal = Client {
        token: Some(token),
        ..app.anonymous()
    };
    personal.get("/auth/me").await.expect_status(200);
    personal
}

async fn assert_sessions_ended(others: &[Client], personal: &Client) {
    for other in others {
        other.get("/auth/me").await.expect_status(401);
        refresh_token(other, &other.refresh)
            .await
            .expect_status(400);
    }
    personal.get("/auth/me").await.expect_status(401);
}

both! {
    async fn totp_enrollment_is_confirmed_by_a_code(app: TestApp) {
        let ada = app.editor("ada").await;
        let begun = ada.post("/auth/totp", Value::Null).await.expect_status(200).body;
        assert!(begun["uri"].as_str().unwrap().starts_with("otpauth://totp/Strongroom%20%28strongroom.test%29:ada?"));
        let picture = begun["qr"].as_str().unwrap();
        assert!(picture.contains("<svg") && !picture.contains("<script") && !picture.contains("style="));
        assert_eq!(ada.get("/auth/me").await.expect_status(200).body["mfa"], false, "not enabled until confirmed");
        for wrong in ["000000", "", "12345", "abcdef"] {
            let answer = ada.post("/auth/totp/confirm", json!({"code": wrong})).await.expect_status(422);
            assert_eq!(answer.body["errors"][0]["pointer"], "/code");
        }
        sign_in_with_otp(&app, "ada", None).await.expect_status(200);
        let (_, codes) = enroll_totp(&app, &ada).await;
        assert_eq!(codes.iter().collect::<std::collections::HashSet<_>>().len(), 10);
        assert_eq!(ada.get("/auth/me").await.expect_status(200).body["mfa"], true);
        let ways = ada.get("/auth/factors").await.expect_status(200).body;
        assert_eq!((&ways["factors"][0]["kind"], &ways["recovery_codes_left"]), (&json!("totp"), &json!(10)));
        ada.post("/auth/totp", Value::Null).await.expect_status(409);
        ada.post("/auth/totp/confirm", json!({"code": "123456"})).await.expect_status(409);
    }

    async fn password_without_second_factor_returns_mfa_required(app: TestApp) {
        let ada = app.editor("ada").await;
        let (phone, _) = enroll_totp(&app, &ada).await;
        let answer = sign_in_with_otp(&app, "ada", None).await.expect_status(401);
        assert_eq!(answer.body["error"], "mfa_required");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        app.advance_clock(TOTP_STEP);
        let tokens = sign_in_with_otp(&app, "ada", Some(&phone.shows(&app, 0))).await.expect_status(200);
        let claims = tokens.body["access_token"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
        let claims: Value = serde_json::from_slice(&base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims).unwrap()).unwrap();
        assert_eq!(claims["amr"], json!(["pwd", "otp", "mfa"]));
        let again = client_from(&app, "ada", &tokens);
        refresh_token(&again, &again.refresh).await.expect_status(200);
    }

    async fn wrong_password_does_not_reveal_or_consume_factors(app: TestApp) {
        let (ada, _) = (app.editor("ada").await, app.editor("bob").await);
        let (phone, codes) = enroll_totp(&app, &ada).await;
        app.advance_clock(TOTP_STEP);
        let mut answers = Vec::new();
        for (name, otp) in [("ada", Some(phone.shows(&app, 0))), ("ada", Some(codes[0].clone())), ("ada", None), ("bob", Some("123456".to_owned())), ("nobody", None)] {
            let mut form = vec![("username", name.to_owned()), ("password", "wrong wrong wrong".to_owned())];
            form.extend(otp.map(|otp| ("otp", otp)));
            let anonymous = app.anonymous();
            let mut answer = anonymous.send(anonymous.post_request("/auth/token").form(&form)).await.expect_status(401).expect_detail("Incorrect username or password");
            answer.body["request_id"].take();
            answers.push(answer.body);
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
        // The code of the failed attempt is not consumed.
        sign_in_with_otp(&app, "ada", Some(&phone.shows(&app, 0))).await.expect_status(200);
        sign_in_with_otp(&app, "ada", Some(&codes[0])).await.expect_status(200);
    }

    async fn replayed_totp_code_is_rejected(app: TestApp) {
        let ada = app.editor("ada").await;
        let begun = ada.post("/auth/totp", Value::Null).await.expect_status(200).body;
        let phone = crate::totp::TotpDevice::from_base32(begun["secret"].as_str().unwrap());
        let first = phone.shows(&app, 0);
        ada.post("/auth/totp/confirm", json!({"code": first})).await.expect_status(201);
        assert_eq!(sign_in_with_otp(&app, "ada", Some(&first)).await.expect_status(401).body["error"], "invalid_grant", "the enrollment code is used up");
        app.advance_clock(TOTP_STEP);
        let second = phone.shows(&app, 0);
        sign_in_with_otp(&app, "ada", Some(&second)).await.expect_status(200);
        sign_in_with_otp(&app, "ada", Some(&second)).await.expect_status(401);
        app.advance_clock(TOTP_STEP);
        sign_in_with_otp(&app, "ada", Some(&second)).await.expect_status(401);
        // A code of the next time step is accepted. Then the present one is too old.
        sign_in_with_otp(&app, "ada", Some(&phone.shows(&app, 1))).await.expect_status(200);
        sign_in_with_otp(&app, "ada", Some(&phone.shows(&app, 0))).await.expect_status(401);
        sign_in_with_otp(&app, "ada", Some(&phone.shows(&app, 3))).await.expect_status(401);
    }

    async fn parallel_uses_of_one_code_sign_in_once(app: TestApp) {
        let ada = app.editor("ada").await;
        let (phone, codes) = enroll_totp(&app, &ada).await;
        app.advance_clock(TOTP_STEP);
        for code in [phone.shows(&app, 0), codes[0].clone()] {
            let tries = (0..8).map(|_| sign_in_with_otp(&app, "ada", Some(&code)));
            let answers = futures_util::future::join_all(tries).await;
            let good = answers.iter().filter(|answer| answer.status() == 200).count();
            assert_eq!(good, 1, "{:?}", answers.iter().map(super::response::TestResponse::status).collect::<Vec<_>>());
        }
    }

    async fn recovery_code_works_once_until_replaced(app: TestApp) {
        let ada = app.editor("ada").await;
        ada.post("/auth/recovery-codes", Value::Null).await.expect_status(404);
        let (_, codes) = enroll_totp(&app, &ada).await;
        sign_in_with_otp(&app, "ada", Some(&codes[0].to_lowercase().replace('-', " "))).await.expect_status(200);
        sign_in_with_otp(&app, "ada", Some(&codes[0])).await.expect_status(401);
        assert_eq!(ada.get("/auth/factors").await.expect_status(200).body["recovery_codes_left"], 9);
        let fresh = ada.post("/auth/recovery-codes", Value::Null).await.expect_status(201).body;
        sign_in_with_otp(&app, "ada", Some(&codes[1])).await.expect_status(401);
        sign_in_with_otp(&app, "ada", fresh["recovery_codes"][0].as_str()).await.expect_status(200);
        let stolen = app.editor("eve").await;
        enroll_totp(&app, &stolen).await;
        sign_in_with_otp(&app, "eve", fresh["recovery_codes"][1].as_str()).await.expect_status(401);
    }

    async fn api_factor_change_ends_other_sessions(app: TestApp) {
        let ada = app.editor("ada").await;
        let others = [app.sign_in("ada").await, app.sign_in("ada").await];
        let cookie = session_cookie(&app, "ada", None).await;
        let browser = || app.anonymous().get_request("/auth/me").header("cookie", &cookie);
        app.anonymous().send(browser()).await.expect_status(200);
        let personal = create_ci_token(&app, &ada).await;
        let (_, codes) = enroll_totp(&app, &ada).await;
        assert_sessions_ended(&others, &personal).await;
        app.anonymous().send(browser()).await.expect_status(401);
        ada.get("/auth/me").await.expect_status(200);
        refresh_token(&ada, &ada.refresh).await.expect_status(200);
        let id = ada.get("/auth/factors").await.expect_status(200).body["factors"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/auth/factors/{id}");
        let name = |name: &str| ada.request_builder(Method::PATCH, &path).json(&json!({"name": name}));
        ada.send(name("My phone")).await.expect_status(204);
        assert_eq!(ada.send(name(" ")).await.expect_status(422).body["errors"][0]["pointer"], "/name");
        let eve = app.editor("eve").await;
        eve.send(eve.request_builder(Method::PATCH, &path).json(&json!({"name": "mine"}))).await.expect_status(404);
        eve.send(eve.delete_request(&path)).await.expect_status(404);
        let sign_in = async |code: &String| client_from(&app, "ada", &sign_in_with_otp(&app, "ada", Some(code)).await.expect_status(200));
        let others = [sign_in(&codes[0]).await, sign_in(&codes[1]).await];
        let personal = create_ci_token(&app, &ada).await;
        ada.send(ada.delete_request(&path)).await.expect_status(204);
        assert_sessions_ended(&others, &personal).await;
        ada.get("/auth/me").await.expect_status(200);
        let ways = ada.get("/auth/factors").await.expect_status(200).body;
        assert_eq!((&ways["factors"], &ways["recovery_codes_left"]), (&json!([]), &json!(0)));
        sign_in_with_otp(&app, "ada", None).await.expect_status(200);
    }

    async fn totp_throttle_spans_sign_in_and_step_up(app: TestApp) {
        let ada = app.editor("ada").await;
        let (phone, _) = enroll_totp(&app, &ada).await;
        app.advance_clock(TOTP_STEP);
        // An attacker with the password cannot guess codes: a correct password does not reset the
        // count of the app.
        let mut waits = 0;
        for n in 0..60 {
            let answer = sign_in_with_otp(&app, "ada", Some(&format!("{n:06}"))).await;
            assert!([401, 429].contains(&answer.status()), "{}", answer.text);
            waits += u32::from(answer.status() == 429);
        }
        assert!(waits > 0, "60 codes were checked without throttling");
        // Independent of the speed of this machine: the next wait is longer.
        for n in 0..6 {
            app.advance_clock(Duration::from_secs(20));
            // Whether the present wait is over depends on the speed of this machine.
            sign_in_with_otp(&app, "ada", Some(&format!("{n:06}"))).await.expect_status_in(&[401, 429]);
        }
        // The other endpoints that accept the code share the same throttle.
        let body = json!({"password": PASSWORD, "otp": phone.shows(&app, 0)});
        ada.post("/auth/step-up", body).await.expect_status(429);
    }

    async fn factor_changes_require_step_up(app: TestApp) {
        let ada = app.editor("ada").await;
        let (phone, _) = enroll_totp(&app, &ada).await;
        app.advance_clock(Duration::from_mins(11));
        let id = ada.get("/auth/factors").await.expect_status(200).body["factors"][0]["id"].as_str().unwrap().to_owned();
        let remove = || ada.send(ada.delete_request(&format!("/auth/factors/{id}")));
        let refused = remove().await.expect_status(401);
        assert_eq!(refused.body["error"], "insufficient_user_authentication");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer error=\"insufficient_user_authentication\", max_age=600"));
        ada.post("/auth/recovery-codes", Value::Null).await.expect_status(401);
        let password = json!({"current_password": PASSWORD, "new_password": "four quiet lathes hum"});
        ada.send(ada.put_request("/auth/me/password").json(&password)).await.expect_status(401);
        let step_up = |password: &str, otp: Option<String>| ada.post("/auth/step-up", json!({"password": password, "otp": otp}));
        let needs = ada.get("/auth/step-up").await.expect_status(200).body;
        assert_eq!(needs, json!({"recent": false, "max_age": 600, "otp": true, "app": true, "passkey": false, "providers": []}));
        step_up("wrong wrong wrong", Some(phone.shows(&app, 0))).await.expect_status(403);
        assert_eq!(step_up(PASSWORD, None).await.expect_status(401).body["error"], "mfa_required");
        step_up(PASSWORD, Some("000000".to_owned())).await.expect_status(403);
        let done = step_up(PASSWORD, Some(phone.shows(&app, 0))).await.expect_status(200).body;
        assert!(done["access_token"].is_string());
        step_up(PASSWORD, Some(phone.shows(&app, 0))).await.expect_status(403);
        remove().await.expect_status(204);
    }

    async fn administrator_factor_reset_requires_a_reason(app: TestApp) {
        let (root, ada) = (app.administrator("root").await, app.editor("ada").await);
        enroll_totp(&app, &ada).await;
        assert_eq!(root.get("/api/users/ada").await.expect_status(200).body["mfa"], true);
        let recover = |reason: &str| root.post("/api/users/ada/recover", json!({"reason": reason}));
        assert_eq!(recover("  ").await.expect_status(422).body["errors"][0]["pointer"], "/reason");
        ada.post("/api/users/ada/recover", json!({"reason": "mine"})).await.expect_status(403);
        recover("Lost the phone; called back").await.expect_status(204);
        ada.get("/auth/me").await.expect_status(401);
        assert_eq!(root.get("/api/users/ada").await.expect_status(200).body["mfa"], false);
        sign_in_with_otp(&app, "ada", None).await.expect_status(200);
        root.post("/api/users/nobody/recover", json!({"reason": "x"})).await.expect_status(404);
        app.advance_clock(Duration::from_mins(11));
        recover("again").await.expect_status(401);
        // The refused attempts leave no entry.
        let root = app.sign_in("root").await;
        let entries = root.get("/api/audit?action=factors.recovered").await.expect_status(200).body;
        assert_eq!(entries.as_array().unwrap().len(), 1, "{entries}");
        assert_eq!(entries[0]["reason"], "Lost the phone; called back");
        assert_eq!((&entries[0]["actor"], &entries[0]["subject"]), (&json!("root"), &json!("ada")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn factor_reset_removes_app_passkey_and_recovery_codes() {
    let app = passkey_app().await;
    let (root, ada) = (app.administrator("root").await, app.editor("ada").await);
    let mut phone = TestAuthenticator::new(ORIGIN);
    register_passkey(&ada, &mut phone, "Phone")
        .await
        .expect_status(201);
    let (_, codes) = enroll_totp(&app, &ada).await;
    sign_in_with_passkey(&app, &mut phone)
        .await
        .expect_status(204);
    root.post("/api/users/ada/recover", json!({"reason": "Lost"}))
        .await
        .expect_status(204);
    sign_in_with_passkey(&app, &mut phone)
        .await
        .expect_status(401);
    let again = client_from(
        &app,
        "ada",
        &sign_in_with_otp(&app, "ada", None).await.expect_status(200),
    );
    let left = again.get("/auth/factors").await.expect_status(200).body;
    assert_eq!(left["factors"], json!([]), "of {} codes", codes.len());
    assert_eq!(left["recovery_codes_left"], 0);
}

fn requiring_factors(required: FactorRequirementSetting) -> ConfigSource {
    ConfigSource {
        factors: Some(FactorsSection {
            required: Some(required),
        }),
        ..ConfigSource::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn required_second_factor_restricts_session_to_enrollment() {
    let app = TestApp::with_settings(requiring_factors(FactorRequirementSetting::All)).await;
    let ada = app.editor("ada").await;
    for path in [
        "/api/files",
        "/api/vaults",
        "/auth/sessions",
        "/auth/tokens",
    ] {
        let refused = ada.get(path).await.expect_status(403);
        assert_eq!(refused.body["error"], "mfa_enrolment_required", "{path}");
    }
    ada.send(
        ada.put_request("/auth/me/password")
            .json(&json!({"current_password": PASSWORD, "new_password": "four quiet lathes hum"})),
    )
    .await
    .expect_status(403);
    ada.post("/auth/ws-ticket", Value::Null)
        .await
        .expect_status(403);
    ada.get("/auth/me").await.expect_status(200);
    assert_eq!(
        ada.get("/auth/factors").await.expect_status(200).body["required"],
        true
    );
    let (phone, _) = enroll_totp(&app, &ada).await;
    ada.get("/api/files").await.expect_status(200);
    let id = ada.get("/auth/factors").await.expect_status(200).body["factors"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    ada.send(ada.delete_request(&format!("/auth/factors/{id}")))
        .await
        .expect_status(409);
    app.advance_clock(TOTP_STEP);
    let again = client_from(
        &app,
        "ada",
        &sign_in_with_otp(&app, "ada", Some(&phone.shows(&app, 0)))
            .await
            .expect_status(200),
    );
    again.get("/api/files").await.expect_status(200);
    let leaving = app.editor("eve").await;
    leaving
        .post("/auth/logout", Value::Null)
        .await
        .expect_status(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn second_factor_required_of_administrators_exempts_editors() {
    let app =
        TestApp::with_settings(requiring_factors(FactorRequirementSetting::Administrators)).await;
    let (root, ada) = (app.administrator("root").await, app.editor("ada").await);
    ada.get("/api/files").await.expect_status(200);
    root.get("/api/users").await.expect_status(403);
    enroll_totp(&app, &root).await;
    root.get("/api/users").await.expect_status(200);
    // A new administrator must enroll a factor first.
    root.send(
        root.request_builder(Method::PATCH, "/api/users/ada")
            .json(&json!({"is_admin": true})),
    )
    .await
    .expect_status(200);
    assert_eq!(
        ada.get("/api/files").await.expect_status(403).body["error"],
        "mfa_enrolment_required"
    );
}
