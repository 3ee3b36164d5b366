//! Tokens that verification must reject.

mod claims;
mod keys;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::*;
use crate::{
    AuthMethod, AuthMethods, Scopes, SigningAlgorithm,
    keys::signing::{SigningKey, jwk_from_secret},
    tests::{origin, settings},
};

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn after_seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

const SECRET: [u8; 32] = *b"q8Zr2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0Pa";

fn key(algorithm: SigningAlgorithm, kid: &str, secret: &[u8; 32]) -> SigningKey {
    SigningKey::from_jwk(
        jwk_from_secret(algorithm, kid, secret)
            .unwrap()
            .expose_secret(),
    )
    .unwrap()
}

/// The signing key is HS256 (`hs`), the retired key `EdDSA` (`ed`).
fn access_tokens() -> AccessTokens {
    let signing = key(SigningAlgorithm::Hs256, "hs", &SECRET);
    let retired = key(SigningAlgorithm::EdDsa, "ed", &SECRET);
    AccessTokens::new(
        VerificationKeys::new(signing, vec![retired]).unwrap(),
        &settings(),
    )
}

/// The signing key is `EdDSA` (`ed`), the retired key HS256 (`hs`).
fn eddsa_access_tokens() -> AccessTokens {
    let signing = key(SigningAlgorithm::EdDsa, "ed", &SECRET);
    let retired = key(SigningAlgorithm::Hs256, "hs", &SECRET);
    AccessTokens::new(
        VerificationKeys::new(signing, vec![retired]).unwrap(),
        &settings(),
    )
}

fn session() -> Session {
    Session {
        id: SessionId::new("00112233445566778899aabbccddeeff"),
        username: Username::parse("ada").unwrap(),
        kind: crate::SessionKind::OAuth,
        started_at: now(),
        persistence: crate::session::model::Persistence::Persistent,
        auth_time: now(),
        last_seen: now(),
        expires_at: after_seconds(86_400),
        origin: origin(),
        ended_at: None,
        methods: AuthMethods::of(&[AuthMethod::Password]),
        scopes: Scopes::ALL,
        realms: None,
        label: None,
        client: None,
    }
}

fn issued_token() -> String {
    access_tokens()
        .issue(&session(), Scopes::ALL, now(), &SecureRandom::system())
        .unwrap()
        .token
        .expose_secret()
        .to_owned()
}

fn decoded_part(token: &str, n: usize) -> Value {
    serde_json::from_slice(&BASE64URL.decode(token.split('.').nth(n).unwrap()).unwrap()).unwrap()
}

fn encode(value: &Value) -> String {
    BASE64URL.encode(value.to_string())
}

/// A token with a valid signature, so that only a check after the signature can reject it.
fn sign_with_own_key(header: &Value, claims: &Value) -> String {
    sign_with(hmac::HMAC_SHA256, &SECRET, header, claims)
}

fn sign_with(algorithm: hmac::Algorithm, key: &[u8], header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = hmac::sign(&hmac::Key::new(algorithm, key), message.as_bytes());
    format!("{message}.{}", BASE64URL.encode(signature))
}

fn header() -> Value {
    decoded_part(&issued_token(), 0)
}

fn claims() -> Value {
    decoded_part(&issued_token(), 1)
}

fn with_claim(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn verdict(token: &str) -> Result<(), AccessTokenError> {
    access_tokens().verify(token, now()).map(drop)
}

fn is_accepted(token: &str) -> bool {
    verdict(token) == Ok(())
}

/// Rejected for what it is, not for an unknown key.
fn is_invalid(token: &str) -> bool {
    verdict(token) == Err(AccessTokenError::Invalid)
}

#[test]
fn issued_access_token_verifies_with_its_claims() {
    let shown = access_tokens().verify(&issued_token(), now()).unwrap();
    assert_eq!(shown.username.as_str(), "ada");
    assert_eq!(shown.session, session().id);
    assert_eq!(shown.expires_at, after_seconds(1_800));
    assert!(
        is_accepted(&sign_with_own_key(&header(), &claims())),
        "the rejections below prove nothing without this"
    );
    let header = header();
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&json!("HS256"), &json!("at+jwt"))
    );
}

#[test]
fn access_token_expires_at_the_exact_second() {
    let token = issued_token();
    let at = |seconds| access_tokens().verify(&token, after_seconds(seconds));
    at(1_799).unwrap();
    assert_eq!(at(1_800).map(drop), Err(AccessTokenError::Invalid));
}

