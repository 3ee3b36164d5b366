//! No secret in any log: the real program, everything driven, every line of every library at `trace`.

use std::{
    io::Read as _,
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use reqwest::{Method, RequestBuilder, Response, header};
use serde_json::{Value, json};

use crate::program::{PASSWORD, Program, Server};

const OWN_KEY: &str = "k7Qv2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0PaZr8Ue";
const WRONG: &str = "a wrong guess nobody else makes";
const SECOND: &str = "another long password for later";
const IN_THE_NAME_FIELD: &str = "typed-into-the-wrong-field";

/// What must not be read anywhere, with a name for the complaint.
#[derive(Default)]
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn keep(&mut self, what: &'static str, secret: &str) -> String {
        assert!(secret.len() >= 8, "{what}: {secret:?}");
        self.0.push((what, secret.to_owned()));
        secret.to_owned()
    }

    /// In every dress that a log may give it.
    fn dresses(secret: &str) -> Vec<String> {
        let percent = |set| percent_encoding::utf8_percent_encode(secret, set).to_string();
        let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let bytes: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
        let mut dresses = vec![
            secret.to_owned(),
            percent(percent_encoding::NON_ALPHANUMERIC),
            percent(percent_encoding::CONTROLS),
            form,
            bytes.join(", "),
            hex::encode(secret),
        ];
        for encoded in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].map(|engine| engine.encode(secret)) {
            dresses.push(encoded);
        }
        dresses
    }

    fn assert_absent_from(&self, log: &str) {
        for (what, secret) in &self.0 {
            for dress in Self::dresses(secret) {
                if let Some(at) = log.find(&dress) {
                    let from = log[..at].rfind('\n').unwrap_or(0);
                    let line: String = log[from..].chars().take(600).collect();
                    panic!("{what} is in the log as {dress:?}: {line}");
                }
            }
        }
    }
}

/// Somebody without redirects, who comes from our own pages.
struct Browser<'a> {
    server: &'a Server,
    http: reqwest::Client,
}

impl Browser<'_> {
    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.server.url(path)).header("sec-fetch-site", "same-origin")
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.ask(Method::POST, path)
    }

    async fn json(&self, request: RequestBuilder) -> Value {
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}

fn cookie_of(answer: &Response) -> String {
    let lines = answer.headers().get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap());
    lines.map(|line| line.split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
}

/// Drives everything; what it used goes into `secrets`.
async fn drive(server: &Server, secrets: &mut Secrets) {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let browser = Browser { server, http };
    let setup = server.greeting.split("/first#").nth(1).unwrap().split_whitespace().next().unwrap();
    let setup = secrets.keep("the first administrator's link", setup);
    let first = [("token", setup.as_str()), ("username", "ada"), ("password", PASSWORD)];
    let answer = browser.post("/first").form(&first).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let cookie = cookie_of(&answer);
    for part in cookie.split("; ") {
        secrets.keep("a cookie", part.split_once('=').unwrap().1);
    }
    sign_in_wrongly(&browser).await;
    let access = tokens(&browser, secrets).await;
    invite(&browser, secrets, &access).await;
    streams(&browser, secrets, &access).await;
    personal(&browser, secrets, &access).await;
    let change = json!({"current_password": PASSWORD, "new_password": SECOND, "end_other_sessions": true});
    browser.json(browser.ask(Method::PUT, "/auth/me/password").bearer_auth(&access).json(&change)).await;
    let out = browser.post("/sign-out").header("cookie", &cookie).send().await.unwrap();
    assert!(out.status().as_u16() < 500);
    // An address that is nobody's, with secrets in it.
    let path = format!("/nothing/{access}?access_token={access}&password=correct+horse+battery+staple");
    browser.ask(Method::GET, &path).header("referer", format!("http://x/?ticket={access}")).send().await.unwrap();
}

async fn sign_in_wrongly(browser: &Browser<'_>) {
    for (username, password) in [("ada", WRONG), ("nobody", WRONG), (IN_THE_NAME_FIELD, WRONG), (PASSWORD, PASSWORD)] {
        let form = [("username", username), ("password", password)];
        for path in ["/auth/token", "/sign-in"] {
            let answer = browser.post(path).form(&form).send().await.unwrap();
            assert_eq!(answer.status(), 401, "{path} {username}");
        }
    }
    // A form that makes no sense, and JSON that is none.
    let answer = browser.post("/auth/token").form(&[("password", WRONG), ("password", WRONG)]).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let broken = format!("{{\"username\": \"eve\", \"password\": \"{WRONG}\"");
    let answer = browser.post("/auth/register").header("content-type", "application/json").body(broken).send().await;
    assert_eq!(answer.unwrap().status(), 422);
    let wrong_type = json!({"username": "eve", "password": [WRONG]});
    assert_eq!(browser.post("/auth/register").json(&wrong_type).send().await.unwrap().status(), 422);
}

