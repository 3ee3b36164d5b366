//! Stored passwords.

use auth::{
    AccountStatus, AuthStore as _, NewAccount, PasswordHash,
    store::{InsertResult, PasswordWrite},
};
use futures_util::future::join_all;
use store::testing::TestDatabase;

use super::{one_session_of_each_kind, status_change};
use crate::builders::{account, actor, epoch_of, register, start_session, timestamp, user};

crate::on_both_databases!(
    password_replacement_is_compare_and_swap,
    stored_password_change_ends_the_other_sessions,
    hash_samples_cover_each_stored_profile,
);

async fn password_replacement_is_compare_and_swap(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let old = PasswordHash::from_stored("$argon2id$old");
    let tries = (0..8).map(|n| {
        let new = PasswordHash::from_stored(&format!("new {n}"));
        let (store, old) = (&db.store, &old);
        async move {
            store
                .replace_password(
                    &user("ada"),
                    old,
                    new,
                    PasswordWrite::Rehash,
                    actor("ada"),
                    timestamp(1),
                )
                .await
                .unwrap()
        }
    });
    assert_eq!(
        join_all(tries)
            .await
            .into_iter()
            .filter(|replaced| *replaced)
            .count(),
        1
    );
    assert_eq!(
        db.store.last_account_event().await.unwrap(),
        0,
        "a rehash ends nothing"
    );
}

async fn stored_password_change_ends_the_other_sessions(db: TestDatabase) {
    register(&db.store, &["ada", "bob"]).await;
    let current = start_session(&db.store, "ada", "current").await;
    let others = one_session_of_each_kind(&db.store, "ada", "").await;
    let foreign = start_session(&db.store, "bob", "three").await;
    let (old, new) = (
        PasswordHash::from_stored("$argon2id$old"),
        PasswordHash::from_stored("new"),
    );
    let why = PasswordWrite::Change {
        keep: Some(current.clone()),
        epoch: epoch_of(&db.store, "ada").await,
    };
    assert!(
        db.store
            .replace_password(
                &user("ada"),
                &old,
                new.clone(),
                why,
                actor("ada"),
                timestamp(3)
            )
            .await
            .unwrap()
    );
    let ended = async |id| db.store.session(id).await.unwrap().unwrap().ended_at;
    assert_eq!((ended(&current).await, ended(&foreign).await), (None, None));
    for other in &others {
        assert_eq!(ended(other).await, Some(timestamp(3)));
    }
    assert_eq!(db.store.last_account_event().await.unwrap(), 1);
    let others = one_session_of_each_kind(&db.store, "ada", "new ").await;
    let newer = PasswordHash::from_stored("newer");
    let keeping = PasswordWrite::ChangeKeepingSessions {
        epoch: epoch_of(&db.store, "ada").await,
    };
    assert!(
        db.store
            .replace_password(
                &user("ada"),
                &new,
                newer,
                keeping,
                actor("ada"),
                timestamp(4)
            )
            .await
            .unwrap()
    );
    for id in others.iter().chain([&current]) {
        assert_eq!(ended(id).await, None);
    }
}

#[expect(clippy::too_many_lines, reason = "one story, step by step")]
async fn hash_samples_cover_each_stored_profile(db: TestDatabase) {
    let (salt, tag) = (
        "c2FsdHNhbHRzYWx0c2FsdA",
        "dGFndGFndGFndGFndGFndGFndGFndGFndGFndGFndGE",
    );
    let argon =
        |cost: &str, n: usize| format!("$argon2id$v=19${cost}$c2{:02}{}${tag}", n, &salt[4..]);
    let bcrypt = |cost: &str, n: usize| {
        format!("$2b${cost}$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga3{n:02}")
    };
    let mut hashes = Vec::new();
    for n in 0..20 {
        hashes.push(bcrypt("12", n));
        hashes.push(bcrypt("04", n));
        hashes.push(argon("m=65536,t=3,p=1", n));
        hashes.push(format!("$sr1$0a1b2c3d{}", argon("m=65536,t=3,p=1", n)));
        hashes.push(format!("$sr1$0a1b2c3d{}", argon("m=19456,t=2,p=1", n)));
    }
    // Salt and output are shorter here.
    hashes.push("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$dGFndGFndGFndGFndGFndA".to_owned());
    for (n, hash) in hashes.iter().enumerate() {
        let new = NewAccount {
            password: PasswordHash::from_stored(hash),
            ..account(&format!("user{n}"))
        };
        assert_eq!(
            db.store
                .create_account(new, Vec::new(), actor("root"))
                .await
                .unwrap(),
            InsertResult::Inserted
        );
    }
    let gone = NewAccount {
        password: PasswordHash::from_stored(&bcrypt("10", 1)),
        ..account("gone")
    };
    db.store
        .create_account(gone, Vec::new(), actor("root"))
        .await
        .unwrap();
    db.store
        .change_account(
            &user("gone"),
            status_change(AccountStatus::Disabled),
            actor("root"),
            timestamp(1),
        )
        .await
        .unwrap();
    let samples = db.store.hash_samples().await.unwrap();
    assert_eq!(samples.len(), 6);
    for kind in [
        "$2b$12$",
        "$2b$04$",
        "$argon2id$v=19$m=65536,",
        "$argon2id$v=19$m=8,",
        "$sr1$0a1b2c3d$argon2id$v=19$m=65536,",
        "$sr1$0a1b2c3d$argon2id$v=19$m=19456,",
    ] {
        assert!(
            samples.iter().any(|hash| hash.as_str().starts_with(kind)),
            "{kind}"
        );
    }
}
