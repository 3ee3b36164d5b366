//! Parsing of request credentials: exactly one of `Authorization` and our cookie.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use http::{
    HeaderMap, HeaderValue,
    header::{AUTHORIZATION, COOKIE},
};

use crate::{AuthError, TokenKind, error::AccessError};

/// Bytes. A longer header is rejected without parsing.
const MAX_HEADER_BYTES: usize = 8 * 1024;

/// Session cookies of one request. A request with more is rejected.
const MAX_COOKIES: usize = 8;

#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum RequestCredentials<'a> {
    Bearer(&'a str),
    /// Username and personal access token (RFC 7617).
    Basic(String, String),
    /// The values of the session cookie. Several installations on one host, and other
    /// hosts of the domain, set cookies of the same name.
    Cookies(Vec<&'a str>),
}

/// The names of the session cookie.
#[derive(Clone, Copy, Debug)]
pub struct CookieNames<'a> {
    pub current: &'a str,
    /// Names that earlier versions set. They count if a request has nothing else.
    pub former: &'a [&'a str],
}

pub(crate) fn credentials<'a>(
    headers: &'a HeaderMap,
    names: CookieNames<'_>,
) -> Result<RequestCredentials<'a>, AuthError> {
    let cookies: Vec<&str> = cookie_values(headers, names.current).collect();
    let has_cookie = !cookies.is_empty();
    let mut authorization = headers
        .get_all(AUTHORIZATION)
        .iter()
        .filter(|header| !has_cookie || !is_of_a_gate(header));
    match (authorization.next(), authorization.next()) {
        (None, _) if has_cookie => few_cookies(cookies),
        (None, _) => former_cookies(headers, names.former),
        (Some(header), None) if !has_cookie => {
            let header = header
                .to_str()
                .ok()
                .filter(|header| header.len() <= MAX_HEADER_BYTES);
            header
                .and_then(|header| bearer(header).or_else(|| basic(header)))
                .ok_or(AuthError::Access(AccessError::InvalidToken))
        }
        _ => Err(AuthError::Access(AccessError::AmbiguousCredentials)),
    }
}

fn few_cookies(cookies: Vec<&str>) -> Result<RequestCredentials<'_>, AuthError> {
    if cookies.len() > MAX_COOKIES {
        return Err(AuthError::Access(AccessError::AmbiguousCredentials));
    }
    Ok(RequestCredentials::Cookies(cookies))
}

fn former_cookies<'a>(
    headers: &'a HeaderMap,
    names: &[&str],
) -> Result<RequestCredentials<'a>, AuthError> {
    let found = names
        .iter()
        .map(|name| cookie_values(headers, name).collect::<Vec<_>>())
        .find(|cookies| !cookies.is_empty())
        .ok_or(AuthError::Access(AccessError::Unauthenticated))?;
    few_cookies(found)
}

/// Basic credentials without a personal access token: a gate in front of the server asked for them,
/// and the browser repeats them beside our cookie.
fn is_of_a_gate(header: &HeaderValue) -> bool {
    let header = header
        .to_str()
        .ok()
        .filter(|header| header.len() <= MAX_HEADER_BYTES);
    match header.and_then(basic) {
        Some(RequestCredentials::Basic(_, secret)) => {
            !secret.starts_with(TokenKind::Personal.prefix())
        }
        _ => false,
    }
}

/// The text after the scheme, which matches in any case (RFC 9110 §11.1).
fn after_scheme<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let (given, rest) = header.split_once(' ')?;
    given
        .eq_ignore_ascii_case(scheme)
        .then(|| rest.trim_matches(' '))
}

/// RFC 6750 §2.1.
fn bearer(header: &str) -> Option<RequestCredentials<'_>> {
    let token = after_scheme(header, "bearer")?;
    let plain = |b: u8| TOKEN68[usize::from(b)];
    (!token.is_empty() && token.bytes().all(plain)).then_some(RequestCredentials::Bearer(token))
}

/// The bytes of a `token68` (RFC 9110 §11.2).
const TOKEN68: [bool; 256] = {
    let mut plain = [false; 256];
    let mut b = 0_u8;
    while b < 128 {
        plain[b as usize] = b.is_ascii_alphanumeric()
            || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=');
        b += 1;
    }
    plain
};

/// RFC 7617 §2: the username ends at the first colon.
fn basic(header: &str) -> Option<RequestCredentials<'_>> {
    let decoded = BASE64.decode(after_scheme(header, "basic")?).ok()?;
    let pair = String::from_utf8(decoded).ok()?;
    let (name, secret) = pair.split_once(':')?;
    (!pair.contains(char::is_control))
        .then(|| RequestCredentials::Basic(name.to_owned(), secret.to_owned()))
}

