//! Acknowledged changes survive a restart, and ended sessions stay ended.

use serde_json::Value;

use crate::{accounts::refresh_token, app::TestApp, both};

both! {
    async fn restart_preserves_files_locks_and_sessions(app: TestApp) {
        let ada = app.editor("ada").await;
        let ended = app.sign_in("ada").await;
        ended.post("/auth/logout", Value::Null).await.expect_status(204);
        ada.add("a.nc", b"one").await.expect_status(201);
        ada.check_out("a.nc").await.expect_status(200);
        let app = app.restart().await;
        let mut again = app.anonymous();
        again.token = ada.token.clone();
        assert_eq!(again.get("/api/files/a.nc").await.expect_status(200).body["status"], "checked_out_by_user");
        assert_eq!(again.content("a.nc").await, b"one");
        again.check_in("a.nc", b"two", "after").await.expect_status(200);
        let dead = crate::app::Client { token: ended.token.clone(), ..again.clone() };
        dead.get("/auth/me").await.expect_status(401);
        refresh_token(&again, &ended.refresh).await.expect_status(400);
        refresh_token(&again, &ada.refresh).await.expect_status(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn server_runs_with_unprivileged_postgresql_role() {
    let Some(app) = TestApp::serving_only().await else {
        return;
    };
    let (ada, root) = (app.editor("ada").await, app.administrator("root").await);
    ada.add("a.nc", b"one").await.expect_status(201);
    ada.check_out("a.nc").await.expect_status(200);
    ada.check_in("a.nc", b"two", "wider")
        .await
        .expect_status(200);
    assert_eq!(ada.content("a.nc").await, b"two");
    refresh_token(&ada, &ada.refresh).await.expect_status(200);
    let audit = root.get("/api/audit").await.expect_status(200);
    assert!(audit.text.contains("ada"), "{}", audit.text);
    ada.post("/auth/logout", Value::Null)
        .await
        .expect_status(204);
    ada.get("/auth/me").await.expect_status(401);
}
