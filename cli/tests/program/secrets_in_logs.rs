//! No secret is in a log, an error response or the audit log. Drives the real program through every
//! flow, with all libraries logging at `trace`.

mod accounts;
mod clients;
mod factors;
mod mail;
mod recorded;
mod recording_client;
mod upstream;

use std::{
    io::Read as _,
    process::{Command, Stdio},
    sync::{Mutex, mpsc},
    time::Duration,
};

use mail::Mailbox;
use recorded::Secrets;
use recording_client::RecordingClient;
use reqwest::Method;
use serde_json::json;

use crate::{
    mock_provider::MockProvider,
    test_program::{PASSWORD, TestProgram, TestServer},
};

const OWN_KEY: &str = "k7Qv2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0PaZr8Ue";
const PEPPER: &str = "uR4wZ9eT1yB6nM3qX8cV5oK2jH7gF0dSaLpIt";
const DATABASE_PASSWORD: &str = "rows-are-kept-behind-this";
const WRONG_PASSWORD: &str = "a wrong guess of this test alone";
const SECOND_PASSWORD: &str = "another long password for later";
const THIRD_PASSWORD: &str = "and one more after that was lost";
const PASSWORD_IN_NAME_FIELD: &str = "typed-into-the-wrong-field";

/// Database, mail transport, master key and log format of a run. The two runs cover every choice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deployment {
    /// SQLite, an SMTP server, `SECRET_KEY`, human log format.
    Sqlite,
    /// PostgreSQL, a mail folder, a generated key, JSON log format.
    Postgres,
}

/// Starts the server. The receiver gets all of its standard error when it exits.
fn start_with_log(mut command: Command) -> (TestServer, mpsc::Receiver<String>) {
    let (reader, writer) = std::io::pipe().unwrap();
    command.stderr(Stdio::from(writer));
    let server = TestServer::start(command);
    let (done, log) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut reader, mut text) = (reader, Vec::new());
        let _ = reader.read_to_end(&mut text);
        let _ = done.send(String::from_utf8_lossy(&text).into_owned());
    });
    (server, log)
}

/// `None` if PostgreSQL is not installed. The helper prints a notice.
async fn database_url(deployment: Deployment) -> Option<Option<String>> {
    if deployment == Deployment::Sqlite {
        return Some(None);
    }
    let store::Database::Postgres(url) = store::testing::postgres().await?.database else {
        unreachable!("expected a PostgreSQL URL")
    };
    Some(Some(url.replacen(
        "postgres@",
        &format!("postgres:{DATABASE_PASSWORD}@"),
        1,
    )))
}

/// A free port, known before the start because links and passkeys contain the address.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A command with the environment of this deployment.
fn command(
    program: &TestProgram,
    deployment: Deployment,
    arguments: &[&str],
    database: Option<&str>,
) -> Command {
    let mut command = program.command([&["--config", "settings.toml"], arguments].concat());
    if deployment == Deployment::Sqlite {
        command.env("SECRET_KEY", OWN_KEY);
    }
    command.envs(database.map(|url| ("STRONGROOM_DATABASE_URL", url)));
    command
}

async fn run_all(client: &RecordingClient, provider: &MockProvider) {
    let setup = client
        .server
        .startup_line
        .split("/first#")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    let setup = client.record("the first administrator's link", setup);
    let first = [
        ("token", setup.as_str()),
        ("username", "ada"),
        ("password", PASSWORD),
    ];
    let cookie =
        client.record_cookies(&client.expect(303, client.post("/first").form(&first)).await);
    client.expect(403, client.post("/first").form(&first)).await;
    let access = accounts::run(client).await;
    mail::run(client, &access).await;
    factors::run(client).await;
    clients::run(client, &access).await;
    upstream::run(client, provider).await;
    let change = json!({"current_password": PASSWORD, "new_password": SECOND_PASSWORD, "end_other_sessions": true});
    client
        .expect(
            204,
            client
                .request(Method::PUT, "/auth/me/password")
                .bearer_auth(&access)
                .json(&change),
        )
        .await;
    // The password change has ended the session of the cookie.
    client
        .send(client.post("/sign-out").header("cookie", &cookie))
        .await
        .expect_status(401);
    // An unknown path that contains secrets.
    let path =
        format!("/nothing/{access}?access_token={access}&password=correct+horse+battery+staple");
    client
        .expect(
            404,
            client
                .get(&path)
                .header("referer", format!("http://x/?ticket={access}")),
        )
        .await;
}

