//! A new password by link.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::sync::mpsc::Receiver;

use super::{GOOD_PASSWORD, TestAuth, name, origin, password, registration_request, test_auth};
use crate::{
    AccountChange, AccountStatus, Actor, AuthError, AuthStore as _, Caller, EmailAddress, MailBody,
    OutgoingMail, SecurityNotice,
    service::{ManageAccounts, OpenAccountAccess, OtherSessions, RegistrationRequest},
};

const NEW_PASSWORD: &str = "seven copper kettles sing";
const MINUTE: Duration = Duration::from_mins(1);

async fn register_with_email(house: &TestAuth, username: &str, email: &str) {
    let email = Some(EmailAddress::parse(email).unwrap());
    house
        .auth
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
    let (by, now) = (Actor::console(), house.auth.0.clock.now());
    house
        .store
        .change_account(&name(username), confirmed, by, now)
        .await
        .unwrap();
}

async fn next_reset_link(letters: &mut Receiver<OutgoingMail>) -> (String, String) {
    let mut letter = letters.recv().await.unwrap();
    while matches!(letter.body, MailBody::ConfirmEmail { .. }) {
        letter = letters.recv().await.unwrap();
    }
    let MailBody::Reset { link, .. } = letter.body else {
        panic!("another letter: {:?}", letter.body)
    };
    let token = link
        .expose_secret()
        .strip_prefix("https://strongroom.example/reset#")
        .unwrap()
        .to_owned();
    (letter.to.as_str().to_owned(), token)
}

async fn reset_password(house: &TestAuth, token: &str, new: &str) -> Result<(), AuthError> {
    house
        .auth
        .reset_password(token, password(new), &origin())
        .await
}

async fn create_reset_link(house: &TestAuth, root: &Caller, username: &str) -> String {
    let permit = root.permit::<OpenAccountAccess>(None).unwrap();
    let link = house
        .auth
        .reset_link(&permit, &name(username))
        .await
        .unwrap()
        .link;
    link.expose_secret().split_once('#').unwrap().1.to_owned()
}

async fn change_ada(house: &TestAuth, root: &Caller, change: AccountChange) {
    let permit = root.permit::<ManageAccounts>(None).unwrap();
    house
        .auth
        .change_account(&permit, &name("ada"), change)
        .await
        .unwrap();
}

