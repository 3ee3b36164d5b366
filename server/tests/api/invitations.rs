//! Invitations: who can create them, which rights they grant, and when they expire.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use server::{
    ConfigSource,
    config::{RegistrationMode, RegistrationSection},
};

use crate::{
    app::{Client, PASSWORD, TestApp, TestResponse},
    both,
};

impl Client {
    /// Creates an invitation and returns its token.
    async fn create_invitation(&self, what: Value) -> String {
        token_from_link(&self.post("/auth/invites", what).await.expect_status(201))
    }
}

fn token_from_link(made: &TestResponse) -> String {
    let link = made.body["link"].as_str().unwrap();
    link.strip_prefix("http://strongroom.test/join#")
        .unwrap()
        .to_owned()
}

async fn register_with_invitation(app: &TestApp, name: &str, invite: &str) -> TestResponse {
    let body = json!({"username": name, "password": PASSWORD, "invite": invite});
    app.anonymous().post("/auth/register", body).await
}

async fn change_account(root: &Client, name: &str, what: Value) {
    root.send(
        root.request_builder(Method::PATCH, &format!("/api/users/{name}"))
            .json(&what),
    )
    .await
    .expect_status(200);
}

async fn set_role(root: &Client, name: &str, role: &str) {
    root.send(
        root.put_request(&format!("/api/vaults/main/members/{name}"))
            .json(&json!({"role": role})),
    )
    .await
    .expect_status(204);
}

async fn app_with_mode(mode: RegistrationMode) -> TestApp {
    let registration = RegistrationSection {
        mode: Some(mode),
        role: None,
    };
    TestApp::with_settings(ConfigSource {
        registration,
        ..ConfigSource::default()
    })
    .await
}

