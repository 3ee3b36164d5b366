//! Administrators, disabled accounts and roles.

use auth::{
    AccountChange, AccountStatus, AuthStore as _, RealmId, Role, SessionKind, TokenHash,
    store::{AccountQuery, ChangeRejected, InsertResult},
};
use futures_util::future::join_all;
use store::testing::TestDatabase;

use super::{one_session_of_each_kind, status_change};
use crate::builders::{
    account, actor, administrator, epoch_of, new_vault, register, session, timestamp, user,
};

crate::on_both_databases!(
    parallel_first_administrator_creations_succeed_once,
    parallel_demotions_keep_the_last_administrator,
    disabling_an_account_ends_its_sessions,
    disabled_account_cannot_start_a_session,
    role_changes_are_stored_with_an_event,
    disabled_account_is_not_a_realm_member,
);

fn promotion() -> AccountChange {
    AccountChange {
        administrator: Some(true),
        ..AccountChange::default()
    }
}

fn demotion() -> AccountChange {
    AccountChange {
        administrator: Some(false),
        ..AccountChange::default()
    }
}

async fn parallel_first_administrator_creations_succeed_once(db: TestDatabase) {
    assert!(!db.store.has_administrator().await.unwrap());
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let made = join_all(names.map(|name| {
        db.store
            .create_first_administrator(account(name), actor(name))
    }))
    .await;
    assert_eq!(
        made.iter()
            .filter(|made| matches!(made, Ok(Some(InsertResult::Inserted))))
            .count(),
        1
    );
    assert_eq!(
        made.iter().filter(|made| matches!(made, Ok(None))).count(),
        7
    );
    assert!(db.store.has_administrator().await.unwrap());
    let everyone = AccountQuery {
        limit: 100,
        ..AccountQuery::default()
    };
    let everyone = db.store.members(everyone).await.unwrap();
    assert!(everyone.len() == 1 && everyone[0].account.administrator);
}

async fn parallel_demotions_keep_the_last_administrator(db: TestDatabase) {
    let names = ["ada", "bob", "cyd", "dan"];
    for round in 0..5 {
        for name in names {
            if round == 0 {
                administrator(&db.store, name).await;
            }
            db.store
                .change_account(&user(name), promotion(), actor("root"), timestamp(1))
                .await
                .unwrap();
            db.store
                .change_account(
                    &user(name),
                    status_change(AccountStatus::Active),
                    actor("root"),
                    timestamp(1),
                )
                .await
                .unwrap();
        }
        // A deleted account cannot return, so only the last round deletes one.
        let gone = if round == 4 {
            AccountStatus::Deleted
        } else {
            AccountStatus::Disabled
        };
        let takes = [
            demotion(),
            status_change(AccountStatus::Disabled),
            status_change(gone),
            demotion(),
        ];
        let tries = names.iter().zip(takes).map(async |(name, take)| {
            db.store
                .change_account(&user(name), take, actor("root"), timestamp(2))
                .await
        });
        let done = join_all(tries).await;
        let refused = |done: &&Result<_, _>| matches!(done, Err(ChangeRejected::LastAdministrator));
        assert_eq!(done.iter().filter(refused).count(), 1, "{done:?}");
        assert_eq!(
            done.iter().filter(|done| done.is_ok()).count(),
            3,
            "{done:?}"
        );
        assert!(db.store.has_administrator().await.unwrap());
    }
}

async fn disabling_an_account_ends_its_sessions(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let ids = one_session_of_each_kind(&db.store, "ada", "").await;
    let before = db.store.last_account_event().await.unwrap();
    let change = status_change(AccountStatus::Disabled);
    let account = db
        .store
        .change_account(&user("ada"), change, actor("root"), timestamp(5))
        .await
        .unwrap();
    assert_eq!(account.status, AccountStatus::Disabled);
    for id in &ids {
        let session = db.store.session(id).await.unwrap().unwrap();
        assert_eq!(session.ended_at, Some(timestamp(5)), "{:?}", session.kind);
    }
    assert!(
        db.store
            .sessions_of(&user("ada"), timestamp(6))
            .await
            .unwrap()
            .is_empty()
    );
    let events = db.store.account_events_after(before).await.unwrap();
    assert!(events.len() == 1 && events[0].username == user("ada"));
    let unknown = db
        .store
        .change_account(&user("bob"), promotion(), actor("root"), timestamp(5))
        .await;
    assert!(matches!(unknown, Err(ChangeRejected::NoSuchAccount)));
}

async fn disabled_account_cannot_start_a_session(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    db.store
        .change_account(
            &user("ada"),
            status_change(AccountStatus::Disabled),
            actor("root"),
            timestamp(5),
        )
        .await
        .unwrap();
    let late = session("late", "ada", SessionKind::Web);
    let epoch = epoch_of(&db.store, "ada").await;
    assert_eq!(
        db.store
            .start_session(late, TokenHash::new("cookie"), epoch)
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        db.store
            .session_by_cookie(&TokenHash::new("cookie"))
            .await
            .unwrap(),
        None
    );
    assert!(
        db.store
            .sessions_of(&user("ada"), timestamp(1))
            .await
            .unwrap()
            .is_empty()
    );
}

async fn role_changes_are_stored_with_an_event(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let vault = new_vault(&db.store, "main").await;
    for role in [Some(Role::Viewer), Some(Role::Manager), None] {
        let before = db.store.last_account_event().await.unwrap();
        db.store
            .set_role(&user("ada"), &vault, role, actor("root"), timestamp(1))
            .await
            .unwrap();
        let roles = db.store.member(&user("ada")).await.unwrap().unwrap().roles;
        assert_eq!(
            roles,
            role.map(|role| (vault.clone(), role))
                .into_iter()
                .collect::<Vec<_>>()
        );
        let events = db.store.account_events_after(before).await.unwrap();
        assert!(
            events.len() == 1 && events[0].seq == before + 1 && events[0].username == user("ada")
        );
    }
    let absent = db
        .store
        .set_role(
            &user("eve"),
            &vault,
            Some(Role::Viewer),
            actor("root"),
            timestamp(1),
        )
        .await;
    assert!(matches!(absent, Err(ChangeRejected::NoSuchAccount)));
}

async fn disabled_account_is_not_a_realm_member(db: TestDatabase) {
    register(&db.store, &["cyd", "ada", "bob"]).await;
    let vault = new_vault(&db.store, "main").await;
    for (name, role) in [
        ("cyd", Role::Editor),
        ("ada", Role::Manager),
        ("bob", Role::Viewer),
    ] {
        db.store
            .set_role(&user(name), &vault, Some(role), actor("root"), timestamp(1))
            .await
            .unwrap();
    }
    db.store
        .change_account(
            &user("bob"),
            status_change(AccountStatus::Disabled),
            actor("root"),
            timestamp(2),
        )
        .await
        .unwrap();
    let members = db.store.members_of(&vault).await.unwrap();
    let members: Vec<_> = members
        .iter()
        .map(|(account, role)| (account.username.as_str(), *role))
        .collect();
    assert_eq!(members, [("ada", Role::Manager), ("cyd", Role::Editor)]);
    assert!(
        db.store
            .members_of(&RealmId::new("elsewhere"))
            .await
            .unwrap()
            .is_empty()
    );
}
