//! Step-up through a provider, and the age of its authentication.

use serde_json::json;

use super::*;
use crate::{
    error::AccessError,
    tests::mock_provider::{MockProvider, is_provider_refusal, signed_in_caller},
    upstream::{CallbackResult, LoginPurpose, UnknownUsers},
};

#[tokio::test]
async fn provider_without_recent_auth_time_gives_no_recency() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Provision).await;
    for (claims, recent) in [
        (json!({"sub": "1"}), false),
        (json!({"sub": "1", "auth_time": NOW - 86_400}), false),
        (json!({"sub": "1", "auth_time": NOW - 601}), false),
        (json!({"sub": "1", "auth_time": NOW - 60}), true),
        (json!({"sub": "1", "auth_time": NOW + 300}), true),
    ] {
        provider.set_claims(claims.clone());
        let caller = signed_in_caller(provider.log_in(&test, LoginPurpose::SignIn, None).await);
        match caller.require_recent() {
            Ok(()) => assert!(recent, "{claims}"),
            Err(AuthError::Access(AccessError::StepUpRequired { .. })) => {
                assert!(!recent, "{claims}");
            }
            Err(error) => panic!("{claims}: {error}"),
        }
        assert!(
            caller.session().auth_time <= test.auth.0.core.clock.now(),
            "{claims}"
        );
    }
}

#[tokio::test]
async fn sign_in_with_future_auth_time_is_rejected() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Provision).await;
    for auth_time in [NOW + 301, NOW + 3_600, NOW + 10 * 365 * 86_400] {
        provider.set_claims(json!({"sub": "1", "auth_time": auth_time}));
        let outcome = provider.log_in(&test, LoginPurpose::SignIn, None).await;
        assert!(is_provider_refusal(&outcome), "{auth_time}: {outcome:?}");
    }
}

#[tokio::test]
async fn provider_reauthentication_requires_recent_auth_time() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Provision).await;
    let login = provider
        .start_login(&test, LoginPurpose::Reauthenticate)
        .await;
    assert_eq!(
        (
            login.query["prompt"].as_str(),
            login.query["max_age"].as_str()
        ),
        ("login", "0")
    );
    for claims in [
        json!({"sub": "1"}),
        json!({"sub": "1", "auth_time": NOW - 61}),
        json!({"sub": "1", "auth_time": NOW + 301}),
        json!({"sub": "1", "auth_time": NOW + 86_400}),
    ] {
        provider.set_claims(claims.clone());
        assert!(
            is_provider_refusal(
                &provider
                    .log_in(&test, LoginPurpose::Reauthenticate, None)
                    .await
            ),
            "{claims}"
        );
    }
    provider.set_claims(json!({"sub": "1", "auth_time": NOW - 30}));
    signed_in_caller(
        provider
            .log_in(&test, LoginPurpose::Reauthenticate, None)
            .await,
    )
    .require_recent()
    .unwrap();
    // The link of an identity requires the same.
    test.register("ada").await;
    let ada = sign_in_as(&test, "ada").await;
    for auth_time in [NOW - 3_600, NOW + 3_600] {
        provider.set_claims(json!({"sub": "2", "auth_time": auth_time}));
        let linked = provider
            .log_in(&test, LoginPurpose::Link(&ada), Some(ada.clone()))
            .await;
        assert!(is_provider_refusal(&linked), "{auth_time}: {linked:?}");
    }
    assert!(
        test.auth
            .upstream()
            .identities(&ada)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn provider_reauthentication_renews_only_the_same_identity() {
    let provider = MockProvider::new();
    let test = provider.test_auth(UnknownUsers::Provision).await;
    provider.set_claims(json!({"sub": "1"}));
    let old = signed_in_caller(provider.log_in(&test, LoginPurpose::SignIn, None).await);
    assert!(matches!(
        old.require_recent(),
        Err(AuthError::Access(AccessError::StepUpRequired { .. }))
    ));
    provider.set_claims(json!({"sub": "1", "auth_time": NOW}));
    let back = provider
        .log_in(&test, LoginPurpose::Reauthenticate, Some(old.clone()))
        .await;
    assert!(matches!(back, Ok(CallbackResult::Returned(next)) if next == "/account"));
    let again = test.auth.sessions().revalidate(&old).await.unwrap();
    again.require_recent().unwrap();
    // Another identity renews nothing: it signs in to its own account.
    test.clock.advance(Duration::from_mins(11));
    provider.set_claims(json!({"sub": "2", "auth_time": NOW + 660}));
    let other = signed_in_caller(
        provider
            .log_in(&test, LoginPurpose::Reauthenticate, Some(old.clone()))
            .await,
    );
    assert_ne!(other.account().username, old.account().username);
    let again = test.auth.sessions().revalidate(&old).await.unwrap();
    assert!(matches!(
        again.require_recent(),
        Err(AuthError::Access(AccessError::StepUpRequired { .. }))
    ));
}
