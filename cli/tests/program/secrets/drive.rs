//! The program under test, and somebody without redirects who comes from its own pages and remembers every refusal.

use std::sync::Mutex;

use reqwest::{Method, RequestBuilder, Response, header};
use serde_json::Value;

use super::{kept::Secrets, letters::Post};
use crate::program::{PASSWORD, Program, Server};

pub(super) struct Drive {
    pub(super) program: Program,
    pub(super) server: Server,
    pub(super) secrets: Secrets,
    pub(super) letters: Post,
    pub(super) http: reqwest::Client,
    /// Every refusal that was JSON.
    pub(super) refusals: Mutex<String>,
    /// What people see, and passkeys are bound to.
    pub(super) url: String,
}

/// An answer, read whole.
pub(super) struct Heard {
    asked: String,
    pub(super) status: u16,
    pub(super) headers: header::HeaderMap,
    pub(super) body: Value,
    pub(super) text: String,
}

impl Heard {
    #[track_caller]
    pub(super) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.text);
        self
    }

    #[track_caller]
    pub(super) fn text_of(&self, member: &str) -> &str {
        self.body[member]
            .as_str()
            .unwrap_or_else(|| panic!("no {member} in {}", self.text))
    }

    /// All cookies that were set, as a browser shows them.
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

impl Drive {
    pub(super) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, self.server.url(path))
            .header("sec-fetch-site", "same-origin")
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.ask(Method::GET, path)
    }

    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.ask(Method::POST, path)
    }

    pub(super) async fn hear(&self, request: RequestBuilder) -> Heard {
        let request = request.build().unwrap();
        let asked = format!("{} {}", request.method(), request.url());
        let answer: Response = self.http.execute(request).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        assert!(status < 500, "{asked}: {status}: {text}");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status >= 400 && !body.is_null() {
            let mut refusals = self.refusals.lock().unwrap();
            refusals.extend([format!("{headers:?} "), text.clone(), "\n".to_owned()]);
        }
        Heard {
            asked,
            status,
            headers,
            body,
            text,
        }
    }

    /// The answer to what has to succeed.
    pub(super) async fn well(&self, request: RequestBuilder) -> Heard {
        let heard = self.hear(request).await;
        assert!(
            (200..400).contains(&heard.status),
            "{}: {}: {}",
            heard.asked,
            heard.status,
            heard.text
        );
        heard
    }

    /// It has to be refused.
    pub(super) async fn refused(&self, request: RequestBuilder) -> Heard {
        let heard = self.hear(request).await;
        assert!(
            (400..500).contains(&heard.status),
            "{}: {}: {}",
            heard.asked,
            heard.status,
            heard.text
        );
        heard
    }

    pub(super) fn keep(&self, what: &str, secret: &str) -> String {
        self.secrets.keep(what, secret)
    }

    /// A cookie's value is a secret, whatever the cookie is called.
    pub(super) fn keep_cookies(&self, heard: &Heard) -> String {
        let cookies = heard.cookies();
        for (name, value) in cookies
            .split("; ")
            .filter_map(|cookie| cookie.split_once('='))
        {
            if !value.is_empty() {
                self.keep(&format!("the cookie {name}"), value);
            }
        }
        cookies
    }

    /// An access token for somebody with a password alone.
    pub(super) async fn sign_in(&self, username: &str, password: &str) -> String {
        let form = [("username", username), ("password", password)];
        let heard = self.well(self.post("/auth/token").form(&form)).await;
        self.keep("a refresh token", heard.text_of("refresh_token"));
        self.keep("an access token", heard.text_of("access_token"))
    }

    /// Ada's cookie.
    pub(super) async fn sign_in_on_the_page(&self) -> String {
        let form = [("username", "ada"), ("password", PASSWORD)];
        let heard = self.well(self.post("/sign-in").form(&form)).await;
        self.keep_cookies(&heard)
    }
}