#[test]
fn access_token_tolerates_five_minutes_of_clock_skew() {
    let at = |seconds| access_tokens().verify(&issued_token(), after_seconds(seconds));
    at(-300).unwrap();
    assert_eq!(at(-301).map(drop), Err(AccessTokenError::Invalid));
    for name in ["nbf", "iat", "auth_time"] {
        assert!(
            is_invalid(&sign_with_own_key(
                &header(),
                &with_claim(claims(), name, json!(1_800_000_301))
            )),
            "{name}"
        );
    }
}

#[test]
fn access_token_with_unexpected_header_is_rejected() {
    let wrong = [
        ("typ", json!("JWT")),
        ("typ", json!("")),
        ("typ", Value::Null),
        ("kid", Value::Null),
        ("crit", json!([])),
        ("crit", json!(["exp"])),
        ("alg", json!("none")),
        ("alg", json!("HS384")),
        ("alg", json!("hs256")),
        ("alg", json!("RS256")),
    ];
    for (name, value) in wrong {
        assert!(
            is_invalid(&sign_with_own_key(
                &with_claim(header(), name, value.clone()),
                &claims()
            )),
            "{name} {value}"
        );
    }
    let unknown_key = with_claim(header(), "kid", json!("another"));
    assert_eq!(
        verdict(&sign_with_own_key(&unknown_key, &claims())),
        Err(AccessTokenError::UnknownKeyId)
    );
    for typ in ["AT+JWT", "application/at+jwt"] {
        assert!(
            is_accepted(&sign_with_own_key(
                &with_claim(header(), "typ", json!(typ)),
                &claims()
            )),
            "{typ}"
        );
    }
}

#[test]
fn unsigned_access_token_with_any_alg_is_rejected() {
    for alg in ["none", "None", "NONE", "nOnE", "", "HS256"] {
        let message = format!(
            "{}.{}",
            encode(&with_claim(header(), "alg", json!(alg))),
            encode(&claims())
        );
        assert!(is_invalid(&format!("{message}.")), "{alg}");
        assert!(is_invalid(&message), "{alg}");
    }
}

#[test]
fn access_token_in_utf_16_is_rejected() {
    let utf_16 = |text: String| {
        BASE64URL.encode(
            text.encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<_>>(),
        )
    };
    let hmac = hmac::Key::new(hmac::HMAC_SHA256, &SECRET);
    for (header, claims) in [
        (encode(&header()), utf_16(claims().to_string())),
        (utf_16(header().to_string()), encode(&claims())),
    ] {
        let message = format!("{header}.{claims}");
        assert!(is_invalid(&format!(
            "{message}.{}",
            BASE64URL.encode(hmac::sign(&hmac, message.as_bytes()))
        )));
    }
}

#[test]
fn oversized_and_malformed_access_tokens_are_rejected() {
    assert!(is_invalid(&sign_with_own_key(
        &header(),
        &with_claim(claims(), "scope", json!("x".repeat(4_096)))
    )));
    assert!(is_invalid(&"a".repeat(1_000_000)));
    let token = issued_token();
    for garbage in ["", ".", "..", "...", "a.b.c", "é.é.é", " ", "\0", "null"] {
        assert!(is_invalid(garbage), "{garbage:?}");
    }
    for changed in [
        format!("{token}."),
        format!(" {token}"),
        format!("{token}="),
        format!(".{token}"),
        token + "\n",
    ] {
        assert!(is_invalid(&changed), "{changed:?}");
    }
}

proptest! {
    #[test]
    fn access_token_with_one_changed_character_is_rejected(at in 0usize..600, to in "[A-Za-z0-9._=-]") {
        let token = issued_token();
        let at = at % token.len();
        let mut changed = token.clone();
        changed.replace_range(at..=at, &to);
        prop_assert!(changed == token || !is_accepted(&changed));
    }

    #[test]
    fn arbitrary_text_is_rejected_as_access_token(text in "\\PC*") {
        prop_assert!(is_invalid(&text));
    }
}

#[test]
fn client_access_token_contains_its_client_id() {
    let session = Session {
        client: Some("cad".to_owned()),
        ..session()
    };
    let token = access_tokens()
        .issue(&session, Scopes::ALL, now(), &SecureRandom::system())
        .unwrap()
        .token;
    assert_eq!(decoded_part(token.expose_secret(), 1)["client_id"], "cad");
    assert!(is_accepted(token.expose_secret()));
    assert_eq!(decoded_part(&issued_token(), 1)["client_id"], "strongroom");
}
