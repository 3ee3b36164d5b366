//! Error pages and the start page without a vault keep the menu of the signed-in user.

use crate::{both, overrides::page};

both! {
    async fn error_pages_keep_menu_of_user(app: TestApp) {
        let ada = app.editor("ada").await;
        for (path, status) in [
            ("/v/main/h/none.step", 404),
            ("/v/unknown", 404),
            ("/nowhere", 404),
            ("/admin/users", 403),
            ("/v/main/audit", 403),
        ] {
            let shown = page(&ada, path).await.expect_status(status).text;
            for part in ["id=\"user-menu\"", "Signed in as", "action=\"/sign-out\""] {
                assert!(shown.contains(part), "{path}: {part}");
            }
        }
        let signed_out = page(&app.anonymous(), "/nowhere").await.expect_status(404).text;
        assert!(!signed_out.contains("user-menu") && !signed_out.contains("Sign in"), "{signed_out}");
    }

    async fn cross_site_form_shows_menu_without_acting(app: TestApp) {
        let signed_in = app.anonymous().send(app.anonymous().post_request("/sign-up").header("origin", app.url("")).form(&[
            ("username", "ada"), ("password", crate::app::PASSWORD),
        ])).await.expect_status(303);
        let cookie = signed_in.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let request = app.anonymous().post_request("/sign-out")
            .header("cookie", &cookie).header("origin", "https://evil.example").header("accept", "text/html");
        let refused = app.anonymous().send(request).await.expect_status(403).text;
        assert!(refused.contains("user-menu"));
        let home = app.anonymous().get_request("/").header("cookie", cookie).header("accept", "text/html");
        app.anonymous().send(home).await.expect_status(200);
        let entries = app.administrator("root").await.get("/api/audit?action=action.refused").await.expect_status(200).body;
        assert_eq!(entries.as_array().unwrap().len(), 1, "one refusal, one entry");
    }

    async fn user_without_vault_learns_what_to_do(app: TestApp) {
        let root = app.administrator("root").await;
        let ada = app.editor("ada").await;
        root.send(root.delete_request("/api/vaults/main/members/ada")).await.expect_status(204);
        let home = page(&ada, "/").await.expect_status(200).text;
        for part in ["You are not a member of a vault yet", "Ask an administrator", "<strong class=\"mono\">ada</strong>", "id=\"user-menu\""] {
            assert!(home.contains(part), "{part}: {home}");
        }
        let missing = page(&ada, "/v/main").await.expect_status(404).text;
        assert!(!missing.contains("Go to"), "no way back to files that are not there");
    }
}
