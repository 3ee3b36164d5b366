//! Pagination of every list, from the first page to the last (docs/api.md).

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp, TestResponse},
    both, personal_tokens,
};

impl Client {
    /// Follows `Link` to the last page and returns all pages.
    async fn all_pages(&self, path: &str, limit: usize) -> Vec<Vec<Value>> {
        let (mut next, mut pages) = (Some(format!("{path}?limit={limit}")), Vec::new());
        while let Some(path) = next {
            let page = self.get(&path).await.expect_status(200);
            pages.push(stable_entries(&page));
            next = page.header("link").map(|link| {
                link.strip_prefix('<')
                    .and_then(|link| link.strip_suffix(">; rel=\"next\""))
                    .unwrap()
                    .to_owned()
            });
        }
        pages
    }
}

/// Removes values that the requests themselves change.
fn stable_entries(page: &TestResponse) -> Vec<Value> {
    let mut entries = page.body.as_array().unwrap().clone();
    for entry in &mut entries {
        entry.as_object_mut().unwrap().remove("last_seen_at");
    }
    entries
}

/// Creates three items for every list.
async fn app_with_three_of_each(app: &TestApp) -> Client {
    app.administrator("root").await;
    for name in ["ada", "bob", "cyd"] {
        app.editor(name).await;
        for _ in 0..6 {
            let guess = [("username", name), ("password", "wrong wrong wrong")];
            app.anonymous()
                .send(app.anonymous().post_request("/auth/token").form(&guess))
                .await
                .expect_status(401);
            app.advance_clock(Duration::from_mins(16));
        }
    }
    let root = app.sign_in("root").await;
    for name in ["b-side", "a-side", "b_side"] {
        root.post("/api/vaults", json!({"name": name}))
            .await
            .expect_status(201);
        root.post("/api/groups", json!({"name": name}))
            .await
            .expect_status(201);
        let role = root
            .put_request(&format!("/api/vaults/main/groups/{name}"))
            .json(&json!({"role": "viewer"}));
        root.send(role).await.expect_status(204);
        // Two of them have the same timestamp.
        personal_tokens::create_token(&root, json!(["files:read"]), Value::Null)
            .await
            .expect_status(201);
        root.post("/auth/invites", json!({"roles": {"main": "viewer"}}))
            .await
            .expect_status(201);
        app.sign_in("root").await;
    }
    root
}

both! {
    async fn paged_lists_return_each_entry_exactly_once(app: TestApp) {
        let root = app_with_three_of_each(&app).await;
        for (path, least) in [
            ("/auth/sessions", 4),
            ("/auth/tokens", 3),
            ("/auth/invites", 3),
            ("/api/groups", 3),
            ("/api/vaults", 4),
            ("/api/vaults/main/members", 3),
            ("/api/vaults/main/groups", 3),
            ("/api/throttle", 3),
        ] {
            let whole = root.get(path).await.expect_status(200);
            let entries = stable_entries(&whole);
            assert!(entries.len() >= least && whole.header("link").is_none(), "{path}: {}", whole.text);
            for limit in [1, 2, entries.len()] {
                let pages = root.all_pages(path, limit).await;
                assert_eq!(pages.len(), entries.len().div_ceil(limit), "{path} by {limit}");
                assert_eq!(pages.concat(), entries, "{path} by {limit}");
            }
            for (query, pointer) in [
                ("limit=0", "#limit"), ("limit=1001", "#limit"), ("limit=all", "#limit"),
                ("after=%00", "#after"), ("after=5", "#after"), ("after=%5B%5D", "#after"),
                ("after=%5B%22later%22,1%5D", "#after"),
            ] {
                let refused = root.get(&format!("{path}?{query}")).await.expect_status(422);
                assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{path}?{query}: {}", refused.text);
            }
        }
    }

    async fn deleted_entry_between_pages_skips_no_entry(app: TestApp) {
        let root = app_with_three_of_each(&app).await;
        let first = root.get("/api/groups?limit=1").await.expect_status(200);
        assert_eq!(first.body[0]["name"], "a-side");
        let next = first.header("link").unwrap();
        let next = &next[1..next.find('>').unwrap()];
        root.send(root.delete_request("/api/groups/a-side")).await.expect_status(204);
        let second = root.get(next).await.expect_status(200);
        assert_eq!(second.body[0]["name"], "b-side");
    }

    async fn paging_parameters_do_not_bypass_list_permission(app: TestApp) {
        app_with_three_of_each(&app).await;
        let ada = app.sign_in("ada").await;
        for path in ["/api/groups", "/api/throttle"] {
            ada.get(&format!("{path}?limit=1")).await.expect_status(403);
            ada.get(&format!("{path}?limit=none")).await.expect_status(403);
        }
        assert_eq!(ada.get("/auth/invites?limit=1").await.expect_status(200).body, json!([]));
        assert_eq!(ada.get("/api/vaults?limit=2").await.expect_status(200).body.as_array().unwrap().len(), 1);
    }
}
