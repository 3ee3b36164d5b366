//! What a password must be, wherever one is set.

use auth::breach;
use serde_json::json;
use server::{
    Partial,
    config::{
        factors::{FactorsSection, RequiredOf},
        passwords::PasswordSection,
    },
};

use crate::{
    app::{Answer, Client, PASSWORD, TestApp},
    authenticator::with_app,
    both,
};

const NEW: &str = "seven copper kettles sing";

async fn check(app: &TestApp, body: serde_json::Value) -> Answer {
    let anonymous = app.anonymous();
    let request = anonymous
        .post("/auth/password-check")
        .header("sec-fetch-site", "same-origin");
    anonymous.ask(request.json(&body)).await
}

both! {
    async fn every_way_to_set_a_password_refuses_alike_and_says_what_to_change(app: TestApp) {
        let (root, ada) = (app.administrator("root").await, app.editor("ada").await);
        let link = root.tell("/api/users/ada/reset", serde_json::Value::Null).await.is(200).body;
        let token = link["link"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
        for (password, word) in [
            ("fourteen chars", "at least 15"),
            ("passwordpassword", "Many people"),
            ("Manchester United", "Many people"),
            ("abcabcabcabcabcabc", "guessed"),
            ("ada ada ada ada ada", "username"),
            ("Strongroom2026!", "Strongroom"),
        ] {
            // A name that is taken is told before anything is weighed.
            let register = json!({"username": "eve", "password": password.replace("ada", "eve")});
            let change = json!({"current_password": PASSWORD, "new_password": password});
            let reset = json!({"token": token, "new_password": password});
            for answer in [
                app.anonymous().tell("/auth/register", register).await,
                ada.ask(ada.put("/auth/me/password").json(&change)).await,
                app.anonymous().tell("/auth/reset/confirm", reset).await,
            ] {
                let answer = answer.is(422);
                assert!(answer.body["detail"].as_str().unwrap().contains(word), "{password}: {}", answer.text);
            }
        }
        let reset = json!({"token": token, "new_password": NEW});
        app.anonymous().tell("/auth/reset/confirm", reset).await.is(204);
    }

    async fn the_meter_says_what_setting_it_would_and_only_to_our_own_pages(app: TestApp) {
        let weight = check(&app, json!({"password": NEW})).await.is(200).body;
        assert_eq!((&weight["characters"], &weight["least"], &weight["detail"]), (&json!(25), &json!(15), &json!(null)));
        let weight = check(&app, json!({"password": "lovelace lovelace", "username": "lovelace"})).await.is(200).body;
        assert!(weight["detail"].as_str().unwrap().contains("username"));
        let weight = check(&app, json!({"password": "passwordpassword", "email": "half@"})).await.is(200).body;
        assert!(weight["strength"].as_u64().unwrap() < 3);
        app.anonymous().tell("/auth/password-check", json!({"password": NEW})).await.is(403);
        let mut last = 200;
        for _ in 0..100 {
            last = check(&app, json!({"password": "x"})).await.status;
        }
        assert_eq!(last, 429);
    }

    async fn the_pages_send_a_link_and_set_a_password_without_a_script(app: TestApp) {
        app.register_reader("ada").await;
        let anonymous = app.anonymous();
        let post = |path: &str, form: &[(&str, &str)]| {
            anonymous.ask(anonymous.post(path).header("sec-fetch-site", "same-origin").form(form))
        };
        assert!(anonymous.see("/sign-in").await.is(200).text.contains("href=\"/forgot\""));
        assert!(anonymous.see("/forgot").await.is(200).text.contains("name=\"account\""));
        let known = post("/forgot", &[("account", "ada")]).await.is(200).text;
        assert_eq!(post("/forgot", &[("account", "nobody")]).await.is(200).text, known);
        anonymous.ask(anonymous.post("/forgot").form(&[("account", "ada")])).await.is(403);
        let letter = app.letter_to("ada@example.org", 1).await;
        let page = anonymous.see("/reset").await.is(200);
        assert!(page.text.contains("autocomplete=\"new-password\""));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        let refused = post("/reset", &[("token", letter.secret()), ("password", "short")]).await.is(422);
        assert!(refused.text.contains(letter.secret()) && !refused.text.contains("short\""), "{}", refused.text);
        let done = post("/reset", &[("token", letter.secret()), ("password", NEW)]).await.is(200);
        assert!(done.text.contains("id=\"done\"") && done.header("set-cookie").is_none());
        post("/reset", &[("token", letter.secret()), ("password", NEW)]).await.is(403);
    }
}

fn asking_for_factors(required: RequiredOf) -> Partial {
    Partial {
        factors: Some(FactorsSection {
            required: Some(required),
        }),
        ..Partial::default()
    }
}

/// What the page asks for, and says.
async fn least_on(client: &Client, path: &str) -> String {
    let page = client.see(path).await.is(200).text;
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
async fn the_pages_ask_for_eight_characters_where_a_second_factor_is_asked_of_everybody() {
    for (required, least) in [
        (RequiredOf::Optional, "15"),
        (RequiredOf::Administrators, "15"),
        (RequiredOf::All, "8"),
    ] {
        let app = TestApp::with(asking_for_factors(required)).await;
        for path in ["/sign-up", "/join", "/reset", "/first"] {
            assert_eq!(
                least_on(&app.anonymous(), path).await,
                least,
                "{required:?} {path}"
            );
        }
        let asked = check(&app, json!({"password": "xK7vq2Wz"}))
            .await
            .is(200)
            .body;
        assert_eq!(asked["least"].to_string(), least);
        assert_eq!(asked["detail"].is_null(), least == "8");
        let new = json!({"username": "ada", "password": "xK7vq2Wz"});
        app.anonymous()
            .tell("/auth/register", new)
            .await
            .is(if least == "8" { 201 } else { 422 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_page_asks_for_what_ones_own_account_needs() {
    let app = TestApp::with(asking_for_factors(RequiredOf::Administrators)).await;
    let (root, ada) = (app.administrator("root").await, app.editor("ada").await);
    with_app(&app, &root).await;
    for (page, name, least) in [(root, "root", "8"), (ada, "ada", "15")] {
        assert_eq!(least_on(&page, "/account").await, least, "{name}");
        let request = page
            .post("/auth/password-check")
            .header("sec-fetch-site", "same-origin");
        let asked = page
            .ask(request.json(&json!({"password": "xK7vq2Wz", "username": name})))
            .await
            .is(200)
            .body;
        assert_eq!(asked["least"].to_string(), least, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_own_words_make_no_password_and_a_bad_one_stops_the_start() {
    let words = |words: &[&str]| Partial {
        passwords: PasswordSection {
            context_words: Some(words.iter().map(ToString::to_string).collect()),
            ..PasswordSection::default()
        },
        ..Partial::default()
    };
    let app = TestApp::with(words(&["Acme", "Haas VF-2"])).await;
    let refused = json!({"username": "ada", "password": "HaasVF2 at ACME!"});
    let answer = app
        .anonymous()
        .tell("/auth/register", refused)
        .await
        .is(422);
    assert!(
        answer.body["detail"]
            .as_str()
            .unwrap()
            .contains("everybody here knows"),
        "{}",
        answer.text
    );
    let taken = json!({"username": "ada", "password": "the haas sings while nine owls count"});
    app.anonymous().tell("/auth/register", taken).await.is(201);

    let folder = tempfile::tempdir().unwrap();
    let config = Partial {
        data: Some(folder.path().to_owned()),
        ..words(&["ok then", "x"])
    }
    .decide()
    .unwrap();
    let refused = server::serve::open(&config, auth::Clock::system())
        .await
        .unwrap_err();
    assert!(
        format!("{refused:#}").contains("passwords.context_words: \"x\": a word has 3"),
        "{refused:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_stolen_elsewhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("breach.filter");
    // SHA-1 of "seven copper kettles sing".
    let sha1 =
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, NEW.as_bytes());
    breach::build(format!("{}:3\n", hex::encode_upper(sha1)).as_bytes(), &path).unwrap();
    let passwords = PasswordSection {
        breach_file: Some(path),
        ..PasswordSection::default()
    };
    let app = TestApp::with(Partial {
        passwords,
        ..Partial::default()
    })
    .await;
    let answer = app
        .anonymous()
        .tell(
            "/auth/register",
            json!({"username": "ada", "password": NEW}),
        )
        .await
        .is(422);
    assert!(answer.body["detail"].as_str().unwrap().contains("stolen"));
    app.anonymous()
        .tell(
            "/auth/register",
            json!({"username": "ada", "password": PASSWORD}),
        )
        .await
        .is(201);
}

#[test]
fn a_broken_breach_list_or_pepper_file_stops_the_start_with_a_word_on_it() {
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
            let config = Partial {
                passwords,
                data,
                ..Partial::default()
            }
            .decide()
            .unwrap();
            let refused = runtime
                .block_on(server::serve::open(&config, auth::Clock::system()))
                .unwrap_err();
            assert!(format!("{refused:#}").contains(word), "{refused:#}");
        }
    }
}
