//! `strongroom login`, `whoami` and `logout` against a real server.

use std::{
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::test_program::{Client, CommandOutput, PASSWORD, TestProgram, TestServer};

impl TestProgram {
    /// Serves with the listen address as the public URL.
    fn serve_at_own_address(&self) -> TestServer {
        TestServer::start(self.command(["--listen", "127.0.0.1:0", "--log", "warn"]))
    }

    fn home_folder(&self) -> PathBuf {
        self.folder().join("home")
    }

    pub(crate) fn credentials_file(&self) -> PathBuf {
        self.home_folder().join("strongroom/servers.json")
    }

    pub(crate) fn credentials_json(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.credentials_file()).unwrap()).unwrap()
    }

    fn remote_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        command.env("XDG_CONFIG_HOME", self.home_folder());
        command
    }

    pub(crate) fn run_client(&self, arguments: &[&str]) -> CommandOutput {
        let output = self.remote_command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        CommandOutput {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

/// A login that waits for approval, with its user code.
pub(crate) struct PendingLogin {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    pub(crate) code: String,
}

impl PendingLogin {
    pub(crate) fn start(program: &TestProgram, url: &str) -> Self {
        let mut child = program
            .remote_command(&["login", url])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut printed = String::new();
        while !printed.contains("Ctrl-C") {
            assert_ne!(
                out.read_line(&mut printed).unwrap(),
                0,
                "the login exited: {printed}"
            );
        }
        assert!(
            printed.contains(&format!("    {url}/device\n")),
            "{printed}"
        );
        let code = printed
            .split_once("enter this code:\n\n    ")
            .unwrap()
            .1
            .lines()
            .next()
            .unwrap()
            .to_owned();
        Self { child, out, code }
    }

    pub(crate) fn finish(mut self) -> (bool, String) {
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.out, &mut rest).unwrap();
        (self.child.wait().unwrap().success(), rest)
    }
}

pub(crate) async fn decide_as(person: &Client, code: &str, decision: &str) {
    let look = person
        .post("/auth/device/look")
        .json(&json!({"user_code": code}))
        .send()
        .await
        .unwrap();
    let pending: Value = look.json().await.unwrap();
    assert_eq!(pending["user_code"], code, "{pending}");
    assert!(
        pending["user_agent"]
            .as_str()
            .unwrap()
            .starts_with("strongroom/"),
        "{pending}"
    );
    let body = json!({"user_code": code, "request": pending["request"], "decision": decision});
    assert_eq!(
        person
            .post("/auth/device/decide")
            .json(&body)
            .send()
            .await
            .unwrap()
            .status(),
        204
    );
}

fn permission_bits(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn stored_token(program: &TestProgram, url: &str, what: &str) -> String {
    program.credentials_json()["servers"][url][what]
        .as_str()
        .unwrap()
        .to_owned()
}

/// An expired access token is refreshed and stored.
fn assert_expired_token_is_refreshed(program: &TestProgram, url: &str) {
    let old = stored_token(program, url, "refresh_token");
    let mut json = program.credentials_json();
    json["servers"][url]["expires_at"] = json!("2020-01-01T00:00:00Z");
    let credentials = program.credentials_file();
    std::fs::write(&credentials, json.to_string()).unwrap();
    program.run_client(&["whoami", url]).expect_success();
    assert_ne!(stored_token(program, url, "refresh_token"), old);
    assert_eq!(permission_bits(&credentials), 0o600);
}

/// Logout revokes the session on the server.
async fn assert_logout_revokes_session(program: &TestProgram, server: &TestServer) {
    let url = server.url("");
    let token = stored_token(program, &url, "access_token");
    let cli = Client::new(server, &token);
    assert_eq!(cli.get("/auth/me").send().await.unwrap().status(), 200);
    assert_eq!(
        program.run_client(&["logout"]).expect_success(),
        format!("Signed out of {url}.\n")
    );
    assert_eq!(cli.get("/auth/me").send().await.unwrap().status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn device_login_stores_tokens_and_logout_revokes_them() {
    let program = TestProgram::with_ada();
    let server = program.serve_at_own_address();
    let ada = server.sign_in_as_ada().await;
    let url = server.url("");
    program
        .run_client(&["whoami"])
        .expect_failure("strongroom login");
    let login = PendingLogin::start(&program, &server.url(""));
    decide_as(&ada, &login.code, "approve").await;
    let (success, printed) = login.finish();
    assert!(
        success && printed.contains(&format!("Signed in to {url}")),
        "{printed}"
    );
    let credentials = program.credentials_file();
    // Only the user can read the credentials.
    assert_eq!(permission_bits(&credentials), 0o600);
    assert_eq!(permission_bits(credentials.parent().unwrap()), 0o700);
    let who = program.run_client(&["whoami"]).expect_success();
    assert!(
        who.starts_with(&format!("ada at {url}\n"))
            && who.contains("files:read files:write locks:override"),
        "{who}"
    );
    assert_expired_token_is_refreshed(&program, &url);
    assert!(!who.contains(&stored_token(&program, &url, "access_token")));
    assert_logout_revokes_session(&program, &server).await;
    program
        .run_client(&["whoami", &url])
        .expect_failure("not signed in");
    program
        .run_client(&["logout"])
        .expect_failure("not signed in");
    assert!(
        !std::fs::read_to_string(&credentials)
            .unwrap()
            .contains("sr_rt_")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_or_interrupted_login_stores_no_tokens() {
    let program = TestProgram::with_ada();
    let server = program.serve_at_own_address();
    let ada = server.sign_in_as_ada().await;
    let login = PendingLogin::start(&program, &server.url(""));
    decide_as(&ada, &login.code, "deny").await;
    assert!(!login.finish().0);
    let login = PendingLogin::start(&program, &server.url(""));
    let interrupt = Command::new("sh")
        .args(["-c", &format!("kill -INT {}", login.child.id())])
        .status()
        .unwrap();
    assert!(interrupt.success() && !login.finish().0);
    assert!(!program.credentials_file().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn cli_reports_ended_session_and_rejects_readable_credentials() {
    let program = TestProgram::with_ada();
    let server = program.serve_at_own_address();
    let ada = server.sign_in_as_ada().await;
    let url = server.url("");
    let login = PendingLogin::start(&program, &server.url(""));
    decide_as(&ada, &login.code, "approve").await;
    assert!(login.finish().0);
    std::fs::set_permissions(
        program.credentials_file(),
        std::fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    program.run_client(&["whoami"]).expect_failure("chmod 600");
    std::fs::set_permissions(
        program.credentials_file(),
        std::fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    let ended = ada.post("/auth/sessions/end-others").send().await.unwrap();
    assert_eq!(ended.status(), 200);
    assert_eq!(ended.json::<Value>().await.unwrap()["ended"], 1);
    program.run_client(&["whoami"]).expect_failure(&format!(
        "your session on {url} has ended: run strongroom login {url}"
    ));
    program
        .run_client(&["whoami"])
        .expect_failure("not signed in");
    let login = PendingLogin::start(&program, &server.url(""));
    decide_as(&ada, &login.code, "approve").await;
    assert!(login.finish().0);
    server.stop();
    program
        .run_client(&["whoami"])
        .expect_failure("cannot be reached");
    // Logout removes the credentials even if the server fails.
    program
        .run_client(&["logout"])
        .expect_failure("cannot be reached");
    program
        .run_client(&["whoami"])
        .expect_failure("not signed in");
}

#[tokio::test(flavor = "multi_thread")]
async fn login_rejects_server_with_another_public_url() {
    let program = TestProgram::with_ada();
    // Its public URL is http://strongroom.test.
    let server = program.serve();
    program
        .run_client(&["login", &server.url("")])
        .expect_failure("has the public URL http://strongroom.test");
    program
        .run_client(&["login", "ftp://files.example.org"])
        .expect_failure("is not a server address");
    program
        .run_client(&["login", "https://files.example.org/x"])
        .expect_failure("is not a server address");
    assert!(server.sign_in("ada", PASSWORD).await.is_some());
    let own = program.serve_other_folder();
    program
        .run_client(&["login", "--scope", "account", &own.url("")])
        .expect_failure("scope");
}

impl TestProgram {
    /// Serves another data folder.
    fn serve_other_folder(&self) -> TestServer {
        TestServer::start(self.command([
            "--listen",
            "127.0.0.1:0",
            "--log",
            "warn",
            "--data",
            "other",
        ]))
    }
}
