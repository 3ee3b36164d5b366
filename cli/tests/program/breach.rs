//! `strongroom breach build`, and `user reset`.

use std::process::Command;

fn strongroom(data: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
    command.arg("--data").arg(data);
    command
}

#[test]
fn breach_build_creates_filter_and_names_malformed_line() {
    let folder = tempfile::tempdir().unwrap();
    let (list, output) = (
        folder.path().join("list.txt"),
        folder.path().join("breach.filter"),
    );
    std::fs::write(
        &list,
        "0018A45C4D1DEF81644B54AB7F969B88D65E53FA:42\r\n5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9\r\n",
    )
    .unwrap();
    let build = || {
        strongroom(folder.path())
            .args(["breach", "build"])
            .arg(&list)
            .arg("-o")
            .arg(&output)
            .output()
            .unwrap()
    };
    let output_of_build = build();
    let printed = String::from_utf8_lossy(&output_of_build.stdout).into_owned();
    assert!(
        output_of_build.status.success()
            && printed.contains("holds 2 passwords")
            && printed.contains("breach_file"),
        "{printed}"
    );
    let onto_itself = strongroom(folder.path())
        .args(["breach", "build"])
        .arg(&list)
        .arg("-o")
        .arg(&list)
        .output()
        .unwrap();
    assert!(
        String::from_utf8_lossy(&onto_itself.stderr).contains("the input list"),
        "{onto_itself:?}"
    );
    assert_eq!(std::fs::read_to_string(&list).unwrap().lines().count(), 2);
    std::fs::write(&list, "hunter2:1\n").unwrap();
    let refused = build();
    let printed = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && printed.contains("line 1: ") && !printed.contains("hunter2"),
        "{printed}"
    );
}

#[test]
fn user_reset_prints_a_reset_link() {
    let data = tempfile::tempdir().unwrap();
    let hash = "$2b$04$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";
    let csv = data.path().join("users.csv");
    std::fs::write(
        &csv,
        format!("username,hashed_password,is_admin\nada,{hash},0\n"),
    )
    .unwrap();
    let run = |args: &[&str]| {
        let output = strongroom(data.path()).args(args).output().unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr),
        )
    };
    assert!(run(&["user", "import", csv.to_str().unwrap()]).0);
    let (success, printed) = run(&[
        "--public-url",
        "https://files.example",
        "user",
        "reset",
        "ada",
        "--require",
    ]);
    assert!(
        success
            && printed.contains("https://files.example/reset#sr_rs_")
            && printed.contains("rejected"),
        "{printed}"
    );
    let (success, printed) = run(&["user", "reset", "ada"]);
    assert!(success && printed.contains("set --public-url"), "{printed}");
    assert!(run(&["user", "disable", "ada"]).0);
    let (success, printed) = run(&["user", "reset", "ada", "--require"]);
    assert!(
        !success && printed.contains("disabled") && !printed.contains("signed out"),
        "{printed}"
    );
    let (success, printed) = run(&["user", "reset", "nobody"]);
    assert!(!success && printed.contains("User not found"), "{printed}");
}
