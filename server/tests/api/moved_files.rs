//! Old addresses of moved files, check-ins of the same content, and names of lock holders.

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::{
    app::{Client, TestResponse, file_url},
    both,
    overrides::page,
};

async fn move_file(client: &Client, from: &str, to: &str) {
    client
        .post(&file_url(from, "/move"), json!({"to": to}))
        .await
        .expect_status(200);
}

async fn check_in(client: &Client, content: &'static [u8], unchanged: &str) -> TestResponse {
    let form = Form::new()
        .text("comment", "again")
        .text("unchanged", unchanged.to_owned())
        .part("file", Part::bytes(content).file_name("upload"));
    let request = client.post_request(&file_url("vise.step", "/checkin"));
    client.send(request.multipart(form)).await
}

both! {
    async fn old_address_of_moved_file_redirects(app: TestApp) {
        let ada = app.editor("ada").await;
        ada.add("vise.step", b"one").await.expect_status(201);
        move_file(&ada, "vise.step", "jigs/vise.step").await;
        move_file(&ada, "jigs/vise.step", "jigs/large vise.step").await;
        for old in ["/v/main/h/vise.step", "/v/main/h/jigs/vise.step"] {
            let answer = page(&ada, old).await.expect_status(307);
            assert_eq!(answer.header("location"), Some("/v/main/h/jigs/large%20vise.step"), "{old}");
        }
        ada.get(&file_url("vise.step", "")).await.expect_status(404);
        ada.add("vise.step", b"another").await.expect_status(201);
        page(&ada, "/v/main/h/vise.step").await.expect_status(200);
        ada.send(ada.delete_request(&file_url("vise.step", ""))).await.expect_status(403);
    }

    async fn deleted_file_keeps_its_address_from_earlier_move(app: TestApp) {
        let root = app.administrator("root").await;
        root.add("vise.step", b"one").await.expect_status(201);
        move_file(&root, "vise.step", "old.step").await;
        root.add("vise.step", b"another").await.expect_status(201);
        root.send(root.delete_request(&file_url("vise.step", ""))).await.expect_status(204);
        let shown = page(&root, "/v/main/h/vise.step").await.expect_status(200).text;
        assert!(shown.contains("This file was deleted"));
    }

    async fn old_address_redirects_members_only(app: TestApp) {
        let root = app.administrator("root").await;
        let eve = app.editor("eve").await;
        root.post("/api/vaults", json!({"name": "secret"})).await.expect_status(201);
        let form = Form::new().part("file", Part::bytes(b"one".to_vec()).file_name("upload"));
        root.send(root.put_request("/api/vaults/secret/files/vise.step/content").multipart(form)).await.expect_status(201);
        root.post("/api/vaults/secret/files/vise.step/move", json!({"to": "hidden.step"})).await.expect_status(200);
        page(&root, "/v/secret/h/vise.step").await.expect_status(307);
        let refused = page(&eve, "/v/secret/h/vise.step").await.expect_status(404);
        let unknown = page(&eve, "/v/secret/h/other.step").await.expect_status(404);
        assert_eq!(refused.header("location"), None);
        assert!(!refused.text.contains("hidden.step"));
        assert_eq!(refused.text.len(), unknown.text.len());
    }

    async fn history_shows_both_names_of_move(app: TestApp) {
        let root = app.administrator("root").await;
        root.add("vise.step", b"one").await.expect_status(201);
        move_file(&root, "vise.step", "jigs/vise.step").await;
        let history = root.get(&file_url("jigs/vise.step", "/history")).await.expect_status(200).body;
        assert_eq!((&history[0]["moved_from"], &history[0]["moved_to"]), (&json!("vise.step"), &json!("jigs/vise.step")));
        assert_eq!(history[1]["moved_from"], Value::Null);
        let audit = page(&root, "/v/main/audit").await.expect_status(200).text;
        assert!(audit.contains("You moved vise.step to jigs/vise.step"), "{audit}");
    }

    async fn unchanged_check_in_is_refused_on_request(app: TestApp) {
        let ada = app.editor("ada").await;
        ada.add("vise.step", b"one").await.expect_status(201);
        ada.check_out("vise.step").await.expect_status(200);
        let refused = check_in(&ada, b"one", "refuse").await.expect_status(409).body;
        assert_eq!(
            (&refused["type"], &refused["detail"]),
            (&json!("/problems/unchanged"), &json!("The content is the same as in revision 1."))
        );
        check_in(&ada, b"one", "perhaps").await.expect_status(422);
        let accepted = check_in(&ada, b"one", "accept").await.expect_status(200).body;
        assert_eq!(accepted["revision"], 2);
        ada.check_out("vise.step").await.expect_status(200);
        ada.check_in("vise.step", b"one", "as ever").await.expect_status(200);
    }

    async fn lock_shows_display_name_and_note(app: TestApp) {
        let ada = app.editor("ada").await;
        let ben = app.editor("ben").await;
        ada.add("vise.step", b"one").await.expect_status(201);
        let named = ada.request_builder(reqwest::Method::PATCH, "/auth/me").json(&json!({"display_name": "Ada Byron"}));
        ada.send(named).await.expect_status(200);
        ada.post(&file_url("vise.step", "/checkout"), json!({"note": "until Friday"})).await.expect_status(200);
        let file = ben.get(&file_url("vise.step", "")).await.expect_status(200).body;
        assert_eq!((&file["locked_by"], &file["locked_by_name"]), (&json!("ada"), &json!("Ada Byron")));
        let list = page(&ben, "/v/main").await.expect_status(200).text;
        for part in ["Checked out by ada", ">Ada Byron<", "until Friday", "data-field=\"locked-at\""] {
            assert!(list.contains(part), "{part}");
        }
    }
}
