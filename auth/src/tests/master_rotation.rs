//! Replacement of the master key in place.

use std::time::Duration;

use super::*;
use crate::{
    AuthStore as _, Factor, FactorId, FactorKind,
    error::{KeyError, SignInError},
    keys::{
        master::Purpose,
        ring::{KeyRing, KeyRules, OldKey},
        rotation::rotate_master_key,
        seal::Sealer,
    },
    store::{
        FactorChange, FactorStore as _, KeyPurpose, KeyStore as _, MinimumFactors, Removal,
        Resealed,
    },
};

fn new_master_key() -> MasterKey {
    MasterKey::parse("Zx8Kd2Wq7Lm4Rt9Yc1Vb6Nf3Hg5Js0Pd").unwrap()
}

async fn rotate_master(test: &TestAuth) -> Resealed {
    rotate_master_key(
        &test.store,
        (&master_key(), &new_master_key()),
        &test.auth.0.core.clock,
        &SecureRandom::system(),
    )
    .await
    .unwrap()
}

async fn open_with(test: &TestAuth, master: MasterKey) -> Result<Auth<MemoryStore>, AuthError> {
    Auth::open(
        test.store.clone(),
        settings(),
        master,
        test.auth.0.core.clock.clone(),
        SecureRandom::system(),
    )
    .await
}

async fn password_hash(test: &TestAuth, username: &str) -> String {
    test.store
        .credentials(&name(username))
        .await
        .unwrap()
        .unwrap()
        .password
        .as_str()
        .to_owned()
}

async fn pepper_count(test: &TestAuth) -> usize {
    test.store.keys(KeyPurpose::Peppers).await.unwrap().len()
}

/// Enrolls a TOTP app for ada, sealed as in a real enrollment.
async fn enroll_totp(test: &TestAuth) -> FactorId {
    let (id, at) = (
        FactorId::random(&SecureRandom::system()),
        test.auth.0.core.clock.now(),
    );
    let body = test
        .auth
        .0
        .factors
        .sealer
        .seal(b"seed", id.as_str(), &SecureRandom::system())
        .unwrap();
    let (username, kind, name) = (name("ada"), FactorKind::Totp, "app".to_owned());
    let app = Factor {
        id: id.clone(),
        username,
        kind,
        name,
        body,
        counter: 0,
        created_at: at,
        last_used_at: None,
        used_at: None,
    };
    let change = FactorChange {
        username: app.username.clone(),
        remove: Removal::Nothing,
        add: vec![app],
        minimum: MinimumFactors::None,
        keep: None,
        unlink_identities: false,
        by: crate::Actor::console(),
        action: crate::audit::AuditAction::FactorAdded,
        detail: serde_json::json!({}),
        at,
    };
    test.store.change_factors(change).await.unwrap();
    id
}

#[tokio::test]
async fn replaced_master_key_moves_passwords_to_new_pepper() {
    let test = test_auth().await;
    test.register("ada").await;
    test.register("bob").await;
    let before = password_hash(&test, "ada").await;
    rotate_master(&test).await;
    let auth = open_with(&test, new_master_key()).await.unwrap();
    assert!(matches!(
        auth.oauth()
            .token("ada", password("wrong wrong wrong"), origin())
            .await,
        Err(AuthError::SignIn(SignInError::InvalidCredentials))
    ));
    auth.oauth()
        .token("ada", password(GOOD_PASSWORD), origin())
        .await
        .unwrap();
    let after = password_hash(&test, "ada").await;
    assert_ne!(
        before.split('$').nth(2),
        after.split('$').nth(2),
        "{before} {after}"
    );
    auth.oauth()
        .token("ada", password(GOOD_PASSWORD), origin())
        .await
        .unwrap();
    // The old pepper stays until bob's sign-in, however late that is.
    test.clock.advance(Duration::from_hours(24 * 400));
    auth.keys().rotate_keys_if_due().await.unwrap();
    assert_eq!(pepper_count(&test).await, 1);
    auth.oauth()
        .token("bob", password(GOOD_PASSWORD), origin())
        .await
        .unwrap();
    auth.keys().rotate_keys_if_due().await.unwrap();
    assert_eq!(pepper_count(&test).await, 0);
}