/// Fails unless the log contains requests, failed sign-ins and `trace` lines of libraries.
fn assert_log_is_complete(log: &str, deployment: Deployment) {
    let word = if deployment == Deployment::Postgres {
        "\"level\":\"TRACE\""
    } else {
        "TRACE"
    };
    for part in ["answered", "strongroom auth failure", word] {
        assert!(
            log.contains(part),
            "the log has no {part}: {}",
            &log[..log.len().min(2000)]
        );
    }
}

fn log_format(deployment: Deployment) -> &'static str {
    match deployment {
        Deployment::Sqlite => "human",
        Deployment::Postgres => "json",
    }
}

fn write_settings(program: &TestProgram, port: u16, other_sections: &str) {
    program.write_file("pepper", PEPPER);
    let own = format!(
        "listen = \"127.0.0.1:{port}\"\npublic_url = \"http://localhost:{port}\"\n\
         [registration]\nmode = \"invite\"\n[hashing]\nmemory_kib = 19456\npasses = 2\n\
         [passwords]\npepper_file = \"pepper\"\n"
    );
    program.write_file("settings.toml", own + other_sections);
}

/// Secrets that are known before the first request.
fn record_initial_secrets(client: &RecordingClient, deployment: Deployment) {
    for (what, secret) in [
        ("a password", PASSWORD),
        ("a wrong password", WRONG_PASSWORD),
        ("a new password", SECOND_PASSWORD),
        ("a password after a reset", THIRD_PASSWORD),
        ("a password in the username field", PASSWORD_IN_NAME_FIELD),
        ("the master key", OWN_KEY),
        ("the pepper", PEPPER),
        ("the database's password", DATABASE_PASSWORD),
    ] {
        client.record(what, secret);
    }
    if deployment == Deployment::Postgres {
        let key =
            std::fs::read_to_string(client.program.data_folder().join("keys/master.key")).unwrap();
        client.record("the generated master key", key.trim());
    }
}

fn assert_audit_log_has_no_secrets(mut export: Command, secrets: &Secrets) {
    let export = String::from_utf8(export.output().unwrap().stdout).unwrap();
    assert!(
        export.contains("sign_in.refused") && export.contains("file.add"),
        "{export}"
    );
    secrets.assert_absent_from("the audit log", &export);
}

async fn search_deployment(deployment: Deployment) {
    let Some(database) = database_url(deployment).await else {
        return;
    };
    let program = TestProgram::new();
    let provider = MockProvider::start().await;
    let port = free_port();
    let (mailbox, mail) = match deployment {
        Deployment::Sqlite => Mailbox::server().await,
        Deployment::Postgres => Mailbox::folder(program.folder().join("mail")),
    };
    let url = format!("http://localhost:{port}");
    let other_sections = [mail, upstream::provider_section(&provider)].concat();
    write_settings(&program, port, &other_sections);
    let serve = command(
        &program,
        deployment,
        &["--log", "trace", "--log-format", log_format(deployment)],
        database.as_deref(),
    );
    let (server, log) = start_with_log(serve);
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let client = RecordingClient {
        program,
        server,
        secrets: Secrets::default(),
        mailbox,
        http,
        error_responses: Mutex::default(),
        url,
    };
    record_initial_secrets(&client, deployment);
    run_all(&client, &provider).await;
    let RecordingClient {
        program,
        server,
        secrets,
        error_responses: refusals,
        ..
    } = client;
    server.stop();
    let log = log.recv_timeout(Duration::from_secs(30)).unwrap();
    assert_log_is_complete(&log, deployment);
    secrets.assert_absent_from("the log", &log);
    secrets.assert_absent_from("an error response", &refusals.into_inner().unwrap());
    let export = command(
        &program,
        deployment,
        &["audit", "export"],
        database.as_deref(),
    );
    assert_audit_log_has_no_secrets(export, &secrets);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_contain_no_secrets_at_any_level() {
    search_deployment(Deployment::Sqlite).await;
    search_deployment(Deployment::Postgres).await;
}
