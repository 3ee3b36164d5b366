//! Identities at upstream providers.

use auth::{
    Actor, ActorVia, AuthMethod, AuthMethods, AuthStore as _, SessionId, SessionKind, TokenHash,
    store::{EndReason, IdentityStore as _, InsertResult, LinkResult},
    upstream::identity_id,
};
use store::testing::TestDatabase;

use crate::builders::{
    account, actor, epoch_of, identity, register, session, session_end, start_session, timestamp,
    user,
};

crate::on_both_databases!(
    provider_identity_links_to_one_account_only,
    identity_link_requires_live_session_unlink_ends_session,
    linked_account_creation_is_atomic,
);

async fn provider_identity_links_to_one_account_only(db: TestDatabase) {
    register(&db.store, &["ada", "bob"]).await;
    let (ada, bob) = (user("ada"), user("bob"));
    assert_eq!(
        db.store
            .link_identity(
                actor("ada"),
                epoch_of(&db.store, "ada").await,
                identity("1"),
                timestamp(1)
            )
            .await
            .unwrap(),
        Some(InsertResult::Inserted)
    );
    assert_eq!(
        db.store
            .link_identity(
                actor("bob"),
                epoch_of(&db.store, "bob").await,
                identity("1"),
                timestamp(2)
            )
            .await
            .unwrap(),
        Some(InsertResult::Duplicate)
    );
    db.store
        .touch_identity("https://id.example", "1", timestamp(3))
        .await
        .unwrap();
    let found = db
        .store
        .identity("https://id.example", "1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (&found.username, found.last_used_at),
        (&ada, Some(timestamp(3)))
    );
    assert_eq!(db.store.identities_of(&bob).await.unwrap(), Vec::new());
    let id = identity_id("https://id.example", "1");
    assert!(
        !db.store
            .unlink_identity(actor("bob"), &id, timestamp(4))
            .await
            .unwrap()
    );
    assert!(
        db.store
            .unlink_identity(actor("ada"), &id, timestamp(4))
            .await
            .unwrap()
    );
    assert_eq!(
        db.store.identity("https://id.example", "1").await.unwrap(),
        None
    );
}

#[expect(clippy::too_many_lines, reason = "one story, step by step")]
async fn identity_link_requires_live_session_unlink_ends_session(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let (ada, id) = (user("ada"), identity_id("https://id.example", "1"));
    let acting = start_session(&db.store, "ada", "acting").await;
    let through = |id: &SessionId| {
        let means = ActorVia::Session {
            id: id.clone(),
            kind: SessionKind::Web,
            label: None,
        };
        Actor {
            via: Some(means),
            ..actor("ada")
        }
    };
    let over = start_session(&db.store, "ada", "over").await;
    db.store
        .end_session(&ada, &over, session_end(EndReason::SignedOut, "ada", 1))
        .await
        .unwrap();
    assert_eq!(
        db.store
            .link_identity(
                through(&over),
                epoch_of(&db.store, "ada").await,
                identity("1"),
                timestamp(2)
            )
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        db.store.identity("https://id.example", "1").await.unwrap(),
        None
    );
    let late = timestamp(2_000_000);
    assert_eq!(
        db.store
            .link_identity(
                through(&acting),
                epoch_of(&db.store, "ada").await,
                identity("1"),
                late
            )
            .await
            .unwrap(),
        None,
        "the session has expired"
    );
    let joined = db
        .store
        .link_identity(
            through(&acting),
            epoch_of(&db.store, "ada").await,
            identity("1"),
            timestamp(3),
        )
        .await
        .unwrap();
    assert_eq!(joined, Some(InsertResult::Inserted));

    let mut thief = session("there", "ada", SessionKind::Web);
    thief.methods = AuthMethods::of(&[AuthMethod::Upstream, AuthMethod::Otp]);
    let began = epoch_of(&db.store, "ada").await;
    db.store
        .start_session(thief.clone(), TokenHash::new("there"), began)
        .await
        .unwrap()
        .unwrap();
    let own = start_session(&db.store, "ada", "own").await;
    assert!(
        db.store
            .unlink_identity(through(&acting), &id, timestamp(4))
            .await
            .unwrap()
    );
    let ended = async |id| db.store.session(id).await.unwrap().unwrap().ended_at;
    assert_eq!(
        (
            ended(&thief.id).await,
            ended(&acting).await,
            ended(&own).await
        ),
        (Some(timestamp(4)), None, None)
    );
    // A sign-in through that identity that is under way is rejected.
    thief.id = SessionId::new("too late");
    assert_eq!(
        db.store
            .start_session(thief, TokenHash::new("too late"), began)
            .await
            .unwrap(),
        None
    );
}

async fn linked_account_creation_is_atomic(db: TestDatabase) {
    let make = async |name: &str, subject: &str| {
        db.store
            .create_linked_account(account(name), Vec::new(), identity(subject), actor(name))
            .await
            .unwrap()
    };
    assert_eq!(make("ada", "1").await, LinkResult::Linked);
    assert_eq!(make("ada", "2").await, LinkResult::UsernameTaken);
    assert_eq!(make("bob", "1").await, LinkResult::IdentityTaken);
    assert!(
        db.store.credentials(&user("bob")).await.unwrap().is_none(),
        "the account is rolled back"
    );
}
