//! The key ring in use: rotation, propagation to other nodes, sealing.

mod sealed;

use std::time::Duration;

use super::*;
use crate::{
    AuthStore as _, SigningAlgorithm,
    error::AccessError,
    keys::{
        master::Purpose,
        ring::{KeyRing, KeyRules, MAX_ACCESS_LIFETIME, OldKey, PROPAGATION_DELAY},
        signing::jwk_from_secret,
    },
};

fn key_ring(test: &TestAuth, master: &str, rules: KeyRules) -> KeyRing<MemoryStore> {
    let master = MasterKey::parse(master).unwrap();
    KeyRing::new(
        test.store.clone(),
        &master,
        rules,
        test.auth.0.core.clock.clone(),
        SecureRandom::system(),
    )
    .unwrap()
}

/// The key ring of the console program, which is another process.
fn console_key_ring(test: &TestAuth) -> KeyRing<MemoryStore> {
    key_ring(
        test,
        "q8Zr2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0Pa",
        KeyRules::default(),
    )
}

fn kid_of(tokens: &TokenResponse) -> String {
    jsonwebtoken::decode_header(access_token(tokens))
        .unwrap()
        .kid
        .unwrap()
}

#[tokio::test]
async fn rotated_key_verifies_until_its_token_expires() {
    let test = test_auth_with(Settings {
        access_lifetime: MAX_ACCESS_LIFETIME,
        ..settings()
    })
    .await;
    test.register("ada").await;
    let (old, _) = test.sign_in("ada").await;
    console_key_ring(&test)
        .rotate(OldKey::KeepVerifying)
        .await
        .unwrap();
    test.auth.keys().reload_keys().await.unwrap();
    let (new, _) = test.sign_in("ada").await;
    assert_ne!(kid_of(&old), kid_of(&new));
    let kids = async || {
        test.auth.keys().rotate_keys_if_due().await.unwrap();
        let keys = console_key_ring(&test).list().await.unwrap();
        keys.into_iter().map(|key| key.kid).collect::<Vec<_>>()
    };
    let second = Duration::from_secs(1);
    test.clock
        .advance(MAX_ACCESS_LIFETIME.saturating_sub(second));
    kids().await;
    test.auth
        .sessions()
        .authenticate_bearer(access_token(&old))
        .await
        .unwrap();
    // Another node may sign with the old key until it hears of the rotation.
    test.clock.advance(PROPAGATION_DELAY + second);
    assert_eq!(kids().await, [kid_of(&new), kid_of(&old)]);
    test.clock.advance(second);
    assert_eq!(kids().await, [kid_of(&new)]);
}

#[tokio::test]
async fn token_of_new_key_verifies_on_another_node() {
    let test = test_auth().await;
    test.register("ada").await;
    let other = open_node(&test.store, &test.clock, settings()).await;
    console_key_ring(&test)
        .rotate(OldKey::KeepVerifying)
        .await
        .unwrap();
    test.auth.keys().reload_keys().await.unwrap();
    let (tokens, _) = test.sign_in("ada").await;
    other
        .sessions()
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
}

#[tokio::test]
async fn unknown_key_ids_query_store_once_per_second() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, _) = test.sign_in("ada").await;
    let (_, rest) = access_token(&tokens).split_once('.').unwrap();
    let made_up = |n: u32| {
        let header = serde_json::json!({"alg": "HS256", "typ": "at+jwt", "kid": format!("{n}")});
        format!(
            "{}.{rest}",
            base64::Engine::encode(
                &base64::engine::general_purpose::URL_SAFE_NO_PAD,
                header.to_string()
            )
        )
    };
    let before = test.store.query_count();
    for n in 0..100 {
        assert!(matches!(
            test.auth.sessions().authenticate_bearer(&made_up(n)).await,
            Err(AuthError::Access(AccessError::InvalidToken))
        ));
    }
    assert_eq!(test.store.query_count() - before, 1);
    test.clock.advance(Duration::from_secs(1));
    assert!(matches!(
        test.auth.sessions().authenticate_bearer(&made_up(0)).await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    assert_eq!(test.store.query_count() - before, 2);
}

#[tokio::test]
async fn revoked_key_invalidates_access_token_but_not_session() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, _) = test.sign_in("ada").await;
    console_key_ring(&test)
        .rotate(OldKey::Revoke)
        .await
        .unwrap();
    test.auth.keys().reload_keys().await.unwrap();
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    let again = test
        .auth
        .oauth()
        .refresh(tokens.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    test.auth
        .sessions()
        .authenticate_bearer(access_token(&again))
        .await
        .unwrap();
}

