//! Password rules, at every endpoint that sets a password.

use auth::password::breach;
use serde_json::json;
use server::{
    ConfigSource,
    config::{
        factors::{FactorRequirementSetting, FactorsSection},
        passwords::PasswordSection,
    },
};

use crate::{
    app::{Client, PASSWORD, TestApp, TestResponse},
    both,
    totp::enroll_totp,
};

const NEW_PASSWORD: &str = "seven copper kettles sing";

async fn rate_password(app: &TestApp, body: serde_json::Value) -> TestResponse {
    let anonymous = app.anonymous();
    let request = anonymous
        .post_request("/auth/password-check")
        .header("sec-fetch-site", "same-origin");
    anonymous.send(request.json(&body)).await
}

both! {
    async fn password_rules_apply_at_registration_change_and_reset(app: TestApp) {
        let (root, ada) = (app.administrator("root").await, app.editor("ada").await);
        let link = root.post("/api/users/ada/reset", serde_json::Value::Null).await.expect_status(200).body;
        let token = link["link"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
        for (password, word) in [
            ("fourteen chars", "at least 15"),
            ("passwordpassword", "too common"),
            ("Manchester United", "too common"),
            ("abcabcabcabcabcabc", "easy to guess"),
            ("ada ada ada ada ada", "username"),
            ("Strongroom2026!", "Strongroom"),
        ] {
            // A username conflict is reported before the password is checked.
            let register = json!({"username": "eve", "password": password.replace("ada", "eve")});
            let change = json!({"current_password": PASSWORD, "new_password": password});
            let reset = json!({"token": token, "new_password": password});
            for answer in [
                app.anonymous().post("/auth/register", register).await,
                ada.send(ada.put_request("/auth/me/password").json(&change)).await,
                app.anonymous().post("/auth/reset/confirm", reset).await,
            ] {
                let answer = answer.expect_status(422);
                assert!(answer.body["detail"].as_str().unwrap().contains(word), "{password}: {}", answer.text);
            }
        }
        let reset = json!({"token": token, "new_password": NEW_PASSWORD});
        app.anonymous().post("/auth/reset/confirm", reset).await.expect_status(204);
    }

    async fn password_strength_check_is_same_origin_and_limited(app: TestApp) {
        let weight = rate_password(&app, json!({"password": NEW_PASSWORD})).await.expect_status(200).body;
        assert_eq!((&weight["characters"], &weight["least"], &weight["detail"]), (&json!(25), &json!(15), &json!(null)));
        let weight = rate_password(&app, json!({"password": "lovelace lovelace", "username": "lovelace"})).await.expect_status(200).body;
        assert!(weight["detail"].as_str().unwrap().contains("username"));
        let weight = rate_password(&app, json!({"password": "passwordpassword", "email": "half@"})).await.expect_status(200).body;
        assert!(weight["strength"].as_u64().unwrap() < 3);
        app.anonymous().post("/auth/password-check", json!({"password": NEW_PASSWORD})).await.expect_status(403);
        let mut last = 200;
        for _ in 0..100 {
            last = rate_password(&app, json!({"password": "x"})).await.status();
        }
        assert_eq!(last, 429);
    }

    async fn password_reset_pages_work_without_javascript(app: TestApp) {
        app.register_with_verified_email("ada").await;
        let anonymous = app.anonymous();
        let post = |path: &str, form: &[(&str, &str)]| {
            anonymous.send(anonymous.post_request(path).header("sec-fetch-site", "same-origin").form(form))
        };
        assert!(anonymous.get("/sign-in").await.expect_status(200).text.contains("href=\"/forgot\""));
        assert!(anonymous.get("/forgot").await.expect_status(200).text.contains("name=\"account\""));
        let known = post("/forgot", &[("account", "ada")]).await.expect_status(200).text;
        assert_eq!(post("/forgot", &[("account", "nobody")]).await.expect_status(200).text, known);
        anonymous.send(anonymous.post_request("/forgot").form(&[("account", "ada")])).await.expect_status(403);
        let mail = app.wait_for_mail("ada@example.org", 1).await;
        let page = anonymous.get("/reset").await.expect_status(200);
        assert!(page.text.contains("autocomplete=\"new-password\""));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        let refused = post("/reset", &[("token", mail.token()), ("password", "short")]).await.expect_status(422);
        assert!(refused.text.contains(mail.token()) && !refused.text.contains("short\""), "{}", refused.text);
        let done = post("/reset", &[("token", mail.token()), ("password", NEW_PASSWORD)]).await.expect_status(200);
        assert!(done.text.contains("id=\"done\"") && done.header("set-cookie").is_none());
        post("/reset", &[("token", mail.token()), ("password", NEW_PASSWORD)]).await.expect_status(403);
    }
}

fn requiring_factors(required: FactorRequirementSetting) -> ConfigSource {
    ConfigSource {
        factors: Some(FactorsSection {
            required: Some(required),
        }),
        ..ConfigSource::default()
    }
}

/// The minimum length that the page requires and shows.
async fn min_length_on(client: &Client, path: &str) -> String {
    let page = client.get(path).await.expect_status(200).text;
    let least = page
        .split_once("minlength=\"")
        .unwrap()
        .1
        .split_once('"')
        .unwrap()
        .0
        .to_owned();
    assert!(
        page.contains(&format!("At least {least} characters")),
        "{path}"
    );
    least
}

#[tokio::test(flavor = "multi_thread")]
async fn password_minimum_on_pages_follows_factor_setting() {
    for (required, least) in [
        (FactorRequirementSetting::Optional, "15"),
        (FactorRequirementSetting::Administrators, "15"),
        (FactorRequirementSetting::All, "8"),
    ] {
        let app = TestApp::with_settings(requiring_factors(required)).await;
        for path in ["/sign-up", "/join", "/reset", "/first"] {
            assert_eq!(
                min_length_on(&app.anonymous(), path).await,
                least,
                "{required:?} {path}"
            );
        }
        let asked = rate_password(&app, json!({"password": "xK7vq2Wz"}))
            .await
            .expect_status(200)
            .body;
        assert_eq!(asked["least"].to_string(), least);
        assert_eq!(asked["detail"].is_null(), least == "8");
        let new = json!({"username": "ada", "password": "xK7vq2Wz"});
        app.anonymous()
            .post("/auth/register", new)
            .await
            .expect_status(if least == "8" { 201 } else { 422 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn account_page_shows_the_accounts_password_minimum() {
    let app =
        TestApp::with_settings(requiring_factors(FactorRequirementSetting::Administrators)).await;
    let (root, ada) = (app.administrator("root").await, app.editor("ada").await);
    enroll_totp(&app, &root).await;
    for (page, name, least) in [(root, "root", "8"), (ada, "ada", "15")] {
        assert_eq!(min_length_on(&page, "/account").await, least, "{name}");
        let request = page
            .post_request("/auth/password-check")
            .header("sec-fetch-site", "same-origin");
        let asked = page
            .send(request.json(&json!({"password": "xK7vq2Wz", "username": name})))
            .await
            .expect_status(200)
            .body;
        assert_eq!(asked["least"].to_string(), least, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn context_words_reject_passwords_and_are_validated() {
    let words = |words: &[&str]| ConfigSource {
        passwords: PasswordSection {
            context_words: Some(words.iter().map(ToString::to_string).collect()),
            ..PasswordSection::default()
        },
        ..ConfigSource::default()
    };
    let app = TestApp::with_settings(words(&["Acme", "Haas VF-2"])).await;
    let refused = json!({"username": "ada", "password": "HaasVF2 at ACME!"});
    let answer = app
        .anonymous()
        .post("/auth/register", refused)
        .await
        .expect_status(422);
    assert!(
        answer.body["detail"]
            .as_str()
            .unwrap()
            .contains("known to all users"),
        "{}",
        answer.text
    );
    let taken = json!({"username": "ada", "password": "the haas sings while nine owls count"});
    app.anonymous()
        .post("/auth/register", taken)
        .await
        .expect_status(201);

    let folder = tempfile::tempdir().unwrap();
    let config = ConfigSource {
        data: Some(folder.path().to_owned()),
        ..words(&["ok then", "x"])
    }
    .resolve()
    .unwrap();
    let refused = server::installation::open(&config, auth::Clock::system())
        .await
        .unwrap_err();
    assert!(
        format!("{refused:#}").contains("passwords.context_words: \"x\": a word must have 3"),
        "{refused:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn breached_password_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("breach.filter");
    // SHA-1 of "seven copper kettles sing".
    let sha1 = aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY,
        NEW_PASSWORD.as_bytes(),
    );
    breach::build(format!("{}:3\n", hex::encode_upper(sha1)).as_bytes(), &path).unwrap();
    let passwords = PasswordSection {
        breach_file: Some(path),
        ..PasswordSection::default()
    };
    let app = TestApp::with_settings(ConfigSource {
        passwords,
        ..ConfigSource::default()
    })
    .await;
    let answer = app
        .anonymous()
        .post(
            "/auth/register",
            json!({"username": "ada", "password": NEW_PASSWORD}),
        )
        .await
        .expect_status(422);
    assert!(answer.body["detail"].as_str().unwrap().contains("stolen"));
    app.anonymous()
        .post(
            "/auth/register",
            json!({"username": "ada", "password": PASSWORD}),
        )
        .await
        .expect_status(201);
}

#[test]
fn malformed_breach_or_pepper_file_fails_startup() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for bytes in ["", "no list"] {
        std::fs::write(&path, bytes).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        for (passwords, word) in [
            (
                PasswordSection {
                    breach_file: Some(path.clone()),
                    ..PasswordSection::default()
                },
                "breach build",
            ),
            (
                PasswordSection {
                    pepper_file: Some(path.clone()),
                    ..PasswordSection::default()
                },
                "pepper_file",
            ),
        ] {
            let data = Some(folder.path().join("data"));
            let config = ConfigSource {
                passwords,
                data,
                ..ConfigSource::default()
            }
            .resolve()
            .unwrap();
            let refused = runtime
                .block_on(server::installation::open(&config, auth::Clock::system()))
                .unwrap_err();
            assert!(format!("{refused:#}").contains(word), "{refused:#}");
        }
    }
}
