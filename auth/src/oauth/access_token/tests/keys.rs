//! Key confusion and key injection (RFC 8725).

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::*;
use crate::SigningAlgorithm;

#[test]
fn access_token_signed_with_wrong_key_is_rejected() {
    let secret = SECRET;
    assert!(is_invalid(&sign_with(
        hmac::HMAC_SHA256,
        &[7; 32],
        &header(),
        &claims()
    )));
    assert!(is_invalid(&sign_with(
        hmac::HMAC_SHA256,
        b"",
        &header(),
        &claims()
    )));
    assert!(is_invalid(&sign_with(
        hmac::HMAC_SHA512,
        &secret,
        &with_claim(header(), "alg", json!("HS512")),
        &claims()
    )));
    assert!(is_invalid(&sign_with(
        hmac::HMAC_SHA512,
        &secret,
        &header(),
        &claims()
    )));
}

#[test]
fn jwk_embedded_in_token_header_is_ignored() {
    let jwk = json!({"kty": "oct", "k": BASE64URL.encode([7; 32]), "alg": "HS256"});
    assert!(is_invalid(&sign_with(
        hmac::HMAC_SHA256,
        &[7; 32],
        &with_claim(header(), "jwk", jwk),
        &claims()
    )));
}

#[test]
fn access_token_with_mismatched_key_algorithm_is_rejected() {
    let public = key(SigningAlgorithm::EdDsa, "ed", &SECRET)
        .public_jwk()
        .unwrap();
    let public = BASE64URL.decode(public["x"].as_str().unwrap()).unwrap();
    for kid in ["ed", "hs"] {
        // A public key is not a shared secret.
        let named = with_claim(header(), "kid", json!(kid));
        assert!(
            is_invalid(&sign_with(hmac::HMAC_SHA256, &public, &named, &claims())),
            "{kid}"
        );
    }
    // A token verifies only with the algorithm of its key, under any `kid`.
    assert!(is_invalid(&sign_with_own_key(
        &with_claim(header(), "kid", json!("ed")),
        &claims()
    )));
    assert!(is_invalid(&sign_with_own_key(
        &with_claim(
            with_claim(header(), "kid", json!("ed")),
            "alg",
            json!("EdDSA")
        ),
        &claims()
    )));
    let by_eddsa = eddsa_access_tokens()
        .issue(&session(), Scopes::ALL, now(), &SecureRandom::system())
        .unwrap()
        .token;
    let (_, rest) = by_eddsa.expose_secret().split_once('.').unwrap();
    let renamed = with_claim(
        decoded_part(by_eddsa.expose_secret(), 0),
        "kid",
        json!("hs"),
    );
    assert!(is_invalid(&format!("{}.{rest}", encode(&renamed))));
}

#[test]
fn retired_key_verifies_tokens_of_its_own_algorithm() {
    let by_eddsa = eddsa_access_tokens()
        .issue(&session(), Scopes::ALL, now(), &SecureRandom::system())
        .unwrap()
        .token;
    assert_eq!(decoded_part(by_eddsa.expose_secret(), 0)["alg"], "EdDSA");
    assert!(is_accepted(by_eddsa.expose_secret()));
    eddsa_access_tokens()
        .verify(&issued_token(), now())
        .unwrap();
}

#[test]
fn unknown_key_id_is_distinguished_from_invalid_signature() {
    assert_eq!(
        verdict(&sign_with_own_key(
            &with_claim(header(), "kid", json!("new")),
            &claims()
        )),
        Err(AccessTokenError::UnknownKeyId)
    );
    assert_eq!(
        verdict(&sign_with(
            hmac::HMAC_SHA256,
            &[7; 32],
            &header(),
            &claims()
        )),
        Err(AccessTokenError::Invalid)
    );
}

#[test]
fn access_token_with_hostile_key_id_is_rejected() {
    for kid in [
        "../../../../dev/null",
        "hs' OR '1'='1",
        "HS",
        "hs\0",
        "",
        "file:///dev/null",
        "hs ",
    ] {
        assert_eq!(
            verdict(&sign_with_own_key(
                &with_claim(header(), "kid", json!(kid)),
                &claims()
            )),
            Err(AccessTokenError::UnknownKeyId),
            "{kid:?}"
        );
    }
}

#[test]
fn key_urls_in_token_header_are_ignored() {
    for name in ["jku", "x5u"] {
        let elsewhere = with_claim(header(), name, json!("https://attacker.example/jwks.json"));
        assert!(
            is_invalid(&sign_with(
                hmac::HMAC_SHA256,
                &[7; 32],
                &elsewhere,
                &claims()
            )),
            "{name}"
        );
        assert!(
            is_accepted(&sign_with_own_key(&elsewhere, &claims())),
            "the header member is ignored"
        );
    }
}
