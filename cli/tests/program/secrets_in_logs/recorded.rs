//! Records the secrets of a run, and searches text for every encoding of them.

use std::sync::Mutex;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};

/// Secrets, each with a name for the failure message.
#[derive(Default)]
pub(super) struct Secrets {
    long: Mutex<Vec<(String, Vec<u8>)>>,
    /// Codes of six digits: found only as whole numbers, because longer ones may contain them.
    codes: Mutex<Vec<(String, String)>>,
}

impl Secrets {
    pub(super) fn record(&self, what: &str, secret: &str) -> String {
        assert!(secret.len() >= 8, "{what}: {secret:?}");
        self.record_bytes(what, secret.as_bytes());
        secret.to_owned()
    }

    pub(super) fn record_bytes(&self, what: &str, secret: &[u8]) {
        self.long
            .lock()
            .unwrap()
            .push((what.to_owned(), secret.to_vec()));
    }

    pub(super) fn record_code(&self, what: &str, code: &str) -> String {
        assert!(
            code.len() == 6 && code.bytes().all(|c| c.is_ascii_digit()),
            "{what}: {code:?}"
        );
        self.codes
            .lock()
            .unwrap()
            .push((what.to_owned(), code.to_owned()));
        code.to_owned()
    }

    #[track_caller]
    pub(super) fn assert_absent_from(&self, place: &str, text: &str) {
        if let Some((what, encoding, at)) = self.find(text) {
            let from = text[..at].rfind('\n').unwrap_or(0);
            let line: String = text[from..].chars().take(600).collect();
            panic!("{what} is in {place} as {encoding:?}: {line}");
        }
    }

    /// The name, encoding and position of the first secret found.
    fn find(&self, text: &str) -> Option<(String, String, usize)> {
        let long = self.long.lock().unwrap();
        let mut long = long.iter().flat_map(|(what, secret)| {
            encodings(secret)
                .into_iter()
                .map(move |encoding| (what, encoding))
        });
        let found = long.find_map(|(what, encoding)| {
            text.find(&encoding).map(|at| (what.clone(), encoding, at))
        });
        found.or_else(|| {
            let codes = self.codes.lock().unwrap();
            codes.iter().find_map(|(what, code)| {
                find_code(text, code).map(|at| (what.clone(), code.clone(), at))
            })
        })
    }
}

fn find_code(text: &str, code: &str) -> Option<usize> {
    let touches = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '.');
    let alone = |at: &usize| {
        !touches(text[..*at].chars().next_back()) && !touches(text[at + 6..].chars().next())
    };
    text.match_indices(code)
        .map(|(at, _)| at)
        .find(alone)
        .or_else(|| text.find(&listed(code.as_bytes())))
}

/// The `Debug` format of a byte slice, without brackets.
fn listed(secret: &[u8]) -> String {
    secret
        .iter()
        .map(u8::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn encodings(secret: &[u8]) -> Vec<String> {
    let mut encodings = vec![
        listed(secret),
        hex::encode(secret),
        hex::encode_upper(secret),
    ];
    encodings.extend(
        [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].map(|engine| engine.encode(secret)),
    );
    if let Ok(text) = std::str::from_utf8(secret) {
        let percent = |set| percent_encoding::utf8_percent_encode(text, set).to_string();
        encodings.extend([
            text.to_owned(),
            text.to_lowercase(),
            text.to_uppercase(),
            format!("{text:?}"),
        ]);
        encodings.extend([
            percent(percent_encoding::NON_ALPHANUMERIC),
            percent(percent_encoding::CONTROLS),
        ]);
        encodings.push(form_urlencoded::byte_serialize(secret).collect());
        encodings.push(serde_json::Value::from(text).to_string());
        if text.contains('-') && text.len() < 40 {
            // Typed codes, without their separators.
            encodings.push(text.replace('-', ""));
        }
    }
    encodings
}

#[test]
fn encoded_forms_of_a_secret_are_detected() {
    let secrets = Secrets::default();
    secrets.record("a token", "sr_x/ü?secret");
    secrets.record_code("a code", "123456");
    let is_found = |text: &str| secrets.find(text).is_some();
    for encoding in encodings("sr_x/ü?secret".as_bytes()) {
        assert!(is_found(&format!("before {encoding} after")), "{encoding}");
    }
    assert!(
        is_found("otp=123456&") && is_found("\"123456\"") && is_found("[49, 50, 51, 52, 53, 54]")
    );
    assert!(!is_found("took_ms=0.123456 1234567 sr_x"));
}
