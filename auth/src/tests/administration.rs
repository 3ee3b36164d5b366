//! The limits of permits, and how fast a change of rights takes effect.

use super::*;
use crate::{
    AccountChange, AccountStatus, Permit,
    actions::{ManageAccounts, ManageMembers},
    error::{AccessError, AccountError},
};

fn status_change(status: AccountStatus) -> AccountChange {
    AccountChange {
        status: Some(status),
        ..AccountChange::default()
    }
}

#[tokio::test]
async fn disabled_account_loses_its_session_immediately() {
    let test = test_auth().await;
    let root = test.administrator("root").await;
    test.register("ada").await;
    let (tokens, ada) = test.sign_in("ada").await;
    let permit: Permit<ManageAccounts> = root.permit(None).unwrap();
    test.auth
        .admin()
        .change_account(
            &permit,
            &name("ada"),
            status_change(AccountStatus::Disabled),
        )
        .await
        .unwrap();
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_bearer(access_token(&tokens))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    assert!(matches!(
        test.auth.sessions().revalidate(&ada).await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    test.auth
        .admin()
        .change_account(&permit, &name("ada"), status_change(AccountStatus::Active))
        .await
        .unwrap();
    assert!(
        matches!(
            test.auth
                .sessions()
                .authenticate_bearer(access_token(&tokens))
                .await,
            Err(AuthError::Access(AccessError::InvalidToken))
        ),
        "its sessions stay ended"
    );
    test.password_grant("ada", GOOD_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn last_administrator_cannot_be_demoted_disabled_or_deleted() {
    let test = test_auth().await;
    let root = test.administrator("root").await;
    let permit: Permit<ManageAccounts> = root.permit(None).unwrap();
    let demoted = AccountChange {
        administrator: Some(false),
        ..AccountChange::default()
    };
    for change in [
        demoted,
        status_change(AccountStatus::Disabled),
        status_change(AccountStatus::Deleted),
    ] {
        let refused = test
            .auth
            .admin()
            .change_account(&permit, &name("root"), change)
            .await;
        assert!(matches!(
            refused,
            Err(AuthError::Account(AccountError::LastAdministrator))
        ));
    }
}

#[tokio::test]
async fn deleted_account_is_gone_and_its_username_reserved() {
    let test = test_auth().await;
    let root = test.administrator("root").await;
    let permit: Permit<ManageAccounts> = root.permit(None).unwrap();
    let see = root.permit(None).unwrap();
    test.register("ada").await;
    test.auth
        .admin()
        .change_account(&permit, &name("ada"), status_change(AccountStatus::Deleted))
        .await
        .unwrap();
    assert!(matches!(
        test.auth.admin().member(&see, &name("ada")).await,
        Err(AuthError::Account(AccountError::NoSuchAccount))
    ));
    let revived = test
        .auth
        .admin()
        .change_account(&permit, &name("ada"), status_change(AccountStatus::Active))
        .await;
    assert!(matches!(
        revived,
        Err(AuthError::Account(AccountError::NoSuchAccount))
    ));
    let again = test
        .auth
        .accounts()
        .register(registration_request("ada"), &origin())
        .await;
    assert!(matches!(
        again,
        Err(AuthError::Account(AccountError::UsernameTaken))
    ));
}

#[tokio::test]
async fn revoked_role_applies_to_live_session_immediately() {
    let test = test_auth().await;
    let root = test.administrator("root").await;
    test.register("ada").await;
    let (tokens, _) = test.sign_in("ada").await;
    let permit: Permit<ManageMembers> = root.permit(Some(&realm("main"))).unwrap();
    test.auth
        .admin()
        .set_role(&permit, &name("ada"), Some(Role::Manager))
        .await
        .unwrap();
    let ada = test
        .auth
        .sessions()
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
    ada.permit::<ManageMembers>(Some(&realm("main"))).unwrap();
    test.auth
        .admin()
        .set_role(&permit, &name("ada"), None)
        .await
        .unwrap();
    let ada = test.auth.sessions().revalidate(&ada).await.unwrap();
    let refused = ada.permit::<ManageMembers>(Some(&realm("main")));
    assert!(matches!(
        refused,
        Err(AuthError::Access(AccessError::RealmNotFound))
    ));
}

#[tokio::test]
async fn manager_has_no_rights_outside_own_realm() {
    let test = test_auth().await;
    let root = test.administrator("root").await;
    test.register("ada").await;
    let permit: Permit<ManageMembers> = root.permit(Some(&realm("main"))).unwrap();
    test.auth
        .admin()
        .set_role(&permit, &name("ada"), Some(Role::Manager))
        .await
        .unwrap();
    let (_, ada) = test.sign_in("ada").await;
    assert!(matches!(
        ada.permit::<ManageMembers>(Some(&realm("attic"))),
        Err(AuthError::Access(AccessError::RealmNotFound))
    ));
    assert!(matches!(
        ada.permit::<ManageAccounts>(None),
        Err(AuthError::Access(AccessError::NotAllowed { .. }))
    ));
    assert!(matches!(
        ada.permit::<ManageMembers>(None),
        Err(AuthError::Access(AccessError::RealmNotFound))
    ));
}

#[tokio::test]
async fn demoted_administrator_gets_no_administrator_permit() {
    let test = test_auth().await;
    let root = test.administrator("root").await;
    let other = test.administrator("other").await;
    let permit: Permit<ManageAccounts> = root.permit(None).unwrap();
    let demoted = AccountChange {
        administrator: Some(false),
        ..AccountChange::default()
    };
    test.auth
        .admin()
        .change_account(&permit, &name("other"), demoted)
        .await
        .unwrap();
    let other = test.auth.sessions().revalidate(&other).await.unwrap();
    assert!(matches!(
        other.permit::<ManageAccounts>(None),
        Err(AuthError::Access(AccessError::NotAllowed {
            action: "accounts.manage"
        }))
    ));
}
