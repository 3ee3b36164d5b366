//! No secret in any log, refusal or record: the real program, everything driven, every line of every library at `trace`.

mod accounts;
mod drive;
mod factors;
mod kept;
mod letters;
mod programs;
mod upstream;

use std::{
    io::Read as _,
    process::{Command, Stdio},
    sync::{Mutex, mpsc},
    time::Duration,
};

use reqwest::Method;
use serde_json::json;

use crate::{
    program::{PASSWORD, Program, Server},
    provider::Provider,
};
use drive::Drive;
use kept::Secrets;
use letters::Post;

const OWN_KEY: &str = "k7Qv2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0PaZr8Ue";
const PEPPER: &str = "uR4wZ9eT1yB6nM3qX8cV5oK2jH7gF0dSaLpIt";
const DATABASE_PASSWORD: &str = "rows-are-kept-behind-this";
const WRONG: &str = "a wrong guess nobody else makes";
const SECOND: &str = "another long password for later";
const THIRD: &str = "and one more after that was lost";
const IN_THE_NAME_FIELD: &str = "typed-into-the-wrong-field";

/// Where a run keeps its rows, its letters and its key, so that every way is tried in one of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum House {
    /// SQLite, a mail server, `SECRET_KEY`, a log for people.
    Small,
    /// PostgreSQL, letters in a folder, a key of its own making, a log of JSON.
    Large,
}

/// All that the program says on standard error until it ends.
fn read_aside(mut command: Command) -> (Server, mpsc::Receiver<String>) {
    let (reader, writer) = std::io::pipe().unwrap();
    command.stderr(Stdio::from(writer));
    let server = Server::start(command);
    let (done, log) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut reader, mut text) = (reader, Vec::new());
        let _ = reader.read_to_end(&mut text);
        let _ = done.send(String::from_utf8_lossy(&text).into_owned());
    });
    (server, log)
}

/// None, loudly, where PostgreSQL is not installed.
async fn database_url(house: House) -> Option<Option<String>> {
    if house == House::Small {
        return Some(None);
    }
    let store::Database::Postgres(url) = store::testing::postgres().await?.database else {
        unreachable!("PostgreSQL was asked for")
    };
    Some(Some(url.replacen(
        "postgres@",
        &format!("postgres:{DATABASE_PASSWORD}@"),
        1,
    )))
}

/// A port that nobody else has: the address is in links and in passkeys, so it has to be known before the start.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// With the environment that this house runs in.
fn command(program: &Program, house: House, arguments: &[&str], database: Option<&str>) -> Command {
    let mut command = program.command([&["--config", "settings.toml"], arguments].concat());
    if house == House::Small {
        command.env("SECRET_KEY", OWN_KEY);
    }
    command.envs(database.map(|url| ("STRONGROOM_DATABASE_URL", url)));
    command
}

async fn everything(drive: &Drive, provider: &Provider) {
    let setup = drive
        .server
        .greeting
        .split("/first#")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    let setup = drive.keep("the first administrator's link", setup);
    let first = [
        ("token", setup.as_str()),
        ("username", "ada"),
        ("password", PASSWORD),
    ];
    let cookie = drive.keep_cookies(&drive.well(drive.post("/first").form(&first)).await);
    drive.refused(drive.post("/first").form(&first)).await;
    let access = accounts::accounts(drive).await;
    letters::letters(drive, &access).await;
    factors::factors(drive).await;
    programs::programs(drive, &access).await;
    upstream::upstream(drive, provider).await;
    let change =
        json!({"current_password": PASSWORD, "new_password": SECOND, "end_other_sessions": true});
    drive
        .well(
            drive
                .ask(Method::PUT, "/auth/me/password")
                .bearer_auth(&access)
                .json(&change),
        )
        .await;
    drive
        .hear(drive.post("/sign-out").header("cookie", &cookie))
        .await;
    // An address that is nobody's, with secrets in it.
    let path =
        format!("/nothing/{access}?access_token={access}&password=correct+horse+battery+staple");
    drive
        .refused(
            drive
                .get(&path)
                .header("referer", format!("http://x/?ticket={access}")),
        )
        .await;
}

/// Whether the log is worth searching: people's doings, refusals, and what libraries say.
fn assert_whole(log: &str, house: House) {
    let word = if house == House::Large {
        "\"level\":\"TRACE\""
    } else {
        "TRACE"
    };
    for part in ["answered", "strongroom auth failure", word] {
        assert!(
            log.contains(part),
            "the log is not what it should be: {part}: {}",
            &log[..log.len().min(2000)]
        );
    }
}

async fn drive(house: House) {
    let Some(database) = database_url(house).await else {
        return;
    };
    let (program, provider, port) = (Program::new(), Provider::start().await, free_port());
    let (letters, mail) = match house {
        House::Small => Post::server().await,
        House::Large => Post::folder(program.folder().join("mail")),
    };
    let url = format!("http://localhost:{port}");
    program.write("pepper", PEPPER);
    let own = format!(
        "listen = \"127.0.0.1:{port}\"\npublic_url = \"{url}\"\n[registration]\nmode = \"invite\"\n\
         [hashing]\nmemory_kib = 19456\npasses = 2\n[passwords]\npepper_file = \"pepper\"\n"
    );
    program.write(
        "settings.toml",
        [own, mail, upstream::section(&provider)].concat(),
    );
    let format = if house == House::Large {
        "json"
    } else {
        "human"
    };
    let serve = command(
        &program,
        house,
        &["--log", "trace", "--log-format", format],
        database.as_deref(),
    );
    let (server, log) = read_aside(serve);
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let (secrets, refusals) = (Secrets::default(), Mutex::default());
    let drive = Drive {
        program,
        server,
        secrets,
        letters,
        http,
        refusals,
        url,
    };
    for (what, secret) in [
        ("a password", PASSWORD),
        ("a wrong password", WRONG),
        ("a new password", SECOND),
        ("a password after a reset", THIRD),
        ("what was typed into the wrong field", IN_THE_NAME_FIELD),
        ("the master key", OWN_KEY),
        ("the pepper", PEPPER),
        ("the database's password", DATABASE_PASSWORD),
    ] {
        drive.keep(what, secret);
    }
    if house == House::Large {
        let key = std::fs::read_to_string(drive.program.data().join("keys/master.key")).unwrap();
        drive.keep("the master key of its own", key.trim());
    }
    everything(&drive, &provider).await;
    let Drive {
        program,
        server,
        secrets,
        refusals,
        ..
    } = drive;
    server.stop();
    let log = log.recv_timeout(Duration::from_secs(30)).unwrap();
    assert_whole(&log, house);
    secrets.assert_absent_from("the log", &log);
    secrets.assert_absent_from("a refusal", &refusals.into_inner().unwrap());
    let export = command(&program, house, &["audit", "export"], database.as_deref())
        .output()
        .unwrap();
    let export = String::from_utf8(export.stdout).unwrap();
    assert!(
        export.contains("sign_in.refused") && export.contains("file.add"),
        "{export}"
    );
    secrets.assert_absent_from("the record", &export);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_contain_no_secrets_at_any_level() {
    drive(House::Small).await;
    drive(House::Large).await;
}