#[tokio::test]
async fn signing_key_rotates_after_ninety_days() {
    let test = test_auth().await;
    let signs = || async {
        test.auth
            .0
            .sessions
            .access_tokens
            .keys()
            .signing()
            .kid
            .clone()
    };
    let first = signs().await;
    test.clock.advance(Duration::from_hours(90 * 24 - 1));
    test.auth.keys().rotate_keys_if_due().await.unwrap();
    assert_eq!(signs().await, first);
    test.clock.advance(Duration::from_hours(1));
    test.auth.keys().rotate_keys_if_due().await.unwrap();
    assert_ne!(signs().await, first);
}

#[tokio::test]
async fn signing_algorithm_follows_setting_or_stays_unchanged() {
    let test = test_auth().await;
    test.register("ada").await;
    let (old, _) = test.sign_in("ada").await;
    assert_eq!(test.auth.keys().jwks(), serde_json::json!({"keys": []}));
    let keys = KeyRules {
        algorithm: Some(SigningAlgorithm::EdDsa),
        ..KeyRules::default()
    };
    let switched = open_node(&test.store, &test.clock, Settings { keys, ..settings() }).await;
    switched.keys().rotate_keys_if_due().await.unwrap();
    let tokens = switched
        .oauth()
        .token("ada", password(GOOD_PASSWORD), origin())
        .await
        .unwrap();
    assert_eq!(
        jsonwebtoken::decode_header(access_token(&tokens))
            .unwrap()
            .alg,
        jsonwebtoken::Algorithm::EdDSA
    );
    let published = switched.keys().jwks();
    assert_eq!(
        (&published["keys"][0]["kid"], &published["keys"][0]["d"]),
        (&kid_of(&tokens).into(), &serde_json::Value::Null)
    );
    switched
        .sessions()
        .authenticate_bearer(access_token(&old))
        .await
        .unwrap();
    // A process without the setting, like the console's, keeps the present algorithm.
    test.auth.keys().reload_keys().await.unwrap();
    test.auth.keys().rotate_keys_if_due().await.unwrap();
    console_key_ring(&test)
        .rotate(OldKey::KeepVerifying)
        .await
        .unwrap();
    assert!(
        console_key_ring(&test)
            .list()
            .await
            .unwrap()
            .iter()
            .filter(|key| key.algorithm == "EdDSA")
            .count()
            == 2
    );
}

#[tokio::test]
async fn token_of_the_legacy_key_survives_the_upgrade() {
    let test = test_auth().await;
    test.administrator("root").await;
    // Before the upgrade: one key derived from the master key, none in the database.
    test.store.delete_key_ring();
    let name = hex::encode(&master_key().derive_key(Purpose::AccessTokenKeyId).unwrap()[..8]);
    let jwk = jwk_from_secret(
        SigningAlgorithm::Hs256,
        &name,
        &master_key().derive_key(Purpose::AccessToken).unwrap(),
    )
    .unwrap();
    let legacy = crate::keys::signing::SigningKey::from_jwk(jwk.expose_secret()).unwrap();
    test.auth
        .0
        .sessions
        .access_tokens
        .set_keys(crate::keys::signing::VerificationKeys::new(legacy, Vec::new()).unwrap());
    let (tokens, _) = test.sign_in("root").await;
    let upgraded = open_node(&test.store, &test.clock, settings()).await;
    upgraded
        .sessions()
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
    let after = upgraded
        .oauth()
        .token("root", password(GOOD_PASSWORD), origin())
        .await
        .unwrap();
    assert_ne!(
        kid_of(&after),
        kid_of(&tokens),
        "a random key signs from now on"
    );
}

#[tokio::test]
async fn parallel_key_rotations_leave_one_signing_key() {
    let test = test_auth().await;
    let mut rotations = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let ring = console_key_ring(&test);
        rotations.spawn(async move { ring.rotate(OldKey::KeepVerifying).await });
    }
    for rotated in rotations.join_all().await {
        rotated.unwrap();
    }
    let keys = console_key_ring(&test).list().await.unwrap();
    assert_eq!(keys.len(), 51);
    assert_eq!(
        keys.iter().filter(|key| key.retired_at.is_none()).count(),
        1
    );
    test.auth.keys().reload_keys().await.unwrap();
    test.register("ada").await;
    test.sign_in("ada").await;
}

#[tokio::test]
async fn access_token_verification_needs_no_store_read() {
    let test = test_auth().await;
    test.register("ada").await;
    let (tokens, _) = test.sign_in("ada").await;
    assert!(!test.store.has_administrator().await.unwrap());
    let before = test.store.query_count();
    for _ in 0..100 {
        test.auth
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await
            .unwrap();
    }
    assert_eq!(test.store.query_count(), before);
}
