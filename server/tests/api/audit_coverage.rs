//! Audit coverage: every operation that changes something writes an audit entry with actor, action
//! and origin. An operation that is in neither list below fails the test, and so does one without
//! its entry.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::app::{Client, PASSWORD, TestApp, TestResponse, file_url};

/// Operations without an audit entry, with the reason.
const NOT_AUDITED: [(&str, &str); 13] = [
    ("authorize_device", "no decision yet"),
    ("look_up_device", "reads"),
    ("introspect_token", "reads"),
    ("preview_invite", "reads"),
    ("start_totp", "not enabled until confirmed"),
    ("issue_ticket", "valid for 30 seconds, within its session"),
    ("start_passkey", "a challenge"),
    ("start_passkey_sign_in", "a challenge"),
    ("start_passkey_second_step", "a challenge"),
    ("start_passkey_step_up", "a challenge"),
    (
        "link_identity",
        "redirects to the provider; the callback is audited",
    ),
    (
        "issue_token",
        "starts a session, audited as sign_in in every test; a refresh is audited only on failure",
    ),
    ("revoke_token", "ends a session, like logout"),
];

/// Operations covered by the tests of their own flow: passkeys, providers, clients.
const COVERED_BY_OTHER_TESTS: [&str; 9] = [
    "add_passkey",
    "remove_passkey",
    "rename_passkey",
    "finish_passkey_sign_in",
    "finish_passkey_second_step",
    "finish_passkey_step_up",
    "unlink_identity",
    "authorize_client",
    "decide_device",
];

struct AuditCoverage {
    root: Client,
    covered: BTreeSet<&'static str>,
    /// The newest known entry, of the accounts and of the vault.
    last_seen: [i64; 2],
}

