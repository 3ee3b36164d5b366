//! Overridden locks: the notice to their holder, the mail, and the file's history.

use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp, TestResponse, file_url},
    both,
};

pub(crate) async fn page(client: &Client, path: &str) -> TestResponse {
    let request = client.get_request(path).header("accept", "text/html");
    client.send(request).await
}

async fn override_lock(client: &Client, file: &str, reason: &str) {
    client
        .post(&file_url(file, "/override"), json!({"reason": reason}))
        .await
        .expect_status(200);
}

/// A request from the page's own form.
async fn dismiss(client: &Client, event: &str) -> TestResponse {
    let form = [("vault", "main"), ("event", event), ("next", "/account")];
    client
        .send(client.post_request("/notices/dismiss").form(&form))
        .await
}

fn event_of(page: &str) -> String {
    let after = page
        .split("name=\"event\" value=\"")
        .nth(1)
        .or_else(|| page.split("name=\"event\"\n").nth(1));
    let after = after.unwrap().trim_start();
    let after = after.strip_prefix("value=\"").unwrap_or(after);
    after.split('"').next().unwrap().to_owned()
}

async fn held_by_ada(app: &TestApp) -> (Client, Client) {
    let root = app.administrator("root").await;
    app.register_with_verified_email("ada").await;
    let ada = app.sign_in("ada").await;
    ada.add("vise.step", b"one").await.expect_status(201);
    ada.check_out("vise.step").await.expect_status(200);
    app.clear_mails();
    (root, ada)
}

both! {
    async fn overridden_holder_sees_notice_until_dismissed(app: TestApp) {
        let (root, ada) = held_by_ada(&app).await;
        let ben = app.editor("ben").await;
        override_lock(&root, "vise.step", "Ada is ill <b>").await;
        let sentence = "root overrode your lock on";
        for path in ["/", "/account", "/account/security", "/v/main/h/vise.step", "/notices"] {
            let shown = page(&ada, path).await.expect_status(200).text;
            assert!(shown.contains(sentence), "{path}");
            assert!(shown.contains("Ada is ill &#60;b&#62;"), "{path}");
        }
        for other in [&root, &ben] {
            assert!(!page(other, "/").await.expect_status(200).text.contains(sentence));
        }
        let event = event_of(&page(&ada, "/notices").await.expect_status(200).text);
        dismiss(&ben, &event).await.expect_status(303);
        assert!(page(&ada, "/").await.expect_status(200).text.contains(sentence), "only its own reader dismisses it");
        let done = dismiss(&ada, &event).await.expect_status(303);
        assert_eq!(done.header("location"), Some("/account"));
        assert!(!page(&ada, "/").await.expect_status(200).text.contains(sentence));
    }

    async fn override_is_mailed_once_with_its_reason(app: TestApp) {
        let (root, _ada) = held_by_ada(&app).await;
        override_lock(&root, "vise.step", "The customer\nwaits").await;
        let mail = app.wait_for_mail("ada@example.org", 1).await;
        assert_eq!(mail.subject, "Your check-out was overridden");
        for part in ["root overrode your lock", "  File: vise.step", "The reason given: The customer waits"] {
            assert!(mail.text.contains(part), "{part}: {}", mail.text);
        }
        root.check_out("vise.step").await.expect_status(200);
        override_lock(&root, "vise.step", "My own").await;
        app.register_with_verified_email("ben").await;
        assert_eq!(app.mails().iter().filter(|mail| mail.to == "ada@example.org").count(), 0, "cleared, and not sent again");
    }

    async fn history_shows_override_with_user_and_reason(app: TestApp) {
        let (root, ada) = held_by_ada(&app).await;
        override_lock(&root, "vise.step", "Ada is ill").await;
        let history = ada.get(&file_url("vise.step", "/history")).await.expect_status(200).body;
        let broken = &history[0]["overrides"][0];
        assert_eq!(
            (&broken["user"], &broken["holder"], &broken["reason"]),
            (&json!("root"), &json!("ada"), &json!("Ada is ill"))
        );
        let shown = page(&ada, "/v/main/h/vise.step").await.expect_status(200).text;
        assert!(shown.contains("data-override=\"1\""), "{shown}");
        ada.add("other.step", b"one").await.expect_status(201);
        let other = ada.get(&file_url("other.step", "/history")).await.expect_status(200).body;
        assert_eq!(other[0]["overrides"], Value::Null);
    }

    async fn former_member_sees_no_notice(app: TestApp) {
        let (root, ada) = held_by_ada(&app).await;
        override_lock(&root, "vise.step", "She left the project").await;
        root.send(root.delete_request("/api/vaults/main/members/ada")).await.expect_status(204);
        let shown = page(&ada, "/account").await.expect_status(200).text;
        assert!(!shown.contains("She left the project"));
        dismiss(&ada, "1").await.expect_status(422);
    }
}
