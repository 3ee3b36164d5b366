//! A PostgreSQL cluster in a temporary folder, made with the installed programs. A shell reads from
//! a pipe that only the test process holds open, and stops the cluster when the process ends for
//! any reason.

use std::{
    io::Write as _,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, postgres::PgConnectOptions,
};

#[derive(Debug)]
pub(super) struct Cluster {
    folder: PathBuf,
    databases: AtomicU32,
    /// Receives no data: the closing of its pipe is the signal.
    _watchdog: Child,
}

/// $1: the folder, the rest: the server's command line.
const WATCHDOG: &str = r#"folder="$1"; shift
"$@" </dev/null >"$folder/log" 2>&1 &
read -r _
kill -QUIT $!; wait $!
rm -rf "$folder""#;

const SETTINGS: [&str; 6] = [
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=300",
    "deadlock_timeout=100ms",
];

const KEPT_DATABASES: u32 = 64;

impl Cluster {
    /// On a socket alone. `None` if PostgreSQL is not installed.
    pub(super) fn start() -> Option<Self> {
        Self::start_with(|_| Vec::new())
    }

    /// With settings, and the files that `prepare` writes into the folder for them.
    pub(super) fn start_with(prepare: impl FnOnce(&Path) -> Vec<String>) -> Option<Self> {
        let programs = find_binaries()?;
        let folder = tempfile::Builder::new()
            .prefix("strongroom-pg-")
            .tempdir()
            .expect("a temporary folder")
            .keep();
        let settings = prepare(&folder);
        let owner = ClusterUser::of(&folder);
        let data = folder.join("data");
        let mut initdb = owner.command(&programs.join("initdb"));
        initdb
            .args([
                "--no-sync",
                "-A",
                "trust",
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--no-locale",
                "-D",
            ])
            .arg(&data);
        let made = initdb.output().expect("initdb runs");
        assert!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );

        let mut watchdog = owner.command(Path::new("sh"));
        watchdog
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(&folder)
            .arg(programs.join("postgres"))
            .arg("-D")
            .arg(&data);
        watchdog
            .arg("-c")
            .arg(format!("unix_socket_directories={}", folder.display()));
        watchdog.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        watchdog.args(settings.iter().flat_map(|setting| ["-c", setting]));
        // In a process group of its own, so that Ctrl-C in the terminal ends only the tests, which
        // closes the pipe.
        let watchdog = watchdog
            .process_group(0)
            .stdin(Stdio::piped())
            .spawn()
            .expect("the watchdog starts");
        Some(Self {
            folder,
            databases: AtomicU32::new(0),
            _watchdog: watchdog,
        })
    }

    /// The URL of a new, empty database. A test that is done leaves its database behind, about 10 MB.
    /// The one of 64 tests ago is dropped, so that the disk does not fill up.
    pub(super) async fn new_database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        let mut server = self.connect().await;
        if let Some(old) = number.checked_sub(KEPT_DATABASES) {
            let drop = format!("DROP DATABASE IF EXISTS test_{old}");
            // Fails without harm while a test still uses it.
            let _ = server.execute(sqlx::raw_sql(AssertSqlSafe(drop))).await;
        }
        // The name is generated above, so it needs no quoting.
        let create = format!("CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy");
        server
            .execute(sqlx::raw_sql(AssertSqlSafe(create)))
            .await
            .expect("the database is created");
        server.close().await.expect("the connection closes");
        self.url(&name)
    }

    pub(super) fn url(&self, database: &str) -> String {
        format!(
            "postgres://postgres@{}/{database}",
            self.folder.display().to_string().replace('/', "%2F")
        )
    }

    async fn connect(&self) -> sqlx::PgConnection {
        self.wait_until_ready(&self.url("postgres")).await
    }

    /// The server needs a moment after its start.
    pub(super) async fn wait_until_ready(&self, url: &str) -> sqlx::PgConnection {
        let options: PgConnectOptions = url.parse().expect("a URL");
        let options = options.disable_statement_logging();
        for _ in 0..500 {
            if let Ok(connection) = options.connect().await {
                return connection;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        drop(std::io::stderr().write_all(log.as_bytes()));
        unreachable!("PostgreSQL did not start within 10 s; its log is above")
    }
}

/// The folder of the installed programs, the newest if there are several.
fn find_binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        let mut versions: Vec<PathBuf> = versions
            .flatten()
            .map(|version| version.path().join("bin"))
            .collect();
        versions.sort();
        places.extend(versions.into_iter().rev());
    }
    places
        .into_iter()
        .find(|place| place.join("initdb").exists() && place.join("postgres").exists())
}

/// PostgreSQL refuses to run as root: in that case the user `postgres` runs it.
struct ClusterUser(Option<(u32, u32)>);

impl ClusterUser {
    fn of(folder: &Path) -> Self {
        let root = std::fs::metadata(folder)
            .expect("the folder has metadata")
            .uid()
            == 0;
        let owner = root.then(|| {
            find_user_ids("postgres").expect("a user named postgres, since the tests run as root")
        });
        if let Some((uid, gid)) = owner {
            let inside = std::fs::read_dir(folder)
                .expect("the folder is read")
                .map(|entry| entry.expect("a file").path());
            for path in inside.chain([folder.to_owned()]) {
                std::os::unix::fs::chown(path, Some(uid), Some(gid))
                    .expect("the folder's owner is set to postgres");
            }
        }
        Self(owner)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((uid, gid)) = self.0 {
            command.uid(uid).gid(gid);
        }
        command
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }
}

/// User and group number, from `/etc/passwd`.
fn find_user_ids(name: &str) -> Option<(u32, u32)> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = passwd
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    let mut numbers = line.split(':').skip(2).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}
