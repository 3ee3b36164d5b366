//! `strongroom verify`: silent about what is sound, plain about what is not.

use std::path::PathBuf;

use crate::program::Program;

const SOUND: &str = "Everything is as it should be.\n";

/// Two files, one of them checked in once; the server has stopped.
async fn house() -> Program {
    let program = Program::with_ada();
    let server = program.serve();
    let ada = server.ada().await;
    ada.add("vise.step", "solid").await;
    ada.add("gear.nc", "G0 X0").await;
    server.stop();
    program
}

/// Where git-lfs keeps the content of vise.step.
fn content(program: &Program) -> PathBuf {
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
    let program = house().await;
    let said = program.run(&["verify"]).well();
    assert!(
        said.starts_with("Looked at 1 vaults, 2 files, 2 changes") && said.ends_with(SOUND),
        "{said}"
    );
    let server = program.serve();
    assert!(
        program.run(&["verify"]).well().ends_with(SOUND),
        "also while a server runs"
    );
    server.stop();
}

#[test]
fn verify_passes_on_never_served_data_folder() {
    assert!(Program::with_ada().run(&["verify"]).well().ends_with(SOUND));
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_a_flipped_content_byte() {
    let program = house().await;
    let path = content(&program);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[2] ^= 1;
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let said = program.run(&["verify"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.out
            .contains("main: the content of vise.step, revision 1, is damaged"),
        "{said:?}"
    );
    assert!(said.out.ends_with("1 thing is wrong.\n"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_missing_content_and_repository() {
    let program = house().await;
    std::fs::remove_file(content(&program)).unwrap();
    let said = program.run(&["verify"]);
    assert!(
        said.code == Some(1) && said.out.contains("vise.step, revision 1, is missing"),
        "{said:?}"
    );
    std::fs::remove_dir_all(program.repository()).unwrap();
    let said = program.run(&["verify"]);
    assert!(
        said.code == Some(1) && said.out.ends_with("3 things are wrong.\n"),
        "{said:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_moved_branch_and_restart_repairs_it() {
    let program = house().await;
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
    let said = program.run(&["verify"]);
    assert!(
        said.code == Some(1) && said.out.contains("is not what the 2 changes give"),
        "{said:?}"
    );
    let server = program.serve();
    server.stop();
    assert_eq!(program.git(&["rev-parse", "main"]), tip);
    assert!(program.run(&["verify"]).well().ends_with(SOUND));
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_an_edited_audit_entry() {
    let program = house().await;
    let sqlite = rusqlite::Connection::open(program.data().join("strongroom.db")).unwrap();
    let edited = sqlite
        .execute(
            "UPDATE audit SET actor = 'eve' WHERE subject = 'gear.nc'",
            [],
        )
        .unwrap();
    assert_eq!(edited, 1);
    let said = program.run(&["verify"]);
    assert!(
        said.code == Some(1) && said.out.contains("main: entry 3 of the audit"),
        "{said:?}"
    );
}
