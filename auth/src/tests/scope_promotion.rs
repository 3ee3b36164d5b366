//! Tokens state only scopes that their owner has a right for.

use super::*;
use crate::{
    NewPersonalToken, OAuthError, Permit, PersonalTokenError, Scope, Scopes,
    actions::{ManageMembers, ReadMembers},
    error::{AccessError, TokenError},
};

fn admin_and_read() -> Scopes {
    Scopes::of(&[Scope::ReadFiles, Scope::Administer])
}

async fn token_for(test: &TestAuth, scopes: Scopes) -> Result<TokenResponse, AuthError> {
    test.auth
        .oauth()
        .token_with_scopes(scopes, "ada", password(GOOD_PASSWORD), origin())
        .await
}

async fn promote(test: &TestAuth) {
    let root = test.administrator("root").await;
    let permit: Permit<ManageMembers> = root.permit(Some(&realm("main"))).unwrap();
    test.auth
        .admin()
        .set_role(&permit, &name("ada"), Some(Role::Manager))
        .await
        .unwrap();
}

#[tokio::test]
async fn admin_scope_requires_administrator_or_manager() {
    let test = test_auth().await;
    test.register("ada").await;
    let tokens = token_for(&test, admin_and_read()).await.unwrap();
    assert_eq!(tokens.scope, "files:read");
    let only_admin = token_for(&test, Scopes::of(&[Scope::Administer])).await;
    assert!(matches!(
        only_admin,
        Err(AuthError::Token(TokenError::OAuth(
            OAuthError::ScopeExceedsCaller
        )))
    ));
    let (_, ada) = test.sign_in("ada").await;
    let new = NewPersonalToken {
        label: "script".to_owned(),
        scopes: Scopes::of(&[Scope::Administer]),
        realms: None,
        lifetime: None,
    };
    let personal = test
        .auth
        .personal_tokens()
        .create_personal_token(&ada, new, origin())
        .await;
    assert!(matches!(
        personal,
        Err(AuthError::Token(TokenError::PersonalToken(
            PersonalTokenError::ScopeNotAllowed(Scope::Administer)
        )))
    ));
    promote(&test).await;
    let tokens = token_for(&test, admin_and_read()).await.unwrap();
    assert_eq!(tokens.scope, "files:read admin");
}

#[tokio::test]
async fn token_from_before_a_promotion_gains_no_scope() {
    let test = test_auth().await;
    test.register("ada").await;
    let before = token_for(&test, admin_and_read()).await.unwrap();
    let (_, ada) = test.sign_in("ada").await;
    let new = NewPersonalToken {
        label: "script".to_owned(),
        scopes: admin_and_read(),
        realms: None,
        lifetime: None,
    };
    let (personal, _) = test
        .auth
        .personal_tokens()
        .create_personal_token(&ada, new, origin())
        .await
        .unwrap();
    assert_eq!(personal.scopes, Scopes::of(&[Scope::ReadFiles]));
    promote(&test).await;
    let refreshed = test
        .auth
        .oauth()
        .refresh(before.refresh_token.expose(), None, None, origin())
        .await
        .unwrap();
    assert_eq!(refreshed.scope, "files:read");
    for tokens in [&before, &refreshed] {
        let caller = test
            .auth
            .sessions()
            .authenticate_bearer(access_token(tokens))
            .await
            .unwrap();
        assert!(matches!(
            caller.permit::<ReadMembers>(Some(&realm("main"))),
            Err(AuthError::Access(AccessError::InsufficientScope {
                scope: Scope::Administer
            }))
        ));
    }
}
