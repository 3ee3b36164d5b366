//! Verification of ID tokens, with third-party vectors: Project Wycheproof and RFC examples.

use serde_json::{Value, json};

use super::*;

const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::EdDsa,
];

fn verify_signature(token: &str, keys: &[ProviderKey]) -> bool {
    verified_payload(token, keys, &ALGORITHMS).is_some()
}

fn jwks(group: &Value) -> Vec<Value> {
    let public = group.get("public").unwrap_or(&group["private"]);
    public["keys"]
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![public.clone()])
}

/// The keys as a provider publishes them. Unsupported keys are skipped.
fn published_keys(group: &Value) -> Vec<ProviderKey> {
    jwks(group)
        .into_iter()
        .filter_map(|jwk| serde_json::from_value(jwk).ok())
        .collect()
}

/// Whether the token's `alg` is supported and is that of a key.
///
/// One vector of RFC 7520 is labelled valid although it is signed with PS384 under a PS256 key.
fn is_supported(group: &Value, token: &str) -> bool {
    let header = token
        .split('.')
        .next()
        .and_then(|header| BASE64URL.decode(header).ok())
        .unwrap_or_default();
    let header: Value = serde_json::from_slice(&header).unwrap_or_default();
    let spoken = header["alg"]
        .as_str()
        .filter(|name| Algorithm::by_name(name).is_some());
    jwks(group)
        .iter()
        .any(|jwk| spoken.is_some() && jwk["alg"].as_str() == spoken)
}

/// Labelled valid, but not base64url without padding (RFC 7515 §2).
fn is_mislabelled(token: &str) -> bool {
    token.contains('?')
}

/// The numbers of accepted and rejected tokens.
fn check_tokens(file: &str) -> Option<(usize, usize)> {
    let vectors = crate::tests::shared_vectors(file)?;
    let (mut accepted, mut refused) = (0, 0);
    for group in vectors["testGroups"].as_array().unwrap() {
        let keys = published_keys(group);
        for case in group["tests"].as_array().unwrap() {
            let token = case["jws"]
                .as_str()
                .or(case["jwe"].as_str())
                .unwrap_or_default();
            let passes = verify_signature(token, &keys);
            let expected =
                case["result"] == "valid" && is_supported(group, token) && !is_mislabelled(token);
            assert_eq!(
                passes, expected,
                "{file} {}: {} {} {token}",
                case["tcId"], group["comment"], case["comment"]
            );
            accepted += usize::from(passes);
            refused += usize::from(!passes);
        }
    }
    Some((accepted, refused))
}

#[test]
fn provider_signature_wycheproof_vectors_pass() {
    let Some((accepted, refused)) = check_tokens("json_web_signature_test.json") else {
        return;
    };
    assert!(accepted >= 30 && refused >= 350, "{accepted} {refused}");
}

#[test]
fn provider_key_wycheproof_vectors_pass() {
    let Some((accepted, refused)) = check_tokens("json_web_key_test.json") else {
        return;
    };
    assert!(accepted == 1 && refused >= 25, "{accepted} {refused}");
}

#[test]
fn provider_crypto_wycheproof_vectors_pass() {
    let Some((accepted, refused)) = check_tokens("json_web_crypto_test.json") else {
        return;
    };
    assert!(accepted >= 2 && refused >= 80, "{accepted} {refused}");
}

