//! Accounts are created once and read back; some names are reserved.

use auth::{
    AccountStatus, AuthStore as _, DisplayName, EmailAddress, NewAccount, Role,
    store::{IdentityStore as _, InsertResult, LinkResult},
};
use futures_util::future::join_all;
use store::testing::TestDatabase;

use crate::builders::{account, actor, identity, new_vault, register, timestamp, user};

crate::on_both_databases!(
    parallel_account_creations_with_one_username_succeed_once,
    console_username_is_reserved,
    account_round_trips_through_the_store,
    account_event_numbers_have_no_gaps_under_concurrency,
    vault_creator_with_account_becomes_manager,
);

async fn parallel_account_creations_with_one_username_succeed_once(db: TestDatabase) {
    let tries = (0..8).map(|_| {
        db.store
            .create_account(account("ada"), Vec::new(), actor("ada"))
    });
    let made = join_all(tries).await;
    assert_eq!(
        made.iter()
            .filter(|made| matches!(made, Ok(InsertResult::Inserted)))
            .count(),
        1
    );
    assert_eq!(
        made.iter()
            .filter(|made| matches!(made, Ok(InsertResult::Duplicate)))
            .count(),
        7
    );
}

async fn console_username_is_reserved(db: TestDatabase) {
    let console = || account("console");
    let made = db
        .store
        .create_account(console(), Vec::new(), actor("root"))
        .await
        .unwrap();
    assert_eq!(
        made,
        InsertResult::Duplicate,
        "the username is reserved for imported and added accounts"
    );
    let linked = db
        .store
        .create_linked_account(console(), Vec::new(), identity("17"), actor("console"))
        .await
        .unwrap();
    assert_eq!(
        linked,
        LinkResult::UsernameTaken,
        "the username is reserved for accounts of a provider"
    );
    let first = db
        .store
        .create_first_administrator(console(), actor("console"))
        .await
        .unwrap();
    assert_eq!(
        first,
        Some(InsertResult::Duplicate),
        "by the first administrator's link"
    );
    assert!(
        db.store
            .credentials(&user("console"))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        db.store
            .identity("https://id.example", "17")
            .await
            .unwrap()
            .is_none()
    );
}

async fn account_round_trips_through_the_store(db: TestDatabase) {
    let new = NewAccount {
        display_name: Some(DisplayName::parse("Ada Ləvləys 🛠").unwrap()),
        email: Some(EmailAddress::parse("ada@example.org").unwrap()),
        ..account("ada")
    };
    let vault = new_vault(&db.store, "main").await;
    db.store
        .create_account(
            new.clone(),
            vec![(vault.clone(), Role::Editor)],
            actor("ada"),
        )
        .await
        .unwrap();
    let member = db.store.member(&user("ada")).await.unwrap().unwrap();
    assert_eq!(member.account.display_name, new.display_name);
    assert_eq!(member.account.email, new.email);
    assert_eq!(member.account.created_at, new.created_at);
    assert_eq!(
        (member.account.status, member.account.administrator),
        (AccountStatus::Active, false)
    );
    assert_eq!(
        (member.roles, member.last_seen),
        (vec![(vault, Role::Editor)], None)
    );
    let credentials = db.store.credentials(&user("ada")).await.unwrap().unwrap();
    assert!(credentials.password == new.password);
    assert!(db.store.credentials(&user("bob")).await.unwrap().is_none());
}

async fn account_event_numbers_have_no_gaps_under_concurrency(db: TestDatabase) {
    let names: Vec<String> = (0..20).map(|n| format!("user{n}")).collect();
    register(
        &db.store,
        &names.iter().map(String::as_str).collect::<Vec<_>>(),
    )
    .await;
    let vault = new_vault(&db.store, "main").await;
    let tries = names.iter().map(async |name| {
        db.store
            .set_role(
                &user(name),
                &vault,
                Some(Role::Editor),
                actor("root"),
                timestamp(1),
            )
            .await
    });
    for done in join_all(tries).await {
        done.unwrap();
    }
    let numbers: Vec<i64> = db
        .store
        .account_events_after(0)
        .await
        .unwrap()
        .iter()
        .map(|event| event.seq)
        .collect();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
}

async fn vault_creator_with_account_becomes_manager(db: TestDatabase) {
    // `root` has no account yet.
    let made_early = new_vault(&db.store, "early").await;
    register(&db.store, &["root"]).await;
    let made_late = new_vault(&db.store, "late").await;
    let roles = db.store.member(&user("root")).await.unwrap().unwrap().roles;
    assert_eq!(roles, [(made_late, Role::Manager)]);
    assert!(db.store.members_of(&made_early).await.unwrap().is_empty());
}
