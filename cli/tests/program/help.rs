//! Snapshots of the `--help` texts, so that a change is reviewed as a whole.

use crate::test_program::TestProgram;

#[test]
fn help_texts_match_their_snapshots() {
    let program = TestProgram::new();
    for (name, arguments) in [
        ("strongroom", &["--help"][..]),
        ("user", &["user", "--help"]),
        ("user_add", &["user", "add", "--help"]),
        ("key_rotate", &["key", "rotate", "--help"]),
        ("key_replace_master", &["key", "replace-master", "--help"]),
        ("migrate", &["migrate", "--help"]),
        ("login", &["login", "--help"]),
        ("user_import", &["user", "import", "--help"]),
    ] {
        insta::assert_snapshot!(name, program.run(arguments).expect_success());
    }
    assert!(
        !program.data_folder().exists(),
        "help creates no data folder"
    );
}

#[test]
fn help_does_not_print_environment_values() {
    let program = TestProgram::new();
    let output = program
        .command(["--help"])
        .env("STRONGROOM_PUBLIC_URL", "https://hidden.example")
        .output()
        .unwrap();
    assert!(!String::from_utf8(output.stdout).unwrap().contains("hidden"));
}
