//! A configurable provider without a network, which counts its requests.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use http::{Request, Response};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use url::Url;

use super::*;
use crate::{
    Token,
    error::UpstreamError,
    upstream::{
        Callback, CallbackResult, HttpClient, HttpError, LoginPurpose, LoginRedirect, Provider,
        UnknownUsers, UpstreamSettings,
    },
};

pub(crate) const ISSUER: &str = "https://id.example";

#[derive(Clone)]
pub(crate) struct MockProvider(Arc<MockProviderState>);

struct MockProviderState {
    key: Mutex<(String, EcdsaKeyPair)>,
    /// Override or extend the default claims of the next ID token.
    claims: Mutex<Value>,
    metadata: Mutex<Value>,
    nonce: Mutex<String>,
    /// Runs at each token request.
    token_hook: Mutex<Option<Box<dyn FnMut() + Send>>>,
    requests: Mutex<HashMap<String, usize>>,
    /// Token responses wait for a permit.
    token_gate: Mutex<Option<Arc<Semaphore>>>,
}

/// RFC 6749 §5.2.
fn invalid_grant_response() -> Response<Vec<u8>> {
    let answer = Response::builder()
        .status(400)
        .header("content-type", "application/json");
    answer
        .body(json!({"error": "invalid_grant"}).to_string().into_bytes())
        .unwrap()
}

fn new_provider_key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

impl MockProvider {
    pub(crate) fn new() -> Self {
        Self(Arc::new(MockProviderState {
            key: Mutex::new(("one".to_owned(), new_provider_key())),
            claims: Mutex::new(json!({})),
            metadata: Mutex::new(json!({})),
            nonce: Mutex::default(),
            token_hook: Mutex::default(),
            requests: Mutex::default(),
            token_gate: Mutex::default(),
        }))
    }

    pub(crate) fn set_claims(&self, claims: Value) {
        *self.0.claims.lock().unwrap() = claims;
    }

    pub(crate) fn set_metadata(&self, metadata: Value) {
        *self.0.metadata.lock().unwrap() = metadata;
    }

    /// Signs with a new key from now on.
    pub(crate) fn rotate_key(&self, kid: &str) {
        *self.0.key.lock().unwrap() = (kid.to_owned(), new_provider_key());
    }

    pub(crate) fn on_token_request(&self, does: impl FnMut() + Send + 'static) {
        *self.0.token_hook.lock().unwrap() = Some(Box::new(does));
    }

    /// Token responses wait for a permit from now on; the semaphore has none.
    pub(crate) fn hold_token_responses(&self) -> Arc<Semaphore> {
        let held = Arc::new(Semaphore::new(0));
        *self.0.token_gate.lock().unwrap() = Some(held.clone());
        held
    }

    /// The number of requests to that path.
    pub(crate) fn request_count(&self, path: &str) -> usize {
        self.0
            .requests
            .lock()
            .unwrap()
            .get(path)
            .copied()
            .unwrap_or_default()
    }

    fn jwks(&self) -> Value {
        let key = self.0.key.lock().unwrap();
        let point = &key.1.public_key().as_ref()[1..];
        let (x, y) = (
            BASE64URL.encode(&point[..32]),
            BASE64URL.encode(&point[32..]),
        );
        json!({"keys": [{"kty": "EC", "crv": "P-256", "x": x, "y": y, "alg": "ES256", "use": "sig", "kid": key.0}]})
    }

    fn token_response(&self) -> Value {
        if let Some(does) = &mut *self.0.token_hook.lock().unwrap() {
            does();
        }
        let mut claims = json!({
            "iss": ISSUER, "aud": "strongroom", "exp": 1_900_000_000, "iat": 1_800_000_000,
            "nonce": *self.0.nonce.lock().unwrap(),
        });
        claims
            .as_object_mut()
            .unwrap()
            .extend(self.0.claims.lock().unwrap().as_object().unwrap().clone());
        let key = self.0.key.lock().unwrap();
        let part = |value: Value| BASE64URL.encode(value.to_string());
        let body = format!(
            "{}.{}",
            part(json!({"alg": "ES256", "kid": key.0})),
            part(claims)
        );
        let signature = key.1.sign(&SystemRandom::new(), body.as_bytes()).unwrap();
        let id_token = format!("{body}.{}", BASE64URL.encode(signature));
        json!({"access_token": "x", "token_type": "Bearer", "id_token": id_token})
    }

