//! Malicious providers and attackers on the network: none of them can sign in.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use auth::upstream::UnknownUsers;
use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256},
};
use axum::{
    body::{Body, Bytes},
    response::{IntoResponse as _, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use futures_util::{Stream, StreamExt as _};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use server::{ConfigSource, config::ProviderSection};

use crate::{
    app::{TestApp, TestResponse},
    mock_provider::{IdTokenForger, MockProvider, uptime},
    upstream::{UpstreamBrowser, set_cookie_pair, signed_in_username},
};

#[track_caller]
fn expect_forbidden(answer: &TestResponse, why: &str) {
    assert_eq!(answer.status(), 403, "{why}: {}", answer.text);
    assert!(
        set_cookie_pair(answer, "strongroom").is_none_or(|cookie| cookie == "strongroom="),
        "{why}"
    );
}

fn set_metadata(provider: &MockProvider, metadata: &Value) {
    provider
        .misbehaviour
        .lock()
        .unwrap()
        .metadata
        .clone_from(metadata.as_object().unwrap());
}

async fn start_login_status(app: &TestApp) -> u16 {
    app.anonymous().get("/auth/oidc/work").await.status()
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_metadata_with_wrong_issuer_is_rejected() {
    let provider = MockProvider::start().await;
    for issuer in [
        "https://evil.example".to_owned(),
        format!("{}/", provider.issuer),
        format!("{}/x", provider.issuer),
    ] {
        set_metadata(&provider, &json!({ "issuer": issuer }));
        let app = provider.start_app(UnknownUsers::Provision).await;
        assert_eq!(start_login_status(&app).await, 502, "{issuer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callback_with_wrong_iss_is_rejected_before_exchange() {
    let provider = MockProvider::start().await;
    set_metadata(
        &provider,
        &json!({"authorization_response_iss_parameter_supported": true}),
    );
    let app = provider.start_app(UnknownUsers::Provision).await;
    provider.set_claims(json!({"sub": "1", "preferred_username": "ada"}));
    let browser = UpstreamBrowser::new(&app);
    let back = async |iss: Option<&str>| {
        let left = browser.start_login(&provider, "/").await;
        let iss = iss.map(|iss| format!("&iss={iss}")).unwrap_or_default();
        browser
            .callback(&format!("{}{iss}", left.state), &left.cookie)
            .await
    };
    expect_forbidden(&back(Some("https://evil.example")).await, "another");
    expect_forbidden(
        &back(Some(&format!("{}/", provider.issuer))).await,
        "an almost equal issuer",
    );
    expect_forbidden(
        &back(None).await,
        "no iss, although the metadata promises it",
    );
    assert!(
        provider.forms.lock().unwrap().is_empty(),
        "no code went to the provider"
    );
    let issuer = provider.issuer.clone();
    assert_eq!(
        signed_in_username(&browser, &back(Some(&issuer)).await).await,
        "ada"
    );
}

/// Two providers, one of them malicious: its response at the callback of the other, and the
/// reverse.
#[tokio::test(flavor = "multi_thread")]
async fn provider_mix_up_is_rejected() {
    let (honest, thief) = (MockProvider::start().await, MockProvider::start().await);
    let second = ProviderSection {
        id: "thief".to_owned(),
        ..thief.section(UnknownUsers::Provision)
    };
    let sections = vec![honest.section(UnknownUsers::Provision), second];
    let app = TestApp::with_settings(ConfigSource {
        providers: Some(sections),
        ..ConfigSource::default()
    })
    .await;
    let (client, browser) = (app.anonymous(), UpstreamBrowser::new(&app));
    let departed = client.get("/auth/oidc/thief").await.expect_status(303);
    let url = reqwest::Url::parse(departed.header("location").unwrap()).unwrap();
    let state = url
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    let jar = set_cookie_pair(&departed, "strongroom-departure").unwrap();
    expect_forbidden(
        &browser.callback(&state, &jar).await,
        "a response of the malicious provider at the other's callback",
    );
    let left = browser.start_login(&honest, "/").await;
    let request = client.get_request(&format!(
        "/auth/oidc/thief/callback?code=abc&state={}",
        left.state
    ));
    expect_forbidden(
        &client.send(request.header("cookie", &left.cookie)).await,
        "a response of the honest provider at the malicious one's callback",
    );
    for provider in [&honest, &thief] {
        assert!(
            provider.forms.lock().unwrap().is_empty(),
            "no code was sent to a provider"
        );
    }
    // A subject is unique per provider: the same subject at the malicious one is another user.
    honest.set_claims(json!({"sub": "1", "preferred_username": "ada"}));
    assert_eq!(
        signed_in_username(&browser, &browser.sign_in(&honest).await).await,
        "ada"
    );
    thief.set_claims(json!({"sub": "1", "iss": honest.issuer, "preferred_username": "ada"}));
    *thief.nonce.lock().unwrap() = url
        .query_pairs()
        .find(|(name, _)| name == "nonce")
        .unwrap()
        .1
        .into_owned();
    let request = client.get_request(&format!("/auth/oidc/thief/callback?code=abc&state={state}"));
    expect_forbidden(
        &client.send(request.header("cookie", &jar)).await,
        "an ID token with the honest provider as issuer",
    );
}

/// A JWT from header, claims and a signing function.
fn compact_jws(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!(
        "{}.{}",
        BASE64URL.encode(header.to_string()),
        BASE64URL.encode(claims.to_string())
    );
    let signature = BASE64URL.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn hs256_forger(key: &[u8]) -> IdTokenForger {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    Box::new(move |claims| {
        let header = json!({"alg": "HS256", "kid": "one"});
        compact_jws(&header, claims, |message| {
            hmac::sign(&key, message).as_ref().to_vec()
        })
    })
}

fn foreign_key() -> Vec<u8> {
    let pkcs8 =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .unwrap();
    pkcs8.as_ref().to_vec()
}

fn jwt_forger(algorithm: Algorithm, kid: Option<&str>, key: EncodingKey) -> IdTokenForger {
    let header = Header {
        kid: kid.map(str::to_owned),
        ..Header::new(algorithm)
    };
    Box::new(move |claims| jsonwebtoken::encode(&header, claims, &key).unwrap())
}

fn rs256_forger(header: Value) -> IdTokenForger {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let sign = move |message: &[u8]| {
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message,
            &mut signature,
        )
        .unwrap();
        signature
    };
    Box::new(move |claims| compact_jws(&header, claims, &sign))
}

fn unsigned_forger(header: Value) -> IdTokenForger {
    Box::new(move |claims| compact_jws(&header, claims, |_| Vec::new()))
}

fn foreign_key_forger(kid: Option<&str>) -> IdTokenForger {
    let key = EncodingKey::from_ec_der(&foreign_key());
    jwt_forger(Algorithm::ES256, kid, key)
}

type Forgery = (&'static str, IdTokenForger);

fn forgeries_without_signature() -> Vec<Forgery> {
    vec![
        ("none", unsigned_forger(json!({"alg": "none"}))),
        (
            "none, with a kid",
            unsigned_forger(json!({"alg": "none", "kid": "one"})),
        ),
        ("nOnE", unsigned_forger(json!({"alg": "nOnE"}))),
        ("no algorithm", unsigned_forger(json!({"kid": "one"}))),
        (
            "an empty signature",
            unsigned_forger(json!({"alg": "ES256", "kid": "one"})),
        ),
        ("zeros, as of CVE-2022-21449", {
            Box::new(|claims| {
                compact_jws(&json!({"alg": "ES256", "kid": "one"}), claims, |_| {
                    vec![0; 64]
                })
            })
        }),
        ("no token", Box::new(|_| String::new())),
        ("two dots", Box::new(|_| "..".to_owned())),
    ]
}

/// HMAC with something that is known to an attacker or to the client as the secret.
fn forgeries_with_shared_secret(provider: &MockProvider) -> Vec<Forgery> {
    let coordinate = |name: &str| {
        BASE64URL
            .decode(provider.jwk[name].as_str().unwrap())
            .unwrap()
    };
    let point = [&[4][..], &coordinate("x"), &coordinate("y")].concat();
    vec![
        ("the client secret", hs256_forger(b"its secret")),
        ("the public key as a secret", hs256_forger(&point)),
        (
            "the published JWK as a secret",
            hs256_forger(provider.jwk.to_string().as_bytes()),
        ),
        ("no secret", hs256_forger(b"")),
    ]
}

fn forgeries_with_another_key() -> Vec<Forgery> {
    vec![
        (
            "another key with the same kid",
            foreign_key_forger(Some("one")),
        ),
        ("another key without a kid", foreign_key_forger(None)),
        (
            "another key with another kid",
            foreign_key_forger(Some("two")),
        ),
        (
            "an unknown RSA key",
            rs256_forger(json!({"alg": "RS256", "kid": "one"})),
        ),
        (
            "an unknown RSA key without a kid",
            rs256_forger(json!({"alg": "RS256"})),
        ),
    ]
}

fn forgeries(provider: &MockProvider) -> Vec<Forgery> {
    let mut forgeries = forgeries_without_signature();
    forgeries.extend(forgeries_with_shared_secret(provider));
    forgeries.extend(forgeries_with_another_key());
    forgeries
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_id_token_is_rejected() {
    let provider = MockProvider::start().await;
    // The metadata claims support for every algorithm. The server ignores that claim.
    let all = ["none", "HS256", "RS256", "ES256", "ES384", "EdDSA"];
    set_metadata(
        &provider,
        &json!({"id_token_signing_alg_values_supported": all}),
    );
    let app = provider.start_app(UnknownUsers::Provision).await;
    provider.set_claims(json!({"sub": "1", "preferred_username": "ada"}));
    let browser = UpstreamBrowser::new(&app);
    for (what, forger) in forgeries(&provider) {
        provider.misbehaviour.lock().unwrap().id_token = Some(forger);
        expect_forbidden(&browser.sign_in(&provider).await, what);
    }
    provider.misbehaviour.lock().unwrap().id_token = None;
    assert_eq!(
        signed_in_username(&browser, &browser.sign_in(&provider).await).await,
        "ada"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn id_token_with_invalid_claim_is_rejected() {
    let provider = MockProvider::start().await;
    let app = provider.start_app(UnknownUsers::Provision).await;
    let (browser, now) = (UpstreamBrowser::new(&app), uptime());
    for wrong in [
        json!({"azp": "another program"}),
        json!({"aud": ["strongroom", "another program"]}),
        json!({"aud": ["strongroom", "another program"], "azp": "strongroom"}),
        json!({"aud": []}),
        json!({"aud": null}),
        json!({"iss": null}),
        json!({"iss": format!("{}/", provider.issuer)}),
        json!({"exp": now - 1}),
        json!({"exp": null}),
        json!({"iat": now + 3600}),
        json!({"iat": null}),
        json!({"nonce": null}),
        json!({"nonce": ""}),
        json!({"sub": null}),
    ] {
        let mut claims = json!({"sub": "1", "preferred_username": "ada"});
        claims
            .as_object_mut()
            .unwrap()
            .extend(wrong.as_object().unwrap().clone());
        provider.set_claims(claims);
        expect_forbidden(&browser.sign_in(&provider).await, &wrong.to_string());
    }
    provider.set_claims(
        json!({"sub": "1", "preferred_username": "ada", "azp": "strongroom", "aud": ["strongroom"], "iat": now + 60}),
    );
    assert_eq!(
        signed_in_username(&browser, &browser.sign_in(&provider).await).await,
        "ada"
    );
}

/// The provider's response with its keys.
fn ok_response(body: Body) -> Response {
    ([("content-type", "application/json")], body).into_response()
}

fn endless_body() -> impl Stream<Item = Result<Bytes, Infallible>> {
    futures_util::stream::repeat_with(|| Ok(Bytes::from_static(&[b' '; 16 * 1024])))
}

type ResponseFn = fn() -> Response;

#[tokio::test(flavor = "multi_thread")]
async fn provider_redirect_or_oversized_answer_is_rejected() {
    let provider = MockProvider::start().await;
    let badly: [(&str, ResponseFn); 3] = [
        ("a redirect to the keys", || {
            Redirect::temporary("/moved").into_response()
        }),
        ("two megabytes", || {
            ok_response(Body::from_stream(endless_body().take(128)))
        }),
        ("an endless body", || {
            ok_response(Body::from_stream(endless_body()))
        }),
    ];
    for (what, keys) in badly {
        provider.misbehaviour.lock().unwrap().jwks = Some(keys);
        let app = provider.start_app(UnknownUsers::Provision).await;
        let asked = Instant::now();
        assert_eq!(start_login_status(&app).await, 502, "{what}");
        assert!(asked.elapsed() < Duration::from_secs(9), "{what}");
        provider.misbehaviour.lock().unwrap().jwks = None;
        assert_eq!(
            start_login_status(&app).await,
            502,
            "{what}: it is not asked again at once"
        );
        app.advance_clock(Duration::from_secs(11));
        assert_eq!(
            start_login_status(&app).await,
            303,
            "the provider responds again"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unresponsive_provider_times_out_without_blocking_another() {
    let (slow, other) = (MockProvider::start().await, MockProvider::start().await);
    slow.misbehaviour.lock().unwrap().jwks = Some(|| {
        ok_response(Body::from_stream(futures_util::stream::pending::<
            Result<Bytes, Infallible>,
        >()))
    });
    let second = ProviderSection {
        id: "other".to_owned(),
        ..other.section(UnknownUsers::Provision)
    };
    let sections = vec![slow.section(UnknownUsers::Provision), second];
    let app = TestApp::with_settings(ConfigSource {
        providers: Some(sections),
        ..ConfigSource::default()
    })
    .await;
    let asked = Instant::now();
    let (waiting, quick) = (app.anonymous(), app.anonymous());
    let waiting = tokio::spawn(async move { waiting.get("/auth/oidc/work").await.status() });
    tokio::task::yield_now().await;
    while !waiting.is_finished() && asked.elapsed() < Duration::from_secs(2) {
        quick.get("/auth/oidc/other").await.expect_status(303);
    }
    assert!(
        !waiting.is_finished(),
        "the sign-in still waits for the provider"
    );
    assert_eq!(waiting.await.unwrap(), 502);
    assert!(asked.elapsed() < Duration::from_secs(20));
}
