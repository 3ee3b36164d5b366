//! Reading commands on a data folder that cannot be written.

use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::test_program::TestProgram;

const READING_COMMANDS: [&[&str]; 6] = [
    &["verify"],
    &["audit", "verify"],
    &["audit", "export"],
    &["user", "list"],
    &["key", "list"],
    &["throttle", "list"],
];

/// A stopped server's folder, without the right to write for anyone.
async fn frozen_data_folder() -> TestProgram {
    let program = TestProgram::with_ada();
    let server = program.serve();
    server.sign_in_as_ada().await.add("a.nc", "G0 X0").await;
    server.stop();
    freeze(&program.data_folder());
    program
}

fn run(program: &str, arguments: &[&str], path: &Path) {
    let status = Command::new(program)
        .args(arguments)
        .arg(path)
        .status()
        .unwrap();
    assert!(status.success(), "{program} {arguments:?}");
}

fn freeze(folder: &Path) {
    run("chmod", &["-R", "a-w"], folder);
}

/// The paths in a folder with size and time of change.
fn listing(folder: &Path) -> Vec<(PathBuf, u64, std::time::SystemTime)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            if metadata.is_dir() {
                folders.push(entry.path());
            }
            found.push((entry.path(), metadata.len(), metadata.modified().unwrap()));
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_commands_leave_frozen_folder_unchanged() {
    let program = frozen_data_folder().await;
    let before = listing(&program.data_folder());
    for command in READING_COMMANDS {
        program.run(command).expect_success();
    }
    assert_eq!(listing(&program.data_folder()), before);
    program
        .run(&["user", "disable", "ada"])
        .expect_failure("read-only");
    program
        .run(&["--listen", "127.0.0.1:0"])
        .expect_failure("a server writes to both");
    let exported = program.run(&["audit", "export"]).expect_success();
    assert_eq!(exported.lines().count(), 5, "{exported}");
}

#[tokio::test(flavor = "multi_thread")]
async fn leftover_journal_of_frozen_folder_is_reported() {
    let program = TestProgram::with_ada();
    let server = program.serve();
    server.sign_in_as_ada().await.add("a.nc", "G0 X0").await;
    server.kill();
    let data = program.data_folder();
    assert!(
        std::fs::metadata(data.join("strongroom.db-wal"))
            .unwrap()
            .len()
            > 0
    );
    let index = data.join("strongroom.db-shm");
    let kept = program.folder().join("index");
    std::fs::copy(&index, &kept).unwrap();
    std::fs::remove_file(&index).unwrap();
    freeze(&data);
    for command in READING_COMMANDS {
        program
            .run(command)
            .expect_failure("strongroom.db-wal holds changes");
    }
    // With its index, SQLite reads the journal.
    std::fs::set_permissions(&data, Permissions::from_mode(0o700)).unwrap();
    std::fs::copy(&kept, &index).unwrap();
    freeze(&data);
    let exported = program.run(&["audit", "export"]).expect_success();
    assert!(exported.contains("file.add"), "{exported}");
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_on_read_only_mount_is_verified() {
    let program = frozen_data_folder().await;
    let data = program.data_folder();
    let arguments = [data.as_os_str(), data.as_os_str()];
    let mounted = Command::new("mount").arg("--bind").args(arguments).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: mount --bind needs root");
        return;
    }
    run("mount", &["-o", "remount,bind,ro"], &data);
    let results = READING_COMMANDS.map(|command| program.run(command));
    run("umount", &[], &data);
    for result in results {
        result.expect_success();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_of_another_account_is_verified() {
    let program = frozen_data_folder().await;
    run("chmod", &["-R", "a+rX"], &program.data_folder());
    run("chmod", &["a+rx"], program.folder());
    // The key stays secret: verifying does not need it.
    let key = program.data_folder().join("keys/master.key");
    std::fs::set_permissions(&key, Permissions::from_mode(0o400)).unwrap();
    let binary = program.folder().join("strongroom");
    std::fs::copy(env!("CARGO_BIN_EXE_strongroom"), &binary).unwrap();
    run("chmod", &["a+rx"], &binary);
    for command in &READING_COMMANDS[..3] {
        let output = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
            .arg(&binary)
            .args(*command)
            .current_dir(program.folder())
            .output();
        let Ok(output) = output else {
            eprintln!("SKIPPED: setpriv is not installed");
            return;
        };
        let printed = String::from_utf8_lossy(&output.stderr);
        if printed.contains("setpriv:") {
            eprintln!("SKIPPED: {printed}");
            return;
        }
        assert!(output.status.success(), "{command:?}: {printed}");
    }
}