impl AuditCoverage {
    /// Checks that `by` carried out the operation and that the audit log has its entry.
    async fn expect_audited(
        &mut self,
        operation: &'static str,
        by: &str,
        action: &str,
        answer: TestResponse,
    ) -> TestResponse {
        assert!(
            (200..300).contains(&answer.status()),
            "{operation}: {}",
            answer.text
        );
        let in_vault = action.starts_with("file.");
        let path = match action {
            "vault.created" => "/api/audit?vault=attic",
            _ if in_vault => "/api/audit?vault=main",
            _ => "/api/audit",
        };
        let entries = self.root.get(path).await.expect_status(200).body;
        let entries = entries.as_array().unwrap();
        let seen = &mut self.last_seen[usize::from(in_vault)];
        let mut news = entries
            .iter()
            .filter(|entry| action == "vault.created" || entry["n"].as_i64().unwrap() > *seen);
        let matching = news.find(|entry| entry["action"] == action);
        let matching = matching
            .unwrap_or_else(|| panic!("{operation} has no audit entry {action}: {entries:#?}"));
        assert_eq!(
            (&matching["actor"], &matching["from"]["address"]),
            (&json!(by), &json!("127.0.0.1")),
            "{operation}: {matching:#}"
        );
        if action == "vault.created" {
            self.covered.insert(operation);
            return answer;
        }
        *seen = entries[0]["n"].as_i64().unwrap();
        self.covered.insert(operation);
        answer
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn write_operations_are_audited_with_actor_and_origin() {
    let app = TestApp::sqlite().await;
    let root = app.administrator("root").await;
    let mut story = AuditCoverage {
        root,
        covered: BTreeSet::new(),
        last_seen: [0; 2],
    };
    let ada = cover_accounts(&app, &mut story).await;
    cover_files(&mut story, &ada).await;
    cover_credentials(&app, &mut story, &ada).await;
    cover_administration(&app, &mut story).await;
    let document = app
        .anonymous()
        .get("/openapi.json")
        .await
        .expect_status(200)
        .body;
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
    let known: BTreeSet<_> = known.chain(story.covered.iter().copied()).collect();
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
        .expect_audited(
            "register_account",
            "ada",
            "account.created",
            app.anonymous().post("/auth/register", body).await,
        )
        .await;
    let ada = app.sign_in("ada").await;
    cover_profile(story, &ada).await;
    cover_email_change(app, story, &ada).await;
    cover_password_changes(app, story, &ada).await;
    let old = app.sign_in("ada").await;
    let ended = old.post("/auth/logout", Value::Null).await;
    story
        .expect_audited("end_own_session", "ada", "session.ended", ended)
        .await;
    app.sign_in("ada").await
}

async fn cover_profile(story: &mut AuditCoverage, ada: &Client) {
    let again = ada.post("/auth/me/email/send", Value::Null).await;
    story
        .expect_audited("send_email_link", "ada", "email.asked", again)
        .await;
    let renamed = ada
        .request_builder(reqwest::Method::PATCH, "/auth/me")
        .json(&json!({"display_name": "Ada"}));
    story
        .expect_audited(
            "change_me",
            "ada",
            "account.changed",
            ada.send(renamed).await,
        )
        .await;
}

async fn cover_email_change(app: &TestApp, story: &mut AuditCoverage, ada: &Client) {
    let moved = ada
        .request_builder(reqwest::Method::PATCH, "/auth/me")
        .json(&json!({"email": "new@example.org"}));
    ada.send(moved).await.expect_status(200);
    let token = app
        .wait_for_mail("new@example.org", 1)
        .await
        .token()
        .to_owned();
    let confirmed = app
        .anonymous()
        .post("/auth/me/email/confirm", json!({"token": token}))
        .await;
    story
        .expect_audited("confirm_email", "ada", "email.changed", confirmed)
        .await;
}

async fn cover_password_changes(app: &TestApp, story: &mut AuditCoverage, ada: &Client) {
    let new = json!({"current_password": PASSWORD, "new_password": "another battery horse staple"});
    story
        .expect_audited(
            "change_password",
            "ada",
            "password.changed",
            ada.send(ada.put_request("/auth/me/password").json(&new))
                .await,
        )
        .await;
    app.anonymous()
        .post("/auth/reset", json!({"account": "ada"}))
        .await
        .expect_status(202);
    let back = app.wait_for_mail("new@example.org", 2).await;
    let back = if back.subject == "Reset your Strongroom password" {
        back
    } else {
        app.wait_for_mail("new@example.org", 3).await
    };
    story.covered.insert("request_password_reset");
    let reset = json!({"token": back.token(), "new_password": PASSWORD});
    let done = app.anonymous().post("/auth/reset/confirm", reset).await;
    story
        .expect_audited("reset_password", "ada", "password.reset", done)
        .await;
}

async fn cover_files(story: &mut AuditCoverage, ada: &Client) {
    let root = story.root.clone();
    story
        .expect_audited(
            "create_vault",
            "root",
            "vault.created",
            root.post("/api/vaults", json!({"name": "attic"})).await,
        )
        .await;
    story
        .expect_audited("add_file", "ada", "file.add", ada.add("a.nc", b"1").await)
        .await;
    let describe = ada
        .put_request(&file_url("a.nc", ""))
        .json(&json!({"description": "d"}));
    story
        .expect_audited(
            "describe_file",
            "ada",
            "file.describe",
            ada.send(describe).await,
        )
        .await;
    cover_check_outs(story, ada).await;
    cover_move_and_restore(story, ada).await;
    cover_override_and_delete(story, ada).await;
}

async fn cover_check_outs(story: &mut AuditCoverage, ada: &Client) {
    story
        .expect_audited(
            "check_out_file",
            "ada",
            "file.checkout",
            ada.check_out("a.nc").await,
        )
        .await;
    story
        .expect_audited(
            "cancel_check_out",
            "ada",
            "file.cancel",
            ada.post(&file_url("a.nc", "/cancel"), Value::Null).await,
        )
        .await;
    ada.check_out("a.nc").await.expect_status(200);
    story
        .expect_audited(
            "check_in_file",
            "ada",
            "file.checkin",
            ada.check_in("a.nc", b"2", "better").await,
        )
        .await;
}

async fn cover_move_and_restore(story: &mut AuditCoverage, ada: &Client) {
    story
        .expect_audited(
            "move_file",
            "ada",
            "file.move",
            ada.post(&file_url("a.nc", "/move"), json!({"to": "b.nc"}))
                .await,
        )
        .await;
    story
        .expect_audited(
            "restore_file",
            "ada",
            "file.restore",
            ada.post(&file_url("b.nc", "/restore"), json!({"revision": 1}))
                .await,
        )
        .await;
}

async fn cover_override_and_delete(story: &mut AuditCoverage, ada: &Client) {
    let root = story.root.clone();
    ada.check_out("b.nc").await.expect_status(200);
    let broken = root
        .post(
            &file_url("b.nc", "/override"),
            json!({"reason": "on holiday"}),
        )
        .await;
    story
        .expect_audited("override_lock", "root", "file.override", broken)
        .await;
    story
        .expect_audited(
            "delete_file",
            "root",
            "file.delete",
            root.send(root.delete_request(&file_url("b.nc", ""))).await,
        )
        .await;
}

async fn cover_credentials(app: &TestApp, story: &mut AuditCoverage, ada: &Client) {
    cover_tokens(story, ada).await;
    story
        .expect_audited(
            "confirm_step_up",
            "ada",
            "sign_in.confirmed",
            ada.post("/auth/step-up", json!({"password": PASSWORD}))
                .await,
        )
        .await;
    let ada = cover_second_factors(app, story, ada).await;
    cover_sessions(app, story, &ada).await;
}

async fn cover_tokens(story: &mut AuditCoverage, ada: &Client) {
    let made = ada
        .post(
            "/auth/tokens",
            json!({"name": "x", "scopes": ["files:read"]}),
        )
        .await;
    let made = story
        .expect_audited("create_token", "ada", "token.made", made)
        .await;
    let path = format!("/auth/tokens/{}", made.body["id"].as_str().unwrap());
    story
        .expect_audited(
            "revoke_personal_token",
            "ada",
            "token.ended",
            ada.send(ada.delete_request(&path)).await,
        )
        .await;
}

/// Returns ada, signed in with a recovery code.
async fn cover_second_factors(app: &TestApp, story: &mut AuditCoverage, ada: &Client) -> Client {
    let (_, codes) = crate::totp::enroll_totp(app, ada).await;
    let ways = ada.get("/auth/factors").await.expect_status(200).body;
    story
        .expect_audited(
            "confirm_totp",
            "ada",
            "factor.added",
            ada.get("/auth/me").await,
        )
        .await;
    let path = format!(
        "/auth/factors/{}",
        ways["factors"][0]["id"].as_str().unwrap()
    );
    let renamed = ada
        .request_builder(reqwest::Method::PATCH, &path)
        .json(&json!({"name": "phone"}));
    story
        .expect_audited(
            "rename_factor",
            "ada",
            "factor.renamed",
            ada.send(renamed).await,
        )
        .await;
    let with_code = crate::totp::sign_in_with_otp(app, "ada", Some(&codes[0])).await;
    let with_code = story
        .expect_audited("issue_token", "ada", "recovery_code.used", with_code)
        .await;
    let ada = crate::totp::client_from(app, "ada", &with_code);
    let codes = ada.post("/auth/recovery-codes", Value::Null).await;
    story
        .expect_audited("create_recovery_codes", "ada", "recovery_codes.made", codes)
        .await;
    story
        .expect_audited(
            "remove_factor",
            "ada",
            "factor.removed",
            ada.send(ada.delete_request(&path)).await,
        )
        .await;
    ada
}

async fn cover_sessions(app: &TestApp, story: &mut AuditCoverage, ada: &Client) {
    let other = app.sign_in("ada").await;
    let sessions = other.get("/auth/sessions").await.expect_status(200).body;
    let own = sessions
        .as_array()
        .unwrap()
        .iter()
        .find(|session| session["current"] == true)
        .unwrap()["id"]
        .clone();
    let path = format!("/auth/sessions/{}", own.as_str().unwrap());
    story
        .expect_audited(
            "end_session",
            "ada",
            "session.ended",
            ada.send(ada.delete_request(&path)).await,
        )
        .await;
    app.sign_in("ada").await;
    let ended = ada.post("/auth/sessions/end-others", Value::Null).await;
    story
        .expect_audited("end_other_sessions", "ada", "sessions.ended", ended)
        .await;
}

async fn cover_administration(app: &TestApp, story: &mut AuditCoverage) {
    cover_members(story).await;
    cover_groups(story).await;
    cover_invites(story).await;
    cover_throttles(app, story).await;
    cover_user_changes(story).await;
    cover_account_recovery(story).await;
    cover_ended_accounts(app, story).await;
}

async fn put_manager(root: &Client, path: &str) -> TestResponse {
    let manager = json!({"role": "manager"});
    root.send(root.put_request(path).json(&manager)).await
}

async fn delete(root: &Client, path: &str) -> TestResponse {
    root.send(root.delete_request(path)).await
}

async fn cover_members(story: &mut AuditCoverage) {
    let root = story.root.clone();
    story
        .expect_audited(
            "set_member",
            "root",
            "role.changed",
            put_manager(&root, "/api/vaults/main/members/ada").await,
        )
        .await;
    story
        .expect_audited(
            "remove_member",
            "root",
            "role.changed",
            delete(&root, "/api/vaults/main/members/ada").await,
        )
        .await;
}

async fn cover_groups(story: &mut AuditCoverage) {
    let root = story.root.clone();
    story
        .expect_audited(
            "create_group",
            "root",
            "group.made",
            root.post("/api/groups", json!({"name": "cam"})).await,
        )
        .await;
    story
        .expect_audited(
            "set_group_role",
            "root",
            "group.changed",
            put_manager(&root, "/api/vaults/main/groups/cam").await,
        )
        .await;
    let joined = root
        .send(root.put_request("/api/groups/cam/members/ada"))
        .await;
    story
        .expect_audited("add_group_member", "root", "group.changed", joined)
        .await;
    story
        .expect_audited(
            "remove_group_member",
            "root",
            "group.changed",
            delete(&root, "/api/groups/cam/members/ada").await,
        )
        .await;
    story
        .expect_audited(
            "remove_group_role",
            "root",
            "group.changed",
            delete(&root, "/api/vaults/main/groups/cam").await,
        )
        .await;
    story
        .expect_audited(
            "delete_group",
            "root",
            "group.removed",
            delete(&root, "/api/groups/cam").await,
        )
        .await;
}

async fn cover_invites(story: &mut AuditCoverage) {
    let root = story.root.clone();
    let invited = root
        .post("/auth/invites", json!({"roles": {"main": "viewer"}}))
        .await;
    let invited = story
        .expect_audited("create_invite", "root", "invite.made", invited)
        .await;
    let path = format!("/auth/invites/{}", invited.body["id"].as_str().unwrap());
    story
        .expect_audited(
            "withdraw_invite",
            "root",
            "invite.withdrawn",
            delete(&root, &path).await,
        )
        .await;
}

async fn cover_throttles(app: &TestApp, story: &mut AuditCoverage) {
    let root = story.root.clone();
    for _ in 0..6 {
        let form = [("username", "ada"), ("password", "wrong wrong wrong")];
        app.anonymous()
            .post_request("/auth/token")
            .form(&form)
            .send()
            .await
            .unwrap();
    }
    story
        .expect_audited(
            "lift_account_lockout",
            "root",
            "throttle.lifted",
            delete(&root, "/api/throttle/accounts/ada").await,
        )
        .await;
    story
        .expect_audited(
            "lift_network_lockout",
            "root",
            "throttle.lifted",
            delete(&root, "/api/throttle/networks/127.0.0.1").await,
        )
        .await;
}

async fn cover_user_changes(story: &mut AuditCoverage) {
    let root = story.root.clone();
    let change = async |fields: Value| {
        root.send(
            root.request_builder(reqwest::Method::PATCH, "/api/users/ada")
                .json(&fields),
        )
        .await
    };
    story
        .expect_audited(
            "change_user",
            "root",
            "account.changed",
            change(json!({"is_admin": true})).await,
        )
        .await;
    story
        .expect_audited(
            "change_user",
            "root",
            "email.changed",
            change(json!({"email": "x@example.org"})).await,
        )
        .await;
    story
        .expect_audited(
            "change_user",
            "root",
            "reset.required",
            change(json!({"reset_required": true})).await,
        )
        .await;
}

async fn cover_account_recovery(story: &mut AuditCoverage) {
    let root = story.root.clone();
    story
        .expect_audited(
            "create_reset_link",
            "root",
            "reset.made",
            root.post("/api/users/ada/reset", Value::Null).await,
        )
        .await;
    let recovered = root
        .post("/api/users/ada/recover", json!({"reason": "lost"}))
        .await;
    story
        .expect_audited("recover_user", "root", "factors.recovered", recovered)
        .await;
}

async fn cover_ended_accounts(app: &TestApp, story: &mut AuditCoverage) {
    let root = story.root.clone();
    app.editor("bob").await;
    let ended = root.post("/api/users/bob/end-sessions", Value::Null).await;
    story
        .expect_audited("end_user_sessions", "root", "sessions.ended", ended)
        .await;
    story
        .expect_audited(
            "delete_user",
            "root",
            "account.changed",
            delete(&root, "/api/users/bob").await,
        )
        .await;
    let ended = root
        .post("/api/sessions/end-all", json!({"reason": "a test"}))
        .await;
    story
        .expect_audited("end_all_sessions", "root", "everybody.signed_out", ended)
        .await;
}
