//! Project Wycheproof: every case labelled invalid is rejected, every valid one of a supported
//! algorithm accepted.
//!
//! The vectors are not in the repository. Without them the tests print a line, and fail if `CI` is
//! set.

use super::*;

/// The group's keys. `None` if one of them is unsupported: the whole set is then rejected.
fn verification_keys(group: &Value) -> Option<VerificationKeys> {
    let private = &group["private"];
    let jwks = private["keys"]
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![private.clone()]);
    let mut keys = jwks
        .iter()
        .map(|jwk| SigningKey::from_jwk(jwk.to_string().as_bytes()));
    let signing = keys.next()??;
    VerificationKeys::new(signing, keys.collect::<Option<_>>()?)
}

fn is_supported(group: &Value) -> bool {
    let private = &group["private"];
    let algorithms: Vec<&str> = match private["keys"].as_array() {
        Some(keys) => keys.iter().filter_map(|key| key["alg"].as_str()).collect(),
        None => private["alg"].as_str().into_iter().collect(),
    };
    !algorithms.is_empty()
        && algorithms
            .iter()
            .all(|name| SigningAlgorithm::parse(name).is_some())
}

/// Labels that contradict RFC 7515: a `?` inside base64url (§2) labelled valid, and the text of a
/// valid case labelled invalid in another.
fn is_mislabelled(token: &str, label: &Value, valid: &[String]) -> bool {
    if label == "valid" {
        token.contains('?')
    } else {
        valid.iter().any(|other| other == token)
    }
}

/// The numbers of accepted and rejected tokens.
fn check_signatures(file: &str) -> Option<(usize, usize)> {
    let vectors = crate::tests::shared_vectors(file)?;
    let (mut accepted, mut refused) = (0, 0);
    for group in vectors["testGroups"].as_array().unwrap() {
        let ring = verification_keys(group);
        let cases = group["tests"].as_array().unwrap();
        let text = |case: &Value| {
            case["jws"]
                .as_str()
                .or(case["jwe"].as_str())
                .unwrap_or_default()
                .to_owned()
        };
        let valid: Vec<String> = cases
            .iter()
            .filter(|case| case["result"] == "valid")
            .map(text)
            .collect();
        for case in cases {
            let (token, is_valid) = (text(case), case["result"] == "valid");
            let passes = ring
                .as_ref()
                .is_some_and(|ring| matches!(ring.parse(&token), ParsedToken::Signed(..)));
            let expected = is_valid && is_supported(group);
            if is_mislabelled(&token, &case["result"], &valid) {
                assert_eq!(passes, !is_valid, "{file} {}: {token}", case["tcId"]);
                continue;
            }
            assert_eq!(
                passes, expected,
                "{file} {}: {} {token}",
                case["tcId"], case["comment"]
            );
            accepted += usize::from(passes);
            refused += usize::from(!passes);
        }
    }
    Some((accepted, refused))
}

#[test]
fn wycheproof_json_web_signature_vectors_pass() {
    let Some((accepted, refused)) = check_signatures("json_web_signature_test.json") else {
        return;
    };
    assert!(accepted >= 8 && refused >= 380, "{accepted} {refused}");
}

#[test]
fn wycheproof_json_web_key_vectors_pass() {
    let Some((accepted, refused)) = check_signatures("json_web_key_test.json") else {
        return;
    };
    assert!(accepted >= 2 && refused >= 22, "{accepted} {refused}");
}

#[test]
fn wycheproof_json_web_crypto_vectors_pass() {
    let Some((accepted, refused)) = check_signatures("json_web_crypto_test.json") else {
        return;
    };
    assert!(accepted >= 2 && refused >= 78, "{accepted} {refused}");
}

fn hex_bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

/// RFC 7518 §3.2: truncated tags and keys shorter than the tag are rejected.
#[test]
fn wycheproof_hmac_sha256_vectors_pass() {
    let Some(vectors) = crate::tests::shared_vectors("hmac_sha256_test.json") else {
        return;
    };
    let mut accepted = 0;
    for group in vectors["testGroups"].as_array().unwrap() {
        for case in group["tests"].as_array().unwrap() {
            let jwk = json!({
                "kty": "oct", "alg": "HS256", "use": "sig", "kid": "w", "k": BASE64URL.encode(hex_bytes(&case["key"])),
            });
            let key = SigningKey::from_jwk(jwk.to_string().as_bytes());
            assert_eq!(key.is_some(), group["keySize"].as_u64().unwrap() >= 256);
            let signature = BASE64URL.encode(hex_bytes(&case["tag"]));
            let passes = key.is_some_and(|key| key.verify(&hex_bytes(&case["msg"]), &signature));
            let is_supported_case =
                group["keySize"].as_u64().unwrap() >= 256 && group["tagSize"] == 256;
            assert_eq!(
                passes,
                is_supported_case && case["result"] == "valid",
                "{}",
                case["tcId"]
            );
            accepted += usize::from(passes);
        }
    }
    assert!(accepted >= 30, "{accepted}");
}

#[test]
fn wycheproof_ed25519_vectors_pass() {
    let Some(vectors) = crate::tests::shared_vectors("ed25519_test.json") else {
        return;
    };
    let mut accepted = 0;
    for group in vectors["testGroups"].as_array().unwrap() {
        let mut jwk = group["publicKeyJwk"].clone();
        jwk["alg"] = json!("EdDSA");
        jwk["use"] = json!("sig");
        let key = SigningKey::from_jwk(jwk.to_string().as_bytes()).unwrap();
        for case in group["tests"].as_array().unwrap() {
            let passes = key.verify(
                &hex_bytes(&case["msg"]),
                &BASE64URL.encode(hex_bytes(&case["sig"])),
            );
            assert_eq!(
                passes,
                case["result"] == "valid",
                "{} {}",
                case["tcId"],
                case["comment"]
            );
            accepted += usize::from(passes);
        }
    }
    assert!(accepted >= 80, "{accepted}");
}
