//! Requests for a reset link: who gets a mail, and how many.

use secrecy::ExposeSecret as _;
use tokio::sync::mpsc::error::TryRecvError;

use super::*;
use crate::{
    AccountChange, AccountStatus, AuthError, EmailAddress, MailBody,
    accounts::registration::RegistrationRequest,
    error::{AccountError, ThrottleError},
    tests::{origin, registration_request, test_auth},
};

#[tokio::test]
async fn reset_request_without_eligible_account_sends_no_mail() {
    let test = test_auth().await;
    let mut mails = test.auth.mail().take_mail_queue().unwrap();
    let root = test.administrator("root").await;
    test.register("bob").await;
    register_with_email(&test, "ada", "ada@example.org").await;
    change_ada(
        &test,
        &root,
        AccountChange {
            status: Some(AccountStatus::Disabled),
            ..Default::default()
        },
    )
    .await;
    register_with_email(&test, "cy", "cy@example.org").await;
    for identifier in [
        "nobody",
        "bob",
        "ada",
        "ada@example.org",
        "no such name!",
        "\0",
        "",
        "cy",
    ] {
        test.auth
            .passwords()
            .request_reset(identifier, &origin())
            .await
            .unwrap();
    }
    assert_eq!(next_reset_link(&mut mails).await.0, "cy@example.org");
    run_delayed_sends().await;
    assert_eq!(mails.try_recv().unwrap_err(), TryRecvError::Empty);
}

async fn next_confirmation_token(mails: &mut Receiver<OutgoingMail>) -> String {
    let mail = mails.recv().await.unwrap();
    let MailBody::ConfirmEmail { link, .. } = mail.body else {
        panic!("{:?}", mail.body)
    };
    link.expose_secret().split_once('#').unwrap().1.to_owned()
}

/// A mistyped or made-up address gives its reader no access to the account.
#[tokio::test]
async fn unverified_address_gets_no_reset_link() {
    let test = test_auth().await;
    let mut mails = test.auth.mail().take_mail_queue().unwrap();
    let email = Some(EmailAddress::parse("ada@example.org").unwrap());
    test.auth
        .accounts()
        .register(
            RegistrationRequest {
                email,
                ..registration_request("ada")
            },
            &origin(),
        )
        .await
        .unwrap();
    let (_, caller) = test.sign_in("ada").await;
    test.auth
        .accounts()
        .resend_verification(&caller, &origin())
        .await
        .unwrap();
    let replaced = next_confirmation_token(&mut mails).await;
    let newest = next_confirmation_token(&mut mails).await;
    register_with_email(&test, "cy", "cy@example.org").await;
    for identifier in ["ada", "ada@example.org", "cy"] {
        test.auth
            .passwords()
            .request_reset(identifier, &origin())
            .await
            .unwrap();
    }
    assert_eq!(next_reset_link(&mut mails).await.0, "cy@example.org");
    run_delayed_sends().await;
    assert_eq!(mails.try_recv().unwrap_err(), TryRecvError::Empty);
    assert!(matches!(
        test.auth
            .accounts()
            .confirm_email(&replaced, &origin())
            .await,
        Err(AuthError::Account(AccountError::EmailLinkInvalid))
    ));
    test.auth
        .accounts()
        .confirm_email(&newest, &origin())
        .await
        .unwrap();
    let (_, caller) = test.sign_in("ada").await;
    assert!(matches!(
        test.auth
            .accounts()
            .resend_verification(&caller, &origin())
            .await,
        Err(AuthError::Account(AccountError::NoUnverifiedEmail))
    ));
    test.auth
        .passwords()
        .request_reset("ada", &origin())
        .await
        .unwrap();
    assert_eq!(next_reset_link(&mut mails).await.0, "ada@example.org");
}

#[tokio::test]
async fn newest_reset_link_invalidates_older_and_is_throttled() {
    let test = test_auth().await;
    let mut mails = test.auth.mail().take_mail_queue().unwrap();
    register_with_email(&test, "ada", "ada@example.org").await;
    test.auth
        .passwords()
        .request_reset("ada", &origin())
        .await
        .unwrap();
    let (_, first) = next_reset_link(&mut mails).await;
    for _ in 0..10 {
        test.auth
            .passwords()
            .request_reset("ada", &origin())
            .await
            .unwrap();
    }
    run_delayed_sends().await;
    assert_eq!(mails.try_recv().unwrap_err(), TryRecvError::Empty);
    test.clock.advance(5 * MINUTE);
    test.auth
        .passwords()
        .request_reset("ada", &origin())
        .await
        .unwrap();
    let (_, second) = next_reset_link(&mut mails).await;
    run_delayed_sends().await;
    assert_eq!(mails.try_recv().unwrap_err(), TryRecvError::Empty);
    assert!(matches!(
        reset_password(&test, &first, NEW_PASSWORD).await,
        Err(AuthError::Account(AccountError::ResetLinkInvalid))
    ));
    reset_password(&test, &second, NEW_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn mailbox_gets_limited_mail_across_accounts() {
    let test = test_auth().await;
    let mut mails = test.auth.mail().take_mail_queue().unwrap();
    for n in 0..13 {
        register_with_email(&test, &format!("decoy{n}"), "Stranger@example.org").await;
    }
    for _ in 0..10 {
        assert!(matches!(
            mails.recv().await.unwrap().body,
            MailBody::ConfirmEmail { .. }
        ));
    }
    assert_eq!(mails.try_recv().unwrap_err(), TryRecvError::Empty);
    // A change of the e-mail address to that mailbox counts against the same limit.
    let caller = test.sign_in("decoy0").await.1;
    let email = EmailAddress::parse("stranger+1@example.org").unwrap();
    let change = crate::accounts::profile::ProfileChange {
        display_name: None,
        email: Some(Some(email)),
    };
    let refused = test
        .auth
        .accounts()
        .change_profile(&caller, change, &origin())
        .await;
    assert!(
        matches!(
            refused,
            Err(AuthError::Throttle(ThrottleError::Throttled { .. }))
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn made_up_reset_links_are_throttled() {
    let test = test_auth().await;
    for n in 0..150 {
        let invalid = reset_password(&test, "sr_rs_made_up", NEW_PASSWORD).await;
        assert!(
            matches!(
                invalid,
                Err(AuthError::Account(AccountError::ResetLinkInvalid))
            ),
            "{n}: {invalid:?}"
        );
    }
    let denied = reset_password(&test, "sr_rs_made_up", NEW_PASSWORD).await;
    assert!(
        matches!(
            denied,
            Err(AuthError::Throttle(ThrottleError::Throttled { .. }))
        ),
        "{denied:?}"
    );
}
