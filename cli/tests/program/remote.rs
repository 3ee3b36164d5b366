//! `strongroom login`, `whoami` and `logout`, against a real server.

use std::{
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::program::{Client, PASSWORD, Program, Said, Server};

impl Program {
    /// Reached at its own address, so that it calls itself by it.
    fn serve_itself(&self) -> Server {
        Server::start(self.command(["--listen", "127.0.0.1:0", "--log", "warn"]))
    }

    fn home(&self) -> PathBuf {
        self.folder().join("home")
    }

    pub(crate) fn kept(&self) -> PathBuf {
        self.home().join("strongroom/servers.json")
    }

    pub(crate) fn kept_json(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.kept()).unwrap()).unwrap()
    }

    fn remote(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        command.env("XDG_CONFIG_HOME", self.home());
        command
    }

    pub(crate) fn say(&self, arguments: &[&str]) -> Said {
        let output = self.remote(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

/// A login that waits, and the code that it shows.
pub(crate) struct Waiting {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    pub(crate) code: String,
}

impl Waiting {
    pub(crate) fn at(program: &Program, url: &str) -> Self {
        let mut child = program
            .remote(&["login", url])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.contains("Ctrl-C") {
            assert_ne!(out.read_line(&mut said).unwrap(), 0, "it ended: {said}");
        }
        assert!(said.contains(&format!("    {url}/device\n")), "{said}");
        let code = said
            .split_once("type this code:\n\n    ")
            .unwrap()
            .1
            .lines()
            .next()
            .unwrap()
            .to_owned();
        Self { child, out, code }
    }

    pub(crate) fn ends(mut self) -> (bool, String) {
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
    let seen: Value = look.json().await.unwrap();
    assert_eq!(seen["user_code"], code, "{seen}");
    assert!(
        seen["user_agent"]
            .as_str()
            .unwrap()
            .starts_with("strongroom/"),
        "{seen}"
    );
    let body = json!({"user_code": code, "request": seen["request"], "decision": decision});
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

#[tokio::test(flavor = "multi_thread")]
async fn device_login_stores_tokens_and_logout_revokes_them() {
    let program = Program::with_ada();
    let server = program.serve_itself();
    let ada = server.ada().await;
    let url = server.url("");
    program.say(&["whoami"]).badly("strongroom login");
    let waiting = Waiting::at(&program, &server.url(""));
    decide_as(&ada, &waiting.code, "approve").await;
    let (well, said) = waiting.ends();
    assert!(
        well && said.contains(&format!("Signed in to {url}")),
        "{said}"
    );
    // kept where nobody else reads it
    let kept = program.kept();
    assert_eq!(
        std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        std::fs::metadata(kept.parent().unwrap())
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    let who = program.say(&["whoami"]).well();
    assert!(
        who.starts_with(&format!("ada at {url}\n"))
            && who.contains("files:read files:write locks:override"),
        "{who}"
    );
    // a dead access token is renewed, and what is kept is the new one
    let mut json = program.kept_json();
    let (access, refresh) = ("/access_token", "/refresh_token");
    let held = |json: &Value, what: &str| {
        json["servers"][&url][what.trim_start_matches('/')]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let old = held(&json, refresh);
    json["servers"][&url]["expires_at"] = json!("2020-01-01T00:00:00Z");
    std::fs::write(&kept, json.to_string()).unwrap();
    program.say(&["whoami", &url]).well();
    let renewed = program.kept_json();
    assert_ne!(held(&renewed, refresh), old);
    assert!(!who.contains(&held(&renewed, access)));
    assert_eq!(
        std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777,
        0o600
    );
    // out, on the server too
    let token = held(&renewed, access);
    let cli = Client::new(&server, &token);
    assert_eq!(cli.get("/auth/me").send().await.unwrap().status(), 200);
    assert_eq!(
        program.say(&["logout"]).well(),
        format!("Signed out of {url}.\n")
    );
    assert_eq!(cli.get("/auth/me").send().await.unwrap().status(), 401);
    program.say(&["whoami", &url]).badly("not signed in");
    program.say(&["logout"]).badly("not signed in");
    assert!(!std::fs::read_to_string(&kept).unwrap().contains("sr_rt_"));
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_or_interrupted_login_stores_no_tokens() {
    let program = Program::with_ada();
    let server = program.serve_itself();
    let ada = server.ada().await;
    let waiting = Waiting::at(&program, &server.url(""));
    decide_as(&ada, &waiting.code, "deny").await;
    assert!(!waiting.ends().0);
    let waiting = Waiting::at(&program, &server.url(""));
    let interrupt = Command::new("sh")
        .args(["-c", &format!("kill -INT {}", waiting.child.id())])
        .status()
        .unwrap();
    assert!(interrupt.success() && !waiting.ends().0);
    assert!(!program.kept().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn cli_reports_ended_session_and_rejects_readable_credentials() {
    let program = Program::with_ada();
    let server = program.serve_itself();
    let ada = server.ada().await;
    let url = server.url("");
    let waiting = Waiting::at(&program, &server.url(""));
    decide_as(&ada, &waiting.code, "approve").await;
    assert!(waiting.ends().0);
    std::fs::set_permissions(program.kept(), std::fs::Permissions::from_mode(0o644)).unwrap();
    program.say(&["whoami"]).badly("chmod 600");
    std::fs::set_permissions(program.kept(), std::fs::Permissions::from_mode(0o600)).unwrap();
    ada.post("/auth/sessions/end-others").send().await.unwrap();
    program.say(&["whoami"]).badly(&format!(
        "your sign-in to {url} has ended: strongroom login {url}"
    ));
    program.say(&["whoami"]).badly("not signed in");
    let waiting = Waiting::at(&program, &server.url(""));
    decide_as(&ada, &waiting.code, "approve").await;
    assert!(waiting.ends().0);
    server.stop();
    program.say(&["whoami"]).badly("cannot be reached");
    // forgotten here all the same
    program.say(&["logout"]).badly("cannot be reached");
    program.say(&["whoami"]).badly("not signed in");
}

#[tokio::test(flavor = "multi_thread")]
async fn login_rejects_server_with_another_public_url() {
    let program = Program::with_ada();
    // calls itself http://strongroom.test
    let server = program.serve();
    program
        .say(&["login", &server.url("")])
        .badly("calls itself http://strongroom.test");
    program
        .say(&["login", "ftp://files.example.org"])
        .badly("no address of a server");
    program
        .say(&["login", "https://files.example.org/x"])
        .badly("no address of a server");
    assert!(server.sign_in("ada", PASSWORD).await.is_some());
    let own = program.serve_other();
    program
        .say(&["login", "--scope", "account", &own.url("")])
        .badly("scope");
}

impl Program {
    /// On a data folder of its own.
    fn serve_other(&self) -> Server {
        Server::start(self.command([
            "--listen",
            "127.0.0.1:0",
            "--log",
            "warn",
            "--data",
            "other",
        ]))
    }
}
