//! Password reset by link.

mod requests;

use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::sync::mpsc::Receiver;

use super::{GOOD_PASSWORD, TestAuth, name, origin, password, registration_request, test_auth};
use crate::{
    AccountChange, AccountStatus, Actor, AuthError, AuthStore as _, Caller, EmailAddress, MailBody,
    OutgoingMail, SecurityNotice,
    accounts::{registration::RegistrationRequest, self_service::OtherSessions},
    actions::{ManageAccounts, OpenAccountAccess},
    error::{AccessError, AccountError, SignInError},
};

const NEW_PASSWORD: &str = "seven copper kettles sing";
const MINUTE: Duration = Duration::from_mins(1);

async fn register_with_email(test: &TestAuth, username: &str, email: &str) {
    let email = Some(EmailAddress::parse(email).unwrap());
    test.auth
        .accounts()
        .register(
            RegistrationRequest {
                email,
                ..registration_request(username)
            },
            &origin(),
        )
        .await
        .unwrap();
    let confirmed = AccountChange {
        email_verified: Some(true),
        ..AccountChange::default()
    };
    let (by, now) = (Actor::console(), test.auth.0.core.clock.now());
    test.store
        .change_account(&name(username), confirmed, by, now)
        .await
        .unwrap();
}

async fn next_reset_link(mails: &mut Receiver<OutgoingMail>) -> (String, String) {
    let mut mail = mails.recv().await.unwrap();
    while matches!(mail.body, MailBody::ConfirmEmail { .. }) {
        mail = mails.recv().await.unwrap();
    }
    let MailBody::Reset { link, .. } = mail.body else {
        panic!("not a reset mail: {:?}", mail.body)
    };
    let token = link
        .expose_secret()
        .strip_prefix("https://strongroom.example/reset#")
        .unwrap()
        .to_owned();
    (mail.to.as_str().to_owned(), token)
}

/// Runs every pending send: each starts at most 305 ms after its request.
async fn run_delayed_sends() {
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(1)).await;
    tokio::time::resume();
}

async fn reset_password(test: &TestAuth, token: &str, new: &str) -> Result<(), AuthError> {
    test.auth
        .passwords()
        .reset_password(token, password(new), &origin())
        .await
}

async fn create_reset_link(test: &TestAuth, root: &Caller, username: &str) -> String {
    let permit = root.permit::<OpenAccountAccess>(None).unwrap();
    let link = test
        .auth
        .passwords()
        .reset_link(&permit, &name(username))
        .await
        .unwrap()
        .link;
    link.expose_secret().split_once('#').unwrap().1.to_owned()
}

async fn change_ada(test: &TestAuth, root: &Caller, change: AccountChange) {
    let permit = root.permit::<ManageAccounts>(None).unwrap();
    test.auth
        .admin()
        .change_account(&permit, &name("ada"), change)
        .await
        .unwrap();
}

