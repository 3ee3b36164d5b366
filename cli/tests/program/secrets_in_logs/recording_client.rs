//! The program under test, and an HTTP client that follows no redirects and records every error.

use std::sync::Mutex;

use reqwest::{Method, RequestBuilder, Response, header};
use serde_json::Value;

use super::{mail::Mailbox, recorded::Secrets};
use crate::test_program::{PASSWORD, TestProgram, TestServer};

pub(super) struct RecordingClient {
    pub(super) program: TestProgram,
    pub(super) server: TestServer,
    pub(super) secrets: Secrets,
    pub(super) mailbox: Mailbox,
    pub(super) http: reqwest::Client,
    /// Every JSON error response.
    pub(super) error_responses: Mutex<String>,
    /// The public URL, to which passkeys are bound.
    pub(super) url: String,
}

/// A response with its body.
pub(super) struct Answer {
    request_line: String,
    pub(super) status: u16,
    pub(super) headers: header::HeaderMap,
    pub(super) body: Value,
    pub(super) text: String,
}

impl Answer {
    #[track_caller]
    pub(super) fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.request_line, self.text);
        self
    }

    #[track_caller]
    pub(super) fn member(&self, member: &str) -> &str {
        self.body[member]
            .as_str()
            .unwrap_or_else(|| panic!("no {member} in {}", self.text))
    }

    /// All cookies of the response, as a `Cookie` header.
    pub(super) fn cookies(&self) -> String {
        let lines = self
            .headers
            .get_all(header::SET_COOKIE)
            .iter()
            .map(|line| line.to_str().unwrap());
        lines
            .map(|line| line.split(';').next().unwrap())
            .collect::<Vec<_>>()
            .join("; ")
    }

    pub(super) fn location(&self) -> &str {
        self.headers[header::LOCATION].to_str().unwrap()
    }
}

impl RecordingClient {
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, self.server.url(path))
            .header("sec-fetch-site", "same-origin")
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    pub(super) async fn send(&self, request: RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        let request_line = format!("{} {}", request.method(), request.url());
        let answer: Response = self.http.execute(request).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        assert!(status < 500, "{request_line}: {status}: {text}");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status >= 400 && !body.is_null() {
            let mut refusals = self.error_responses.lock().unwrap();
            refusals.extend([format!("{headers:?} "), text.clone(), "\n".to_owned()]);
        }
        Answer {
            request_line,
            status,
            headers,
            body,
            text,
        }
    }

    /// Sends a request, of which the status is known.
    pub(super) async fn expect(&self, status: u16, request: RequestBuilder) -> Answer {
        self.send(request).await.expect_status(status)
    }

    pub(super) fn record(&self, what: &str, secret: &str) -> String {
        self.secrets.record(what, secret)
    }

    /// Records the value of every cookie as a secret.
    pub(super) fn record_cookies(&self, answer: &Answer) -> String {
        let cookies = answer.cookies();
        for (name, value) in cookies
            .split("; ")
            .filter_map(|cookie| cookie.split_once('='))
        {
            if !value.is_empty() {
                self.record(&format!("the cookie {name}"), value);
            }
        }
        cookies
    }

    /// An access token for an account without a second factor.
    pub(super) async fn sign_in(&self, username: &str, password: &str) -> String {
        let form = [("username", username), ("password", password)];
        let answer = self.expect(200, self.post("/auth/token").form(&form)).await;
        self.record("a refresh token", answer.member("refresh_token"));
        self.record("an access token", answer.member("access_token"))
    }

    /// The session cookie of ada.
    pub(super) async fn sign_in_with_form(&self) -> String {
        let form = [("username", "ada"), ("password", PASSWORD)];
        let answer = self.expect(303, self.post("/sign-in").form(&form)).await;
        self.record_cookies(&answer)
    }
}
