//! HTTP/1.1 requests as bytes, built before the measurement starts.

use std::fmt::Write as _;

/// Unlikely to occur in a file.
const BOUNDARY: &str = "strongroom-bench-7d1f3a";

pub(crate) fn get(path: &str, token: &str) -> Vec<u8> {
    request_head("GET", path, token).into_bytes_with("", &[])
}

pub(crate) fn post(path: &str, token: &str) -> Vec<u8> {
    request_head("POST", path, token).into_bytes_with("", &[])
}

pub(crate) fn post_json(path: &str, body: &str) -> Vec<u8> {
    request_head("POST", path, "").into_bytes_with("application/json", body.as_bytes())
}

pub(crate) fn post_form(path: &str, body: &str) -> Vec<u8> {
    request_head("POST", path, "")
        .into_bytes_with("application/x-www-form-urlencoded", body.as_bytes())
}

/// A multipart form with a comment and a file, as browsers and curl send it.
pub(crate) fn send_file(method: &str, path: &str, token: &str, content: &[u8]) -> Vec<u8> {
    let (before, after) = multipart_around_file();
    let mut body = before.into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(after.as_bytes());
    request_head(method, path, token).into_bytes_with(&form_type(), &body)
}

/// The bytes before and after the content of a streamed large file: head with length, and tail.
pub(crate) fn send_large_file(path: &str, token: &str, length: u64) -> (Vec<u8>, Vec<u8>) {
    let (before, after) = multipart_around_file();
    let mut head = request_head("PUT", path, token);
    head.add_content_headers(&form_type(), length + (before.len() + after.len()) as u64);
    head.text.push_str(&before);
    (head.text.into_bytes(), after.into_bytes())
}

/// A plain `PUT` of `length` bytes that follow.
pub(crate) fn put_large(path: &str, length: u64) -> Vec<u8> {
    let mut head = request_head("PUT", path, "");
    head.add_content_headers("application/octet-stream", length);
    head.text.into_bytes()
}

fn form_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

fn multipart_around_file() -> (String, String) {
    let before = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"comment\"\r\n\r\nmeasured\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.bin\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    (before, format!("\r\n--{BOUNDARY}--\r\n"))
}

struct RequestHead {
    text: String,
}

fn request_head(method: &str, path: &str, token: &str) -> RequestHead {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    if !token.is_empty() {
        let _ = write!(text, "Authorization: Bearer {token}\r\n");
    }
    RequestHead { text }
}

impl RequestHead {
    fn add_content_headers(&mut self, kind: &str, length: u64) {
        if !kind.is_empty() {
            let _ = write!(self.text, "Content-Type: {kind}\r\n");
        }
        let _ = write!(self.text, "Content-Length: {length}\r\n\r\n");
    }

    fn into_bytes_with(mut self, kind: &str, body: &[u8]) -> Vec<u8> {
        if self.text.starts_with("GET") {
            self.text.push_str("\r\n");
        } else {
            self.add_content_headers(kind, body.len() as u64);
        }
        let mut bytes = self.text.into_bytes();
        bytes.extend_from_slice(body);
        bytes
    }
}
