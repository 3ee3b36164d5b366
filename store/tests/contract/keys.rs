//! The key ring: one active key, replaced by compare-and-swap.

use auth::{
    Actor, Auth, AuthError, AuthStore as _, Clock, PasswordHash, SecureRandom, Settings,
    error::KeyError,
    keys::master::MasterKey,
    store::{KeyPurpose, KeyStore as _, PasswordWrite, StoredKey},
};
use futures_util::future::join_all;
use store::{Store, testing::TestDatabase};

use crate::builders::{self, timestamp};

crate::on_both_databases!(
    one_key_is_active_and_listed_first,
    parallel_key_replacements_succeed_once,
    parallel_first_key_insertions_succeed_once,
    key_purge_removes_retired_key_only,
    master_key_replacement_reseals_and_rejects_old_key,
    unused_retired_pepper_is_purged,
    parallel_master_key_claims_succeed_once,
);

fn stored_key(kid: &str, at: i64) -> StoredKey {
    StoredKey {
        kid: kid.to_owned(),
        purpose: KeyPurpose::AccessTokens,
        algorithm: "HS256".to_owned(),
        sealed: format!("sealed {kid}").into(),
        created_at: timestamp(at),
        retired_at: None,
    }
}

async fn kids(db: &TestDatabase) -> Vec<String> {
    db.store
        .keys(KeyPurpose::AccessTokens)
        .await
        .unwrap()
        .into_iter()
        .map(|key| key.kid)
        .collect()
}

async fn one_key_is_active_and_listed_first(db: TestDatabase) {
    assert!(kids(&db).await.is_empty());
    assert!(
        db.store
            .replace_key(stored_key("a", 0), None)
            .await
            .unwrap()
    );
    assert!(
        !db.store
            .replace_key(stored_key("b", 1), None)
            .await
            .unwrap(),
        "another key is active"
    );
    assert!(
        !db.store
            .replace_key(stored_key("b", 1), Some("z"))
            .await
            .unwrap(),
        "the old key is unknown"
    );
    assert!(
        db.store
            .replace_key(stored_key("b", 1), Some("a"))
            .await
            .unwrap()
    );
    assert!(
        db.store
            .replace_key(stored_key("c", 2), Some("b"))
            .await
            .unwrap()
    );
    assert!(
        !db.store
            .replace_key(stored_key("d", 3), Some("a"))
            .await
            .unwrap(),
        "the old key is retired"
    );
    assert_eq!(kids(&db).await, ["c", "b", "a"]);
    let keys = db.store.keys(KeyPurpose::AccessTokens).await.unwrap();
    assert_eq!(
        keys.iter().map(|key| key.retired_at).collect::<Vec<_>>(),
        [None, Some(timestamp(2)), Some(timestamp(1))]
    );
    let duplicate = db.store.replace_key(stored_key("c", 4), Some("c")).await;
    let error = format!("{:?}", duplicate.unwrap_err());
    assert!(error.contains("two keys have the same id"), "{error}");
    assert_eq!(
        kids(&db).await,
        ["c", "b", "a"],
        "the failed insert changes nothing"
    );
}

async fn parallel_key_replacements_succeed_once(db: TestDatabase) {
    assert!(
        db.store
            .replace_key(stored_key("a", 0), None)
            .await
            .unwrap()
    );
    let store = &db.store;
    let tries = join_all((0..8).map(|n| async move {
        store
            .replace_key(stored_key(&format!("b{n}"), 1), Some("a"))
            .await
    }));
    assert_eq!(
        tries
            .await
            .into_iter()
            .filter(|done| *done.as_ref().unwrap())
            .count(),
        1
    );
    assert_eq!(kids(&db).await.len(), 2);
}

async fn parallel_first_key_insertions_succeed_once(db: TestDatabase) {
    let store = &db.store;
    let tries = join_all((0..8).map(|n| async move {
        store
            .replace_key(stored_key(&format!("b{n}"), 1), None)
            .await
    }));
    assert_eq!(
        tries
            .await
            .into_iter()
            .filter(|done| *done.as_ref().unwrap())
            .count(),
        1
    );
}

async fn key_purge_removes_retired_key_only(db: TestDatabase) {
    assert!(
        db.store
            .replace_key(stored_key("a", 0), None)
            .await
            .unwrap()
    );
    assert!(
        db.store
            .replace_key(stored_key("b", 10), Some("a"))
            .await
            .unwrap()
    );
    assert_eq!(db.store.purge_keys(timestamp(10)).await.unwrap(), 0);
    assert_eq!(db.store.purge_keys(timestamp(11)).await.unwrap(), 1);
    assert_eq!(db.store.purge_keys(jiff::Timestamp::MAX).await.unwrap(), 0);
    assert_eq!(kids(&db).await, ["b"]);
}

const OLD_MASTER_KEY: &str = "q8Zr2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0Pa";
const NEW_MASTER_KEY: &str = "Zx8Kd2Wq7Lm4Rt9Yc1Vb6Nf3Hg5Js0Pd";