#[tokio::test]
async fn mailed_reset_link_sets_the_password_once() {
    let house = test_auth().await;
    let mut letters = house.auth.take_mail_queue().unwrap();
    register_with_email(&house, "ada", "Ada@example.org").await;
    let (tokens, _) = house.sign_in("ada").await;
    for whom in ["ADA", " ada@EXAMPLE.org "] {
        house.auth.request_reset(whom, &origin()).await.unwrap();
        let (to, token) = next_reset_link(&mut letters).await;
        assert_eq!(to, "Ada@example.org");
        reset_password(&house, &token, NEW_PASSWORD).await.unwrap();
        let told = letters.recv().await.unwrap();
        assert!(matches!(
            told.body,
            MailBody::SecurityNotice {
                notice: SecurityNotice::PasswordReset,
                ..
            }
        ));
        assert!(matches!(
            reset_password(&house, &token, GOOD_PASSWORD).await,
            Err(AuthError::ResetLinkInvalid)
        ));
    }
    assert!(
        house
            .auth
            .authenticate_bearer(super::access_token(&tokens))
            .await
            .is_err()
    );
    assert!(matches!(
        house.password_grant("ada", GOOD_PASSWORD).await,
        Err(AuthError::InvalidCredentials)
    ));
    house.password_grant("ada", NEW_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn reset_request_without_eligible_account_sends_no_mail() {
    let house = test_auth().await;
    let mut letters = house.auth.take_mail_queue().unwrap();
    let root = house.administrator("root").await;
    house.register("bob").await;
    register_with_email(&house, "ada", "ada@example.org").await;
    change_ada(
        &house,
        &root,
        AccountChange {
            status: Some(AccountStatus::Disabled),
            ..Default::default()
        },
    )
    .await;
    register_with_email(&house, "cy", "cy@example.org").await;
    for whom in [
        "nobody",
        "bob",
        "ada",
        "ada@example.org",
        "no such name!",
        "\0",
        "",
        "cy",
    ] {
        house.auth.request_reset(whom, &origin()).await.unwrap();
    }
    assert_eq!(next_reset_link(&mut letters).await.0, "cy@example.org");
    assert!(letters.try_recv().is_err());
}

/// Whoever reads at an address that somebody mistyped, or made up, gets no way into their account.
#[tokio::test]
async fn unverified_address_gets_no_reset_link() {
    let house = test_auth().await;
    let mut letters = house.auth.take_mail_queue().unwrap();
    let email = Some(EmailAddress::parse("ada@example.org").unwrap());
    house
        .auth
        .register(
            RegistrationRequest {
                email,
                ..registration_request("ada")
            },
            &origin(),
        )
        .await
        .unwrap();
    let mut links = Vec::new();
    let (_, caller) = house.sign_in("ada").await;
    house
        .auth
        .resend_verification(&caller, &origin())
        .await
        .unwrap();
    for _ in 0..2 {
        let letter = letters.recv().await.unwrap();
        let MailBody::ConfirmEmail { link, .. } = letter.body else {
            panic!("{:?}", letter.body)
        };
        links.push(link.expose_secret().split_once('#').unwrap().1.to_owned());
    }
    register_with_email(&house, "cy", "cy@example.org").await;
    for whom in ["ada", "ada@example.org", "cy"] {
        house.auth.request_reset(whom, &origin()).await.unwrap();
    }
    assert_eq!(next_reset_link(&mut letters).await.0, "cy@example.org");
    assert!(letters.try_recv().is_err());
    assert!(matches!(
        house.auth.confirm_email(&links[0], &origin()).await,
        Err(AuthError::EmailLinkInvalid)
    ));
    house
        .auth
        .confirm_email(&links[1], &origin())
        .await
        .unwrap();
    let (_, caller) = house.sign_in("ada").await;
    assert!(matches!(
        house.auth.resend_verification(&caller, &origin()).await,
        Err(AuthError::NoUnverifiedEmail)
    ));
    house.auth.request_reset("ada", &origin()).await.unwrap();
    assert_eq!(next_reset_link(&mut letters).await.0, "ada@example.org");
}

#[tokio::test]
async fn reset_link_expires_after_30_minutes() {
    let house = test_auth().await;
    let root = house.administrator("root").await;
    house.register("ada").await;
    let late = create_reset_link(&house, &root, "ada").await;
    house.clock.advance(30 * MINUTE);
    assert!(matches!(
        reset_password(&house, &late, NEW_PASSWORD).await,
        Err(AuthError::ResetLinkInvalid)
    ));
    let root = house.sign_in("root").await.1;
    let good = create_reset_link(&house, &root, "ada").await;
    house.clock.advance(29 * MINUTE + Duration::from_secs(59));
    reset_password(&house, &good, NEW_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn newest_reset_link_invalidates_older_and_is_throttled() {
    let house = test_auth().await;
    let mut letters = house.auth.take_mail_queue().unwrap();
    register_with_email(&house, "ada", "ada@example.org").await;
    house.auth.request_reset("ada", &origin()).await.unwrap();
    let (_, first) = next_reset_link(&mut letters).await;
    for _ in 0..10 {
        house.auth.request_reset("ada", &origin()).await.unwrap();
    }
    house.clock.advance(5 * MINUTE);
    house.auth.request_reset("ada", &origin()).await.unwrap();
    let (_, second) = next_reset_link(&mut letters).await;
    assert!(letters.try_recv().is_err());
    assert!(matches!(
        reset_password(&house, &first, NEW_PASSWORD).await,
        Err(AuthError::ResetLinkInvalid)
    ));
    reset_password(&house, &second, NEW_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn mailbox_gets_limited_mail_across_accounts() {
    let house = test_auth().await;
    let mut letters = house.auth.take_mail_queue().unwrap();
    for n in 0..13 {
        register_with_email(&house, &format!("decoy{n}"), "Stranger@example.org").await;
    }
    for _ in 0..10 {
        assert!(matches!(
            letters.recv().await.unwrap().body,
            MailBody::ConfirmEmail { .. }
        ));
    }
    assert!(letters.try_recv().is_err());
    // Nor by asking for it as one's own address.
    let caller = house.sign_in("decoy0").await.1;
    let email = EmailAddress::parse("stranger+1@example.org").unwrap();
    let change = crate::accounts::profile::ProfileChange {
        display_name: None,
        email: Some(Some(email)),
    };
    let refused = house.auth.change_profile(&caller, change, &origin()).await;
    assert!(
        matches!(refused, Err(AuthError::Throttled { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn reset_link_ends_on_password_email_status_change() {
    let house = test_auth().await;
    let root = house.administrator("root").await;
    register_with_email(&house, "ada", "ada@example.org").await;
    let caller = house.sign_in("ada").await.1;

    let link = create_reset_link(&house, &root, "ada").await;
    let other = password("nine quiet marble owls");
    house
        .auth
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
        reset_password(&house, &link, NEW_PASSWORD).await,
        Err(AuthError::ResetLinkInvalid)
    ));

    let link = create_reset_link(&house, &root, "ada").await;
    let email = Some(Some(EmailAddress::parse("ada@elsewhere.example").unwrap()));
    change_ada(
        &house,
        &root,
        AccountChange {
            email,
            ..Default::default()
        },
    )
    .await;
    assert!(matches!(
        reset_password(&house, &link, NEW_PASSWORD).await,
        Err(AuthError::ResetLinkInvalid)
    ));

    let link = create_reset_link(&house, &root, "ada").await;
    for standing in [AccountStatus::Disabled, AccountStatus::Active] {
        change_ada(
            &house,
            &root,
            AccountChange {
                status: Some(standing),
                ..Default::default()
            },
        )
        .await;
    }
    assert!(matches!(
        reset_password(&house, &link, NEW_PASSWORD).await,
        Err(AuthError::ResetLinkInvalid)
    ));
}

#[tokio::test]
async fn reset_link_survives_a_rejected_password() {
    let house = test_auth().await;
    let root = house.administrator("root").await;
    house.register("ada").await;
    let link = create_reset_link(&house, &root, "ada").await;
    assert!(matches!(
        reset_password(&house, &link, "short").await,
        Err(AuthError::PasswordRejected(_))
    ));
    reset_password(&house, &link, NEW_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn parallel_reset_link_uses_succeed_once() {
    let house = test_auth().await;
    let root = house.administrator("root").await;
    house.register("ada").await;
    let link = create_reset_link(&house, &root, "ada").await;
    let tries = (0..8).map(|n| {
        let (auth, link) = (house.auth.clone(), link.clone());
        tokio::spawn(async move {
            auth.reset_password(&link, password(&format!("{NEW_PASSWORD} {n}")), &origin())
                .await
                .map(|()| n)
        })
    });
    let mut through = Vec::new();
    for task in tries.collect::<Vec<_>>() {
        match task.await.unwrap() {
            Ok(n) => through.push(n),
            Err(error) => assert!(matches!(error, AuthError::ResetLinkInvalid), "{error}"),
        }
    }
    assert_eq!(through.len(), 1);
    house
        .password_grant("ada", &format!("{NEW_PASSWORD} {}", through[0]))
        .await
        .unwrap();
}

#[tokio::test]
async fn required_reset_is_disclosed_only_with_correct_password() {
    let house = test_auth().await;
    let root = house.administrator("root").await;
    house.register("ada").await;
    let (tokens, _) = house.sign_in("ada").await;
    change_ada(
        &house,
        &root,
        AccountChange {
            must_change_password: Some(true),
            ..Default::default()
        },
    )
    .await;
    assert!(
        house
            .auth
            .authenticate_bearer(super::access_token(&tokens))
            .await
            .is_err()
    );
    assert!(matches!(
        house.password_grant("ada", "wrong wrong wrong").await,
        Err(AuthError::InvalidCredentials)
    ));
    assert!(matches!(
        house.password_grant("ada", GOOD_PASSWORD).await,
        Err(AuthError::PasswordChangeRequired)
    ));
    let link = create_reset_link(&house, &root, "ada").await;
    reset_password(&house, &link, NEW_PASSWORD).await.unwrap();
    house.password_grant("ada", NEW_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn disabled_account_gets_no_reset_link() {
    let house = test_auth().await;
    let root = house.administrator("root").await;
    house.register("ada").await;
    change_ada(
        &house,
        &root,
        AccountChange {
            status: Some(AccountStatus::Disabled),
            ..Default::default()
        },
    )
    .await;
    let permit = root.permit::<OpenAccountAccess>(None).unwrap();
    assert!(matches!(
        house.auth.reset_link(&permit, &name("ada")).await,
        Err(AuthError::AccountDisabled)
    ));
    assert!(matches!(
        house.auth.reset_link(&permit, &name("nobody")).await,
        Err(AuthError::NoSuchAccount)
    ));
}

#[tokio::test]
async fn made_up_reset_links_are_throttled() {
    let house = test_auth().await;
    let mut over = 0;
    for _ in 0..400 {
        match reset_password(&house, "sr_rs_made_up", NEW_PASSWORD).await {
            Err(AuthError::ResetLinkInvalid) => over += 1,
            Err(AuthError::Throttled { .. }) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(over < 400);
}