    fn respond(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let path = request.uri().path();
        *self
            .0
            .requests
            .lock()
            .unwrap()
            .entry(path.to_owned())
            .or_default() += 1;
        let body = match path {
            "/.well-known/openid-configuration" => {
                let mut metadata = json!({
                    "issuer": ISSUER, "authorization_endpoint": format!("{ISSUER}/authorize"),
                    "token_endpoint": format!("{ISSUER}/token"), "jwks_uri": format!("{ISSUER}/jwks"),
                    "response_types_supported": ["code"], "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["ES256"],
                });
                let more = self.0.metadata.lock().unwrap().clone();
                metadata
                    .as_object_mut()
                    .unwrap()
                    .extend(more.as_object().unwrap().clone());
                metadata
            }
            "/jwks" => self.jwks(),
            _ if !String::from_utf8_lossy(request.body()).contains("code=code&") => {
                return invalid_grant_response();
            }
            _ => self.token_response(),
        };
        let answer = Response::builder().header("content-type", "application/json");
        answer.body(body.to_string().into_bytes()).unwrap()
    }

    fn http_client(&self, dead: &str) -> HttpClient {
        let (provider, dead) = (self.clone(), dead.to_owned());
        HttpClient::new(move |request| {
            let (provider, host) = (
                provider.clone(),
                request.uri().host().unwrap_or_default().to_owned(),
            );
            let hangs = host == dead;
            Box::pin(async move {
                if hangs {
                    *provider
                        .0
                        .requests
                        .lock()
                        .unwrap()
                        .entry("hung".to_owned())
                        .or_default() += 1;
                    std::future::pending::<()>().await;
                }
                let answer = provider.respond(&request);
                let held = provider
                    .0
                    .token_gate
                    .lock()
                    .unwrap()
                    .clone()
                    .filter(|_| request.uri().path() == "/token");
                if let Some(held) = held {
                    held.acquire().await.unwrap().forget();
                }
                Ok::<_, HttpError>(answer)
            })
        })
    }

    pub(crate) fn settings(&self, unknown_users: UnknownUsers) -> Settings {
        let provider = |id: &str, issuer: &str| Provider {
            id: id.to_owned(),
            name: id.to_owned(),
            issuer: issuer.to_owned(),
            client_id: "strongroom".to_owned(),
            client_secret: Some("its secret".to_owned().into()),
            scopes: Vec::new(),
            redirect_uri: format!("https://strongroom.example/auth/oidc/{id}/callback"),
            unknown_users,
        };
        let providers = vec![
            provider("work", ISSUER),
            provider("dead", "https://dead.example"),
        ];
        Settings {
            upstreams: UpstreamSettings {
                providers,
                http: Some(self.http_client("dead.example")),
            },
            ..settings()
        }
    }

    pub(crate) async fn test_auth(&self, unknown_users: UnknownUsers) -> TestAuth {
        test_auth_with(self.settings(unknown_users)).await
    }

    pub(crate) async fn start_login(
        &self,
        test: &TestAuth,
        purpose: LoginPurpose<'_>,
    ) -> StartedLogin {
        let LoginRedirect {
            location,
            browser_token: browser,
        } = test
            .auth
            .upstream()
            .start_login("work", purpose, "/account".to_owned(), None)
            .await
            .unwrap();
        let url = Url::parse(location.expose_secret()).unwrap();
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        self.0.nonce.lock().unwrap().clone_from(&query["nonce"]);
        StartedLogin {
            query,
            browser_token: browser,
        }
    }

    pub(crate) async fn log_in(
        &self,
        test: &TestAuth,
        purpose: LoginPurpose<'_>,
        caller: Option<Caller>,
    ) -> CallbackOutcome {
        self.start_login(test, purpose)
            .await
            .finish(test, caller)
            .await
    }
}

pub(crate) type CallbackOutcome = Result<CallbackResult, AuthError>;

/// A login redirect that waits for its callback.
pub(crate) struct StartedLogin {
    pub(crate) query: HashMap<String, String>,
    pub(crate) browser_token: Token,
}

impl StartedLogin {
    pub(crate) fn callback(&self) -> Callback {
        Callback {
            state: self.query["state"].clone().into(),
            outcome: Ok("code".to_owned().into()),
            issuer: None,
            browser_token: Token::parse(crate::TokenKind::Flow, self.browser_token.expose()),
        }
    }

    pub(crate) async fn finish(&self, test: &TestAuth, caller: Option<Caller>) -> CallbackOutcome {
        test.auth
            .upstream()
            .handle_callback("work", self.callback(), caller, origin())
            .await
    }
}

/// The signed-in caller; panics on any other outcome.
pub(crate) fn signed_in_caller(outcome: CallbackOutcome) -> Caller {
    match outcome.unwrap() {
        CallbackResult::SignedIn {
            step: crate::session::mfa_challenge::SignInOutcome::Complete(signed_in),
            ..
        } => signed_in.caller,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn is_provider_refusal(outcome: &CallbackOutcome) -> bool {
    matches!(
        outcome,
        Err(AuthError::Upstream(
            UpstreamError::ProviderRejected(_) | UpstreamError::IdTokenInvalid
        ))
    )
}
