//! Audit coverage: every operation that changes something writes an audit entry with actor, action
//! and origin. An operation that is in neither list below fails the test, and so does one without
//! its entry.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::app::{Client, PASSWORD, TestApp, TestResponse, file_url};

/// Operations without an audit entry, with the reason.
const NOT_AUDITED: [(&str, &str); 13] = [
    ("device", "no decision yet"),
    ("look_at_device", "reads"),
    ("introspect", "reads"),
    ("preview_invite", "reads"),
    ("begin_totp", "not enabled until confirmed"),
    ("ws_ticket", "valid for 30 seconds, within its session"),
    ("passkey_options", "a challenge"),
    ("passkey_sign_in_options", "a challenge"),
    ("passkey_second_step_options", "a challenge"),
    ("passkey_step_up_options", "a challenge"),
    (
        "link_identity",
        "redirects to the provider; the callback is audited",
    ),
    (
        "token",
        "starts a session, audited as sign_in in every test; a refresh is audited only on failure",
    ),
    ("revoke", "ends a session, like logout"),
];

/// Operations covered by the tests of their own flow: passkeys, providers, clients.
const COVERED_BY_OTHER_TESTS: [&str; 9] = [
    "add_passkey",
    "remove_passkey",
    "rename_passkey",
    "passkey_sign_in",
    "passkey_second_step",
    "passkey_step_up",
    "unlink_identity",
    "authorize",
    "decide_device",
];

struct AuditCoverage {
    root: Client,
    driven: BTreeSet<&'static str>,
    /// The newest known entry, of the accounts and of the vault.
    seen: [i64; 2],
}