both! {
    async fn invitation_creates_one_account_with_its_roles(app: TestApp) {
        let root = app.administrator("root").await;
        root.post("/api/vaults", json!({"name": "attic"})).await.expect_status(201);
        let invite = root.create_invitation(json!({"roles": {"attic": "manager", "main": "viewer"}})).await;
        let made = register_with_invitation(&app, "ada", &invite).await.expect_status(201);
        assert_eq!(made.body, json!({"username": "ada", "display_name": null, "is_admin": false}));
        let vaults = app.sign_in("ada").await.get("/api/vaults").await.expect_status(200).body;
        // Registration is open, so the role in main is at least the default role.
        assert_eq!(vaults, json!([{"name": "attic", "role": "manager"}, {"name": "main", "role": "editor"}]));
        register_with_invitation(&app, "eve", &invite).await.expect_status(403).expect_detail("This invitation is no longer valid. Ask for a new one.");
        assert_eq!(root.get("/auth/invites").await.expect_status(200).body, json!([]));
    }

    async fn parallel_uses_of_an_invitation_register_one_account(app: TestApp) {
        let root = app.administrator("root").await;
        let invite = root.create_invitation(json!({"is_admin": true})).await;
        let names: Vec<String> = (0..8).map(|n| format!("u{n}")).collect();
        let answers = join_all(names.iter().map(|name| register_with_invitation(&app, name, &invite))).await;
        let mut statuses: Vec<u16> = answers.iter().map(super::response::TestResponse::status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 403, 403, 403, 403, 403, 403, 403]);
        assert_eq!(root.get("/api/users").await.expect_status(200).body.as_array().unwrap().len(), 2);
    }

    async fn invitation_survives_a_failed_registration(app: TestApp) {
        let root = app.administrator("root").await;
        let invite = root.create_invitation(json!({"roles": {"main": "viewer"}})).await;
        register_with_invitation(&app, "root", &invite).await.expect_status(409).expect_detail("Username already registered");
        let weak = json!({"username": "ada", "password": "short", "invite": invite});
        app.anonymous().post("/auth/register", weak).await.expect_status(422);
        register_with_invitation(&app, "ada", &invite).await.expect_status(201);
    }

    async fn invitation_is_invalid_while_inviter_lacks_permission(app: TestApp) {
        let root = app.administrator("root").await;
        let (mia, max, ben) = (app.editor("mia").await, app.editor("max").await, app.administrator("ben").await);
        set_role(&root, "mia", "manager").await;
        set_role(&root, "max", "manager").await;
        let to_main = json!({"roles": {"main": "editor"}});
        let (of_mia, of_max) = (mia.create_invitation(to_main.clone()).await, max.create_invitation(to_main).await);
        let of_ben = ben.create_invitation(json!({"is_admin": true})).await;
        set_role(&root, "mia", "editor").await;
        change_account(&root, "max", json!({"disabled": true})).await;
        change_account(&root, "ben", json!({"is_admin": false})).await;
        for (name, invite) in [("x", &of_mia), ("y", &of_max), ("z", &of_ben)] {
            register_with_invitation(&app, name, invite).await.expect_status(403).expect_detail("This invitation is no longer valid. Ask for a new one.");
        }
        // An inviter who gets the right back can use it again.
        set_role(&root, "mia", "manager").await;
        register_with_invitation(&app, "x", &of_mia).await.expect_status(201);
    }

    async fn invitation_cannot_grant_more_than_the_inviter(app: TestApp) {
        let root = app.administrator("root").await;
        root.post("/api/vaults", json!({"name": "attic"})).await.expect_status(201);
        let (mia, ben) = (app.editor("mia").await, app.editor("ben").await);
        set_role(&root, "mia", "manager").await;
        for (what, status) in [
            (json!({"is_admin": true}), 403),
            (json!({"is_admin": true, "roles": {"main": "viewer"}}), 403),
            (json!({}), 403),
            (json!({"roles": {"attic": "viewer"}}), 404),
            (json!({"roles": {"main": "viewer", "attic": "viewer"}}), 404),
            (json!({"roles": {"cellar": "viewer"}}), 404),
            (json!({"roles": {"main": "owner"}}), 422),
            (json!({"roles": {"main": "viewer"}, "delivery": "mail"}), 422),
            (json!({"roles": {"main": "viewer"}, "delivery": "pigeon"}), 422),
            (json!({"roles": {"main": "viewer"}, "days": 400}), 422),
            (json!({"roles": {"main": "manager"}}), 201),
        ] {
            assert_eq!(mia.post("/auth/invites", what.clone()).await.status(), status, "{what}");
        }
        ben.post("/auth/invites", json!({"roles": {"main": "viewer"}})).await.expect_status(403);
        app.anonymous().post("/auth/invites", json!({"roles": {"main": "viewer"}})).await.expect_status(401);
    }

    async fn invitations_are_managed_by_inviter_or_administrator(app: TestApp) {
        let root = app.administrator("root").await;
        let (mia, max) = (app.editor("mia").await, app.editor("max").await);
        set_role(&root, "mia", "manager").await;
        set_role(&root, "max", "manager").await;
        let to_main = json!({"roles": {"main": "editor"}, "email": "kim@example.org"});
        let invite = mia.create_invitation(to_main.clone()).await;
        let listed = mia.get("/auth/invites").await.expect_status(200).body;
        assert_eq!(listed[0]["invited_by"], "mia");
        assert_eq!(listed[0]["email"], "kim@example.org");
        assert!(!listed.to_string().contains("sr_in_"), "the link is shown once: {listed}");
        assert_eq!(max.get("/auth/invites").await.expect_status(200).body, json!([]));
        let path = format!("/auth/invites/{}", listed[0]["id"].as_str().unwrap());
        max.send(max.delete_request(&path)).await.expect_status(404);
        assert_eq!(root.get("/auth/invites").await.expect_status(200).body, listed);
        root.send(root.delete_request(&path)).await.expect_status(204);
        root.send(root.delete_request(&path)).await.expect_status(404);
        register_with_invitation(&app, "kim", &invite).await.expect_status(403);
        let again = mia.post("/auth/invites", to_main).await.expect_status(201);
        mia.send(mia.delete_request(&format!("/auth/invites/{}", again.body["id"].as_str().unwrap()))).await.expect_status(204);
    }

    async fn invitation_expires_after_three_days(app: TestApp) {
        let root = app.administrator("root").await;
        let [early, late] = [root.create_invitation(json!({"is_admin": true})).await, root.create_invitation(json!({"is_admin": true})).await];
        app.advance_clock(Duration::from_hours(72) - Duration::from_mins(1));
        register_with_invitation(&app, "early", &early).await.expect_status(201);
        app.advance_clock(Duration::from_mins(1));
        register_with_invitation(&app, "late", &late).await.expect_status(403);
    }

    async fn inviting_requires_a_recent_sign_in(app: TestApp) {
        let root = app.administrator("root").await;
        app.advance_clock(Duration::from_mins(11));
        let refused = root.post("/auth/invites", json!({"is_admin": true})).await.expect_status(401);
        assert_eq!(refused.body["error"], "insufficient_user_authentication");
    }

    async fn invitation_preview_does_not_consume_the_invitation(app: TestApp) {
        let root = app.administrator("root").await;
        let invite = root.create_invitation(json!({"roles": {"main": "viewer"}, "email": "kim@example.org"})).await;
        for _ in 0..2 {
            let seen = app.anonymous().post("/auth/invites/preview", json!({"invite": invite})).await.expect_status(200).body;
            assert_eq!(seen["invited_by"], "root");
            assert_eq!((&seen["email"], &seen["roles"]), (&json!("kim@example.org"), &json!({"main": "viewer"})));
        }
        register_with_invitation(&app, "kim", &invite).await.expect_status(201);
        app.anonymous().post("/auth/invites/preview", json!({"invite": invite})).await.expect_status(403);
    }

    // The inviter chose the address. The registration cannot change it or mark it as verified.
    async fn registration_rejects_administrator_and_verified_flags(app: TestApp) {
        let root = app.administrator("root").await;
        for extra in ["is_admin", "email_verified", "verified", "roles", "standing", "disabled"] {
            let mut body = json!({"username": "eve", "password": PASSWORD});
            body[extra] = json!(true);
            app.anonymous().post("/auth/register", body.clone()).await.expect_status(422);
            body["invite"] = root.create_invitation(json!({"roles": {"main": "viewer"}})).await.into();
            app.anonymous().post("/auth/register", body).await.expect_status(422);
        }
        let invite = root.create_invitation(json!({"roles": {"main": "viewer"}, "email": "eve@example.org"})).await;
        let body = json!({"username": "eve", "password": PASSWORD, "invite": invite, "email": "root@example.org"});
        assert_eq!(app.anonymous().post("/auth/register", body).await.expect_status(201).body["is_admin"], false);
        let eve = app.sign_in("eve").await;
        let me = eve.get("/auth/me").await.expect_status(200).body;
        assert_eq!(me["email"], "eve@example.org");
        // The link was not mailed, so the address is not verified.
        assert_eq!((&me["email_verified"], &me["is_admin"]), (&json!(false), &json!(false)));
        eve.send(eve.request_builder(Method::PATCH, "/api/users/eve").json(&json!({"is_admin": true}))).await.expect_status(403);
        eve.send(root.request_builder(Method::PATCH, "/api/users/eve").json(&json!({"email_verified": true}))).await.expect_status(422);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_invitation_does_not_reveal_taken_usernames() {
    let app = app_with_mode(RegistrationMode::Invite).await;
    let root = app.administrator("root").await;
    let used = root
        .create_invitation(json!({"roles": {"main": "editor"}}))
        .await;
    register_with_invitation(&app, "ada", &used)
        .await
        .expect_status(201);
    let vaults = app
        .sign_in("ada")
        .await
        .get("/api/vaults")
        .await
        .expect_status(200)
        .body;
    assert_eq!(vaults, json!([{"name": "main", "role": "editor"}]));
    let mut flipped = used.clone().into_bytes();
    flipped[20] ^= 1;
    let flipped = String::from_utf8(flipped).unwrap();
    for invite in ["", "sr_in_guess", &flipped, &used] {
        let mut answers = Vec::new();
        for name in ["root", "ada", "free", "console"] {
            let mut answer = register_with_invitation(&app, name, invite)
                .await
                .expect_status(403);
            answer.body["request_id"].take();
            answers.push(answer.body);
        }
        assert!(
            answers.windows(2).all(|pair| pair[0] == pair[1]),
            "{answers:?}"
        );
    }
    let viewer = root
        .create_invitation(json!({"roles": {"main": "viewer"}}))
        .await;
    register_with_invitation(&app, "ben", &viewer)
        .await
        .expect_status(201);
    let vaults = app
        .sign_in("ben")
        .await
        .get("/api/vaults")
        .await
        .expect_status(200)
        .body;
    assert_eq!(
        vaults,
        json!([{"name": "main", "role": "viewer"}]),
        "no more rights than the invitation grants"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_registration_disables_invitations() {
    let app = app_with_mode(RegistrationMode::Closed).await;
    let root = app.administrator("root").await;
    root.post("/auth/invites", json!({"is_admin": true}))
        .await
        .expect_status(403);
    let never = "sr_in_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let closed = "Registration is closed. Ask an administrator for an account.";
    register_with_invitation(&app, "eve", never)
        .await
        .expect_status(403)
        .expect_detail(closed);
    register_with_invitation(&app, "eve", "")
        .await
        .expect_status(403)
        .expect_detail(closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn throttled_invitation_guesses_do_not_block_valid_invitation() {
    let app = app_with_mode(RegistrationMode::Invite).await;
    let root = app.administrator("root").await;
    let good = root.create_invitation(json!({"is_admin": true})).await;
    let mut refused = None;
    for n in 0..200 {
        let answer = register_with_invitation(&app, &format!("u{n}"), "sr_in_guess").await;
        if answer.status() == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("guessing is never throttled");
    assert!(refused.header("retry-after").is_some());
    register_with_invitation(&app, "eve", "sr_in_guess")
        .await
        .expect_status(429);
    register_with_invitation(&app, "ada", &good)
        .await
        .expect_status(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn registrations_per_address_are_limited() {
    let app = TestApp::sqlite().await;
    let mut made = 0;
    loop {
        let body = json!({"username": format!("u{made}"), "password": PASSWORD});
        let answer = app.anonymous().post("/auth/register", body).await;
        if answer.status() == 429 {
            break;
        }
        answer.expect_status(201);
        made += 1;
        assert!(made < 300, "the limit is never reached");
    }
    assert!(made >= 10, "a small office can register in one morning");
}
