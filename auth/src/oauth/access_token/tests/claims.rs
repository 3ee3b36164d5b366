//! Missing, malformed and wrong claims.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde_json::{Value, json};

use super::*;

/// All but `client_id`, which is for other servers: tokens of earlier versions have none.
fn verified_claims() -> Vec<String> {
    let claims = claims();
    let names = claims.as_object().unwrap().keys().cloned();
    names.filter(|name| name != "client_id").collect()
}

#[test]
fn access_token_missing_any_claim_is_rejected() {
    for name in verified_claims() {
        let mut less = claims();
        less.as_object_mut().unwrap().remove(&name);
        assert!(is_invalid(&sign_with_own_key(&header(), &less)), "{name}");
        assert!(
            is_invalid(&sign_with_own_key(
                &header(),
                &with_claim(claims(), &name, Value::Null)
            )),
            "{name}"
        );
    }
    assert_eq!(verified_claims().len(), 11);
}

/// CVE-2026-25537: a string in `exp` was treated as a missing `exp`.
#[test]
fn access_token_with_wrong_claim_type_is_rejected() {
    // `sid` and `sub` are strings. A time in the far past is valid where it says when a session began.
    let acceptable = [
        ("sid", json!("4102444800")),
        ("sub", json!("4102444800")),
        ("iat", json!(-1)),
        ("nbf", json!(-1)),
        ("auth_time", json!(-1)),
    ];
    for name in verified_claims() {
        for value in [
            json!("4102444800"),
            json!(4_102_444_800.5),
            json!([]),
            json!({}),
            json!(true),
            json!(-1),
        ] {
            let token = sign_with_own_key(&header(), &with_claim(claims(), &name, value.clone()));
            let expected = if acceptable.contains(&(name.as_str(), value.clone())) {
                Ok(())
            } else {
                Err(AccessTokenError::Invalid)
            };
            assert_eq!(verdict(&token), expected, "{name} {value}");
        }
    }
    for aud in [json!(["strongroom"]), json!(["strongroom", "other"])] {
        assert!(is_invalid(&sign_with_own_key(
            &header(),
            &with_claim(claims(), "aud", aud)
        )));
    }
}

#[test]
fn access_token_with_wrong_claim_value_is_rejected() {
    let wrong = [
        ("aud", json!("other")),
        ("aud", json!("Strongroom")),
        ("iss", json!("https://strongroom.example/")),
        ("sub", json!("Ada")),
        ("sub", json!("")),
        ("sub", json!("a da")),
        ("amr", json!([])),
        ("amr", json!([1])),
        ("jti", json!("x")),
    ];
    for (name, value) in wrong {
        assert!(
            is_invalid(&sign_with_own_key(
                &header(),
                &with_claim(claims(), name, value)
            )),
            "{name}"
        );
    }
}

#[test]
fn access_token_with_duplicate_claim_is_rejected() {
    let twice = claims().to_string().replacen('{', r#"{"sub":"root","#, 1);
    let message = format!("{}.{}", encode(&header()), BASE64URL.encode(twice));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &SECRET);
    let signature = BASE64URL.encode(hmac::sign(&key, message.as_bytes()));
    assert!(is_invalid(&format!("{message}.{signature}")));
}
