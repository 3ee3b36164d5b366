//! Stored keys are sealed under the master key.

use super::*;
use crate::{
    error::{KeyError, SignInError},
    keys::ring::{KeyRules, OldKey},
    store::{KeyPurpose, KeyStore as _},
};

#[tokio::test]
async fn database_dump_without_master_key_signs_no_tokens() {
    let test = test_auth().await;
    test.register("ada").await;
    // The thief has every row and a master key of their own.
    let thief = MasterKey::parse("Zx8Kd2Wq7Lm4Rt9Yc1Vb6Nf3Hg5Js0Pd").unwrap();
    let opened = Auth::open(
        test.store.clone(),
        settings(),
        thief,
        test.auth.0.core.clock.clone(),
        SecureRandom::system(),
    )
    .await;
    assert!(matches!(
        opened,
        Err(AuthError::Key(KeyError::MasterKeyMismatch))
    ));
    let rows = test.store.keys(KeyPurpose::AccessTokens).await.unwrap();
    let (tokens, _) = test.sign_in("ada").await;
    let (message, signature) = access_token(&tokens).rsplit_once('.').unwrap();
    for row in &rows {
        // No 32 bytes of the sealed key made this signature.
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
            "the sealed key is printed"
        );
    }
}

#[tokio::test]
async fn sealed_key_in_another_row_does_not_open() {
    let test = test_auth().await;
    console_key_ring(&test)
        .rotate(OldKey::KeepVerifying)
        .await
        .unwrap();
    test.store.swap_sealed_keys();
    assert!(matches!(
        test.auth.keys().reload_keys().await,
        Err(AuthError::Key(KeyError::MasterKeyMismatch))
    ));
}

#[tokio::test]
async fn lost_master_key_is_recovered_by_key_rotation() {
    let test = test_auth().await;
    test.register("ada").await;
    let root = test.administrator("root").await;
    let other = "Zx8Kd2Wq7Lm4Rt9Yc1Vb6Nf3Hg5Js0Pd";
    key_ring(&test, other, KeyRules::default())
        .rotate(OldKey::Revoke)
        .await
        .unwrap();
    let master = MasterKey::parse(other).unwrap();
    let auth = Auth::open(
        test.store.clone(),
        settings(),
        master,
        test.auth.0.core.clock.clone(),
        SecureRandom::system(),
    );
    let auth = auth.await.unwrap();
    // Passwords need the lost key: accounts set new ones by link.
    assert!(matches!(
        auth.oauth()
            .token("ada", password(GOOD_PASSWORD), origin())
            .await,
        Err(AuthError::SignIn(SignInError::InvalidCredentials))
    ));
    let permit = root
        .permit::<crate::actions::OpenAccountAccess>(None)
        .unwrap();
    let link = auth
        .passwords()
        .reset_link(&permit, &name("ada"))
        .await
        .unwrap()
        .link;
    let token = link.expose_secret().split_once('#').unwrap().1.to_owned();
    auth.passwords()
        .reset_password(&token, password(GOOD_PASSWORD), &origin())
        .await
        .unwrap();
    auth.oauth()
        .token("ada", password(GOOD_PASSWORD), origin())
        .await
        .unwrap();
}
