//! Invalid settings stop the start with a message that says what to do.

use crate::test_program::{CommandOutput, TestProgram};

impl TestProgram {
    fn run_with_env(&self, variables: &[(&str, &str)], arguments: &[&str]) -> CommandOutput {
        let output = self
            .command(arguments)
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        CommandOutput {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

#[test]
fn invalid_flag_fails_startup() {
    let program = TestProgram::new();
    for (arguments, expected) in [
        (&["--lisen", "127.0.0.1:1"][..], "--listen"),
        (&["--listen", "localhost:8000"], "127.0.0.1:8000"),
        (&["--registration", "sometimes"], "`open`"),
        (&["--max-file-size", "5XB"], "500MiB"),
        (&["--trusted-proxies", "10.0.0.0/8"], "no ranges"),
        (
            &["--public-url", "files.example.org"],
            "https://files.example.org",
        ),
        (&["--log", "loud=yes=no"], "log.filter"),
        (&["--config", "nowhere.toml"], "nowhere.toml"),
    ] {
        program.run(arguments).expect_failure(expected);
    }
    assert!(!program.data_folder().exists(), "no data folder is created");
}

#[test]
fn unreadable_environment_secret_fails_startup_without_printing_it() {
    use std::os::unix::ffi::OsStrExt as _;
    let program = TestProgram::new();
    for name in [
        "SECRET_KEY",
        "SECRET_KEY_FILE",
        "STRONGROOM_DATABASE_URL",
        "STRONGROOM_DATABASE_URL_FILE",
        "STRONGROOM_METRICS_TOKEN",
        "STRONGROOM_METRICS_TOKEN_FILE",
    ] {
        let bytes = std::ffi::OsStr::from_bytes(b"hunter2\xff_and_more_than_thirty_two_bytes");
        let output = program
            .command(["user", "list"])
            .env(name, bytes)
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(1) && printed.contains(name) && printed.contains("UTF-8"),
            "{printed}"
        );
        assert!(!printed.contains("hunter2"), "{printed}");
        program
            .run_with_env(&[(name, "")], &["user", "list"])
            .expect_failure(&format!("{name} is empty"));
    }
    assert!(!program.data_folder().exists(), "no data folder is created");
}

#[test]
fn service_links_in_the_environment_are_ignored() {
    let links = [
        ("STRONGROOM_PORT", "tcp://10.0.0.1:8000"),
        ("STRONGROOM_SERVICE_HOST", "10.0.0.1"),
        ("STRONGROOM_PORT_8000_TCP_ADDR", "10.0.0.1"),
    ];
    TestProgram::with_ada()
        .run_with_env(&links, &["user", "list"])
        .expect_success();
    TestProgram::new()
        .run_with_env(&[("STRONGROOM_PORT", "8000")], &["user", "list"])
        .expect_failure("STRONGROOM_PORT is not a setting");
}

#[test]
fn misspelt_variable_fails_startup() {
    TestProgram::new()
        .run_with_env(&[("STRONGROOM_LISTNE", "127.0.0.1:1")], &[])
        .expect_failure("STRONGROOM_LISTNE");
}

#[test]
fn misspelt_config_key_fails_startup_with_its_line() {
    let program = TestProgram::new();
    program.write_file(
        "strongroom.toml",
        "public_url = \"http://a\"\nsecret_kye = \"hunter2\"\n",
    );
    let stderr = program
        .run(&["--config", "strongroom.toml"])
        .expect_failure("line 2: unknown field `secret_kye`");
    assert!(!stderr.contains("hunter2"));
}

#[test]
fn well_known_master_key_fails_startup() {
    let program = TestProgram::new();
    for key in [
        "a_super_secret_dev_key",
        "hunter2",
        "a_super_secret_dev_key_a_super_secret_dev_key",
    ] {
        let stderr = program
            .run_with_env(&[("SECRET_KEY", key)], &[])
            .expect_failure("openssl rand -base64 48");
        assert!(!stderr.contains(key), "a key is never printed");
    }
    program.write_file("key", "a_super_secret_dev_key\n");
    program
        .run_with_env(&[("SECRET_KEY_FILE", "key")], &[])
        .expect_failure("well known");
    program
        .run_with_env(&[("SECRET_KEY", "x"), ("SECRET_KEY_FILE", "key")], &[])
        .expect_failure("given twice");
}

#[test]
fn public_listener_requires_explicit_registration_mode() {
    let program = TestProgram::new();
    program
        .run(&["--listen", "0.0.0.0:0"])
        .expect_failure("registration.mode");
    program.write_file("open.toml", "listen = \"0.0.0.0:0\"\n");
    program
        .run(&["--config", "open.toml"])
        .expect_failure("no registration mode is set");
    assert!(!program.data_folder().exists());
}

#[test]
fn occupied_port_fails_startup_without_creating_data() {
    let program = TestProgram::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    program
        .run(&["--listen", &address])
        .expect_failure(&address);
    assert!(!program.data_folder().exists());
}

#[test]
fn folder_writable_by_others_fails_startup() {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};
    let program = TestProgram::with_ada();
    let data = program.data_folder();
    for (path, mode) in [
        (data.clone(), 0o777),
        (data.clone(), 0o770),
        (data.clone(), 0o1702),
        (data.join("keys"), 0o720),
        (data.join("strongroom.db"), 0o602),
    ] {
        let before = std::fs::metadata(&path).unwrap().permissions();
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let mend = format!(
            "chmod go-w '{}'",
            path.strip_prefix(program.folder()).unwrap().display()
        );
        program
            .run(&["--listen", "127.0.0.1:0"])
            .expect_failure(&mend);
        std::fs::set_permissions(&path, before).unwrap();
    }
    std::fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
    program.serve().stop();
}

#[test]
fn server_raises_and_logs_its_file_limit() {
    let program = TestProgram::with_ada();
    let serve = format!(
        "ulimit -Sn 256 && ulimit -Hn 4096 && exec '{}' --listen 127.0.0.1:0 2>log",
        env!("CARGO_BIN_EXE_strongroom")
    );
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &serve]).current_dir(program.folder());
    crate::test_program::TestServer::start(command).stop();
    let log = std::fs::read_to_string(program.folder().join("log")).unwrap();
    let line = log
        .lines()
        .find(|line| line.contains("open files"))
        .unwrap();
    let number = |name: &str| -> u64 {
        let (_, rest) = line.split_once(&format!("{name}=")).unwrap();
        rest.split(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(number("limit"), 4096);
    assert_eq!(number("left"), 4096 - number("in_use"));
    assert!((3..256).contains(&number("in_use")), "{line}");
}

#[test]
fn second_server_on_data_folder_fails_startup() {
    let program = TestProgram::with_ada();
    let server = program.serve();
    program
        .run(&["--listen", "127.0.0.1:0"])
        .expect_failure("already uses strongroom-data");
    server.kill();
    program.serve().stop();
}

#[test]
fn unwritable_data_folder_error_names_the_path() {
    let program = TestProgram::new();
    program.write_file("taken", "a file");
    for command in [&["serve"][..], &["user", "import", "taken"]] {
        let arguments = [
            &["--data", "taken/data", "--listen", "127.0.0.1:0"],
            command,
        ]
        .concat();
        program.run(&arguments).expect_failure("taken/data");
    }
}

#[test]
fn newer_data_folder_is_rejected_by_commands() {
    let program = TestProgram::with_ada();
    let database = program.data_folder().join("strongroom.db");
    let sqlite = rusqlite::Connection::open(database).unwrap();
    sqlite
        .execute(
            "INSERT INTO migrations (version, applied_at) VALUES (4000, 0)",
            [],
        )
        .unwrap();
    for command in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["verify"],
        &["user", "list"],
    ] {
        program
            .run(command)
            .expect_failure("Start the newer program");
    }
}

