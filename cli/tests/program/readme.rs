//! README and other documents are correct.

use std::process::Command;

use crate::test_program::TestProgram;

const README: &str = include_str!("../../../README.md");

#[test]
fn settings_in_help_are_documented_in_readme() {
    let help = TestProgram::new().run(&["--help"]).expect_success();
    let settings_text = help
        .split_once("Settings:")
        .unwrap()
        .1
        .split_once("Examples:")
        .unwrap()
        .0;
    let mut settings = 0;
    for word in settings_text
        .split_whitespace()
        .map(|word| word.trim_matches(['[', ']', '(', ')', ',']))
    {
        if word.starts_with("--") || word.starts_with("STRONGROOM_") {
            assert!(
                README.contains(&format!("`{word}")),
                "{word} is not in README"
            );
            settings += 1;
        }
    }
    assert!(settings > 20, "{help}");
}

#[test]
fn code_blocks_in_documents_are_closed() {
    for (name, text) in [
        ("README", README),
        ("ARCHITECTURE", include_str!("../../../ARCHITECTURE.md")),
        ("operations", include_str!("../../../docs/operations.md")),
        ("accounts", include_str!("../../../docs/accounts.md")),
    ] {
        let mut inside = false;
        for (n, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.starts_with("```"))
        {
            // Only an opening fence names a language.
            assert!(
                !inside || line == "```",
                "{name}, line {}: the previous block is not closed",
                n + 1
            );
            inside = !inside;
        }
        assert!(!inside, "{name}");
    }
}

#[test]
fn curl_walkthrough_in_readme_works() {
    if let Err(error) = Command::new("curl").arg("--version").output() {
        assert!(std::env::var_os("CI").is_none(), "curl: {error}");
        eprintln!("SKIPPED: curl is not installed, so the walkthrough of README did not run");
        return;
    }
    let story = README.split_once("## The story with curl").unwrap().1;
    let story = story
        .split_once("```sh\n")
        .unwrap()
        .1
        .split_once("```")
        .unwrap()
        .0;
    let program = TestProgram::new();
    let server = program.serve();
    let here = story.replace("http://127.0.0.1:8000", &server.url(""));
    assert_ne!(here, story);
    let output = Command::new("bash")
        .args(["-euc", &here])
        .current_dir(program.folder())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "\"username\":\"bob\"",
        "\"status\":\"checked_out_by_user\"",
        "File is already locked by ada",
        "\"revision\":2",
        "Author: ada <ada@strongroom.invalid>",
        "    Jaws 0.2 mm wider",
    ] {
        assert!(stdout.contains(expected), "{expected} is not in {stdout}");
    }
}
