//! The audit log, and who can read it.

use serde_json::{Value, json};

use crate::{
    app::{Client, PASSWORD, TestApp, file_url},
    both,
};

fn find_entry<'a>(entries: &'a Value, action: &str) -> &'a Value {
    let found = entries
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["action"] == action);
    found.unwrap_or_else(|| panic!("no {action} in {entries:#}"))
}

fn file_part(content: &'static [u8]) -> reqwest::multipart::Form {
    reqwest::multipart::Form::new().part(
        "file",
        reqwest::multipart::Part::bytes(content).file_name("upload"),
    )
}

/// Signs in with this `User-Agent`.
async fn sign_in_from_agent(app: &TestApp, name: &str, password: &str, program: &str) -> u16 {
    let form = [("username", name), ("password", password)];
    let request = app
        .anonymous()
        .post_request("/auth/token")
        .form(&form)
        .header("user-agent", program);
    app.anonymous().send(request).await.status()
}

both! {
    async fn own_audit_excludes_same_named_groups_and_invitations(app: TestApp) {
        let root = app.administrator("root").await;
        app.editor("ada").await;
        root.post("/api/groups", json!({"name": "engineering"})).await.expect_status(201);
        root.send(root.put_request("/api/groups/engineering/members/ada")).await.expect_status(204);
        root.post("/auth/invites", json!({"email": "boss@corp.example"})).await.expect_status(201);
        app.sign_in("ada").await.get("/api/users").await.expect_status(403);
        for name in ["engineering", "boss@corp.example", "accounts.see"] {
            let entries = app.editor(name).await.get("/auth/audit").await.expect_status(200).body;
            let actors = entries.as_array().unwrap().iter().map(|entry| entry["actor"].as_str().unwrap());
            assert!(actors.clone().count() > 0 && actors.clone().all(|actor| actor == name), "{entries}");
        }
    }

    async fn audit_entry_records_actor_change_origin_and_session(app: TestApp) {
        let root = app.administrator("root").await;
        app.editor("ada").await;
        root.send(root.put_request("/api/vaults/main/members/ada").header("user-agent", "curl/8").json(&json!({"role": "viewer"}))).await.expect_status(204);
        let entries = root.get("/api/audit").await.expect_status(200).body;
        let role = find_entry(&entries, "role.changed");
        assert_eq!((role["actor"].as_str(), role["subject"].as_str()), (Some("root"), Some("ada")));
        assert_eq!((&role["before"]["role"], &role["after"]["role"]), (&json!("editor"), &json!("viewer")));
        assert_eq!(role["from"], json!({"address": "127.0.0.1", "user_agent": "curl/8"}));
        assert_eq!((role["by"]["kind"].as_str(), role["vault"].as_str()), (Some("tokens"), Some("main")));
        assert_eq!(role["by"]["session"].as_str().unwrap().len(), 32);
        let made = entries.as_array().unwrap().iter().find(|entry| entry["action"] == "account.created" && entry["subject"] == "root").unwrap();
        assert_eq!((made["actor"].as_str(), made["by"]["kind"].as_str()), (Some("console"), Some("console")));
        let signed_in = find_entry(&entries, "sign_in");
        assert_eq!(signed_in["facts"]["methods"], json!(["pwd"]));
        let numbers: Vec<i64> = entries.as_array().unwrap().iter().map(|entry| entry["n"].as_i64().unwrap()).collect();
        assert!(numbers.is_sorted_by(|a, b| a > b), "newest first: {numbers:?}");
    }

    async fn lock_override_audit_contains_reason_and_token_label(app: TestApp) {
        let root = app.administrator("root").await;
        let ada = app.editor("ada").await;
        ada.add("a.nc", b"x").await.expect_status(201);
        ada.check_out("a.nc").await.expect_status(200);
        let token = root.post("/auth/tokens", json!({"name": "janitor", "scopes": ["locks:override", "files:read"]})).await.expect_status(201);
        let janitor = Client { token: Some(token.body["token"].as_str().unwrap().to_owned()), ..root.clone() };
        janitor.post(&file_url("a.nc", "/override"), json!({"reason": "ada is on holiday"})).await.expect_status(200);
        let entries = root.get("/api/audit?vault=main&action=file").await.expect_status(200).body;
        let broken = &entries[0];
        assert_eq!(broken["before"]["locked_by"], "ada");
        assert_eq!(broken["after"]["locked_by"], Value::Null);
        assert_eq!(broken["reason"], "ada is on holiday");
        assert_eq!((broken["by"]["kind"].as_str(), broken["by"]["label"].as_str()), (Some("personal"), Some("janitor")));
        let made = root.get("/api/audit?action=token.made").await.expect_status(200).body;
        assert_eq!(made[0]["after"]["label"], "janitor");
        assert!(!made.to_string().contains(janitor.token.as_deref().unwrap()));
    }

    async fn audit_is_filtered_and_paged(app: TestApp) {
        let root = app.administrator("root").await;
        for name in ["ada", "bob", "cy"] {
            app.editor(name).await;
            assert_eq!(sign_in_from_agent(&app, name, "wrong wrong wrong", "x").await, 401);
        }
        let refused = root.get("/api/audit?action=sign_in.refused").await.expect_status(200).body;
        assert_eq!(refused.as_array().unwrap().len(), 3);
        assert_eq!(refused[0]["reason"], "password");
        let of_sign_ins = root.get("/api/audit?action=sign_in&subject=ada").await.expect_status(200).body;
        let actions: Vec<_> = of_sign_ins.as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
        assert_eq!(actions, ["sign_in.refused", "sign_in"], "the action, and actions that start with it and a dot");
        assert_eq!(root.get("/api/audit?action=sign").await.expect_status(200).body, json!([]));
        let (mut path, mut seen) = ("/api/audit?limit=2".to_owned(), Vec::new());
        loop {
            let page = root.get(&path).await.expect_status(200);
            seen.extend(page.body.as_array().unwrap().iter().map(|entry| entry["n"].as_i64().unwrap()));
            let Some(link) = page.header("link") else { break };
            link.trim_start_matches('<').split('>').next().unwrap().clone_into(&mut path);
        }
        let all: Vec<i64> = (1..=*seen.first().unwrap()).rev().collect();
        assert_eq!(seen, all);
        let until = refused[2]["at"].as_str().unwrap().replace('+', "%2B");
        let before = root.get(&format!("/api/audit?until={until}&action=sign_in.refused")).await.expect_status(200).body;
        assert_eq!(before, json!([]));
        assert_eq!(root.get(&format!("/api/audit?since={until}&action=sign_in.refused")).await.expect_status(200).body.as_array().unwrap().len(), 3);
        let here = root.get("/api/audit?address=127.0.0.1&action=sign_in.refused").await.expect_status(200).body;
        assert_eq!(here.as_array().unwrap().len(), 3);
        assert_eq!(root.get("/api/audit?address=192.0.2.9").await.expect_status(200).body, json!([]));
        for strange in ["limit=0", "address=here", "since=yesterday", "after=x", "limit=100000"] {
            root.get(&format!("/api/audit?{strange}")).await.expect_status(422);
        }
        root.get("/api/audit?vault=nothing").await.expect_status(404);
    }

    async fn audit_access_is_limited_by_role(app: TestApp) {
        let root = app.administrator("root").await;
        let (ada, bob) = (app.editor("ada").await, app.editor("bob").await);
        root.send(root.put_request("/api/vaults/main/members/ada").json(&json!({"role": "manager"}))).await.expect_status(204);
        ada.add("a.nc", b"x").await.expect_status(201);
        for client in [&ada, &bob] {
            client.get("/api/audit").await.expect_status(403);
        }
        app.anonymous().get("/auth/audit").await.expect_status(401);
        let of_vault = ada.get("/api/vaults/main/audit").await.expect_status(200).body;
        assert_eq!(find_entry(&of_vault, "file.add")["actor"], "ada");
        bob.get("/api/vaults/main/audit").await.expect_status(403);
        let own = ada.get("/auth/audit").await.expect_status(200).body;
        let role = find_entry(&own, "role.changed");
        assert_eq!(role["actor"], "root");
        assert!(role["from"].is_null() && role["by"]["session"].is_null(), "the origin of an administrator is hidden: {role}");
        let about_others = own.as_array().unwrap().iter().any(|entry| entry["actor"] != "ada" && entry["subject"] != "ada");
        assert!(!about_others, "{own:#}");
        // Filters do not widen the access.
        assert_eq!(ada.get("/auth/audit?subject=bob").await.expect_status(200).body, json!([]));
    }

    async fn security_page_lists_unusual_sign_ins(app: TestApp) {
        let ada = app.editor("ada").await;
        let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0";
        assert_eq!(sign_in_from_agent(&app, "ada", PASSWORD, browser).await, 200);
        assert_eq!(sign_in_from_agent(&app, "ada", PASSWORD, &browser.replace("141", "142")).await, 200);
        assert_eq!(sign_in_from_agent(&app, "ada", "wrong wrong wrong", "<script>alert(1)</script>").await, 401);
        let own = ada.get("/auth/audit?action=sign_in").await.expect_status(200).body;
        let new: Vec<_> = own.as_array().unwrap().iter().map(|entry| entry["facts"]["new_device"] == true).collect();
        assert_eq!(new, [false, false, true, false], "refused, updated, new, first: {own:#}");
        let page = ada.send(ada.get_request("/account/security").header("accept", "text/html")).await.expect_status(200).text;
        for sentence in ["Failed sign-in as you: wrong password", "You signed in", "New device",
            "Firefox on Linux, 127.0.0.1", "You created your account", "2 entries below need your attention"] {
            assert!(page.contains(sentence), "{sentence}: {page}");
        }
        assert!(!page.contains("<script>alert"), "escaped");
    }

    async fn admin_audit_page_filters_and_shows_sentences(app: TestApp) {
        let root = app.administrator("root").await;
        app.editor("ada").await;
        root.send(root.put_request("/api/vaults/main/members/ada").json(&json!({"role": "viewer"}))).await.expect_status(204);
        let see = async |query: &str| root.send(root.get_request(&format!("/admin/audit{query}")).header("accept", "text/html")).await.expect_status(200).text;
        let all = see("").await;
        assert!(all.contains("You changed ada&#39;s role in main") && all.contains("role: editor → viewer"), "{all}");
        let filtered = see("?vault=&actor=ada&subject=&action=&since=2020-01-01&until=").await;
        assert!(filtered.contains("ada created their account") && !filtered.contains("You changed"), "{filtered}");
        assert!(see("?vault=main").await.contains("created the vault main"));
        assert!(see("?since=2999-01-01").await.contains("No matching activity"));
        let ada = app.sign_in("ada").await;
        ada.send(ada.get_request("/admin/audit").header("accept", "text/html")).await.expect_status(403);
    }

    async fn manager_audit_page_hides_other_members_origins(app: TestApp) {
        let root = app.administrator("root").await;
        let (ada, bob) = (app.editor("ada").await, app.editor("bob").await);
        root.post("/api/vaults", json!({"name": "attic"})).await.expect_status(201);
        root.send(root.put_request("/api/vaults/main/members/ada").json(&json!({"role": "manager"}))).await.expect_status(204);
        bob.send(bob.put_request(&file_url("b.nc", "/content")).header("user-agent", "curl/8").multipart(file_part(b"x"))).await.expect_status(201);
        ada.add("a.nc", b"x").await.expect_status(201);
        let see = async |who: &Client, path: &str| who.send(who.get_request(path).header("accept", "text/html")).await;
        assert!(see(&ada, "/v/main").await.expect_status(200).text.contains("/v/main/audit"));
        assert!(!see(&bob, "/v/main").await.expect_status(200).text.contains("/v/main/audit"));
        see(&bob, "/v/main/audit").await.expect_status(403);
        see(&ada, "/v/attic/audit").await.expect_status(404);
        let page = see(&ada, "/v/main/audit?vault=attic").await.expect_status(200).text;
        assert!(page.contains("bob added b.nc") && page.contains("You added a.nc"), "{page}");
        assert!(!page.contains("attic") && !page.contains("curl"), "other vaults and devices of others are hidden: {page}");
        assert_eq!(page.matches("127.0.0.1").count(), 1, "one's own address: {page}");
        assert!(page.contains("action=\"/v/main/audit\"") && !page.contains("/admin/audit"), "{page}");
        let filtered = see(&ada, "/v/main/audit?actor=bob").await.expect_status(200).text;
        assert!(filtered.contains("bob added b.nc") && !filtered.contains("You added"), "{filtered}");
        let entries = ada.get("/api/vaults/main/audit?actor=bob").await.expect_status(200).body;
        assert!(entries[0]["from"].is_null() && entries[0]["by"]["session"].is_null(), "{entries:#}");
        let entries = root.get("/api/vaults/main/audit?actor=bob").await.expect_status(200).body;
        assert_eq!(entries[0]["from"]["address"], "127.0.0.1", "administrators see the address");
    }
}
