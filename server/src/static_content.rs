//! Static content: compressed once, with an `ETag` for conditional requests. Its routes are public
//! and not rate-limited, so a request must be cheap.

use std::io::Write as _;

use aws_lc_rs::digest;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use headers::{ETag, HeaderMapExt as _, IfNoneMatch};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// Response extension that turns off the compression layer, whatever encodings the client accepts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoCompression;

/// Content with its media type, `ETag` and compressed form.
#[derive(Debug)]
pub(crate) struct Precompressed {
    content_type: HeaderValue,
    etag: String,
    plain: Bytes,
    /// Only if it is shorter than `plain`.
    gzip: Option<Bytes>,
}

impl Precompressed {
    pub(crate) fn new(content_type: HeaderValue, plain: Bytes) -> Self {
        let gzip = gzip(&plain).filter(|gzip| gzip.len() < plain.len());
        Self {
            content_type,
            etag: hex::encode(digest::digest(&digest::SHA256, &plain)),
            plain,
            gzip,
        }
    }

    /// `keep` is the `Cache-Control`. Each encoding has its own `ETag` (RFC 9110 §8.8.3); a match
    /// with either is 304.
    pub(crate) fn respond(
        &self,
        request_headers: &HeaderMap,
        cache_control: &'static str,
    ) -> Response {
        let gzip_body = self.gzip.as_ref().filter(|_| accepts_gzip(request_headers));
        let tag = |ending: &str| format!("\"{}{ending}\"", self.etag);
        let condition: Option<IfNoneMatch> = request_headers.typed_get();
        let is_cached = condition.is_some_and(|condition| {
            [tag(""), tag("-gzip")]
                .iter()
                .filter_map(|tag| tag.parse().ok())
                .any(|tag: ETag| !condition.precondition_passes(&tag))
        });
        let own_tag = if gzip_body.is_some() {
            tag("-gzip")
        } else {
            tag("")
        };
        let response_headers = [
            (
                header::CACHE_CONTROL,
                HeaderValue::from_static(cache_control),
            ),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
            (
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            ),
        ];
        let response_headers = (response_headers, [(header::ETAG, own_tag)]);
        let mut response = match (is_cached, gzip_body) {
            (true, _) => (StatusCode::NOT_MODIFIED, response_headers).into_response(),
            (false, Some(gzip)) => (
                response_headers,
                [(header::CONTENT_ENCODING, "gzip")],
                gzip.clone(),
            )
                .into_response(),
            (false, None) => (response_headers, self.plain.clone()).into_response(),
        };
        if !is_cached {
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, self.content_type.clone());
        }
        response.extensions_mut().insert(NoCompression);
        response
    }
}

/// Whether `Accept-Encoding` names gzip with a weight above zero (RFC 9110 §12.5.3).
fn accepts_gzip(request_headers: &HeaderMap) -> bool {
    let codings = request_headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|sent| sent.to_str().ok());
    codings.flat_map(|sent| sent.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let quality = quality
            .trim()
            .strip_prefix("q=")
            .and_then(|quality| quality.trim().parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && quality.is_some_and(|quality| quality > 0.0)
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

    fn sample() -> Precompressed {
        Precompressed::new(
            HeaderValue::from_static("text/plain"),
            "the same words again ".repeat(100).into(),
        )
    }

    fn request_headers(name: header::HeaderName, value: &str) -> HeaderMap {
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
            let answer =
                sample.respond(&request_headers(header::ACCEPT_ENCODING, takes), "no-cache");
            assert_eq!(
                answer.headers()[header::CONTENT_ENCODING],
                "gzip",
                "{takes}"
            );
            let mut unpacked = String::new();
            flate2::read::GzDecoder::new(&body(answer).await[..])
                .read_to_string(&mut unpacked)
                .unwrap();
            assert_eq!(unpacked.as_bytes(), &sample.plain[..]);
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
            let answer =
                sample.respond(&request_headers(header::ACCEPT_ENCODING, takes), "no-cache");
            assert!(
                !answer.headers().contains_key(header::CONTENT_ENCODING),
                "{takes}"
            );
            assert!(
                answer.extensions().get::<NoCompression>().is_some(),
                "the compression layer must skip it"
            );
            assert_eq!(body(answer).await, &sample.plain[..]);
        }
    }

    #[tokio::test]
    async fn matching_etag_of_either_encoding_returns_304() {
        let sample = sample();
        for takes in ["gzip", "br"] {
            let first =
                sample.respond(&request_headers(header::ACCEPT_ENCODING, takes), "no-cache");
            let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
            for sent in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}")] {
                let again =
                    sample.respond(&request_headers(header::IF_NONE_MATCH, &sent), "no-cache");
                assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{sent}");
                assert!(body(again).await.is_empty());
            }
        }
        let other = sample.respond(
            &request_headers(header::IF_NONE_MATCH, "\"other\""),
            "no-cache",
        );
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[test]
    fn content_that_gzip_enlarges_stays_uncompressed() {
        assert!(
            Precompressed::new(
                HeaderValue::from_static("text/plain"),
                Bytes::from_static(b"x")
            )
            .gzip
            .is_none()
        );
    }
}
