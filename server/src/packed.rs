//! Static content: compressed once, with an `ETag` for conditional requests. Its routes are public
//! and not rate-limited, so a request must be cheap.

use std::io::Write as _;

use aws_lc_rs::digest;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// Response extension that turns off the compression layer, whatever encodings the client accepts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AsItIs;

/// Content with its media type, `ETag` and compressed form.
#[derive(Debug)]
pub(crate) struct Packed {
    kind: HeaderValue,
    tag: String,
    plain: Bytes,
    /// Only if it is shorter than `plain`.
    gzip: Option<Bytes>,
}

impl Packed {
    pub(crate) fn new(kind: HeaderValue, plain: Bytes) -> Self {
        let gzip = gzip(&plain).filter(|gzip| gzip.len() < plain.len());
        Self {
            kind,
            tag: hex::encode(digest::digest(&digest::SHA256, &plain)),
            plain,
            gzip,
        }
    }

    /// `keep` is the `Cache-Control`. Each encoding has its own `ETag` (RFC 9110 §8.8.3); a match with
    /// either is 304.
    pub(crate) fn answer(&self, asked: &HeaderMap, keep: &'static str) -> Response {
        let packed = self.gzip.as_ref().filter(|_| takes_gzip(asked));
        let tag = |ending: &str| format!("\"{}{ending}\"", self.tag);
        let known = asked
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|sent| sent.to_str().ok());
        let known = known
            .flat_map(|sent| sent.split(','))
            .map(|sent| sent.trim().trim_start_matches("W/"))
            .any(|sent| sent == tag("") || sent == tag("-gzip"));
        let own = if packed.is_some() {
            tag("-gzip")
        } else {
            tag("")
        };
        let about = [
            (header::CACHE_CONTROL, HeaderValue::from_static(keep)),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
            (
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            ),
        ];
        let about = (about, [(header::ETAG, own)]);
        let mut response = match (known, packed) {
            (true, _) => (StatusCode::NOT_MODIFIED, about).into_response(),
            (false, Some(gzip)) => {
                (about, [(header::CONTENT_ENCODING, "gzip")], gzip.clone()).into_response()
            }
            (false, None) => (about, self.plain.clone()).into_response(),
        };
        if !known {
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, self.kind.clone());
        }
        response.extensions_mut().insert(AsItIs);
        response
    }
}

/// Whether `Accept-Encoding` names gzip with a weight above zero (RFC 9110 §12.5.3).
fn takes_gzip(asked: &HeaderMap) -> bool {
    let named = asked
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|sent| sent.to_str().ok());
    named.flat_map(|sent| sent.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight
            .trim()
            .strip_prefix("q=")
            .and_then(|weight| weight.trim().parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_some_and(|weight| weight > 0.0)
    })
}

fn gzip(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn sample() -> Packed {
        Packed::new(
            HeaderValue::from_static("text/plain"),
            "the same words again ".repeat(100).into(),
        )
    }

    fn asked(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    async fn body(response: Response) -> Vec<u8> {
        axum::body::to_bytes(response.into_body(), 1 << 20)
            .await
            .unwrap()
            .to_vec()
    }

    #[tokio::test]
    async fn gzip_is_served_to_clients_that_accept_it() {
        let sample = sample();
        for takes in ["gzip", "br, GZIP", "gzip;q=0.5, br", "deflate,gzip ; q=1"] {
            let answer = sample.answer(&asked(header::ACCEPT_ENCODING, takes), "no-cache");
            assert_eq!(
                answer.headers()[header::CONTENT_ENCODING],
                "gzip",
                "{takes}"
            );
            let mut told = String::new();
            flate2::read::GzDecoder::new(&body(answer).await[..])
                .read_to_string(&mut told)
                .unwrap();
            assert_eq!(told.as_bytes(), &sample.plain[..]);
        }
        for takes in [
            "",
            "br",
            "gzip;q=0",
            "gzip;q=0.000",
            "identity",
            "*",
            "gzip;q=much",
        ] {
            let answer = sample.answer(&asked(header::ACCEPT_ENCODING, takes), "no-cache");
            assert!(
                !answer.headers().contains_key(header::CONTENT_ENCODING),
                "{takes}"
            );
            assert!(
                answer.extensions().get::<AsItIs>().is_some(),
                "the compression layer must skip it"
            );
            assert_eq!(body(answer).await, &sample.plain[..]);
        }
    }

    #[tokio::test]
    async fn matching_etag_of_either_encoding_returns_304() {
        let sample = sample();
        for takes in ["gzip", "br"] {
            let first = sample.answer(&asked(header::ACCEPT_ENCODING, takes), "no-cache");
            let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
            for sent in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}")] {
                let again = sample.answer(&asked(header::IF_NONE_MATCH, &sent), "no-cache");
                assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{sent}");
                assert!(body(again).await.is_empty());
            }
        }
        let other = sample.answer(&asked(header::IF_NONE_MATCH, "\"other\""), "no-cache");
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[test]
    fn content_that_gzip_enlarges_stays_uncompressed() {
        assert!(
            Packed::new(
                HeaderValue::from_static("text/plain"),
                Bytes::from_static(b"x")
            )
            .gzip
            .is_none()
        );
    }
}
