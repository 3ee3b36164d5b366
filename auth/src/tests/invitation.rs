//! Invitations, by link and by mail.

use secrecy::ExposeSecret as _;

use super::*;
use crate::{
    Delivery, EmailAddress, MailBody, NewInvitation, Permit, SessionKind,
    accounts::invitation::CreatedInvitation,
    actions::ManageAccounts,
    error::{AccountError, ThrottleError},
};

fn main_invitation(role: Role, delivery: Delivery) -> NewInvitation {
    let email = Some(EmailAddress::parse("kim@example.org").unwrap());
    NewInvitation {
        administrator: false,
        roles: vec![(realm("main"), role)],
        groups: Vec::new(),
        email,
        delivery,
    }
}

fn token_of(link: &str) -> &str {
    link.strip_prefix("https://strongroom.example/join#")
        .unwrap()
}

async fn invite_only_auth() -> TestAuth {
    test_auth_with(Settings {
        registration: Registration::Invite,
        ..settings()
    })
    .await
}

#[tokio::test]
async fn mailed_invitation_verifies_the_email_address() {
    let test = invite_only_auth().await;
    let root = test.administrator("root").await;
    let mut mails = test.auth.mail().take_mail_queue().unwrap();
    let CreatedInvitation {
        link: None,
        invitation,
    } = test
        .auth
        .invitations()
        .invite(&root, main_invitation(Role::Editor, Delivery::Mail))
        .await
        .unwrap()
    else {
        panic!("the inviter got the link of a mailed invitation")
    };
    let mail = mails.try_recv().unwrap();
    assert_eq!(mail.to.as_str(), "kim@example.org");
    let MailBody::Invitation {
        link,
        from,
        expires_at,
    } = mail.body
    else {
        panic!("not an invitation")
    };
    assert_eq!((from.as_str(), expires_at), ("root", invitation.expires_at));
    let other = EmailAddress::parse("eve@example.org").unwrap();
    let kim = RegistrationRequest {
        email: Some(other),
        ..registration_request("kim")
    };
    let kim = test
        .auth
        .invitations()
        .accept_invitation(kim, token_of(link.expose_secret()), &origin())
        .await
        .unwrap();
    assert_eq!(
        (kim.email.unwrap().as_str(), kim.email_verified),
        ("kim@example.org", true)
    );
    assert_eq!(
        test.sign_in("kim").await.1.role_in(&realm("main").id),
        Some(Role::Editor)
    );
}

#[tokio::test]
async fn link_invitation_leaves_the_email_address_unverified() {
    let test = invite_only_auth().await;
    let root = test.administrator("root").await;
    let invited = test
        .auth
        .invitations()
        .invite(&root, main_invitation(Role::Viewer, Delivery::Link))
        .await
        .unwrap();
    let link = invited.link.unwrap();
    let kim = test
        .auth
        .invitations()
        .accept_invitation(
            registration_request("kim"),
            token_of(link.expose_secret()),
            &origin(),
        )
        .await
        .unwrap();
    assert_eq!(
        (kim.email.unwrap().as_str(), kim.email_verified),
        ("kim@example.org", false)
    );
}

#[tokio::test]
async fn operator_invitation_creates_an_administrator() {
    let test = invite_only_auth().await;
    #[expect(clippy::disallowed_methods, reason = "this is the console")]
    let permit = Permit::<ManageAccounts>::for_operator();
    let first = NewInvitation {
        administrator: true,
        roles: Vec::new(),
        groups: Vec::new(),
        email: None,
        delivery: Delivery::Link,
    };
    let invited = test
        .auth
        .invitations()
        .invite_as_operator(&permit, first)
        .await
        .unwrap();
    // An account of that name is not the operator: an invitation cannot create it.
    let link = invited.link.unwrap();
    let console = test
        .auth
        .invitations()
        .accept_invitation(
            registration_request("console"),
            token_of(link.expose_secret()),
            &origin(),
        )
        .await;
    assert!(matches!(
        console,
        Err(AuthError::Account(AccountError::UsernameTaken))
    ));
    let root = test
        .auth
        .invitations()
        .accept_invitation(
            registration_request("root"),
            token_of(link.expose_secret()),
            &origin(),
        )
        .await
        .unwrap();
    assert!(root.administrator);
}

#[tokio::test]
async fn open_invitations_are_limited_to_100() {
    let test = invite_only_auth().await;
    let root = test.administrator("root").await;
    for _ in 0..100 {
        test.auth
            .invitations()
            .invite(&root, main_invitation(Role::Viewer, Delivery::Link))
            .await
            .unwrap();
    }
    let more = test
        .auth
        .invitations()
        .invite(&root, main_invitation(Role::Viewer, Delivery::Link))
        .await;
    assert!(matches!(
        more,
        Err(AuthError::Account(AccountError::TooManyInvitations))
    ));
    test.clock.advance(Duration::from_hours(72));
    let session = test
        .auth
        .passwords()
        .sign_in("root", password(GOOD_PASSWORD), SessionKind::Web, origin())
        .await
        .unwrap();
    test.auth
        .invitations()
        .invite(
            &session.caller,
            main_invitation(Role::Viewer, Delivery::Link),
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn invitation_token_is_not_printed_or_stored() {
    let test = invite_only_auth().await;
    let root = test.administrator("root").await;
    let invited = test
        .auth
        .invitations()
        .invite(&root, main_invitation(Role::Viewer, Delivery::Link))
        .await
        .unwrap();
    let secret = token_of(invited.link.as_ref().unwrap().expose_secret()).to_owned();
    assert!(!format!("{invited:?}").contains(&secret));
    let one_time = test.store.only_one_time_token();
    assert!(!one_time.body.contains(&secret) && one_time.hash.as_str() != secret);
}

#[tokio::test]
async fn mailed_invitations_to_one_address_are_throttled() {
    let test = invite_only_auth().await;
    let root = test.administrator("root").await;
    let mut mails = test.auth.mail().take_mail_queue().unwrap();
    let invite = async || {
        test.auth
            .invitations()
            .invite(&root, main_invitation(Role::Viewer, Delivery::Mail))
            .await
    };
    for _ in 0..10 {
        let invited = invite().await.unwrap();
        test.auth
            .invitations()
            .revoke_invitation(&root, &invited.invitation.id)
            .await
            .unwrap();
    }
    let denied = invite().await;
    assert!(
        matches!(
            denied,
            Err(AuthError::Throttle(ThrottleError::Throttled { .. }))
        ),
        "{denied:?}"
    );
    let sent: Vec<_> = std::iter::from_fn(|| mails.try_recv().ok()).collect();
    assert_eq!(sent.len(), 10);
    assert!(
        sent.iter()
            .all(|mail| matches!(mail.body, MailBody::Invitation { .. })),
        "{sent:?}"
    );
    // The inviter delivers a link: the limit does not cover it.
    test.auth
        .invitations()
        .invite(&root, main_invitation(Role::Viewer, Delivery::Link))
        .await
        .unwrap();
}
