//! The members of an ID token: what must be right, and what may have any type.

use serde_json::{Value, json};

use super::*;
use crate::upstream::{UnknownUsers, authorization::Prompt};

const NOW: i64 = 1_800_000_000;

fn provider() -> Provider {
    Provider {
        id: "work".to_owned(),
        name: "Work".to_owned(),
        issuer: "https://id.example".to_owned(),
        client_id: "strongroom".to_owned(),
        client_secret: None,
        scopes: Vec::new(),
        redirect_uri: "https://strongroom.example/auth/oidc/work/callback".to_owned(),
        unknown_users: UnknownUsers::Reject,
    }
}

/// Verifies valid claims with these changes; null removes one.
fn verify(changes: &Value) -> Result<UpstreamUser, InvalidMember> {
    let mut claims = json!({
        "iss": "https://id.example", "aud": "strongroom", "sub": "1", "nonce": "n",
        "exp": NOW + 600, "iat": NOW,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let login_state = LoginState {
        provider: "work".to_owned(),
        nonce: "n".to_owned(),
        verifier: "v".to_owned(),
        next: "/".to_owned(),
        ask: Prompt::Default,
        started_at: Timestamp::from_second(NOW).unwrap(),
        link: None,
    };
    let expected = Expected {
        login_state: &login_state,
        now: Timestamp::from_second(NOW).unwrap(),
    };
    let claims = Members::parse(claims.to_string().as_bytes()).unwrap();
    verify_claims(&provider(), &claims, expected)
}

#[track_caller]
fn assert_invalid(member: &str, values: &[Value]) {
    for value in values {
        let error = verify(&json!({ member: value })).unwrap_err();
        assert_eq!(error.member, member, "{member}: {value}");
    }
}

#[test]
fn invalid_identity_member_is_named() {
    let others = [json!(null), json!(""), json!(7), json!({}), json!([])];
    for member in ["iss", "sub", "nonce"] {
        assert_invalid(member, &others);
    }
    assert_invalid(
        "iss",
        &[json!("https://id.example/"), json!(["https://id.example"])],
    );
    assert_invalid(
        "aud",
        &[json!(null), json!([]), json!("x"), json!(["x"]), json!({})],
    );
    assert_invalid("aud", &[json!(["strongroom", 7]), json!("strongroom ")]);
    assert_invalid(
        "exp",
        &[json!(null), json!("2000000000"), json!({}), json!(true)],
    );
    assert_invalid("iat", &[json!(null), json!("1700000000"), json!([NOW])]);
    assert_invalid(
        "auth_time",
        &[json!("1700000000"), json!({}), json!(i64::MIN)],
    );
    assert_invalid("azp", &[json!(7), json!(["strongroom"])]);
}

#[test]
fn several_audiences_require_own_authorized_party() {
    for (aud, azp, accepted) in [
        (
            json!(["strongroom", "329836626744180738"]),
            json!("strongroom"),
            true,
        ),
        (json!(["a", "strongroom"]), json!("strongroom"), true),
        (json!(["strongroom"]), json!(null), true),
        (json!(["strongroom", "strongroom"]), json!(null), true),
        (json!("strongroom"), json!("strongroom"), true),
        (json!(["strongroom", "a"]), json!(null), false),
        (json!(["strongroom", "a"]), json!("a"), false),
        (json!(["strongroom", "a"]), json!(""), false),
        (json!(["strongroom"]), json!("a"), false),
        (json!("strongroom"), json!("a"), false),
        (json!(["a", "b"]), json!("strongroom"), false),
        (json!("a"), json!("strongroom"), false),
    ] {
        let verified = verify(&json!({"aud": aud, "azp": azp}));
        assert_eq!(verified.is_ok(), accepted, "{aud} {azp}");
    }
}

#[test]
fn token_times_are_checked_at_their_boundaries() {
    for (member, at, accepted) in [
        ("exp", json!(NOW + 1), true),
        ("exp", json!(NOW), false),
        ("exp", json!(1.8e9 + 0.5), false),
        ("exp", json!(1.9e9), true),
        ("iat", json!(NOW + SKEW), true),
        ("iat", json!(NOW + SKEW + 1), false),
        ("iat", json!(1.7e9), true),
        ("nbf", json!(NOW + SKEW), true),
        ("nbf", json!(NOW + SKEW + 1), false),
        ("nbf", json!("soon"), true),
        ("auth_time", json!(NOW + SKEW), true),
        ("auth_time", json!(NOW + SKEW + 1), false),
        ("auth_time", json!(NOW + 86_400), false),
        ("auth_time", json!(null), true),
    ] {
        let verified = verify(&json!({ member: at }));
        assert_eq!(verified.is_ok(), accepted, "{member} {at}");
    }
}

#[test]
fn optional_claims_may_have_any_type() {
    let names = json!({"preferred_username": "ada", "name": "Ada", "email": "ada@example.org"});
    for (claim, value) in [
        ("updated_at", json!("2026-11-30T20:00:00.000Z")),
        ("updated_at", json!({})),
        ("email_verified", json!("true")),
        ("phone_number_verified", json!("yes")),
        ("locale", json!({"language": "en"})),
        ("address", json!("a street")),
        ("picture", json!(false)),
        ("gender", json!(0)),
        ("birthdate", json!(1815)),
        ("zoneinfo", json!([])),
        ("amr", json!("pwd")),
        ("acr", json!(1)),
        ("at_hash", json!(null)),
        ("jti", json!(7)),
        ("groups", json!("staff")),
    ] {
        let mut claims = names.clone();
        claims[claim] = value.clone();
        let profile = verify(&claims).unwrap().profile;
        assert_eq!(profile.username.as_deref(), Some("ada"), "{claim} {value}");
        assert_eq!(profile.name.as_deref(), Some("Ada"), "{claim} {value}");
    }
    for claim in ["preferred_username", "name"] {
        for value in [
            json!(7),
            json!({"given": "Ada"}),
            json!(["ada"]),
            json!(true),
        ] {
            let mut claims = names.clone();
            claims[claim] = value.clone();
            assert!(verify(&claims).is_ok(), "{claim} {value}");
        }
    }
}

#[test]
fn email_counts_only_when_verified() {
    for (verified, counts) in [
        (json!(true), true),
        (json!("true"), true),
        (json!(false), false),
        (json!("false"), false),
        (json!("yes"), false),
        (json!(1), false),
        (json!(null), false),
    ] {
        let claims = json!({"email": "ada@example.org", "email_verified": verified});
        let profile = verify(&claims).unwrap().profile;
        assert_eq!(profile.email.is_some(), counts, "{verified}");
    }
}
