//! Replacement of the master key between two starts, on both databases.

use std::time::Duration;

use auth::{Clock, keys::ring::OldKey};
use serde_json::Value;

use crate::{
    accounts::refresh_token,
    app::Client,
    both,
    totp::{enroll_totp, sign_in_with_otp},
};

both! {
    async fn passwords_totp_and_tokens_survive_master_key_replacement(app: TestApp) {
        let (ada, bob) = (app.editor("ada").await, app.editor("bob").await);
        let (phone, _) = enroll_totp(&app, &ada).await;
        bob.post("/auth/totp", Value::Null).await.expect_status(200);
        let app = app.restart_after(async |config| {
            let replaced = server::master_key::rotate(&config, None, OldKey::KeepVerifying, Clock::system()).await.unwrap();
            assert_eq!((replaced.resealed.keys, replaced.resealed.totp_secrets, replaced.resealed.unreadable), (1, 1, 0));
        }).await;
        let again = Client { token: bob.token.clone(), ..app.anonymous() };
        again.get("/auth/me").await.expect_status(200);
        refresh_token(&again, &bob.refresh).await.expect_status(200);
        app.advance_clock(Duration::from_secs(30));
        sign_in_with_otp(&app, "ada", Some("000000")).await.expect_status(401);
        sign_in_with_otp(&app, "ada", Some(&phone.shows(&app, 0))).await.expect_status(200);
        // The hash uses the new pepper, and apps can be enrolled.
        sign_in_with_otp(&app, "bob", None).await.expect_status(200);
        enroll_totp(&app, &app.sign_in("bob").await).await;
    }
}