#[test]
fn unreachable_database_error_omits_the_password() {
    let program = TestProgram::new();
    program.write_file("url", "postgres://ada:hunter2@127.0.0.1:1/files\n");
    let serve = ["--listen", "127.0.0.1:0"];
    let stderr = program
        .run_with_env(&[("STRONGROOM_DATABASE_URL_FILE", "url")], &serve)
        .expect_failure("127.0.0.1:1/files");
    assert!(
        stderr.contains("refused") && !stderr.contains("hunter2"),
        "{stderr}"
    );
    program
        .run_with_env(&[("STRONGROOM_DATABASE_URL", "mysql://h/d")], &serve)
        .expect_failure("postgres://");
}

#[test]
fn remote_database_without_verified_tls_fails_startup() {
    let program = TestProgram::new();
    let serve = ["--listen", "127.0.0.1:0"];
    let url = (
        "STRONGROOM_DATABASE_URL",
        "postgres://ada:hunter2@db.invalid/files?sslmode=prefer",
    );
    for command in [&serve[..], &["migrate"], &["user", "list"]] {
        let stderr = program
            .run_with_env(&[url], command)
            .expect_failure("sslmode=verify-full");
        assert!(
            stderr.contains("db.invalid") && !stderr.contains("hunter2"),
            "{stderr}"
        );
    }
    let allowed = [url, ("STRONGROOM_DATABASE_TLS", "url")];
    program
        .run_with_env(&allowed, &serve)
        .expect_failure("cannot be opened");
    program
        .run_with_env(&[("STRONGROOM_DATABASE_TLS", "sometimes")], &serve)
        .expect_failure("`verified`");
}

