//! The master key replaced in place.

use std::time::Duration;

use super::*;
use crate::{
    AuthStore as _, Factor, FactorId, FactorKind,
    keys::{
        master::Purpose,
        ring::{KeyRing, KeyRules, OldKey, aad},
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

async fn rotate_master(house: &TestAuth) -> Resealed {
    rotate_master_key(
        &house.store,
        (&master_key(), &new_master_key()),
        &house.auth.0.clock,
        &SecureRandom::system(),
    )
    .await
    .unwrap()
}

async fn open_with(house: &TestAuth, master: MasterKey) -> Result<Auth<MemoryStore>, AuthError> {
    Auth::open(
        house.store.clone(),
        settings(),
        master,
        house.auth.0.clock.clone(),
        SecureRandom::system(),
    )
    .await
}

async fn password_hash(house: &TestAuth, username: &str) -> String {
    house
        .store
        .credentials(&name(username))
        .await
        .unwrap()
        .unwrap()
        .password
        .as_str()
        .to_owned()
}

async fn pepper_count(house: &TestAuth) -> usize {
    house.store.keys(KeyPurpose::Peppers).await.unwrap().len()
}

/// An app of ada's, sealed as it is when she turns one on.
async fn enroll_totp(house: &TestAuth) -> FactorId {
    let (id, at) = (
        FactorId::random(&SecureRandom::system()),
        house.auth.0.clock.now(),
    );
    let body = house
        .auth
        .0
        .factor_sealer
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
    house.store.change_factors(change).await.unwrap();
    id
}

#[tokio::test]
async fn replaced_master_key_moves_passwords_to_new_pepper() {
    let house = test_auth().await;
    house.register("ada").await;
    house.register("bob").await;
    let before = password_hash(&house, "ada").await;
    rotate_master(&house).await;
    let auth = open_with(&house, new_master_key()).await.unwrap();
    assert!(matches!(
        auth.token("ada", password("wrong wrong wrong"), origin())
            .await,
        Err(AuthError::InvalidCredentials)
    ));
    auth.token("ada", password(GOOD_PASSWORD), origin())
        .await
        .unwrap();
    let after = password_hash(&house, "ada").await;
    assert_ne!(
        before.split('$').nth(2),
        after.split('$').nth(2),
        "{before} {after}"
    );
    auth.token("ada", password(GOOD_PASSWORD), origin())
        .await
        .unwrap();
    // Kept for bob, however long he stays away, and forgotten after him.
    house.clock.advance(Duration::from_hours(24 * 400));
    auth.rotate_keys_if_due().await.unwrap();
    assert_eq!(pepper_count(&house).await, 1);
    auth.token("bob", password(GOOD_PASSWORD), origin())
        .await
        .unwrap();
    auth.rotate_keys_if_due().await.unwrap();
    assert_eq!(pepper_count(&house).await, 0);
}

#[tokio::test]
async fn pepper_survives_repeated_master_key_replacement() {
    let house = test_auth().await;
    house.register("ada").await;
    rotate_master(&house).await;
    let third = MasterKey::parse("Mn3Bv7Cx1Zl9Kj5Hg2Fd8Sa4Po6Iu0Yt").unwrap();
    let turn = async |old: &MasterKey, new: &MasterKey| {
        rotate_master_key(
            &house.store,
            (old, new),
            &house.auth.0.clock,
            &SecureRandom::system(),
        )
        .await
        .unwrap()
    };
    assert_eq!(
        turn(&new_master_key(), &third).await,
        Resealed {
            keys: 2,
            totp_secrets: 0,
            unreadable: 0
        }
    );
    open_with(&house, third)
        .await
        .unwrap()
        .token("ada", password(GOOD_PASSWORD), origin())
        .await
        .unwrap();
    let third = MasterKey::parse("Mn3Bv7Cx1Zl9Kj5Hg2Fd8Sa4Po6Iu0Yt").unwrap();
    turn(&third, &master_key()).await;
    open_with(&house, master_key())
        .await
        .unwrap()
        .token("ada", password(GOOD_PASSWORD), origin())
        .await
        .unwrap();
}

#[tokio::test]
async fn replaced_master_key_opens_no_resealed_secrets() {
    let house = test_auth().await;
    house.register("ada").await;
    house.register("bob").await;
    let (tokens, _) = house.sign_in("bob").await;
    let id = enroll_totp(&house).await;
    assert_eq!(
        rotate_master(&house).await,
        Resealed {
            keys: 1,
            totp_secrets: 1,
            unreadable: 0
        }
    );
    assert!(matches!(
        open_with(&house, master_key()).await,
        Err(AuthError::MasterKeyMismatch)
    ));
    let app = house.store.factor(&id).await.unwrap().unwrap();
    let opens = |master: &MasterKey| {
        Sealer::new(master, Purpose::Factors)
            .unwrap()
            .open(&app.body, id.as_str())
            .is_ok()
    };
    assert!(opens(&new_master_key()) && !opens(&master_key()));
    for purpose in [KeyPurpose::AccessTokens, KeyPurpose::Peppers] {
        for row in house.store.keys(purpose).await.unwrap() {
            for sealer in [Purpose::KeyRing, Purpose::RetiredPeppers] {
                let sealer = Sealer::new(&master_key(), sealer).unwrap();
                assert!(
                    sealer
                        .open(row.sealed.expose_secret(), &aad(purpose, &row.kid))
                        .is_err()
                );
            }
        }
    }
    // The key that signs is the same one still, sealed anew.
    open_with(&house, new_master_key())
        .await
        .unwrap()
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
}

#[tokio::test]
async fn unreadable_secret_is_counted_and_unchanged_on_replacement() {
    let house = test_auth().await;
    house.register("ada").await;
    let id = enroll_totp(&house).await;
    let app = house.store.factor(&id).await.unwrap().unwrap();
    let dead = "0011223344556677.AAAA".to_owned();
    assert!(
        house
            .store
            .update_factor_if(&app, dead.clone(), 0, app.created_at)
            .await
            .unwrap()
    );
    assert_eq!(
        rotate_master(&house).await,
        Resealed {
            keys: 1,
            totp_secrets: 0,
            unreadable: 1
        }
    );
    assert_eq!(house.store.factor(&id).await.unwrap().unwrap().body, dead);
}

#[tokio::test]
async fn master_key_replacement_requires_active_and_different_key() {
    let house = test_auth().await;
    let turn = async |old: MasterKey, new: MasterKey| {
        rotate_master_key(
            &house.store,
            (&old, &new),
            &house.auth.0.clock,
            &SecureRandom::system(),
        )
        .await
    };
    assert!(matches!(
        turn(master_key(), master_key()).await,
        Err(AuthError::MasterKeyUnchanged)
    ));
    assert!(matches!(
        turn(new_master_key(), master_key()).await,
        Err(AuthError::MasterKeyMismatch)
    ));
    turn(master_key(), new_master_key()).await.unwrap();
    assert!(
        matches!(
            turn(master_key(), new_master_key()).await,
            Err(AuthError::MasterKeyMismatch)
        ),
        "twice"
    );
}

#[tokio::test]
async fn process_stops_after_its_master_key_is_replaced() {
    let house = test_auth().await;
    rotate_master(&house).await;
    let stops =
        tokio::time::timeout(Duration::from_secs(5), house.auth.run_background_tasks()).await;
    assert!(matches!(stops, Ok(AuthError::MasterKeyMismatch)));
    let ring = KeyRing::new(
        house.store.clone(),
        &master_key(),
        KeyRules::default(),
        house.auth.0.clock.clone(),
        SecureRandom::system(),
    );
    assert!(matches!(
        ring.unwrap().rotate(OldKey::KeepVerifying).await,
        Err(AuthError::MasterKeyMismatch)
    ));
}