#[tokio::test]
async fn pepper_survives_repeated_master_key_replacement() {
    let test = test_auth().await;
    test.register("ada").await;
    rotate_master(&test).await;
    let third = MasterKey::parse("Mn3Bv7Cx1Zl9Kj5Hg2Fd8Sa4Po6Iu0Yt").unwrap();
    let rotate = async |old: &MasterKey, new: &MasterKey| {
        rotate_master_key(
            &test.store,
            (old, new),
            &test.auth.0.core.clock,
            &SecureRandom::system(),
        )
        .await
        .unwrap()
    };
    assert_eq!(
        rotate(&new_master_key(), &third).await,
        Resealed {
            keys: 2,
            totp_secrets: 0,
            unreadable: 0
        }
    );
    open_with(&test, third)
        .await
        .unwrap()
        .oauth()
        .token("ada", password(GOOD_PASSWORD), origin())
        .await
        .unwrap();
    let third = MasterKey::parse("Mn3Bv7Cx1Zl9Kj5Hg2Fd8Sa4Po6Iu0Yt").unwrap();
    rotate(&third, &master_key()).await;
    open_with(&test, master_key())
        .await
        .unwrap()
        .oauth()
        .token("ada", password(GOOD_PASSWORD), origin())
        .await
        .unwrap();
}

#[tokio::test]
async fn replaced_master_key_opens_no_resealed_secrets() {
    let test = test_auth().await;
    test.register("ada").await;
    test.register("bob").await;
    let (tokens, _) = test.sign_in("bob").await;
    let id = enroll_totp(&test).await;
    assert_eq!(
        rotate_master(&test).await,
        Resealed {
            keys: 1,
            totp_secrets: 1,
            unreadable: 0
        }
    );
    assert!(matches!(
        open_with(&test, master_key()).await,
        Err(AuthError::Key(KeyError::MasterKeyMismatch))
    ));
    let app = test.store.factor(&id).await.unwrap().unwrap();
    let opens = |master: &MasterKey| {
        Sealer::new(master, Purpose::Factors)
            .unwrap()
            .open(&app.body, id.as_str())
    };
    opens(&new_master_key()).unwrap();
    assert!(matches!(opens(&master_key()), Err(AuthError::Internal(_))));
    for purpose in [KeyPurpose::AccessTokens, KeyPurpose::Peppers] {
        for row in test.store.keys(purpose).await.unwrap() {
            for sealer in [Purpose::KeyRing, Purpose::RetiredPeppers] {
                let sealer = Sealer::new(&master_key(), sealer).unwrap();
                assert!(matches!(
                    sealer.open(row.sealed.expose_secret(), &purpose.aad(&row.kid)),
                    Err(AuthError::Internal(_))
                ));
            }
        }
    }
    // The signing key stays the same, sealed under the new master key.
    open_with(&test, new_master_key())
        .await
        .unwrap()
        .sessions()
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
}

#[tokio::test]
async fn unreadable_secret_is_counted_and_unchanged_on_replacement() {
    let test = test_auth().await;
    test.register("ada").await;
    let id = enroll_totp(&test).await;
    let app = test.store.factor(&id).await.unwrap().unwrap();
    let dead = "0011223344556677.AAAA".to_owned();
    assert!(
        test.store
            .update_factor_if(&app, dead.clone(), 0, app.created_at)
            .await
            .unwrap()
    );
    assert_eq!(
        rotate_master(&test).await,
        Resealed {
            keys: 1,
            totp_secrets: 0,
            unreadable: 1
        }
    );
    assert_eq!(test.store.factor(&id).await.unwrap().unwrap().body, dead);
}

#[tokio::test]
async fn master_key_replacement_requires_active_and_different_key() {
    let test = test_auth().await;
    let rotate = async |old: MasterKey, new: MasterKey| {
        rotate_master_key(
            &test.store,
            (&old, &new),
            &test.auth.0.core.clock,
            &SecureRandom::system(),
        )
        .await
    };
    assert!(matches!(
        rotate(master_key(), master_key()).await,
        Err(AuthError::Key(KeyError::MasterKeyUnchanged))
    ));
    assert!(matches!(
        rotate(new_master_key(), master_key()).await,
        Err(AuthError::Key(KeyError::MasterKeyMismatch))
    ));
    rotate(master_key(), new_master_key()).await.unwrap();
    assert!(
        matches!(
            rotate(master_key(), new_master_key()).await,
            Err(AuthError::Key(KeyError::MasterKeyMismatch))
        ),
        "a second time"
    );
}

#[tokio::test]
async fn process_stops_after_its_master_key_is_replaced() {
    let test = test_auth().await;
    rotate_master(&test).await;
    let stops = tokio::time::timeout(
        Duration::from_secs(5),
        test.auth.background().run_background_tasks(),
    )
    .await;
    assert!(matches!(
        stops,
        Ok(AuthError::Key(KeyError::MasterKeyMismatch))
    ));
    let ring = KeyRing::new(
        test.store.clone(),
        &master_key(),
        KeyRules::default(),
        test.auth.0.core.clock.clone(),
        SecureRandom::system(),
    );
    assert!(matches!(
        ring.unwrap().rotate(OldKey::KeepVerifying).await,
        Err(AuthError::Key(KeyError::MasterKeyMismatch))
    ));
}
