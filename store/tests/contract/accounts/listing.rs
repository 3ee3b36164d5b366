//! Search and pages of accounts.

use auth::{AuthStore as _, DisplayName, EmailAddress, NewAccount, Role, store::AccountQuery};
use store::testing::TestDatabase;

use super::list_usernames;
use crate::builders::{account, actor, new_vault, register, timestamp, user};

crate::on_both_databases!(
    account_search_is_case_insensitive_and_partial,
    accounts_are_paged_by_username,
);

async fn account_search_is_case_insensitive_and_partial(db: TestDatabase) {
    let new = NewAccount {
        display_name: Some(DisplayName::parse("Ärztin 100%").unwrap()),
        email: Some(EmailAddress::parse("Ada@Example.org").unwrap()),
        ..account("ada")
    };
    db.store
        .create_account(new, Vec::new(), actor("ada"))
        .await
        .unwrap();
    register(&db.store, &["bob"]).await;
    for found in ["AD", "äRZ", "0%", "example.ORG"] {
        assert_eq!(
            list_usernames(&db, Some(found), None).await,
            ["ada"],
            "{found}"
        );
    }
    for lost in ["a_a", "%z", "\\", "\0", "'"] {
        assert!(
            list_usernames(&db, Some(lost), None).await.is_empty(),
            "{lost}"
        );
    }
}

async fn accounts_are_paged_by_username(db: TestDatabase) {
    register(&db.store, &["d", "b-1", "b", "a", "b.1"]).await;
    let vault = new_vault(&db.store, "main").await;
    db.store
        .set_role(
            &user("b.1"),
            &vault,
            Some(Role::Viewer),
            actor("root"),
            timestamp(1),
        )
        .await
        .unwrap();
    assert_eq!(list_usernames(&db, None, None).await, ["a", "b"]);
    assert_eq!(list_usernames(&db, None, Some("b")).await, ["b-1", "b.1"]);
    assert_eq!(list_usernames(&db, None, Some("b.1")).await, ["d"]);
    let page = AccountQuery {
        after: Some(user("b")),
        limit: 2,
        ..AccountQuery::default()
    };
    let roles: Vec<_> = db
        .store
        .members(page)
        .await
        .unwrap()
        .into_iter()
        .map(|member| member.roles.len())
        .collect();
    assert_eq!(roles, [0, 1]);
}
