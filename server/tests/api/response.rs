//! A response, whose status a test must check.

use std::cell::Cell;

use reqwest::{
    Response,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::Value;

/// A complete response. If its status was never checked, the test fails when it is dropped.
#[derive(Debug)]
pub(crate) struct TestResponse {
    status: Status,
    pub(crate) headers: HeaderMap<HeaderValue>,
    /// Null if the body is not JSON.
    pub(crate) body: Value,
    pub(crate) text: String,
}

/// A field with its own `Drop`, so that the other fields of a response can be moved out.
#[derive(Debug)]
struct Status {
    code: u16,
    url: String,
    checked: Cell<bool>,
}

impl Drop for Status {
    fn drop(&mut self) {
        assert!(
            self.checked.get() || std::thread::panicking(),
            "no assertion on the status {} of {}",
            self.code,
            self.url,
        );
    }
}

impl TestResponse {
    pub(crate) async fn read(response: Response) -> Self {
        let head = Self::from_head(&response);
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self { body, text, ..head }
    }

    /// Without the body.
    pub(crate) fn from_head(response: &Response) -> Self {
        Self {
            status: Status {
                code: response.status().as_u16(),
                url: response.url().to_string(),
                checked: Cell::new(false),
            },
            headers: response.headers().clone(),
            body: Value::Null,
            text: String::new(),
        }
    }

    /// The status, to compare it. It counts as checked.
    #[must_use]
    pub(crate) fn status(&self) -> u16 {
        self.status.checked.set(true);
        self.status.code
    }

    #[track_caller]
    pub(crate) fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status(), status, "{}", self.text);
        self
    }

    /// For races, whose outcome is one of several.
    #[track_caller]
    pub(crate) fn expect_status_in(self, statuses: &[u16]) -> Self {
        let status = self.status();
        assert!(statuses.contains(&status), "{status}: {}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn expect_detail(self, detail: &str) -> Self {
        assert_eq!(self.body["detail"], detail);
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(HeaderName::try_from(name).unwrap())
            .and_then(|value| value.to_str().ok())
    }
}
