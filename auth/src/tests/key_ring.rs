//! The key ring at work: rotated, heard of, sealed.

use std::time::Duration;

use super::*;
use crate::{
    AuthStore as _, SigningAlgorithm,
    keys::{
        master::Purpose,
        ring::{KeyRing, KeyRules, OldKey},
        signing::jwk_from_secret,
    },
    store::{KeyPurpose, KeyStore as _},
};

fn key_ring(house: &TestAuth, master: &str, rules: KeyRules) -> KeyRing<MemoryStore> {
    let master = MasterKey::parse(master).unwrap();
    KeyRing::new(
        house.store.clone(),
        &master,
        rules,
        house.auth.0.clock.clone(),
        SecureRandom::system(),
    )
    .unwrap()
}

/// As the program at the console has it: a process of its own.
fn console_key_ring(house: &TestAuth) -> KeyRing<MemoryStore> {
    key_ring(
        house,
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
    let house = test_auth().await;
    house.register("ada").await;
    let (old, _) = house.sign_in("ada").await;
    console_key_ring(&house)
        .rotate(OldKey::KeepVerifying)
        .await
        .unwrap();
    house.auth.reload_keys().await.unwrap();
    let (new, _) = house.sign_in("ada").await;
    assert_ne!(kid_of(&old), kid_of(&new));
    house
        .auth
        .authenticate_bearer(access_token(&old))
        .await
        .unwrap();
    house.clock.advance(Duration::from_mins(66));
    house.auth.rotate_keys_if_due().await.unwrap();
    let left: Vec<String> = console_key_ring(&house)
        .list()
        .await
        .unwrap()
        .into_iter()
        .map(|key| key.kid)
        .collect();
    assert_eq!(left, [kid_of(&new)]);
}

#[tokio::test]
async fn token_of_new_key_verifies_on_another_node() {
    let house = test_auth().await;
    house.register("ada").await;
    let other = open_node(&house.store, &house.clock, settings()).await;
    console_key_ring(&house)
        .rotate(OldKey::KeepVerifying)
        .await
        .unwrap();
    house.auth.reload_keys().await.unwrap();
    let (tokens, _) = house.sign_in("ada").await;
    other
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
}

#[tokio::test]
async fn unknown_key_ids_query_store_once_per_second() {
    let house = test_auth().await;
    house.register("ada").await;
    let (tokens, _) = house.sign_in("ada").await;
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
    let before = house.store.query_count();
    for n in 0..100 {
        assert!(matches!(
            house.auth.authenticate_bearer(&made_up(n)).await,
            Err(AuthError::InvalidToken)
        ));
    }
    assert_eq!(house.store.query_count() - before, 1);
    house.clock.advance(Duration::from_secs(1));
    assert!(house.auth.authenticate_bearer(&made_up(0)).await.is_err());
    assert_eq!(house.store.query_count() - before, 2);
}

#[tokio::test]
async fn revoked_key_invalidates_access_token_but_not_session() {
    let house = test_auth().await;
    house.register("ada").await;
    let (tokens, _) = house.sign_in("ada").await;
    console_key_ring(&house)
        .rotate(OldKey::Revoke)
        .await
        .unwrap();
    house.auth.reload_keys().await.unwrap();
    assert!(matches!(
        house.auth.authenticate_bearer(access_token(&tokens)).await,
        Err(AuthError::InvalidToken)
    ));
    let again = house
        .auth
        .refresh(tokens.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    house
        .auth
        .authenticate_bearer(access_token(&again))
        .await
        .unwrap();
}

#[tokio::test]
async fn signing_key_rotates_after_ninety_days() {
    let house = test_auth().await;
    let signs = || async { house.auth.0.access_tokens.keys().signing().kid.clone() };
    let first = signs().await;
    house.clock.advance(Duration::from_hours(90 * 24 - 1));
    house.auth.rotate_keys_if_due().await.unwrap();
    assert_eq!(signs().await, first);
    house.clock.advance(Duration::from_hours(1));
    house.auth.rotate_keys_if_due().await.unwrap();
    assert_ne!(signs().await, first);
}

#[tokio::test]
async fn signing_algorithm_follows_setting_or_stays_unchanged() {
    let house = test_auth().await;
    house.register("ada").await;
    let (old, _) = house.sign_in("ada").await;
    assert_eq!(house.auth.jwks(), serde_json::json!({"keys": []}));
    let keys = KeyRules {
        algorithm: Some(SigningAlgorithm::EdDsa),
        ..KeyRules::default()
    };
    let switched = open_node(&house.store, &house.clock, Settings { keys, ..settings() }).await;
    switched.rotate_keys_if_due().await.unwrap();
    let tokens = switched
        .token("ada", password(GOOD_PASSWORD), origin())
        .await
        .unwrap();
    assert_eq!(
        jsonwebtoken::decode_header(access_token(&tokens))
            .unwrap()
            .alg,
        jsonwebtoken::Algorithm::EdDSA
    );
    let published = switched.jwks();
    assert_eq!(
        (&published["keys"][0]["kid"], &published["keys"][0]["d"]),
        (&kid_of(&tokens).into(), &serde_json::Value::Null)
    );
    switched
        .authenticate_bearer(access_token(&old))
        .await
        .unwrap();
    // A process without settings, like the console's, goes on with what there is.
    house.auth.reload_keys().await.unwrap();
    house.auth.rotate_keys_if_due().await.unwrap();
    console_key_ring(&house)
        .rotate(OldKey::KeepVerifying)
        .await
        .unwrap();
    assert!(
        console_key_ring(&house)
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
    let house = test_auth().await;
    house.administrator("root").await;
    // As it was: one key parted from the master key, and nothing in the database.
    house.store.delete_key_ring();
    let name = hex::encode(&master_key().derive_key(Purpose::AccessTokenKeyId).unwrap()[..8]);
    let jwk = jwk_from_secret(
        SigningAlgorithm::Hs256,
        &name,
        &master_key().derive_key(Purpose::AccessToken).unwrap(),
    )
    .unwrap();
    let ancestor = crate::keys::signing::SigningKey::from_jwk(jwk.expose_secret()).unwrap();
    house
        .auth
        .0
        .access_tokens
        .set_keys(crate::keys::signing::VerificationKeys::new(ancestor, Vec::new()).unwrap());
    let (tokens, _) = house.sign_in("root").await;
    let upgraded = open_node(&house.store, &house.clock, settings()).await;
    upgraded
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
    let after = upgraded
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
    let house = test_auth().await;
    let mut rotations = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let ring = console_key_ring(&house);
        rotations.spawn(async move { ring.rotate(OldKey::KeepVerifying).await });
    }
    rotations.join_all().await;
    let keys = console_key_ring(&house).list().await.unwrap();
    assert_eq!(
        keys.iter().filter(|key| key.retired_at.is_none()).count(),
        1
    );
    house.auth.reload_keys().await.unwrap();
}

#[tokio::test]
async fn database_dump_without_master_key_signs_no_tokens() {
    let house = test_auth().await;
    house.register("ada").await;
    // The thief has every row and a master key of their own.
    let thief = MasterKey::parse("Zx8Kd2Wq7Lm4Rt9Yc1Vb6Nf3Hg5Js0Pd").unwrap();
    let opened = Auth::open(
        house.store.clone(),
        settings(),
        thief,
        house.auth.0.clock.clone(),
        SecureRandom::system(),
    )
    .await;
    assert!(matches!(opened, Err(AuthError::MasterKeyMismatch)));
    let rows = house.store.keys(KeyPurpose::AccessTokens).await.unwrap();
    let (tokens, _) = house.sign_in("ada").await;
    let (message, signature) = access_token(&tokens).rsplit_once('.').unwrap();
    for row in &rows {
        // Neither what is sealed nor any 32 bytes of it made this signature.
        let (_, sealed) = secrecy::ExposeSecret::expose_secret(&row.sealed)
            .split_once('.')
            .unwrap();
        let sealed =
            base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, sealed);
        for window in sealed.unwrap().windows(32) {
            let tag = aws_lc_rs::hmac::sign(
                &aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, window),
                message.as_bytes(),
            );
            let tag =
                base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, tag);
            assert_ne!(tag, signature);
        }
        assert!(
            !format!("{row:?}").contains(secrecy::ExposeSecret::expose_secret(&row.sealed)),
            "it does not print"
        );
    }
}