/// Signs in, refreshes, plays the old token again, revokes; answers an access token that is good.
async fn tokens(browser: &Browser<'_>, secrets: &mut Secrets) -> String {
    let form = [("username", "ada"), ("password", PASSWORD)];
    let mut last = String::new();
    for _ in 0..2 {
        let signed_in = browser.json(browser.post("/auth/token").form(&form)).await;
        let refresh = secrets.keep("a refresh token", signed_in["refresh_token"].as_str().unwrap());
        secrets.keep("an access token", signed_in["access_token"].as_str().unwrap());
        let renew = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        let renewed = browser.json(browser.post("/auth/token").form(&renew)).await;
        let next = secrets.keep("a renewed refresh token", renewed["refresh_token"].as_str().unwrap());
        last = secrets.keep("a renewed access token", renewed["access_token"].as_str().unwrap());
        let again = [("grant_type", "refresh_token"), ("refresh_token", next.as_str())];
        browser.json(browser.post("/auth/token").form(&again)).await;
        if secrets.0.len() < 10 {
            // A replay, which ends this family.
            browser.post("/auth/token").form(&renew).send().await.unwrap();
        }
    }
    let signature = last.rsplit('.').next().unwrap().to_owned();
    secrets.keep("an access token's signature", &signature);
    let signed_in = browser.json(browser.post("/auth/token").form(&form)).await;
    let refresh = secrets.keep("a revoked token", signed_in["refresh_token"].as_str().unwrap());
    let access = secrets.keep("an access token", signed_in["access_token"].as_str().unwrap());
    let other = browser.json(browser.post("/auth/token").form(&form)).await;
    let good = secrets.keep("an access token", other["access_token"].as_str().unwrap());
    browser.json(browser.post("/auth/introspect").bearer_auth(&good).form(&[("token", &access)])).await;
    browser.json(browser.post("/auth/revoke").form(&[("token", &refresh)])).await;
    browser.ask(Method::GET, "/auth/me").bearer_auth(&access).send().await.unwrap();
    good
}

async fn invite(browser: &Browser<'_>, secrets: &mut Secrets, access: &str) {
    let answer = browser.post("/auth/invites").bearer_auth(access).json(&json!({"roles": {"main": "viewer"}})).send();
    let answer = answer.await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    let invited: Value = answer.json().await.unwrap();
    let link = invited["link"].as_str().unwrap();
    let token = secrets.keep("an invitation", link.split('#').nth(1).unwrap());
    let body = json!({"username": "bob", "password": SECOND, "invite": token});
    browser.json(browser.post("/auth/register").json(&body)).await;
    let again = json!({"username": "eve", "password": SECOND, "invite": token});
    assert!(browser.post("/auth/register").json(&again).send().await.unwrap().status().is_client_error());
}

async fn streams(browser: &Browser<'_>, secrets: &mut Secrets, access: &str) {
    for path in ["/api/events", "/ws"] {
        let made = browser.json(browser.post("/auth/ws-ticket").bearer_auth(access)).await;
        let ticket = secrets.keep("a ticket", made["ticket"].as_str().unwrap());
        for _ in 0..2 {
            // The second time it is used up.
            let stream = browser.ask(Method::GET, &format!("{path}?ticket={ticket}"));
            let upgrade = stream
                .header("connection", "upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
            assert!(upgrade.send().await.unwrap().status().as_u16() < 500);
        }
    }
}

async fn personal(browser: &Browser<'_>, secrets: &mut Secrets, access: &str) {
    let made = json!({"name": "script", "scopes": ["files:read", "files:write"]});
    let made = browser.json(browser.post("/auth/tokens").bearer_auth(access).json(&made)).await;
    let token = secrets.keep("a personal token", made["token"].as_str().unwrap());
    secrets.keep("a personal token as Basic", &format!("ada:{token}"));
    browser.json(browser.ask(Method::GET, "/api/files").bearer_auth(&token)).await;
    browser.json(browser.ask(Method::GET, "/api/files").basic_auth("ada", Some(&token))).await;
    browser.ask(Method::GET, "/api/files").basic_auth("eve", Some(&token)).send().await.unwrap();
    let forged = secrets.keep("a forged token", &format!("{}{}", &token[..token.len() - 4], "AAAA"));
    browser.ask(Method::GET, "/api/files").bearer_auth(&forged).send().await.unwrap();
}

/// All that the program says on standard error until it ends.
fn read_aside(command: &mut Command) -> (Server, mpsc::Receiver<String>) {
    let (reader, writer) = std::io::pipe().unwrap();
    command.stderr(Stdio::from(writer));
    let server = Server::start(std::mem::replace(command, Command::new("true")));
    let (done, log) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut reader, mut text) = (reader, Vec::new());
        let _ = reader.read_to_end(&mut text);
        let _ = done.send(String::from_utf8_lossy(&text).into_owned());
    });
    (server, log)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_password_code_or_key_is_in_any_log_at_any_level() {
    for format in ["human", "json"] {
        let program = Program::new();
        let mut command = program.command(["--listen", "127.0.0.1:0", "--log", "trace", "--log-format", format]);
        command.env("SECRET_KEY", OWN_KEY).env("STRONGROOM_REGISTRATION", "invite");
        let (server, log) = read_aside(&mut command);
        let mut secrets = Secrets::default();
        for (what, secret) in [
            ("a password", PASSWORD),
            ("a wrong password", WRONG),
            ("a new password", SECOND),
            ("what was typed into the wrong field", IN_THE_NAME_FIELD),
            ("the master key", OWN_KEY),
        ] {
            secrets.keep(what, secret);
        }
        drive(&server, &mut secrets).await;
        server.terminate();
        assert!(server.ends_well());
        drop(command);
        let log = log.recv_timeout(Duration::from_secs(30)).unwrap();
        for library in
            ["answered", "strongroom auth failure", if format == "json" { "\"level\":\"DEBUG\"" } else { "DEBUG" }]
        {
            assert!(
                log.contains(library),
                "the log is not what it should be: {library}: {}",
                &log[..log.len().min(2000)]
            );
        }
        secrets.assert_absent_from(&log);
    }
}
