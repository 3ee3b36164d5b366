//! A list of strings that break other programs, sent through every text field: stored unchanged or
//! rejected, and never markup on a page.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    app::{Client, PASSWORD, TestApp, TestResponse, file_url},
    passkeys,
    session_end::session_cookie,
};

/// `None`, with a message on standard error, if the list is missing.
#[expect(clippy::print_stderr, reason = "shown to the user who runs the tests")]
fn naughty_strings() -> Option<Vec<String>> {
    let shared = std::env::var("STRONGROOM_SHARED")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared").to_owned());
    let path = format!("{shared}/vectors/naughty-strings.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(std::env::var_os("CI").is_none(), "{path} is missing");
        eprintln!("SKIPPED: {path} is missing");
        return None;
    };
    let mut strings: Vec<String> = serde_json::from_str(&text).unwrap();
    let own = [
        "{{7*7}}",
        "{% raw %}",
        "%s%n{}",
        "a\r\nSet-Cookie: a=b",
        "\u{1b}[31mred",
        "__proto__",
        "</script><script>",
    ];
    strings.extend(own.map(str::to_owned));
    Some(strings)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TextOutcome {
    Stored,
    Rejected,
}

/// The result for a text. An accepted text is stored unchanged. White space alone may be stored as
/// an empty text.
#[track_caller]
fn outcome_of(answer: &TestResponse, good: u16, stored: &Value, sent: &str) -> TextOutcome {
    if answer.status() == 422 {
        return TextOutcome::Rejected;
    }
    assert_eq!(answer.status(), good, "{sent:?}: {}", answer.text);
    assert!(
        stored == sent || stored.is_null() && sent.trim().is_empty(),
        "{sent:?} became {stored}"
    );
    TextOutcome::Stored
}

/// Anything that a browser would parse as markup, or as the end of an attribute.
#[track_caller]
fn assert_no_markup(page: &TestResponse, sent: &str) {
    assert_eq!(page.status(), 200, "{sent:?}: {}", page.text);
    if sent.trim().chars().count() > 3 && sent.contains(['<', '"']) {
        assert!(
            !page.text.contains(sent.trim()),
            "{sent:?} stands as it is on {}",
            page.text
        );
    }
}

/// The clients for all text fields.
struct HostileTextApp {
    app: TestApp,
    ada: Client,
    root: Client,
    /// The session cookie of root, for pages.
    cookie: String,
    /// The number of accepted texts, by field.
    stored_counts: std::collections::BTreeMap<&'static str, usize>,
}

impl HostileTextApp {
    async fn open() -> Self {
        let app = TestApp::sqlite().await;
        let (ada, root) = (app.editor("ada").await, app.administrator("root").await);
        ada.add("a.nc", b"x").await.expect_status(201);
        let cookie = session_cookie(&app, "root", None).await;
        Self {
            app,
            ada,
            root,
            cookie,
            stored_counts: std::collections::BTreeMap::new(),
        }
    }

    fn count(&mut self, field: &'static str, fate: TextOutcome) -> bool {
        let kept = fate == TextOutcome::Stored;
        *self.stored_counts.entry(field).or_default() += usize::from(kept);
        kept
    }

    async fn page(&self, path: &str) -> TestResponse {
        let anonymous = self.app.anonymous();
        let request = anonymous
            .get_request(path)
            .header("cookie", &self.cookie)
            .header("accept", "text/html");
        anonymous.send(request).await
    }

    /// Description, note, reason, comment: on the file's page and in the audit log.
    async fn check_file_fields(&mut self, text: &str) {
        let (ada, root) = (self.ada.clone(), self.root.clone());
        let described = ada
            .send(
                ada.put_request(&file_url("a.nc", ""))
                    .json(&json!({"description": text})),
            )
            .await;
        let stored = described.body["description"].clone();
        let fate = outcome_of(&described, 200, &stored, text);
        self.count("description", fate);
        let noted = ada
            .post(&file_url("a.nc", "/checkout"), json!({"note": text}))
            .await;
        let fate = outcome_of(&noted, 200, &noted.body["lock_note"], text);
        if !self.count("note", fate) {
            ada.check_out("a.nc").await.expect_status(200);
        }
        assert_no_markup(&self.page("/v/main/h/a.nc").await, text);
        assert_no_markup(&self.page("/v/main").await, text);
        let broken = root
            .post(&file_url("a.nc", "/override"), json!({"reason": text}))
            .await;
        if broken.status() == 422 {
            root.post(&file_url("a.nc", "/override"), json!({"reason": "because"}))
                .await
                .expect_status(200);
        }
        let record = root
            .get("/api/audit?vault=main&action=file&limit=1")
            .await
            .expect_status(200)
            .body;
        let expected = if text.trim().is_empty() {
            "No reason was given."
        } else {
            text
        };
        let fate = outcome_of(&broken, 200, &record[0]["reason"], expected);
        self.count("reason", fate);
        ada.check_out("a.nc").await.expect_status(200);
        let checked_in = ada.check_in("a.nc", b"y", text).await;
        let history = ada
            .get(&file_url("a.nc", "/history?limit=1"))
            .await
            .expect_status(200)
            .body;
        let fate = outcome_of(&checked_in, 200, &history[0]["comment"], text);
        if !self.count("comment", fate) {
            ada.check_in("a.nc", b"y", "because")
                .await
                .expect_status(200);
        }
        assert_no_markup(&self.page("/v/main/h/a.nc").await, text);
    }

    /// Display names, and names of tokens and groups.
    async fn check_account_fields(&mut self, text: &str) {
        let root = self.root.clone();
        let named = root
            .send(
                root.request_builder(Method::PATCH, "/auth/me")
                    .json(&json!({"display_name": text})),
            )
            .await;
        // Names are stored without surrounding white space.
        let fate = outcome_of(&named, 200, &named.body["display_name"], text.trim());
        self.count("display name", fate);
        assert_no_markup(&self.page("/account").await, text);
        let made = root
            .post(
                "/auth/tokens",
                json!({"name": text, "scopes": ["files:read"]}),
            )
            .await;
        let fate = outcome_of(&made, 201, &made.body["name"], text.trim());
        if self.count("token's name", fate) {
            assert_no_markup(&self.page("/account/tokens").await, text);
            root.send(root.delete_request(&format!(
                "/auth/tokens/{}",
                made.body["id"].as_str().unwrap()
            )))
            .await
            .expect_status(204);
        }
        let group = root.post("/api/groups", json!({"name": text})).await;
        let fate = outcome_of(&group, 201, &group.body["name"], text.trim());
        self.count("group's name", fate);
        let vault = root.post("/api/vaults", json!({"name": text})).await;
        let fate = outcome_of(&vault, 201, &vault.body["name"], text.trim());
        self.count("vault's name", fate);
    }

    /// Search pages repeat the query.
    async fn check_searches(&mut self, text: &str) {
        let query: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        for path in [
            format!("/api/files?q={query}"),
            format!("/api/users?q={query}"),
            format!("/api/audit?subject={query}"),
        ] {
            let status = self.root.get(&path).await.status();
            assert!(matches!(status, 200 | 422), "{path}: {status}");
        }
        for path in [
            format!("/v/main?q={query}"),
            format!("/admin/users?q={query}"),
            format!("/admin/audit?subject={query}"),
        ] {
            let page = self.page(&path).await;
            if page.status() != 422 {
                assert_no_markup(&page, text);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn naughty_strings_are_stored_exactly_or_rejected() {
    let Some(strings) = naughty_strings() else {
        return;
    };
    let mut app = HostileTextApp::open().await;
    for text in &strings {
        app.check_file_fields(text).await;
        app.check_account_fields(text).await;
        app.check_searches(text).await;
    }
    for field in ["description", "note", "reason", "comment"] {
        assert!(app.stored_counts[field] > 400, "{:?}", app.stored_counts);
    }
    for field in ["display name", "token's name"] {
        assert!(app.stored_counts[field] > 300, "{:?}", app.stored_counts);
    }
    for path in [
        "/account/security",
        "/admin/audit",
        "/admin/users",
        "/admin/users/ada",
        "/account/factors",
    ] {
        let page = app.page(path).await;
        for text in &strings {
            assert_no_markup(&page, text);
        }
    }
}

/// Each password confirms the next change. A password stored differently would be rejected.
#[tokio::test(flavor = "multi_thread")]
async fn naughty_string_passwords_sign_in_or_are_rejected() {
    let Some(strings) = naughty_strings() else {
        return;
    };
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    let (mut current, mut taken) = (PASSWORD.to_owned(), 0);
    for text in strings {
        let change = json!({"current_password": current, "new_password": text});
        let answer = ada
            .send(ada.put_request("/auth/me/password").json(&change))
            .await;
        match answer.status() {
            204 => {
                taken += 1;
                current = text;
            }
            422 => assert_ne!(
                answer.body["errors"][0]["pointer"], "/current_password",
                "{text:?}: {}",
                answer.text
            ),
            status => panic!("{status} for {text:?}: {}", answer.text),
        }
        // A sign-in is recent for 10 minutes, and the test may take longer on a slow machine.
        if taken % 50 == 49 {
            app.advance_clock(Duration::from_secs(1));
        }
    }
    assert!(taken > 100, "only {taken} were taken");
    // A form cannot contain NUL (nor can values in RFC 6749). Such a password is rejected above.
    let form = [("username", "ada"), ("password", current.as_str())];
    app.anonymous()
        .send(app.anonymous().post_request("/auth/token").form(&form))
        .await
        .expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn passkey_naughty_string_names_are_stored_or_rejected() {
    let Some(strings) = naughty_strings() else {
        return;
    };
    let app = passkeys::passkey_app().await;
    let (ada, _) = passkeys::editor_with_passkey(&app, "ada").await;
    let id = ada.get("/auth/passkeys").await.expect_status(200).body[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut kept = 0;
    for text in strings {
        for (path, good) in [("/auth/passkeys", 200), ("/auth/factors", 204)] {
            let rename = ada
                .request_builder(Method::PATCH, &format!("{path}/{id}"))
                .json(&json!({"name": text}));
            let answer = ada.send(rename).await;
            let list = ada.get(path).await.expect_status(200).body;
            let name = if list.is_array() {
                &list[0]["name"]
            } else {
                &list["factors"][0]["name"]
            };
            kept +=
                usize::from(outcome_of(&answer, good, name, text.trim()) == TextOutcome::Stored);
        }
    }
    assert!(kept > 600, "only {kept} were kept");
}
