//! The secrets that were used, and looking for them in every dress that a log may give them.

use std::sync::Mutex;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};

/// What must not be read anywhere, with a name for the complaint.
#[derive(Default)]
pub(super) struct Secrets {
    long: Mutex<Vec<(String, Vec<u8>)>>,
    /// Six digits: looked for as a number of its own, since they may be a part of any other.
    codes: Mutex<Vec<(String, String)>>,
}

impl Secrets {
    pub(super) fn keep(&self, what: &str, secret: &str) -> String {
        assert!(secret.len() >= 8, "{what}: {secret:?}");
        self.keep_bytes(what, secret.as_bytes());
        secret.to_owned()
    }

    pub(super) fn keep_bytes(&self, what: &str, secret: &[u8]) {
        self.long
            .lock()
            .unwrap()
            .push((what.to_owned(), secret.to_vec()));
    }

    pub(super) fn keep_code(&self, what: &str, code: &str) -> String {
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
        if let Some((what, dress, at)) = self.find(text) {
            let from = text[..at].rfind('\n').unwrap_or(0);
            let line: String = text[from..].chars().take(600).collect();
            panic!("{what} is in {place} as {dress:?}: {line}");
        }
    }

    /// What is there, in which dress, and where.
    fn find(&self, text: &str) -> Option<(String, String, usize)> {
        let long = self.long.lock().unwrap();
        let mut long = long
            .iter()
            .flat_map(|(what, secret)| dresses(secret).into_iter().map(move |dress| (what, dress)));
        let found =
            long.find_map(|(what, dress)| text.find(&dress).map(|at| (what.clone(), dress, at)));
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

/// As `Debug` shows bytes.
fn listed(secret: &[u8]) -> String {
    secret
        .iter()
        .map(u8::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn dresses(secret: &[u8]) -> Vec<String> {
    let mut dresses = vec![
        listed(secret),
        hex::encode(secret),
        hex::encode_upper(secret),
    ];
    dresses.extend(
        [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].map(|engine| engine.encode(secret)),
    );
    if let Ok(text) = std::str::from_utf8(secret) {
        let percent = |set| percent_encoding::utf8_percent_encode(text, set).to_string();
        dresses.extend([
            text.to_owned(),
            text.to_lowercase(),
            text.to_uppercase(),
            format!("{text:?}"),
        ]);
        dresses.extend([
            percent(percent_encoding::NON_ALPHANUMERIC),
            percent(percent_encoding::CONTROLS),
        ]);
        dresses.push(form_urlencoded::byte_serialize(secret).collect());
        dresses.push(serde_json::Value::from(text).to_string());
        if text.contains('-') && text.len() < 40 {
            // Codes that people type, without what only helps them read.
            dresses.push(text.replace('-', ""));
        }
    }
    dresses
}

#[test]
fn encoded_forms_of_a_secret_are_detected() {
    let secrets = Secrets::default();
    secrets.keep("a token", "sr_x/ü?secret");
    secrets.keep_code("a code", "123456");
    let seen = |text: &str| secrets.find(text).is_some();
    for dress in dresses("sr_x/ü?secret".as_bytes()) {
        assert!(seen(&format!("before {dress} after")), "{dress}");
    }
    assert!(seen("otp=123456&") && seen("\"123456\"") && seen("[49, 50, 51, 52, 53, 54]"));
    assert!(!seen("took_ms=0.123456 1234567 sr_x"));
}
