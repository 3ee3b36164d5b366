//! Rejected requests in the audit log.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    app::{Client, file_url},
    both,
    session_end::session_cookie,
};

/// The rejections of `who`, newest first. Waits until there are `many`, because they are written
/// after the response.
async fn wait_for_denials(root: &Client, who: &str, many: usize) -> Vec<Value> {
    let path = format!("/api/audit?action=action.refused&actor={who}");
    for _ in 0..100 {
        let found = root.get(&path).await.expect_status(200).body;
        if found.as_array().unwrap().len() >= many {
            return found.as_array().unwrap().clone();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("fewer than {many} rejections of {who}");
}

both! {
    async fn denied_action_is_audited_with_request_and_origin(app: TestApp) {
        let root = app.administrator("root").await;
        let ada = app.editor("ada").await;
        ada.add("a.nc", b"x").await.expect_status(201);
        root.post("/api/vaults", json!({"name": "attic"})).await.expect_status(201);
        let override_it = ada.post_request(&file_url("a.nc", "/override")).header("user-agent", "curl/8").json(&json!({"reason": "mine"}));
        ada.send(override_it).await.expect_status(403);
        ada.get("/api/vaults/attic/files").await.expect_status(404);
        ada.get("/api/users").await.expect_status(403);
        let denials = wait_for_denials(&root, "ada", 3).await;
        let of = |action: &str| denials.iter().find(|entry| entry["subject"] == action).unwrap();
        let lock = of("lock.override");
        assert_eq!(lock["from"], json!({"address": "127.0.0.1", "user_agent": "curl/8"}));
        assert_eq!((&lock["reason"], &lock["vault"], &lock["by"]["kind"]), (&json!("not_allowed"), &json!("main"), &json!("tokens")));
        assert_eq!(lock["facts"]["request"], "POST /api/files/a%2Enc/override");
        // The answer did not say that this vault exists, and neither does the record.
        assert_eq!((&of("file.read")["vault"], &of("file.read")["reason"]), (&Value::Null, &json!("not_found")));
        assert_eq!(of("accounts.see")["facts"]["request"], "GET /api/users");
        // The affected user reads it as a sentence.
        let page = ada.send(ada.get_request("/account/security").header("accept", "text/html")).await.expect_status(200).text;
        assert!(page.contains("You requested an action that is not allowed: GET /api/users"), "{page}");
    }

    async fn hidden_and_missing_vault_leave_the_same_record(app: TestApp) {
        let root = app.administrator("root").await;
        root.post("/api/vaults", json!({"name": "attic"})).await.expect_status(201);
        for (who, vault) in [("ada", "attic"), ("bob", "nowhere")] {
            let person = app.editor(who).await;
            person.get(&format!("/api/vaults/{vault}/files")).await.expect_status(404);
            let denials = wait_for_denials(&root, who, 1).await;
            assert_eq!(denials.len(), 1, "{denials:#?}");
            assert_eq!(denials[0]["facts"], json!({"request": format!("GET /api/vaults/{vault}/files")}));
            assert_eq!((&denials[0]["vault"], &denials[0]["reason"]), (&Value::Null, &json!("not_found")));
            let own = person.get("/auth/audit?action=action.refused").await.expect_status(200).body;
            assert_eq!(own[0]["vault"], Value::Null, "{own:#?}");
        }
    }

    async fn repeated_denial_is_audited_once_per_ten_minutes(app: TestApp) {
        let root = app.administrator("root").await;
        let ada = app.editor("ada").await;
        for _ in 0..20 {
            ada.get("/api/users").await.expect_status(403);
        }
        ada.get("/api/audit").await.expect_status(403);
        let denials = wait_for_denials(&root, "ada", 2).await;
        assert_eq!(denials.len(), 2, "one of each action: {denials:#?}");
        app.advance_clock(Duration::from_mins(11));
        ada.get("/api/users").await.expect_status(403);
        let again = wait_for_denials(&root, "ada", 3).await;
        assert_eq!(again[0]["facts"]["times"], 20, "{again:#?}");
    }

    async fn token_exceeding_its_scope_is_audited(app: TestApp) {
        let root = app.administrator("root").await;
        let ada = app.editor("ada").await;
        let made = ada.post("/auth/tokens", json!({"name": "backup", "scopes": ["files:read"]})).await.expect_status(201);
        let token = Client { token: Some(made.body["token"].as_str().unwrap().to_owned()), ..ada.clone() };
        token.add("b.nc", b"x").await.expect_status(403);
        token.get("/auth/tokens").await.expect_status(403);
        let denials = wait_for_denials(&root, "ada", 2).await;
        let reasons: Vec<_> = denials.iter().map(|entry| entry["reason"].as_str().unwrap()).collect();
        assert!(reasons.contains(&"scope_missing") && reasons.contains(&"not_in_person"), "{denials:#?}");
        assert!(denials.iter().all(|entry| entry["by"]["label"] == "backup"), "{denials:#?}");
    }

    async fn cross_site_request_with_cookie_is_audited(app: TestApp) {
        let root = app.administrator("root").await;
        app.editor("ada").await;
        let cookie = session_cookie(&app, "ada", None).await;
        let anonymous = app.anonymous();
        let foreign = |cookie: &str| {
            let request = anonymous.post_request("/auth/sessions/end-others?secret=1").header("cookie", cookie.to_owned());
            anonymous.send(request.header("sec-fetch-site", "cross-site").header("origin", "https://evil.example"))
        };
        foreign("strongroom=sr_ws_nobodys").await.expect_status(403);
        foreign(&cookie).await.expect_status(403);
        let denials = wait_for_denials(&root, "ada", 1).await;
        assert_eq!((&denials[0]["subject"], &denials[0]["reason"]), (&json!("by_another_site"), &json!("cross_site")));
        assert_eq!(denials[0]["facts"]["site"], "https://evil.example");
        assert_eq!(denials[0]["facts"]["request"], "POST /auth/sessions/end-others", "the request without its query");
        assert_eq!(denials[0]["by"]["kind"], "web");
        assert_eq!(root.get("/api/audit?action=action.refused").await.expect_status(200).body.as_array().unwrap().len(), 1, "an unknown cookie is not recorded");
    }

    async fn step_up_and_unknown_vault_are_not_audited(app: TestApp) {
        let root = app.administrator("root").await;
        root.get("/api/vaults/nowhere/files").await.expect_status(404);
        app.advance_clock(Duration::from_mins(11));
        root.send(root.put_request("/api/vaults/main/members/root").json(&json!({"role": "viewer"}))).await.expect_status(401);
        root.post("/auth/tokens", json!({"name": "x", "scopes": ["files:read"]})).await.expect_status(401);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(root.get("/api/audit?action=action.refused").await.expect_status(200).body, json!([]));
    }
}
