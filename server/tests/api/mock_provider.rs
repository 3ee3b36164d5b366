//! A mock `OpenID` provider.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use auth::upstream::UnknownUsers;
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Redirect, Response},
    routing::{MethodFilter, on},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use server::config::ProviderSection;

/// Form parameters.
pub(crate) type FormMembers = Vec<(String, String)>;

/// The claims that the provider issues, and the requests that its token endpoint received.
#[derive(Clone)]
pub(crate) struct MockProvider {
    pub(crate) issuer: String,
    key: Arc<Vec<u8>>,
    pub(crate) jwk: Value,
    claims: Arc<Mutex<Value>>,
    /// The nonce for ID tokens, and the received forms.
    pub(crate) nonce: Arc<Mutex<String>>,
    pub(crate) forms: Arc<Mutex<Vec<FormMembers>>>,
    /// The last issued ID token.
    pub(crate) last_id_token: Arc<Mutex<String>>,
    pub(crate) misbehaviour: Arc<Mutex<Misbehaviour>>,
}

/// Faults of the provider.
#[derive(Default)]
pub(crate) struct Misbehaviour {
    /// Overrides for members of its metadata.
    pub(crate) metadata: serde_json::Map<String, Value>,
    /// Replaces the response with its keys.
    pub(crate) jwks: Option<fn() -> Response>,
    /// Members of the token response.
    pub(crate) token_response: serde_json::Map<String, Value>,
    /// The response of the userinfo endpoint to the access token.
    pub(crate) userinfo: Option<Value>,
    /// Creates ID tokens from claims.
    pub(crate) id_token: Option<IdTokenForger>,
}

pub(crate) type IdTokenForger = Box<dyn Fn(&Value) -> String + Send>;

/// The provider's own access token. The server uses it at the userinfo endpoint alone.
pub(crate) const UPSTREAM_ACCESS: &str = "opens-only-what-is-there";

impl MockProvider {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                .unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
        let point = &pair.public_key().as_ref()[1..];
        let (x, y) = (
            BASE64URL.encode(&point[..32]),
            BASE64URL.encode(&point[32..]),
        );
        let provider = Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            key: Arc::new(pkcs8.as_ref().to_vec()),
            jwk: json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "alg": "ES256", "use": "sig", "kid": "one"}),
            claims: Arc::new(Mutex::new(json!({}))),
            nonce: Arc::default(),
            forms: Arc::default(),
            last_id_token: Arc::default(),
            misbehaviour: Arc::default(),
        };
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                on(MethodFilter::GET, metadata),
            )
            .route("/authorize", on(MethodFilter::GET, authorize))
            .route("/jwks", on(MethodFilter::GET, jwks))
            .route(
                "/moved",
                on(MethodFilter::GET, async |State(provider): State<Self>| {
                    jwks_response(&provider)
                }),
            )
            .route("/token", on(MethodFilter::POST, token))
            .route("/userinfo", on(MethodFilter::GET, userinfo))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// The provider's section in the configuration.
    pub(crate) fn section(&self, unknown_users: UnknownUsers) -> ProviderSection {
        ProviderSection {
            id: "work".to_owned(),
            name: "Work".to_owned(),
            icon_file: None,
            issuer: self.issuer.clone(),
            client_id: "strongroom".to_owned(),
            client_secret: Some("its secret".to_owned().into()),
            client_secret_file: None,
            scopes: None,
            new_accounts: Some(unknown_users == UnknownUsers::Provision),
        }
    }

    /// Sets the claims for later sign-ins.
    pub(crate) fn set_claims(&self, claims: Value) {
        *self.claims.lock().unwrap() = claims;
    }
}

async fn metadata(State(provider): State<MockProvider>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", provider.issuer);
    let mut metadata = json!({
        "issuer": provider.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "jwks_uri": at("/jwks"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    });
    for (name, value) in &provider.misbehaviour.lock().unwrap().metadata {
        metadata[name] = value.clone();
    }
    Json(metadata)
}

fn jwks_response(provider: &MockProvider) -> Response {
    Json(json!({"keys": [provider.jwk]})).into_response()
}

/// Approves every request and redirects back at once.
async fn authorize(
    State(provider): State<MockProvider>,
    Query(asked): Query<HashMap<String, String>>,
) -> Redirect {
    provider.nonce.lock().unwrap().clone_from(&asked["nonce"]);
    Redirect::to(&format!(
        "{}?code=abc&state={}",
        asked["redirect_uri"], asked["state"]
    ))
}

async fn jwks(State(provider): State<MockProvider>) -> Response {
    let badly = provider.misbehaviour.lock().unwrap().jwks;
    badly.map_or_else(|| jwks_response(&provider), |badly| badly())
}

async fn token(
    State(provider): State<MockProvider>,
    Form(form): Form<Vec<(String, String)>>,
) -> Json<Value> {
    provider.forms.lock().unwrap().push(form);
    let now = jiff::Timestamp::from_second(i64::try_from(uptime()).unwrap())
        .unwrap()
        .as_second();
    let mut claims = json!({
        "iss": provider.issuer, "aud": "strongroom", "exp": now + 600, "iat": now, "auth_time": now,
        "nonce": *provider.nonce.lock().unwrap(),
    });
    for (name, value) in provider.claims.lock().unwrap().as_object().unwrap() {
        claims[name] = value.clone();
    }
    if let Some(forger) = &provider.misbehaviour.lock().unwrap().id_token {
        return Json(
            json!({"access_token": UPSTREAM_ACCESS, "token_type": "Bearer", "id_token": forger(&claims)}),
        );
    }
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some("one".to_owned());
    let id_token =
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ec_der(&provider.key)).unwrap();
    provider.last_id_token.lock().unwrap().clone_from(&id_token);
    let mut response =
        json!({"access_token": UPSTREAM_ACCESS, "token_type": "Bearer", "id_token": id_token});
    for (name, value) in &provider.misbehaviour.lock().unwrap().token_response {
        response[name] = value.clone();
    }
    Json(response)
}

async fn userinfo(State(provider): State<MockProvider>, headers: HeaderMap) -> Response {
    let own = format!("Bearer {UPSTREAM_ACCESS}");
    if headers
        .get("authorization")
        .is_none_or(|sent| sent != own.as_str())
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match provider.misbehaviour.lock().unwrap().userinfo.clone() {
        Some(claims) => Json(claims).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The present Unix time, in seconds.
pub(crate) fn uptime() -> u64 {
    let clock = auth::Clock::system();
    u64::try_from(clock.now().as_second()).unwrap()
}
