//! `strongroom user`, with and without a running server.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::test_program::{Client, PASSWORD, TestProgram};

#[test]
fn added_accounts_are_listed_with_roles() {
    let program = TestProgram::with_ada();
    program.add_user(
        "Bob",
        &["--display-name", "Bob ☃", "--email", "bob@example.org"],
    );
    let list = program.run(&["user", "list"]).expect_success();
    let lines: Vec<Vec<&str>> = list
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0][..2], ["ada", "administrator,"]);
    assert_eq!(lines[1], ["bob", "editor", "of", "main"]);
}

#[test]
fn invalid_account_is_not_added() {
    let program = TestProgram::with_ada();
    let add = |name: &str, more: &[&str], password: &str| {
        program.run_with_input(
            &[&["user", "add", name, "--password-stdin"], more].concat(),
            password,
        )
    };
    add("ada", &[], PASSWORD).expect_failure("already registered");
    add("bob", &[], "short").expect_failure("at least 15 characters");
    add("bob", &[], "").expect_failure("at least 15 characters");
    add("bobby", &[], "bobbybobbybobbybobby").expect_failure("username");
    add("b ob", &[], PASSWORD).expect_failure("letters a to z");
    add("bob", &["--email", "nonsense"], PASSWORD).expect_failure("e-mail");
    program
        .run(&["user", "add", "bob"])
        .expect_failure("--password-stdin");
    assert_eq!(
        program
            .run(&["user", "list"])
            .expect_success()
            .lines()
            .count(),
        1
    );
}

#[test]
fn account_commands_do_not_create_data_folder() {
    let program = TestProgram::new();
    for command in [
        &["user", "list"][..],
        &["user", "disable", "ada"],
        &["user", "enable", "ada"],
        &["user", "recover", "ada", "--reason", "lost"],
        &["verify"],
    ] {
        program
            .run(command)
            .expect_failure("strongroom-data is not a Strongroom data folder");
    }
    assert!(!program.data_folder().exists());
}

#[test]
fn output_write_failure_exits_nonzero_except_broken_pipe() {
    let program = TestProgram::with_ada();
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
        let printed = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(1) && printed.contains("could not be written"),
            "{command:?}: {printed}"
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
    let program = TestProgram::new();
    let add = ["user", "add", "ada", "--password-stdin"];
    program
        .run_with_input(&add, "a line of words\nand another one of them")
        .expect_failure("more than one line");
    let printed = program.run_with_input(&add, "correct horse battery staple\n");
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert!(
        !printed.err.contains("Created the data folder"),
        "the first attempt created it: {printed:?}"
    );
    let elsewhere = TestProgram::new();
    let printed = elsewhere.run_with_input(&add, "correct horse battery staple\n");
    assert!(
        printed.err.contains("Created the data folder"),
        "{printed:?}"
    );
}

#[test]
fn user_recover_requires_reason_and_resets_factors() {
    let program = TestProgram::with_ada();
    program
        .run(&["user", "recover", "ada", "--reason", " "])
        .expect_failure("Enter a reason");
    program
        .run(&["user", "recover", "nobody", "--reason", "lost"])
        .expect_failure("User not found");
    let printed = program
        .run(&["user", "recover", "ada", "--reason", "Lost the phone"])
        .expect_success();
    assert_eq!(
        printed.trim(),
        "Removed all second factors of ada; all its sessions have ended."
    );
}

#[test]
fn console_cannot_disable_last_administrator() {
    let program = TestProgram::with_ada();
    program
        .run(&["user", "disable", "ada"])
        .expect_failure("last administrator");
    program
        .run(&["user", "disable", "nobody"])
        .expect_failure("User not found");
}