#[tokio::test]
async fn mailed_reset_link_sets_the_password_once() {
    let test = test_auth().await;
    let mut mails = test.auth.mail().take_mail_queue().unwrap();
    register_with_email(&test, "ada", "Ada@example.org").await;
    let (tokens, _) = test.sign_in("ada").await;
    for identifier in ["ADA", " ada@EXAMPLE.org "] {
        test.auth
            .passwords()
            .request_reset(identifier, &origin())
            .await
            .unwrap();
        let (to, token) = next_reset_link(&mut mails).await;
        assert_eq!(to, "Ada@example.org");
        reset_password(&test, &token, NEW_PASSWORD).await.unwrap();
        let notice = mails.recv().await.unwrap();
        assert!(matches!(
            notice.body,
            MailBody::SecurityNotice {
                notice: SecurityNotice::PasswordReset,
                ..
            }
        ));
        assert!(matches!(
            reset_password(&test, &token, GOOD_PASSWORD).await,
            Err(AuthError::Account(AccountError::ResetLinkInvalid))
        ));
    }
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_bearer(super::access_token(&tokens))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    assert!(matches!(
        test.password_grant("ada", GOOD_PASSWORD).await,
        Err(AuthError::SignIn(SignInError::InvalidCredentials))
    ));
    test.password_grant("ada", NEW_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn reset_link_expires_after_30_minutes() {
    let test = test_auth().await;
    let root = test.administrator("root").await;
    test.register("ada").await;
    let late = create_reset_link(&test, &root, "ada").await;
    test.clock.advance(30 * MINUTE);
    assert!(matches!(
        reset_password(&test, &late, NEW_PASSWORD).await,
        Err(AuthError::Account(AccountError::ResetLinkInvalid))
    ));
    let root = test.sign_in("root").await.1;
    let good = create_reset_link(&test, &root, "ada").await;
    test.clock.advance(29 * MINUTE + Duration::from_secs(59));
    reset_password(&test, &good, NEW_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn reset_link_ends_on_password_email_status_change() {
    let test = test_auth().await;
    let root = test.administrator("root").await;
    register_with_email(&test, "ada", "ada@example.org").await;
    let caller = test.sign_in("ada").await.1;

    let link = create_reset_link(&test, &root, "ada").await;
    let other = password("nine quiet marble owls");
    test.auth
        .passwords()
        .change_password(
            &caller,
            password(GOOD_PASSWORD),
            other,
            OtherSessions::Keep,
            &origin(),
        )
        .await
        .unwrap();
    assert!(matches!(
        reset_password(&test, &link, NEW_PASSWORD).await,
        Err(AuthError::Account(AccountError::ResetLinkInvalid))
    ));

    let link = create_reset_link(&test, &root, "ada").await;
    let email = Some(Some(EmailAddress::parse("ada@elsewhere.example").unwrap()));
    change_ada(
        &test,
        &root,
        AccountChange {
            email,
            ..Default::default()
        },
    )
    .await;
    assert!(matches!(
        reset_password(&test, &link, NEW_PASSWORD).await,
        Err(AuthError::Account(AccountError::ResetLinkInvalid))
    ));

    let link = create_reset_link(&test, &root, "ada").await;
    for status in [AccountStatus::Disabled, AccountStatus::Active] {
        change_ada(
            &test,
            &root,
            AccountChange {
                status: Some(status),
                ..Default::default()
            },
        )
        .await;
    }
    assert!(matches!(
        reset_password(&test, &link, NEW_PASSWORD).await,
        Err(AuthError::Account(AccountError::ResetLinkInvalid))
    ));
}

#[tokio::test]
async fn reset_link_survives_a_rejected_password() {
    let test = test_auth().await;
    let root = test.administrator("root").await;
    test.register("ada").await;
    let link = create_reset_link(&test, &root, "ada").await;
    assert!(matches!(
        reset_password(&test, &link, "short").await,
        Err(AuthError::Account(AccountError::PasswordRejected(_)))
    ));
    reset_password(&test, &link, NEW_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn parallel_reset_link_uses_succeed_once() {
    let test = test_auth().await;
    let root = test.administrator("root").await;
    test.register("ada").await;
    let link = create_reset_link(&test, &root, "ada").await;
    let tries = (0..8).map(|n| {
        let (auth, link) = (test.auth.clone(), link.clone());
        tokio::spawn(async move {
            auth.passwords()
                .reset_password(&link, password(&format!("{NEW_PASSWORD} {n}")), &origin())
                .await
                .map(|()| n)
        })
    });
    let mut through = Vec::new();
    for task in tries.collect::<Vec<_>>() {
        match task.await.unwrap() {
            Ok(n) => through.push(n),
            Err(error) => assert!(
                matches!(error, AuthError::Account(AccountError::ResetLinkInvalid)),
                "{error}"
            ),
        }
    }
    assert_eq!(through.len(), 1);
    test.password_grant("ada", &format!("{NEW_PASSWORD} {}", through[0]))
        .await
        .unwrap();
}

#[tokio::test]
async fn required_reset_is_disclosed_only_with_correct_password() {
    let test = test_auth().await;
    let root = test.administrator("root").await;
    test.register("ada").await;
    let (tokens, _) = test.sign_in("ada").await;
    change_ada(
        &test,
        &root,
        AccountChange {
            must_change_password: Some(true),
            ..Default::default()
        },
    )
    .await;
    assert!(matches!(
        test.auth
            .sessions()
            .authenticate_bearer(super::access_token(&tokens))
            .await,
        Err(AuthError::Access(AccessError::InvalidToken))
    ));
    assert!(matches!(
        test.password_grant("ada", "wrong wrong wrong").await,
        Err(AuthError::SignIn(SignInError::InvalidCredentials))
    ));
    assert!(matches!(
        test.password_grant("ada", GOOD_PASSWORD).await,
        Err(AuthError::SignIn(SignInError::PasswordChangeRequired))
    ));
    let link = create_reset_link(&test, &root, "ada").await;
    reset_password(&test, &link, NEW_PASSWORD).await.unwrap();
    test.password_grant("ada", NEW_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn disabled_account_gets_no_reset_link() {
    let test = test_auth().await;
    let root = test.administrator("root").await;
    test.register("ada").await;
    change_ada(
        &test,
        &root,
        AccountChange {
            status: Some(AccountStatus::Disabled),
            ..Default::default()
        },
    )
    .await;
    let permit = root.permit::<OpenAccountAccess>(None).unwrap();
    assert!(matches!(
        test.auth
            .passwords()
            .reset_link(&permit, &name("ada"))
            .await,
        Err(AuthError::Account(AccountError::AccountDisabled))
    ));
    assert!(matches!(
        test.auth
            .passwords()
            .reset_link(&permit, &name("nobody"))
            .await,
        Err(AuthError::Account(AccountError::NoSuchAccount))
    ));
}
