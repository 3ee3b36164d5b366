//! Forged ID tokens, one for each way to cheat a verifier.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::mock_provider::{IdTokenForger, MockProvider};

pub(super) type Forgery = (&'static str, IdTokenForger);

pub(super) fn forgeries(provider: &MockProvider) -> Vec<Forgery> {
    let mut forgeries = forgeries_without_signature();
    forgeries.extend(forgeries_with_shared_secret(provider));
    forgeries.extend(forgeries_with_another_key());
    forgeries
}

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
