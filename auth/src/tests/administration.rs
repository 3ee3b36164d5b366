//! What permits open, and how fast a change of rights is felt.

use super::*;
use crate::{
    AccountChange, AccountStatus, Permit,
    service::{ManageAccounts, ManageMembers},
};

fn status_change(standing: AccountStatus) -> AccountChange {
    AccountChange {
        status: Some(standing),
        ..AccountChange::default()
    }
}

#[tokio::test]
async fn disabled_account_loses_its_session_immediately() {
    let house = test_auth().await;
    let root = house.administrator("root").await;
    house.register("ada").await;
    let (tokens, ada) = house.sign_in("ada").await;
    let permit: Permit<ManageAccounts> = root.permit(None).unwrap();
    house
        .auth
        .change_account(
            &permit,
            &name("ada"),
            status_change(AccountStatus::Disabled),
        )
        .await
        .unwrap();
    assert!(matches!(
        house.auth.authenticate_bearer(access_token(&tokens)).await,
        Err(AuthError::InvalidToken)
    ));
    assert!(matches!(
        house.auth.revalidate(&ada).await,
        Err(AuthError::InvalidToken)
    ));
    house
        .auth
        .change_account(&permit, &name("ada"), status_change(AccountStatus::Active))
        .await
        .unwrap();
    assert!(
        house
            .auth
            .authenticate_bearer(access_token(&tokens))
            .await
            .is_err(),
        "its sessions stay dead"
    );
    house.password_grant("ada", GOOD_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn last_administrator_cannot_be_demoted_disabled_or_deleted() {
    let house = test_auth().await;
    let root = house.administrator("root").await;
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
        let refused = house
            .auth
            .change_account(&permit, &name("root"), change)
            .await;
        assert!(matches!(refused, Err(AuthError::LastAdministrator)));
    }
}

#[tokio::test]
async fn deleted_account_is_gone_and_its_username_reserved() {
    let house = test_auth().await;
    let root = house.administrator("root").await;
    let permit: Permit<ManageAccounts> = root.permit(None).unwrap();
    let see = root.permit(None).unwrap();
    house.register("ada").await;
    house
        .auth
        .change_account(&permit, &name("ada"), status_change(AccountStatus::Deleted))
        .await
        .unwrap();
    assert!(matches!(
        house.auth.member(&see, &name("ada")).await,
        Err(AuthError::NoSuchAccount)
    ));
    let revived = house
        .auth
        .change_account(&permit, &name("ada"), status_change(AccountStatus::Active))
        .await;
    assert!(matches!(revived, Err(AuthError::NoSuchAccount)));
    let again = house
        .auth
        .register(registration_request("ada"), &origin())
        .await;
    assert!(matches!(again, Err(AuthError::UsernameTaken)));
}

#[tokio::test]
async fn revoked_role_applies_to_live_session_immediately() {
    let house = test_auth().await;
    let root = house.administrator("root").await;
    house.register("ada").await;
    let (tokens, _) = house.sign_in("ada").await;
    let permit: Permit<ManageMembers> = root.permit(Some(&realm("main"))).unwrap();
    house
        .auth
        .set_role(&permit, &name("ada"), Some(Role::Manager))
        .await
        .unwrap();
    let ada = house
        .auth
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
    ada.permit::<ManageMembers>(Some(&realm("main"))).unwrap();
    house
        .auth
        .set_role(&permit, &name("ada"), None)
        .await
        .unwrap();
    let ada = house.auth.revalidate(&ada).await.unwrap();
    let refused = ada.permit::<ManageMembers>(Some(&realm("main")));
    assert!(matches!(refused, Err(AuthError::RealmNotFound)));
}

#[tokio::test]
async fn manager_has_no_rights_outside_own_realm() {
    let house = test_auth().await;
    let root = house.administrator("root").await;
    house.register("ada").await;
    let permit: Permit<ManageMembers> = root.permit(Some(&realm("main"))).unwrap();
    house
        .auth
        .set_role(&permit, &name("ada"), Some(Role::Manager))
        .await
        .unwrap();
    let (_, ada) = house.sign_in("ada").await;
    assert!(matches!(
        ada.permit::<ManageMembers>(Some(&realm("attic"))),
        Err(AuthError::RealmNotFound)
    ));
    assert!(matches!(
        ada.permit::<ManageAccounts>(None),
        Err(AuthError::NotAllowed { .. })
    ));
    assert!(matches!(
        ada.permit::<ManageMembers>(None),
        Err(AuthError::RealmNotFound)
    ));
}

#[tokio::test]
async fn demoted_administrator_gets_no_administrator_permit() {
    let house = test_auth().await;
    let root = house.administrator("root").await;
    let other = house.administrator("other").await;
    let permit: Permit<ManageAccounts> = root.permit(None).unwrap();
    let demoted = AccountChange {
        administrator: Some(false),
        ..AccountChange::default()
    };
    house
        .auth
        .change_account(&permit, &name("other"), demoted)
        .await
        .unwrap();
    let other = house.auth.revalidate(&other).await.unwrap();
    assert!(other.permit::<ManageAccounts>(None).is_err());
}