#[test]
fn provider_ed25519_wycheproof_vectors_pass() {
    let Some(vectors) = crate::tests::shared_vectors("ed25519_test.json") else {
        return;
    };
    let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
    let mut accepted = 0;
    for group in vectors["testGroups"].as_array().unwrap() {
        let mut jwk = group["publicKeyJwk"].clone();
        jwk.as_object_mut().unwrap().remove("d");
        let key: ProviderKey = serde_json::from_value(jwk).unwrap();
        for case in group["tests"].as_array().unwrap() {
            let passes = key.verify(Algorithm::EdDsa, &bytes(&case["msg"]), &bytes(&case["sig"]));
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

/// RFC 7515, appendices A.2 and A.3, and RFC 8037, appendix A.
const RFC_EXAMPLES: [(&str, &str); 3] = [
    (
        r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"#,
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    ),
    (
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    ),
    (
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    ),
];

#[test]
fn rfc_7515_8037_examples_verify_by_own_key() {
    let key = |jwk: &str| serde_json::from_str::<ProviderKey>(jwk).unwrap();
    for (n, (jwk, token)) in RFC_EXAMPLES.iter().enumerate() {
        assert!(verify_signature(token, &[key(jwk)]), "{n}");
        let all: Vec<_> = RFC_EXAMPLES.iter().map(|(jwk, _)| key(jwk)).collect();
        assert!(
            verify_signature(token, &all),
            "{n}: one key has its algorithm"
        );
        let others: Vec<_> = RFC_EXAMPLES
            .iter()
            .filter(|(other, _)| other != jwk)
            .map(|(jwk, _)| key(jwk))
            .collect();
        assert!(!verify_signature(token, &others), "{n}");
        assert!(
            !verify_signature(token, &[key(jwk), key(jwk)]),
            "{n}: two keys match"
        );
    }
}

#[test]
fn unsuitable_provider_keys_are_rejected() {
    let good: Value = serde_json::from_str(RFC_EXAMPLES[0].0).unwrap();
    let point: Value = serde_json::from_str(RFC_EXAMPLES[1].0).unwrap();
    let with = |jwk: &Value, name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        serde_json::from_value::<ProviderKey>(jwk).is_ok()
    };
    assert!(with(&good, "use", json!("sig")) && with(&good, "alg", json!("PS384")));
    assert!(
        with(&good, "key_ops", json!(["verify"])) && with(&good, "x5t", json!("anything else"))
    );
    for (name, value) in [
        ("use", json!("enc")),
        ("use", json!(7)),
        ("key_ops", json!(["encrypt"])),
        ("key_ops", json!("verify")),
        ("alg", json!("HS256")),
        ("alg", json!("none")),
        ("alg", json!("ES256")),
        ("alg", json!("RSA1_5")),
        ("d", json!("AQAB")),
        ("k", json!("AQAB")),
        ("e", json!("Aw")),
        ("e", json!("AQ")),
        ("e", json!("AQAC")),
        ("e", json!("AQAAAAAB")),
        (
            "n",
            json!("ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp"),
        ),
        ("n", json!("")),
        ("kty", json!("oct")),
        ("kid", json!(1)),
    ] {
        assert!(!with(&good, name, value.clone()), "{name}: {value}");
    }
    for (name, value) in [
        ("crv", json!("P-384")),
        ("crv", json!("P-521")),
        ("x", json!("AQAB")),
        ("alg", json!("ES384")),
    ] {
        assert!(!with(&point, name, value.clone()), "{name}: {value}");
    }
}

#[test]
fn rsa_modulus_with_leading_zero_verifies() {
    let mut jwk: Value = serde_json::from_str(RFC_EXAMPLES[0].0).unwrap();
    let n = BASE64URL.decode(jwk["n"].as_str().unwrap()).unwrap();
    jwk["n"] = json!(BASE64URL.encode([&[0][..], &n].concat()));
    assert!(verify_signature(
        RFC_EXAMPLES[0].1,
        &[serde_json::from_value(jwk).unwrap()]
    ));
}

/// The key of an RFC example, with other members.
fn rfc_key(n: usize, members: &Value) -> ProviderKey {
    let mut jwk: Value = serde_json::from_str(RFC_EXAMPLES[n].0).unwrap();
    jwk.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    serde_json::from_value(jwk).unwrap()
}

#[test]
fn key_without_kid_matches_an_unknown_kid_only() {
    let es256 = Algorithm::Es256;
    let candidate = |keys: &[ProviderKey], kid| {
        signing_key(keys, kid, es256).map(|key| key.kid().map(str::to_owned))
    };
    let unnamed = rfc_key(1, &json!({}));
    let named = rfc_key(1, &json!({"kid": "one"}));
    let rsa = rfc_key(0, &json!({}));
    let both = [unnamed.clone(), named.clone(), rsa.clone()];
    assert_eq!(candidate(&both, Some("one")), Some(Some("one".to_owned())));
    assert_eq!(candidate(&both, Some("two")), Some(None));
    assert_eq!(candidate(&both, None), None, "two keys match");
    assert_eq!(candidate(&[unnamed.clone(), rsa.clone()], None), Some(None));
    assert_eq!(candidate(&[named, rsa], Some("two")), None);
    assert_eq!(candidate(&[unnamed.clone(), unnamed], Some("two")), None);
}

#[test]
fn token_with_algorithm_outside_metadata_is_rejected() {
    let (jwk, token) = RFC_EXAMPLES[1];
    let keys = [serde_json::from_str(jwk).unwrap()];
    assert!(verified_payload(token, &keys, &[Algorithm::Es256]).is_some());
    for algorithms in [&[][..], &[Algorithm::Rs256, Algorithm::Es384]] {
        assert_eq!(verified_payload(token, &keys, algorithms), None);
    }
}
