//! Text of a hostile server is escaped before it reaches the terminal.

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

use crate::test_program::{CommandOutput, TestProgram};

/// Clears the screen, imitates a line of the program, reverses the text direction, rings the bell.
const ANSI: &str =
    "\u{1b}[2J\u{9b}31m\nSigned in to https://evil.example\r\u{202e}\u{2066}\u{7}\u{e0041}";

/// Answers with a fixed response, and records the requests.
#[derive(Clone)]
struct HostileServer {
    url: String,
    me_response: (StatusCode, Value),
    requests: Arc<Mutex<Vec<String>>>,
}

impl HostileServer {
    async fn start(status: StatusCode, me: Value) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let hostile = Self {
            url,
            me_response: (status, me),
            requests: Arc::default(),
        };
        let routes = Router::new().fallback(respond).with_state(hostile.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        hostile
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Server metadata (RFC 8414).
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

async fn respond(State(hostile): State<HostileServer>, method: Method, uri: Uri) -> Response {
    hostile
        .requests
        .lock()
        .unwrap()
        .push(format!("{method} {}", uri.path()));
    match uri.path() {
        "/auth/me" => (hostile.me_response.0, Json(hostile.me_response.1)).into_response(),
        "/auth/token" => Json(json!({
            "access_token": "renewed", "refresh_token": "sr_rt_2", "token_type": "bearer", "expires_in": 1800, "scope": ""
        }))
        .into_response(),
        _ => Json(metadata(&format!("{}{ANSI}", hostile.url))).into_response(),
    }
}

impl TestProgram {
    /// Writes credentials that expire in an hour.
    fn store_credentials_for(&self, url: &str) {
        let until = auth::Clock::system().now() + jiff::SignedDuration::from_hours(1);
        let tokens = json!({"access_token": "first", "refresh_token": "sr_rt_1", "expires_at": until.to_string()});
        let credentials = json!({"current": url, "servers": {url: tokens}});
        std::fs::create_dir_all(self.credentials_file().parent().unwrap()).unwrap();
        std::fs::write(self.credentials_file(), credentials.to_string()).unwrap();
        std::fs::set_permissions(
            self.credentials_file(),
            std::fs::Permissions::from_mode(0o600),
        )
        .unwrap();
    }
}

#[track_caller]
fn assert_escaped(printed: &CommandOutput) {
    let text = format!("{}{}", printed.out, printed.err);
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
        "the text is shown escaped: {text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_server_text_is_escaped_on_the_terminal() {
    let program = TestProgram::new();
    let name = json!({
        "username": ANSI, "display_name": ANSI, "email": null, "email_verified": false, "is_admin": false,
        "scopes": [ANSI], "mfa": false,
    });
    let name = HostileServer::start(StatusCode::OK, name).await;
    program.store_credentials_for(&name.url);
    let printed = program.run_client(&["whoami"]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert_escaped(&printed);
    let problem = HostileServer::start(
        StatusCode::FORBIDDEN,
        json!({"error": ANSI, "detail": ANSI}),
    )
    .await;
    program.store_credentials_for(&problem.url);
    let printed = program.run_client(&["whoami"]);
    assert_eq!(printed.code, Some(1), "{printed:?}");
    assert_escaped(&printed);
    assert_escaped(&program.run_client(&["login", &problem.url]));
}

#[tokio::test(flavor = "multi_thread")]
async fn client_retries_a_rejected_token_once() {
    let program = TestProgram::new();
    let never = HostileServer::start(StatusCode::UNAUTHORIZED, json!({"detail": "No."})).await;
    program.store_credentials_for(&never.url);
    let stderr = program
        .run_client(&["whoami"])
        .expect_failure(&format!("strongroom login {}", never.url));
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert_eq!(
        never.requests(),
        ["GET /auth/me", "POST /auth/token", "GET /auth/me"]
    );
    assert!(!stderr.contains("renewed"));
}