#[tokio::test(flavor = "multi_thread")]
async fn console_disable_ends_session_within_a_second() {
    let program = TestProgram::with_ada();
    program.add_user("bob", &[]);
    let server = program.serve();
    let bob = Client::new(&server, &server.sign_in("bob", PASSWORD).await.unwrap());
    bob.get_json("/api/files").await;
    program.run(&["user", "disable", "bob"]).expect_success();
    bob.wait_for_end_of_session("/api/files", Duration::from_secs(1))
        .await;
    assert_eq!(server.sign_in("bob", PASSWORD).await, None);
    program.run(&["user", "enable", "bob"]).expect_success();
    assert!(server.sign_in("bob", PASSWORD).await.is_some());
    assert_eq!(
        bob.get("/api/files").send().await.unwrap().status(),
        401,
        "an ended session stays ended"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn account_added_beside_running_server_can_sign_in() {
    let program = TestProgram::with_ada();
    let server = program.serve();
    program.add_user("carl", &[]);
    let carl = Client::new(&server, &server.sign_in("carl", PASSWORD).await.unwrap());
    carl.add("a.step", "solid").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn console_invitation_promotion_and_sign_out_take_effect() {
    let program = TestProgram::with_ada();
    program
        .run(&["user", "invite", "--registration", "closed"])
        .expect_failure("closed");
    let server = program.serve_with(&["--registration", "invite"]);
    let invite = |more: &[&str]| {
        program.run(&[&["user", "invite", "--registration", "invite"], more].concat())
    };
    invite(&["--role", "main"]).expect_failure("VAULT=ROLE");
    invite(&["--role", "main=king"]).expect_failure("viewer, editor or manager");
    invite(&["--role", "attic=editor"]).expect_failure("no vault attic");
    let printed = invite(&["--role", "main=viewer", "--email", "bob@example.org"]).expect_success();
    let token = printed.trim().rsplit_once("/join#").unwrap().1;
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
        .expect_failure("User not found");
    program.run(&["user", "promote", "bob"]).expect_success();
    assert!(
        program
            .run(&["user", "list"])
            .expect_success()
            .contains("administrator, viewer of main")
    );
    program.run(&["user", "demote", "bob"]).expect_success();
    assert!(
        !program
            .run(&["user", "list"])
            .expect_success()
            .contains("administrator, viewer of main")
    );
    program
        .run(&["user", "demote", "ada"])
        .expect_failure("last administrator");

    let bob = Client::new(&server, &server.sign_in("bob", PASSWORD).await.unwrap());
    bob.get_json("/api/files").await;
    program
        .run(&["user", "end-sessions", "bob"])
        .expect_success();
    bob.wait_for_end_of_session("/api/files", Duration::from_secs(1))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn console_ends_all_sessions_with_audited_reason() {
    let program = TestProgram::with_ada();
    program.add_user("bob", &[]);
    program
        .run(&["user", "end-sessions", "--everybody"])
        .expect_failure("--reason");
    program
        .run(&[
            "user",
            "end-sessions",
            "bob",
            "--everybody",
            "--reason",
            "x",
        ])
        .expect_failure("cannot be used with");
    let server = program.serve();
    let mut clients = Vec::new();
    for name in ["ada", "bob"] {
        let client = Client::new(&server, &server.sign_in(name, PASSWORD).await.unwrap());
        client.get_json("/api/files").await;
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
        .expect_success();
    let ended = Instant::now();
    for client in &clients {
        let left = Duration::from_secs(1).saturating_sub(ended.elapsed());
        client.wait_for_end_of_session("/api/files", left).await;
    }
    assert!(
        server.sign_in("bob", PASSWORD).await.is_some(),
        "a new sign-in works"
    );
    let exported = program
        .run(&["audit", "export", "--chain", "accounts"])
        .expect_success();
    let entries: Vec<_> = exported
        .lines()
        .filter(|line| line.contains("everybody.signed_out"))
        .collect();
    assert!(
        entries.len() == 1
            && entries[0].contains("A laptop was stolen")
            && entries[0].contains("console"),
        "{entries:?}"
    );
}
