//! `strongroom key replace-master`: everybody signs in as before, and the old key opens nothing any more.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    phone::App,
    program::{Client, PASSWORD, Program, Said, Server},
};

const REPLACE: [&str; 2] = ["key", "replace-master"];

/// What the app shows, `steps` of 30 s from now.
fn shows(app: &App, steps: i64) -> String {
    app.shows_at(auth::Clock::system().now().as_second() + 30 * steps)
}

async fn post(server: &Server, form: &[(&str, &str)]) -> (u16, Value) {
    let answer = reqwest::Client::new()
        .post(server.url("/auth/token"))
        .form(form)
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn sign_in(server: &Server, name: &str, otp: &str) -> (u16, Value) {
    post(
        server,
        &[("username", name), ("password", PASSWORD), ("otp", otp)],
    )
    .await
}

async fn refresh(server: &Server, tokens: &Value) -> u16 {
    let token = tokens["refresh_token"].as_str().unwrap();
    post(
        server,
        &[("grant_type", "refresh_token"), ("refresh_token", token)],
    )
    .await
    .0
}

/// Turns an app on. The step before this one is used up.
async fn app(server: &Server, tokens: &Value) -> App {
    let client = Client::new(server, tokens["access_token"].as_str().unwrap());
    let begun: Value = client
        .post("/auth/totp")
        .json(&Value::Null)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let app = App::typed(begun["secret"].as_str().unwrap());
    let confirmed = client
        .post("/auth/totp/confirm")
        .json(&json!({"code": shows(&app, -1)}))
        .send()
        .await
        .unwrap();
    assert_eq!(confirmed.status(), 201);
    app
}

fn key_file(program: &Program) -> PathBuf {
    program.data().join("keys/master.key")
}

fn with_key(program: &Program, key: &Path, arguments: &[&str]) -> Said {
    let output = program
        .command(arguments)
        .env("SECRET_KEY_FILE", key)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_master_key_keeps_credentials_valid() {
    let program = Program::with_ada();
    program.add("bob", &[]);
    let server = program.serve();
    let ada = sign_in(&server, "ada", "").await.1;
    let phone = app(&server, &ada).await;
    let bob = sign_in(&server, "bob", "").await.1;
    program.run(&REPLACE).badly("stop it first");
    server.kill();
    let old = std::fs::read(key_file(&program)).unwrap();
    let said = program.run(&REPLACE).well();
    assert!(
        said.contains("1 keys and 1 authenticator apps") && said.contains("replaced-"),
        "{said}"
    );
    assert_ne!(std::fs::read(key_file(&program)).unwrap(), old);
    assert!(!program.data().join("keys/master.key.new").exists());

    let server = program.serve();
    // What was handed out goes on: an access token, a refresh token, passwords, and a code of the app.
    Client::new(&server, bob["access_token"].as_str().unwrap())
        .see("/auth/me")
        .await;
    assert_eq!(refresh(&server, &bob).await, 200);
    assert_eq!(sign_in(&server, "ada", "000000").await.0, 401);
    assert_eq!(sign_in(&server, "ada", &shows(&phone, 0)).await.0, 200);
    assert_eq!(sign_in(&server, "bob", "").await.0, 200);
    assert_eq!(
        sign_in(&server, "bob", "").await.0,
        200,
        "under the new pepper by now"
    );
    server.stop();

    // A thief of the old key and of the database as it is now.
    std::fs::write(program.folder().join("old"), &old).unwrap();
    with_key(&program, Path::new("old"), &["user", "list"]).badly("another master key");
    with_key(&program, Path::new("old"), &["key", "rotate"]).badly("another master key");
    let audit = program
        .run(&["audit", "export", "--chain", "accounts"])
        .well();
    let entry = audit
        .lines()
        .find(|line| line.contains("master_key.replaced"))
        .unwrap();
    assert!(
        entry.contains("instead_of") && !entry.contains(std::str::from_utf8(&old).unwrap().trim()),
        "{entry}"
    );
    program.run(&["audit", "verify"]).well();
}

#[tokio::test(flavor = "multi_thread")]
async fn master_key_replacement_can_end_access_tokens() {
    let program = Program::with_ada();
    let server = program.serve();
    let ada = sign_in(&server, "ada", "").await.1;
    server.stop();
    program
        .run(&[&REPLACE[..], &["--end-tokens"]].concat())
        .well();
    let server = program.serve();
    let client = Client::new(&server, ada["access_token"].as_str().unwrap());
    assert_eq!(client.get("/auth/me").send().await.unwrap().status(), 401);
    assert_eq!(refresh(&server, &ada).await, 200);
}

/// The data folder as a power cut leaves it, and what the next start makes of it.
#[tokio::test(flavor = "multi_thread")]
async fn interrupted_master_key_replacement_is_completed_or_undone() {
    let program = Program::with_ada();
    let (file, new_file) = (
        key_file(&program),
        program.data().join("keys/master.key.new"),
    );
    let old = std::fs::read(&file).unwrap();
    // After the new key was made, whole or not, and before the transaction.
    for made in [
        "",
        "Zx8Kd2Wq7L",
        "Zx8Kd2Wq7Lm4Rt9Yc1Vb6Nf3Hg5Js0PdAe5Ui8Ow2Qz\n",
    ] {
        std::fs::write(&new_file, made).unwrap();
        private(&new_file);
        program.run(&["user", "list"]).well();
        assert!(
            new_file.exists(),
            "a command beside a server takes nothing away"
        );
        program.serve().stop();
        assert!(
            !new_file.exists() && std::fs::read(&file).unwrap() == old,
            "undone"
        );
    }
    // After the transaction and before the file was renamed.
    program.run(&REPLACE).well();
    let new = std::fs::read(&file).unwrap();
    std::fs::rename(&file, &new_file).unwrap();
    std::fs::write(&file, &old).unwrap();
    private(&file);
    program.run(&["user", "list"]).well();
    assert!(new_file.exists());
    let server = program.serve();
    assert!(
        !new_file.exists() && std::fs::read(&file).unwrap() == new,
        "finished"
    );
    assert_eq!(sign_in(&server, "ada", "").await.0, 200);
}

#[test]
fn unreadable_active_master_key_is_kept_on_disk() {
    use std::os::unix::fs::PermissionsExt as _;
    let program = Program::with_ada();
    let (file, new_file) = (
        key_file(&program),
        program.data().join("keys/master.key.new"),
    );
    let old = std::fs::read(&file).unwrap();
    program.run(&REPLACE).well();
    let new = std::fs::read(&file).unwrap();
    // Cut off before the file was renamed, and put back by something that forgot its mode.
    std::fs::rename(&file, &new_file).unwrap();
    std::fs::write(&file, &old).unwrap();
    private(&file);
    std::fs::set_permissions(&new_file, std::fs::Permissions::from_mode(0o644)).unwrap();
    program.run(&REPLACE).badly("chmod 600");
    program.run(&["user", "list"]).badly("chmod 600");
    assert_eq!(std::fs::read(&new_file).unwrap(), new);
    private(&new_file);
    program.run(&["user", "list"]).well();
    // Another one in its place is left where it is, too.
    std::fs::write(&new_file, "Zx8Kd2Wq7Lm4Rt9Yc1Vb6Nf3Hg5Js0PdAe5Ui8Ow2Qz\n").unwrap();
    program.run(&REPLACE).badly("put back what was there");
    assert!(new_file.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_master_key_fails_startup_without_creating_one() {
    let program = Program::with_ada();
    let (file, aside) = (key_file(&program), program.folder().join("aside"));
    std::fs::rename(&file, &aside).unwrap();
    for command in [
        &["user", "list"][..],
        &["key", "list"],
        &["key", "rotate"],
        &REPLACE,
        &["serve", "--listen", "127.0.0.1:0"],
    ] {
        program.run(command).badly("put it back from a backup");
        assert!(!file.exists(), "{command:?}");
    }
    std::fs::rename(&aside, &file).unwrap();
    program.run(&["user", "list"]).well();
    // Lost for good: it says what else is.
    std::fs::remove_file(&file).unwrap();
    let said = program.run(&["key", "rotate", "--end-tokens"]).well();
    assert!(said.contains("strongroom user reset NAME"), "{said}");
    let server = program.serve();
    assert_eq!(sign_in(&server, "ada", "").await.0, 401);
}

fn private(path: &Path) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_master_key_replacement_keeps_passwords_and_totp() {
    let program = Program::with_ada();
    program.add("bob", &[]);
    let server = program.serve();
    let phone = app(&server, &sign_in(&server, "ada", "").await.1).await;
    server.stop();
    let mut replaced = 0;
    for round in 0..4 {
        let mut replacing = program
            .command(REPLACE)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(25 * (round + 1)));
        replacing.kill().unwrap();
        replaced += u32::from(replacing.wait().unwrap().success());
        let server = program.serve();
        assert_eq!(sign_in(&server, "bob", "").await.0, 200, "round {round}");
        // A secret that did not open would be an error of ours.
        assert_eq!(
            sign_in(&server, "ada", "000000").await.0,
            401,
            "round {round}"
        );
        server.stop();
    }
    let server = program.serve();
    assert_eq!(
        sign_in(&server, "ada", &shows(&phone, 0)).await.0,
        200,
        "{replaced} were quicker"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn configured_master_key_is_replaced_by_key_file() {
    let program = Program::new();
    program.write("old", "q8Zr2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0Pa\n");
    private(&program.folder().join("old"));
    let old = Path::new("old");
    let mut add = program.command(["user", "add", "ada", "--admin", "--password-stdin"]);
    let mut add = add
        .env("SECRET_KEY_FILE", old)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut add.stdin.take().unwrap(), PASSWORD.as_bytes()).unwrap();
    assert!(add.wait().unwrap().success());

    with_key(&program, old, &REPLACE).badly("--new-key-file");
    with_key(
        &program,
        old,
        &[&REPLACE[..], &["--new-key-file", "old"]].concat(),
    )
    .badly("already");
    program.write("weak", "changemechangemechangemechangemechangeme");
    private(&program.folder().join("weak"));
    with_key(
        &program,
        old,
        &[&REPLACE[..], &["--new-key-file", "weak"]].concat(),
    )
    .badly("well known");
    let to_new = [&REPLACE[..], &["--new-key-file", "new"]].concat();
    let said = with_key(&program, old, &to_new).well();
    assert!(
        said.contains("SECRET_KEY_FILE") && said.contains("new"),
        "{said}"
    );
    // Once more, as after a power cut at the end.
    with_key(&program, old, &to_new).badly("in force already");
    with_key(&program, old, &["user", "list"]).badly("another master key");
    with_key(&program, Path::new("new"), &["user", "list"]).well();
    let mut command = program.command(["--listen", "127.0.0.1:0", "--log", "warn"]);
    command.env("SECRET_KEY_FILE", "new");
    assert_eq!(sign_in(&Server::start(command), "ada", "").await.0, 200);
}

#[test]
fn generated_master_key_rejects_new_key_file_option() {
    let program = Program::with_ada();
    program
        .run(&[&REPLACE[..], &["--new-key-file", "new"]].concat())
        .badly("leave --new-key-file out");
    assert!(!program.folder().join("new").exists());
}
