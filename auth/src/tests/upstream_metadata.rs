//! The metadata of a provider, and which of it is accepted.

use super::*;
use crate::{
    error::UpstreamError,
    upstream::{HttpClient, LoginPurpose, Provider, UnknownUsers, UpstreamSettings},
};

/// A service with one provider, whose metadata has these endpoints.
async fn test_auth_with_metadata(endpoints: serde_json::Value) -> TestAuth {
    let http = HttpClient::new(move |request| {
        let mut body = serde_json::json!({
            "issuer": "https://id.example",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "keys": [],
        });
        body.as_object_mut()
            .unwrap()
            .extend(endpoints.as_object().unwrap().clone());
        assert_eq!(request.uri().scheme_str(), Some("https"));
        let answer = http::Response::builder().header("content-type", "application/json");
        let answer = answer.body(body.to_string().into_bytes()).unwrap();
        Box::pin(async move { Ok(answer) })
    });
    let provider = Provider {
        id: "work".to_owned(),
        name: "Work".to_owned(),
        issuer: "https://id.example".to_owned(),
        client_id: "strongroom".to_owned(),
        client_secret: None,
        scopes: Vec::new(),
        redirect_uri: "https://strongroom.example/auth/oidc/work/callback".to_owned(),
        unknown_users: UnknownUsers::Reject,
    };
    test_auth_with(Settings {
        upstreams: UpstreamSettings {
            providers: vec![provider],
            http: Some(http),
        },
        ..settings()
    })
    .await
}

#[tokio::test]
async fn https_provider_with_http_endpoint_is_rejected() {
    let good = [
        ("authorization_endpoint", "https://id.example/authorize"),
        ("token_endpoint", "https://elsewhere.example/token"),
        ("jwks_uri", "https://id.example/jwks"),
    ];
    let endpoints = |bad: Option<&str>| {
        let of = |(name, url): (&str, &str)| {
            let url = if bad == Some(name) {
                url.replace("https:", "http:")
            } else {
                url.to_owned()
            };
            (name.to_owned(), url.into())
        };
        serde_json::Value::Object(good.into_iter().map(of).collect())
    };
    let start_login = async |bad| {
        let test = test_auth_with_metadata(endpoints(bad)).await;
        test.auth
            .upstream()
            .start_login("work", LoginPurpose::SignIn, "/".to_owned(), None)
            .await
    };
    start_login(None).await.unwrap();
    for bad in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        assert!(
            matches!(
                start_login(Some(bad)).await,
                Err(AuthError::Upstream(UpstreamError::ProviderResponseUnusable))
            ),
            "{bad}"
        );
    }
}
