//! `strongroom audit`, and the log line that fail2ban matches.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use serde_json::Value;

use crate::test_program::{PASSWORD, TestProgram, TestServer};

/// The regular expression of docs/fail2ban.md, with `<ADDR>` expanded as fail2ban does.
fn documented_filter() -> regex::Regex {
    let page = include_str!("../../../docs/fail2ban.md");
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix("failregex = "))
        .unwrap();
    regex::Regex::new(&line.replace("<ADDR>", "(?P<address>[0-9a-f.:]+)")).unwrap()
}

fn parse_entries(lines: &str) -> Vec<Value> {
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

async fn fail_sign_in(server: &TestServer, username: &str) {
    let form = [
        ("username", username),
        ("password", "not the password at all"),
    ];
    let request = reqwest::Client::new()
        .post(server.url("/auth/token"))
        .form(&form);
    // Headers that a client controls must not get into the line.
    let request = request.header(
        "user-agent",
        "strongroom auth failure: address=198.51.100.1 account=a reason=password",
    );
    let request = request.header("x-request-id", "address=198.51.100.1");
    assert_eq!(request.send().await.unwrap().status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_verify_finds_edited_and_missing_entries() {
    let program = TestProgram::with_ada();
    let server = program.serve();
    server.sign_in_as_ada().await.add("gear.nc", "G0 X0").await;
    fail_sign_in(&server, "ada").await;
    server.stop();
    let verified = program.run(&["audit", "verify"]).expect_success();
    assert_eq!(
        verified,
        "accounts: 4 entries, all intact.\nvault main: 2 entries, all intact.\n"
    );
    let all = parse_entries(&program.run(&["audit", "export"]).expect_success());
    let words: Vec<_> = all
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        words,
        [
            "key.rotated",
            "account.created",
            "sign_in",
            "sign_in.refused",
            "vault.created",
            "file.add"
        ]
    );
    assert_eq!(
        (&all[1]["by"]["kind"], &all[5]["vault"], &all[5]["subject"]),
        (&"console".into(), &"main".into(), &"gear.nc".into())
    );
    let since = all[3]["at"].as_str().unwrap();
    let late = parse_entries(
        &program
            .run(&["audit", "export", "--chain", "accounts", "--since", since])
            .expect_success(),
    );
    assert_eq!(late, all[3..4]);
    program
        .run(&["audit", "export", "--chain", "attic"])
        .expect_failure("there is no vault \"attic\"");
    let sqlite = rusqlite::Connection::open(program.data_folder().join("strongroom.db")).unwrap();
    sqlite
        .execute(
            "UPDATE audit SET actor = 'eve' WHERE chain = 'accounts' AND n = 3",
            [],
        )
        .unwrap();
    sqlite
        .execute("DELETE FROM audit WHERE chain <> 'accounts' AND n = 1", [])
        .unwrap();
    let printed = program.run(&["audit", "verify"]);
    assert_eq!(printed.code, Some(1), "{printed:?}");
    assert_eq!(
        printed.out,
        "accounts: entry 3 of the audit log is missing or altered.\n\
         vault main: entry 1 of the audit log is missing or altered.\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_checkpoint_detects_truncated_chain() {
    let program = TestProgram::with_ada();
    let server = program.serve();
    fail_sign_in(&server, "ada").await;
    server.stop();
    program.run(&["audit", "verify"]).expect_success();
    let sqlite = rusqlite::Connection::open(program.data_folder().join("strongroom.db")).unwrap();
    let cut = "DELETE FROM audit WHERE chain = 'accounts' AND n = 3;
        UPDATE audit_heads SET n = 2, hash = (SELECT hash FROM audit WHERE chain = 'accounts' AND n = 2)
        WHERE chain = 'accounts';";
    sqlite.execute_batch(cut).unwrap();
    let printed = program.run(&["audit", "verify"]);
    assert_eq!(printed.code, Some(1), "{printed:?}");
    assert!(
        printed
            .out
            .contains("accounts: entry 3 of the audit log is missing"),
        "{printed:?}"
    );
    // New entries do not hide the gap.
    let server = program.serve();
    server.sign_in("ada", PASSWORD).await.unwrap();
    server.stop();
    assert_eq!(program.run(&["audit", "verify"]).code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_export_follow_streams_until_ctrl_c() {
    let program = TestProgram::with_ada();
    let server = program.serve();
    let mut child = program
        .command(["audit", "export", "--chain", "accounts", "--follow"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(next()["action"], "key.rotated");
    assert_eq!(next()["action"], "account.created");
    server.sign_in("ada", PASSWORD).await.unwrap();
    assert_eq!(next()["action"], "sign_in");
    fail_sign_in(&server, "ada").await;
    assert_eq!(next()["action"], "sign_in.refused");
    let kill = std::process::Command::new("sh")
        .args(["-c", &format!("kill -INT {}", child.id())])
        .status()
        .unwrap();
    assert!(kill.success() && child.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_sign_in_log_line_matches_documented_filter() {
    for format in ["human", "json"] {
        let program = TestProgram::with_ada();
        let mut command = program.command([
            "--listen",
            "127.0.0.1:0",
            "--log-format",
            format,
            "--log",
            "warn",
        ]);
        let (reader, writer) = std::io::pipe().unwrap();
        command.stderr(Stdio::from(writer));
        let server = TestServer::start(command);
        for username in [
            "ada",
            "nobody",
            "ada\nstrongroom auth failure: address=198.51.100.1 account=x reason=password",
            "<ADDR>",
        ] {
            fail_sign_in(&server, username).await;
        }
        server.stop();
        let mut log = String::new();
        std::io::Read::read_to_string(&mut { reader }, &mut log).unwrap();
        let filter = documented_filter();
        let found: Vec<_> = log
            .lines()
            .filter_map(|line| filter.captures(line))
            .map(|found| found["address"].to_owned())
            .collect();
        assert_eq!(found, ["127.0.0.1"; 4], "{log}");
        assert!(
            log.contains("address=127.0.0.1 account=ada reason=password"),
            "{log}"
        );
        assert!(
            log.contains("address=127.0.0.1 account=- reason=password") && !log.contains("nobody"),
            "{log}"
        );
        assert!(!log.contains("198.51.100.1"), "{log}");
    }
}
