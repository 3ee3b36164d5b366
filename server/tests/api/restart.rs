//! Acknowledged changes survive a restart, and ended sessions stay ended.

use serde_json::Value;

use crate::{accounts::refresh_token, app::TestApp, both};

both! {
    async fn restart_preserves_files_locks_and_sessions(app: TestApp) {
        let ada = app.editor("ada").await;
        let ended = app.sign_in("ada").await;
        ended.tell("/auth/logout", Value::Null).await.is(204);
        ada.add("a.nc", b"one").await.is(201);
        ada.check_out("a.nc").await.is(200);
        let app = app.restart().await;
        let mut again = app.anonymous();
        again.token = ada.token.clone();
        assert_eq!(again.see("/api/files/a.nc").await.is(200).body["status"], "checked_out_by_user");
        assert_eq!(again.content("a.nc").await, b"one");
        again.check_in("a.nc", b"two", "after").await.is(200);
        let dead = crate::app::Client { token: ended.token.clone(), ..again.clone() };
        dead.see("/auth/me").await.is(401);
        refresh_token(&again, &ended.refresh).await.is(400);
        refresh_token(&again, &ada.refresh).await.is(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn server_runs_with_unprivileged_postgresql_role() {
    let Some(app) = TestApp::serving_only().await else {
        return;
    };
    let (ada, root) = (app.editor("ada").await, app.administrator("root").await);
    ada.add("a.nc", b"one").await.is(201);
    ada.check_out("a.nc").await.is(200);
    ada.check_in("a.nc", b"two", "wider").await.is(200);
    assert_eq!(ada.content("a.nc").await, b"two");
    refresh_token(&ada, &ada.refresh).await.is(200);
    let audit = root.see("/api/audit").await.is(200);
    assert!(audit.text.contains("ada"), "{}", audit.text);
    ada.tell("/auth/logout", Value::Null).await.is(204);
    ada.see("/auth/me").await.is(401);
}
