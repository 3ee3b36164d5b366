//! The list of accounts, for administrators only.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{app::Client, both};

fn usernames(page: &Value) -> Vec<&str> {
    page.as_array()
        .unwrap()
        .iter()
        .map(|user| user["username"].as_str().unwrap())
        .collect()
}

async fn change_profile(root: &Client, name: &str, fields: Value) {
    root.send(
        root.request_builder(Method::PATCH, &format!("/api/users/{name}"))
            .json(&fields),
    )
    .await
    .expect_status(200);
}

both! {
    async fn user_list_is_filtered_by_status(app: TestApp) {
        let root = app.administrator("root").await;
        for name in ["ada", "bob", "cyd", "dan"] {
            app.editor(name).await;
        }
        change_profile(&root, "bob", json!({"disabled": true})).await;
        change_profile(&root, "cyd", json!({"reset_required": true})).await;
        crate::totp::enroll_totp(&app, &app.sign_in("ada").await).await;
        for _ in 0..100 {
            let form = [("username", "dan"), ("password", "wrong wrong wrong")];
            assert_eq!(app.anonymous().post_request("/auth/token").form(&form).send().await.unwrap().status(), 401);
            app.advance_clock(Duration::from_mins(16));
        }
        let root = app.sign_in("root").await;
        for (only, expected) in [
            ("active", &["ada", "cyd", "dan", "root"][..]),
            ("disabled", &["bob"]),
            ("administrators", &["root"]),
            ("without_second_factor", &["cyd", "dan", "root"]),
            ("locked_out", &["dan"]),
            ("reset_required", &["cyd"]),
        ] {
            let page = root.get(&format!("/api/users?only={only}")).await.expect_status(200);
            assert_eq!(usernames(&page.body), expected, "{only}");
            let html = root.send(root.get_request(&format!("/admin/users?only={only}")).header("accept", "text/html")).await.expect_status(200).text;
            assert_eq!(html.matches("<li data-user=").count(), expected.len(), "{only}");
        }
        root.get("/api/users?only=strange").await.expect_status(422);
        assert_eq!(usernames(&root.get("/api/users?only=active&q=A&limit=1").await.expect_status(200).body), ["ada"]);
        let first = root.get("/api/users?only=active&limit=3").await.expect_status(200);
        assert_eq!(first.header("link").unwrap(), "</api/users?only=active&limit=3&after=dan>; rel=\"next\"");
        let rest = root.get("/api/users?only=active&limit=3&after=dan").await.expect_status(200);
        assert_eq!((usernames(&rest.body), rest.header("link")), (vec!["root"], None));
        let ada = root.get("/api/users/ada").await.expect_status(200).body;
        assert_eq!((&ada["second_factors"], &ada["mfa"]), (&json!(["totp"]), &json!(true)));
        assert!(ada["last_sign_in_at"].is_string(), "{ada}");
        let page = root.send(root.get_request("/admin/users").header("accept", "text/html")).await.expect_status(200).text;
        assert!(page.contains("authenticator app") && page.contains("Password reset required"), "{page}");
    }
}
