//! `strongroom user`, beside a running server or without one.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::program::{Client, PASSWORD, Program};

#[test]
fn added_accounts_are_listed_with_roles() {
    let program = Program::with_ada();
    program.add(
        "Bob",
        &["--display-name", "Bob ☃", "--email", "bob@example.org"],
    );
    let list = program.run(&["user", "list"]).well();
    let lines: Vec<Vec<&str>> = list
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0][..2], ["ada", "administrator,"]);
    assert_eq!(lines[1], ["bob", "editor", "of", "main"]);
}

#[test]
fn invalid_account_is_not_added() {
    let program = Program::with_ada();
    let add = |name: &str, more: &[&str], password: &str| {
        program.run_with_input(
            &[&["user", "add", name, "--password-stdin"], more].concat(),
            password,
        )
    };
    add("ada", &[], PASSWORD).badly("already registered");
    add("bob", &[], "short").badly("at least 15 characters");
    add("bob", &[], "").badly("at least 15 characters");
    add("bobby", &[], "bobbybobbybobbybobby").badly("username");
    add("b ob", &[], PASSWORD).badly("letters a to z");
    add("bob", &["--email", "nonsense"], PASSWORD).badly("e-mail");
    program
        .run(&["user", "add", "bob"])
        .badly("--password-stdin");
    assert_eq!(program.run(&["user", "list"]).well().lines().count(), 1);
}

#[test]
fn account_commands_do_not_create_data_folder() {
    let program = Program::new();
    for command in [
        &["user", "list"][..],
        &["user", "disable", "ada"],
        &["user", "enable", "ada"],
        &["user", "recover", "ada", "--reason", "lost"],
        &["verify"],
    ] {
        program
            .run(command)
            .badly("there is no Strongroom in strongroom-data");
    }
    assert!(!program.data().exists());
}

