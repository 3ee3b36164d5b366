//! The master key replaced in place.

use std::time::Duration;

use super::*;
use crate::{
    AuthStore as _, Factor, FactorId, FactorKind,
    key::Purpose,
    key_ring::{KeyRing, KeyRules, OldKey, aad},
    master::rotate_master_key,
    seal::Sealer,
    store::{FactorChange, FactorStore as _, KeyPurpose, KeyStore as _, MinimumFactors, Removal, Resealed},
};

fn new_key() -> MasterKey {
    MasterKey::parse("Zx8Kd2Wq7Lm4Rt9Yc1Vb6Nf3Hg5Js0Pd").unwrap()
}

async fn replaced(house: &House) -> Resealed {
    rotate_master_key(
        &house.store,
        (&key(), &new_key()),
        &house.auth.0.clock,
        &SecureRandom::system(),
    )
    .await
    .unwrap()
}

async fn opened(house: &House, master: MasterKey) -> Result<Auth<Memory>, AuthError> {
    Auth::open(
        house.store.clone(),
        settings(),
        master,
        house.auth.0.clock.clone(),
        SecureRandom::system(),
    )
    .await
}

async fn hash_of(house: &House, username: &str) -> String {
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

async fn peppers(house: &House) -> usize {
    house.store.keys(KeyPurpose::Peppers).await.unwrap().len()
}

/// An app of ada's, sealed as it is when she turns one on.
async fn with_app(house: &House) -> FactorId {
    let (id, at) = (
        FactorId::random(&SecureRandom::system()),
        house.auth.0.clock.now(),
    );
    let body = house
        .auth
        .0
        .factors
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
        least: MinimumFactors::None,
        keep: None,
        unlink: false,
        by: crate::Actor::console(),
        deed: crate::audit::Deed::FactorAdded,
        detail: serde_json::json!({}),
        at,
    };
    house.store.change_factors(change).await.unwrap();
    id
}

#[tokio::test]
async fn replaced_master_key_moves_passwords_to_new_pepper() {
    let house = house().await;
    house.register("ada").await;
    house.register("bob").await;
    let before = hash_of(&house, "ada").await;
    replaced(&house).await;
    let auth = opened(&house, new_key()).await.unwrap();
    assert!(matches!(
        auth.token("ada", password("wrong wrong wrong"), origin())
            .await,
        Err(AuthError::BadCredentials)
    ));
    auth.token("ada", password(GOOD), origin()).await.unwrap();
    let after = hash_of(&house, "ada").await;
    assert_ne!(
        before.split('$').nth(2),
        after.split('$').nth(2),
        "{before} {after}"
    );
    auth.token("ada", password(GOOD), origin()).await.unwrap();
    // Kept for bob, however long he stays away, and forgotten after him.
    house.hands.forward(Duration::from_hours(24 * 400));
    auth.rotate_keys_if_due().await.unwrap();
    assert_eq!(peppers(&house).await, 1);
    auth.token("bob", password(GOOD), origin()).await.unwrap();
    auth.rotate_keys_if_due().await.unwrap();
    assert_eq!(peppers(&house).await, 0);
}

#[tokio::test]
async fn pepper_survives_repeated_master_key_replacement() {
    let house = house().await;
    house.register("ada").await;
    replaced(&house).await;
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
        turn(&new_key(), &third).await,
        Resealed {
            keys: 2,
            apps: 0,
            dead: 0
        }
    );
    opened(&house, third)
        .await
        .unwrap()
        .token("ada", password(GOOD), origin())
        .await
        .unwrap();
    let third = MasterKey::parse("Mn3Bv7Cx1Zl9Kj5Hg2Fd8Sa4Po6Iu0Yt").unwrap();
    turn(&third, &key()).await;
    opened(&house, key())
        .await
        .unwrap()
        .token("ada", password(GOOD), origin())
        .await
        .unwrap();
}

#[tokio::test]
async fn replaced_master_key_opens_no_resealed_secrets() {
    let house = house().await;
    house.register("ada").await;
    house.register("bob").await;
    let (tokens, _) = house.signed_in("bob").await;
    let id = with_app(&house).await;
    assert_eq!(
        replaced(&house).await,
        Resealed {
            keys: 1,
            apps: 1,
            dead: 0
        }
    );
    assert!(matches!(
        opened(&house, key()).await,
        Err(AuthError::MasterKeyMismatch)
    ));
    let app = house.store.factor(&id).await.unwrap().unwrap();
    let opens = |master: &MasterKey| {
        Sealer::new(master, Purpose::Factors)
            .unwrap()
            .open(&app.body, id.as_str())
            .is_ok()
    };
    assert!(opens(&new_key()) && !opens(&key()));
    for purpose in [KeyPurpose::AccessTokens, KeyPurpose::Peppers] {
        for row in house.store.keys(purpose).await.unwrap() {
            for sealer in [Purpose::Ring, Purpose::RetiredPeppers] {
                let sealer = Sealer::new(&key(), sealer).unwrap();
                assert!(
                    sealer
                        .open(row.sealed.expose_secret(), &aad(purpose, &row.kid))
                        .is_err()
                );
            }
        }
    }
    // The key that signs is the same one still, sealed anew.
    opened(&house, new_key())
        .await
        .unwrap()
        .authenticate_bearer(access(&tokens))
        .await
        .unwrap();
}

#[tokio::test]
async fn unreadable_secret_is_counted_and_unchanged_on_replacement() {
    let house = house().await;
    house.register("ada").await;
    let id = with_app(&house).await;
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
        replaced(&house).await,
        Resealed {
            keys: 1,
            apps: 0,
            dead: 1
        }
    );
    assert_eq!(house.store.factor(&id).await.unwrap().unwrap().body, dead);
}

#[tokio::test]
async fn master_key_replacement_requires_active_and_different_key() {
    let house = house().await;
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
        turn(key(), key()).await,
        Err(AuthError::SameMasterKey)
    ));
    assert!(matches!(
        turn(new_key(), key()).await,
        Err(AuthError::MasterKeyMismatch)
    ));
    turn(key(), new_key()).await.unwrap();
    assert!(
        matches!(
            turn(key(), new_key()).await,
            Err(AuthError::MasterKeyMismatch)
        ),
        "twice"
    );
}

#[tokio::test]
async fn process_stops_after_its_master_key_is_replaced() {
    let house = house().await;
    replaced(&house).await;
    let stops = tokio::time::timeout(Duration::from_secs(5), house.auth.run_background_tasks()).await;
    assert!(matches!(stops, Ok(AuthError::MasterKeyMismatch)));
    let ring = KeyRing::new(
        house.store.clone(),
        &key(),
        KeyRules::default(),
        house.auth.0.clock.clone(),
        SecureRandom::system(),
    );
    assert!(matches!(
        ring.unwrap().rotate(OldKey::KeepVerifying).await,
        Err(AuthError::MasterKeyMismatch)
    ));
}
