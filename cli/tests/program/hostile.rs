//! A server that is no friend: what it says is printed in somebody's terminal.

use std::{
    os::unix::fs::PermissionsExt as _,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::State,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use crate::program::{Program, Said};

/// Clears the screen, writes a line of ours, turns the text round, and rings.
const ANSI: &str =
    "\u{1b}[2J\u{9b}31m\nSigned in to https://evil.example\r\u{202e}\u{2066}\u{7}\u{e0041}";

/// Answers with what it is told to, and remembers what it was asked.
#[derive(Clone)]
struct Hostile {
    url: String,
    me: (StatusCode, Value),
    asked: Arc<Mutex<Vec<String>>>,
}

impl Hostile {
    async fn start(status: StatusCode, me: Value) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let hostile = Self {
            url,
            me: (status, me),
            asked: Arc::default(),
        };
        let routes = Router::new().fallback(answer).with_state(hostile.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        hostile
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// RFC 8414.
fn metadata(issuer: &str) -> Value {
    let at = |member: &str| {
        member.ends_with("endpoint") || ["jwks_uri", "service_documentation"].contains(&member)
    };
    let (addresses, lists): (Vec<_>, Vec<_>) = [
        "authorization_endpoint",
        "device_authorization_endpoint",
        "token_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "jwks_uri",
        "service_documentation",
        "response_types_supported",
        "response_modes_supported",
        "grant_types_supported",
        "code_challenge_methods_supported",
        "scopes_supported",
        "token_endpoint_auth_methods_supported",
        "revocation_endpoint_auth_methods_supported",
        "introspection_endpoint_auth_methods_supported",
    ]
    .into_iter()
    .partition(|member| at(member));
    let mut metadata =
        json!({"issuer": issuer, "authorization_response_iss_parameter_supported": true});
    for member in addresses {
        metadata[member] = json!(issuer);
    }
    for member in lists {
        metadata[member] = json!([]);
    }
    metadata
}

async fn answer(State(hostile): State<Hostile>, method: Method, uri: Uri) -> Response {
    hostile
        .asked
        .lock()
        .unwrap()
        .push(format!("{method} {}", uri.path()));
    match uri.path() {
        "/auth/me" => (hostile.me.0, Json(hostile.me.1)).into_response(),
        "/auth/token" => Json(json!({
            "access_token": "renewed", "refresh_token": "sr_rt_2", "token_type": "bearer", "expires_in": 1800, "scope": ""
        }))
        .into_response(),
        _ => Json(metadata(&format!("{}{ANSI}", hostile.url))).into_response(),
    }
}

impl Program {
    /// As it was left by a sign-in that is good for an hour.
    fn signed_in_to(&self, url: &str) {
        let until = auth::Clock::system().now() + jiff::SignedDuration::from_hours(1);
        let held = json!({"access_token": "first", "refresh_token": "sr_rt_1", "expires_at": until.to_string()});
        let kept = json!({"current": url, "servers": {url: held}});
        std::fs::create_dir_all(self.kept().parent().unwrap()).unwrap();
        std::fs::write(self.kept(), kept.to_string()).unwrap();
        std::fs::set_permissions(self.kept(), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[track_caller]
fn moves_nothing(said: &Said) {
    let text = format!("{}{}", said.out, said.err);
    assert!(
        !text.contains(|c: char| c.is_control() && c != '\n'),
        "{text:?}"
    );
    assert!(
        !text.contains(['\u{202e}', '\u{2066}', '\u{e0041}']),
        "{text:?}"
    );
    assert!(
        text.lines()
            .all(|line| !line.starts_with("Signed in to https://evil")),
        "{text}"
    );
    assert!(
        text.contains("\\u{1b}[2J\\u{9b}31m\\n"),
        "it is told as it is: {text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_server_text_is_escaped_on_the_terminal() {
    let program = Program::new();
    let name = json!({
        "username": ANSI, "display_name": ANSI, "email": null, "email_verified": false, "is_admin": false,
        "scopes": [ANSI], "mfa": false,
    });
    let name = Hostile::start(StatusCode::OK, name).await;
    program.signed_in_to(&name.url);
    let said = program.say(&["whoami"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    moves_nothing(&said);
    let problem = Hostile::start(
        StatusCode::FORBIDDEN,
        json!({"error": ANSI, "detail": ANSI}),
    )
    .await;
    program.signed_in_to(&problem.url);
    let said = program.say(&["whoami"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    moves_nothing(&said);
    moves_nothing(&program.say(&["login", &problem.url]));
}

#[tokio::test(flavor = "multi_thread")]
async fn client_retries_a_rejected_token_once() {
    let program = Program::new();
    let never = Hostile::start(StatusCode::UNAUTHORIZED, json!({"detail": "No."})).await;
    program.signed_in_to(&never.url);
    let complaint = program
        .say(&["whoami"])
        .badly(&format!("strongroom login {}", never.url));
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert_eq!(
        never.asked(),
        ["GET /auth/me", "POST /auth/token", "GET /auth/me"]
    );
    assert!(!complaint.contains("renewed"));
}