#[test]
fn output_write_failure_exits_nonzero_except_broken_pipe() {
    let program = Program::with_ada();
    let full = || {
        std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    for command in [
        &["user", "list"][..],
        &["user", "reset", "ada"],
        &["user", "invite"],
    ] {
        let output = program.command(command).stdout(full()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(1) && said.contains("could be written"),
            "{command:?}: {said}"
        );
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert!(
        program
            .command(["user", "list"])
            .stdout(writer)
            .output()
            .unwrap()
            .status
            .success()
    );
}

#[test]
fn password_stdin_accepts_one_line_only() {
    let program = Program::new();
    let add = ["user", "add", "ada", "--password-stdin"];
    program
        .run_with_input(&add, "a line of words\nand another one of them")
        .badly("more than one line");
    let said = program.run_with_input(&add, "correct horse battery staple\n");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        !said.err.contains("A new Strongroom"),
        "the first try made it: {said:?}"
    );
    let elsewhere = Program::new();
    let said = elsewhere.run_with_input(&add, "correct horse battery staple\n");
    assert!(
        said.err.contains("A new Strongroom was made in"),
        "{said:?}"
    );
}

#[test]
fn user_recover_requires_reason_and_resets_factors() {
    let program = Program::with_ada();
    program
        .run(&["user", "recover", "ada", "--reason", " "])
        .badly("Say why");
    program
        .run(&["user", "recover", "nobody", "--reason", "lost"])
        .badly("User not found");
    let said = program
        .run(&["user", "recover", "ada", "--reason", "Lost the phone"])
        .well();
    assert_eq!(
        said.trim(),
        "ada signs in with the password alone now; every session of it has ended."
    );
}

#[test]
fn console_cannot_disable_last_administrator() {
    let program = Program::with_ada();
    program
        .run(&["user", "disable", "ada"])
        .badly("last administrator");
    program
        .run(&["user", "disable", "nobody"])
        .badly("User not found");
}

#[tokio::test(flavor = "multi_thread")]
async fn console_disable_ends_session_within_a_second() {
    let program = Program::with_ada();
    program.add("bob", &[]);
    let server = program.serve();
    let bob = Client::new(&server, &server.sign_in("bob", PASSWORD).await.unwrap());
    bob.see("/api/files").await;
    program.run(&["user", "disable", "bob"]).well();
    let disabled = Instant::now();
    while bob.get("/api/files").send().await.unwrap().status() != 401 {
        assert!(disabled.elapsed() < Duration::from_secs(1), "still in");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.sign_in("bob", PASSWORD).await, None);
    program.run(&["user", "enable", "bob"]).well();
    assert!(server.sign_in("bob", PASSWORD).await.is_some());
    assert_eq!(
        bob.get("/api/files").send().await.unwrap().status(),
        401,
        "an ended session stays ended"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn account_added_beside_running_server_can_sign_in() {
    let program = Program::with_ada();
    let server = program.serve();
    program.add("carl", &[]);
    let carl = Client::new(&server, &server.sign_in("carl", PASSWORD).await.unwrap());
    carl.add("a.step", "solid").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn console_invitation_promotion_and_sign_out_take_effect() {
    let program = Program::with_ada();
    program
        .run(&["user", "invite", "--registration", "closed"])
        .badly("closed");
    let server = program.serve_with(&["--registration", "invite"]);
    let invite = |more: &[&str]| {
        program.run(&[&["user", "invite", "--registration", "invite"], more].concat())
    };
    invite(&["--role", "main"]).badly("VAULT=ROLE");
    invite(&["--role", "main=king"]).badly("viewer, editor or manager");
    invite(&["--role", "attic=editor"]).badly("no vault attic");
    let said = invite(&["--role", "main=viewer", "--email", "bob@example.org"]).well();
    let token = said.trim().rsplit_once("/join#").unwrap().1;
    let join = |name: &str| {
        let body = json!({"username": name, "password": PASSWORD, "invite": token});
        reqwest::Client::new()
            .post(server.url("/auth/register"))
            .json(&body)
            .send()
    };
    assert_eq!(join("bob").await.unwrap().status(), 201);
    assert_eq!(join("eve").await.unwrap().status(), 403, "it works once");

    program
        .run(&["user", "promote", "nobody"])
        .badly("User not found");
    program.run(&["user", "promote", "bob"]).well();
    assert!(
        program
            .run(&["user", "list"])
            .well()
            .contains("administrator, viewer of main")
    );
    program.run(&["user", "demote", "bob"]).well();
    assert!(
        !program
            .run(&["user", "list"])
            .well()
            .contains("administrator, viewer of main")
    );
    program
        .run(&["user", "demote", "ada"])
        .badly("last administrator");

    let bob = Client::new(&server, &server.sign_in("bob", PASSWORD).await.unwrap());
    bob.see("/api/files").await;
    program.run(&["user", "end-sessions", "bob"]).well();
    let ended = Instant::now();
    while bob.get("/api/files").send().await.unwrap().status() != 401 {
        assert!(ended.elapsed() < Duration::from_secs(1), "still in");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn console_ends_all_sessions_with_audited_reason() {
    let program = Program::with_ada();
    program.add("bob", &[]);
    program
        .run(&["user", "end-sessions", "--everybody"])
        .badly("--reason");
    program
        .run(&[
            "user",
            "end-sessions",
            "bob",
            "--everybody",
            "--reason",
            "x",
        ])
        .badly("cannot be used with");
    let server = program.serve();
    let mut clients = Vec::new();
    for name in ["ada", "bob"] {
        let client = Client::new(&server, &server.sign_in(name, PASSWORD).await.unwrap());
        client.see("/api/files").await;
        clients.push(client);
    }
    program
        .run(&[
            "user",
            "end-sessions",
            "--everybody",
            "--reason",
            "A laptop was stolen",
        ])
        .well();
    let ended = Instant::now();
    for client in &clients {
        while client.get("/api/files").send().await.unwrap().status() != 401 {
            assert!(ended.elapsed() < Duration::from_secs(1), "still in");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert!(
        server.sign_in("bob", PASSWORD).await.is_some(),
        "and may sign in again"
    );
    let exported = program
        .run(&["audit", "export", "--chain", "accounts"])
        .well();
    let told: Vec<_> = exported
        .lines()
        .filter(|line| line.contains("everybody.signed_out"))
        .collect();
    assert!(
        told.len() == 1 && told[0].contains("A laptop was stolen") && told[0].contains("console"),
        "{told:?}"
    );
}