#[tokio::test]
async fn sealed_key_in_another_row_does_not_open() {
    let house = test_auth().await;
    console_key_ring(&house)
        .rotate(OldKey::KeepVerifying)
        .await
        .unwrap();
    house.store.swap_sealed_keys();
    assert!(matches!(
        house.auth.reload_keys().await,
        Err(AuthError::MasterKeyMismatch)
    ));
}

#[tokio::test]
async fn lost_master_key_is_recovered_by_key_rotation() {
    let house = test_auth().await;
    house.register("ada").await;
    let root = house.administrator("root").await;
    let other = "Zx8Kd2Wq7Lm4Rt9Yc1Vb6Nf3Hg5Js0Pd";
    key_ring(&house, other, KeyRules::default())
        .rotate(OldKey::Revoke)
        .await
        .unwrap();
    let master = MasterKey::parse(other).unwrap();
    let auth = Auth::open(
        house.store.clone(),
        settings(),
        master,
        house.auth.0.clock.clone(),
        SecureRandom::system(),
    );
    let auth = auth.await.unwrap();
    // Passwords were under the key that is lost: people set new ones by link.
    assert!(matches!(
        auth.token("ada", password(GOOD_PASSWORD), origin()).await,
        Err(AuthError::InvalidCredentials)
    ));
    let permit = root
        .permit::<crate::service::OpenAccountAccess>(None)
        .unwrap();
    let link = auth.reset_link(&permit, &name("ada")).await.unwrap().link;
    let token = link.expose_secret().split_once('#').unwrap().1.to_owned();
    auth.reset_password(&token, password(GOOD_PASSWORD), &origin())
        .await
        .unwrap();
    auth.token("ada", password(GOOD_PASSWORD), origin())
        .await
        .unwrap();
}

#[tokio::test]
async fn access_token_verification_needs_no_store_read() {
    let house = test_auth().await;
    house.register("ada").await;
    let (tokens, _) = house.sign_in("ada").await;
    assert!(!house.store.has_administrator().await.unwrap());
    let before = house.store.query_count();
    for _ in 0..100 {
        house
            .auth
            .authenticate_bearer(access_token(&tokens))
            .await
            .unwrap();
    }
    assert_eq!(house.store.query_count(), before);
}
