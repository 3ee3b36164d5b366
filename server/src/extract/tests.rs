//! Property tests: every body and query is parsed or rejected, without a panic and without a 5xx.

use axum::http::StatusCode;
use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only deserialized")]
struct TestForm {
    name: String,
    #[serde(default)]
    number: Option<u32>,
    #[serde(default)]
    list: Vec<String>,
}

fn is_client_error(problem: &Problem) -> bool {
    let status = problem.status();
    status == StatusCode::BAD_REQUEST || status == StatusCode::UNPROCESSABLE_ENTITY
}

/// Bytes that resemble a form more often than random bytes do.
fn form_like_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"grant_type=password".to_vec()),
        Just(b"&".to_vec()),
        Just(b"=".to_vec()),
        Just(b"%".to_vec()),
        Just(b"%ff".to_vec()),
        Just(b"%00".to_vec()),
        Just(b"+".to_vec()),
        prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

#[test]
fn json_error_does_not_repeat_submitted_values() {
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        One,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only deserialized")]
    struct Wants {
        number: Option<u32>,
        text: Option<String>,
        kind: Option<Kind>,
    }
    for (json, said) in [
        (
            r#"{"number": "hunter2, expected at line 1"}"#,
            "invalid type: string, expected u32",
        ),
        (r#"{"number": -5}"#, "invalid value: integer, expected u32"),
        (
            r#"{"text": ["hunter2"]}"#,
            "invalid type: sequence, expected a string",
        ),
        (r#"{"kind": "hunter2"}"#, "unknown variant, expected `one`"),
    ] {
        let refused = parse_json::<Wants>(json.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains(said) && !refused.contains("hunter2") && !refused.contains('5'),
            "{refused}"
        );
    }
    assert!(parse_json::<Wants>(br#"{"number": 5, "text": "a", "kind": "one"}"#).is_ok());
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_a_form_or_rejected(bytes in form_like_bytes()) {
        match Form::parse(&bytes) {
            Ok(form) => prop_assert!(form.0.values().all(|value| !value.is_empty() && !value.contains('\0'))),
            Err(problem) => prop_assert!(is_client_error(&problem), "{problem}"),
        }
    }

    #[test]
    fn form_fields_round_trip(
        members in prop::collection::hash_map("[a-z_]{1,8}", "[^\0]{1,40}", 0..6),
    ) {
        let mut written = form_urlencoded::Serializer::new(String::new());
        written.extend_pairs(&members);
        let form = Form::parse(written.finish().as_bytes()).unwrap();
        prop_assert_eq!(form.0, members);
    }

    #[test]
    fn arbitrary_bytes_are_valid_json_or_rejected(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(problem) = parse_json::<TestForm>(&bytes) {
            prop_assert!(is_client_error(&problem), "{problem}");
        }
    }

    #[test]
    fn arbitrary_json_matches_schema_or_is_rejected(name in ".{0,20}", other in ".{0,20}", deep in 0_usize..200) {
        let nested = "[".repeat(deep) + &"]".repeat(deep);
        let json = serde_json::json!({"name": name, other: [1, null, {"a": -1}]}).to_string();
        let nested = format!("{{\"name\": {}}}", if nested.is_empty() { "1" } else { &nested });
        for text in [json, nested] {
            if let Err(problem) = parse_json::<TestForm>(text.as_bytes()) {
                prop_assert!(is_client_error(&problem), "{problem}");
            }
        }
    }
}
