//! A deleted account keeps its username and nothing else.

use auth::{
    AccountChange, AccountStatus, AuthStore as _, EmailAddress,
    store::{ChangeRejected, IdentityStore as _, InsertResult},
};
use store::testing::TestDatabase;

use super::{list_usernames, status_change};
use crate::builders::{account, actor, epoch_of, identity, register, timestamp, user};

crate::on_both_databases!(
    deleted_account_is_unlisted_and_reserves_its_username,
    deleted_account_cannot_be_reactivated,
    deleted_account_keeps_only_its_username,
);

async fn deleted_account_cannot_be_reactivated(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    db.store
        .change_account(
            &user("ada"),
            status_change(AccountStatus::Deleted),
            actor("root"),
            timestamp(1),
        )
        .await
        .unwrap();
    for status in [
        AccountStatus::Active,
        AccountStatus::Disabled,
        AccountStatus::Deleted,
    ] {
        let back = db
            .store
            .change_account(
                &user("ada"),
                status_change(status),
                actor("root"),
                timestamp(2),
            )
            .await;
        assert!(
            matches!(back, Err(ChangeRejected::NoSuchAccount)),
            "{back:?}"
        );
    }
    assert!(
        db.store
            .credentials(&user("ada"))
            .await
            .unwrap()
            .is_none_or(|found| found.account.status == AccountStatus::Deleted)
    );
}

async fn deleted_account_keeps_only_its_username(db: TestDatabase) {
    register(&db.store, &["root", "ada", "bob"]).await;
    for name in ["ada", "bob"] {
        let email = Some(EmailAddress::parse(&format!("{name}@example.org")).unwrap());
        let change = AccountChange {
            email: Some(email),
            ..AccountChange::default()
        };
        db.store
            .change_account(&user(name), change, actor("root"), timestamp(1))
            .await
            .unwrap();
        db.store
            .link_identity(
                actor(name),
                epoch_of(&db.store, name).await,
                identity(name),
                timestamp(2),
            )
            .await
            .unwrap();
    }
    db.store
        .change_account(
            &user("ada"),
            status_change(AccountStatus::Deleted),
            actor("root"),
            timestamp(3),
        )
        .await
        .unwrap();
    let left = db.store.credentials(&user("ada")).await.unwrap().unwrap();
    assert_eq!(
        (
            left.account.email,
            left.account.display_name,
            left.password.as_str()
        ),
        (None, None, "")
    );
    assert_eq!(
        db.store.identities_of(&user("ada")).await.unwrap().len(),
        1,
        "the identity stays linked, so that it creates no new account"
    );
    let bob = db.store.credentials(&user("bob")).await.unwrap().unwrap();
    assert!(bob.account.email.is_some() && !bob.password.as_str().is_empty());
}

async fn deleted_account_is_unlisted_and_reserves_its_username(db: TestDatabase) {
    register(&db.store, &["ada", "bob"]).await;
    db.store
        .change_account(
            &user("ada"),
            status_change(AccountStatus::Deleted),
            actor("root"),
            timestamp(1),
        )
        .await
        .unwrap();
    let names: Vec<_> = list_usernames(&db, None, None).await;
    assert_eq!(names, ["bob"]);
    let again = db
        .store
        .create_account(account("ada"), Vec::new(), actor("ada"))
        .await
        .unwrap();
    assert_eq!(again, InsertResult::Duplicate);
    let member = db.store.member(&user("ada")).await.unwrap().unwrap();
    assert_eq!(member.account.status, AccountStatus::Deleted);
}
