//! A data folder on a full or read-only disk.

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::test_program::{Client, PASSWORD, TestProgram, TestServer, upload_form};

const SENTENCE: &str = "The disk is full. Nothing has changed.";
/// SQLite may have space left in its journal.
const MAX_ATTEMPTS: usize = 200;

/// A data folder on a disk of its own, which is removed at the end.
struct SmallDisk {
    program: TestProgram,
}

impl SmallDisk {
    /// `None` if this account may not mount.
    fn mount() -> Option<Self> {
        let program = TestProgram::new();
        std::fs::create_dir(program.data_folder()).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs"])
            .arg(program.data_folder())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            program.add_user("ada", &["--admin"]);
            return Some(Self { program });
        }
        None
    }

    /// Puts a read-only view of the folder over it.
    fn cover_read_only(&self) {
        let folder = self.program.data_folder();
        for options in [&["--bind"][..], &["-o", "remount,bind,ro"]] {
            let mut mount = Command::new("mount");
            mount.args(options);
            if options == ["--bind"] {
                mount.arg(&folder);
            }
            assert!(mount.arg(&folder).status().unwrap().success());
        }
    }

    fn uncover(&self) {
        let mut umount = Command::new("umount");
        let status = umount.arg(self.program.data_folder()).status();
        assert!(status.unwrap().success());
    }

    fn filler(&self) -> PathBuf {
        self.program.data_folder().join("filler")
    }

    fn fill(&self) {
        use std::io::Write as _;
        let mut file = std::fs::File::create(self.filler()).unwrap();
        while file.write_all(&[b'x'; 4096]).is_ok() {}
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let folder = self.program.data_folder();
        let _ = Command::new("umount").arg("-l").arg(folder).status();
    }
}

async fn ready(server: &TestServer) -> u16 {
    let response = reqwest::get(server.url("/health/ready")).await.unwrap();
    response.status().as_u16()
}

/// A check that failed is repeated after a second.
async fn wait_until_ready(server: &TestServer) {
    let since = Instant::now();
    while ready(server).await != 200 {
        assert!(since.elapsed() < Duration::from_secs(10), "still not ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn check_in(ada: &Client) -> reqwest::Response {
    ada.post("/api/files/a.nc/checkin")
        .multipart(upload_form(&"G1 X1\n".repeat(50_000), "more"))
        .send()
        .await
        .unwrap()
}

async fn sign_in(server: &TestServer) -> reqwest::Response {
    reqwest::Client::new()
        .post(server.url("/auth/token"))
        .form(&[("username", "ada"), ("password", PASSWORD)])
        .send()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn full_disk_is_507_until_space_is_freed() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("SKIPPED: mounting a tmpfs needs root");
        return;
    };
    let server = disk.program.serve();
    let ada = server.sign_in_as_ada().await;
    ada.add("a.nc", "G0 X0").await;
    let checked_out = ada.post("/api/files/a.nc/checkout").send().await.unwrap();
    assert_eq!(checked_out.status(), 200);
    assert_eq!(ready(&server).await, 200);
    disk.fill();
    assert_eq!(ready(&server).await, 503);
    let refused = check_in(&ada).await;
    assert_eq!(refused.status(), 507);
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["detail"], SENTENCE);
    let mut refused = sign_in(&server).await;
    for _ in 0..MAX_ATTEMPTS {
        if refused.status() != 200 {
            break;
        }
        refused = sign_in(&server).await;
    }
    assert_eq!(refused.status(), 507);
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["detail"], SENTENCE);
    assert_eq!(problem["error_description"], SENTENCE);
    let vault = serde_json::json!({"name": "attic"});
    let refused = ada.post("/api/vaults").json(&vault).send().await.unwrap();
    assert_eq!(refused.status(), 507);
    assert_eq!(ready(&server).await, 503);
    std::fs::remove_file(disk.filler()).unwrap();
    wait_until_ready(&server).await;
    assert_eq!(sign_in(&server).await.status(), 200);
    assert_eq!(check_in(&ada).await.status(), 200);
    server.stop();
    disk.program.run(&["verify"]).expect_success();
}

#[tokio::test(flavor = "multi_thread")]
async fn read_only_disk_is_not_ready() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("SKIPPED: mounting a tmpfs needs root");
        return;
    };
    let server = disk.program.serve();
    assert_eq!(ready(&server).await, 200);
    disk.cover_read_only();
    assert_eq!(ready(&server).await, 503);
    disk.uncover();
    assert_eq!(ready(&server).await, 200);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_table_is_not_ready() {
    let program = TestProgram::with_ada();
    let server = program.serve();
    assert_eq!(ready(&server).await, 200);
    let sqlite = rusqlite::Connection::open(program.data_folder().join("strongroom.db")).unwrap();
    for table in ["sessions", "revisions", "throttles", "keys"] {
        let rename = |from: &str, to: &str| {
            sqlite
                .execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}"))
                .unwrap();
        };
        rename(table, "elsewhere");
        assert_eq!(ready(&server).await, 503, "{table}");
        rename("elsewhere", table);
        assert_eq!(ready(&server).await, 200, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn store_that_refuses_commits_is_not_ready() {
    let program = TestProgram::with_ada();
    let server = program.serve();
    let sqlite = rusqlite::Connection::open(program.data_folder().join("strongroom.db")).unwrap();
    let refuse = "CREATE TRIGGER refuse BEFORE UPDATE ON audit_heads
        BEGIN SELECT RAISE(ABORT, 'refused'); END";
    sqlite.execute_batch(refuse).unwrap();
    assert_eq!(ready(&server).await, 503);
    sqlite.execute_batch("DROP TRIGGER refuse").unwrap();
    wait_until_ready(&server).await;
}
