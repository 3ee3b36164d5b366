//! A credential is accepted only as its own kind.

use secrecy::SecretString;

use super::*;
use crate::{
    Delivery, NewInvitation, NewPersonalToken, Scope, Scopes, SessionKind, Token, TokenKind,
    error::{AccessError, AccountError, SignInError, TokenError},
    session::mfa_challenge::SignInOutcome,
};

/// The doors that take a credential of one kind.
#[derive(Clone, Copy, Debug, PartialEq)]
enum CredentialDoor {
    Bearer,
    Cookie,
    Ticket,
    Personal,
    Refresh,
    SecondFactor,
    Reset,
    Invitation,
}

impl CredentialDoor {
    /// The ones that consume their credential, or end sessions, come last.
    const ALL: [Self; 8] = [
        Self::Bearer,
        Self::Cookie,
        Self::Ticket,
        Self::Personal,
        Self::Refresh,
        Self::SecondFactor,
        Self::Invitation,
        Self::Reset,
    ];

    async fn open(self, test: &TestAuth, secret: &str) -> Result<(), AuthError> {
        let (auth, from) = (&test.auth, origin());
        match self {
            Self::Bearer => auth.sessions().authenticate_bearer(secret).await.map(drop),
            Self::Cookie => auth.sessions().authenticate_cookie(secret).await.map(drop),
            Self::Ticket => auth.sessions().authenticate_ticket(secret).await.map(drop),
            Self::Personal => auth
                .personal_tokens()
                .authenticate_personal_token(secret, None, &from)
                .await
                .map(drop),
            Self::Refresh => auth
                .oauth()
                .refresh(secret, None, None, from)
                .await
                .map(drop),
            Self::SecondFactor => auth.factors().pending_sign_in(secret).await.map(drop),
            Self::Reset => {
                auth.passwords()
                    .reset_password(secret, password("seven copper kettles sing"), &from)
                    .await
            }
            Self::Invitation => auth
                .invitations()
                .preview_invitation(secret, &from)
                .await
                .map(drop),
        }
    }

    fn is_its_refusal(self, error: &AuthError) -> bool {
        match self {
            Self::Bearer | Self::Cookie | Self::Ticket | Self::Personal => {
                matches!(error, AuthError::Access(AccessError::InvalidToken))
            }
            Self::Refresh => matches!(error, AuthError::Token(TokenError::InvalidGrant)),
            Self::SecondFactor => matches!(error, AuthError::SignIn(SignInError::SignInExpired)),
            Self::Reset => matches!(error, AuthError::Account(AccountError::ResetLinkInvalid)),
            Self::Invitation => {
                matches!(error, AuthError::Account(AccountError::InvitationInvalid))
            }
        }
    }
}

async fn pending_sign_in(test: &TestAuth) -> Token {
    test.register("bob").await;
    test.store.enroll_totp("bob");
    let pending = test
        .auth
        .passwords()
        .sign_in_on_page("bob", password(GOOD_PASSWORD), origin())
        .await
        .unwrap();
    let SignInOutcome::MfaRequired(pending) = pending else {
        panic!("bob has a second factor")
    };
    pending.token
}

async fn reset_token(test: &TestAuth, root: &Caller) -> String {
    let reset = test
        .auth
        .passwords()
        .reset_link(&root.permit(None).unwrap(), &name("ada"))
        .await
        .unwrap();
    token_in(&reset.link)
}

async fn invitation_token(test: &TestAuth, root: &Caller) -> String {
    let invitation = NewInvitation {
        administrator: false,
        roles: vec![(realm("main"), Role::Viewer)],
        groups: Vec::new(),
        email: None,
        delivery: Delivery::Link,
    };
    let invited = test
        .auth
        .invitations()
        .invite(root, invitation)
        .await
        .unwrap();
    token_in(&invited.link.unwrap())
}

fn token_in(link: &SecretString) -> String {
    link.expose_secret().split_once('#').unwrap().1.to_owned()
}

/// A valid credential of each kind, with the one door that takes it.
async fn valid_credentials(test: &TestAuth) -> Vec<(Option<CredentialDoor>, String)> {
    let root = test.administrator("root").await;
    test.register("ada").await;
    let (tokens, caller) = test.sign_in("ada").await;
    let device = Token::random(TokenKind::KnownDevice, &SecureRandom::system());
    let from = Origin {
        device: Some(device.hash()),
        ..origin()
    };
    let web = test
        .auth
        .passwords()
        .sign_in("ada", password(GOOD_PASSWORD), SessionKind::Web, from)
        .await
        .unwrap();
    let request = NewPersonalToken {
        label: "script".to_owned(),
        scopes: Scopes::of(&[Scope::ReadFiles]),
        realms: None,
        lifetime: None,
    };
    let (_, personal) = test
        .auth
        .personal_tokens()
        .create_personal_token(&caller, request, origin())
        .await
        .unwrap();
    let codes = test
        .auth
        .oauth()
        .device_authorization(None, None, origin())
        .await
        .unwrap();
    let ticket = test.auth.sessions().issue_ticket(&caller);
    let exposed = |token: &Token| token.expose().to_owned();
    vec![
        (
            Some(CredentialDoor::Bearer),
            access_token(&tokens).to_owned(),
        ),
        (Some(CredentialDoor::Cookie), exposed(&web.secret)),
        (Some(CredentialDoor::Ticket), exposed(&ticket)),
        (Some(CredentialDoor::Personal), exposed(&personal)),
        (
            Some(CredentialDoor::Refresh),
            exposed(&tokens.refresh_token),
        ),
        (
            Some(CredentialDoor::SecondFactor),
            exposed(&pending_sign_in(test).await),
        ),
        (
            Some(CredentialDoor::Invitation),
            invitation_token(test, &root).await,
        ),
        (Some(CredentialDoor::Reset), reset_token(test, &root).await),
        // These two open no door of this list.
        (None, exposed(&device)),
        (None, exposed(&codes.device_code)),
    ]
}

#[tokio::test]
async fn credential_of_one_kind_is_rejected_as_another() {
    let test = test_auth().await;
    let credentials = valid_credentials(&test).await;
    for door in CredentialDoor::ALL {
        for (n, (own, secret)) in credentials.iter().enumerate() {
            if *own == Some(door) {
                continue;
            }
            let error = door.open(&test, secret).await.unwrap_err();
            assert!(door.is_its_refusal(&error), "{door:?} {n}: {error}");
        }
    }
    let own_doors = credentials
        .iter()
        .filter_map(|(own, secret)| own.map(|door| (door, secret)));
    for (door, secret) in own_doors {
        door.open(&test, secret).await.unwrap();
    }
}
