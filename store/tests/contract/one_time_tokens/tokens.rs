//! One-time tokens are stored and consumed once.

use auth::{
    TokenHash,
    audit::{AuditAction, NewAuditEntry},
    store::{OneTimeKind, OneTimeToken, OneTimeTokenStore as _, ResetStore as _},
};
use futures_util::future::join_all;
use store::testing::TestDatabase;

use crate::builders::{actor, register, timestamp, user};

crate::on_both_databases!(
    one_time_token_is_consumed_once_by_kind,
    parallel_reset_link_requests_store_one_link,
    expired_one_time_token_is_not_found,
    expired_one_time_tokens_are_purged,
    parallel_inserts_of_one_time_token_succeed_once,
    one_time_token_update_is_compare_and_swap,
    one_time_tokens_are_listed_per_account,
);

fn one_time_token(kind: OneTimeKind, hash: &str, of: Option<&str>) -> OneTimeToken {
    OneTimeToken {
        kind,
        hash: TokenHash::new(hash),
        username: of.map(user),
        body: "{}".to_owned(),
        created_at: timestamp(0),
        expires_at: timestamp(60),
    }
}

async fn one_time_token_is_consumed_once_by_kind(db: TestDatabase) {
    let token = one_time_token(OneTimeKind::Reset, "a", Some("ada"));
    db.store.insert_token(token.clone()).await.unwrap();
    assert_eq!(
        db.store
            .find_token(OneTimeKind::Reset, &token.hash, timestamp(1))
            .await
            .unwrap(),
        Some(token.clone())
    );
    assert_eq!(
        db.store
            .consume_token(OneTimeKind::Invitation, &token.hash, timestamp(1))
            .await
            .unwrap(),
        None
    );
    let takes = (0..20).map(|_| {
        let (store, hash) = (db.store.clone(), token.hash.clone());
        tokio::spawn(async move {
            store
                .consume_token(OneTimeKind::Reset, &hash, timestamp(1))
                .await
                .unwrap()
        })
    });
    let mut winners = 0;
    for take in takes.collect::<Vec<_>>() {
        winners += usize::from(take.await.unwrap().is_some());
    }
    assert_eq!(winners, 1);
}

async fn parallel_reset_link_requests_store_one_link(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let keep = |hash: String, since: Option<i64>, at: i64| {
        let link = OneTimeToken {
            created_at: timestamp(at),
            expires_at: timestamp(at + 60),
            ..one_time_token(OneTimeKind::Reset, &hash, Some("ada"))
        };
        let record = NewAuditEntry::new(&actor("ada"), AuditAction::ResetCreated, timestamp(at));
        let store = db.store.clone();
        async move {
            store
                .insert_reset(link, record, since.map(timestamp))
                .await
                .unwrap()
        }
    };
    let asked = join_all((0..20).map(|n| tokio::spawn(keep(n.to_string(), Some(-30), 0)))).await;
    assert_eq!(
        asked
            .into_iter()
            .filter(|inserted| *inserted.as_ref().unwrap())
            .count(),
        1
    );
    assert!(!keep("soon".to_owned(), Some(-1), 29).await);
    assert!(keep("later".to_owned(), Some(0), 30).await);
    assert!(keep("by an administrator".to_owned(), None, 31).await);
    assert_eq!(
        db.store
            .list_tokens(OneTimeKind::Reset, Some(&user("ada")), timestamp(32))
            .await
            .unwrap()
            .len(),
        1
    );
}

async fn expired_one_time_tokens_are_purged(db: TestDatabase) {
    for n in 0..1_200 {
        let expires_at = timestamp(if n % 2 == 0 { 60 } else { 90 });
        let token = OneTimeToken {
            expires_at,
            ..one_time_token(OneTimeKind::AuthorizationCode, &n.to_string(), None)
        };
        db.store.insert_token(token).await.unwrap();
    }
    let mut forgotten = Vec::new();
    while forgotten.last() != Some(&0) {
        forgotten.push(db.store.purge_expired_tokens(timestamp(61)).await.unwrap());
    }
    assert_eq!(forgotten, [500, 100, 0]);
    assert_eq!(
        db.store
            .list_tokens(OneTimeKind::AuthorizationCode, None, timestamp(1))
            .await
            .unwrap()
            .len(),
        600
    );
}

async fn expired_one_time_token_is_not_found(db: TestDatabase) {
    let token = one_time_token(OneTimeKind::Invitation, "a", None);
    db.store.insert_token(token.clone()).await.unwrap();
    assert_eq!(
        db.store
            .find_token(OneTimeKind::Invitation, &token.hash, timestamp(60))
            .await
            .unwrap(),
        None
    );
    assert!(
        !db.store
            .compare_and_swap_token(&token, "x".to_owned(), timestamp(60))
            .await
            .unwrap()
    );
    assert_eq!(
        db.store
            .consume_token(OneTimeKind::Invitation, &token.hash, timestamp(60))
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        db.store
            .list_tokens(OneTimeKind::Invitation, None, timestamp(60))
            .await
            .unwrap(),
        Vec::new()
    );
    assert!(
        db.store
            .consume_token(OneTimeKind::Invitation, &token.hash, timestamp(59))
            .await
            .unwrap()
            .is_some()
    );
}

async fn one_time_token_update_is_compare_and_swap(db: TestDatabase) {
    let token = one_time_token(OneTimeKind::DeviceCode, "a", None);
    db.store.insert_token(token.clone()).await.unwrap();
    assert!(
        db.store
            .compare_and_swap_token(&token, "one".to_owned(), timestamp(1))
            .await
            .unwrap()
    );
    assert!(
        !db.store
            .compare_and_swap_token(&token, "two".to_owned(), timestamp(1))
            .await
            .unwrap()
    );
    let now = db
        .store
        .find_token(OneTimeKind::DeviceCode, &token.hash, timestamp(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(now.body, "one");
}

async fn one_time_tokens_are_listed_per_account(db: TestDatabase) {
    for (hash, of) in [("a", Some("ada")), ("b", Some("bob")), ("c", None)] {
        db.store
            .insert_token(one_time_token(OneTimeKind::Reset, hash, of))
            .await
            .unwrap();
    }
    let list = async |of: Option<&str>| {
        db.store
            .list_tokens(OneTimeKind::Reset, of.map(user).as_ref(), timestamp(1))
            .await
            .unwrap()
    };
    assert_eq!(
        (list(Some("ada")).await.len(), list(None).await.len()),
        (1, 3)
    );
    assert_eq!(
        db.store
            .delete_tokens(OneTimeKind::Reset, &user("ada"))
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        (list(Some("ada")).await.len(), list(None).await.len()),
        (0, 2)
    );
}

async fn parallel_inserts_of_one_time_token_succeed_once(db: TestDatabase) {
    let login_state = || OneTimeToken {
        kind: OneTimeKind::Upstream,
        hash: TokenHash::new("login state"),
        username: None,
        body: String::new(),
        created_at: timestamp(0),
        expires_at: timestamp(10),
    };
    let inserted = join_all((0..8).map(|_| db.store.insert_token_if_absent(login_state()))).await;
    assert_eq!(
        inserted
            .iter()
            .filter(|inserted| matches!(inserted, Ok(true)))
            .count(),
        1
    );
    assert_eq!(
        inserted
            .iter()
            .filter(|inserted| matches!(inserted, Ok(false)))
            .count(),
        7
    );
    assert!(
        db.store
            .insert_token_if_absent(OneTimeToken {
                hash: TokenHash::new("another"),
                ..login_state()
            })
            .await
            .unwrap()
    );
}
