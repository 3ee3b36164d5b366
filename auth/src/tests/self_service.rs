//! Changes of the own password and profile, and the end of own sessions.

use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::*;
use crate::{
    AccountChange, AccountStatus, Actor, AuthStore as _, NewPersonalToken, Scope, Scopes,
    SessionId, SessionKind,
    accounts::{profile::ProfileChange, self_service::OtherSessions},
    error::{AccessError, AccountError, SignInError, ThrottleError, TokenError},
    password::PasswordRejected,
    store::{EndReason, SessionEnd},
};

const NEW_PASSWORD: &str = "a different long password";

#[tokio::test]
async fn password_change_requires_current_and_acceptable_new_password() {
    let test = test_auth().await;
    test.register("ada").await;
    let (_, caller) = test.sign_in("ada").await;
    let change = |current: &str, new: &str| {
        let (current, new) = (password(current), password(new));
        let (auth, caller) = (test.auth.clone(), caller.clone());
        async move {
            auth.passwords()
                .change_password(&caller, current, new, OtherSessions::Keep, &origin())
                .await
        }
    };
    assert!(matches!(
        change("wrong", NEW_PASSWORD).await,
        Err(AuthError::SignIn(SignInError::WrongCurrentPassword))
    ));
    assert!(matches!(
        change(GOOD_PASSWORD, "short").await,
        Err(AuthError::Account(AccountError::PasswordRejected(
            PasswordRejected::TooShort { .. }
        )))
    ));
    test.password_grant("ada", GOOD_PASSWORD).await.unwrap();
    change(GOOD_PASSWORD, NEW_PASSWORD).await.unwrap();
    assert!(matches!(
        test.password_grant("ada", GOOD_PASSWORD).await,
        Err(AuthError::SignIn(SignInError::InvalidCredentials))
    ));
    test.password_grant("ada", NEW_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn password_change_ends_other_sessions_but_not_current() {
    let test = test_auth().await;
    test.register("ada").await;
    let (thief, others) = test.sign_in("ada").await;
    let web = test
        .auth
        .passwords()
        .sign_in("ada", password(GOOD_PASSWORD), SessionKind::Web, origin())
        .await
        .unwrap()
        .secret;
    let request = NewPersonalToken {
        label: "script".to_owned(),
        scopes: Scopes::of(&[Scope::ReadFiles]),
        realms: None,
        lifetime: None,
    };
    let (_, personal) = test
        .auth
        .personal_tokens()
        .create_personal_token(&others, request, origin())
        .await
        .unwrap();
    let (mine, caller) = test.sign_in("ada").await;
    test.auth
        .passwords()
        .change_password(
            &caller,
            password(GOOD_PASSWORD),
            password(NEW_PASSWORD),
            OtherSessions::End,
            &origin(),
        )
        .await
        .unwrap();
    let sessions = test.auth.sessions();
    for ended in [
        sessions.authenticate_bearer(access_token(&thief)).await,
        sessions.authenticate_cookie(web.expose()).await,
        test.auth
            .personal_tokens()
            .authenticate_personal_token(personal.expose(), None, &origin())
            .await,
    ] {
        assert!(
            matches!(ended, Err(AuthError::Access(AccessError::InvalidToken))),
            "{ended:?}"
        );
    }
    assert!(matches!(
        test.auth
            .oauth()
            .refresh(thief.refresh_token.expose(), None, None, origin())
            .await,
        Err(AuthError::Token(TokenError::InvalidGrant))
    ));
    test.auth
        .sessions()
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
        for revocation in [Some(reset.clone()), Some(disable.clone()), None] {
            let test = test_auth().await;
            test.register("ada").await;
            // Authenticated before the epoch changes, with the new hash only after.
            let (_, thief) = test.sign_in("ada").await;
            test.clock.advance(Duration::from_secs(1));
            let (ada, now) = (name("ada"), test.auth.0.core.clock.now());
            if let Some(change) = revocation.clone() {
                test.store
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
                test.store
                    .end_sessions(&ada, None, end)
                    .await
                    .map(drop)
                    .unwrap();
            }
            let hash = test.store.password_hash("ada");
            let changed = test
                .auth
                .passwords()
                .change_password(
                    &thief,
                    password(GOOD_PASSWORD),
                    password(NEW_PASSWORD),
                    others,
                    &origin(),
                )
                .await;
            assert!(
                matches!(
                    changed,
                    Err(AuthError::SignIn(SignInError::WrongCurrentPassword))
                ),
                "{revocation:?}: {changed:?}"
            );
            assert_eq!(test.store.password_hash("ada"), hash);
            let account = test.store.credentials(&ada).await.unwrap().unwrap().account;
            assert_eq!(
                account.must_change_password,
                revocation == Some(reset.clone())
            );
        }
    }
}

#[tokio::test]
async fn pending_email_change_fails_after_security_epoch_change() {
    let test = test_auth().await;
    test.register("ada").await;
    let mut mails = test.auth.mail().take_mail_queue().unwrap();
    let (_, thief) = test.sign_in("ada").await;
    test.clock.advance(Duration::from_secs(1));
    let end = SessionEnd {
        reason: EndReason::EndedByAdministrator,
        by: Actor::console(),
        at: test.auth.0.core.clock.now(),
    };
    test.store
        .end_sessions(&name("ada"), None, end)
        .await
        .unwrap();
    let change = ProfileChange {
        display_name: Some(Some(crate::DisplayName::parse("Ada").unwrap())),
        email: Some(Some(
            crate::EmailAddress::parse("thief@evil.example").unwrap(),
        )),
    };
    test.auth
        .accounts()
        .change_profile(&thief, change, &origin())
        .await
        .unwrap();
    let link = std::iter::from_fn(|| mails.try_recv().ok()).find_map(|mail| match mail.body {
        crate::MailBody::ConfirmEmail { link, .. } => Some(link),
        _ => None,
    });
    let link = link.unwrap();
    let token = link.expose_secret().split_once('#').unwrap().1;
    assert!(matches!(
        test.auth.accounts().confirm_email(token, &origin()).await,
        Err(AuthError::Account(AccountError::EmailLinkInvalid))
    ));
    assert_eq!(
        test.store
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
    let test = test_auth().await;
    test.register("ada").await;
    let (_, caller) = test.sign_in("ada").await;
    let from = origin();
    let guess = || {
        test.auth.passwords().change_password(
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
            Err(AuthError::SignIn(SignInError::WrongCurrentPassword))
        ));
    }
    assert!(matches!(
        guess().await,
        Err(AuthError::Throttle(ThrottleError::Throttled { .. }))
    ));
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_owner_only() {
    let test = test_auth().await;
    test.register("ada").await;
    test.register("eve").await;
    let (_, old) = test.sign_in("ada").await;
    test.clock.advance(Duration::from_mins(1));
    let (tokens, new) = test.sign_in("ada").await;
    let (_, eve) = test.sign_in("eve").await;
    let ids: Vec<SessionId> = test
        .auth
        .sessions()
        .sessions(&old)
        .await
        .unwrap()
        .into_iter()
        .map(|session| session.id)
        .collect();
    assert_eq!(ids, [new.session().id.clone(), old.session().id.clone()]);
    let stolen = test
        .auth
        .sessions()
        .end_session(&eve, &new.session().id)
        .await;
    assert!(matches!(
        stolen,
        Err(AuthError::Token(TokenError::NoSuchSession))
    ));
    test.auth
        .sessions()
        .authenticate_bearer(access_token(&tokens))
        .await
        .unwrap();
    test.auth
        .sessions()
        .end_session(&old, &new.session().id)
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
        test.auth
            .sessions()
            .end_session(&old, &new.session().id)
            .await,
        Err(AuthError::Token(TokenError::NoSuchSession))
    ));
}

#[tokio::test]
async fn ending_other_sessions_keeps_current_and_counts_ended() {
    let test = test_auth().await;
    test.register("ada").await;
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(test.sign_in("ada").await.0);
    }
    let (mine, caller) = test.sign_in("ada").await;
    assert_eq!(
        test.auth
            .sessions()
            .end_other_sessions(&caller)
            .await
            .unwrap(),
        3
    );
    for other in &others {
        assert!(matches!(
            test.auth
                .sessions()
                .authenticate_bearer(access_token(other))
                .await,
            Err(AuthError::Access(AccessError::InvalidToken))
        ));
    }
    assert_eq!(
        test.auth
            .sessions()
            .end_other_sessions(&caller)
            .await
            .unwrap(),
        0
    );
    test.auth
        .sessions()
        .authenticate_bearer(access_token(&mine))
        .await
        .unwrap();
}
