//! What stops a start, and that the complaint says what to do.

use crate::program::{Program, Said};

impl Program {
    fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Said {
        let output = self
            .command(arguments)
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

#[test]
fn invalid_flag_fails_startup() {
    let program = Program::new();
    for (arguments, complaint) in [
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
        program.run(arguments).badly(complaint);
    }
    assert!(!program.data().exists(), "nothing was made");
}

#[test]
fn unreadable_environment_secret_fails_startup_without_printing_it() {
    use std::os::unix::ffi::OsStrExt as _;
    let program = Program::new();
    for name in [
        "SECRET_KEY",
        "SECRET_KEY_FILE",
        "STRONGROOM_DATABASE_URL",
        "STRONGROOM_DATABASE_URL_FILE",
    ] {
        let bytes = std::ffi::OsStr::from_bytes(b"hunter2\xff_and_more_than_thirty_two_bytes");
        let output = program
            .command(["user", "list"])
            .env(name, bytes)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(1) && said.contains(name) && said.contains("UTF-8"),
            "{said}"
        );
        assert!(!said.contains("hunter2"), "{said}");
        program
            .run_with(&[(name, "")], &["user", "list"])
            .badly(&format!("{name} to nothing"));
    }
    assert!(!program.data().exists(), "nothing was made");
}

#[test]
fn misspelt_variable_fails_startup() {
    Program::new()
        .run_with(&[("STRONGROOM_LISTNE", "127.0.0.1:1")], &[])
        .badly("STRONGROOM_LISTNE");
}

#[test]
fn misspelt_config_key_fails_startup_with_its_line() {
    let program = Program::new();
    program.write(
        "strongroom.toml",
        "public_url = \"http://a\"\nsecret_kye = \"hunter2\"\n",
    );
    let complaint = program
        .run(&["--config", "strongroom.toml"])
        .badly("line 2: unknown field `secret_kye`");
    assert!(!complaint.contains("hunter2"));
}

#[test]
fn well_known_master_key_fails_startup() {
    let program = Program::new();
    for key in [
        "a_super_secret_dev_key",
        "hunter2",
        "a_super_secret_dev_key_a_super_secret_dev_key",
    ] {
        let complaint = program
            .run_with(&[("SECRET_KEY", key)], &[])
            .badly("openssl rand -base64 48");
        assert!(!complaint.contains(key), "a key is not repeated");
    }
    program.write("key", "a_super_secret_dev_key\n");
    program
        .run_with(&[("SECRET_KEY_FILE", "key")], &[])
        .badly("well known");
    program
        .run_with(&[("SECRET_KEY", "x"), ("SECRET_KEY_FILE", "key")], &[])
        .badly("given twice");
}

#[test]
fn public_listener_requires_explicit_registration_mode() {
    let program = Program::new();
    program
        .run(&["--listen", "0.0.0.0:0"])
        .badly("registration.mode");
    program.write("open.toml", "listen = \"0.0.0.0:0\"\n");
    program
        .run(&["--config", "open.toml"])
        .badly("who may register");
    assert!(!program.data().exists());
}

#[test]
fn occupied_port_fails_startup_without_creating_data() {
    let program = Program::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    program.run(&["--listen", &address]).badly(&address);
    assert!(!program.data().exists());
}

#[test]
fn second_server_on_data_folder_fails_startup() {
    let program = Program::with_ada();
    let server = program.serve();
    program
        .run(&["--listen", "127.0.0.1:0"])
        .badly("serving from strongroom-data already");
    server.kill();
    program.serve().stop();
}

#[test]
fn unwritable_data_folder_error_names_the_path() {
    let program = Program::new();
    program.write("taken", "a file");
    for command in [&["serve"][..], &["user", "import", "taken"]] {
        let arguments = [
            &["--data", "taken/data", "--listen", "127.0.0.1:0"],
            command,
        ]
        .concat();
        program.run(&arguments).badly("taken/data");
    }
}

#[test]
fn newer_data_folder_is_rejected_by_commands() {
    let program = Program::with_ada();
    let database = program.data().join("strongroom.db");
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
        program.run(command).badly("Start the newer program");
    }
}

#[test]
fn unreachable_database_error_omits_the_password() {
    let program = Program::new();
    program.write("url", "postgres://ada:hunter2@127.0.0.1:1/files\n");
    let serve = ["--listen", "127.0.0.1:0"];
    let complaint = program
        .run_with(&[("STRONGROOM_DATABASE_URL_FILE", "url")], &serve)
        .badly("127.0.0.1:1/files");
    assert!(
        complaint.contains("refused") && !complaint.contains("hunter2"),
        "{complaint}"
    );
    program
        .run_with(&[("STRONGROOM_DATABASE_URL", "mysql://h/d")], &serve)
        .badly("postgres://");
}

#[test]
fn remote_database_without_verified_tls_fails_startup() {
    let program = Program::new();
    let serve = ["--listen", "127.0.0.1:0"];
    let url = (
        "STRONGROOM_DATABASE_URL",
        "postgres://ada:hunter2@db.invalid/files?sslmode=prefer",
    );
    for command in [&serve[..], &["migrate"], &["user", "list"]] {
        let complaint = program
            .run_with(&[url], command)
            .badly("sslmode=verify-full");
        assert!(
            complaint.contains("db.invalid") && !complaint.contains("hunter2"),
            "{complaint}"
        );
    }
    let allowed = [url, ("STRONGROOM_DATABASE_TLS", "url")];
    program.run_with(&allowed, &serve).badly("cannot be opened");
    program
        .run_with(&[("STRONGROOM_DATABASE_TLS", "sometimes")], &serve)
        .badly("`verified`");
}

#[test]
fn disabled_migration_requires_the_migrate_command() {
    let program = Program::new();
    let off = [("STRONGROOM_DATABASE_MIGRATE", "off")];
    let serve = ["--listen", "127.0.0.1:0"];
    program.run_with(&off, &serve).badly("strongroom migrate");
    program
        .run_with(&off, &["migrate", "--grant-to", "ada"])
        .badly("SQLite has no accounts");
    let said = program.run_with(&off, &["migrate"]).well();
    assert!(said.contains("up to date"), "{said}");
    program.run_with(&off, &["user", "list"]).well();
}

#[test]
fn damaged_database_or_key_file_is_reported() {
    let program = Program::with_ada();
    let (database, key) = (
        program.data().join("strongroom.db"),
        program.data().join("keys/master.key"),
    );
    let kept = std::fs::read(&key).unwrap();
    std::fs::write(&key, "").unwrap();
    program.run(&["user", "list"]).badly("delete it");
    std::fs::write(&key, kept).unwrap();
    // Its log would bring the pages back.
    let _ = std::fs::remove_file(database.with_extension("db-wal"));
    std::fs::write(&database, "not a database, whatever its name may say").unwrap();
    program.run(&["user", "list"]).badly("not a database");
}

#[test]
fn first_start_prints_setup_link_once() {
    let program = Program::new();
    let first = program.serve();
    assert!(
        first.greeting.contains("http://strongroom.test/first#sr_"),
        "{}",
        first.greeting
    );
    assert!(first.greeting.contains(program.data().to_str().unwrap()));
    program.add("ada", &["--admin"]);
    first.stop();
    let second = program.serve();
    assert!(!second.greeting.contains("/first"), "{}", second.greeting);
    let own = Program::new();
    let own = crate::program::Server::start(own.command(["--listen", "127.0.0.1:0"]));
    assert!(
        own.greeting.contains(&own.url("/first#")),
        "the port that the system chose: {}",
        own.greeting
    );
}
