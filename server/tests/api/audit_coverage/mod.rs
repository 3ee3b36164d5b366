//! Audit coverage: every operation that changes something writes an audit entry with actor, action
//! and origin. An operation that is in neither list below fails the test, and so does one without
//! its entry.

mod accounts;
mod administration;
mod credentials;
mod files;

use std::collections::BTreeSet;

use serde_json::json;

use crate::app::{Client, TestApp, TestResponse};

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
    let ada = accounts::cover_accounts(&app, &mut story).await;
    files::cover_files(&mut story, &ada).await;
    credentials::cover_credentials(&app, &mut story, &ada).await;
    administration::cover_administration(&app, &mut story).await;
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

async fn delete(root: &Client, path: &str) -> TestResponse {
    root.send(root.delete_request(path)).await
}
