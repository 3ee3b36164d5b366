//! The binary in a temporary folder, and HTTP clients of it.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use reqwest::{RequestBuilder, multipart};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// The same at each start, although the port changes, because it is the issuer of tokens.
const URL: &str = "http://strongroom.test";

/// A temporary folder for the data folder and other files.
pub(crate) struct TestProgram {
    folder: TempDir,
}

impl TestProgram {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Has the administrator ada.
    pub(crate) fn with_ada() -> Self {
        let program = Self::new();
        program.add_user("ada", &["--admin"]);
        program
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data_folder(&self) -> PathBuf {
        self.folder().join("strongroom-data")
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.data_folder().join("vaults/main.git")
    }

    /// A command with an empty environment.
    pub(crate) fn command<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
        command
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .current_dir(self.folder());
        command.args(arguments).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> CommandOutput {
        CommandOutput::of(&self.command(arguments).output().unwrap())
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> CommandOutput {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The program may exit without reading.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        CommandOutput::of(&child.wait_with_output().unwrap())
    }

    pub(crate) fn add_user(&self, name: &str, more: &[&str]) {
        let arguments = [&["user", "add", name, "--password-stdin"], more].concat();
        self.run_with_input(&arguments, PASSWORD).expect_success();
    }

    pub(crate) fn write_file(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.folder().join(name), text).unwrap();
    }

    pub(crate) fn serve(&self) -> TestServer {
        self.serve_with(&[])
    }

    pub(crate) fn serve_with(&self, more: &[&str]) -> TestServer {
        let arguments = [
            "--listen",
            "127.0.0.1:0",
            "--public-url",
            URL,
            "--log",
            "warn",
        ];
        let mut command = self.command([&arguments, more].concat());
        command.env("STRONGROOM_REGISTRATION", "open");
        TestServer::start(command)
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .arg("-C")
            .arg(self.repository())
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Output and exit code of a command.
#[derive(Debug)]
pub(crate) struct CommandOutput {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl CommandOutput {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    #[track_caller]
    pub(crate) fn expect_success(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// Asserts a failure whose message contains `what` and repeats no part.
    #[track_caller]
    pub(crate) fn expect_failure(self, what: &str) -> String {
        assert!(self.code.is_some_and(|code| code != 0), "{self:?}");
        assert!(self.err.contains(what), "\"{what}\" is not in {self:?}");
        for line in self.err.lines() {
            let mut parts: Vec<_> = line.split(": ").filter(|part| part.len() > 8).collect();
            let all = parts.len();
            parts.sort_unstable();
            parts.dedup();
            assert_eq!(parts.len(), all, "repeated: {line}");
        }
        assert!(!self.err.contains("panicked"), "{self:?}");
        self.err
    }
}

/// A running server. Killed on drop.
pub(crate) struct TestServer {
    child: Child,
    url: String,
    /// The lines that it printed at the start.
    pub(crate) startup_line: String,
    // Stays open, as a terminal does.
    out: BufReader<std::process::ChildStdout>,
}

impl TestServer {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut startup_line = String::new();
        // The last line of the greeting, with or without an administrator.
        while !startup_line.contains("to sign in") && !startup_line.contains("/first#") {
            assert_ne!(
                out.read_line(&mut startup_line).unwrap(),
                0,
                "the server exited: {startup_line}"
            );
        }
        let address = startup_line
            .split_once("listening on ")
            .unwrap()
            .1
            .split(')')
            .next()
            .unwrap();
        Self {
            url: format!("http://{address}"),
            child,
            startup_line,
            out,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Sends SIGKILL: the server cannot clean up.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.child.id())])
            .status()
            .unwrap();
        assert!(kill.success());
    }

    /// True if the server exits with 0 within 30 s.
    pub(crate) fn exits_successfully(mut self) -> bool {
        let until = Instant::now() + Duration::from_secs(30);
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    pub(crate) fn stop(self) {
        self.terminate();
        assert!(self.exits_successfully());
    }

    pub(crate) fn remaining_output(&mut self) -> String {
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.out, &mut rest).unwrap();
        rest
    }

    pub(crate) async fn sign_in(&self, username: &str, password: &str) -> Option<String> {
        let form = [("username", username), ("password", password)];
        let response = reqwest::Client::new()
            .post(self.url("/auth/token"))
            .form(&form)
            .send()
            .await
            .unwrap();
        let body: Value = response.json().await.unwrap();
        body["access_token"].as_str().map(str::to_owned)
    }

    pub(crate) async fn sign_in_as_ada(&self) -> Client {
        Client::new(self, &self.sign_in("ada", PASSWORD).await.unwrap())
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An HTTP client with an access token.
#[derive(Clone)]
pub(crate) struct Client {
    url: String,
    pub(crate) token: String,
    http: reqwest::Client,
}

impl Client {
    pub(crate) fn new(server: &TestServer, token: &str) -> Self {
        Self {
            url: server.url.clone(),
            token: token.to_owned(),
            http: reqwest::Client::new(),
        }
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.http
            .get(format!("{}{path}", self.url))
            .bearer_auth(&self.token)
    }

    pub(crate) fn put(&self, path: &str) -> RequestBuilder {
        self.http
            .put(format!("{}{path}", self.url))
            .bearer_auth(&self.token)
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.http
            .post(format!("{}{path}", self.url))
            .bearer_auth(&self.token)
    }

    pub(crate) async fn get_json(&self, path: &str) -> Value {
        let response = self.get(path).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {response:?}");
        response.json().await.unwrap()
    }

    /// Polls `path` until it answers 401, which must happen within `limit`. Until then it answers 200.
    pub(crate) async fn wait_for_end_of_session(&self, path: &str, limit: Duration) {
        let since = Instant::now();
        loop {
            let status = self.get(path).send().await.unwrap().status();
            if status == 401 {
                return;
            }
            assert_eq!(status, 200, "{path}");
            assert!(since.elapsed() < limit, "the session is still valid");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn add(&self, name: &str, content: &str) {
        let request = self
            .put(&format!("/api/files/{name}/content"))
            .multipart(upload_form(content, "added"));
        assert_eq!(request.send().await.unwrap().status(), 201);
    }
}

pub(crate) fn upload_form(content: &str, comment: &str) -> multipart::Form {
    let file = multipart::Part::bytes(content.as_bytes().to_vec()).file_name("file");
    multipart::Form::new()
        .text("comment", comment.to_owned())
        .part("file", file)
}