#[test]
fn disabled_migration_requires_the_migrate_command() {
    let program = TestProgram::new();
    let off = [("STRONGROOM_DATABASE_MIGRATE", "off")];
    let serve = ["--listen", "127.0.0.1:0"];
    program
        .run_with_env(&off, &serve)
        .expect_failure("strongroom migrate");
    program
        .run_with_env(&off, &["migrate", "--grant-to", "ada"])
        .expect_failure("SQLite has no database accounts");
    let printed = program.run_with_env(&off, &["migrate"]).expect_success();
    assert!(printed.contains("up to date"), "{printed}");
    program
        .run_with_env(&off, &["user", "list"])
        .expect_success();
}

#[test]
fn damaged_database_or_key_file_is_reported() {
    let program = TestProgram::with_ada();
    let (database, key) = (
        program.data_folder().join("strongroom.db"),
        program.data_folder().join("keys/master.key"),
    );
    let original = std::fs::read(&key).unwrap();
    std::fs::write(&key, "").unwrap();
    program.run(&["user", "list"]).expect_failure("delete it");
    std::fs::write(&key, original).unwrap();
    // The write-ahead log would restore the pages.
    let _ = std::fs::remove_file(database.with_extension("db-wal"));
    std::fs::write(&database, "not a database").unwrap();
    program
        .run(&["user", "list"])
        .expect_failure("not a database");
}

#[test]
fn first_start_prints_setup_link_once() {
    let program = TestProgram::new();
    let first = program.serve();
    assert!(
        first
            .startup_line
            .contains("http://strongroom.test/first#sr_"),
        "{}",
        first.startup_line
    );
    assert!(
        first
            .startup_line
            .contains(program.data_folder().to_str().unwrap())
    );
    program.add_user("ada", &["--admin"]);
    first.stop();
    let second = program.serve();
    assert!(
        !second.startup_line.contains("/first"),
        "{}",
        second.startup_line
    );
    let own = TestProgram::new();
    let own = crate::test_program::TestServer::start(own.command(["--listen", "127.0.0.1:0"]));
    assert!(
        own.startup_line.contains(&own.url("/first#")),
        "the link has the port chosen by the system: {}",
        own.startup_line
    );
}