impl AuditCoverage {
    /// Checks that `by` carried out the operation and that the audit log has its entry.
    async fn told(
        &mut self,
        operation: &'static str,
        by: &str,
        action: &str,
        answer: TestResponse,
    ) -> TestResponse {
        assert!(
            (200..300).contains(&answer.status),
            "{operation}: {}",
            answer.text
        );
        let in_vault = action.starts_with("file.");
        let path = match action {
            "vault.created" => "/api/audit?vault=attic",
            _ if in_vault => "/api/audit?vault=main",
            _ => "/api/audit",
        };
        let entries = self.root.see(path).await.is(200).body;
        let entries = entries.as_array().unwrap();
        let seen = &mut self.seen[usize::from(in_vault)];
        let mut news = entries
            .iter()
            .filter(|entry| action == "vault.created" || entry["n"].as_i64().unwrap() > *seen);
        let told = news.find(|entry| entry["action"] == action);
        let told =
            told.unwrap_or_else(|| panic!("{operation} has no audit entry {action}: {entries:#?}"));
        assert_eq!(
            (&told["actor"], &told["from"]["address"]),
            (&json!(by), &json!("127.0.0.1")),
            "{operation}: {told:#}"
        );
        if action == "vault.created" {
            self.driven.insert(operation);
            return answer;
        }
        *seen = entries[0]["n"].as_i64().unwrap();
        self.driven.insert(operation);
        answer
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn write_operations_are_audited_with_actor_and_origin() {
    let app = TestApp::sqlite().await;
    let root = app.administrator("root").await;
    let mut story = AuditCoverage {
        root,
        driven: BTreeSet::new(),
        seen: [0; 2],
    };
    let ada = cover_accounts(&app, &mut story).await;
    cover_files(&mut story, &ada).await;
    cover_credentials(&app, &mut story, &ada).await;
    cover_administration(&app, &mut story).await;
    let document = app.anonymous().see("/openapi.json").await.body;
    let items = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap());
    let writing = items.filter(|(method, _)| *method != "get");
    let writing = writing.map(|(_, operation)| {
        operation["operationId"]
            .as_str()
            .unwrap()
            .trim_end_matches("_in_main")
    });
    let known = NOT_AUDITED
        .iter()
        .map(|(operation, _)| *operation)
        .chain(COVERED_BY_OTHER_TESTS);
    let known: BTreeSet<_> = known.chain(story.driven.iter().copied()).collect();
    let forgotten: BTreeSet<_> = writing
        .filter(|operation| !known.contains(operation))
        .collect();
    assert!(
        forgotten.is_empty(),
        "operations without an expected audit entry: {forgotten:?}"
    );
}

async fn cover_accounts(app: &TestApp, story: &mut AuditCoverage) -> Client {
    let body = json!({"username": "ada", "password": PASSWORD, "email": "ada@example.org"});
    story
        .told(
            "register",
            "ada",
            "account.created",
            app.anonymous().tell("/auth/register", body).await,
        )
        .await;
    let ada = app.sign_in("ada").await;
    let again = ada.tell("/auth/me/email/send", Value::Null).await;
    story
        .told("send_email_link", "ada", "email.asked", again)
        .await;
    let renamed = ada
        .request(reqwest::Method::PATCH, "/auth/me")
        .json(&json!({"display_name": "Ada"}));
    story
        .told(
            "change_me",
            "ada",
            "account.changed",
            ada.ask(renamed).await,
        )
        .await;
    let moved = ada
        .request(reqwest::Method::PATCH, "/auth/me")
        .json(&json!({"email": "new@example.org"}));
    ada.ask(moved).await.is(200);
    let token = app
        .wait_for_mail("new@example.org", 1)
        .await
        .token()
        .to_owned();
    let confirmed = app
        .anonymous()
        .tell("/auth/me/email/confirm", json!({"token": token}))
        .await;
    story
        .told("confirm_email", "ada", "email.changed", confirmed)
        .await;
    let new = json!({"current_password": PASSWORD, "new_password": "another battery horse staple"});
    story
        .told(
            "change_password",
            "ada",
            "password.changed",
            ada.ask(ada.put("/auth/me/password").json(&new)).await,
        )
        .await;
    app.anonymous()
        .tell("/auth/reset", json!({"account": "ada"}))
        .await
        .is(202);
    let back = app.wait_for_mail("new@example.org", 2).await;
    let back = if back.subject == "Reset your Strongroom password" {
        back
    } else {
        app.wait_for_mail("new@example.org", 3).await
    };
    story.driven.insert("ask_reset");
    let reset = json!({"token": back.token(), "new_password": PASSWORD});
    let done = app.anonymous().tell("/auth/reset/confirm", reset).await;
    story
        .told("reset_password", "ada", "password.reset", done)
        .await;
    let old = app.sign_in("ada").await;
    let ended = old.tell("/auth/logout", Value::Null).await;
    story.told("logout", "ada", "session.ended", ended).await;
    app.sign_in("ada").await
}

async fn cover_files(story: &mut AuditCoverage, ada: &Client) {
    let root = story.root.clone();
    story
        .told(
            "create_vault",
            "root",
            "vault.created",
            root.tell("/api/vaults", json!({"name": "attic"})).await,
        )
        .await;
    story
        .told("add", "ada", "file.add", ada.add("a.nc", b"1").await)
        .await;
    let describe = ada
        .put(&file_url("a.nc", ""))
        .json(&json!({"description": "d"}));
    story
        .told("describe", "ada", "file.describe", ada.ask(describe).await)
        .await;
    story
        .told(
            "check_out",
            "ada",
            "file.checkout",
            ada.check_out("a.nc").await,
        )
        .await;
    story
        .told(
            "cancel",
            "ada",
            "file.cancel",
            ada.tell(&file_url("a.nc", "/cancel"), Value::Null).await,
        )
        .await;
    ada.check_out("a.nc").await.is(200);
    story
        .told(
            "check_in",
            "ada",
            "file.checkin",
            ada.check_in("a.nc", b"2", "better").await,
        )
        .await;
    story
        .told(
            "move",
            "ada",
            "file.move",
            ada.tell(&file_url("a.nc", "/move"), json!({"to": "b.nc"}))
                .await,
        )
        .await;
    story
        .told(
            "restore",
            "ada",
            "file.restore",
            ada.tell(&file_url("b.nc", "/restore"), json!({"revision": 1}))
                .await,
        )
        .await;
    ada.check_out("b.nc").await.is(200);
    let broken = root
        .tell(
            &file_url("b.nc", "/override"),
            json!({"reason": "on holiday"}),
        )
        .await;
    story
        .told("override_lock", "root", "file.override", broken)
        .await;
    story
        .told(
            "delete",
            "root",
            "file.delete",
            root.ask(root.delete(&file_url("b.nc", ""))).await,
        )
        .await;
}

async fn cover_credentials(app: &TestApp, story: &mut AuditCoverage, ada: &Client) {
    let made = ada
        .tell(
            "/auth/tokens",
            json!({"name": "x", "scopes": ["files:read"]}),
        )
        .await;
    let made = story.told("make_token", "ada", "token.made", made).await;
    let path = format!("/auth/tokens/{}", made.body["id"].as_str().unwrap());
    story
        .told(
            "end_token",
            "ada",
            "token.ended",
            ada.ask(ada.delete(&path)).await,
        )
        .await;
    story
        .told(
            "step_up",
            "ada",
            "sign_in.confirmed",
            ada.tell("/auth/step-up", json!({"password": PASSWORD}))
                .await,
        )
        .await;
    let (_, codes) = crate::authenticator::enroll_totp(app, ada).await;
    let ways = ada.see("/auth/factors").await.body;
    story
        .told(
            "confirm_totp",
            "ada",
            "factor.added",
            ada.see("/auth/me").await,
        )
        .await;
    let path = format!(
        "/auth/factors/{}",
        ways["factors"][0]["id"].as_str().unwrap()
    );
    let renamed = ada
        .request(reqwest::Method::PATCH, &path)
        .json(&json!({"name": "phone"}));
    story
        .told(
            "rename_factor",
            "ada",
            "factor.renamed",
            ada.ask(renamed).await,
        )
        .await;
    let with_code = crate::authenticator::sign_in_with_otp(app, "ada", Some(&codes[0])).await;
    let with_code = story
        .told("token", "ada", "recovery_code.used", with_code)
        .await;
    let ada = crate::authenticator::client_from(app, "ada", &with_code);
    let codes = ada.tell("/auth/recovery-codes", Value::Null).await;
    story
        .told("make_recovery_codes", "ada", "recovery_codes.made", codes)
        .await;
    story
        .told(
            "remove_factor",
            "ada",
            "factor.removed",
            ada.ask(ada.delete(&path)).await,
        )
        .await;
    let other = app.sign_in("ada").await;
    let sessions = other.see("/auth/sessions").await.body;
    let own = sessions
        .as_array()
        .unwrap()
        .iter()
        .find(|session| session["current"] == true)
        .unwrap()["id"]
        .clone();
    let path = format!("/auth/sessions/{}", own.as_str().unwrap());
    story
        .told(
            "end_session",
            "ada",
            "session.ended",
            ada.ask(ada.delete(&path)).await,
        )
        .await;
    app.sign_in("ada").await;
    let ended = ada.tell("/auth/sessions/end-others", Value::Null).await;
    story
        .told("end_other_sessions", "ada", "sessions.ended", ended)
        .await;
}

async fn cover_administration(app: &TestApp, story: &mut AuditCoverage) {
    let root = story.root.clone();
    let put = async |path: &str, role: Value| root.ask(root.put(path).json(&role)).await;
    let gone = async |path: &str| root.ask(root.delete(path)).await;
    let editor = json!({"role": "manager"});
    story
        .told(
            "set_member",
            "root",
            "role.changed",
            put("/api/vaults/main/members/ada", editor.clone()).await,
        )
        .await;
    story
        .told(
            "remove_member",
            "root",
            "role.changed",
            gone("/api/vaults/main/members/ada").await,
        )
        .await;
    story
        .told(
            "create_group",
            "root",
            "group.made",
            root.tell("/api/groups", json!({"name": "cam"})).await,
        )
        .await;
    story
        .told(
            "set_group_role",
            "root",
            "group.changed",
            put("/api/vaults/main/groups/cam", editor).await,
        )
        .await;
    let joined = root.ask(root.put("/api/groups/cam/members/ada")).await;
    story
        .told("add_group_member", "root", "group.changed", joined)
        .await;
    story
        .told(
            "remove_group_member",
            "root",
            "group.changed",
            gone("/api/groups/cam/members/ada").await,
        )
        .await;
    story
        .told(
            "remove_group_role",
            "root",
            "group.changed",
            gone("/api/vaults/main/groups/cam").await,
        )
        .await;
    story
        .told(
            "delete_group",
            "root",
            "group.removed",
            gone("/api/groups/cam").await,
        )
        .await;
    let invited = root
        .tell("/auth/invites", json!({"roles": {"main": "viewer"}}))
        .await;
    let invited = story.told("invite", "root", "invite.made", invited).await;
    let path = format!("/auth/invites/{}", invited.body["id"].as_str().unwrap());
    story
        .told(
            "withdraw_invite",
            "root",
            "invite.withdrawn",
            gone(&path).await,
        )
        .await;
    for _ in 0..6 {
        let form = [("username", "ada"), ("password", "wrong wrong wrong")];
        app.anonymous()
            .post("/auth/token")
            .form(&form)
            .send()
            .await
            .unwrap();
    }
    story
        .told(
            "lift_account",
            "root",
            "throttle.lifted",
            gone("/api/throttle/accounts/ada").await,
        )
        .await;
    story
        .told(
            "lift_network",
            "root",
            "throttle.lifted",
            gone("/api/throttle/networks/127.0.0.1").await,
        )
        .await;
    let change = async |fields: Value| {
        root.ask(
            root.request(reqwest::Method::PATCH, "/api/users/ada")
                .json(&fields),
        )
        .await
    };
    story
        .told(
            "change_user",
            "root",
            "account.changed",
            change(json!({"is_admin": true})).await,
        )
        .await;
    story
        .told(
            "change_user",
            "root",
            "email.changed",
            change(json!({"email": "x@example.org"})).await,
        )
        .await;
    story
        .told(
            "change_user",
            "root",
            "reset.required",
            change(json!({"reset_required": true})).await,
        )
        .await;
    story
        .told(
            "reset_link",
            "root",
            "reset.made",
            root.tell("/api/users/ada/reset", Value::Null).await,
        )
        .await;
    let recovered = root
        .tell("/api/users/ada/recover", json!({"reason": "lost"}))
        .await;
    story
        .told("recover_user", "root", "factors.recovered", recovered)
        .await;
    app.editor("bob").await;
    let ended = root.tell("/api/users/bob/end-sessions", Value::Null).await;
    story
        .told("end_sessions_of_user", "root", "sessions.ended", ended)
        .await;
    story
        .told(
            "delete_user",
            "root",
            "account.changed",
            gone("/api/users/bob").await,
        )
        .await;
    let ended = root
        .tell("/api/sessions/end-all", json!({"reason": "a test"}))
        .await;
    story
        .told(
            "end_sessions_of_everybody",
            "root",
            "everybody.signed_out",
            ended,
        )
        .await;
}
