//! `strongroom key replace-master`: sign-ins stay valid, and the old key decrypts nothing.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    test_program::{Client, CommandOutput, PASSWORD, TestProgram, TestServer},
    totp_device::TotpDevice,
};

const REPLACE_MASTER: [&str; 2] = ["key", "replace-master"];

/// The code of the app, `steps` of 30 s from now.
fn code_at(app: &TotpDevice, steps: i64) -> String {
    app.code_at(auth::Clock::system().now().as_second() + 30 * steps)
}

async fn post_token_form(server: &TestServer, form: &[(&str, &str)]) -> (u16, Value) {
    let answer = reqwest::Client::new()
        .post(server.url("/auth/token"))
        .form(form)
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn sign_in(server: &TestServer, name: &str, otp: &str) -> (u16, Value) {
    post_token_form(
        server,
        &[("username", name), ("password", PASSWORD), ("otp", otp)],
    )
    .await
}

async fn refresh_status(server: &TestServer, tokens: &Value) -> u16 {
    let token = tokens["refresh_token"].as_str().unwrap();
    post_token_form(
        server,
        &[("grant_type", "refresh_token"), ("refresh_token", token)],
    )
    .await
    .0
}

/// Enrolls an app with the code of the previous step.
async fn enroll_app(server: &TestServer, tokens: &Value) -> TotpDevice {
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
    let app = TotpDevice::from_base32(begun["secret"].as_str().unwrap());
    let confirmed = client
        .post("/auth/totp/confirm")
        .json(&json!({"code": code_at(&app, -1)}))
        .send()
        .await
        .unwrap();
    assert_eq!(confirmed.status(), 201);
    app
}

fn key_file(program: &TestProgram) -> PathBuf {
    program.data_folder().join("keys/master.key")
}

fn run_with_key_file(program: &TestProgram, key: &Path, arguments: &[&str]) -> CommandOutput {
    let output = program
        .command(arguments)
        .env("SECRET_KEY_FILE", key)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    CommandOutput {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_master_key_keeps_credentials_valid() {
    let program = TestProgram::with_ada();
    program.add_user("bob", &[]);
    let server = program.serve();
    let ada = sign_in(&server, "ada", "").await.1;
    let phone = enroll_app(&server, &ada).await;
    let bob = sign_in(&server, "bob", "").await.1;
    program
        .run(&REPLACE_MASTER)
        .expect_failure("stop the server first");
    server.kill();
    let old = std::fs::read(key_file(&program)).unwrap();
    let printed = program.run(&REPLACE_MASTER).expect_success();
    assert!(
        printed.contains("1 key and 1 authenticator app are") && printed.contains("replaced-"),
        "{printed}"
    );
    assert_ne!(std::fs::read(key_file(&program)).unwrap(), old);
    assert!(!program.data_folder().join("keys/master.key.new").exists());

    let server = program.serve();
    // An access token, a refresh token, passwords and a code of the app stay valid.
    Client::new(&server, bob["access_token"].as_str().unwrap())
        .get_json("/auth/me")
        .await;
    assert_eq!(refresh_status(&server, &bob).await, 200);
    assert_eq!(sign_in(&server, "ada", "000000").await.0, 401);
    assert_eq!(sign_in(&server, "ada", &code_at(&phone, 0)).await.0, 200);
    assert_eq!(sign_in(&server, "bob", "").await.0, 200);
    assert_eq!(
        sign_in(&server, "bob", "").await.0,
        200,
        "rehashed with the new pepper"
    );
    server.stop();

    // The old key does not open the current database.
    std::fs::write(program.folder().join("old"), &old).unwrap();
    run_with_key_file(&program, Path::new("old"), &["user", "list"])
        .expect_failure("another master key");
    run_with_key_file(&program, Path::new("old"), &["key", "rotate"])
        .expect_failure("another master key");
    let audit = program
        .run(&["audit", "export", "--chain", "accounts"])
        .expect_success();
    let entry = audit
        .lines()
        .find(|line| line.contains("master_key.replaced"))
        .unwrap();
    assert!(
        entry.contains("instead_of") && !entry.contains(std::str::from_utf8(&old).unwrap().trim()),
        "{entry}"
    );
    program.run(&["audit", "verify"]).expect_success();
}

#[tokio::test(flavor = "multi_thread")]
async fn master_key_replacement_can_end_access_tokens() {
    let program = TestProgram::with_ada();
    let server = program.serve();
    let ada = sign_in(&server, "ada", "").await.1;
    server.stop();
    program
        .run(&[&REPLACE_MASTER[..], &["--end-tokens"]].concat())
        .expect_success();
    let server = program.serve();
    let client = Client::new(&server, ada["access_token"].as_str().unwrap());
    assert_eq!(client.get("/auth/me").send().await.unwrap().status(), 401);
    assert_eq!(refresh_status(&server, &ada).await, 200);
}

/// Reproduces the data folder after a power cut, and starts the server on it.
#[tokio::test(flavor = "multi_thread")]
async fn interrupted_master_key_replacement_is_completed_or_undone() {
    let program = TestProgram::with_ada();
    let (file, new_file) = (
        key_file(&program),
        program.data_folder().join("keys/master.key.new"),
    );
    let old = std::fs::read(&file).unwrap();
    // A cut after the new key was written, partly or completely, and before the transaction.
    for made in [
        "",
        "Zx8Kd2Wq7L",
        "Zx8Kd2Wq7Lm4Rt9Yc1Vb6Nf3Hg5Js0PdAe5Ui8Ow2Qz\n",
    ] {
        std::fs::write(&new_file, made).unwrap();
        set_private(&new_file);
        program.run(&["user", "list"]).expect_success();
        assert!(
            new_file.exists(),
            "a command without the lock removes nothing"
        );
        program.serve().stop();
        assert!(
            !new_file.exists() && std::fs::read(&file).unwrap() == old,
            "undone"
        );
    }
    // A cut after the transaction and before the rename.
    program.run(&REPLACE_MASTER).expect_success();
    let new = std::fs::read(&file).unwrap();
    std::fs::rename(&file, &new_file).unwrap();
    std::fs::write(&file, &old).unwrap();
    set_private(&file);
    program.run(&["user", "list"]).expect_success();
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
    let program = TestProgram::with_ada();
    let (file, new_file) = (
        key_file(&program),
        program.data_folder().join("keys/master.key.new"),
    );
    let old = std::fs::read(&file).unwrap();
    program.run(&REPLACE_MASTER).expect_success();
    let new = std::fs::read(&file).unwrap();
    // A cut before the rename, and a restore that lost the file mode.
    std::fs::rename(&file, &new_file).unwrap();
    std::fs::write(&file, &old).unwrap();
    set_private(&file);
    std::fs::set_permissions(&new_file, std::fs::Permissions::from_mode(0o644)).unwrap();
    program.run(&REPLACE_MASTER).expect_failure("chmod 600");
    program.run(&["user", "list"]).expect_failure("chmod 600");
    assert_eq!(std::fs::read(&new_file).unwrap(), new);
    set_private(&new_file);
    program.run(&["user", "list"]).expect_success();
    // An unknown key in its place is kept, too.
    std::fs::write(&new_file, "Zx8Kd2Wq7Lm4Rt9Yc1Vb6Nf3Hg5Js0PdAe5Ui8Ow2Qz\n").unwrap();
    program
        .run(&REPLACE_MASTER)
        .expect_failure("Restore the key files from a backup");
    assert!(new_file.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_master_key_fails_startup_without_creating_one() {
    let program = TestProgram::with_ada();
    let (file, aside) = (key_file(&program), program.folder().join("aside"));
    std::fs::rename(&file, &aside).unwrap();
    for command in [
        &["user", "list"][..],
        &["key", "list"],
        &["key", "rotate"],
        &REPLACE_MASTER,
        &["serve", "--listen", "127.0.0.1:0"],
    ] {
        program
            .run(command)
            .expect_failure("Restore it from a backup");
        assert!(!file.exists(), "{command:?}");
    }
    std::fs::rename(&aside, &file).unwrap();
    program.run(&["user", "list"]).expect_success();
    // The output names what is lost with the key.
    std::fs::remove_file(&file).unwrap();
    let printed = program
        .run(&["key", "rotate", "--end-tokens"])
        .expect_success();
    assert!(printed.contains("strongroom user reset NAME"), "{printed}");
    let server = program.serve();
    assert_eq!(sign_in(&server, "ada", "").await.0, 401);
}

fn set_private(path: &Path) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_master_key_replacement_keeps_passwords_and_totp() {
    let program = TestProgram::with_ada();
    program.add_user("bob", &[]);
    let server = program.serve();
    let phone = enroll_app(&server, &sign_in(&server, "ada", "").await.1).await;
    server.stop();
    let mut replaced = 0;
    for round in 0..4 {
        let mut replacing = program
            .command(REPLACE_MASTER)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(25 * (round + 1)));
        replacing.kill().unwrap();
        replaced += u32::from(replacing.wait().unwrap().success());
        let server = program.serve();
        assert_eq!(sign_in(&server, "bob", "").await.0, 200, "round {round}");
        // A secret that cannot be decrypted would answer 500.
        assert_eq!(
            sign_in(&server, "ada", "000000").await.0,
            401,
            "round {round}"
        );
        server.stop();
    }
    let server = program.serve();
    assert_eq!(
        sign_in(&server, "ada", &code_at(&phone, 0)).await.0,
        200,
        "{replaced} replacements finished before the kill"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn configured_master_key_is_replaced_by_key_file() {
    let program = TestProgram::new();
    program.write_file("old", "q8Zr2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0Pa\n");
    set_private(&program.folder().join("old"));
    let old = Path::new("old");
    let mut add = program.command(["user", "add", "ada", "--admin", "--password-stdin"]);
    let mut add = add
        .env("SECRET_KEY_FILE", old)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut add.stdin.take().unwrap(), PASSWORD.as_bytes()).unwrap();
    assert!(add.wait().unwrap().success());

    run_with_key_file(&program, old, &REPLACE_MASTER).expect_failure("--new-key-file");
    run_with_key_file(
        &program,
        old,
        &[&REPLACE_MASTER[..], &["--new-key-file", "old"]].concat(),
    )
    .expect_failure("already");
    program.write_file("weak", "changemechangemechangemechangemechangeme");
    set_private(&program.folder().join("weak"));
    run_with_key_file(
        &program,
        old,
        &[&REPLACE_MASTER[..], &["--new-key-file", "weak"]].concat(),
    )
    .expect_failure("well known");
    let to_new = [&REPLACE_MASTER[..], &["--new-key-file", "new"]].concat();
    let printed = run_with_key_file(&program, old, &to_new).expect_success();
    assert!(
        printed.contains("SECRET_KEY_FILE") && printed.contains("new"),
        "{printed}"
    );
    // A repetition, as after a power cut at the end.
    run_with_key_file(&program, old, &to_new).expect_failure("already active");
    run_with_key_file(&program, old, &["user", "list"]).expect_failure("another master key");
    run_with_key_file(&program, Path::new("new"), &["user", "list"]).expect_success();
    let mut command = program.command(["--listen", "127.0.0.1:0", "--log", "warn"]);
    command.env("SECRET_KEY_FILE", "new");
    assert_eq!(sign_in(&TestServer::start(command), "ada", "").await.0, 200);
}

#[test]
fn generated_master_key_rejects_new_key_file_option() {
    let program = TestProgram::with_ada();
    program
        .run(&[&REPLACE_MASTER[..], &["--new-key-file", "new"]].concat())
        .expect_failure("omit --new-key-file");
    assert!(!program.folder().join("new").exists());
}
