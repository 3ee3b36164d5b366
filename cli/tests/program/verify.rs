//! `strongroom verify`: prints each problem, and nothing for intact data.

use std::path::PathBuf;

use crate::test_program::TestProgram;

const NO_PROBLEMS: &str = "No problems found.\n";

/// A data folder with two files and no running server.
async fn data_with_two_files() -> TestProgram {
    let program = TestProgram::with_ada();
    let server = program.serve();
    let ada = server.sign_in_as_ada().await;
    ada.add("vise.step", "solid").await;
    ada.add("gear.nc", "G0 X0").await;
    server.stop();
    program
}

/// The git-lfs object of vise.step.
fn content_path(program: &TestProgram) -> PathBuf {
    let pointer = program.git(&["show", "main:vise.step"]);
    let oid = pointer
        .lines()
        .find_map(|line| line.strip_prefix("oid sha256:"))
        .unwrap();
    program
        .repository()
        .join("lfs/objects")
        .join(&oid[..2])
        .join(&oid[2..4])
        .join(oid)
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_passes_on_intact_data_folder() {
    let program = data_with_two_files().await;
    let printed = program.run(&["verify"]).expect_success();
    assert!(
        printed.starts_with("Checked 1 vaults, 2 files, 2 changes")
            && printed.ends_with(NO_PROBLEMS),
        "{printed}"
    );
    let server = program.serve();
    assert!(
        program
            .run(&["verify"])
            .expect_success()
            .ends_with(NO_PROBLEMS),
        "also while a server runs"
    );
    server.stop();
}

#[test]
fn verify_passes_on_never_served_data_folder() {
    assert!(
        TestProgram::with_ada()
            .run(&["verify"])
            .expect_success()
            .ends_with(NO_PROBLEMS)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_a_flipped_content_byte() {
    let program = data_with_two_files().await;
    let path = content_path(&program);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[2] ^= 1;
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let printed = program.run(&["verify"]);
    assert_eq!(printed.code, Some(1));
    assert!(
        printed
            .out
            .contains("main: the content of vise.step, revision 1, is damaged"),
        "{printed:?}"
    );
    assert!(printed.out.ends_with("1 problem found.\n"), "{printed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_missing_content_and_repository() {
    let program = data_with_two_files().await;
    std::fs::remove_file(content_path(&program)).unwrap();
    let printed = program.run(&["verify"]);
    assert!(
        printed.code == Some(1) && printed.out.contains("vise.step, revision 1, is missing"),
        "{printed:?}"
    );
    std::fs::remove_dir_all(program.repository()).unwrap();
    let printed = program.run(&["verify"]);
    assert!(
        printed.code == Some(1) && printed.out.ends_with("3 problems found.\n"),
        "{printed:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_moved_branch_and_restart_repairs_it() {
    let program = data_with_two_files().await;
    let tip = program.git(&["rev-parse", "main"]);
    let identity = ["-c", "user.name=Eve", "-c", "user.email=eve@example.org"];
    let forged = [
        &identity[..],
        &[
            "commit-tree",
            "main^{tree}",
            "-p",
            "main~1",
            "-m",
            "Nothing to see",
        ],
    ]
    .concat();
    let forged = program.git(&forged);
    program.git(&["update-ref", "refs/heads/main", forged.trim()]);
    let printed = program.run(&["verify"]);
    assert!(
        printed.code == Some(1) && printed.out.contains("does not match the 2 changes"),
        "{printed:?}"
    );
    let server = program.serve();
    server.stop();
    assert_eq!(program.git(&["rev-parse", "main"]), tip);
    assert!(
        program
            .run(&["verify"])
            .expect_success()
            .ends_with(NO_PROBLEMS)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_an_edited_audit_entry() {
    let program = data_with_two_files().await;
    let sqlite = rusqlite::Connection::open(program.data_folder().join("strongroom.db")).unwrap();
    let edited = sqlite
        .execute(
            "UPDATE audit SET actor = 'eve' WHERE subject = 'gear.nc'",
            [],
        )
        .unwrap();
    assert_eq!(edited, 1);
    let printed = program.run(&["verify"]);
    assert!(
        printed.code == Some(1) && printed.out.contains("main: entry 3 of the audit log"),
        "{printed:?}"
    );
}
