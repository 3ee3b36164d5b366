//! Signing keys, with third-party vectors: RFC 7515, RFC 8037 and Project Wycheproof.

use proptest::prelude::*;

use super::*;

/// RFC 7515 appendix A.1: the key has 64 bytes, the message comes from elsewhere and has no `kid`.
#[test]
fn rfc_7515_hs256_example_verifies() {
    const K: &str =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    const MESSAGE: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const SIGNATURE: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let jwk = json!({"kty": "oct", "k": K, "alg": "HS256", "use": "sig", "kid": "a1"});
    let key = SigningKey::from_jwk(jwk.to_string().as_bytes()).unwrap();
    assert!(key.verify(MESSAGE.as_bytes(), SIGNATURE));
    assert!(!key.verify(&MESSAGE.as_bytes()[1..], SIGNATURE));
}

/// RFC 7515 appendix A.5.
#[test]
fn rfc_7515_unsecured_jws_is_rejected() {
    const UNSECURED: &str = "eyJhbGciOiJub25lIn0.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
    let keys = VerificationKeys::new(generated_key(SigningAlgorithm::Hs256), Vec::new()).unwrap();
    assert!(matches!(keys.parse(UNSECURED), ParsedToken::Malformed));
}

/// RFC 8037 appendix A.1 to A.4: key, message and signature.
#[test]
fn rfc_8037_eddsa_example_verifies_and_signs_identically() {
    const D: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const MESSAGE: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    const SIGNATURE: &str =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "d": D, "x": X, "alg": "EdDSA", "use": "sig", "kid": "a"});
    let key = SigningKey::from_jwk(jwk.to_string().as_bytes()).unwrap();
    assert!(key.verify(MESSAGE.as_bytes(), SIGNATURE));
    let signing = key.signing.as_ref().unwrap();
    assert_eq!(
        jsonwebtoken::crypto::sign(MESSAGE.as_bytes(), signing, Algorithm::EdDSA).unwrap(),
        SIGNATURE
    );
    let published = key.public_jwk().unwrap();
    assert_eq!(published["x"], X);
    assert!(published.get("d").is_none() && published.get("k").is_none());
}

fn generated_key(algorithm: SigningAlgorithm) -> SigningKey {
    SigningKey::from_jwk(
        new_jwk(algorithm, "made", &SecureRandom::system())
            .unwrap()
            .expose_secret(),
    )
    .unwrap()
}

#[test]
fn generated_key_verifies_itself_and_publishes_no_secret() {
    for algorithm in [SigningAlgorithm::Hs256, SigningAlgorithm::EdDsa] {
        let key = generated_key(algorithm);
        let token = key.sign(&json!({"sub": "ada"})).unwrap();
        let keys = VerificationKeys::new(key, Vec::new()).unwrap();
        assert!(
            matches!(keys.parse(&token), ParsedToken::Signed(_, payload) if payload == br#"{"sub":"ada"}"#)
        );
        assert_eq!(
            keys.signing().public_jwk().is_some(),
            algorithm == SigningAlgorithm::EdDsa
        );
    }
}

#[test]
fn public_key_cannot_sign_mismatched_pair_is_rejected() {
    let (one, two) = (
        generated_key(SigningAlgorithm::EdDsa),
        generated_key(SigningAlgorithm::EdDsa),
    );
    let public = SigningKey::from_jwk(one.public_jwk().unwrap().to_string().as_bytes()).unwrap();
    assert!(matches!(
        public.sign(&json!({})),
        Err(AuthError::Internal(_))
    ));
    let mut mixed = two.public_jwk().unwrap();
    mixed["d"] = json!(BASE64URL.encode([7; 32]));
    assert!(SigningKey::from_jwk(mixed.to_string().as_bytes()).is_none());
}

#[test]
fn key_ring_with_duplicate_key_ids_is_rejected() {
    let key = || generated_key(SigningAlgorithm::Hs256);
    assert!(VerificationKeys::new(key(), vec![key()]).is_none());
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_rejected_as_jwk(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(SigningKey::from_jwk(&bytes).is_none());
    }

    #[test]
    fn arbitrary_jwk_members_never_panic(
        kty in "(oct|OKP|EC|.{0,5})", alg in "(HS256|EdDSA|none|.{0,5})", k in "[A-Za-z0-9_=-]{0,60}",
        crv in "(Ed25519|Ed448|P-256)", x in "[A-Za-z0-9_-]{0,60}", d in "[A-Za-z0-9_-]{0,60}",
    ) {
        let jwk = json!({"kty": kty, "alg": alg, "use": "sig", "kid": "p", "k": k, "crv": crv, "x": x, "d": d});
        prop_assert!(SigningKey::from_jwk(jwk.to_string().as_bytes()).is_none(), "a key of two types");
        let jwk = json!({"kty": kty, "alg": alg, "use": "sig", "kid": "p", "crv": crv, "x": x});
        let verifies = SigningKey::from_jwk(jwk.to_string().as_bytes())
            .is_some_and(|key| key.verify(b"message", "c2lnbmF0dXJl"));
        prop_assert!(!verifies);
    }

    #[test]
    fn arbitrary_public_key_verifies_no_arbitrary_signature(x in any::<[u8; 32]>(), signature in any::<[u8; 64]>()) {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "p", "x": BASE64URL.encode(x)});
        let key = SigningKey::from_jwk(jwk.to_string().as_bytes()).unwrap();
        prop_assert!(!key.verify(b"message", &BASE64URL.encode(signature)));
    }

    #[test]
    fn arbitrary_text_never_verifies_as_jws(parts in proptest::collection::vec("\\PC{0,40}", 0..6)) {
        let keys = VerificationKeys::new(generated_key(SigningAlgorithm::Hs256), Vec::new()).unwrap();
        prop_assert!(!matches!(keys.parse(&parts.join(".")), ParsedToken::Signed(..)));
    }
}

mod wycheproof;