async fn open_auth(db: &TestDatabase, master: &str) -> Result<Auth<Store>, AuthError> {
    let settings = Settings {
        registration: auth::settings::Registration::Open,
        hashing: auth::settings::HashingCost {
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
        },
        ..Settings::new(
            "https://strongroom.example".to_owned(),
            "strongroom".to_owned(),
        )
    };
    let master = MasterKey::parse(master).unwrap();
    Auth::open(
        db.store.clone(),
        settings,
        master,
        Clock::system(),
        SecureRandom::system(),
    )
    .await
}

async fn master_key_replacement_reseals_and_rejects_old_key(db: TestDatabase) {
    let before = open_auth(&db, OLD_MASTER_KEY).await.unwrap();
    let old_row = db
        .store
        .keys(KeyPurpose::AccessTokens)
        .await
        .unwrap()
        .remove(0);
    let (old, new) = (
        MasterKey::parse(OLD_MASTER_KEY).unwrap(),
        MasterKey::parse(NEW_MASTER_KEY).unwrap(),
    );
    assert_eq!(db.store.master_id().await.unwrap(), Some(old.id().unwrap()));
    let (clock, rng) = (Clock::system(), SecureRandom::system());
    let rotate = || auth::keys::rotation::rotate_master_key(&db.store, (&old, &new), &clock, &rng);
    assert_eq!(rotate().await.unwrap().keys, 1);
    assert_eq!(db.store.master_id().await.unwrap(), Some(new.id().unwrap()));
    assert!(
        matches!(
            rotate().await,
            Err(AuthError::Key(KeyError::MasterKeyMismatch))
        ),
        "the old key is not active any more"
    );
    assert!(matches!(
        open_auth(&db, OLD_MASTER_KEY).await,
        Err(AuthError::Key(KeyError::MasterKeyMismatch))
    ));
    open_auth(&db, NEW_MASTER_KEY).await.unwrap();
    // A process that still uses the old master key cannot write.
    let kid = old_row.kid.clone();
    let late = StoredKey {
        kid: "late".to_owned(),
        ..old_row
    };
    let late = db.store.replace_key(late, Some(&kid)).await;
    let error = format!("{:?}", late.unwrap_err());
    assert!(error.contains("master key"), "{error}");
    assert_eq!(kids(&db).await, [kid]);
    drop(before);
    let audit = db
        .store
        .verify_audit(&store::Chain::Accounts)
        .await
        .unwrap();
    assert!(
        matches!(audit, store::ChainStatus::Intact { .. }),
        "{audit:?}"
    );
}

async fn unused_retired_pepper_is_purged(db: TestDatabase) {
    let username = auth::Username::parse("ada").unwrap();
    let pepper = |kid| StoredKey {
        purpose: KeyPurpose::Peppers,
        ..stored_key(kid, 0)
    };
    let kid = "0a1b2c3d";
    let hash =
        auth::PasswordHash::prefix_for_pepper(kid) + "argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA";
    assert!(db.store.replace_key(pepper(kid), None).await.unwrap());
    assert!(
        db.store
            .replace_key(pepper("ffffffff"), Some(kid))
            .await
            .unwrap(),
        "this retires the pepper"
    );
    let ada = builders::account("ada");
    let first = ada.password.clone();
    db.store
        .create_account(ada, Vec::new(), Actor::console())
        .await
        .unwrap();
    let set = async |old: &PasswordHash, new: PasswordHash| {
        let (why, by) = (PasswordWrite::Rehash, Actor::console());
        assert!(
            db.store
                .replace_password(&username, old, new, why, by, timestamp(1))
                .await
                .unwrap()
        );
    };
    let under = PasswordHash::from_stored(&hash);
    set(&first, under.clone()).await;
    assert_eq!(db.store.purge_peppers(timestamp(9)).await.unwrap(), 0);
    set(&under, first).await;
    assert_eq!(
        db.store.purge_peppers(timestamp(0)).await.unwrap(),
        0,
        "the pepper retired after the cutoff"
    );
    assert_eq!(
        db.store.purge_keys(timestamp(9)).await.unwrap(),
        0,
        "a pepper is not a signing key"
    );
    assert_eq!(db.store.purge_peppers(timestamp(9)).await.unwrap(), 1);
}

async fn parallel_master_key_claims_succeed_once(db: TestDatabase) {
    let store = &db.store;
    let tries = join_all((0..8).map(|n| async move {
        store
            .set_master_id(&format!("m{n}"), None, timestamp(0))
            .await
    }));
    assert_eq!(
        tries
            .await
            .into_iter()
            .filter(|done| *done.as_ref().unwrap())
            .count(),
        1
    );
    let name = store.master_id().await.unwrap().unwrap();
    assert!(
        !store
            .set_master_id("other", Some("nobody"), timestamp(1))
            .await
            .unwrap()
    );
    assert!(
        store
            .set_master_id("other", Some(&name), timestamp(1))
            .await
            .unwrap()
    );
    assert_eq!(store.master_id().await.unwrap().as_deref(), Some("other"));
}
