//! Invitations, by link and by mail.

use secrecy::ExposeSecret as _;

use super::*;
use crate::{
    Delivery, EmailAddress, MailBody, NewInvitation, Permit, SessionKind,
    accounts::invitation::CreatedInvitation, service::ManageAccounts,
};

fn main_invitation(role: Role, delivery: Delivery) -> NewInvitation {
    let email = Some(EmailAddress::parse("kim@example.org").unwrap());
    NewInvitation {
        administrator: false,
        roles: vec![(realm("main"), role)],
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
    let house = invite_only_auth().await;
    let root = house.administrator("root").await;
    let mut letters = house.auth.take_mail_queue().unwrap();
    let CreatedInvitation {
        link: None,
        invitation,
    } = house
        .auth
        .invite(&root, main_invitation(Role::Editor, Delivery::Mail))
        .await
        .unwrap()
    else {
        panic!("whoever invites could use it themself")
    };
    let letter = letters.try_recv().unwrap();
    assert_eq!(letter.to.as_str(), "kim@example.org");
    let MailBody::Invitation {
        link,
        from,
        expires_at,
    } = letter.body
    else {
        panic!("another letter")
    };
    assert_eq!((from.as_str(), expires_at), ("root", invitation.expires_at));
    let other = EmailAddress::parse("eve@example.org").unwrap();
    let kim = RegistrationRequest {
        email: Some(other),
        ..registration_request("kim")
    };
    let kim = house
        .auth
        .accept_invitation(kim, token_of(link.expose_secret()), &origin())
        .await
        .unwrap();
    assert_eq!(
        (kim.email.unwrap().as_str(), kim.email_verified),
        ("kim@example.org", true)
    );
    assert_eq!(
        house.sign_in("kim").await.1.role_in(&realm("main").id),
        Some(Role::Editor)
    );
}

#[tokio::test]
async fn link_invitation_leaves_the_email_address_unverified() {
    let house = invite_only_auth().await;
    let root = house.administrator("root").await;
    let invited = house
        .auth
        .invite(&root, main_invitation(Role::Viewer, Delivery::Link))
        .await
        .unwrap();
    let link = invited.link.unwrap();
    let kim = house
        .auth
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
    let house = invite_only_auth().await;
    #[expect(clippy::disallowed_methods, reason = "this is the console")]
    let permit = Permit::<ManageAccounts>::for_operator();
    let first = NewInvitation {
        administrator: true,
        roles: Vec::new(),
        email: None,
        delivery: Delivery::Link,
    };
    let invited = house.auth.invite_as_operator(&permit, first).await.unwrap();
    // An account of that name is not the operator, and cannot be made by an invitation.
    let link = invited.link.unwrap();
    let console = house
        .auth
        .accept_invitation(
            registration_request("console"),
            token_of(link.expose_secret()),
            &origin(),
        )
        .await;
    assert!(matches!(console, Err(AuthError::UsernameTaken)));
    let root = house
        .auth
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
    let house = invite_only_auth().await;
    let root = house.administrator("root").await;
    for _ in 0..100 {
        house
            .auth
            .invite(&root, main_invitation(Role::Viewer, Delivery::Link))
            .await
            .unwrap();
    }
    let more = house
        .auth
        .invite(&root, main_invitation(Role::Viewer, Delivery::Link))
        .await;
    assert!(matches!(more, Err(AuthError::TooManyInvitations)));
    house.clock.advance(Duration::from_hours(72));
    let session = house
        .auth
        .sign_in("root", password(GOOD_PASSWORD), SessionKind::Web, origin())
        .await
        .unwrap();
    house
        .auth
        .invite(
            &session.caller,
            main_invitation(Role::Viewer, Delivery::Link),
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn invitation_token_is_not_printed_or_stored() {
    let house = invite_only_auth().await;
    let root = house.administrator("root").await;
    let invited = house
        .auth
        .invite(&root, main_invitation(Role::Viewer, Delivery::Link))
        .await
        .unwrap();
    let secret = token_of(invited.link.as_ref().unwrap().expose_secret()).to_owned();
    assert!(!format!("{invited:?}").contains(&secret));
    let slip = house.store.only_one_time_token();
    assert!(!slip.body.contains(&secret) && slip.hash.as_str() != secret);
}

#[tokio::test]
async fn mailed_invitations_to_one_address_are_throttled() {
    let house = invite_only_auth().await;
    let root = house.administrator("root").await;
    for n in 0..11 {
        match house
            .auth
            .invite(&root, main_invitation(Role::Viewer, Delivery::Mail))
            .await
        {
            Ok(invited) => house
                .auth
                .revoke_invitation(&root, &invited.invitation.id)
                .await
                .unwrap(),
            Err(error) => assert!(
                n == 10 && matches!(error, AuthError::Throttled { .. }),
                "{n}: {error}"
            ),
        }
    }
    // A link is handed over by whoever made it.
    house
        .auth
        .invite(&root, main_invitation(Role::Viewer, Delivery::Link))
        .await
        .unwrap();
}
