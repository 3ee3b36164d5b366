//! Passwords and sessions of one's own.

use std::time::Duration;

use super::*;
use secrecy::ExposeSecret as _;

use crate::{
    AccountChange, AccountStatus, Actor, AuthStore as _, SessionId,
    accounts::profile::ProfileChange,
    password::PasswordRejected,
    service::OtherSessions,
    store::{EndReason, SessionEnd},
};

const NEW_PASSWORD: &str = "a different long password";

#[tokio::test]
async fn password_change_requires_current_and_acceptable_new_password() {
    let house = test_auth().await;
    house.register("ada").await;
    let (_, caller) = house.sign_in("ada").await;
    let change = |current: &str, new: &str| {
        let (current, new) = (password(current), password(new));
        let (auth, caller) = (house.auth.clone(), caller.clone());
        async move {
            auth.change_password(&caller, current, new, OtherSessions::Keep, &origin())
                .await
        }
    };
    assert!(matches!(
        change("wrong", NEW_PASSWORD).await,
        Err(AuthError::WrongCurrentPassword)
    ));
    assert!(matches!(
        change(GOOD_PASSWORD, "short").await,
        Err(AuthError::PasswordRejected(
            PasswordRejected::TooShort { .. }
        ))
    ));
    house.password_grant("ada", GOOD_PASSWORD).await.unwrap();
    change(GOOD_PASSWORD, NEW_PASSWORD).await.unwrap();
    assert!(house.password_grant("ada", GOOD_PASSWORD).await.is_err());
    house.password_grant("ada", NEW_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn password_change_ends_other_session_but_not_current() {
    let house = test_auth().await;
    house.register("ada").await;
    let (thief, _) = house.sign_in("ada").await;
    let (mine, caller) = house.sign_in("ada").await;
    house
        .auth
        .change_password(
            &caller,
            password(GOOD_PASSWORD),
            password(NEW_PASSWORD),
            OtherSessions::End,
            &origin(),
        )
        .await
        .unwrap();
    assert!(
        house
            .auth
            .authenticate_bearer(access_token(&thief))
            .await
            .is_err()
    );
    assert!(
        house
            .auth
            .refresh(thief.refresh_token.expose(), None, None, origin())
            .await
            .is_err()
    );
    house
        .auth
        .authenticate_bearer(access_token(&mine))
        .await
        .unwrap();
}

#[tokio::test]
async fn pending_password_change_fails_after_security_epoch_change() {
    let reset = AccountChange {
        must_change_password: Some(true),
        ..AccountChange::default()
    };
    let disable = AccountChange {
        status: Some(AccountStatus::Disabled),
        ..AccountChange::default()
    };
    for others in [OtherSessions::End, OtherSessions::Keep] {
        for thrown_out in [Some(reset.clone()), Some(disable.clone()), None] {
            let house = test_auth().await;
            house.register("ada").await;
            // Through the door before, and with the new hash only after.
            let (_, thief) = house.sign_in("ada").await;
            house.clock.advance(Duration::from_secs(1));
            let (ada, now) = (name("ada"), house.auth.0.clock.now());
            if let Some(change) = thrown_out.clone() {
                house
                    .store
                    .change_account(&ada, change, Actor::console(), now)
                    .await
                    .map(drop)
                    .unwrap();
            } else {
                let end = SessionEnd {
                    reason: EndReason::EndedByAdministrator,
                    by: Actor::console(),
                    at: now,
                };
                house
                    .store
                    .end_sessions(&ada, None, end)
                    .await
                    .map(drop)
                    .unwrap();
            }
            let hash = house.store.password_hash("ada");
            let changed = house
                .auth
                .change_password(
                    &thief,
                    password(GOOD_PASSWORD),
                    password(NEW_PASSWORD),
                    others,
                    &origin(),
                )
                .await;
            assert!(
                matches!(changed, Err(AuthError::WrongCurrentPassword)),
                "{thrown_out:?}: {changed:?}"
            );
            assert_eq!(house.store.password_hash("ada"), hash);
            let account = house
                .store
                .credentials(&ada)
                .await
                .unwrap()
                .unwrap()
                .account;
            assert_eq!(
                account.must_change_password,
                thrown_out == Some(reset.clone())
            );
        }
    }
}

#[tokio::test]
async fn pending_email_change_fails_after_security_epoch_change() {
    let house = test_auth().await;
    house.register("ada").await;
    let mut letters = house.auth.take_mail_queue().unwrap();
    let (_, thief) = house.sign_in("ada").await;
    house.clock.advance(Duration::from_secs(1));
    let end = SessionEnd {
        reason: EndReason::EndedByAdministrator,
        by: Actor::console(),
        at: house.auth.0.clock.now(),
    };
    house
        .store
        .end_sessions(&name("ada"), None, end)
        .await
        .unwrap();
    let change = ProfileChange {
        display_name: Some(Some(crate::DisplayName::parse("Ada").unwrap())),
        email: Some(Some(
            crate::EmailAddress::parse("thief@evil.example").unwrap(),
        )),
    };
    house
        .auth
        .change_profile(&thief, change, &origin())
        .await
        .unwrap();
    let link =
        std::iter::from_fn(|| letters.try_recv().ok()).find_map(|letter| match letter.body {
            crate::MailBody::ConfirmEmail { link, .. } => Some(link),
            _ => None,
        });
    let link = link.unwrap();
    let token = link.expose_secret().split_once('#').unwrap().1;
    house
        .auth
        .confirm_email(token, &origin())
        .await
        .unwrap_err();
    assert_eq!(
        house
            .store
            .credentials(&name("ada"))
            .await
            .unwrap()
            .unwrap()
            .account
            .email,
        None
    );
}

#[tokio::test]
async fn password_change_throttles_wrong_current_passwords() {
    let house = test_auth().await;
    house.register("ada").await;
    let (_, caller) = house.sign_in("ada").await;
    let from = origin();
    let guess = || {
        house.auth.change_password(
            &caller,
            password("guess"),
            password(NEW_PASSWORD),
            OtherSessions::End,
            &from,
        )
    };
    for _ in 0..5 {
        assert!(matches!(
            guess().await,
            Err(AuthError::WrongCurrentPassword)
        ));
    }
    assert!(matches!(guess().await, Err(AuthError::Throttled { .. })));
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_owner_only() {
    let house = test_auth().await;
    house.register("ada").await;
    house.register("eve").await;
    let (_, old) = house.sign_in("ada").await;
    house.clock.advance(Duration::from_mins(1));
    let (tokens, new) = house.sign_in("ada").await;
    let (_, eve) = house.sign_in("eve").await;
    let ids: Vec<SessionId> = house
        .auth
        .sessions(&old)
        .await
        .unwrap()
        .into_iter()
        .map(|session| session.id)
        .collect();
    assert_eq!(ids, [new.session().id.clone(), old.session().id.clone()]);
    let stolen = house.auth.end_session(&eve, &new.session().id).await;
    assert!(matches!(stolen, Err(AuthError::NoSuchSession)));
    house
        .auth
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
    house
        .auth
        .end_session(&old, &new.session().id)
        .await
        .unwrap();
    assert!(
        house
            .auth
            .authenticate_bearer(access_token(&tokens))
            .await
            .is_err()
    );
    assert!(matches!(
        house.auth.end_session(&old, &new.session().id).await,
        Err(AuthError::NoSuchSession)
    ));
}

#[tokio::test]
async fn ending_other_sessions_keeps_current_and_counts_ended() {
    let house = test_auth().await;
    house.register("ada").await;
    let (other, _) = house.sign_in("ada").await;
    let (mine, caller) = house.sign_in("ada").await;
    assert_eq!(house.auth.end_other_sessions(&caller).await.unwrap(), 1);
    assert!(
        house
            .auth
            .authenticate_bearer(access_token(&other))
            .await
            .is_err()
    );
    house
        .auth
        .authenticate_bearer(access_token(&mine))
        .await
        .unwrap();
}