/// The values of every cookie of that name: another host of the domain may have set a second one. A
/// value that is not text becomes one that matches no session.
pub fn cookie_values<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines = headers
        .get_all(COOKIE)
        .iter()
        .map(|line| str::from_utf8(line.as_bytes()).unwrap_or_default());
    let pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .filter(move |(key, _)| *key == name)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: CookieNames<'_> = CookieNames {
        current: "c",
        former: &["old"],
    };

    fn ask(header: &[u8]) -> Result<String, AuthError> {
        let headers =
            HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_bytes(header).unwrap())]);
        credentials(&headers, NAMES).map(|found| format!("{found:?}"))
    }

    #[test]
    fn basic_credentials_parse_as_in_rfc_7617() {
        // the RFC's own examples
        assert_eq!(
            ask(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").unwrap(),
            "Basic(\"Aladdin\", \"open sesame\")"
        );
        assert_eq!(
            ask("basic dGVzdDoxMjPCow==".as_bytes()).unwrap(),
            "Basic(\"test\", \"123£\")"
        );
        assert_eq!(ask(b"BASIC  OmE6Yjo= ").unwrap(), "Basic(\"\", \"a:b:\")");
        for broken in [
            "Basic",
            "Basic ",
            "Basic YWJj",
            "Basic YWJj!",
            "Basic /w==",
            "Basic YTpiAA==",
            "Basic YTpi YTpi",
        ] {
            assert!(
                matches!(
                    ask(broken.as_bytes()),
                    Err(AuthError::Access(AccessError::InvalidToken))
                ),
                "{broken}"
            );
        }
    }

    #[test]
    fn basic_of_a_gate_is_ignored_beside_cookie() {
        let ask = |secret: &str, cookie: &'static str| {
            let pair = BASE64.encode(format!("ada:{secret}"));
            let mut headers = HeaderMap::new();
            let header = HeaderValue::try_from(format!("Basic {pair}")).unwrap();
            headers.insert(AUTHORIZATION, header);
            headers.insert(COOKIE, HeaderValue::from_static(cookie));
            credentials(&headers, NAMES).map(|found| format!("{found:?}"))
        };
        assert_eq!(ask("of the gate", "c=ours").unwrap(), "Cookies([\"ours\"])");
        assert_eq!(
            ask("of the gate", "d=other").unwrap(),
            "Basic(\"ada\", \"of the gate\")"
        );
        assert!(matches!(
            ask("sr_pat_x", "c=ours"),
            Err(AuthError::Access(AccessError::AmbiguousCredentials))
        ));
    }

    #[test]
    fn former_cookie_counts_only_without_current_credentials() {
        let ask = |cookie: &'static str, token: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_static(cookie));
            if let Some(token) = token {
                headers.insert(AUTHORIZATION, HeaderValue::from_static(token));
            }
            credentials(&headers, NAMES).map(|found| format!("{found:?}"))
        };
        assert_eq!(
            ask("old=a; old=b", None).unwrap(),
            "Cookies([\"a\", \"b\"])"
        );
        assert_eq!(
            ask("old=a; c=b; c=b", None).unwrap(),
            "Cookies([\"b\", \"b\"])"
        );
        assert_eq!(ask("old=a", Some("Bearer t")).unwrap(), "Bearer(\"t\")");
        assert!(matches!(
            ask("c=1; c=2; c=3; c=4; c=5; c=6; c=7; c=8; c=9", None),
            Err(AuthError::Access(AccessError::AmbiguousCredentials))
        ));
    }

    proptest! {
            #[test]
            fn arbitrary_authorization_header_is_parsed_or_rejected(header in "(?i)(bearer|basic|digest|)[ -~\u{80}-\u{ff}]{0,80}") {
                let bytes: Vec<u8> = header.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect();
                if let Err(error) = ask(&bytes) {
                    prop_assert!(matches!(error, AuthError::Access(AccessError::InvalidToken)));
                }
            }

            #[test]
            fn arbitrary_cookies_are_one_session_cookie_or_rejected(
                lines in prop::collection::vec("[ -~\u{80}-\u{ff}]{0,20}(c|__Host-c|C)?=?[ -~\u{80}-\u{ff}]{0,20};?", 0..4),
            ) {
                let mut headers = HeaderMap::new();
                for line in &lines {
                    let bytes: Vec<u8> = line.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect();
                    headers.append(COOKIE, HeaderValue::from_bytes(&bytes).unwrap());
                }
                match credentials(&headers, NAMES) {
                    Ok(found) => prop_assert!(matches!(found, RequestCredentials::Cookies(_))),
                    Err(error) => {
                        prop_assert!(matches!(error, AuthError::Access(AccessError::Unauthenticated |
    AccessError::AmbiguousCredentials)));
                    }
                }
            }
        }
}
